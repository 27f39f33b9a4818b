// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl convert: a reference string from one format to another. */
#include "trace.h"

#include <stdlib.h>
#include <string.h>

#include "output.h"

struct convert_args {
	struct ctl_words words;
	struct trace_options options;
	const struct trace_format *to;
};

static error_t convert_option(int key, char *arg, struct argp_state *state)
{
	struct convert_args *args = state->input;

	switch (key) {
	case 't':
		args->to = trace_find_format(arg);
		if (!args->to)
			exit(CTL_USAGE);
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->options;
		return 0;
	default:
		return ctl_word(key, arg, state, &args->words);
	}
}

static const struct argp_option convert_options[] = {
	{ "to", 't', "FORMAT", 0,
	  "What OUT is to be in: text, csv, lackey, oracle or vmd (default: as its name ends)", 0 },
	{ 0 },
};

static const struct argp convert_argp = {
	.options = convert_options,
	.parser = convert_option,
	.args_doc = "IN OUT",
	.doc = "Write the reference string in the file IN to OUT, in another format.\n"
	       "\vIN and OUT may be -, standard input and output. What a format has no\n"
	       "place for is left out: only vmd and csv keep thread, time, instruction and\n"
	       "evictions; oracle has no writes, and its time is in seconds.\n"
	       "\n"
	       "Example:\n"
	       "  valgrind --tool=lackey --trace-mem=yes ls 2>&1 >/dev/null |\n"
	       "      vmdemoctl convert - ls.vmd",
	.children = trace_common,
};

static int convert_refs(struct trace_in *in, struct trace_out *out)
{
	int status;

	while (!(status = trace_next(in))) {
		status = trace_put(out, &in->ref);
		if (status)
			return status;
	}
	return status == TRACE_END ? CTL_OK : status;
}

static void convert_report(const struct convert_args *args, const struct trace_in *in,
			   const struct trace_out *out)
{
	struct json_object *object;

	trace_warn(in);
	if (out->left_out)
		ctl_fail("warning: %llu evictions left out: format %s has no place for them",
			 (__u64)out->left_out, out->format->name);
	/* Standard output may be the trace itself. */
	if (!ctl_options.json || !strcmp(args->words.word[1], "-"))
		return;
	object = json_object_new_object();
	ctl_json_add_text(object, "from", in->format->name);
	ctl_json_add_text(object, "to", out->format->name);
	ctl_json_add_u64(object, "references", out->records);
	ctl_json_add_u64(object, "lost", in->lost);
	ctl_json_add_u64(object, "evictions_left_out", out->left_out);
	ctl_json_free(object, true);
}

static int convert_choose(struct convert_args *args)
{
	const char *path = args->words.word[1];

	if (!args->to)
		args->to = trace_format_of_name(path);
	if (args->to)
		return CTL_OK;
	return ctl_usage("%s: its name tells no format: give --to text, csv, lackey, oracle or vmd",
			 path);
}

int cmd_convert(int argc, char **argv)
{
	struct convert_args args = {
		.words = { .names = { "IN", "OUT" }, .required = 2 },
	};
	struct trace_out out = { 0 };
	struct trace_in in;
	int status;

	ctl_parse_args(&convert_argp, argc, argv, &args);
	status = convert_choose(&args);
	if (status)
		return status;
	status = trace_open(&in, args.words.word[0], &args.options);
	if (!status)
		status = trace_create(&out, args.words.word[1], args.to, &in);
	if (!status)
		status = convert_refs(&in, &out);
	status = trace_finish(&out, status);
	if (!status)
		convert_report(&args, &in, &out);
	trace_close(&in);
	return status;
}
