/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The laboratory: whole reference strings in memory, and what many policies
 * and budgets would make of them.
 *
 *	trace_load.c	read all of a string
 *	lab_args.c	what the verbs that simulate take from their command line
 *	lab_opt.c	Belady's MIN
 *	lab_sweep.c	many simulations, on all cores
 *	lab_stack.c	LRU at every size, the working set, in one pass
 *	lab_plot.c	curves in a terminal
 *	lab_gnuplot.c	curves in a picture
 *	cmd_simulate.c	counts of some policies
 *	cmd_compare.c	of all policies, with the optimum
 *	cmd_mrc.c	curves
 */
#ifndef _CTL_LAB_H
#define _CTL_LAB_H

#include "output.h"
#include "sim.h"
#include "trace.h"

/**
 * struct lab_trace - a string in memory
 * @name: of its file
 * @refs: VMD_SIM_REF()s, the pages numbered in the order of their first use
 * @nr: how many
 * @keys: the true number of each page
 * @pages: how many different ones there are
 * @writes: how many of the references write
 * @lost: references that were lost when it was recorded
 * @next: to be had from lab_look_ahead()
 */
struct lab_trace {
	const char *name;
	u32 *refs;
	size_t nr;
	u64 *keys;
	u32 pages;
	u64 writes;
	u64 lost;
	u32 *next;
};

/* Read all of it; tells what fails, and warns. An empty one is an error. */
int lab_load(struct lab_trace *trace, const char *path, const struct trace_options *options,
	     bool progress);
void lab_unload(struct lab_trace *trace);

/* A reference to whose page there is no further one. */
#define LAB_NEVER	(~(u32)0)

/* For each reference, the index of the next one to its page, or LAB_NEVER. */
int lab_look_ahead(struct lab_trace *trace);

/* The longest name of a policy with its parameters that is told in full. */
#define LAB_NAME	192

/**
 * struct lab_policy - what decides
 * @choice: policy and parameters, unless @opt
 * @opt: Belady's MIN
 * @ways: frames of a set, or VMD_PLACE_FULL; set by lab_resolve()
 * @name: as the user would write it
 */
struct lab_policy {
	struct vmd_policy_choice choice;
	bool opt;
	u32 ways;
	char name[LAB_NAME];
};

/**
 * struct lab_run - a simulation
 * @policy: who decides
 * @frames: the budget
 * @known: there is nothing to simulate: the totals are there
 * @totals: what came of it
 * @seconds: of CPU time
 * @error: 0, or why there are no totals
 */
struct lab_run {
	const struct lab_policy *policy;
	u32 frames;
	bool known;
	struct vmd_sim_totals totals;
	double seconds;
	int error;
};

/* References simulated so far, to be shown by somebody else; may be NULL. */
typedef u64 lab_done_t;

#define LAB_CHUNK	((size_t)1 << 16)

/* Belady's MIN on @frames; needs lab_look_ahead(). 0 or -ENOMEM. */
int lab_opt(const struct lab_trace *trace, u32 frames, struct vmd_sim_totals *totals,
	    lab_done_t *done);

/* Make all runs, @jobs at a time; 0 jobs: as many as there are CPUs. */
int lab_sweep(struct lab_trace *trace, struct lab_run *runs, size_t nr, unsigned int jobs,
	      bool progress);

/* Every policy with every budget, @policies outside, in one array. */
struct lab_run *lab_make_runs(const struct lab_policy *policies, size_t nr_policies,
			      const u32 *frames, size_t nr_frames);

/**
 * struct lab_args - what the verbs have in common
 * @options: how to read the trace
 * @words: the trace
 * @policies: those asked for, @nr_policies of them
 * @nr_policies: see @policies
 * @spec: the budgets as the user wrote them, or NULL
 * @frames: the budgets, once lab_resolve() has seen the trace
 * @nr_frames: how many
 * @ways: frames of a set, or VMD_PLACE_FULL
 * @jobs: simulations at a time, 0: as many as there are CPUs
 * @csv: print CSV
 * @quiet: no progress
 * @progress: progress, terminal or not
 */
struct lab_args {
	struct trace_options options;
	struct ctl_words words;
	struct lab_policy *policies;
	size_t nr_policies;
	const char *spec;
	u32 *frames;
	size_t nr_frames;
	u32 ways;
	unsigned int jobs;
	bool csv;
	bool progress;
};

