/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of larger pages share. */
#ifndef _HUGE_H
#define _HUGE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#define HUGE_STEPS	400

/* A fresh descriptor's space: pages of this size, so many frames, lru and fault */
int huge_set(int fd, __u64 bytes, __u64 budget);
int huge_set_only(int fd, __u64 bytes);

/* The calls that take a range, here in pages of @page bytes */
int huge_advise(int fd, __u32 advice, __u64 first, __u64 pages, size_t page);
int huge_punch(int fd, __u64 first, __u64 pages, size_t page);
int huge_sync(int fd);

/* What a space should hold: of each part the tag it was filled with, or 0 */
struct huge_model {
	int fd;
	char *map;
	char *odd;			/* from the second part on */
	size_t page;
	size_t parts;			/* of a page */
	size_t nr;			/* of all */
	__u64 *tags;
	__u64 state;
	__u64 last;
};

bool huge_part_is(const void *part, __u64 tag);
bool huge_model_open(struct huge_model *m, int fd, size_t page);
/* Returns the number of the step after which it was wrong, or 0. */
unsigned long huge_model_run(struct huge_model *m, unsigned long steps);
void huge_model_close(struct huge_model *m);

#endif /* _HUGE_H */
