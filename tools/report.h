/* SPDX-License-Identifier: GPL-2.0-only */
/* vmdemoctl report: see view.h for its files. */
#ifndef _CTL_REPORT_H
#define _CTL_REPORT_H

#include "view.h"

/**
 * struct report - all that is shown
 * @view: what happened
 * @args: all policies, opt the last, and the sizes of the curves
 * @trace: the references
 * @runs: of the curves, policy by policy
 * @at: with as many frames as @frames tells, one of each policy
 * @frames: the budget of the table
 * @ws: the working set
 * @measured: counters, latencies and the set-up of a real space, or NULL
 * @command: what made it
 */
struct report {
	struct view view;
	struct lab_args args;
	struct lab_trace trace;
	struct lab_run *runs;
	struct lab_run *at;
	u32 frames;
	struct lab_ws ws;
	struct json_object *measured;
	char *command;
};

/* The page, report.html, which the build makes an object of. */
extern const char _binary_report_html_start[];
extern const char _binary_report_html_end[];

/* All of it, or NULL, after having told. */
struct json_object *report_json(const struct report *report);

#endif /* _CTL_REPORT_H */
