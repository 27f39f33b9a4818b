// SPDX-License-Identifier: GPL-2.0-only
/*
 * The optimum: the page that will not be used for the longest time goes.
 *
 * L. A. Belady, "A study of replacement algorithms for a virtual-storage
 * computer", IBM Systems Journal 5(2), 1966; that it is optimal: R. L. Mattson
 * et al., "Evaluation techniques for storage hierarchies", IBM Systems Journal
 * 9(2), 1970.
 *
 * Fewest misses is all it promises, and any choice among pages that are never
 * used again has these. Among them those that are clean go first, which saves
 * writes, then the ones that were used least recently. No other choice with
 * fewer writes is looked for: that would be another, harder problem.
 *
 * The resident pages are in a heap, the one to go on top: O(n log frames).
 */
#include "lab.h"

#include <stdlib.h>
#include <string.h>

/* Children of a node; four need half the levels, and lie side by side. */
#define OPT_WAYS	4

/* Of keys: pages that are never used again are beyond all that are. */
#define OPT_NEVER	((u64)1 << 40)
#define OPT_CLEAN	((u64)1 << 41)

#define OPT_ABSENT	(~(u32)0)	/* was never referenced */
#define OPT_GONE	(OPT_ABSENT - 1)	/* was evicted */

struct opt_node {
	u64 key;			/* no two are the same */
	u32 page;
};

struct opt {
	const struct lab_trace *trace;
	struct vmd_sim_totals *totals;
	struct opt_node *heap;
	u32 *place;			/* by page: where in the heap */
	u8 *dirty;			/* by page */
	u32 nr;
	u32 frames;
};

static void opt_set(struct opt *opt, u32 at, struct opt_node node)
{
	opt->heap[at] = node;
	opt->place[node.page] = at;
}

/* Move @node from @at towards the top as far as it has to go. */
static void opt_up(struct opt *opt, u32 at, struct opt_node node)
{
	while (at) {
		u32 parent = (at - 1) / OPT_WAYS;

		if (opt->heap[parent].key > node.key)
			break;
		opt_set(opt, at, opt->heap[parent]);
		at = parent;
	}
	opt_set(opt, at, node);
}

/* The child of @at with the largest key; there is one. */
static u32 opt_largest_child(const struct opt *opt, u64 first)
{
	u64 end = first + OPT_WAYS < opt->nr ? first + OPT_WAYS : opt->nr;
	u64 best = first;

	while (++first < end)
		if (opt->heap[first].key > opt->heap[best].key)
			best = first;
	return (u32)best;
}

static void opt_down(struct opt *opt, u32 at, struct opt_node node)
{
	for (;;) {
		u64 first = (u64)at * OPT_WAYS + 1;
		u32 child;

		if (first >= opt->nr)
			break;
		child = opt_largest_child(opt, first);
		if (opt->heap[child].key < node.key)
			break;
		opt_set(opt, at, opt->heap[child]);
		at = child;
	}
	opt_set(opt, at, node);
}

static void opt_evict(struct opt *opt)
{
	u32 page = opt->heap[0].page;

	opt->place[page] = OPT_GONE;
	opt->totals->evictions++;
	opt->totals->evictions_dirty += opt->dirty[page];
	opt->totals->pages_written += opt->dirty[page];
	opt->dirty[page] = 0;
}

static u64 opt_key(const struct opt *opt, size_t i, bool dirty)
{
	u32 next = opt->trace->next[i];

	if (next != LAB_NEVER)
		return next;
	return OPT_NEVER | (dirty ? 0 : OPT_CLEAN) | (opt->trace->nr - i);
}

static void opt_miss(struct opt *opt, struct opt_node node)
{
	opt->totals->misses++;
	if (opt->place[node.page] == OPT_ABSENT)
		opt->totals->misses_compulsory++;
	else
		opt->totals->misses_capacity++;
	if (opt->nr < opt->frames) {
		opt_up(opt, opt->nr++, node);
		return;
	}
	opt_evict(opt);
	opt_down(opt, 0, node);
}

static void opt_reference(struct opt *opt, size_t i)
{
	struct opt_node node = { .page = opt->trace->refs[i] >> 1 };

	opt->dirty[node.page] |= opt->trace->refs[i] & 1;
	node.key = opt_key(opt, i, opt->dirty[node.page]);
	/* A key is the index of a reference to come: it only grows. */
	if (opt->place[node.page] >= OPT_GONE) {
		opt_miss(opt, node);
		return;
	}
	opt->totals->hits++;
	opt_up(opt, opt->place[node.page], node);
}

static int opt_alloc(struct opt *opt)
{
	u32 pages = opt->trace->pages;

	opt->heap = malloc(opt->frames * sizeof(*opt->heap));
	opt->place = malloc(pages * sizeof(*opt->place));
	opt->dirty = calloc(pages, 1);
	if (!opt->heap || !opt->place || !opt->dirty)
		return -ENOMEM;
	memset(opt->place, 0xff, pages * sizeof(*opt->place));
	return 0;
}

int lab_opt(const struct lab_trace *trace, u32 frames, struct vmd_sim_totals *totals,
	    lab_done_t *done)
{
	struct opt opt = {
		.trace = trace,
		.totals = totals,
		.frames = frames < trace->pages ? frames : trace->pages,
	};
	int error = opt_alloc(&opt);
	size_t i;

	*totals = (struct vmd_sim_totals){ 0 };
	for (i = 0; !error && i < trace->nr; i++) {
		opt_reference(&opt, i);
		if (!((i + 1) % LAB_CHUNK) && done)
			__atomic_fetch_add(done, LAB_CHUNK, __ATOMIC_RELAXED);
	}
	totals->references = error ? 0 : trace->nr;
	free(opt.heap);
	free(opt.place);
	free(opt.dirty);
	return error;
}
