// SPDX-License-Identifier: GPL-2.0-only
/*
 * Placement, against a model as plain as its definition: page p belongs to set
 * p mod S, each set is a memory of its own with a naive policy, and the kinds
 * of misses are told by looking through all that was referenced before.
 */
#include <stdlib.h>

#include "../../tools/sim.h"
#include "naive.h"
#include "refstring.h"
#include "tests.h"

#define PAGES	100
#define NR	3000

/* Policies that are played in full; of the others one size is. */
static const char *const always[] = { "lru", "fifo", "clock" };

static const struct geometry {
	u32 frames;
	u32 ways;
} geometries[] = {
	{ 8, 2 }, { 1, 1 }, { 4, 1 }, { 8, 1 }, { 16, 1 }, { 64, 1 }, { 2, 2 },
	{ 6, 2 }, { 16, 2 }, { 64, 2 }, { 4, 4 }, { 12, 4 }, { 16, 4 },
	{ 64, 4 }, { 24, 8 },
};

/**
 * struct plain - the model
 * @set: the sets
 * @sets: how many
 * @ways: frames of each
 * @frames: of all together
 * @ref: the pages referenced so far
 * @nr: how many
 * @counted: misses, compulsory, capacity, conflict
 */
struct plain {
	struct naive *set;
	u32 sets;
	u32 ways;
	u32 frames;
	u64 ref[NR];
	u32 nr;
	u64 counted[4];
};

static void plain_init(struct plain *p, const struct vmd_policy_choice *choice,
		       const struct geometry *g)
{
	u32 i;

	*p = (struct plain){ .frames = g->frames, .ways = g->ways };
	p->sets = g->frames / g->ways;
	p->set = calloc(p->sets, sizeof(*p->set));
	if (!p->set)
		abort();
	for (i = 0; i < p->sets; i++)
		naive_init(&p->set[i], choice, g->ways);
}

static void plain_exit(struct plain *p)
{
	u32 i;

	for (i = 0; i < p->sets; i++)
		naive_exit(&p->set[i]);
	free(p->set);
}

/*
 * Different pages referenced since the last reference to @page: with as many
 * frames or fewer, LRU misses. PAGES if there was none.
 */
static u32 plain_distance(const struct plain *p, u64 page)
{
	bool seen[PAGES] = { false };
	u32 i, n = 0;

	for (i = p->nr; i--;) {
		if (p->ref[i] == page)
			return n;
		n += !seen[p->ref[i]];
		seen[p->ref[i]] = true;
	}
	return PAGES;
}

static bool plain_reference(struct plain *p, u64 page, bool write)
{
	struct naive *n = &p->set[page % p->sets];
	u32 distance = plain_distance(p, page);
	bool hit = naive_is_resident(n, page);

	p->ref[p->nr++] = page;
	n->write = write;
	if (hit) {
		naive_touched(n, page);
		return true;
	}
	p->counted[0]++;
	p->counted[distance == PAGES ? 1 : distance >= p->frames ? 2 : 3]++;
	naive_missed(n, page);
	if (n->nr == p->ways)
		naive_removed(n, naive_victim(n), VMD_REMOVED_EVICTED);
	naive_inserted(n, page, write ? VMD_REF_WRITE : 0);
	return false;
}

static void check_counts(const struct vmd_sim *sim, const struct plain *p)
{
	const struct vmd_sim_totals *t = &sim->totals;
	const u64 counted[] = {
		t->misses, t->misses_compulsory, t->misses_capacity,
		t->misses_conflict,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(counted); i++)
		CHECK(counted[i] == p->counted[i], "count %u: %llu, not %llu",
		      i, (unsigned long long)counted[i],
		      (unsigned long long)p->counted[i]);
}

static void check_resident(const struct vmd_sim *sim, const struct plain *p)
{
	u64 page;

	for (page = 0; page < PAGES; page++)
		CHECK((sim->slot_of[page] != VMD_NO_SLOT) ==
		      naive_is_resident(&p->set[page % p->sets], page),
		      "page %llu", (unsigned long long)page);
}

