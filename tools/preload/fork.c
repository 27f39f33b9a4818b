// SPDX-License-Identifier: GPL-2.0-only
/*
 * fork(): the child gets a space of its own, with a copy of what there is.
 *
 * The mappings of a space are shared, so a child would write to its parent's
 * heap. Before the child is made, the other threads are stopped and the pages
 * with content are copied to a new space. The child does not inherit the
 * mappings (MADV_DONTFORK); it maps the new space at their addresses in its
 * handler, which is the first to run. The C library itself may touch the heap
 * before that, to reset locks of streams: then a handler of SIGSEGV maps it.
 *
 * vfork(), posix_spawn(), system() and popen() share all memory with the child
 * until it runs a program: there is nothing to do. A child made by clone(2) or
 * _Fork() without handlers shares the heap with its parent.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload.h"

#define FORK_PIECES	16384
#define FORK_FAILED	125

/* A mapping as the kernel has it: mprotect() cuts areas into several. */
struct fork_piece {
	struct pre_area at;
	int prot;
};

static int pre_fork_lock;

/* All by that lock, which the thread that forks holds from handler to handler. */
static struct fork_piece fork_piece[FORK_PIECES];
static int fork_pieces;
static struct pre_space fork_space;		/* the child's */
static int fork_parent;				/* its process id */
static bool fork_mapped;			/* in the child */
static bool fork_failed;
static sigset_t fork_mask;
static struct sigaction fork_action[2];
static const int fork_signal[2] = { SIGSEGV, SIGBUS };

static void fork_add_line(char *line)
{
	struct pre_area piece;
	unsigned long start, end;
	int i, prot = 0;

	start = strtoul(line, &line, 16);
	end = strtoul(line + 1, &line, 16);
	prot |= line[1] == 'r' ? PROT_READ : 0;
	prot |= line[2] == 'w' ? PROT_WRITE : 0;
	prot |= line[3] == 'x' ? PROT_EXEC : 0;
	for (i = 0; i < pre_areas; i++) {
		if (!pre_area_piece(i, (char *)start, end - start, &piece))
			continue;
		if (fork_pieces == FORK_PIECES) {
			fork_failed = true;
			return;
		}
		fork_piece[fork_pieces].at = piece;
		fork_piece[fork_pieces++].prot = prot;
	}
}

/* Up to the last end of a line; returns how many bytes are left of the next. */
static size_t fork_add_lines(char *buffer, size_t length)
{
	char *line = buffer, *end;

	while ((end = memchr(line, '\n', buffer + length - line))) {
		*end = 0;
		fork_add_line(line);
		line = end + 1;
	}
	memmove(buffer, line, buffer + length - line);
	return buffer + length - line;
}

/* Only the kernel knows what the program has protected. */
static void fork_find_pieces(void)
{
	static char buffer[65536];
	size_t left = 0;
	ssize_t got;
	int fd;

	fork_pieces = 0;
	fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0) {
		fork_failed = true;
		return;
	}
	while ((got = read(fd, buffer + left, sizeof(buffer) - left)) > 0)
		left = fork_add_lines(buffer, left + got);
	syscall(SYS_close, fd);
}

static int fork_copy(void)
{
	int i;

	if (pre_space_new(&fork_space))
		return -1;
	for (i = 0; i < pre_areas; i++)
		if (pre_space_copy(&fork_space, pre_area[i].offset, pre_area[i].length))
			return -1;
	return 0;
}

static void fork_advise(int advice)
{
	int i;

	for (i = 0; i < fork_pieces; i++)
		pre_sys_madvise(fork_piece[i].at.start, fork_piece[i].at.length, advice);
}

/* In the child: all that the parent had, at the same addresses. */
static void fork_map(void)
{
	const struct fork_piece *p;

	if (fork_failed)
		_exit(FORK_FAILED);
	fork_mapped = true;
	for (p = fork_piece; p < fork_piece + fork_pieces; p++)
		if (pre_sys_mmap(p->at.start, p->at.length, p->prot, MAP_SHARED | MAP_FIXED,
				 fork_space.fd, p->at.offset) == MAP_FAILED)
			_exit(FORK_FAILED);
}

/* Whatever else it is, it is the program's: it comes again, to its handler. */
static void fork_fault(int number, siginfo_t *info, void *context)
{
	int error = errno;

	(void)context;
	if (!fork_mapped && syscall(SYS_getpid) != fork_parent && pre_area_has(info->si_addr))
		fork_map();
	else
		sigaction(number, &fork_action[number == SIGBUS], NULL);
	errno = error;
}

/* No handler of the program may run in the child before it has its heap. */
static void fork_take_signals(void)
{
	struct sigaction action = { .sa_sigaction = fork_fault, .sa_flags = SA_SIGINFO };
	sigset_t all;
	int i;

	sigfillset(&all);
	for (i = 0; i < 2; i++) {
		sigdelset(&all, fork_signal[i]);
		sigaction(fork_signal[i], &action, &fork_action[i]);
	}
	pthread_sigmask(SIG_SETMASK, &all, &fork_mask);
}

static void fork_give_signals(void)
{
	int i;

	for (i = 0; i < 2; i++)
		sigaction(fork_signal[i], &fork_action[i], NULL);
	pthread_sigmask(SIG_SETMASK, &fork_mask, NULL);
}

static void fork_prepare(void)
{
	int error = errno, here;

	pre_lock(&pre_fork_lock);
	pre_lock(&pre_area_lock);
	fork_take_signals();
	pre_stop_threads();
	fork_parent = getpid();
	fork_mapped = false;
	fork_failed = false;
	fork_find_pieces();
	/* It would be without a stack until it has its heap. */
	if (pre_area_has(&here)) {
		pre_say("fork: on a stack in the heap: the child cannot live");
		fork_failed = true;
	} else if (fork_failed || fork_copy()) {
		pre_say("fork: copying the heap: %s: the child cannot live", strerror(errno));
		fork_failed = true;
	}
	fork_advise(MADV_DONTFORK);
	errno = error;
}

static void fork_done(void)
{
	pre_unlock(&pre_area_lock);
	fork_give_signals();
	pre_unlock(&pre_fork_lock);
}

static void fork_in_parent(void)
{
	int error = errno;

	fork_advise(MADV_DOFORK);
	if (fork_space.fd >= 0)
		pre_space_close(&fork_space);
	pre_start_threads();
	fork_done();
	errno = error;
}

static void fork_in_child(void)
{
	int error = errno;

	if (!fork_mapped)
		fork_map();
	pre_space_close(&pre_space);
	pre_space = fork_space;
	fork_space.fd = -1;
	/* There are none: whoever waited was the parent's. */
	pre_start_threads();
	fork_done();
	errno = error;
}

int pre_fork_init(void)
{
	fork_space.fd = -1;
	errno = pthread_atfork(fork_prepare, fork_in_parent, fork_in_child);
	return errno ? -1 : 0;
}
