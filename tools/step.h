/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmdemoctl step: each fault of a space, told as the textbooks do.
 *
 *	cmd_step.c	options, the loop
 *	step_keys.c	the terminal: one key at a time, put back on every exit
 *	step_tell.c	a fault as text and as JSON
 */
#ifndef _CTL_STEP_H
#define _CTL_STEP_H

#include "device.h"

/* What the user wants next. */
enum step_key {
	STEP_KEY_NONE,		/* nothing yet */
	STEP_KEY_NEXT,
	STEP_KEY_CONTINUE,
	STEP_KEY_EVICTION,
	STEP_KEY_POLICY,
	STEP_KEY_QUIT,
};

/* Take keys one by one and unseen, or lines again. */
void step_keys_on(void);
void step_keys_off(void);

/* The key that was pressed; tells of those there are after one that is none. */
enum step_key step_key(void);

/**
 * struct step_story - what was told before
 * @phases: faults halt as they go, too
 * @last: the fault told of last
 * @victim_of: the last fault whose victim was told before it went
 * @victim: that page
 * @policy: who chose it
 */
struct step_story {
	bool phases;
	__u64 last;
	__u64 victim_of;
	__u64 victim;
	char policy[VMD_NAME_LEN];
};

/* Print a fault, or a phase of it. */
void step_tell_text(struct step_story *story, const struct vmd_step_fault *fault);
void step_tell_json(const struct vmd_step_fault *fault);

#endif /* _CTL_STEP_H */
