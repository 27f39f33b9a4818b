/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a naive model is made of, and those in files of their own.
 */
#ifndef _NAIVE_KIND_H
#define _NAIVE_KIND_H

#include "naive.h"

/* No policy remembers more pages that are gone, for a memory of @cap. */
#define NAIVE_GHOSTS(cap)	(6 * (size_t)(cap) + 16)

/* One policy's own functions; pages are given by index. */
struct naive_kind {
	const char *name;
	/* Index of the page that goes. */
	u32 (*victim)(struct naive *n);
	/* The page at index @i was just put last; NULL: nothing more to do. */
	void (*inserted)(struct naive *n, u32 i, u32 flags);
	/* NULL: a touch means nothing. */
	void (*touched)(struct naive *n, u32 i);
	void (*kept)(struct naive *n, u32 i);
	/* Take the page at index @i away; NULL: close the gap. */
	void (*removed)(struct naive *n, u32 i);
	/* @key is going to come; NULL: it matters only once it is there. */
	void (*missed)(struct naive *n, u64 key);
	/* All pages in the order of walk(); NULL: as victims one by one. */
	void (*order)(struct naive *n, u64 *out);
	/* The budget has changed; NULL: it means nothing. */
	void (*resized)(struct naive *n);
};

/* The page's index; naive.nr if it is not resident. */
u32 naive_find(const struct naive *n, u64 page);

/* Close the gap at index @i, or make one and put @p there. */
void naive_delete(struct naive *n, u32 i);
void naive_insert_at(struct naive *n, u32 i, struct naive_page p);

/* naive_ghost.c: an event's number, higher than all before. */
u64 naive_stamp(struct naive *n);

/* Pages in @list, without and with those that are parked. */
u32 naive_count(const struct naive *n, u32 list);
u32 naive_count_all(const struct naive *n, u32 list);

/* Who has been in @list, or parked, for longest; naive.nr: nobody. */
u32 naive_oldest(const struct naive *n, u32 list);
u32 naive_parked(const struct naive *n);

/* A page that was kept is out of its list until the next page comes. */
void naive_park(struct naive *n, u32 i);
void naive_unpark_all(struct naive *n);

/* The ghost of a page, NULL if there is none; .list is where it came from. */
struct naive_page *naive_ghost(struct naive *n, u64 page);
void naive_ghost_add(struct naive *n, struct naive_page p);
void naive_ghost_drop(struct naive *n, struct naive_page *g);
u32 naive_ghosts(const struct naive *n, u32 list);
void naive_ghost_trim(struct naive *n, u32 list, u32 most);

/* The page came back: parked, in its ghost's list, or in @list. */
void naive_restore(struct naive *n, u32 i, u32 list);
extern const struct naive_kind naive_sieve;
extern const struct naive_kind naive_sieve_a;
extern const struct naive_kind naive_second;
extern const struct naive_kind naive_clocke;
extern const struct naive_kind naive_nru;
extern const struct naive_kind naive_aging;
extern const struct naive_kind naive_wsclock;
extern const struct naive_kind naive_s3fifo;
extern const struct naive_kind naive_twoq;
extern const struct naive_kind naive_arc;
extern const struct naive_kind naive_slru;
extern const struct naive_kind naive_car;
extern const struct naive_kind naive_lruk;
extern const struct naive_kind naive_lirs;
extern const struct naive_kind naive_clockpro;
extern const struct naive_kind naive_lfuda;
extern const struct naive_kind naive_tinylfu;
extern const struct naive_kind naive_mglru;
extern const struct naive_kind naive_linux;
extern const struct naive_kind naive_opt;

#endif /* _NAIVE_KIND_H */
