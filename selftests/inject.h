/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fault-injection sweep: what its parts share.
 *
 * A scenario is played again and again, with the first, the second, the third
 * ... allocation or request of its action failing, until it gets through with
 * none of them having failed. See inject.c.
 */
#ifndef _INJECT_H
#define _INJECT_H

#include <stdbool.h>
#include <sys/types.h>

#include "vmd_test.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#endif

#define INJECT_PAGES	8		/* pages with content at the start */
#define INJECT_MORE	3		/* behind them: without */
#define INJECT_ALL	(INJECT_PAGES + INJECT_MORE)
#define INJECT_BUDGET	3

/* What an action says besides 0 and an errno. */
#define INJECT_SIGBUS	1000		/* at the page that was touched */
#define INJECT_LOST	1001		/* content was wrong; has been reported */

/**
 * struct inject_run - one playing of a scenario
 * @fd: the space
 * @map: all its pages
 * @shadow: what has to be in them
 * @fd2: another descriptor that the action opened, -1 if none
 * @map2: another mapping of INJECT_ALL pages that it made, NULL if none
 * @file: a file that the set-up opened, -1 if none
 * @round: differs each time, so that what is written does, too
 * @what: the step that the action is at
 */
struct inject_run {
	int fd;
	char *map;
	char *shadow;
	int fd2;
	char *map2;
	int file;
	unsigned int round;
	const char *what;
};

/**
 * struct inject_scenario - a thing to be done under failures
 * @name: for lists
 * @feature: VMD_FEATURE_* that the module has to have, 0 if none
 * @set_up: after the space has content; nothing fails there; may be NULL
 * @act: what is done. Returns 0, an errno or INJECT_*; stops at the first
 *	error; may be done again
 */
struct inject_scenario {
	const char *name;
	__u64 feature;
	int (*set_up)(struct inject_run *r);
	int (*act)(struct inject_run *r);
};

extern const struct inject_scenario inject_scenarios[];
extern const int inject_nr_scenarios;

/* One word of a page; returns 0 or INJECT_SIGBUS. Kept in the shadow. */
int inject_put(struct inject_run *r, char *map, size_t page);
int inject_get(struct inject_run *r, const char *map, size_t page);
/* Report what is wrong. */
void inject_note(const char *format, ...);

#endif /* _INJECT_H */
