// SPDX-License-Identifier: GPL-2.0-only
/*
 * The naive models; see naive.h. Nothing here was taken from module/policy/,
 * and nothing should be: where both have the same mistake, no test sees it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "naive_kind.h"

u32 naive_find(const struct naive *n, u64 page)
{
	u32 i = 0;

	while (i < n->nr && n->page[i].page != page)
		i++;
	return i;
}

void naive_delete(struct naive *n, u32 i)
{
	n->nr--;
	memmove(n->page + i, n->page + i + 1, (n->nr - i) * sizeof(*n->page));
}

/* Put @p at index @i; those from there on move up. */
void naive_insert_at(struct naive *n, u32 i, struct naive_page p)
{
	memmove(n->page + i + 1, n->page + i, (n->nr - i) * sizeof(*n->page));
	n->page[i] = p;
	n->nr++;
}

/* FIFO: who came first. */

static u32 fifo_victim(struct naive *n)
{
	u32 i, best = 0;

	for (i = 1; i < n->nr; i++) {
		if (n->page[i].came < n->page[best].came)
			best = i;
	}
	return best;
}

static void fifo_kept(struct naive *n, u32 i)
{
	n->page[i].came = (u64)n->now;
}

/* LRU: who was used longest ago. */

static u32 lru_victim(struct naive *n)
{
	u32 i, best = 0;

	for (i = 1; i < n->nr; i++) {
		if (n->page[i].used < n->page[best].used)
			best = i;
	}
	return best;
}

static void used_now(struct naive *n, u32 i)
{
	n->page[i].used = n->now;
}

/* MRU: who was used last. */

static u32 mru_victim(struct naive *n)
{
	u32 i, best = 0;

	for (i = 1; i < n->nr; i++) {
		if (n->page[i].used > n->page[best].used)
			best = i;
	}
	return best;
}

static void mru_kept(struct naive *n, u32 i)
{
	n->page[i].used = -n->now;
}

static void mru_inserted(struct naive *n, u32 i, u32 flags)
{
	if (flags & VMD_REF_RESTORED)
		mru_kept(n, i);
}

/* LFU: who was used least often, then LRU. */

static u32 lfu_victim(struct naive *n)
{
	u32 i, best = 0;

	for (i = 1; i < n->nr; i++) {
		const struct naive_page *p = n->page + i, *b = n->page + best;

		if (p->count < b->count ||
		    (p->count == b->count && p->used < b->used))
			best = i;
	}
	return best;
}

static void lfu_touched(struct naive *n, u32 i)
{
	n->page[i].used = n->now;
	n->page[i].count++;
}

static void lfu_kept(struct naive *n, u32 i)
{
	u32 k;

	n->page[i].used = n->now;
	for (k = 0; k < n->nr; k++) {
		if (n->page[k].count > n->page[i].count)
			n->page[i].count = n->page[k].count;
	}
}

static void lfu_inserted(struct naive *n, u32 i, u32 flags)
{
	n->page[i].count = 1;
	if (flags & VMD_REF_RESTORED) {
		n->page[i].count = n->nr == 1;
		lfu_kept(n, i);
	} else if (flags & VMD_REF_DEFERRED) {
		n->page[i].count = 0;
	}
}

/* CLOCK: a ring and a hand. */

static void clock_advance(struct naive *n)
{
	n->hand = n->hand + 1 < n->nr ? n->hand + 1 : 0;
}

static u32 clock_victim(struct naive *n)
{
	while (n->page[n->hand].bit) {
		n->page[n->hand].bit = false;
		clock_advance(n);
	}
	return n->hand;
}

static void clock_removed(struct naive *n, u32 i)
{
	naive_delete(n, i);
	if (i < n->hand)
		n->hand--;
	if (n->hand >= n->nr)
		n->hand = 0;
}

/* Where the hand was a moment ago, so that it comes there last. */
static void clock_put_behind(struct naive *n, struct naive_page p)
{
	naive_insert_at(n, n->hand, p);
	clock_advance(n);
}

static void clock_inserted_as(struct naive *n, u32 i, bool bit)
{
	struct naive_page p = n->page[i];

	p.bit = bit;
	n->nr--;
	if (n->hand >= n->nr)
		n->hand = 0;
	clock_put_behind(n, p);
}

static void clock_inserted(struct naive *n, u32 i, u32 flags)
{
	(void)flags;
	clock_inserted_as(n, i, false);
}

static void clock_a_inserted(struct naive *n, u32 i, u32 flags)
{
	bool later = flags & VMD_REF_DEFERRED, again = flags & VMD_REF_RESTORED;

	clock_inserted_as(n, i, !later && !again);
}

