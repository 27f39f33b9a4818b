/* SPDX-License-Identifier: GPL-2.0-only */
/* The module's files below /proc/vmdemo ($VMDEMO_PROC, if set, instead). */
#ifndef _CTL_PROCFS_H
#define _CTL_PROCFS_H

#include "vmdemoctl.h"

#define CTL_COMM_LEN	64

/* A line of "spaces". */
struct ctl_space_line {
	__u64 id;
	__u64 uid;
	__u64 pid;
	__u64 size;
	__u64 budget;
	__u64 resident;
	__u64 dirty;
	char policy[VMD_POLICY_LEN];
	char observer[VMD_NAME_LEN];
	char store[VMD_NAME_LEN];
	char flags[64];			/* "encrypt,readonly", "-"; "" of an older module */
	char live[VMD_POLICY_LEN];	/* "" of an older module */
	char placement[VMD_NAME_LEN];	/* "set:4"; "" of an older module */
	char comm[CTL_COMM_LEN];
};

/* Is the file there? False where the module is not loaded. */
bool ctl_proc_has(const char *name);

/* Call @each for every line of "spaces". */
int ctl_proc_spaces(void (*each)(void *arg, const struct ctl_space_line *line),
		    void *arg);

/* The number of spaces, and the counters of all of them together. */
int ctl_proc_stats(__u64 *spaces, struct vmd_stats *stats);

/* Call @each for every policy of the loaded module. */
int ctl_proc_policies(void (*each)(void *arg, const char *name, const char *text),
		      void *arg);

#endif /* _CTL_PROCFS_H */
