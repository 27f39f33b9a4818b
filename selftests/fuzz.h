/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fuzzer's calls: one after the other with arguments that are nearly right,
 * or not at all, in memory that can be used, or cannot.
 */
#ifndef _FUZZ_H
#define _FUZZ_H

#include <stdnoreturn.h>

#include "vmd_test.h"

#define FUZZ_PAGES	256		/* most of a space that calls make */
#define FUZZ_FRAMES	128
#define FUZZ_FILES	12
#define FUZZ_LOG	50
#define FUZZ_LOG_LEN	100

/* In memory that the runner shares */
struct fuzz_report {
	unsigned long calls;
	unsigned long good;		/* that did not fail */
	unsigned long compared;		/* before and after, that failed */
	unsigned long batches;
	char log[FUZZ_LOG][FUZZ_LOG_LEN];
};

struct fuzz {
	__u64 random;
	struct fuzz_report *report;
	bool structured;		/* else all at random */
	bool alone;			/* no other thread on the descriptor */
	bool readonly;			/* the descriptor cannot write */
	int fd;
	int file[FUZZ_FILES];		/* of all kinds; -1 among them */
	__u64 other;			/* id of another space that is ours */
	struct vmd_info info;
	int recorder;			/* of the space, or 0 */
	char *map;			/* of the space, or NULL */
	char *plain;			/* 16 KiB, of which the last half is not there */
	char *constant;			/* a page that cannot be written */
	char *fence;			/* a gap of 64 MiB behind 64 KiB */
};

__u64 fuzz_below(struct fuzz *f, __u64 n);
void fuzz_memory(struct fuzz *f);
void fuzz_files(struct fuzz *f);
void fuzz_call(struct fuzz *f);
void fuzz_end_recorder(struct fuzz *f);
noreturn void fuzz_fail(struct fuzz *f, const char *format, ...);

#endif /* _FUZZ_H */
