// SPDX-License-Identifier: GPL-2.0-only
/*
 * What policy.h promises of every policy, whatever it decides.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../tools/sim.h"
#include "refstring.h"
#include "tests.h"

#define PAGES	60
#define FRAMES	20
#define ROUNDS	300
#define MANY	300	/* pages of a space most of which is remembered only */

/* A copy of a policy's state, to be compared with it later. */
struct snapshot {
	void *copy;
	size_t size;
};

static struct snapshot snapshot_take(const struct vmd_sim *sim)
{
	struct snapshot s;

	s.size = sim->choice.ops->state_size(sim->slots, sim->frames);
	s.copy = malloc(s.size);
	if (!s.copy)
		abort();
	memcpy(s.copy, sim->state, s.size);
	return s;
}

/* Whether the state is still what it was. */
static bool snapshot_same(struct snapshot *s, const struct vmd_sim *sim)
{
	bool same = !memcmp(s->copy, sim->state, s->size);

	free(s->copy);
	return same;
}

static void sim_start(struct vmd_sim *sim, const char *policy, u32 frames)
{
	struct vmd_policy_choice choice = test_choice(policy);

	if (vmd_sim_init(sim, &choice, PAGES, frames))
		abort();
}

/* @nr references, some pages dropped between them. */
static void sim_run(struct vmd_sim *sim, struct rnd *rnd, u32 nr)
{
	u64 page;

	while (nr--) {
		page = rnd_below(rnd, 1 + rnd_below(rnd, PAGES));
		vmd_sim_reference(sim, page, rnd_below(rnd, 2));
		page = rnd_below(rnd, PAGES);
		if (!rnd_below(rnd, 8) && sim->slot_of[page] != VMD_NO_SLOT)
			vmd_sim_remove(sim, page, VMD_REMOVED_DROPPED);
	}
}

static u32 sim_victims(struct vmd_sim *sim, u32 *out, u32 max)
{
	return sim->choice.ops->victim(sim->state, out, max);
}

/* Whether all of them are resident and different. */
static bool victims_proper(const struct vmd_sim *sim, const u32 *out, u32 nr)
{
	u32 i, k;

	for (i = 0; i < nr; i++) {
		if (out[i] >= sim->slots ||
		    sim->slot_of[sim->page_of[out[i]]] != out[i])
			return false;
		for (k = 0; k < i; k++) {
			if (out[k] == out[i])
				return false;
		}
	}
	return true;
}

static void check_peek(struct vmd_sim *sim, u32 max)
{
	u32 one[1], a[FRAMES + 5], b[FRAMES + 5], nr, first;
	struct snapshot s;

	nr = sim_victims(sim, a, max);
	s = snapshot_take(sim);
	CHECK(nr <= max && nr <= sim->resident, "%u victims of %u", nr, max);
	CHECK(!nr == !sim->resident, "%u victims, %u resident", nr,
	      sim->resident);
	CHECK(victims_proper(sim, a, nr), "not resident, or twice");
	CHECK(sim_victims(sim, b, max) == nr && !memcmp(a, b, nr * sizeof(*a)),
	      "asked twice, two answers");
	first = sim_victims(sim, one, 1);
	CHECK(first == (nr != 0) && (!nr || one[0] == a[0]),
	      "the first of %u is not the one", max);
	CHECK(snapshot_same(&s, sim), "asking again changed the state");
}

static void contract_peek(const char *policy)
{
	struct vmd_sim sim;
	struct rnd rnd;
	u32 i;

	test_begin("%s: victim() only proposes", policy);
	rnd_seed(&rnd, tests_seed);
	sim_start(&sim, policy, FRAMES);
	for (i = 0; i < ROUNDS; i++) {
		check_peek(&sim, 1 + (u32)rnd_below(&rnd, FRAMES + 5));
		sim_run(&sim, &rnd, (u32)rnd_below(&rnd, 10));
	}
	vmd_sim_exit(&sim);
	test_end();
}

/*
 * Two spaces, the same references; the policy of one is asked for many victims
 * all the time: the decisions stay the same.
 */
