// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl stats: counters and latencies, of a space or of the module. */
#include "future.h"
#include "output.h"
#include "procfs.h"

#include <stdio.h>

struct stats_args {
	struct ctl_words words;
	bool reset;
};

/* How often a page that became dirty was written: less than once if it waited. */
static double stats_per_dirtied(const struct vmd_stats *stats)
{
	return (double)stats->pages_written / stats->pages_dirtied;
}

static void stats_add_ratio(struct json_object *object,
			    const struct vmd_stats *stats)
{
	if (stats->pages_dirtied)
		ctl_json_add(object, "written_per_dirtied",
			     json_object_new_double(stats_per_dirtied(stats)));
}

/* @spaces: how many there are, NULL if that is not to be told. */
static int stats_json(struct vmd_stats *stats, const __u64 *spaces,
		      struct ctl_space *space)
{
	struct json_object *object = ctl_json_stats(stats);
	int status = space ? ctl_future_show(space, object) : CTL_OK;

	stats_add_ratio(object, stats);
	if (spaces)
		ctl_json_add_u64(object, "spaces", *spaces);
	ctl_json_free(object, !status);
	return status;
}

/* @space: whose they are, NULL if of all together. */
static int stats_show(struct vmd_stats *stats, const __u64 *spaces,
		      struct ctl_space *space)
{
	int status;

	if (ctl_options.json)
		return stats_json(stats, spaces, space);
	if (spaces)
		ctl_print_value("spaces", "%llu", *spaces);
	ctl_print_counters(stats);
	if (stats->pages_dirtied)
		ctl_print_value("written_per_dirtied", "%.3f",
				stats_per_dirtied(stats));
	status = space ? ctl_future_show(space, NULL) : CTL_OK;
	ctl_print_latency(stats);
	return status;
}

/* The file needs no permission on the device and makes no space. */
static int stats_module_file(void)
{
	struct vmd_stats stats;
	__u64 spaces;
	int status = ctl_proc_stats(&spaces, &stats);

	return status ? status : stats_show(&stats, &spaces, NULL);
}

static int stats_device(const struct stats_args *args)
{
	struct ctl_space space = CTL_NO_SPACE;
	const char *name = args->words.word[0];
	struct vmd_stats stats;
	int status = ctl_open_named(&space, name);

	if (status)
		return status;
	status = ctl_get_stats(&space, name ? 0 : VMD_STATS_MODULE, &stats);
	if (!status && args->reset)
		status = ctl_reset_stats(&space);
	if (!status)
		status = stats_show(&stats, NULL, name ? &space : NULL);
	ctl_close(&space);
	return status;
}

static error_t stats_option(int key, char *arg, struct argp_state *state)
{
	struct stats_args *args = state->input;

	switch (key) {
	case 'r':
		args->reset = true;
		return 0;
	case ARGP_KEY_NO_ARGS:
		if (args->reset)
			argp_error(state,
				   "--reset needs a SPACE: the module's counters stay");
		return 0;
	default:
		return ctl_word(key, arg, state, &args->words);
	}
}

static const struct argp_option stats_options[] = {
	{ "reset", 'r', NULL, 0, "Set SPACE's counters to 0 after showing them", 0 },
	{ 0 },
};

static const struct argp stats_argp = {
	.options = stats_options,
	.parser = stats_option,
	.args_doc = "[SPACE]",
	.doc = "Show SPACE's counters and how long its faults took; without SPACE,\n"
	       "those of all spaces there are and have been.",
	.children = ctl_common,
};

int cmd_stats(int argc, char **argv)
{
	struct stats_args args = { .words.names = { "SPACE" } };

	ctl_parse_args(&stats_argp, argc, argv, &args);
	if (!args.words.nr && ctl_proc_has("stats"))
		return stats_module_file();
	return stats_device(&args);
}
