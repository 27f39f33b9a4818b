// SPDX-License-Identifier: GPL-2.0-only
/*
 * NRU with bits that are cleared one by one; naive.p counts references.
 */
#include "naive_kind.h"

static u32 class_of(const struct naive_page *p)
{
	return p->parked ? 4 : 2 * p->bit + p->dirty;
}

static u64 since(const struct naive_page *p)
{
	return p->parked ? p->parked : p->stamp;
}

static u32 nru_victim(struct naive *n)
{
	u32 i, best = 0;

	for (i = 1; i < n->nr; i++) {
		const struct naive_page *p = n->page + i, *b = n->page + best;

		if (class_of(p) < class_of(b) ||
		    (class_of(p) == class_of(b) && since(p) < since(b)))
			best = i;
	}
	return best;
}

static void heard(struct naive *n)
{
	u64 period = n->params[0] ? n->params[0] : n->frames;
	u32 i;

	n->p++;
	if ((u64)n->p < period)
		return;
	n->p = 0;
	for (i = 0; i < n->nr; i++)
		n->page[i].bit = false;
}

static void nru_inserted(struct naive *n, u32 i, u32 flags)
{
	struct naive_page *p = n->page + i;
	u32 k;

	if (flags & VMD_REF_RESTORED) {
		p->dirty = true;
		naive_park(n, i);
		return;
	}
	for (k = 0; k < n->nr; k++)
		n->page[k].bit |= n->page[k].parked != 0;
	naive_unpark_all(n);
	p->dirty = flags & VMD_REF_WRITE;
	p->stamp = naive_stamp(n);
	if (!(flags & VMD_REF_DEFERRED)) {
		p->bit = true;
		heard(n);
	}
}

static void nru_touched(struct naive *n, u32 i)
{
	struct naive_page *p = n->page + i;

	p->bit = true;
	if (n->write && !p->dirty) {
		p->dirty = true;
		p->stamp = naive_stamp(n);
	}
	heard(n);
}

const struct naive_kind naive_nru = {
	.name = "nru",
	.victim = nru_victim,
	.inserted = nru_inserted,
	.touched = nru_touched,
	.kept = naive_park,
};