static void contract_ask(const char *policy)
{
	struct vmd_sim asked, left;
	struct rnd rnd, copy;
	u32 out[FRAMES], i;

	test_begin("%s: asking for many decides nothing", policy);
	rnd_seed(&rnd, tests_seed);
	sim_start(&asked, policy, FRAMES);
	sim_start(&left, policy, FRAMES);
	for (i = 0; i < ROUNDS; i++) {
		copy = rnd;
		sim_run(&left, &copy, 20);
		sim_run(&asked, &rnd, 20);
		if (asked.resident == asked.frames &&
		    left.resident == left.frames) {
			sim_victims(&left, out, 1);
			sim_victims(&asked, out, FRAMES);
		}
		CHECK(!memcmp(asked.slot_of, left.slot_of,
			      PAGES * sizeof(u32)), "not the same pages");
	}
	vmd_sim_exit(&asked);
	vmd_sim_exit(&left);
	test_end();
}

/* Any resident proposals in a row are different ones. */
static void check_cycle(struct vmd_sim *sim, struct rnd *rnd)
{
	u32 last[FRAMES] = { 0 }, out[FRAMES], nr, i;

	/* Some are kept before, not always the first one proposed. */
	for (i = (u32)rnd_below(rnd, 2 * FRAMES); i; i--) {
		nr = sim_victims(sim, out, 1 + (u32)rnd_below(rnd, FRAMES));
		sim->choice.ops->kept(sim->state, out[rnd_below(rnd, nr)]);
	}
	for (i = 1; i <= 4 * sim->resident; i++) {
		if (sim_victims(sim, out, 1) != 1) {
			test_fail("nothing proposed");
			return;
		}
		CHECK(!last[out[0]] || i - last[out[0]] >= sim->resident,
		      "proposed again after %u of %u", i - last[out[0]],
		      sim->resident);
		last[out[0]] = i;
		sim->choice.ops->kept(sim->state, out[0]);
	}
}

/* Evict until there are @few, several at a time. */
static void few_evict(struct vmd_sim *sim, struct rnd *rnd, u32 few)
{
	u32 out[FRAMES], nr, i;

	do {
		nr = sim_victims(sim, out, 1 + (u32)rnd_below(rnd, FRAMES));
		for (i = 0; i < nr && sim->resident > few; i++)
			vmd_sim_remove(sim, sim->page_of[out[i]],
				       VMD_REMOVED_EVICTED);
	} while (nr && sim->resident > few);
}

/* Drop all but the @few that would go next. */
static void few_drop(struct vmd_sim *sim, u32 few)
{
	u32 out[FRAMES], nr = sim_victims(sim, out, few), i;
	u64 page;

	for (page = 0; page < 2 * MANY; page++) {
		for (i = 0; i < nr; i++)
			if (sim->page_of[out[i]] == page)
				break;
		if (i == nr && sim->slot_of[page] != VMD_NO_SLOT)
			vmd_sim_remove(sim, page, VMD_REMOVED_DROPPED);
	}
}

/*
 * A few pages are left, none of which can go, and many are remembered that went
 * before: what a space is like whose budget becomes small, or most of whose
 * pages are punched.
 */
static void contract_few(const char *policy)
{
	struct vmd_policy_choice choice = test_choice(policy);
	u32 out, few, i;
	struct vmd_sim sim;
	struct rnd rnd;

	test_begin("%s: the last ones are proposed, whoever is remembered",
		   policy);
	rnd_seed(&rnd, tests_seed);
	for (few = 1; few <= 16; few++) {
		if (vmd_sim_init(&sim, &choice, 2 * MANY, MANY))
			abort();
		for (i = 0; i < 8 * MANY; i++)
			vmd_sim_reference(&sim, rnd_below(&rnd, 2 * MANY), false);
		if (few % 2)
			few_evict(&sim, &rnd, few);
		else
			few_drop(&sim, few);
		for (i = 0; i < 3 * few; i++) {
			if (sim_victims(&sim, &out, 1) != 1)
				break;
			sim.choice.ops->kept(sim.state, out);
		}
		CHECK(i == 3 * few, "of %u pages nothing proposed, kept %u times",
		      few, i);
		vmd_sim_exit(&sim);
	}
	test_end();
}

