// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each policy against its naive model, decision by decision, on long reference
 * strings: once with nothing but references, once with everything that may
 * come in between (pinned pages, failing writes, truncation, other budgets,
 * other policies).
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../tools/sim.h"
#include "naive.h"
#include "refstring.h"
#include "tests.h"

#define BATCH	6	/* most victims asked for at once */

/* The two models, side by side. */
struct pair {
	struct vmd_sim sim;
	struct naive naive;
	struct rnd rnd;
	u32 frames;	/* of the beginning */
	u32 pinned;
};

/* Whatever the first one decides has to be what the second one would. */
static void pair_decided(void *arg, enum vmd_sim_decision what, u64 page)
{
	struct pair *p = arg;
	u64 want = naive_victim(&p->naive);

	if (want != page) {
		test_fail("%s: page %llu, not %llu, at %llu references",
			  p->sim.choice.ops->name, (unsigned long long)page,
			  (unsigned long long)want,
			  (unsigned long long)p->sim.totals.references);
	}
	if (what == VMD_SIM_KEPT) {
		naive_kept(&p->naive, page);
		return;
	}
	naive_removed(&p->naive, page, VMD_REMOVED_EVICTED);
	if (what == VMD_SIM_RESTORED)
		naive_inserted(&p->naive, page, VMD_REF_RESTORED);
}

static void pair_init(struct pair *p, const char *policy, u64 pages, u32 frames)
{
	struct vmd_policy_choice choice = test_choice(policy);

	*p = (struct pair){ .frames = frames };
	rnd_seed(&p->rnd, tests_seed);
	if (vmd_sim_init(&p->sim, &choice, pages, frames))
		abort();
	p->sim.decided = pair_decided;
	p->sim.arg = p;
	naive_init(&p->naive, &choice, frames);
}

static void pair_exit(struct pair *p)
{
	vmd_sim_exit(&p->sim);
	naive_exit(&p->naive);
}

static void pair_reference(struct pair *p, u64 page, bool write)
{
	int hit;

	p->naive.write = write;
	if (!naive_is_resident(&p->naive, page))
		naive_missed(&p->naive, page);
	hit = vmd_sim_reference(&p->sim, page, write);
	if (hit == 1)
		naive_touched(&p->naive, page);
	else if (hit == 0)
		naive_inserted(&p->naive, page, p->sim.insert_flags |
			       (write ? VMD_REF_WRITE : 0));
}

static void pair_unpin_all(struct pair *p)
{
	u64 page;

	for (page = 0; page < p->sim.pages; page++)
		p->sim.page_flags[page] &= VMD_SIM_DIRTY;
	p->pinned = 0;
}

/* Pin a page or make it impossible to write; now and then let all go. */
static void event_pin(struct pair *p)
{
	u64 page = rnd_below(&p->rnd, p->sim.pages);
	u8 flag = rnd_below(&p->rnd, 2) ? VMD_SIM_PINNED : VMD_SIM_STUCK;

	if (p->pinned > p->sim.frames / 2) {
		pair_unpin_all(p);
		return;
	}
	p->sim.page_flags[page] |= flag;
	p->pinned++;
}

/* Truncation, advice, pinning by the user: the policy has no say. */
static void event_remove(struct pair *p)
{
	u64 page = rnd_below(&p->rnd, p->sim.pages);
	enum vmd_removal why = (enum vmd_removal)rnd_below(&p->rnd, 3);

	if (p->sim.slot_of[page] == VMD_NO_SLOT)
		return;
	vmd_sim_remove(&p->sim, page, why);
	naive_removed(&p->naive, page, why);
}

static void event_resize(struct pair *p)
{
	u32 frames = 1 + (u32)rnd_below(&p->rnd, 2 * (u64)p->frames);

	/* More than there is room for now must fit while it shrinks. */
	if (frames > p->naive.cap)
		naive_resize(&p->naive, frames);
	if (vmd_sim_set_frames(&p->sim, frames))
		pair_unpin_all(p);
	else
		naive_set_frames(&p->naive, frames);
}

static void event_switch(struct pair *p)
{
	const struct vmd_policy_ops *ops;
	struct vmd_policy_choice choice;

	ops = vmd_policies[rnd_below(&p->rnd, vmd_nr_policies)];
	choice = test_choice(ops->name);
	if (vmd_sim_set_policy(&p->sim, &choice))
		abort();
	naive_switch(&p->naive, &choice);
}

/* Of several proposed, one could not go, and not always the first one. */
static void event_kept(struct pair *p)
{
	const struct vmd_policy_ops *ops = p->sim.choice.ops;
	u32 out[BATCH], nr;

	nr = ops->victim(p->sim.state, out, BATCH);
	if (!nr)
		return;
	naive_victim(&p->naive);
	nr = (u32)rnd_below(&p->rnd, nr);
	ops->kept(p->sim.state, out[nr]);
	naive_kept(&p->naive, p->sim.page_of[out[nr]]);
}

/* In mode "accessed" a reference that faulted is reported a second time. */
static void event_deferred(struct pair *p)
{
	p->sim.insert_flags ^= VMD_REF_DEFERRED;
}

static void (* const events[])(struct pair *p) = {
	event_pin, event_pin, event_pin, event_pin,
	event_remove, event_remove, event_remove, event_kept, event_kept,
	event_resize, event_deferred, event_switch,
};

static bool pages_of_walk(void *arg, u32 slot)
{
	u32 **at = arg;

	*(*at)++ = slot;
	return true;
}

