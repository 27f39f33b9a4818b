// SPDX-License-Identifier: GPL-2.0-only
/*
 * LRU at every size, and the working set, in one pass each.
 *
 * The stack distance of a reference is the number of different pages used
 * since the last one to the same page, that one included: LRU hits with so
 * many frames and more. R. L. Mattson, J. Gecsei, D. R. Slutz, I. L. Traiger,
 * "Evaluation techniques for storage hierarchies", IBM Systems Journal 9(2),
 * 1970; by a tree over time: F. Olken, "Efficient methods for calculating the
 * success function of fixed space replacement policies", LBL-12370, 1981.
 *
 * Each page stands at the moment of its last use. A Fenwick tree counts pages
 * between two moments; when its moments are used up the pages move together,
 * so it is no larger than twice the pages and a pass is O(n log pages).
 */
#include "lab.h"

#include <stdlib.h>
#include <string.h>

/* Moments to spare, or few pages would have to move all the time. */
#define STACK_SPARE	4096

struct stack {
	u32 *tree;			/* 1 to size */
	u32 *page_at;			/* by moment, 1 to size; who was last here */
	u32 *moment;			/* by page, 0 if it was never used */
	u32 size;
	u32 now;			/* the last moment in use */
	u32 pages;			/* that stand somewhere */
};

static void stack_add(struct stack *stack, u32 at, u32 value)
{
	for (; at <= stack->size; at += at & -at)
		stack->tree[at] += value;
}

static u32 stack_sum(const struct stack *stack, u32 at)
{
	u32 sum = 0;

	for (; at; at &= at - 1)
		sum += stack->tree[at];
	return sum;
}

/* A tree with 1 at the first @nr places. */
static void stack_build(struct stack *stack, u32 nr)
{
	u32 i, parent;

	for (i = 1; i <= stack->size; i++)
		stack->tree[i] = i <= nr;
	for (i = 1; i <= stack->size; i++) {
		parent = i + (i & -i);
		if (parent <= stack->size)
			stack->tree[parent] += stack->tree[i];
	}
}

static void stack_compact(struct stack *stack)
{
	u32 from, to = 0;

	for (from = 1; from <= stack->size; from++) {
		u32 page = stack->page_at[from];

		if (stack->moment[page] != from)
			continue;
		stack->page_at[++to] = page;
		stack->moment[page] = to;
	}
	stack->now = to;
	stack_build(stack, to);
}

/* The stack distance of this use of @page, 0 for the first one. */
static u32 stack_use(struct stack *stack, u32 page)
{
	u32 last = stack->moment[page], distance = 0;

	if (last && last == stack->now)
		return 1;
	if (last) {
		distance = stack->pages - stack_sum(stack, last - 1);
		stack_add(stack, last, -1);
		stack->moment[page] = 0;
	} else {
		stack->pages++;
	}
	if (stack->now == stack->size)
		stack_compact(stack);
	stack->now++;
	stack->page_at[stack->now] = page;
	stack->moment[page] = stack->now;
	stack_add(stack, stack->now, 1);
	return distance;
}

static int stack_alloc(struct stack *stack, u32 pages)
{
	u64 size = (u64)pages * 2 + STACK_SPARE;

	stack->size = size < LAB_NEVER ? size : LAB_NEVER - 1;
	stack->tree = calloc((size_t)stack->size + 1, sizeof(*stack->tree));
	stack->page_at = calloc((size_t)stack->size + 1, sizeof(*stack->page_at));
	stack->moment = calloc(pages, sizeof(*stack->moment));
	return stack->tree && stack->page_at && stack->moment ? CTL_OK :
	       ctl_fail("out of memory");
}

static u32 stack_bucket(u32 distance)
{
	u32 between = distance - 1, bucket = 0;

	for (; between; between >>= 1)
		bucket++;
	return bucket;
}

static void stack_count(struct lab_stack *result, u32 distance)
{
	if (!distance) {
		result->cold++;
		return;
	}
	result->misses[distance]++;
	result->buckets[stack_bucket(distance)]++;
}