static void contract_kept(const char *policy)
{
	struct vmd_sim sim;
	struct rnd rnd;
	u32 i;

	test_begin("%s: kept() makes all have their turn", policy);
	rnd_seed(&rnd, tests_seed);
	sim_start(&sim, policy, FRAMES);
	for (i = 0; i < ROUNDS; i++) {
		sim_run(&sim, &rnd, 1 + (u32)rnd_below(&rnd, 30));
		if (sim.resident)
			check_cycle(&sim, &rnd);
	}
	vmd_sim_exit(&sim);
	test_end();
}

/* What a walk saw. */
struct walked {
	u32 times[FRAMES];
	u32 nr;
	u32 first;
	u32 stop;	/* after so many */
};

static bool walked_visit(void *arg, u32 slot)
{
	struct walked *w = arg;

	if (!w->nr)
		w->first = slot;
	if (slot < FRAMES)
		w->times[slot]++;
	return ++w->nr < w->stop;
}

static void check_walk(struct vmd_sim *sim)
{
	struct walked all = { .stop = FRAMES + 1 }, some = { .stop = 3 };
	u32 slot, once, out[1];
	struct snapshot s;

	/* What its hands would do cannot be told without moving them. */
	if (!strcmp(sim->choice.ops->name, "clock-pro"))
		sim_victims(sim, out, 1);
	s = snapshot_take(sim);

	sim->choice.ops->walk(sim->state, walked_visit, &all);
	sim->choice.ops->walk(sim->state, walked_visit, &some);
	CHECK(snapshot_same(&s, sim), "walk changed the state");
	CHECK(all.nr == sim->resident, "%u visits of %u", all.nr,
	      sim->resident);
	CHECK(some.nr == (sim->resident < 3 ? sim->resident : 3),
	      "told to stop after 3, %u visits", some.nr);
	for (slot = 0; slot < FRAMES; slot++) {
		once = sim->slot_of[sim->page_of[slot]] == slot;
		CHECK(all.times[slot] == once, "slot %u: %u visits", slot,
		      all.times[slot]);
	}
	if (sim_victims(sim, out, 1))
		CHECK(out[0] == all.first, "the first goes not first");
}

static void contract_walk(const char *policy)
{
	struct vmd_sim sim;
	struct rnd rnd;
	u32 i;

	test_begin("%s: walk() sees each once and changes nothing", policy);
	rnd_seed(&rnd, tests_seed);
	sim_start(&sim, policy, FRAMES);
	memset(sim.page_of, 0, FRAMES * sizeof(*sim.page_of));
	for (i = 0; i < ROUNDS; i++) {
		check_walk(&sim);
		sim_run(&sim, &rnd, (u32)rnd_below(&rnd, 10));
	}
	vmd_sim_exit(&sim);
	test_end();
}

/* What the queues showed, of which each may show so many. */
struct queued {
	u32 times[FRAMES];
	u32 shown;	/* of the queue shown last */
	u32 most;
	u32 nr;		/* that this queue has, as it was told */
};

static void queued_queue(struct vmd_queue_view *view, const char *name,
			 const char *number, u32 nr, u32 share)
{
	struct queued *q = view->arg;

	CHECK(q->nr == VMD_QUEUE_UNTOLD || q->shown == q->nr ||
	      q->shown == q->most, "%u shown of %u", q->shown, q->nr);
	CHECK(*name && strlen(name) < 16, "name '%s'", name);
	CHECK(!number || strlen(number) < 16, "name of number '%s'", number);
	q->shown = 0;
	q->nr = nr;
}

static bool queued_page(struct vmd_queue_view *view, u32 slot, u64 key,
			u32 flags, u64 number)
{
	struct queued *q = view->arg;

	CHECK(!(flags & VMD_QUEUED_GHOST) == (slot != VMD_NO_SLOT),
	      "a ghost in a slot, or a page without");
	if (slot < FRAMES)
		q->times[slot]++;
	if (++q->shown > q->most)
		CHECK(0, "%u shown, after it was enough", q->shown);
	return q->shown < q->most;
}

