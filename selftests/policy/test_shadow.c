// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's shadows against the simulator: at rate 1, of a sample, and while
 * their frames change. It is module/shadow.c itself that is tested.
 */
#include <stdio.h>

#include "../../module/shadow.c"

#include "../../tools/sim.h"
#include "../../uapi/vmdemo.h"
#include "tests.h"

#define PAGES	256
#define FRAMES	40
#define REFS	4000

static u64 next_random(u64 *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

/* Hot pages, a loop, any page. */
static u64 next_page(u64 *state, u64 i)
{
	switch (i / 100 % 3) {
	case 0:
		return next_random(state) % (FRAMES - 8);
	case 1:
		return i % (FRAMES + 9);
	default:
		return next_random(state) % PAGES;
	}
}

static bool is_same(const struct vmd_shadow *s, const struct vmd_sim *sim)
{
	struct vmd_shadow_counts counts;

	vmd_shadow_counts(s, &counts);
	return counts.references == sim->totals.references &&
	       counts.misses == sim->totals.misses &&
	       counts.evictions == sim->totals.evictions &&
	       counts.evictions_dirty == sim->totals.evictions_dirty;
}

/* The simulator gets what is in the sample only. */
static void play(struct vmd_shadow *s, struct vmd_sim *sim, u32 shift, u64 seed)
{
	enum vmd_shadow_ref ref;
	u64 i, page, state = seed;
	bool write;
	int hit;

	for (i = 0; i < REFS; i++) {
		page = next_page(&state, i);
		write = next_random(&state) & 1;
		ref = vmd_shadow_reference(s, page, write);
		CHECK((ref == VMD_SHADOW_PASSED) ==
		      !vmd_shadow_sampled(page, shift), "page %llu", page);
		if (ref == VMD_SHADOW_PASSED)
			continue;
		hit = vmd_sim_reference(sim, page, write);
		CHECK(hit == (ref == VMD_SHADOW_HIT), "reference %llu", i);
		CHECK(vmd_shadow_has(s, page), "page %llu has gone", page);
		if (test_failed())
			return;
	}
}

static struct vmd_shadow *resized(struct vmd_shadow *s, u32 frames)
{
	struct vmd_shadow *more = vmd_shadow_make_like(s, frames);

	vmd_shadow_inherit(more, s);
	vmd_shadow_free(s);
	return more;
}

static void test_rate(const struct vmd_policy_choice *choice, u32 shift)
{
	u32 frames = vmd_shadow_frames_for(FRAMES, shift);
	struct vmd_shadow *s = vmd_shadow_make(choice, FRAMES, shift);
	struct vmd_sim sim;

	test_begin("shadow of %s at 1/%u", choice->ops->name, 1U << shift);
	CHECK(!vmd_sim_init(&sim, choice, PAGES, frames), "no simulator");
	CHECK(vmd_shadow_frames(s) == frames, "%u frames", vmd_shadow_frames(s));
	play(s, &sim, shift, 7);
	CHECK(is_same(s, &sim), "not as simulated");
	vmd_sim_exit(&sim);
	vmd_shadow_free(s);
	test_end();
}

/* More and fewer, again and again; to and fro of 1 as well. */
static void test_frames(const struct vmd_policy_choice *choice)
{
	static const u32 frames[] = { 64, 9, 1, 33, 40, 200, 17 };
	struct vmd_shadow *s = vmd_shadow_make(choice, FRAMES, 0);
	struct vmd_sim sim;
	u32 i;

	test_begin("frames of a shadow of %s change", choice->ops->name);
	CHECK(!vmd_sim_init(&sim, choice, PAGES, FRAMES), "no simulator");
	for (i = 0; i < ARRAY_SIZE(frames) && !test_failed(); i++) {
		play(s, &sim, 0, i);
		CHECK(!vmd_sim_set_frames(&sim, frames[i]), "no memory");
		s = resized(s, frames[i]);
		CHECK(vmd_shadow_frames(s) == frames[i], "not %u", frames[i]);
		CHECK(is_same(s, &sim), "not as simulated");
	}
	vmd_sim_exit(&sim);
	vmd_shadow_free(s);
	test_end();
}

static void test_drop(const struct vmd_policy_choice *choice)
{
	struct vmd_shadow *s = vmd_shadow_make(choice, FRAMES, 0);
	struct vmd_shadow_counts counts;
	u64 page;

	test_begin("pages leave a shadow of %s", choice->ops->name);
	for (page = 0; page < FRAMES; page++)
		vmd_shadow_seed(s, page);
	vmd_shadow_counts(s, &counts);
	CHECK(!counts.references && !counts.misses, "a seed was counted");
	for (page = 0; page < FRAMES; page++)
		CHECK(vmd_shadow_has(s, page), "no page %llu", page);
	for (page = 0; page < PAGES; page++)
		vmd_shadow_drop(s, page);
	for (page = 0; page < PAGES; page++)
		CHECK(!vmd_shadow_has(s, page), "page %llu", page);
	for (page = 0; page < FRAMES; page++)
		vmd_shadow_reference(s, page, true);
	vmd_shadow_counts(s, &counts);
	CHECK(counts.misses == FRAMES && !counts.evictions,
	      "%llu misses, %llu evictions", counts.misses, counts.evictions);
	vmd_shadow_reset(s);
	vmd_shadow_counts(s, &counts);
	CHECK(!counts.references && !counts.misses, "not reset");
	CHECK(vmd_shadow_bytes(s) > FRAMES * VMD_SHADOW_SLOT_BYTES, "bytes");
	vmd_shadow_free(s);
	test_end();
}

/* The whole group. */
void test_shadow(void)
{
	struct vmd_policy_choice choice;
	u32 i;

	for (i = 0; i < vmd_nr_policies; i++) {
		if (!tests_want(vmd_policies[i]->name) ||
		    vmd_policies[i]->flags & VMD_POLICY_FUTURE)
			continue;
		choice = test_choice(vmd_policies[i]->name);
		test_rate(&choice, 0);
		test_rate(&choice, 2);
		test_rate(&choice, VMD_SHADOW_SHIFT_MAX);
		test_frames(&choice);
		test_drop(&choice);
	}
}
