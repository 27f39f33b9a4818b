/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The processes of a space, as far as /proc tells: nothing says which space a
 * mapping of the device belongs to, so they are looked for among the process
 * that opened it and its descendants.
 */
#ifndef _CTL_PROCS_H
#define _CTL_PROCS_H

#include <sys/types.h>

#include "vmdemoctl.h"

#define CTL_PROCS	256

/**
 * struct ctl_procs - processes
 * @pid: their ids
 * @nr: how many
 * @stopped: how many of them are stopped
 */
struct ctl_procs {
	pid_t pid[CTL_PROCS];
	size_t nr;
	size_t stopped;
};

/*
 * Those of @opener and its descendants that map the device or, if none does,
 * that have it open; never the caller.
 */
void ctl_find_procs(pid_t opener, struct ctl_procs *procs);

/* Send all of them @signal; returns how many it was sent to. */
size_t ctl_signal_procs(const struct ctl_procs *procs, int signal);

#endif /* _CTL_PROCS_H */
