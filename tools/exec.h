/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmdemoctl exec: run a program on a space made for it.
 *
 *	cmd_exec.c	options, the space, the report
 *	exec_run.c	the program: its descriptors, its signals, its end
 */
#ifndef _CTL_EXEC_H
#define _CTL_EXEC_H

#include "config.h"
#include "device.h"
#include "file.h"

#include <time.h>

/* What env(1), nice(1) and timeout(1) exit with; else PROGRAM's status counts. */
enum exec_status {
	EXEC_FAILED	 = 125,		/* vmdemoctl itself failed */
	EXEC_NOT_RUN	 = 126,		/* PROGRAM was found and cannot be run */
	EXEC_NOT_FOUND	 = 127,		/* PROGRAM was not found */
};

#define EXEC_FD		3		/* where a program finds its space */

/**
 * struct exec_watch - who looks on while the program runs (vmdemoctl record)
 * @begin: the space is there, the program not yet
 * @end: the program has ended; only after @begin went well
 * @data: their argument
 */
struct exec_watch {
	int (*begin)(void *data, struct ctl_space *space);
	int (*end)(void *data);
	void *data;
};

/* What the user asked for; @optional: there need not be a program. */
struct exec_args {
	struct ctl_request request;
	struct ctl_file file;
	char **argv;
	int fd;
	bool in;
	bool out;
	bool stats;
	bool private;
	const char *report;
	const char *future;
	int report_fd;
	int status;
	bool optional;
	const struct exec_watch *watch;
};

/*
 * The options of exec, with the common ones, as the children of a verb's own;
 * child_inputs[0] is a struct exec_args, fd set to EXEC_FD.
 */
extern const struct argp_child exec_common[];

/* Make the space, run the program: an exit status, or dies as the program did. */
int exec_main(struct exec_args *args);

/**
 * struct exec_program - what to run, and what it is to find open
 * @argv: the program and its arguments
 * @fd: the descriptor it shall have the space as
 * @space: the space
 * @in: an open file of it that becomes standard input, or none
 * @out: one that becomes standard output, or none
 * @wait_status: how it ended, as wait(2) tells
 * @prepare: called in the child, instead of handing the space over; false and
 *	errno if it failed; may be NULL
 * @tick: called each @pause while it runs; may be NULL
 * @pause: how long that is
 */
struct exec_program {
	char **argv;
	int fd;
	struct ctl_space space;
	struct ctl_space in;
	struct ctl_space out;
	int wait_status;
	bool (*prepare)(const struct exec_program *program);
	void (*tick)(const struct exec_program *program);
	struct timespec pause;
};

/* The path of the program that is meant, to be freed; status as exec_find(). */
int exec_find_path(const char *name, char **path);

/* Is there such a program? 0, or an exit status, the user having been told. */
int exec_find(const char *name);

/* Standard descriptors that are closed would be taken by what we open. */
void exec_fill_stdio(void);

/* Run it to its end, handing on the signals we get. */
int exec_run(struct exec_program *program);

/* End as it has ended: returns its exit status, or dies of its signal. */
int exec_end(const struct exec_program *program);

#endif /* _CTL_EXEC_H */
