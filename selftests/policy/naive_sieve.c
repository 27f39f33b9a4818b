// SPDX-License-Identifier: GPL-2.0-only
/*
 * SIEVE from its paper: an array from tail to head, the hand an index. When
 * the hand has passed the head it is at the array's end, wherever that is by
 * the time it is asked for.
 */
#include "naive_kind.h"

/* Past the head: naive.nr would be taken for the page that comes next. */
#define PAST	(~(u32)0)

static u32 sieve_victim(struct naive *n)
{
	u32 i = n->hand >= n->nr ? 0 : n->hand;

	while (n->page[i].bit) {
		n->page[i].bit = false;
		i = i + 1 == n->nr ? 0 : i + 1;
	}
	n->hand = i;
	return i;
}

static void sieve_removed(struct naive *n, u32 i)
{
	naive_delete(n, i);
	if (n->hand == PAST)
		return;
	if (i < n->hand)
		n->hand--;
	if (n->hand == n->nr)
		n->hand = PAST;
}

/* Where the hand was a moment ago, so that it comes there last. */
static void sieve_put_behind(struct naive *n, struct naive_page p)
{
	if (n->hand == PAST)
		naive_insert_at(n, n->nr, p);
	else
		naive_insert_at(n, n->hand++, p);
}

static void sieve_inserted(struct naive *n, u32 i, u32 flags)
{
	/* The first page ever: the hand has not been anywhere. */
	if (!i)
		n->hand = PAST;
	n->page[i].bit = false;
	if (flags & VMD_REF_RESTORED) {
		n->nr--;
		sieve_put_behind(n, n->page[i]);
	}
}

static void sieve_a_inserted(struct naive *n, u32 i, u32 flags)
{
	sieve_inserted(n, i, flags);
	if (!(flags & VMD_REF_DEFERRED) && !(flags & VMD_REF_RESTORED))
		n->page[i].bit = true;
}

static void sieve_touched(struct naive *n, u32 i)
{
	n->page[i].bit = true;
}

static void sieve_kept(struct naive *n, u32 i)
{
	struct naive_page p = n->page[i];

	p.bit = true;
	sieve_removed(n, i);
	sieve_put_behind(n, p);
}

const struct naive_kind naive_sieve = {
	.name = "sieve",
	.victim = sieve_victim,
	.inserted = sieve_inserted,
	.touched = sieve_touched,
	.kept = sieve_kept,
	.removed = sieve_removed,
};

const struct naive_kind naive_sieve_a = {
	.name = "sieve-a",
	.victim = sieve_victim,
	.inserted = sieve_a_inserted,
	.touched = sieve_touched,
	.kept = sieve_kept,
	.removed = sieve_removed,
};
