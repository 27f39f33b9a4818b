// SPDX-License-Identifier: GPL-2.0-only
/*
 * W-TinyLFU, as its paper tells it. The sketch is a byte for each counter and
 * one for each bit of the doorkeeper, row after row; naive.p is how many
 * references it has counted.
 */
#include <stdlib.h>

#include "naive_kind.h"

enum { WINDOW, PROBATION, PROTECTED, NOWHERE };

enum { P_WINDOW, P_PROTECTED, P_SAMPLE, P_DOOR };

#define ROWS	4

static size_t width(u32 frames)
{
	size_t columns = 1;

	while (columns < 4 * (size_t)frames)
		columns *= 2;
	return columns;
}

static size_t columns(const struct naive *n)
{
	return n->sketch_size / (2 * ROWS);
}

static void begin(struct naive *n)
{
	if (n->sketch)
		return;
	n->sketch_size = 2 * ROWS * width(n->frames);
	n->sketch = calloc(1, n->sketch_size);
	if (!n->sketch)
		abort();
}

static u8 *counter(const struct naive *n, u64 page, u32 row)
{
	u64 z = page + 0x9E3779B97F4A7C15;
	u64 step;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
	z ^= z >> 31;
	step = z / 0x100000000 | 1;
	return n->sketch + row * columns(n) +
	       (z % 0x100000000 + row * step) % columns(n);
}

static u8 *door(const struct naive *n, u64 page, u32 row)
{
	return counter(n, page, row) + ROWS * columns(n);
}

static bool knocked(const struct naive *n, u64 page)
{
	u32 row, nr = 0;

	for (row = 0; row < ROWS; row++)
		nr += *door(n, page, row);
	return nr == ROWS;
}

static u32 estimate(const struct naive *n, u32 i)
{
	u64 page = n->page[i].page;
	u32 row, least = 15;

	for (row = 0; row < ROWS; row++) {
		if (*counter(n, page, row) < least)
			least = *counter(n, page, row);
	}
	return least + (n->params[P_DOOR] && knocked(n, page));
}

static void halve(struct naive *n)
{
	size_t i;

	for (i = 0; i < n->sketch_size; i++)
		n->sketch[i] = i < n->sketch_size / 2 ? n->sketch[i] / 2 : 0;
	n->p /= 2;
}

static void count(struct naive *n, u64 page)
{
	bool in = !n->params[P_DOOR] || knocked(n, page);
	u32 row;

	for (row = 0; row < ROWS; row++) {
		if (in && *counter(n, page, row) < 15)
			++*counter(n, page, row);
		*door(n, page, row) = 1;
	}
	n->p++;
	if ((u64)n->p >= n->params[P_SAMPLE] * n->frames)
		halve(n);
}

static u32 window(const struct naive *n)
{
	u32 share = (u32)(n->frames * n->params[P_WINDOW] / 100);

	return share > 1 ? share : 1;
}

static u32 protected(const struct naive *n)
{
	return (u32)((n->frames - window(n)) * n->params[P_PROTECTED] / 100);
}

static void settle(struct naive *n, u32 i, u32 list)
{
	n->page[i].list = list;
	n->page[i].stamp = naive_stamp(n);
	n->page[i].parked = 0;
}

static u32 tiny_victim(struct naive *n)
{
	u32 candidate = naive_oldest(n, WINDOW);
	u32 victim = naive_oldest(n, PROBATION);

	begin(n);
	if (victim == n->nr)
		victim = naive_oldest(n, PROTECTED);
	if (victim == n->nr)
		return candidate < n->nr ? candidate : naive_parked(n);
	if (naive_count(n, WINDOW) < window(n))
		return victim;
	if (estimate(n, candidate) > estimate(n, victim))
		return victim;
	return candidate;
}

static void overflow(struct naive *n)
{
	while (naive_count(n, WINDOW) > window(n))
		settle(n, naive_oldest(n, WINDOW), PROBATION);
	while (naive_count(n, PROTECTED) > protected(n))
		settle(n, naive_oldest(n, PROTECTED), PROBATION);
}

static void tiny_inserted(struct naive *n, u32 i, u32 flags)
{
	begin(n);
	n->page[i].list = NOWHERE;
	if (flags & VMD_REF_RESTORED) {
		n->page[i].stamp = naive_stamp(n);
		naive_restore(n, i, PROTECTED);
		return;
	}
	naive_unpark_all(n);
	settle(n, i, WINDOW);
	n->page[i].await = flags & VMD_REF_DEFERRED;
	if (!n->page[i].await)
		count(n, n->page[i].page);
	overflow(n);
}

static void tiny_touched(struct naive *n, u32 i)
{
	struct naive_page *p = n->page + i;
	bool first = p->await;

	count(n, p->page);
	p->await = false;
	if (first)
		return;
	if (p->list == WINDOW) {
		settle(n, i, WINDOW);
		return;
	}
	settle(n, i, PROTECTED);
	while (naive_count(n, PROTECTED) > protected(n))
		settle(n, naive_oldest(n, PROTECTED), PROBATION);
}

/* Each old column goes to the new one of its number modulo how many there are. */
static void tiny_resized(struct naive *n)
{
	size_t was = columns(n), is = width(n->frames), row, i;
	size_t most = was > is ? was : is;
	u8 *old = n->sketch, *new;

	if (!old || was == is)
		return;
	new = calloc(2 * ROWS, is);
	if (!new)
		abort();
	for (row = 0; row < 2 * ROWS; row++) {
		for (i = 0; i < most; i++) {
			u8 *to = new + row * is + i % is;
			u8 from = old[row * was + i % was];

			if (from > *to)
				*to = from;
		}
	}
	free(old);
	n->sketch = new;
	n->sketch_size = 2 * ROWS * is;
}

const struct naive_kind naive_tinylfu = {
	.name = "w-tinylfu",
	.victim = tiny_victim,
	.inserted = tiny_inserted,
	.touched = tiny_touched,
	.kept = naive_park,
	.resized = tiny_resized,
};