/* From hits by distance to misses by frames. */
static void stack_sum_up(struct lab_stack *result, u64 references)
{
	u64 hits = 0;
	u32 i;

	for (i = 0; i <= result->pages; i++) {
		hits += result->misses[i];
		result->misses[i] = references - hits;
	}
}

int lab_stack(const struct lab_trace *trace, struct lab_stack *result, bool progress)
{
	struct lab_progress show;
	struct stack stack = { 0 };
	int status = stack_alloc(&stack, trace->pages);
	size_t i;

	*result = (struct lab_stack){ .pages = trace->pages };
	result->misses = calloc((size_t)trace->pages + 1, sizeof(*result->misses));
	if (!status && !result->misses)
		status = ctl_fail("out of memory");
	lab_progress_init(&show, progress);
	for (i = 0; !status && i < trace->nr; i++) {
		stack_count(result, stack_use(&stack, trace->refs[i] >> 1));
		if (!(i % LAB_CHUNK) && lab_progress_due(&show))
			fprintf(stderr, "\rstack distances: %zu of %zu references ", i, trace->nr);
	}
	lab_progress_end(&show);
	if (!status)
		stack_sum_up(result, trace->nr);
	free(stack.tree);
	free(stack.page_at);
	free(stack.moment);
	return status;
}

void lab_stack_free(struct lab_stack *stack)
{
	free(stack->misses);
	stack->misses = NULL;
}

u32 lab_last_bucket(const struct lab_stack *stack)
{
	u32 last = LAB_BUCKETS - 1;

	while (last && !stack->buckets[last])
		last--;
	return last;
}

u64 lab_bucket_start(u32 bucket)
{
	return bucket ? (u64)1 << (bucket - 1) : 0;
}

struct ws_count {
	u32 *last;			/* by page: index of the last use, and 1 */
	u32 size;
	double sum;
};

/* The working set behind reference @i: one page comes, one may go. */
static void ws_step(const struct lab_trace *trace, struct ws_count *count, u64 window,
		    size_t i)
{
	u32 page = trace->refs[i] >> 1;

	/* What was used last just before the window, and is not in it. */
	if (i >= window) {
		u32 gone = trace->refs[i - window] >> 1;

		count->size -= count->last[gone] == i - window + 1;
	}
	count->size += !count->last[page] || count->last[page] + window <= i + 1;
	count->last[page] = (u32)i + 1;
	count->sum += count->size;
}

/* Whether sample @ws->nr is taken after @i + 1 references. */
static bool ws_due(const struct lab_ws *ws, size_t samples, size_t i, size_t nr)
{
	return ws->nr < samples && (i + 1) >= (ws->nr + 1) * (double)nr / samples;
}

static void ws_pass(const struct lab_trace *trace, struct ws_count *count, size_t samples,
		    struct lab_ws *ws)
{
	size_t i;

	for (i = 0; i < trace->nr; i++) {
		ws_step(trace, count, ws->window, i);
		if (count->size > ws->most)
			ws->most = count->size;
		if (ws_due(ws, samples, i, trace->nr)) {
			ws->at[ws->nr] = i + 1;
			ws->size[ws->nr++] = count->size;
		}
	}
	ws->mean = count->sum / trace->nr;
}

int lab_ws(const struct lab_trace *trace, u64 window, size_t samples, struct lab_ws *ws)
{
	struct ws_count count = { 0 };

	if (samples > trace->nr)
		samples = trace->nr;
	*ws = (struct lab_ws){ .window = window };
	ws->at = calloc(samples, sizeof(*ws->at));
	ws->size = calloc(samples, sizeof(*ws->size));
	count.last = calloc(trace->pages, sizeof(*count.last));
	if (!ws->at || !ws->size || !count.last) {
		free(count.last);
		return ctl_fail("out of memory");
	}
	ws_pass(trace, &count, samples, ws);
	free(count.last);
	return CTL_OK;
}

void lab_ws_free(struct lab_ws *ws)
{
	free(ws->at);
	free(ws->size);
}
