/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reference strings without end, made from a seed.
 */
#ifndef _REFSTRING_H
#define _REFSTRING_H

#include "../../module/policy/policy.h"

/* A generator of pseudo-random numbers: xorshift64*, never seeded with 0. */
struct rnd {
	u64 x;
};

static inline u64 rnd_next(struct rnd *r)
{
	r->x ^= r->x >> 12;
	r->x ^= r->x << 25;
	r->x ^= r->x >> 27;
	return r->x * 0x2545f4914f6cdd1dULL;
}

/* A number below @below, which is not 0. */
static inline u64 rnd_below(struct rnd *r, u64 below)
{
	return (rnd_next(r) >> 16) % below;
}

static inline void rnd_seed(struct rnd *r, u64 seed)
{
	r->x = seed * 2 + 1;
	rnd_next(r);
	rnd_next(r);
}

/**
 * struct string - one reference string
 * @name: what kind it is
 * @next: the page of reference @i among @pages, for a memory of @frames
 */
struct string {
	const char *name;
	u64 (*next)(struct rnd *r, u64 i, u64 pages, u32 frames);
};

extern const struct string strings[];
extern const u32 nr_strings;

#endif /* _REFSTRING_H */
