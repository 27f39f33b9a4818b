/* SPDX-License-Identifier: GPL-2.0-only */
/* The user's file behind a space. */
#ifndef _CTL_FILE_H
#define _CTL_FILE_H

#include "device.h"

/**
 * struct ctl_file - a file that a space shall be a window on
 * @path: as the user named it, NULL if there is none
 * @read_only: open it for reading only
 * @fd: open between ctl_file_open() and ctl_file_close(), else -1
 * @size: its bytes when it was opened
 */
struct ctl_file {
	const char *path;
	bool read_only;
	int fd;
	__u64 size;
};

/* Open it, if it is named and of a kind that a space can be made of. */
int ctl_file_open(struct ctl_file *file);
void ctl_file_close(struct ctl_file *file);

/*
 * Make the space a window on the file, if there is one. It is a new space: what
 * it is, space->info tells.
 */
int ctl_file_use(struct ctl_file *file, struct ctl_space *space);

/* Wait until what was written to the space is in the file; no file, no wait. */
int ctl_file_sync(struct ctl_file *file, struct ctl_space *space);

/*
 * --file and --read-only, with the common options, as the children of a verb's
 * parser, which hands them its struct ctl_file: at ARGP_KEY_INIT it is to put it
 * into state->child_inputs[0].
 */
extern const struct argp ctl_file_argp;
extern const struct argp_child ctl_file_common[];

#endif /* _CTL_FILE_H */
