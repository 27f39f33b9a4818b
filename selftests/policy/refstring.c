// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kinds of reference strings.
 */
#include "refstring.h"

static u64 string_random(struct rnd *r, u64 i, u64 pages, u32 frames)
{
	(void)i;
	(void)frames;
	return rnd_below(r, pages);
}

/* One page more than there are frames, round and round. */
static u64 string_loop(struct rnd *r, u64 i, u64 pages, u32 frames)
{
	u64 length = (u64)frames + 1 < pages ? (u64)frames + 1 : pages;

	(void)r;
	return i % length;
}

/* A small set in use all the time; scans of everything every now and then. */
static u64 string_scan(struct rnd *r, u64 i, u64 pages, u32 frames)
{
	u64 round = 2 * pages, at = i % round;

	if (at < pages)
		return rnd_below(r, frames / 2 + 1);
	return at - pages;
}

/* Page p with a chance that falls about as 1 / p. */
static u64 string_skewed(struct rnd *r, u64 i, u64 pages, u32 frames)
{
	(void)i;
	(void)frames;
	return rnd_below(r, 1 + rnd_below(r, pages));
}

/* A working set that stays for a while and is somewhere else then. */
static u64 string_phases(struct rnd *r, u64 i, u64 pages, u32 frames)
{
	u64 phase = i / (20 * (u64)frames + 50);

	return (phase * 7919 + rnd_below(r, frames + 1 + phase % 3)) % pages;
}

const struct string strings[] = {
	{ "random", string_random },
	{ "loop", string_loop },
	{ "scan", string_scan },
	{ "skewed", string_skewed },
	{ "phases", string_phases },
};

const u32 nr_strings = ARRAY_SIZE(strings);
