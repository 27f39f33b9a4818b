// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl future: load a reference string for a space to follow. */
#include "future.h"
#include "output.h"

#include <string.h>

struct future_args {
	struct ctl_words words;
	struct trace_options options;
	bool drop;
};

#define FUTURE_OPTION_DROP	256

static void future_check_args(struct argp_state *state, const struct future_args *args)
{
	const struct trace_options *options = &args->options;

	if (args->drop && args->words.nr > 1)
		argp_error(state, "give either TRACE or --drop, not both");
	if (args->words.nr < 2 && (options->format || options->page_size || options->data_only ||
				   options->partial))
		argp_error(state, "how to read a trace: give TRACE");
}

static error_t future_option(int key, char *arg, struct argp_state *state)
{
	struct future_args *args = state->input;

	switch (key) {
	case FUTURE_OPTION_DROP:
		args->drop = true;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->options;
		return 0;
	default:
		if (key == ARGP_KEY_END)
			future_check_args(state, args);
		return ctl_word(key, arg, state, &args->words);
	}
}

static const struct argp_option future_options[] = {
	{ "drop", FUTURE_OPTION_DROP, NULL, 0, "Follow no string any more", 0 },
	{ 0 },
};

static const struct argp future_argp = {
	.options = future_options,
	.parser = future_option,
	.args_doc = "SPACE [TRACE]",
	.doc = "Let SPACE follow the reference string in the file TRACE, so that policy opt\n"
	       "knows what will be used next; without TRACE, show how far it has come, and\n"
	       "whether what happened was what the string says.\n"
	       "\vTRACE is in any format that convert reads, - is standard input. The string\n"
	       "is followed from its beginning, from now on, whatever the policy. Only with\n"
	       "observer trap it is seen for sure whether a program departs from it.\n"
	       "\n"
	       "Example:\n"
	       "  vmdemoctl future 3 sort.vmd && vmdemoctl set 3 policy=opt observer=trap",
	.children = trace_common,
};

static int future_show(struct ctl_space *space)
{
	struct vmd_future state;
	struct json_object *object;
	int status = ctl_future_get(space, &state);

	if (status)
		return status;
	if (ctl_options.json) {
		object = ctl_future_json(&state);
		ctl_json_add_u64(object, "space", space->info.space_id);
		ctl_json_free(object, true);
	} else if (state.length) {
		ctl_future_print(&state);
	} else {
		ctl_print_value("future", "none");
	}
	return CTL_OK;
}

static int future_run(const struct future_args *args, const struct ctl_future *future)
{
	struct ctl_space space = CTL_NO_SPACE;
	int status = ctl_open_named(&space, args->words.word[0]);

	if (status)
		return status;
	if (args->drop)
		status = ctl_future_drop(&space);
	else if (future->nr)
		status = ctl_future_load(&space, future, NULL, 0);
	/* What was asked for was done; what is shown of it is JSON's. */
	if (!status && (args->words.nr < 2 || ctl_options.json) && !args->drop)
		status = future_show(&space);
	ctl_close(&space);
	return status;
}

int cmd_future(int argc, char **argv)
{
	struct future_args args = {
		.words = { .names = { "SPACE", "TRACE" }, .required = 1 },
	};
	struct ctl_future future = { 0 };
	int status = CTL_OK;

	ctl_parse_args(&future_argp, argc, argv, &args);
	if (args.words.nr > 1)
		status = ctl_future_read(&future, args.words.word[1], &args.options);
	if (!status)
		status = future_run(&args, &future);
	ctl_future_free(&future);
	return status;
}
