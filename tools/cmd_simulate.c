// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl simulate: what policies make of a reference string. */
#include "lab.h"

#include <stdlib.h>
#include <string.h>

#include "sim_explain.h"

#define SIMULATE_EXPLAIN	512

struct simulate_args {
	struct lab_args lab;
	bool explain;
};

static error_t simulate_option(int key, char *arg, struct argp_state *state)
{
	struct simulate_args *args = state->input;

	(void)arg;
	switch (key) {
	case SIMULATE_EXPLAIN:
		args->explain = true;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->lab;
		return 0;
	case ARGP_KEY_END:
		if (!args->lab.spec)
			argp_error(state, "--frames is missing: 8, 10%%, 1-64, all, auto");
		if (args->explain && args->lab.nr_policies != 1)
			argp_error(state, "--explain is for one --policy");
		if (args->explain && args->lab.csv)
			argp_error(state, "--explain makes no CSV: leave out --csv, or use --json");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option simulate_options[] = {
	{ "explain", SIMULATE_EXPLAIN, NULL, 0,
	  "Instead of counts: each reference, and why which page goes for it", 0 },
	{ 0 },
};

static const struct argp simulate_argp = {
	.options = simulate_options,
	.parser = simulate_option,
	.args_doc = "--frames N[,N...] TRACE",
	.doc = "Run the references in the file TRACE through replacement policies, with\n"
	       "the source that the kernel module has, and print what each of them would\n"
	       "have missed, evicted and written.\n"
	       "\vTRACE may be -, standard input. 'opt' is Belady's MIN. Several policies\n"
	       "and budgets are simulated at the same time, on all CPUs.\n"
	       "\n"
	       "With --placement, page p may use the N frames of set p mod (frames / N) only,\n"
	       "and the misses are told apart: compulsory, the first of a page; capacity, which\n"
	       "LRU with all frames for all pages would have, too; conflict, the rest. Budgets\n"
	       "have to be multiples of N; those of ranges and percentages are made so.\n"
	       "\n"
	       "Example:\n"
	       "  echo 7 0 1 2 0 3 0 4 2 3 0 3 2 1 2 0 1 7 0 1 |\n"
	       "      vmdemoctl simulate --policy fifo,lru,opt --frames 3,4 -\n"
	       "  echo 1 2 3 1 4 | vmdemoctl simulate --policy clock --frames 3 --explain -",
	.children = lab_common,
};

/* With placement: of which kinds the misses are. */
static void simulate_print_placed(const struct lab_run *runs, size_t nr)
{
	static const char *const heads[] = {
		"policy", ">frames", ">misses", ">miss %", ">compulsory", ">capacity",
		">conflict", ">evictions", ">written", ">rate",
	};
	struct ctl_table *table = ctl_table_new(heads, ARRAY_SIZE(heads));
	char rate[LAB_RATE_LEN];
	size_t i;

	for (i = 0; i < nr; i++) {
		const struct vmd_sim_totals *t = &runs[i].totals;

		ctl_cell(table, "%s", runs[i].policy->name);
		ctl_cell(table, "%u", runs[i].frames);
		ctl_cell(table, "%llu", (__u64)t->misses);
		ctl_cell(table, "%.2f", 100 * lab_ratio(t->misses, t->references));
		ctl_cell(table, "%llu", (__u64)t->misses_compulsory);
		ctl_cell(table, "%llu", (__u64)t->misses_capacity);
		ctl_cell(table, "%llu", (__u64)t->misses_conflict);
		ctl_cell(table, "%llu", (__u64)t->evictions);
		ctl_cell(table, "%llu", (__u64)t->pages_written);
		ctl_cell(table, "%s", lab_format_rate(lab_rate(&runs[i]), rate));
	}
	ctl_table_free(table, true);
}

static void simulate_print(const struct lab_trace *trace, const struct lab_run *runs,
			   size_t nr)
{
	static const char *const heads[] = {
		"policy", ">frames", ">misses", ">miss %", ">hits", ">evictions", ">written",
		">rate",
	};
	struct ctl_table *table = ctl_table_new(heads, ARRAY_SIZE(heads));
	char rate[LAB_RATE_LEN];
	size_t i;

	lab_print_head(trace);
	for (i = 0; i < nr; i++) {
		const struct vmd_sim_totals *t = &runs[i].totals;

		ctl_cell(table, "%s", runs[i].policy->name);
		ctl_cell(table, "%u", runs[i].frames);
		ctl_cell(table, "%llu", (__u64)t->misses);
		ctl_cell(table, "%.2f", 100 * lab_ratio(t->misses, t->references));
		ctl_cell(table, "%llu", (__u64)t->hits);
		ctl_cell(table, "%llu", (__u64)t->evictions);
		ctl_cell(table, "%llu", (__u64)t->pages_written);
		ctl_cell(table, "%s", lab_format_rate(lab_rate(&runs[i]), rate));
	}
	ctl_table_free(table, true);
}

/* More columns, behind the others, with placement. */
static void simulate_csv_placed(const struct lab_run *run)
{
	const struct vmd_sim_totals *t = &run->totals;
	char placement[VMD_PLACE_LEN];

	vmd_place_format(run->policy->ways, placement);
	if (run->policy->ways)
		printf(",%s,%llu,%llu,%llu", placement, (__u64)t->misses_compulsory,
		       (__u64)t->misses_capacity, (__u64)t->misses_conflict);
	putchar('\n');
}

static void simulate_csv(const struct lab_run *runs, size_t nr)
{
	size_t i;

	fputs("policy,frames,references,hits,misses,miss_ratio,", stdout);
	fputs("evictions,pages_written,references_per_second", stdout);
	puts(nr && runs->policy->ways ?
	     ",placement,misses_compulsory,misses_capacity,misses_conflict" : "");
	for (i = 0; i < nr; i++) {
		const struct vmd_sim_totals *t = &runs[i].totals;
		bool quote = strchr(runs[i].policy->name, ',');

		printf("%s%s%s,%u,%llu,%llu,%llu,%.8f,%llu,%llu,%.0f", quote ? "\"" : "",
		       runs[i].policy->name, quote ? "\"" : "", runs[i].frames,
		       (__u64)t->references, (__u64)t->hits, (__u64)t->misses,
		       lab_ratio(t->misses, t->references), (__u64)t->evictions,
		       (__u64)t->pages_written, lab_rate(&runs[i]));
		simulate_csv_placed(&runs[i]);
	}
}

static void simulate_json(const struct lab_trace *trace, const struct lab_run *runs, size_t nr)
{
	struct json_object *object = json_object_new_object();
	struct json_object *array = json_object_new_array();
	size_t i;

	lab_json_head(object, trace);
	for (i = 0; i < nr; i++) {
		struct json_object *run = json_object_new_object();

		lab_json_run(run, &runs[i]);
		json_object_array_add(array, run);
	}
	ctl_json_add(object, "runs", array);
	ctl_json_free(object, true);
}

static int simulate_explain(struct lab_args *args, struct lab_trace *trace)
{
	if (args->nr_frames != 1)
		return ctl_usage("--explain is for one number of --frames, not %zu",
				 args->nr_frames);
	return sim_explain(trace, args->policies, args->frames[0]);
}

static int simulate(struct lab_args *args, struct lab_trace *trace)
{
	size_t nr = args->nr_policies * args->nr_frames;
	struct lab_run *runs = lab_make_runs(args->policies, args->nr_policies,
					     args->frames, args->nr_frames);
	int status = runs ? CTL_OK : CTL_FAILED;

	if (!status)
		status = lab_sweep(trace, runs, nr, args->jobs, lab_wants_progress(args));
	if (!status && ctl_options.json)
		simulate_json(trace, runs, nr);
	else if (!status && args->csv)
		simulate_csv(runs, nr);
	else if (!status && !args->ways)
		simulate_print(trace, runs, nr);
	if (!status && !ctl_options.json && !args->csv && args->ways) {
		lab_print_head(trace);
		lab_print_placement(args);
		simulate_print_placed(runs, nr);
	}
	free(runs);
	return status;
}

int cmd_simulate(int argc, char **argv)
{
	struct simulate_args simulate_args = { .explain = false };
	struct lab_args *args = &simulate_args.lab;
	struct lab_trace trace = { 0 };
	int status;

	ctl_parse_args(&simulate_argp, argc, argv, &simulate_args);
	if (!args->nr_policies)
		lab_add_all(args, true);
	status = lab_load(&trace, args->words.word[0], &args->options, lab_wants_progress(args));
	if (!status)
		status = lab_resolve(args, &trace, NULL);
	if (!status && simulate_args.explain)
		status = simulate_explain(args, &trace);
	else if (!status)
		status = simulate(args, &trace);
	lab_unload(&trace);
	lab_args_free(args);
	return status;
}
