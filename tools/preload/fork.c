// SPDX-License-Identifier: GPL-2.0-only
/*
 * fork(): the child gets a space of its own, that shares what there is with its
 * parent's until one of them writes.
 *
 * That is the module's work: the space is private (VMD_SPACE_PRIVATE), so the
 * mappings that the child inherits are of another one already when fork()
 * returns, however it was called. What is left to be done is to keep what is
 * known of the areas whole meanwhile, and a descriptor for the child: the one it
 * inherits stands for its parent's space (space.c).
 *
 * vfork(), posix_spawn(), system() and popen() share all memory with the child
 * until it runs a program: there is nothing to do.
 */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "preload.h"

#define FORK_FAILED	125

static int pre_fork_lock;

static void fork_prepare(void)
{
	pre_lock(&pre_fork_lock);
	pre_lock(&pre_area_lock);
}

static void fork_done(void)
{
	pre_unlock(&pre_area_lock);
	pre_unlock(&pre_fork_lock);
}

static void fork_in_child(void)
{
	int error = errno;

	if (pre_space_fd() < 0) {
		pre_say("fork: the heap could not be shared: the child cannot live");
		_exit(FORK_FAILED);
	}
	fork_done();
	errno = error;
}

int pre_fork_init(void)
{
	errno = pthread_atfork(fork_prepare, fork_done, fork_in_child);
	return errno ? -1 : 0;
}