/* The parser, as the children of a verb's own; child_inputs[0] is the args. */
extern const struct argp_child lab_common[];

/* Add every policy of the table, and opt at the end if @opt. */
void lab_add_all(struct lab_args *args, bool opt);
void lab_add_opt(struct lab_args *args);
bool lab_has(const struct lab_args *args, const char *name);

/* Find out the budgets; where none are given they are @spec. */
int lab_resolve(struct lab_args *args, const struct lab_trace *trace, const char *spec);

bool lab_wants_progress(const struct lab_args *args);
void lab_args_free(struct lab_args *args);

/* A line that tells of the placement, where it is not full. */
void lab_print_placement(const struct lab_args *args);

/* The line "trace: ..." above all tables; the same as members of @object. */
void lab_print_head(const struct lab_trace *trace);
void lab_json_head(struct json_object *object, const struct lab_trace *trace);

/* The members of a simulation; its rate. */
void lab_json_run(struct json_object *object, const struct lab_run *run);
double lab_rate(const struct lab_run *run);

/* "12.3M/s". */
#define LAB_RATE_LEN	24
const char *lab_format_rate(double rate, char buf[LAB_RATE_LEN]);

/* Misses over references. */
static inline double lab_ratio(u64 misses, u64 references)
{
	return references ? (double)misses / references : 0;
}

/* Progress on stderr: a line that is written over and over. */
struct lab_progress {
	bool wanted;
	bool shown;
	double next;
};

void lab_progress_init(struct lab_progress *progress, bool wanted);
bool lab_progress_due(struct lab_progress *progress);
void lab_progress_end(struct lab_progress *progress);
double lab_now(void);

/**
 * struct lab_stack - what one pass over the string tells
 * @misses: misses[n]: those of LRU with n frames, 0 to @pages
 * @pages: see @misses
 * @buckets: references whose reuse distance is 2^(i-1) to 2^i - 1, that is the
 *	number of different pages referenced in between; [0] is 0: the same page
 * @cold: references to pages for the first time
 */
#define LAB_BUCKETS	33
struct lab_stack {
	u64 *misses;
	u32 pages;
	u64 buckets[LAB_BUCKETS];
	u64 cold;
};

int lab_stack(const struct lab_trace *trace, struct lab_stack *stack, bool progress);
void lab_stack_free(struct lab_stack *stack);

/* The last bucket in use, and the least distance in bucket i. */
u32 lab_last_bucket(const struct lab_stack *stack);
u64 lab_bucket_start(u32 bucket);

/**
 * struct lab_ws - the working set over time
 * @window: references it is counted over
 * @nr: samples
 * @at: at[i]: after how many references
 * @size: size[i]: different pages in the last @window of these
 * @most: the largest of all, sampled or not
 * @mean: of all, sampled or not
 */
struct lab_ws {
	u64 window;
	size_t nr;
	u64 *at;
	u32 *size;
	u32 most;
	double mean;
};

int lab_ws(const struct lab_trace *trace, u64 window, size_t samples, struct lab_ws *ws);
void lab_ws_free(struct lab_ws *ws);

/**
 * struct lab_curve - points to be joined
 * @name: for the legend
 * @nr: how many
 * @x: at what
 * @y: how much
 */
struct lab_curve {
	const char *name;
	size_t nr;
	double *x;
	double *y;
};

/* Whether an axis between the two is better logarithmic. */
static inline bool lab_is_wide(double first, double last)
{
	return last > 50 * first;
}

/* Draw curves in text, over an x axis that is logarithmic or not. */
void lab_plot(const struct lab_curve *curves, size_t nr, const char *x_name,
	      const char *y_name, bool log_x);

/* All that "mrc" shows. */
struct lab_mrc {
	const struct lab_trace *trace;
	struct lab_curve *curves;
	size_t nr_curves;
	struct lab_stack stack;
	struct lab_ws ws;
};

/* Make a picture, SVG or PNG as its name ends. */
int lab_picture(const struct lab_mrc *mrc, const char *path);
int lab_check_picture(const char *path);

/*
 * Run gnuplot, for a picture of that size: what is written to the result tells
 * it what to draw. NULL, or an exit status at the end, after having told.
 */
FILE *lab_gnuplot_start(const char *path, int width, int height);
void lab_gnuplot_quote(FILE *to, const char *text);
int lab_gnuplot_end(FILE *to, const char *path);

#endif /* _CTL_LAB_H */
