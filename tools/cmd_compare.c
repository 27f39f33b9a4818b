// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl compare: every policy against the optimum. */
#include "lab.h"

#include <stdlib.h>
#include <string.h>

#define COMPARE_FRAMES	"5%,10%,20%,40%,80%"

static error_t compare_option(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = state->input;
	return 0;
}

static const struct argp compare_argp = {
	.parser = compare_option,
	.args_doc = "TRACE",
	.doc = "Compare replacement policies, at several budgets, with each other and with\n"
	       "the optimum, Belady's MIN: misses, the regret (how many percent more misses\n"
	       "than the optimum), and pages written back.\n"
	       "\vWithout --policy all policies are compared, without --frames at\n"
	       "5, 10, 20, 40 and 80 percent of the pages there are references to. With\n"
	       "--placement the optimum is the one that it leaves.\n"
	       "\n"
	       "Example:\n"
	       "  vmdemoctl compare --frames 100,1000 ls.vmd",
	.children = lab_common,
};

struct compare {
	struct lab_args args;
	struct lab_trace trace;
	struct lab_run *runs;		/* policy by policy, the last one is opt */
};

static const struct lab_run *compare_run(const struct compare *compare, size_t policy,
					 size_t size)
{
	return &compare->runs[policy * compare->args.nr_frames + size];
}

/* Percent more misses than the optimum, which always has some. */
static double compare_regret(const struct compare *compare, size_t policy, size_t size)
{
	u64 best = compare_run(compare, compare->args.nr_policies - 1, size)->totals.misses;
	u64 misses = compare_run(compare, policy, size)->totals.misses;

	return 100.0 * ((double)misses - best) / best;
}

static void compare_print_size(const struct compare *compare, size_t size)
{
	static const char *const heads[] = {
		"policy", ">misses", ">miss %", ">regret %", ">evictions", ">written", ">rate",
	};
	static const char *const placed[] = {
		"policy", ">misses", ">miss %", ">regret %", ">conflict", ">evictions", ">written",
		">rate",
	};
	bool sets = compare->args.ways;
	struct ctl_table *table = ctl_table_new(sets ? placed : heads, ARRAY_SIZE(heads) + sets);
	char rate[LAB_RATE_LEN];
	size_t i;

	printf("\n%u frames:\n", compare->args.frames[size]);
	for (i = 0; i < compare->args.nr_policies; i++) {
		const struct lab_run *run = compare_run(compare, i, size);
		const struct vmd_sim_totals *t = &run->totals;

		ctl_cell(table, "%s", run->policy->name);
		ctl_cell(table, "%llu", (__u64)t->misses);
		ctl_cell(table, "%.2f", 100 * lab_ratio(t->misses, t->references));
		ctl_cell(table, "%.2f", compare_regret(compare, i, size));
		if (sets)
			ctl_cell(table, "%llu", (__u64)t->misses_conflict);
		ctl_cell(table, "%llu", (__u64)t->evictions);
		ctl_cell(table, "%llu", (__u64)t->pages_written);
		ctl_cell(table, "%s", lab_format_rate(lab_rate(run), rate));
	}
	ctl_table_free(table, true);
}

static void compare_print(const struct compare *compare)
{
	size_t i;

	lab_print_head(&compare->trace);
	lab_print_placement(&compare->args);
	for (i = 0; i < compare->args.nr_frames; i++)
		compare_print_size(compare, i);
}

static void compare_csv_run(const struct compare *compare, size_t policy, size_t size)
{
	const struct lab_run *run = compare_run(compare, policy, size);
	const struct vmd_sim_totals *t = &run->totals;
	const char *quote = strchr(run->policy->name, ',') ? "\"" : "";

	printf("%u,%s%s%s,%llu,%.8f,%.4f,%llu,%llu\n", run->frames, quote, run->policy->name,
	       quote, (__u64)t->misses, lab_ratio(t->misses, t->references),
	       compare_regret(compare, policy, size), (__u64)t->evictions,
	       (__u64)t->pages_written);
}

static void compare_csv(const struct compare *compare)
{
	size_t i, p;

	puts("frames,policy,misses,miss_ratio,regret_percent,evictions,pages_written");
	for (i = 0; i < compare->args.nr_frames; i++)
		for (p = 0; p < compare->args.nr_policies; p++)
			compare_csv_run(compare, p, i);
}

static void compare_json(const struct compare *compare)
{
	struct json_object *object = json_object_new_object();
	struct json_object *array = json_object_new_array();
	size_t i, p;

	lab_json_head(object, &compare->trace);
	for (i = 0; i < compare->args.nr_frames; i++) {
		for (p = 0; p < compare->args.nr_policies; p++) {
			struct json_object *run = json_object_new_object();

			lab_json_run(run, compare_run(compare, p, i));
			ctl_json_add(run, "regret_percent",
				     json_object_new_double(compare_regret(compare, p, i)));
			json_object_array_add(array, run);
		}
	}
	ctl_json_add(object, "runs", array);
	ctl_json_free(object, true);
}

/* The optimum is there, and the last, however the user has put it. */
static void compare_order(struct lab_args *args)
{
	struct lab_policy last;
	size_t i;

	if (!args->nr_policies)
		lab_add_all(args, true);
	lab_add_opt(args);
	for (i = 0; i + 1 < args->nr_policies; i++) {
		if (!args->policies[i].opt)
			continue;
		last = args->policies[i];
		memmove(&args->policies[i], &args->policies[i + 1],
			(args->nr_policies - i - 1) * sizeof(last));
		args->policies[args->nr_policies - 1] = last;
	}
}

static int compare_all(struct compare *compare)
{
	struct lab_args *args = &compare->args;

	compare->runs = lab_make_runs(args->policies, args->nr_policies, args->frames,
				      args->nr_frames);
	if (!compare->runs)
		return CTL_FAILED;
	return lab_sweep(&compare->trace, compare->runs, args->nr_policies * args->nr_frames,
			 args->jobs, lab_wants_progress(args));
}

static void compare_show(const struct compare *compare)
{
	if (ctl_options.json)
		compare_json(compare);
	else if (compare->args.csv)
		compare_csv(compare);
	else
		compare_print(compare);
}

int cmd_compare(int argc, char **argv)
{
	struct compare compare = { 0 };
	struct lab_args *args = &compare.args;
	int status;

	ctl_parse_args(&compare_argp, argc, argv, args);
	compare_order(args);
	status = lab_load(&compare.trace, args->words.word[0], &args->options,
			  lab_wants_progress(args));
	if (!status)
		status = lab_resolve(args, &compare.trace, COMPARE_FRAMES);
	if (!status)
		status = compare_all(&compare);
	if (!status)
		compare_show(&compare);
	free(compare.runs);
	lab_unload(&compare.trace);
	lab_args_free(args);
	return status;
}
