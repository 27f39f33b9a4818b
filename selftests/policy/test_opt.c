// SPDX-License-Identifier: GPL-2.0-only
/*
 * The optimum, with the future told: each decision against a model that looks
 * ahead in the string itself, and fewer misses than anybody else has.
 */
#include <stdlib.h>

#include "../../tools/sim.h"
#include "naive.h"
#include "refstring.h"
#include "tests.h"

#define NR	3000

/* The two models and the string. */
struct seer {
	struct vmd_sim sim;
	struct naive naive;
	u32 refs[NR];
	u64 misses;
	u64 writes;
	bool dirty[NR];
};

static void seer_decided(void *arg, enum vmd_sim_decision what, u64 page)
{
	struct seer *s = arg;
	u64 want = naive_victim(&s->naive);

	CHECK(what == VMD_SIM_EVICTED && want == page, "page %llu, not %llu",
	      (unsigned long long)page, (unsigned long long)want);
	naive_removed(&s->naive, page, VMD_REMOVED_EVICTED);
	s->writes += s->dirty[page];
	s->dirty[page] = false;
}

/* 1 more than the next reference of the same page; 0: there is none. */
static u64 seer_next(const struct seer *s, u32 i)
{
	u32 page = s->refs[i] >> 1;

	while (++i < NR) {
		if (s->refs[i] >> 1 == page)
			return (u64)i + 1;
	}
	return 0;
}

static void seer_reference(struct seer *s, u32 i)
{
	u32 page = s->refs[i] >> 1;
	bool write = s->refs[i] & 1;
	int hit = vmd_sim_reference(&s->sim, page, write);

	s->naive.told = seer_next(s, i);
	s->naive.write = write;
	CHECK(hit == naive_is_resident(&s->naive, page), "hit %d at %u", hit, i);
	if (hit) {
		naive_touched(&s->naive, page);
	} else {
		s->misses++;
		naive_inserted(&s->naive, page, 0);
	}
	s->dirty[page] |= write;
}

static u64 misses_of(const char *policy, const u32 *refs, u64 pages, u32 frames)
{
	struct vmd_policy_choice choice = test_choice(policy);
	struct vmd_sim sim;
	u64 misses;

	if (vmd_sim_init(&sim, &choice, pages, frames) ||
	    vmd_sim_run(&sim, refs, NR))
		abort();
	misses = sim.totals.misses;
	vmd_sim_exit(&sim);
	return misses;
}

/* The state moves in the middle of the string, and gets a few slots more. */
static void seer_run(struct seer *s, u32 frames)
{
	u32 i;

	for (i = 0; i < NR && !test_failed(); i++) {
		if (i == NR / 2 && (vmd_sim_set_frames(&s->sim, frames + 9) ||
				    vmd_sim_set_frames(&s->sim, frames)))
			test_fail("resize failed");
		seer_reference(s, i);
	}
}

static void test_string(const struct string *string, u32 frames)
{
	struct vmd_policy_choice choice = test_choice("opt");
	u64 pages = frames + frames / 2 + 3;
	static struct seer s;
	struct rnd rnd;
	u32 i;

	test_begin("opt, %s, %u frames, the future told", string->name, frames);
	s = (struct seer){ 0 };
	rnd_seed(&rnd, tests_seed);
	for (i = 0; i < NR; i++)
		s.refs[i] = VMD_SIM_REF(string->next(&rnd, i, pages, frames),
					!rnd_below(&rnd, 3));
	if (vmd_sim_init(&s.sim, &choice, pages, frames) ||
	    vmd_sim_future(&s.sim, s.refs, NR))
		abort();
	s.sim.decided = seer_decided;
	s.sim.arg = &s;
	naive_init(&s.naive, &choice, frames);
	seer_run(&s, frames);
	CHECK(s.sim.totals.misses == s.misses, "misses");
	CHECK(s.sim.totals.pages_written == s.writes, "writes");
	for (i = 0; i < vmd_nr_policies; i++)
		CHECK(misses_of(vmd_policies[i]->name, s.refs, pages, frames) >=
		      s.misses, "%s has fewer misses", vmd_policies[i]->name);
	vmd_sim_exit(&s.sim);
	naive_exit(&s.naive);
	test_end();
}

