// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why this page: what explain() says is true in examples worked out by hand,
 * fits a phrase, and changes nothing.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../tools/sim.h"
#include "../../tools/why.h"
#include "refstring.h"
#include "tests.h"

#define PAGES	32

/*
 * A string, and what is said of the last page that had to go. A page behind W
 * is written; what is behind | is known to come, but does not.
 */
static const struct example {
	const char *policy;
	u32 frames;
	const char *refs;
	u32 victim;
	u32 code;
	u64 nr[VMD_WHY_NUMBERS];
} examples[] = {
	{ "fifo", 3, "1 2 3 1 4", 1, VMD_WHY_FIRST_IN, { 0 } },
	{ "lru", 3, "1 2 3 1 4", 2, VMD_WHY_LEAST_RECENT, { 0 } },
	{ "mru", 3, "1 2 3 1 4", 1, VMD_WHY_MOST_RECENT, { 0 } },
	/* The bits of 1 and 2 are set; the counting begins anew for 5. */
	{ "clock", 3, "1 2 3 1 2 4", 3, VMD_WHY_HAND, { 2 } },
	{ "clock", 3, "1 2 3 1 2 4 5", 1, VMD_WHY_HAND, { 0 } },
	{ "clock-a", 3, "1 2 3 4", 1, VMD_WHY_HAND, { 3 } },
	{ "second-chance", 3, "1 2 3 4", 1, VMD_WHY_SECOND_CHANCE, { 3 } },
	{ "second-chance", 3, "1 2 3 4 5", 2, VMD_WHY_SECOND_CHANCE, { 0 } },
	{ "second-chance:bit=0", 3, "1 2 3 1 4", 2, VMD_WHY_SECOND_CHANCE, { 1 } },
	/* The hand stands behind 2; 1 has lost its bit. */
	{ "sieve", 3, "1 2 3 1 4", 2, VMD_WHY_SIEVE, { 1 } },
	{ "sieve", 3, "1 2 3 1 4 3 5", 4, VMD_WHY_SIEVE, { 1 } },
	{ "sieve-a", 3, "1 2 3 4", 1, VMD_WHY_SIEVE, { 3 } },
	{ "lfu", 3, "1 1 1 2 2 3 3 3 4", 2, VMD_WHY_COUNT, { 2 } },
	/* 2 went with key 1, the age since; 3 has it, too, 4 has 2. */
	{ "lfuda", 3, "1 1 2 3 4", 2, VMD_WHY_AGED_COUNT, { 1, 0, 1 } },
	{ "lfuda", 3, "1 1 2 3 4 5", 3, VMD_WHY_AGED_COUNT, { 1, 1, 1 } },
	/* All three were referenced: round 2 clears that, round 3 or 4 finds. */
	{ "clock-e", 3, "W1 2 3 4", 2, VMD_WHY_HAND_CLASS, { 0, 0, 3 } },
	{ "clock-e", 3, "W1 W2 W3 4", 1, VMD_WHY_HAND_CLASS, { 0, 1, 3 } },
	/* A period is three references: all bits are clear, then 1's is set. */
	{ "nru", 3, "W1 2 3 4", 2, VMD_WHY_CLASS, { 0, 0 } },
	{ "nru", 3, "W1 W2 W3 W1 4", 2, VMD_WHY_CLASS, { 0, 1 } },
	{ "nru:period=9", 3, "W1 2 3 4", 2, VMD_WHY_CLASS, { 1, 0 } },
	/* A tick after 3: 64 each; then 1 has 128 + 64. */
	{ "aging", 3, "1 2 3 1 4", 2, VMD_WHY_AGING, { 64, 8 } },
	/* Seen in use when 4 came, at time 3, by all three; 6 comes at time 5. */
	{ "wsclock:tau=1", 3, "1 2 3 4", 1, VMD_WHY_IN_WS, { 0, 1, 0 } },
	{ "wsclock:tau=1", 3, "1 2 3 4 5 6", 3, VMD_WHY_OUT_OF_WS, { 2, 1 } },
	{ "wsclock:tau=1", 3, "1 2 W3 4 5 6", 3, VMD_WHY_OUT_OF_WS_DIRTY, { 2, 1, 1 } },
	{ "opt", 3, "1 2 3 4 | 1 2 3", 3, VMD_WHY_FUTURE, { 6 } },
	{ "opt", 3, "1 2 3 4 1 2", 3, VMD_WHY_NEVER_AGAIN, { 0 } },
	{ "opt", 2, "1 2 3 1 2 3", 1, VMD_WHY_NEVER_AGAIN, { 0 } },
	{ "opt", 2, "1 2 3 1 2 2", 3, VMD_WHY_NEVER_AGAIN, { 0 } },
	/* Kin is 1. 1, 2 and 3 come back from A1out into Am. */
	{ "2q", 4, "1 2 3 4 5", 1, VMD_WHY_2Q_IN, { 4, 1 } },
	{ "2q", 4, "1 2 3 4 5 1 2 3 6", 1, VMD_WHY_2Q_AM, { 1, 1 } },
	{ "2q:kin=100", 3, "1 2 3 4", 1, VMD_WHY_2Q_IN_ONLY, { 3, 3 } },
	/* 1 is in T2; 2 comes back from B1, so p is 1. */
	{ "arc", 3, "1 2 3 1 4", 2, VMD_WHY_ARC_T1, { 2, 0 } },
	{ "arc", 3, "1 1 2 3 4 2", 3, VMD_WHY_ARC_T1, { 2, 1000 } },
	{ "arc", 3, "1 1 2 2 3 3 4", 1, VMD_WHY_ARC_T2, { 0, 0, 3 } },
	{ "car", 3, "1 2 3 1 4", 2, VMD_WHY_CAR_T1, { 2, 0, 1 } },
	{ "slru", 3, "1 2 3 1 4", 2, VMD_WHY_PROBATION, { 2 } },
	{ "slru:protected=100", 2, "1 1 2 2 3", 1, VMD_WHY_SEGMENT, { 2, 2 } },
	/* 1 was used twice more: it goes on to the main queue. */
	{ "s3fifo:fill=0", 3, "1 2 3 4", 1, VMD_WHY_S3_SMALL, { 3, 1, 0, 0 } },
	{ "s3fifo:fill=0", 3, "1 1 1 2 2 3 4", 2, VMD_WHY_S3_SMALL, { 2, 1, 1, 1 } },
	{ "lirs", 3, "1 2 3 1 4", 2, VMD_WHY_LIRS_HIR, { 1, 1 } },
	{ "lru-k", 3, "1 2 3 1 4", 2, VMD_WHY_LRUK_ONCE, { 2 } },
	{ "lru-k", 3, "1 1 2 2 3 3 4", 1, VMD_WHY_LRUK_TWICE, { 5 } },
	{ "clock-pro", 3, "1 2 3 1 4", 2, VMD_WHY_PRO_COLD, { 1, 0, 2, 1 } },
	{ "linux", 3, "1 2 3 1 4", 2, VMD_WHY_INACTIVE, { 2, 1, 1 } },
	{ "mglru", 3, "1 2 3 4", 1, VMD_WHY_GENERATION, { 3, 3 } },
	{ "w-tinylfu", 3, "1 2 3 1 4", 3, VMD_WHY_TINY_WINDOW, { 1, 1 } },
	{ "w-tinylfu", 3, "1 2 3 3 3 4", 1, VMD_WHY_TINY_MAIN, { 1, 3 } },
	{ "random", 3, "1 2 3", 0, VMD_WHY_UNTOLD, { 0 } },
};