static void check_queues(struct vmd_sim *sim, u32 most)
{
	struct queued q = { .most = most };
	struct vmd_queue_view view = { queued_queue, queued_page, &q };
	struct snapshot s = snapshot_take(sim);
	u32 slot, once;

	vmd_policy_queues(sim->choice.ops, sim->state, &view);
	queued_queue(&view, "the last one", NULL, 0, 0);
	CHECK(snapshot_same(&s, sim), "queues changed the state");
	for (slot = 0; slot < FRAMES && most == ~0U; slot++) {
		once = sim->slot_of[sim->page_of[slot]] == slot;
		/* LIRS has pages in two queues. */
		CHECK(!q.times[slot] == !once && q.times[slot] <= 2,
		      "slot %u: shown %u times", slot, q.times[slot]);
	}
}

static void contract_queues(const char *policy)
{
	u32 out[FRAMES], i;
	struct vmd_sim sim;
	struct rnd rnd;

	test_begin("%s: queues() shows each and changes nothing", policy);
	rnd_seed(&rnd, tests_seed);
	sim_start(&sim, policy, FRAMES);
	memset(sim.page_of, 0, FRAMES * sizeof(*sim.page_of));
	for (i = 0; i < ROUNDS; i++) {
		check_queues(&sim, ~0U);
		check_queues(&sim, 2);
		if (i % 3 == 0 && sim_victims(&sim, out, 1)) {
			sim.choice.ops->kept(sim.state, out[0]);
			check_queues(&sim, ~0U);
		}
		sim_run(&sim, &rnd, (u32)rnd_below(&rnd, 10));
	}
	vmd_sim_exit(&sim);
	test_end();
}

/* Two spaces run the same; afterwards they hold the same pages. */
static void check_twins(struct vmd_sim *a, struct vmd_sim *b)
{
	u64 page;

	for (page = 0; page < PAGES; page++) {
		CHECK((a->slot_of[page] == VMD_NO_SLOT) ==
		      (b->slot_of[page] == VMD_NO_SLOT),
		      "page %llu differs", (unsigned long long)page);
	}
	CHECK(!memcmp(&a->totals, &b->totals, sizeof(a->totals)),
	      "totals differ");
}

static void shuffle(u32 *list, u32 nr, struct rnd *rnd)
{
	u32 i, k, x;

	for (i = nr; i > 1; i--) {
		k = (u32)rnd_below(rnd, i);
		x = list[k];
		list[k] = list[i - 1];
		list[i - 1] = x;
	}
}

static void contract_numbers(const char *policy)
{
	struct vmd_sim sim, other;
	struct rnd rnd, copy, dice;
	u32 i;

	test_begin("%s: the numbers of slots mean nothing", policy);
	rnd_seed(&rnd, tests_seed);
	rnd_seed(&dice, ~tests_seed);
	sim_start(&sim, policy, FRAMES);
	sim_start(&other, policy, FRAMES);
	for (i = 0; i < ROUNDS; i++) {
		shuffle(other.free, other.nr_free, &dice);
		copy = rnd;
		sim_run(&sim, &copy, 20);
		sim_run(&other, &rnd, 20);
		check_twins(&sim, &other);
	}
	vmd_sim_exit(&sim);
	vmd_sim_exit(&other);
	test_end();
}

/* A reference whose report follows the insertion: one reference, not two. */
static void reference_deferred(struct vmd_sim *sim, u64 page)
{
	sim->insert_flags = VMD_REF_DEFERRED;
	if (!vmd_sim_reference(sim, page, false))
		vmd_policy_touched(sim->choice.ops, sim->state,
				   sim->slot_of[page], 0);
}

/*
 * For CLOCK and SIEVE it is the bit in hardware, which makes a CLOCK-A or a
 * SIEVE-A of it.
 */