/* The victims in order, each by its page. */
static void check_order(struct vmd_sim *sim, const u64 *want, u32 nr)
{
	u32 out[8], i;

	CHECK(sim->choice.ops->victim(sim->state, out, nr) == nr, "too few");
	for (i = 0; i < nr; i++)
		CHECK(sim->page_of[out[i]] == want[i], "%u: page %llu", i,
		      (unsigned long long)sim->page_of[out[i]]);
}

/* A page that is parked while the state grows comes back with its next use. */
static void test_parked(void)
{
	static const u32 pages[] = { 0, 1, 2, 3, 4, 2, 1, 0, 3 };
	static const u64 order[] = { 4, 3, 0, 1, 2 };
	struct vmd_policy_choice choice = test_choice("opt");
	u32 refs[ARRAY_SIZE(pages)], i;
	struct vmd_sim sim;

	test_begin("opt: what is parked keeps its next use");
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		refs[i] = VMD_SIM_REF(pages[i], false);
	if (vmd_sim_init(&sim, &choice, 10, 4) ||
	    vmd_sim_future(&sim, refs, ARRAY_SIZE(refs)) ||
	    vmd_sim_run(&sim, refs, 4))
		abort();
	check_order(&sim, order + 1, 4);
	choice.ops->kept(sim.state, sim.slot_of[3]);
	check_order(&sim, order + 2, 3);
	if (vmd_sim_set_frames(&sim, 40) || vmd_sim_run(&sim, refs + 4, 1))
		abort();
	check_order(&sim, order, 5);
	vmd_sim_exit(&sim);
	test_end();
}

/* What is told is told of one event. */
static void test_told_once(void)
{
	static const u64 order[] = { 1, 0 };
	struct vmd_policy_choice choice = test_choice("opt");
	struct vmd_sim sim;

	test_begin("opt: a page of which nothing is told is used no more");
	if (vmd_sim_init(&sim, &choice, 10, 4))
		abort();
	choice.ops->future(sim.state, 5);
	vmd_sim_reference(&sim, 0, false);
	vmd_sim_reference(&sim, 1, false);
	check_order(&sim, order, 2);
	vmd_sim_exit(&sim);
	test_end();
}

static void check_overdue(struct vmd_sim *sim, u64 now, u64 page)
{
	u32 slot = sim->choice.ops->overdue(sim->state, now);
	u64 found = slot == VMD_NO_SLOT ? VMD_NEVER : sim->page_of[slot];

	CHECK(found == page, "at %llu: page %llu", (unsigned long long)now,
	      (unsigned long long)found);
}

/* What was to be used and was not is found, the soonest first, and moved. */
static void test_overdue(void)
{
	static const u64 next[] = { 5, 3, 9, VMD_NEVER };
	static const u64 order[] = { 3, 2, 0, 1 }, later[] = { 3, 0, 1, 2 };
	struct vmd_policy_choice choice = test_choice("opt");
	struct vmd_sim sim;
	u32 i;

	test_begin("opt: what is overdue");
	if (vmd_sim_init(&sim, &choice, 10, 4))
		abort();
	check_overdue(&sim, 100, VMD_NEVER);
	for (i = 0; i < ARRAY_SIZE(next); i++) {
		choice.ops->future(sim.state, next[i]);
		vmd_sim_reference(&sim, i, false);
	}
	check_order(&sim, order, 4);
	check_overdue(&sim, 3, VMD_NEVER);
	check_overdue(&sim, 4, 1);
	choice.ops->due(sim.state, sim.slot_of[1], 20);
	check_overdue(&sim, 5, VMD_NEVER);
	check_overdue(&sim, 6, 0);
	choice.ops->due(sim.state, sim.slot_of[0], VMD_NEVER);
	check_overdue(&sim, 9, VMD_NEVER);
	check_order(&sim, later, 4);
	/* One that is parked is not looked for. */
	choice.ops->kept(sim.state, sim.slot_of[2]);
	check_overdue(&sim, 20, VMD_NEVER);
	check_overdue(&sim, 21, 1);
	vmd_sim_exit(&sim);
	test_end();
}

void test_opt(void)
{
	static const u32 frames[] = { 1, 2, 5, 20, 100 };
	u32 i, k;

	for (i = 0; i < nr_strings && tests_want("opt"); i++) {
		for (k = 0; k < ARRAY_SIZE(frames); k++)
			test_string(strings + i, frames[k]);
	}
	test_parked();
	test_told_once();
	test_overdue();
}
