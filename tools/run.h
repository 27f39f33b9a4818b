/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmdemoctl run: run a program with its heap in a space.
 *
 *	cmd_run.c	options, the space, what the program is started with
 *	run_look.c	can this program have its heap in a space? the libraries
 *	run_show.c	the live line, the summary, the report
 */
#ifndef _CTL_RUN_H
#define _CTL_RUN_H

#include "exec.h"

#define RUN_ENV		"VMDEMO_RUN"	/* as in preload/preload.h */
#define RUN_MALLOC	"libmimalloc.so.2"

/**
 * struct run_show - what is told of a running program
 * @program: what runs
 * @config: the space's setup
 * @began: when, by CLOCK_MONOTONIC
 * @last: the counters when last looked at
 * @live: there is a line that is written anew
 * @terminal: standard error is one
 */
struct run_show {
	struct exec_program program;
	struct vmd_config config;
	struct timespec began;
	struct vmd_stats last;
	bool live;
	bool terminal;
};

/*
 * Is the file a program whose loader takes LD_PRELOAD for us? CTL_OK, or the user
 * has been told why not.
 */
int run_look(const char *path);

/* The preload library's path, to be freed, and mimalloc are there. */
int run_libraries(char **preload);

/* One live line; a callback of exec_run(). */
void run_tick(const struct exec_program *program);

/* The end: the summary goes to standard error, JSON to @report_fd if not -1. */
int run_end(struct run_show *show, int report_fd, const char *report);

#endif /* _CTL_RUN_H */
