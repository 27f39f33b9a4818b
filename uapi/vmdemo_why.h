/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * vmdemo - why a replacement policy would have this page go and no other: a
 * code, and up to four numbers. `vmdemoctl step` makes a phrase of them.
 *
 * Numbers behind a code are in the order in which they are named here. "Passed"
 * are pages that the policy looked at before this one and let stay, since the
 * last page was evicted; they had been referenced, and lost the mark of it.
 */
#ifndef _UAPI_VMDEMO_WHY_H
#define _UAPI_VMDEMO_WHY_H

enum vmd_why {
	VMD_WHY_UNTOLD		= 0,	/* the policy does not say */
	VMD_WHY_LAST_RESORT	= 1,	/* could not go before, as no other can */
	VMD_WHY_FIRST_IN	= 2,	/* first in the queue */
	VMD_WHY_LEAST_RECENT	= 3,	/* used longest ago */
	VMD_WHY_MOST_RECENT	= 4,	/* used last */
	VMD_WHY_HAND		= 5,	/* bit not set, under the hand: passed */
	VMD_WHY_SECOND_CHANCE	= 6,	/* bit not set, the oldest one: passed */
	VMD_WHY_SIEVE		= 7,	/* bit not set, under the hand: passed */
	VMD_WHY_COUNT		= 8,	/* lowest count: count */
	VMD_WHY_AGED_COUNT	= 9,	/* lowest key: key, age, references */
	VMD_WHY_CLASS		= 10,	/* lowest class: referenced, modified */
	VMD_WHY_AGING		= 11,	/* lowest counter: counter, bits of it */
	VMD_WHY_DRAWN		= 12,	/* by lot: out of how many */
	VMD_WHY_FUTURE		= 13,	/* used again last: number of that reference */
	VMD_WHY_NEVER_AGAIN	= 14,	/* not used again: known to be modified */
	VMD_WHY_OUT_OF_WS	= 15,	/* out of the working set: age, window */
	VMD_WHY_OUT_OF_WS_DIRTY	= 16,	/* so, and modified: age, window */
	/* nobody is out; oldest of those as modified: age, window, modified */
	VMD_WHY_IN_WS		= 17,
	VMD_WHY_LRUK_ONCE	= 18,	/* no reference but one: age of it */
	VMD_WHY_LRUK_TWICE	= 19,	/* oldest last but one: age of that */
	VMD_WHY_2Q_IN		= 20,	/* A1in has more than Kin: pages, Kin */
	VMD_WHY_2Q_AM		= 21,	/* A1in has not; last of Am: pages, Kin */
	VMD_WHY_2Q_IN_ONLY	= 22,	/* Am is empty: pages of A1in, Kin */
	VMD_WHY_ARC_T1		= 23,	/* T1 beyond p: T1, p in 1/1000 */
	VMD_WHY_ARC_T1_GHOST	= 24,	/* T1 is p, wanted is in B2: T1, p likewise */
	VMD_WHY_ARC_T1_ONLY	= 25,	/* T2 is empty: T1, p likewise */
	VMD_WHY_ARC_T2		= 26,	/* T1 is not beyond p: T1, p likewise, T2 */
	VMD_WHY_CAR_T1		= 27,	/* T1 is p or more: T1, p, passed */
	VMD_WHY_CAR_T1_ONLY	= 28,	/* T2 is empty: T1, p, passed */
	VMD_WHY_CAR_T2		= 29,	/* T1 is below p: T1, p, passed */
	VMD_WHY_PROBATION	= 30,	/* on probation, used longest ago: how many */
	VMD_WHY_SEGMENT		= 31,	/* below is nobody: segment, how many there */
	/* first of the small queue: pages in it, its share, references, passed */
	VMD_WHY_S3_SMALL	= 32,
	/* first of the main queue: pages of the small one, its share, passed */
	VMD_WHY_S3_MAIN		= 33,
	VMD_WHY_LIRS_HIR	= 34,	/* first of Q: LIR pages, most of them */
	VMD_WHY_LIRS_LIR	= 35,	/* no HIR page: LIR pages, most of them */
	/* cold, under HAND_cold: in test, referenced, cold pages, hot pages */
	VMD_WHY_PRO_COLD	= 36,
	VMD_WHY_TINY_WINDOW	= 37,	/* not used more than its rival: estimates of both */
	VMD_WHY_TINY_MAIN	= 38,	/* used less than the window's: estimates of both */
	VMD_WHY_TINY_ROOM	= 39,	/* the window is not full: pages, share */
	VMD_WHY_TINY_ALONE	= 40,	/* the main part is empty: pages of the window */
	/* first of the oldest generation: generations, pages with its number */
	VMD_WHY_GENERATION	= 41,
	/* at the inactive list's end: inactive, active pages, referenced */
	VMD_WHY_INACTIVE	= 42,
	VMD_WHY_HAND_CLASS	= 43,	/* under the hand: referenced, modified, passed */
	VMD_WHY_CODES		= 44,
};

#define VMD_WHY_NUMBERS	4

#endif /* _UAPI_VMDEMO_WHY_H */