struct last {
	u64 page;
	struct vmd_reason why;
};

static void note(void *arg, enum vmd_sim_decision what, u64 page)
{
	struct last *last = arg;

	if (what == VMD_SIM_EVICTED)
		last->page = page;
}

static size_t parse(const char *text, u32 *refs, size_t *made)
{
	size_t nr = 0;
	char *end;

	*made = PAGES;
	while (*text) {
		bool write;
		u32 page;

		if (*text == '|') {
			*made = nr;
			text += 2;
		}
		write = *text == 'W';
		page = (u32)strtoul(text + write, &end, 10);
		refs[nr++] = VMD_SIM_REF(page, write);
		text = end + (*end == ' ');
	}
	return nr;
}

static void check_example(const struct example *x)
{
	struct vmd_policy_choice choice = test_choice(x->policy);
	struct last last = { 0 };
	struct vmd_sim sim;
	u32 refs[PAGES];
	size_t made, nr = parse(x->refs, refs, &made), i;

	test_begin("explain %s, %s", x->policy, x->refs);
	if (vmd_sim_init(&sim, &choice, PAGES, x->frames) ||
	    vmd_sim_future(&sim, refs, nr))
		abort();
	sim.decided = note;
	sim.arg = &last;
	sim.why = &last.why;
	for (i = 0; i < nr && i < made; i++)
		vmd_sim_reference(&sim, refs[i] >> 1, refs[i] & 1);
	CHECK(last.page == x->victim, "%llu went", (unsigned long long)last.page);
	CHECK(last.why.code == x->code, "code %u, not %u", last.why.code, x->code);
	for (i = 0; i < VMD_WHY_NUMBERS; i++)
		CHECK(last.why.nr[i] == x->nr[i], "number %zu is %llu", i,
		      (unsigned long long)last.why.nr[i]);
	vmd_sim_exit(&sim);
	test_end();
}

