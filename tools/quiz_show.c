// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl quiz: questions and answers. */
#include "quiz.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

/* References that are shown around the one in question. */
#define QUIZ_SHOWN	40

const char *const quiz_kinds[QUIZ_KINDS] = { "hit", "victim", "frames" };

static void quiz_print_refs(const struct quiz *quiz, u32 from, u32 until)
{
	u32 i;

	for (i = from; i < until; i++)
		printf(" %llu%s", quiz_key(quiz, quiz->trace.refs[i] >> 1),
		       quiz->trace.refs[i] & 1 ? "w" : "");
}

static void quiz_print_pages(const struct quiz *quiz, const u32 *pages, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		printf("%s%llu", i ? " " : "", quiz_key(quiz, pages[i]));
	printf("%s", nr ? "" : "none");
}

void quiz_show_head(const struct quiz *quiz, u32 asked)
{
	printf("%s with %u frames, %u question%s (--seed %llu). References to pages:\n",
	       quiz->policy.name, quiz->sim.frames, asked, asked == 1 ? "" : "s",
	       (__u64)quiz->seed);
	if (quiz->trace.nr > QUIZ_SHOWN) {
		printf(" %zu of them, of %s\n", quiz->trace.nr, quiz->trace.name);
		return;
	}
	quiz_print_refs(quiz, 0, quiz->trace.nr);
	putchar('\n');
}

void quiz_show_question(const struct quiz *quiz, u32 number)
{
	const struct quiz_question *now = &quiz->now;
	u32 from = now->at > 10 ? now->at - 10 : 1;

	printf("\n%u. After references %u to %u,%s", number, from, now->at - 1,
	       from > 1 ? " ..." : "");
	quiz_print_refs(quiz, from - 1, now->at - 1);
	printf(", in the frames:\n   ");
	quiz_print_pages(quiz, now->before, now->nr_before);
	printf(" (in the order they came)\n   Reference %u is page %llu%s. ", now->at,
	       quiz_key(quiz, now->page), now->write ? ", written" : "");
	if (now->kind == QUIZ_HIT)
		printf("Hit or miss?");
	else if (now->kind == QUIZ_VICTIM)
		printf("Which page is evicted?");
	else
		printf("Which pages are in the frames then?");
	putchar('\n');
}

void quiz_show_answer(const struct quiz *quiz)
{
	const struct quiz_question *now = &quiz->now;

	if (now->kind == QUIZ_HIT)
		printf("%s", now->hit ? "hit" : "miss");
	else if (now->kind == QUIZ_VICTIM)
		printf("page %llu", quiz_key(quiz, now->victim));
	else
		quiz_print_pages(quiz, now->after, now->nr_after);
	printf("\n   because %s.\n", now->reason);
}

static struct json_object *quiz_json_pages(const struct quiz *quiz, const u32 *pages, u32 nr)
{
	struct json_object *array = json_object_new_array();
	u32 i;

	for (i = 0; i < nr; i++)
		json_object_array_add(array,
				      json_object_new_uint64(quiz_key(quiz, pages[i])));
	return array;
}

struct json_object *quiz_json_question(const struct quiz *quiz)
{
	const struct quiz_question *now = &quiz->now;
	struct json_object *object = json_object_new_object();

	ctl_json_add_text(object, "question", quiz_kinds[now->kind]);
	ctl_json_add_u64(object, "reference", now->at);
	ctl_json_add_u64(object, "page", quiz_key(quiz, now->page));
	ctl_json_add(object, "write", json_object_new_boolean(now->write));
	ctl_json_add(object, "before", quiz_json_pages(quiz, now->before, now->nr_before));
	ctl_json_add(object, "hit", json_object_new_boolean(now->hit));
	ctl_json_add(object, "evicted", !now->evicted ? NULL :
		     json_object_new_uint64(quiz_key(quiz, now->victim)));
	ctl_json_add(object, "after", quiz_json_pages(quiz, now->after, now->nr_after));
	ctl_json_add_text(object, "reason", now->reason);
	return object;
}

static int quiz_check_word(bool hit, const char *answer)
{
	static const char *const words[] = { "hit", "h", "miss", "m" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcasecmp(words[i], answer))
			return hit == (i < 2);
	return -1;
}

/* The small number of a page, or that of none. */
static u32 quiz_find(const struct quiz *quiz, __u64 key)
{
	u32 i;

	for (i = 0; i < quiz->trace.pages && quiz->trace.keys[i] != key; i++)
		;
	return i;
}

/* The same pages, each once, in any order? */
static int quiz_check_pages(const struct quiz *quiz, const u32 *want, u32 nr, const char *answer)
{
	u64 found = 0;
	u32 given = 0, i, page;
	__u64 key;

	while (answer += strspn(answer, " ,\t"), *answer) {
		if (ctl_scan_number(answer, &answer, &key) || !strchr(" ,\t", *answer))
			return -1;
		page = quiz_find(quiz, key);
		for (i = 0; i < nr && want[i] != page; i++)
			;
		if (i == nr || found & ((u64)1 << i))
			return 0;
		found |= ((u64)1 << i);
		given++;
	}
	return given ? given == nr : -1;
}

int quiz_check(const struct quiz *quiz, const char *answer)
{
	const struct quiz_question *now = &quiz->now;

	if (now->kind == QUIZ_HIT)
		return quiz_check_word(now->hit, answer);
	if (now->kind == QUIZ_VICTIM)
		return quiz_check_pages(quiz, &now->victim, 1, answer);
	return quiz_check_pages(quiz, now->after, now->nr_after, answer);
}
