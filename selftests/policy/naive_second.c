// SPDX-License-Identifier: GPL-2.0-only
/*
 * Second chance: a queue by time of arrival, which a second chance makes anew.
 */
#include "naive_kind.h"

static u32 oldest(const struct naive *n)
{
	u32 i, best = 0;

	for (i = 1; i < n->nr; i++) {
		if (n->page[i].came < n->page[best].came)
			best = i;
	}
	return best;
}

static u32 second_victim(struct naive *n)
{
	struct naive_page *p = n->page + oldest(n);

	if (!p->bit)
		return (u32)(p - n->page);
	p->bit = false;
	p->came = naive_stamp(n);
	return second_victim(n);
}

static void second_inserted(struct naive *n, u32 i, u32 flags)
{
	n->page[i].bit = n->params[0] && !(flags & VMD_REF_DEFERRED) &&
			 !(flags & VMD_REF_RESTORED);
}

static void second_touched(struct naive *n, u32 i)
{
	n->page[i].bit = true;
}

static void second_kept(struct naive *n, u32 i)
{
	n->page[i].came = naive_stamp(n);
	n->page[i].bit = true;
}

const struct naive_kind naive_second = {
	.name = "second-chance",
	.victim = second_victim,
	.inserted = second_inserted,
	.touched = second_touched,
	.kept = second_kept,
};
