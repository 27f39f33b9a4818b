// SPDX-License-Identifier: GPL-2.0-only
/* Why a policy chose a page, as a phrase. Policies know codes, only this words. */
#include "why.h"

#include <stdio.h>

/*
 * What is said for a code. In it %0 to %3 are its numbers, %a to %d the same with
 * "page" or "pages" behind, %A to %D with "reference" or "references", %p the
 * second one, in thousandths.
 */
static const char *const why_words[VMD_WHY_CODES] = {
	[VMD_WHY_UNTOLD] = "the policy does not say why",
	[VMD_WHY_LAST_RESORT] = "it could not go a moment ago, but there is no other",
	[VMD_WHY_FIRST_IN] = "first in, first out: it is the first in the queue",
	[VMD_WHY_LEAST_RECENT] = "least recently used",
	[VMD_WHY_MOST_RECENT] = "most recently used",
	[VMD_WHY_HAND] =
		"the hand passed %a with the reference bit set, cleared it, and found this one without",
	[VMD_WHY_SECOND_CHANCE] = "the oldest without reference bit: %a got a second chance",
	[VMD_WHY_SIEVE] = "the hand passed %a that had been visited, and found this one not",
	[VMD_WHY_COUNT] = "least frequently used: its count is %0",
	[VMD_WHY_AGED_COUNT] = "lowest key: %0 (its count is %2, the memory's age %1)",
	[VMD_WHY_CLASS] = "lowest class there is: referenced %0, modified %1",
	[VMD_WHY_AGING] = "lowest counter: %0 of %1 bits",
	[VMD_WHY_DRAWN] = "drawn by lot out of %a",
	[VMD_WHY_FUTURE] = "used again later than all others: after %A of the string",
	[VMD_WHY_NEVER_AGAIN] = "never used again",
	[VMD_WHY_OUT_OF_WS] =
		"out of the working set, and clean: seen in use %A ago, the window is %1",
	[VMD_WHY_OUT_OF_WS_DIRTY] =
		"out of the working set, and the hand came round: seen in use %A ago, the window is %1",
	[VMD_WHY_IN_WS] =
		"all are in the working set (the window is %1): of those with modified bit %2 seen in use longest ago, %A",
	[VMD_WHY_LRUK_ONCE] = "used only once, longest ago: %A ago",
	[VMD_WHY_LRUK_TWICE] = "its last use but one is longest ago: %A ago",
	[VMD_WHY_2Q_IN] = "first of A1in, which has %a and may have %1",
	[VMD_WHY_2Q_AM] = "least recently used of Am, as A1in has %a and may have %1",
	[VMD_WHY_2Q_IN_ONLY] = "first of A1in, as Am is empty",
	[VMD_WHY_ARC_T1] = "least recently used of T1, which has %a, more than p = %p",
	[VMD_WHY_ARC_T1_GHOST] =
		"least recently used of T1, which has %a, p = %p, and the page wanted is a ghost in B2",
	[VMD_WHY_ARC_T1_ONLY] = "least recently used of T1, as T2 is empty",
	[VMD_WHY_ARC_T2] = "least recently used of T2, as T1 has %a, not more than p = %p",
	[VMD_WHY_CAR_T1] = "under the hand of T1, which has %a for p = %1; %c went on",
	[VMD_WHY_CAR_T1_ONLY] = "under the hand of T1, as T2 is empty; %c went on",
	[VMD_WHY_CAR_T2] = "under the hand of T2, as T1 has %a, less than p = %1; %c went on",
	[VMD_WHY_PROBATION] = "least recently used of %a on probation",
	[VMD_WHY_SEGMENT] = "least recently used of %b in segment %0: all below are empty",
	[VMD_WHY_S3_SMALL] =
		"first of the small queue, which has %a (its share is %1); its count is %2; %d paid for staying",
	[VMD_WHY_S3_MAIN] =
		"first of the main queue, with nothing to pay with; the small queue has %a (its share is %1); %c paid for staying",
	[VMD_WHY_LIRS_HIR] =
		"first of the queue of resident HIR pages (%0 LIR pages, %1 at most)",
	[VMD_WHY_LIRS_LIR] = "no HIR page can go: the lowest LIR page of the stack",
	[VMD_WHY_PRO_COLD] =
		"cold, under HAND_cold: in test %0, referenced %1 (%2 cold, %3 hot)",
	[VMD_WHY_TINY_WINDOW] =
		"last of the window, estimated at %A, not more than the %1 of the main part's next",
	[VMD_WHY_TINY_MAIN] =
		"next of the main part, estimated at %A, less than the %1 of the window's last",
	[VMD_WHY_TINY_ROOM] = "next of the main part, as the window has %a and may have %1",
	[VMD_WHY_TINY_ALONE] = "last of the window, as the main part is empty",
	[VMD_WHY_GENERATION] = "first of the oldest of %0 generations, which has %b",
	[VMD_WHY_HAND_CLASS] =
		"under the hand: referenced %0, modified %1; %c lost the reference bit to it",
	[VMD_WHY_INACTIVE] = "at the end of the inactive list (%0 inactive, %1 active)",
};

static int why_number(char *buf, size_t room, char what, const u64 *nr)
{
	if (what == 'p')
		return snprintf(buf, room, nr[1] % 1000 ? "%llu.%03llu" : "%llu",
				(__u64)nr[1] / 1000, (__u64)nr[1] % 1000);
	if (what >= 'a' && what <= 'd')
		return snprintf(buf, room, "%llu page%s", (__u64)nr[what - 'a'],
				nr[what - 'a'] == 1 ? "" : "s");
	if (what >= 'A' && what <= 'D')
		return snprintf(buf, room, "%llu reference%s", (__u64)nr[what - 'A'],
				nr[what - 'A'] == 1 ? "" : "s");
	return snprintf(buf, room, "%llu", (__u64)nr[what - '0']);
}

/* A newer module may know codes that we do not. */
const char *why_text(char *buf, u32 code, const u64 nr[VMD_WHY_NUMBERS])
{
	const char *word = code < VMD_WHY_CODES ? why_words[code] : NULL;
	size_t at = 0;

	if (!word) {
		snprintf(buf, WHY_TEXT, "for reason %u, which this tool does not know", code);
		return buf;
	}
	while (*word && at < WHY_TEXT - 1) {
		if (*word != '%') {
			buf[at++] = *word++;
			continue;
		}
		at += why_number(buf + at, WHY_TEXT - at, word[1], nr);
		word += 2;
	}
	buf[at < WHY_TEXT ? at : WHY_TEXT - 1] = 0;
	return buf;
}