/* The order of walk() is the naive model's. */
static void check_walk(struct pair *p)
{
	u64 *want = calloc((size_t)p->naive.nr + 1, sizeof(*want));
	u32 *got = calloc((size_t)p->sim.slots + 1, sizeof(*got)), *at = got;
	u32 i;

	if (!want || !got)
		abort();
	naive_walk(&p->naive, want);
	p->sim.choice.ops->walk(p->sim.state, pages_of_walk, &at);
	CHECK(at - got == p->naive.nr, "walk: %td pages, not %u", at - got,
	      p->naive.nr);
	for (i = 0; i < p->naive.nr && got + i < at; i++)
		CHECK(p->sim.page_of[got[i]] == want[i],
		      "walk differs at place %u", i);
	free(want);
	free(got);
}

/*
 * Asked for several, a policy says what the naive model would take one after
 * the other. CLOCK may stop early; it must not in a memory this small.
 */
static void check_batch(struct pair *p)
{
	u32 max = 1 + (u32)rnd_below(&p->rnd, BATCH), out[BATCH], nr, nr_want, i;
	u64 want[BATCH];

	nr = p->sim.choice.ops->victim(p->sim.state, out, max);
	/* It moves CLOCK's hand, and later touches count from there. */
	if (p->naive.nr)
		naive_victim(&p->naive);
	nr_want = naive_order(&p->naive, want, max);
	CHECK(nr <= nr_want && (nr || !nr_want), "%u victims, not %u", nr,
	      nr_want);
	CHECK(nr == nr_want || p->naive.nr > 4 * max, "%u victims, not %u", nr,
	      nr_want);
	for (i = 0; i < nr; i++)
		CHECK(p->sim.page_of[out[i]] == want[i],
		      "victim %u of %u differs", i, max);
}

static void pair_event(struct pair *p)
{
	events[rnd_below(&p->rnd, ARRAY_SIZE(events))](p);
	check_batch(p);
	if (!rnd_below(&p->rnd, p->sim.frames < 100 ? 4 : 100))
		check_walk(p);
}

/*
 * One string on one policy, with an event every @gap references, or never.
 * Events make every state there is soon, so fewer references will do.
 */
static void run_pair(const char *policy, const struct string *s, u32 frames,
		     u32 gap)
{
	u64 nr = gap ? tests_references / 4 : tests_references, i;
	u64 pages = frames + frames / 2 + 3;
	struct pair p;

	/* The models look at every page for each decision. */
	if (frames >= 1000)
		nr /= 4;

	test_begin("%s, %s, %u frames, %s", policy, s->name, frames,
		   gap ? "events" : "references only");
	pair_init(&p, policy, pages, frames);
	for (i = 0; i < nr && !test_failed(); i++) {
		u64 page = s->next(&p.rnd, i, pages, p.frames);

		if (gap && !rnd_below(&p.rnd, gap))
			pair_event(&p);
		pair_reference(&p, page, !rnd_below(&p.rnd, 3));
	}
	check_walk(&p);
	pair_exit(&p);
	test_end();
}

/* The larger the memory, the dearer an event. */
static u32 gap_for(u32 frames)
{
	return frames < 100 ? 16 : 200;
}

static void run_strings(const char *policy, u32 frames)
{
	u32 i;

	for (i = 0; i < nr_strings && tests_want(policy); i++) {
		run_pair(policy, strings + i, frames, 0);
		run_pair(policy, strings + i, frames, gap_for(frames));
	}
}

/* Parameters that are not the defaults. */
static const char *const variants[] = {
	"second-chance:bit=0",
	"clock-e:bit=0",
	"nru:period=1",
	"nru:period=100",
	"aging:bits=1",
	"aging:bits=3,period=1",
	"aging:bits=24,period=5",
	"aging:period=1000000",
	"wsclock:tau=1",
	"wsclock:tau=20",
	"wsclock:tau=1000000",
	"random:seed=0xfeedfacecafebeef",
	"s3fifo:fill=0",
	"s3fifo:small=50,ghost=0",
	"s3fifo:small=30,ghost=100,threshold=1,cap=1",
	"s3fifo:threshold=5,cap=2,ghost=20",
	"2q:kin=0",
	"2q:kin=100,kout=0",
	"2q:kin=50,kout=100",
	"arc:real=1",
	"slru:segments=4,fill=1",
	"slru:segments=5,protected=90",
	"lru-k:hist=0",
	"lru-k:crp=5",
	"lru-k:crp=1000,hist=50",
	"lirs:hir=30,hist=50",
	"lirs:hist=0,repeat=1",
	"lirs:hir=100",
	"clock-pro:adaptive=1",
	"clock-pro:cold=30,repeat=1",
	"clock-pro:cold=20,adaptive=1,max=60",
	"mglru:new=0",
	"mglru:gens=3",
	"mglru:gens=8,new=0",
	"linux:ratio=3,shadow=50",
	"linux:ratio=1000",
	"linux:shadow=0",
	"w-tinylfu:door=1",
	"w-tinylfu:window=30,protected=50,sample=3",
	"w-tinylfu:window=0,sample=1,door=1",
	"w-tinylfu:window=100",
	"slru:protected=0",
	"slru:protected=100,fill=1",
};

void test_naive(void)
{
	static const u32 frames[] = { 1, 2, 3, 7, 64, 1000 };
	u32 i, k;

	for (i = 0; i < vmd_nr_policies; i++) {
		for (k = 0; k < ARRAY_SIZE(frames); k++)
			run_strings(vmd_policies[i]->name, frames[k]);
	}
	for (i = 0; i < ARRAY_SIZE(variants); i++) {
		run_strings(variants[i], 7);
		run_strings(variants[i], 64);
	}
}
