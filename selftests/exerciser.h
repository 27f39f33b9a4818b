/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The exerciser: random operations on one space, and a model of it in plain
 * memory that says what must be read. What differs ends the run: the last
 * operations and how to repeat them are printed.
 *
 * All choices come from one seed and from the model, so that a run with the
 * same seed does the same operations in the same order.
 */
#ifndef _EXERCISER_H
#define _EXERCISER_H

#include <stdnoreturn.h>

#include "vmd_test.h"

#define EX_PAGES	200		/* most of the space */
#define EX_FDS		4
#define EX_MAPS		6
#define EX_POLICIES	32
#define EX_OPS		40		/* kinds of operations, at most */
#define EX_LOG		50
#define EX_LOG_LEN	120
#define EX_SPAN		(6 * 4096)	/* most bytes of one operation */
#define EX_MAX_BUDGET	100

/* A mapping. A private one has copies of the pages it wrote to. */
struct ex_map {
	char *addr;
	size_t first;			/* page of the space it begins with */
	size_t pages;
	bool private;
	bool split;			/* perhaps several to the kernel */
	char *copy[EX_PAGES];		/* NULL: shows the space's page */
	bool unknown[EX_PAGES];		/* not promised what it shows */
};

/* In memory that the runner shares: it tells them when the run has ended. */
struct ex_report {
	unsigned long done[EX_OPS];
	unsigned long ops;
	__u64 verified;			/* bytes */
	__u64 mismatches;		/* bytes */
	char log[EX_LOG][EX_LOG_LEN];
};

struct ex {
	__u64 random;
	struct ex_report *report;
	struct vmd_info info;
	const char *policy;		/* of the configuration */
	const char *observer;
	bool on_file;
	bool cannot_punch;
	int file;			/* independent of the space, or -1 */
	int fd[EX_FDS];			/* of the space, -1 if closed */
	int fds;
	struct ex_map map[EX_MAPS];	/* addr is NULL if there is none */
	char *shadow;			/* zeros behind size */
	size_t size;
	bool polluted;			/* bytes behind the file's end written */
	bool pinned[EX_PAGES];
	size_t pins;
	size_t budget;
	char *data;			/* EX_SPAN bytes for anything */
	char *more;			/* another EX_SPAN */
};

struct ex_op {
	const char *name;
	unsigned int weight;
	void (*run)(struct ex *x);
};

extern const struct ex_op ex_ops[];	/* ends with a name that is NULL */
extern char *ex_policies[EX_POLICIES + 1];

/* exerciser_model.c */
__u64 ex_below(struct ex *x, __u64 n);
bool ex_one_in(struct ex *x, unsigned int n);
__u64 ex_mix(__u64 seed, __u64 number);
void ex_noise(struct ex *x, char *data, size_t n);
void ex_log(struct ex *x, const char *format, ...);
noreturn void ex_fail(struct ex *x, const char *format, ...);
void ex_expect(struct ex *x, const char *what, long got, long wanted);
void ex_compare(struct ex *x, const char *what, const char *got,
		const char *wanted, size_t offset, size_t n);
int ex_fd(struct ex *x);
size_t ex_page_end(const struct ex *x);	/* pages that can be touched */
bool ex_range(struct ex *x, size_t *offset, size_t *n);
bool ex_pages(struct ex *x, size_t *first, size_t *n);
void ex_set_size(struct ex *x, size_t size);
void ex_unpin_all(struct ex *x);

/* exerciser_map.c: mappings, and what they show */
struct ex_map *ex_pick_map(struct ex *x, bool shared);
struct ex_map *ex_add_map(struct ex *x, bool private);
void ex_drop_map(struct ex_map *m);
bool ex_map_range(struct ex *x, struct ex_map *m, size_t *offset, size_t *n);
char *ex_at(const struct ex_map *m, size_t offset);
void ex_check_map(struct ex *x, struct ex_map *m, size_t offset, size_t n);
void ex_note_store(struct ex *x, struct ex_map *m, size_t offset,
		   const char *data, size_t n);
bool ex_known(const struct ex_map *m, size_t offset, size_t n);

/* exerciser_life.c: making, verifying and ending a space */
void ex_start(struct ex *x);
void ex_end(struct ex *x);
void ex_verify(struct ex *x);
void ex_check_file(struct ex *x);

/* exerciser_threads.c: many threads, each with stripes of its own */
int ex_threads(__u64 seed, bool on_file, unsigned long ops,
	       struct ex_report *report);

/* The operations, listed in ex_ops */
void ex_do_pread(struct ex *x);
void ex_do_pwrite(struct ex *x);
void ex_do_readv(struct ex *x);
void ex_do_writev(struct ex *x);
void ex_do_seek(struct ex *x);
void ex_do_load(struct ex *x);
void ex_do_store(struct ex *x);
void ex_do_lend(struct ex *x);
void ex_do_borrow(struct ex *x);
void ex_do_peek(struct ex *x);
void ex_do_poke(struct ex *x);
void ex_do_pipe(struct ex *x);
void ex_do_map(struct ex *x);
void ex_do_map_private(struct ex *x);
void ex_do_unmap(struct ex *x);
void ex_do_mremap(struct ex *x);
void ex_do_mprotect(struct ex *x);
void ex_do_madvise(struct ex *x);
void ex_do_mlock(struct ex *x);
void ex_do_beyond(struct ex *x);
void ex_do_resize(struct ex *x);
void ex_do_punch(struct ex *x);
void ex_do_sync(struct ex *x);
void ex_do_fsync(struct ex *x);
void ex_do_msync(struct ex *x);
void ex_do_advise(struct ex *x);
int ex_set_policy(struct ex *x, int fd, const char *name);
void ex_do_set_policy(struct ex *x);
void ex_do_set_observer(struct ex *x);
void ex_do_set_budget(struct ex *x);
void ex_do_look(struct ex *x);
void ex_do_pollute(struct ex *x);
void ex_do_fork(struct ex *x);
void ex_do_attach(struct ex *x);
void ex_do_close(struct ex *x);
void ex_do_verify(struct ex *x);

#endif /* _EXERCISER_H */