static void check_phrase(const struct vmd_reason *why)
{
	char text[WHY_TEXT];

	why_text(text, why->code, why->nr);
	CHECK(why->code != VMD_WHY_UNTOLD && why->code < VMD_WHY_CODES,
	      "code %u", why->code);
	CHECK(strlen(text) > 10 && strlen(text) < WHY_TEXT - 1 &&
	      !strchr(text, '%') && !strstr(text, "does not know"),
	      "no phrase for %u: %s", why->code, text);
}

/* Pinned pages, too: who was kept may be all that is left to propose. */
static void check_policy(const struct vmd_policy_ops *ops)
{
	struct vmd_policy_choice choice = test_choice(ops->name);
	struct last last = { 0 };
	struct vmd_sim told, untold;
	struct rnd rnd;
	u32 i, page;

	test_begin("explain %s: a phrase each time, and nothing changes", ops->name);
	CHECK(ops->explain, "it says nothing");
	if (vmd_sim_init(&told, &choice, PAGES, 7) ||
	    vmd_sim_init(&untold, &choice, PAGES, 7))
		abort();
	told.decided = note;
	told.arg = &last;
	told.why = &last.why;
	rnd_seed(&rnd, tests_seed);
	for (i = 0; i < 4000 && !test_failed(); i++) {
		bool write = rnd_below(&rnd, 3) == 0;
		u64 before = told.totals.evictions;

		page = rnd_below(&rnd, 1 + rnd_below(&rnd, PAGES));
		if (rnd_below(&rnd, 16) == 0) {
			told.page_flags[page] ^= VMD_SIM_PINNED;
			untold.page_flags[page] ^= VMD_SIM_PINNED;
			continue;
		}
		vmd_sim_reference(&told, page, write);
		vmd_sim_reference(&untold, page, write);
		if (told.totals.evictions > before)
			check_phrase(&last.why);
	}
	CHECK(told.totals.evictions, "nothing had to go");
	CHECK(!memcmp(told.slot_of, untold.slot_of, PAGES * sizeof(u32)),
	      "other pages are resident");
	vmd_sim_exit(&told);
	vmd_sim_exit(&untold);
	test_end();
}

void test_explain(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(examples); i++)
		if (tests_want(examples[i].policy))
			check_example(examples + i);
	for (i = 0; i < vmd_nr_policies; i++)
		if (tests_want(vmd_policies[i]->name))
			check_policy(vmd_policies[i]);
}
