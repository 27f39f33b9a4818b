// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmdemoctl quiz: why it is so. What a policy's choice can be read from is told
 * of every frame; how the policy weighs it says the policy itself, in the words
 * that `step` and `simulate --explain` have for it (why.c).
 */
#include "quiz.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "why.h"

/* Behind what there is; what does not fit is cut off. */
__printf(2, 3) static void reason_add(struct quiz *quiz, const char *fmt, ...)
{
	size_t used = strlen(quiz->now.reason);
	va_list args;

	va_start(args, fmt);
	vsnprintf(quiz->now.reason + used, QUIZ_TEXT - used, fmt, args);
	va_end(args);
}

/* When the page is used next, after the reference under way; 0: never. */
static u32 reason_next_use(const struct quiz *quiz, u32 page)
{
	size_t i;

	for (i = quiz->now.at; i < quiz->trace.nr; i++)
		if (quiz->trace.refs[i] >> 1 == page)
			return i + 1;
	return 0;
}

static void reason_victim(struct quiz *quiz)
{
	char text[WHY_TEXT];

	reason_add(quiz, "page %llu goes, %s: %s", quiz_key(quiz, quiz->now.victim),
		   quiz->policy.choice.ops->name,
		   why_text(text, quiz->now.why.code, quiz->now.why.nr));
}

static void reason_frames(struct quiz *quiz)
{
	bool future = quiz->policy.choice.ops->flags & VMD_POLICY_FUTURE;
	u32 i;

	for (i = 0; i < quiz->now.nr_before; i++) {
		const struct quiz_page *page = &quiz->pages[quiz->now.before[i]];
		u32 next = reason_next_use(quiz, quiz->now.before[i]);

		reason_add(quiz, "%s%llu: came at %u, last used at %u, %u use%s", i ? "; " : " (",
			   quiz_key(quiz, quiz->now.before[i]), page->came, page->used, page->uses,
			   page->uses == 1 ? "" : "s");
		if (future && next)
			reason_add(quiz, ", next at %u", next);
		else if (future)
			reason_add(quiz, ", not used again");
	}
	reason_add(quiz, ")");
}

void quiz_explain(struct quiz *quiz)
{
	const struct quiz_question *now = &quiz->now;

	*quiz->now.reason = 0;
	if (now->hit) {
		reason_add(quiz, "page %llu is in a frame since reference %u: nothing has to go",
			   quiz_key(quiz, now->page), quiz->pages[now->page].came);
		return;
	}
	if (quiz->pages[now->page].came)
		reason_add(quiz, "page %llu is in no frame any more: a miss; ",
			   quiz_key(quiz, now->page));
	else
		reason_add(quiz, "page %llu is used for the first time: a miss; ",
			   quiz_key(quiz, now->page));
	if (!now->evicted) {
		reason_add(quiz, "a frame is free, and nothing has to go");
		return;
	}
	reason_victim(quiz);
	if (now->nr_before <= 8)
		reason_frames(quiz);
}