static const char *deferred_twin(const char *policy)
{
	if (!strcmp(policy, "clock"))
		return "clock-a";
	if (!strcmp(policy, "sieve"))
		return "sieve-a";
	return policy;
}

static void contract_deferred(const char *policy)
{
	struct vmd_sim sim, other;
	struct rnd rnd;
	u64 page;
	u32 i;

	test_begin("%s: a deferred reference counts once", policy);
	rnd_seed(&rnd, tests_seed);
	sim_start(&sim, deferred_twin(policy), FRAMES);
	sim_start(&other, policy, FRAMES);
	for (i = 0; i < 20 * ROUNDS; i++) {
		page = rnd_below(&rnd, 1 + rnd_below(&rnd, PAGES));
		vmd_sim_reference(&sim, page, false);
		if (rnd_below(&rnd, 2) || deferred_twin(policy) != policy)
			reference_deferred(&other, page);
		else
			vmd_sim_reference(&other, page, false);
		other.insert_flags = 0;
	}
	check_twins(&sim, &other);
	vmd_sim_exit(&sim);
	vmd_sim_exit(&other);
	test_end();
}

/* Copy the state elsewhere and spoil the place where it was. */
static void move_state(struct vmd_sim *sim)
{
	size_t size = sim->choice.ops->state_size(sim->slots, sim->frames);
	void *to;

	if (posix_memalign(&to, 64, size))
		abort();
	memcpy(to, sim->state, size);
	memset(sim->state, 0xa5, size);
	free(sim->state);
	sim->state = to;
}

static void contract_moved(const char *policy)
{
	struct vmd_sim sim, other;
	struct rnd rnd, copy;
	u32 i;

	test_begin("%s: the state may be moved, and have slots to spare", policy);
	rnd_seed(&rnd, tests_seed);
	sim_start(&sim, policy, FRAMES);
	sim_start(&other, policy, FRAMES);
	for (i = 0; i < ROUNDS; i++) {
		copy = rnd;
		sim_run(&sim, &copy, 10);
		sim_run(&other, &rnd, 10);
		move_state(&other);
		/* Free slots only, so more of them change no decision. */
		if (i % 10 == 0 && (vmd_sim_set_frames(&other, FRAMES + i) ||
				    vmd_sim_set_frames(&other, FRAMES)))
			test_fail("resize failed");
		check_twins(&sim, &other);
	}
	vmd_sim_exit(&sim);
	vmd_sim_exit(&other);
	test_end();
}

static bool name_proper(const char *name)
{
	return *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") ==
			strlen(name);
}

static void contract_table(const struct vmd_policy_ops *ops)
{
	u32 i;

	test_begin("%s: its entry in the table", ops->name);
	CHECK(name_proper(ops->name), "name");
	CHECK(ops->text && *ops->text, "no text");
	CHECK(ops->nr_params <= VMD_POLICY_MAX_PARAMS, "too many parameters");
	for (i = 0; i < ops->nr_params; i++) {
		const struct vmd_policy_param *p = ops->params + i;

		CHECK(name_proper(p->name), "name of parameter %u", i);
		CHECK(p->text && *p->text, "no text for %s", p->name);
		CHECK(p->min <= p->def && p->def <= p->max, "%s", p->name);
	}
	CHECK(ops->state_size && ops->init && ops->inserted && ops->victim &&
	      ops->removed && ops->kept && ops->walk, "a call is missing");
	for (i = 1; i < 5000; i++)
		CHECK(ops->state_size(i, i) <= ops->state_size(i + 1, i) &&
		      ops->state_size(i, i) <= ops->state_size(i, i + 1),
		      "the state gets smaller at %u", i);
	test_end();
}

void test_contract(void)
{
	u32 i;

	for (i = 0; i < vmd_nr_policies; i++) {
		const char *name = vmd_policies[i]->name;

		if (!tests_want(name))
			continue;
		contract_table(vmd_policies[i]);
		contract_peek(name);
		contract_ask(name);
		contract_kept(name);
		contract_few(name);
		contract_walk(name);
		contract_queues(name);
		contract_numbers(name);
		contract_deferred(name);
		contract_moved(name);
	}
}