static void play(struct vmd_sim *sim, struct plain *p, const struct string *s,
		 struct rnd *rnd)
{
	u64 page;
	bool write;
	u32 i;

	for (i = 0; i < NR && !test_failed(); i++) {
		page = s->next(rnd, i, PAGES, p->frames) % PAGES;
		write = rnd_below(rnd, 4) == 0;
		CHECK(vmd_sim_reference(sim, page, write) ==
		      plain_reference(p, page, write), "reference %u", i);
		CHECK(sim->totals.misses == p->counted[0], "reference %u", i);
	}
}

static void test_geometry(const char *policy, const struct geometry *g)
{
	struct vmd_policy_choice choice = test_choice(policy);
	static struct plain p;
	struct vmd_sim sim;
	struct rnd rnd;
	u32 i;

	for (i = 0; i < nr_strings; i++) {
		test_begin("place %s, %u frames in sets of %u, %s", policy,
			   g->frames, g->ways, strings[i].name);
		plain_init(&p, &choice, g);
		if (vmd_sim_init_placed(&sim, &choice, PAGES, g->frames,
					g->ways))
			abort();
		rnd_seed(&rnd, tests_seed + i);
		play(&sim, &p, &strings[i], &rnd);
		check_counts(&sim, &p);
		check_resident(&sim, &p);
		vmd_sim_exit(&sim);
		plain_exit(&p);
		test_end();
	}
}

/* One set is no placement at all: the same decisions, and LRU has no conflicts. */
static void test_one_set(const char *policy)
{
	struct vmd_policy_choice choice = test_choice(policy);
	struct vmd_sim full, one;
	struct rnd rnd;
	u64 page;
	u32 i;

	test_begin("place %s: one set of all frames is full", policy);
	if (vmd_sim_init(&full, &choice, PAGES, 16) ||
	    vmd_sim_init_placed(&one, &choice, PAGES, 16, 16))
		abort();
	rnd_seed(&rnd, tests_seed);
	for (i = 0; i < NR; i++) {
		page = rnd_below(&rnd, 1 + rnd_below(&rnd, PAGES));
		CHECK(vmd_sim_reference(&full, page, false) ==
		      vmd_sim_reference(&one, page, false), "reference %u", i);
	}
	if (!strcmp(policy, "lru"))
		CHECK(!one.totals.misses_conflict, "conflicts in one set");
	CHECK(full.totals.misses == full.totals.misses_compulsory +
	      full.totals.misses_capacity, "a full space has conflicts");
	vmd_sim_exit(&full);
	vmd_sim_exit(&one);
	test_end();
}

/* Pages 0 and 4 of 4 frames collide; with two ways they do not. */
static void test_ping_pong(void)
{
	struct vmd_policy_choice choice = test_choice("lru");
	struct vmd_sim sim;
	u32 ways, i;

	test_begin("place: two pages that collide");
	for (ways = 1; ways <= 2; ways++) {
		if (vmd_sim_init_placed(&sim, &choice, 8, 4, ways))
			abort();
		for (i = 0; i < 10; i++)
			vmd_sim_reference(&sim, i % 2 * 4, false);
		CHECK(sim.totals.misses == (ways == 1 ? 10 : 2), "misses");
		CHECK(sim.totals.misses_compulsory == 2, "compulsory");
		CHECK(sim.totals.misses_conflict == (ways == 1 ? 8 : 0),
		      "conflicts");
		vmd_sim_exit(&sim);
	}
	CHECK(vmd_sim_init_placed(&sim, &choice, 8, 6, 4) == -EINVAL,
	      "6 frames in sets of 4");
	vmd_sim_exit(&sim);
	CHECK(vmd_sim_init_placed(&sim, &choice, 8, 4, 8) == -EINVAL,
	      "4 frames in sets of 8");
	vmd_sim_exit(&sim);
	test_end();
}