static void clock_touched(struct naive *n, u32 i)
{
	n->page[i].bit = true;
}

static void clock_kept(struct naive *n, u32 i)
{
	struct naive_page p = n->page[i];

	p.bit = true;
	clock_removed(n, i);
	clock_put_behind(n, p);
}

/* Random: SplitMix64 over an array whose end is parked. */

static u64 splitmix64(u64 *x)
{
	u64 z = (*x += 0x9E3779B97F4A7C15);

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
	return z ^ (z >> 31);
}

static u32 random_victim(struct naive *n)
{
	u64 x = n->seed;

	if (n->parked == n->nr)
		return n->nr - 1 - n->turn;
	return (u32)(splitmix64(&x) % (n->nr - n->parked));
}

static void random_exchange(struct naive *n, u32 a, u32 b)
{
	struct naive_page p = n->page[a];

	n->page[a] = n->page[b];
	n->page[b] = p;
}

/* The last one of the draw fills the gap, the last one of all that one's. */
static void random_removed(struct naive *n, u32 i)
{
	u32 draw = n->nr - n->parked;

	if (i < draw) {
		n->page[i] = n->page[draw - 1];
		i = draw - 1;
	}
	n->page[i] = n->page[--n->nr];
	n->parked = 0;
	n->turn = 0;
	splitmix64(&n->seed);
}

static void random_kept(struct naive *n, u32 i)
{
	u32 draw = n->nr - n->parked;

	if (i < draw) {
		random_exchange(n, i, draw - 1);
		n->parked++;
		splitmix64(&n->seed);
	} else if (!draw) {
		random_exchange(n, i, n->nr - 1 - n->turn);
		n->turn = (n->turn + 1) % n->nr;
	}
}

static void random_inserted(struct naive *n, u32 i, u32 flags)
{
	(void)i;
	n->turn = 0;
	n->parked = flags & VMD_REF_RESTORED ? 1 : 0;
}

static const struct naive_kind naive_kinds[] = {
	{ .name = "fifo", .victim = fifo_victim, .kept = fifo_kept },
	{ .name = "lru", .victim = lru_victim, .touched = used_now,
	  .kept = used_now },
	{ .name = "clock", .victim = clock_victim, .inserted = clock_inserted,
	  .touched = clock_touched, .kept = clock_kept,
	  .removed = clock_removed },
	{ .name = "clock-a", .victim = clock_victim,
	  .inserted = clock_a_inserted, .touched = clock_touched,
	  .kept = clock_kept, .removed = clock_removed },
	{ .name = "lfu", .victim = lfu_victim, .inserted = lfu_inserted,
	  .touched = lfu_touched, .kept = lfu_kept },
	{ .name = "mru", .victim = mru_victim, .inserted = mru_inserted,
	  .touched = used_now, .kept = mru_kept },
	{ .name = "random", .victim = random_victim,
	  .inserted = random_inserted, .kept = random_kept,
	  .removed = random_removed },
};

/* Those that have files of their own. */
static const struct naive_kind *const naive_more_kinds[] = {
	&naive_sieve, &naive_sieve_a,
	&naive_second,
	&naive_clocke,
	&naive_nru,
	&naive_aging,
	&naive_wsclock,
	&naive_s3fifo,
	&naive_twoq,
	&naive_arc,
	&naive_slru,
	&naive_car,
	&naive_lruk,
	&naive_lirs,
	&naive_clockpro,
	&naive_lfuda,
	&naive_tinylfu,
	&naive_mglru,
	&naive_linux,
	&naive_opt,
};

static const struct naive_kind *naive_kind_of(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(naive_kinds); i++) {
		if (!strcmp(naive_kinds[i].name, name))
			return naive_kinds + i;
	}
	for (i = 0; i < ARRAY_SIZE(naive_more_kinds); i++) {
		if (!strcmp(naive_more_kinds[i]->name, name))
			return naive_more_kinds[i];
	}
	fprintf(stderr, "no naive model of policy %s\n", name);
	exit(1);
}

void naive_init(struct naive *n, const struct vmd_policy_choice *choice,
		u32 cap)
{
	*n = (struct naive){
		.kind = naive_kind_of(choice->ops->name),
		.page = calloc(cap, sizeof(*n->page)),
		.cap = cap,
		.seed = choice->params[0],
		.frames = cap,
		.ghost = calloc(NAIVE_GHOSTS(cap), sizeof(*n->ghost)),
	};
	memcpy(n->params, choice->params, sizeof(n->params));
	if (!n->page || !n->ghost)
		abort();
}

