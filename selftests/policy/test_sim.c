// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tools/sim.h promises besides the policies' decisions: a run of many
 * references is the same as each of them, and policies hear the pages' keys.
 */
#include <stdlib.h>

#include "../../tools/sim.h"
#include "refstring.h"
#include "tests.h"

#define PAGES	200
#define FRAMES	40
#define NR	5000

static void make_refs(u32 *refs, struct rnd *rnd)
{
	u32 i;

	for (i = 0; i < NR; i++)
		refs[i] = VMD_SIM_REF(rnd_below(rnd, 1 + rnd_below(rnd, PAGES)),
				      rnd_below(rnd, 2));
}

static void test_run_is_references(const struct vmd_policy_ops *ops)
{
	struct vmd_policy_choice choice = test_choice(ops->name);
	static u32 refs[NR];
	struct vmd_sim one, many;
	struct rnd rnd;
	u32 i;

	test_begin("sim %s: a run is its references", ops->name);
	if (vmd_sim_init(&one, &choice, PAGES, FRAMES) ||
	    vmd_sim_init(&many, &choice, PAGES, FRAMES))
		abort();
	rnd_seed(&rnd, tests_seed);
	make_refs(refs, &rnd);
	for (i = 0; i < NR; i++)
		vmd_sim_reference(&one, refs[i] >> 1, refs[i] & 1);
	CHECK(!vmd_sim_run(&many, refs, 7), "a short run fails");
	CHECK(!vmd_sim_run(&many, refs + 7, NR - 7), "a long run fails");
	CHECK(!memcmp(&one.totals, &many.totals, sizeof(one.totals)),
	      "%llu misses, %llu in a run",
	      (unsigned long long)one.totals.misses,
	      (unsigned long long)many.totals.misses);
	CHECK(!memcmp(one.slot_of, many.slot_of, PAGES * sizeof(u32)),
	      "other pages are resident");
	refs[0] = VMD_SIM_REF(PAGES, false);
	CHECK(vmd_sim_run(&many, refs, 1) == -EINVAL, "no such page");
	vmd_sim_exit(&one);
	vmd_sim_exit(&many);
	test_end();
}

/* A policy that evicts slot 0 and remembers the key that came last. */
static size_t spy_size(u32 slots, u32 frames)
{
	return sizeof(u64);
}

static void spy_init(void *state, u32 slots, u32 frames, const u64 *params)
{
}

static void spy_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	*(u64 *)state = key;
}

static u32 spy_victim(void *state, u32 *out, u32 max)
{
	*out = 0;
	return 1;
}

static void spy_removed(void *state, u32 slot, enum vmd_removal why)
{
}

static void spy_kept(void *state, u32 slot)
{
}

static void spy_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	visit(arg, 0);
}

static const struct vmd_policy_ops spy = {
	.name = "spy",
	.state_size = spy_size,
	.init = spy_init,
	.inserted = spy_inserted,
	.victim = spy_victim,
	.removed = spy_removed,
	.kept = spy_kept,
	.walk = spy_walk,
};

static void check_key(struct vmd_sim *sim, u64 key)
{
	CHECK(*(u64 *)sim->state == key, "key %llu where %llu should be",
	      (unsigned long long)*(u64 *)sim->state, (unsigned long long)key);
}

static void test_keys(void)
{
	static const u64 keys[] = { ~(u64)0, 7, 1ULL << 40 };
	struct vmd_policy_choice choice = { .ops = &spy };
	struct vmd_sim sim;

	test_begin("sim: policies hear the pages' keys");
	if (vmd_sim_init(&sim, &choice, ARRAY_SIZE(keys), 1))
		abort();
	vmd_sim_reference(&sim, 1, false);
	check_key(&sim, 1);
	sim.keys = keys;
	vmd_sim_reference(&sim, 0, true);
	check_key(&sim, keys[0]);
	vmd_sim_reference(&sim, 2, false);
	check_key(&sim, keys[2]);
	if (vmd_sim_set_policy(&sim, &choice))
		abort();
	check_key(&sim, keys[2]);
	sim.page_flags[2] |= VMD_SIM_DIRTY | VMD_SIM_STUCK;
	*(u64 *)sim.state = 0;
	CHECK(vmd_sim_reference(&sim, 1, false) == -EBUSY, "it has gone");
	check_key(&sim, keys[2]);
	vmd_sim_exit(&sim);
	test_end();
}

void test_sim(void)
{
	u32 i;

	for (i = 0; i < vmd_nr_policies; i++) {
		if (tests_want(vmd_policies[i]->name))
			test_run_is_references(vmd_policies[i]);
	}
	test_keys();
}
