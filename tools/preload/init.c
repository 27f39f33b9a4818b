// SPDX-License-Identifier: GPL-2.0-only
/*
 * The beginning: what vmdemoctl told, the space, mimalloc's arena.
 *
 * It begins with the first large mmap(), which is mimalloc's for the program's
 * first malloc(): then there is a space before there is anything to be in it.
 */
#include <errno.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload.h"

#define INIT_ARENA	268435456UL		/* most that is mimalloc's from the beginning */
#define INIT_FAILED	125		/* as vmdemoctl run itself */

/* What this process is to others. */
enum init_role {
	INIT_NOBODY,		/* vmdemoctl did not start it */
	INIT_PROGRAM,		/* the program: its space is there already */
	INIT_OTHER,		/* a program that the program runs */
};

enum init_state {
	INIT_NONE,
	INIT_READY,
	INIT_OFF,		/* normal memory it is */
};

static int pre_init_lock;
static int init_state;		/* enum init_state; set by pre_init_lock */
static __u64 init_given;	/* the id of the program's space */

void pre_wait(int *word, int value)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

void pre_wake(int *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1 << 30, NULL, NULL, 0);
}

/* 0: free, 1: held, 2: held, and somebody may be waiting. */
void pre_lock(int *lock)
{
	int error = errno, was = 0;

	if (__atomic_compare_exchange_n(lock, &was, 1, false, __ATOMIC_ACQUIRE,
					__ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(lock, 2, __ATOMIC_ACQUIRE))
		pre_wait(lock, 2);
	errno = error;
}

void pre_unlock(int *lock)
{
	int error = errno;

	if (__atomic_exchange_n(lock, 0, __ATOMIC_RELEASE) == 2)
		pre_wake(lock);
	errno = error;
}

void pre_say(const char *fmt, ...)
{
	char text[300] = "vmdemo: ";
	size_t length = strlen(text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(text + length, sizeof(text) - length - 1, fmt, args);
	va_end(args);
	strcat(text, "\n");
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return;
}

/* The number before the next ':', at *@text, which goes behind it. */
static __u64 init_number(char **text)
{
	__u64 n = strtoull(*text, text, 10);

	*text += **text == ':';
	return n;
}

/* "pid:space:size:budget:flags:observer:policy"; a policy may have a ':'. */
static enum init_role init_setup(void)
{
	char *text = environ ? getenv(PRE_ENV) : NULL;
	__u64 pid;
	size_t n;

	if (!text)
		return INIT_NOBODY;
	pid = init_number(&text);
	init_given = init_number(&text);
	pre_config.size = init_number(&text);
	pre_config.budget = init_number(&text);
	pre_config.flags = init_number(&text);
	n = strcspn(text, ":");
	if (n >= sizeof(pre_config.observer) || strlen(text + n) > sizeof(pre_config.policy))
		return INIT_NOBODY;
	memcpy(pre_config.observer, text, n);
	strcpy(pre_config.policy, text + n + !!text[n]);
	pre_config.mask = VMD_CONFIG_ALL;
	if (!pre_config.flags)
		pre_config.mask &= ~VMD_CONFIG_FLAGS;
	return pid == (__u64)getpid() ? INIT_PROGRAM : INIT_OTHER;
}

/* A program that is run in its own place finds what the last one left. */
static int init_space(enum init_role role)
{
	if (role == INIT_OTHER)
		return pre_space_new(&pre_space);
	return pre_space_join(&pre_space, init_given) || pre_space_punch(0, 0) ? -1 : 0;
}

/*
 * Half of a small space: the rest is for what has to be in one piece. What is
 * "not committed" mimalloc gives back when it is free for a while, with
 * madvise(): such pages need not be written out.
 */
static int init_arena(void)
{
	size_t length = pre_config.size / 2;
	char *start;

	length = length < INIT_ARENA ? length & ~(PRE_SEGMENT - 1) : INIT_ARENA;
	start = pre_sys_mmap(NULL, length + PRE_SEGMENT, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (start == MAP_FAILED)
		return -1;
	/* mimalloc finds the head of what it manages by rounding addresses down. */
	start = (char *)(((unsigned long)start + PRE_SEGMENT - 1) & ~(PRE_SEGMENT - 1));
	if (length && pre_sys_mmap(start, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
				   pre_space.fd, 0) == MAP_FAILED)
		return -1;
	/* Without length too: the first one is never cut. */
	pre_area_add(start, length, 0);
	return length && !mi_manage_os_memory_ex(start, length, false, false, true, -1,
						 false, NULL) ? -1 : 0;
}

/* The program itself must not run without what was asked for. */
static int init_failed(enum init_role role, const char *what)
{
	const char *why = strerror(errno);

	if (role == INIT_PROGRAM) {
		pre_say("%s: %s", what, why);
		_exit(INIT_FAILED);
	}
	pre_say("process %d has its heap in normal memory: %s: %s", getpid(), what, why);
	return INIT_OFF;
}

static int init_all(void)
{
	enum init_role role = init_setup();

	if (role == INIT_NOBODY)
		return INIT_OFF;
	if (!mi_manage_os_memory_ex) {
		pre_say("no libmimalloc.so.2 here: apt-get install libmimalloc2.0");
		if (role == INIT_PROGRAM)
			_exit(INIT_FAILED);
		return INIT_OFF;
	}
	if (init_space(role))
		return init_failed(role, "the space");
	if (pre_fork_init())
		return init_failed(role, "preparing for fork");
	return init_arena() ? init_failed(role, "mapping the space") : INIT_READY;
}

bool pre_ready(void)
{
	int error = errno;

	if (__atomic_load_n(&init_state, __ATOMIC_ACQUIRE) == INIT_NONE) {
		pre_lock(&pre_init_lock);
		/* Too early for the environment to be there: next time. */
		if (init_state == INIT_NONE && environ)
			__atomic_store_n(&init_state, init_all(), __ATOMIC_RELEASE);
		pre_unlock(&pre_init_lock);
	}
	errno = error;
	return init_state == INIT_READY;
}

/* A program that allocates little may need no more than what is there. */
__attribute__((constructor)) static void init_late(void)
{
	pre_ready();
}
