// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segmented LRU; segment 0 is the one on probation.
 */
#include "naive_kind.h"

enum { P_SEGMENTS, P_PROTECTED, P_FILL };

static u32 top(const struct naive *n)
{
	return (u32)n->params[P_SEGMENTS] - 1;
}

static u32 room(const struct naive *n, u32 segment)
{
	u32 each = (u32)(n->frames * n->params[P_PROTECTED] / (100 * top(n)));

	return segment ? each : n->frames - top(n) * each;
}

static u32 slru_victim(struct naive *n)
{
	u32 segment, i;

	for (segment = 0; segment <= top(n); segment++) {
		i = naive_oldest(n, segment);
		if (i < n->nr)
			return i;
	}
	return naive_parked(n);
}

static void settle(struct naive *n, u32 i, u32 segment)
{
	n->page[i].list = segment;
	n->page[i].stamp = naive_stamp(n);
	n->page[i].parked = 0;
}

static void cool(struct naive *n)
{
	u32 segment;

	for (segment = top(n); segment > 0; segment--) {
		while (naive_count(n, segment) > room(n, segment))
			settle(n, naive_oldest(n, segment), segment - 1);
	}
}

static void slru_inserted(struct naive *n, u32 i, u32 flags)
{
	u32 segment = 0;

	n->page[i].list = top(n) + 1;
	if (flags & VMD_REF_RESTORED) {
		n->page[i].stamp = naive_stamp(n);
		naive_restore(n, i, top(n));
		return;
	}
	naive_unpark_all(n);
	cool(n);
	if (n->params[P_FILL]) {
		while (segment <= top(n) &&
		       naive_count(n, segment) >= room(n, segment))
			segment++;
		if (segment > top(n))
			segment = 0;
	}
	settle(n, i, segment);
	n->page[i].await = flags & VMD_REF_DEFERRED;
}

static void slru_touched(struct naive *n, u32 i)
{
	struct naive_page *p = n->page + i;

	if (!p->await) {
		settle(n, i, p->list < top(n) ? p->list + 1 : top(n));
		cool(n);
	}
	p->await = false;
}

const struct naive_kind naive_slru = {
	.name = "slru",
	.victim = slru_victim,
	.inserted = slru_inserted,
	.touched = slru_touched,
	.kept = naive_park,
};