void naive_exit(struct naive *n)
{
	free(n->page);
	free(n->ghost);
	free(n->sketch);
}

void naive_inserted(struct naive *n, u64 page, u32 flags)
{
	n->now++;
	if (n->nr >= n->cap)
		abort();
	n->page[n->nr++] = (struct naive_page){
		.page = page,
		.came = (u64)n->now,
		.used = n->now,
	};
	if (n->kind->inserted)
		n->kind->inserted(n, n->nr - 1, flags);
}

void naive_missed(struct naive *n, u64 page)
{
	if (n->kind->missed)
		n->kind->missed(n, page);
}

void naive_touched(struct naive *n, u64 page)
{
	n->now++;
	if (n->kind->touched)
		n->kind->touched(n, naive_find(n, page));
}

u64 naive_victim(struct naive *n)
{
	return n->page[n->kind->victim(n)].page;
}

void naive_removed(struct naive *n, u64 page, enum vmd_removal why)
{
	u32 i = naive_find(n, page);

	n->now++;
	n->why = why;
	if (n->kind->removed)
		n->kind->removed(n, i);
	else
		naive_delete(n, i);
}

void naive_kept(struct naive *n, u64 page)
{
	n->now++;
	n->kind->kept(n, naive_find(n, page));
}

bool naive_is_resident(const struct naive *n, u64 page)
{
	return naive_find(n, page) < n->nr;
}

static struct naive naive_copy(const struct naive *n)
{
	struct naive copy = *n;

	copy.page = calloc(n->cap, sizeof(*n->page));
	copy.ghost = calloc(NAIVE_GHOSTS(n->cap), sizeof(*n->ghost));
	if (!copy.page || !copy.ghost)
		abort();
	memcpy(copy.page, n->page, n->nr * sizeof(*n->page));
	memcpy(copy.ghost, n->ghost, n->nr_ghosts * sizeof(*n->ghost));
	if (n->sketch) {
		copy.sketch = malloc(n->sketch_size);
		if (!copy.sketch)
			abort();
		memcpy(copy.sketch, n->sketch, n->sketch_size);
	}
	return copy;
}

/* The first @nr of those that the kind's own order has. */
static void order_of_kind(struct naive *n, u64 *out, u32 nr)
{
	u64 *all = calloc((size_t)n->nr + 1, sizeof(*all));

	if (!all)
		abort();
	n->kind->order(n, all);
	memcpy(out, all, nr * sizeof(*out));
	free(all);
}

/*
 * On a copy, let one after the other go. Random is the exception: there a
 * removal lets those kept before into the draw again, so all are kept instead.
 */
u32 naive_order(const struct naive *n, u64 *out, u32 max)
{
	struct naive copy = naive_copy(n);
	u32 i, nr = max < n->nr ? max : n->nr;

	if (n->kind->order) {
		order_of_kind(&copy, out, nr);
		naive_exit(&copy);
		return nr;
	}
	for (i = 0; i < nr; i++) {
		out[i] = naive_victim(&copy);
		if (n->kind->victim == random_victim)
			naive_kept(&copy, out[i]);
		else
			naive_removed(&copy, out[i], VMD_REMOVED_EVICTED);
	}
	naive_exit(&copy);
	return nr;
}

void naive_walk(const struct naive *n, u64 *out)
{
	u32 i, k = 1;

	if (n->kind->victim != random_victim) {
		naive_order(n, out, n->nr);
		return;
	}
	if (!n->nr)
		return;
	naive_order(n, out, 1);
	for (i = 0; i < n->nr; i++) {
		if (n->page[i].page != out[0])
			out[k++] = n->page[i].page;
	}
}

void naive_switch(struct naive *n, const struct vmd_policy_choice *choice)
{
	u64 *order = calloc((size_t)n->nr + 1, sizeof(*order));
	struct naive other;
	u32 i;

	if (!order)
		abort();
	naive_walk(n, order);
	naive_init(&other, choice, n->cap);
	other.frames = n->frames;
	for (i = 0; i < n->nr; i++)
		naive_inserted(&other, order[i], 0);
	free(order);
	naive_exit(n);
	*n = other;
}

void naive_resize(struct naive *n, u32 cap)
{
	n->page = realloc(n->page, cap * sizeof(*n->page));
	n->ghost = realloc(n->ghost, NAIVE_GHOSTS(cap) * sizeof(*n->ghost));
	if (!n->page || !n->ghost)
		abort();
	n->cap = cap;
}

void naive_set_frames(struct naive *n, u32 frames)
{
	n->frames = frames;
	if (n->kind->resized)
		n->kind->resized(n);
}