static void test_names(void)
{
	static const char *const good[] = {
		"full", "direct", "set:2", "set:10", "set:1073741824",
	};
	static const char *const bad[] = {
		"", "Full", "set", "set:", "set:0", "set:-1", "set:04", "set:4 ",
		"set:4x", "set:1073741825", "set:99999999999999999999",
		"directly", "full:2",
	};
	char text[VMD_PLACE_LEN];
	u32 i, ways;

	test_begin("place: names");
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		CHECK(!vmd_place_parse(good[i], &ways), "%s", good[i]);
		vmd_place_format(ways, text);
		CHECK(!strcmp(text, good[i]), "%s is %s", good[i], text);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(vmd_place_parse(bad[i], &ways) == -EINVAL, "%s", bad[i]);
	CHECK(!vmd_place_parse("set:1", &ways) && ways == VMD_PLACE_DIRECT,
	      "one way is direct");
	test_end();
}

/* More pages than frames are put in, as when frames are lent, and go again. */
static void test_waiting(void)
{
	struct vmd_policy_choice choice = test_choice("lru");
	struct vmd_place *p = calloc(1, vmd_place_size(choice.ops, 1, 8, 2));
	u32 slot, out[8];

	test_begin("place: pages wait for room in their set");
	vmd_place_init(p, &choice, 1, 8, 2);
	for (slot = 0; slot < 5; slot++) {
		vmd_place_use(p, slot);
		vmd_place_inserted(p, slot, slot, 0);
	}
	CHECK(vmd_place_over(p) == 3, "%u too many", vmd_place_over(p));
	CHECK(vmd_place_victim(p, VMD_PLACE_OVER, out, 8) == 2, "victims");
	CHECK(vmd_place_victim(p, 1, out, 8) == 1 && out[0] == 1, "of set 1");
	/* Set 1: 1, then 3. Set 0: 0, then 2 (which leaves from its wait), 4. */
	vmd_place_removed(p, 1, VMD_REMOVED_EVICTED);
	vmd_place_unuse(p, 1);
	CHECK(vmd_place_victim(p, 1, out, 8) == 1 && out[0] == 3, "who waited");
	vmd_place_removed(p, 2, VMD_REMOVED_DROPPED);
	vmd_place_unuse(p, 2);
	CHECK(vmd_place_over(p) == 1, "%u too many", vmd_place_over(p));
	CHECK(vmd_place_victim(p, VMD_PLACE_OVER, out, 8) == 1 && out[0] == 0,
	      "the set with too many");
	vmd_place_removed(p, 0, VMD_REMOVED_EVICTED);
	vmd_place_unuse(p, 0);
	CHECK(!vmd_place_over(p), "too many");
	CHECK(!vmd_place_victim(p, VMD_PLACE_OVER, out, 8), "nobody need go");
	CHECK(vmd_place_victim(p, VMD_PLACE_ANY, out, 8) == 2, "anybody");
	CHECK(out[0] + out[1] == 7, "slots 3 and 4");
	free(p);
	test_end();
}

void test_place(void)
{
	u32 i, k;

	for (i = 0; i < ARRAY_SIZE(always); i++) {
		for (k = 0; k < ARRAY_SIZE(geometries) && tests_want(always[i]);
		     k++)
			test_geometry(always[i], &geometries[k]);
	}
	for (i = 0; i < vmd_nr_policies; i++) {
		if (!tests_want(vmd_policies[i]->name) ||
		    vmd_policies[i]->flags & VMD_POLICY_FUTURE)
			continue;
		/* All of them can do with two frames, and with one. */
		test_geometry(vmd_policies[i]->name, &geometries[0]);
		test_geometry(vmd_policies[i]->name, &geometries[2]);
		test_one_set(vmd_policies[i]->name);
	}
	test_ping_pong();
	test_names();
	test_waiting();
}
