/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libvmdemo-preload.so: a program's heap in a space (vmdemoctl run).
 *
 * It comes into a program by LD_PRELOAD, before libmimalloc.so.2, which is the
 * program's malloc(). No allocator is in here: mimalloc is handed a part of the
 * space to manage, the arena; what more it wants it asks mmap() for, as the
 * program itself may, and mmap() is ours:
 *
 *	init.c		the environment, the space, the arena
 *	space.c		the device: one function a call
 *	area.c		which addresses stand for which pages of the space
 *	mmap.c		mmap(), munmap(), mremap(), madvise()
 *	new.c		C++'s operator new, when there is no memory
 *	fork.c		a child gets a space of its own
 *
 * All of it may run inside malloc(), before constructors, or in a child between
 * fork() and its handlers: nothing in here allocates, and the kernel is asked
 * directly where the C library's function is replaced.
 *
 * Locks, in this order: pre_fork_lock (fork.c), pre_init_lock (init.c),
 * pre_area_lock (area.c).
 */
#ifndef _VMD_PRELOAD_H
#define _VMD_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "../../uapi/vmdemo.h"

#define __alias(name)	__attribute((__alias__(name)))
#define __aligned(n)	__attribute((__aligned__(n)))
#define __printf(a, b)	__attribute((__format__(__printf__, a, b)))

#define PRE_PAGE	4096UL
#define PRE_LARGE	1048576UL	/* least mmap() that goes to the space */
#define PRE_SEGMENT	33554432UL	/* what mimalloc's arenas are made of */

/* The name of the variable that vmdemoctl tells all of struct pre_setup in. */
#define PRE_ENV		"VMDEMO_RUN"

/**
 * struct pre_space - an open file of the device, and the space it stands for
 * @fd: -1 if there is none
 * @id: the space's
 * @pid: process that opened it
 */
struct pre_space {
	int fd;
	__u64 id;
	pid_t pid;
};

extern struct pre_space pre_space;		/* this process's */
extern struct vmd_config pre_config;		/* and that of every new one */

/*
 * init.c
 */

/* Is there a space? The first call sees to it. */
bool pre_ready(void);

/* A line on standard error. */
__printf(1, 2) void pre_say(const char *fmt, ...);

/*
 * space.c: 0, or -1 and errno
 */
int pre_space_new(struct pre_space *space);
int pre_space_join(struct pre_space *space, __u64 id);
void pre_space_close(struct pre_space *space);

/*
 * The descriptor; opened anew if the program has closed it, or has forked. With
 * pre_area_lock held.
 */
int pre_space_fd(void);

int pre_space_punch(off_t offset, size_t length);

/*
 * area.c: all with pre_area_lock held
 */

/**
 * struct pre_area - a piece of the space, and where it is mapped
 * @start: its first address
 * @length: bytes
 * @offset: where in the space it begins
 */
struct pre_area {
	char *start;
	size_t length;
	off_t offset;
};

#define PRE_AREAS	8192

extern struct pre_area pre_area[PRE_AREAS];	/* by offset; the first is the arena */
extern int pre_areas;
extern int pre_area_lock;

/* A place for @length bytes that no area has, or -1. */
off_t pre_area_gap(size_t length);
int pre_area_add(char *start, size_t length, off_t offset);

/* What of area @i lies in this range: false, or the piece. */
bool pre_area_piece(int i, const char *start, size_t length, struct pre_area *piece);

/* Forget what lies in the range, but for the arena; its content is dropped. */
void pre_area_cut(char *start, size_t length);

/* Does any area have this address? */
bool pre_area_has(const void *address);

/*
 * fork.c
 */
int pre_fork_init(void);

/* Locks that can be had inside malloc(). */
void pre_lock(int *lock);
void pre_unlock(int *lock);
void pre_wait(int *word, int value);
void pre_wake(int *word);

/* What the kernel's own calls do. */
void *pre_sys_mmap(void *start, size_t length, int prot, int flags, int fd, off_t offset);
int pre_sys_madvise(void *start, size_t length, int advice);

/* mimalloc.h of version 2; none of it need be there. */
bool mi_manage_os_memory_ex(void *start, size_t size, bool is_committed, bool is_large,
			    bool is_zero, int numa_node, bool exclusive, int *arena_id);
void *mi_malloc(size_t size);
void *mi_malloc_aligned(size_t size, size_t alignment);

#pragma weak mi_manage_os_memory_ex
#pragma weak mi_malloc
#pragma weak mi_malloc_aligned

#endif /* _VMD_PRELOAD_H */
