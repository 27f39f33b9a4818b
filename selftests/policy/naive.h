/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every policy a second time, as its textbook defines it and as slow as that
 * is: stamps, counts and linear scans over an array of pages, no lists, no
 * slots. What the first model decides, this one has to decide too.
 */
#ifndef _NAIVE_H
#define _NAIVE_H

#include "../../module/policy/policy.h"

struct naive_kind;

struct naive_page {
	u64 page;
	u64 came;	/* when it was inserted, kept or restored */
	u64 count;	/* references since it came */
	long long used;	/* when it was used last; below 0: kept, for MRU */
	bool bit;
	bool await;	/* the reference that brought it is to be reported */
	u32 list;	/* where it is, of the policy's lists */
	u64 stamp;	/* orders the pages of a list, lowest first */
	u64 past;	/* when it was used before last */
	u64 parked;	/* when it was kept; 0: it was not */
	bool dirty;	/* a reference since it came is known to be a write */
};

/**
 * struct naive - a model of one space
 * @kind: the policy's own functions
 * @page: the resident pages
 * @nr: how many
 * @cap: how many there is room for
 * @now: events so far
 * @hand: CLOCK: the page it points at; they stand in a circle
 * @parked: random: how many at the end of @page are out of the draw
 * @turn: random: how many were proposed again since all were out of it
 * @seed: random: the generator's state
 * @frames: the budget
 * @params: of the policy, in the order of its table
 * @ghost: pages that were evicted and are remembered, in no order
 * @nr_ghosts: how many
 * @why: why a page is being removed
 * @p: what a policy adapts, in its own unit
 * @real: the same as a real number
 * @write: the reference that an event tells of is a write
 * @hands: CLOCK-Pro: the pages + 1 that they point at; 0: none yet
 * @sketch: W-TinyLFU's counters, @sketch_size bytes, or NULL
 * @told: opt: 1 more than when the page of the event is used next; 0: never
 * @key: the page that is about to come, if @key_known
 * @key_known: whether that is known
 */
struct naive {
	const struct naive_kind *kind;
	struct naive_page *page;
	u32 nr;
	u32 cap;
	long long now;
	u32 hand;
	u32 parked;
	u32 turn;
	u64 seed;
	u32 frames;
	u64 params[VMD_POLICY_MAX_PARAMS];
	struct naive_page *ghost;
	u32 nr_ghosts;
	enum vmd_removal why;
	long long p;
	double real;
	u8 *sketch;
	size_t sketch_size;
	u64 told;
	u64 key;
	bool key_known;
	u64 hands[3];
	bool write;
};

/* An empty model for at most @cap pages. */
void naive_init(struct naive *n, const struct vmd_policy_choice *choice,
		u32 cap);
void naive_exit(struct naive *n);

/* The calls of the contract, by page. */
void naive_inserted(struct naive *n, u64 page, u32 flags);
void naive_missed(struct naive *n, u64 page);
void naive_touched(struct naive *n, u64 page);
u64 naive_victim(struct naive *n);
void naive_removed(struct naive *n, u64 page, enum vmd_removal why);
void naive_kept(struct naive *n, u64 page);

/* The first @max pages to go if nothing else happens; returns how many. */
u32 naive_order(const struct naive *n, u64 *out, u32 max);

/* The order of walk(), which for random is not that of naive_order(). */
void naive_walk(const struct naive *n, u64 *out);

/* A live switch: another policy for the pages, inserted in walk's order. */
void naive_switch(struct naive *n, const struct vmd_policy_choice *choice);

/* Room for @cap pages from now on, at least naive.nr. */
void naive_resize(struct naive *n, u32 cap);

/* The budget is @frames from now on. */
void naive_set_frames(struct naive *n, u32 frames);

bool naive_is_resident(const struct naive *n, u64 page);

#endif /* _NAIVE_H */
