// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl record: write down what happens in a space, or what a program does. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "exec.h"
#include "output.h"
#include "record.h"
#include "trace.h"

enum record_option {
	RECORD_OPTION_DROP = 512,
	RECORD_OPTION_RING,
	RECORD_OPTION_EVENTS,
};

struct record_args {
	struct exec_args exec;
	struct record record;
	const char *space;
};

/* Signals end the recording, whose end is to be written. */
static struct record *record_current;

static void record_signal(int number)
{
	(void)number;
	__atomic_store_n(&record_current->enough, true, __ATOMIC_RELAXED);
}

static void record_ring_size(struct record_args *args, struct argp_state *state,
			     const char *text)
{
	bool suffix;
	__u64 bytes;
	const char *why = ctl_parse_size(text, &bytes, &suffix);

	if (why)
		argp_error(state, "ring '%s': %s", text, why);
	if (bytes & (bytes - 1) || bytes < VMD_RECORD_MIN || bytes > VMD_RECORD_MAX)
		argp_error(state, "ring '%s': not a power of two from 4K to 16M", text);
	args->record.bytes = bytes;
}

/* What says how a program is to be run makes no sense for a space there is. */
static bool record_has_exec_options(const struct exec_args *exec)
{
	return exec->request.config.mask || exec->file.path || exec->in || exec->out ||
	       exec->stats || exec->report || exec->fd != EXEC_FD;
}

static void record_check_args(const struct record_args *args, struct argp_state *state)
{
	if (!args->record.path)
		argp_error(state, "where to? give -o FILE (- for standard output)");
	if (args->space && args->exec.argv)
		argp_error(state, "give either SPACE or -- PROGRAM, not both");
	if (!args->space && !args->exec.argv)
		argp_error(state, "what to record? give SPACE or -- PROGRAM");
	if (args->space && record_has_exec_options(&args->exec))
		argp_error(state, "how a program is run: not for a SPACE that there is");
	if (args->exec.argv && !strcmp(args->record.path, "-"))
		argp_error(state, "standard output is PROGRAM's: give -o a file's name");
}

/* A first word behind -- is a program, one without it a space. */
static error_t record_word(struct record_args *args, char *arg, struct argp_state *state)
{
	if (state->quoted && state->next > state->quoted)
		return ARGP_ERR_UNKNOWN;
	if (args->space)
		argp_error(state, "'%s' is one argument too many: a program comes behind --", arg);
	args->space = arg;
	return 0;
}

static error_t record_option(int key, char *arg, struct argp_state *state)
{
	struct record_args *args = state->input;

	switch (key) {
	case 'o':
		args->record.path = arg;
		return 0;
	case RECORD_OPTION_EVENTS:
		args->record.events = true;
		return 0;
	case RECORD_OPTION_DROP:
		args->record.drop = true;
		return 0;
	case RECORD_OPTION_RING:
		record_ring_size(args, state, arg);
		return 0;
	case ARGP_KEY_ARG:
		return record_word(args, arg, state);
	case ARGP_KEY_END:
		record_check_args(args, state);
		return 0;
	case ARGP_KEY_INIT:
		args->exec.optional = true;
		state->child_inputs[0] = &args->exec;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option record_options[] = {
	{ "output", 'o', "FILE", 0, "Where the recording goes, - for standard output", 0 },
	{ "events", RECORD_OPTION_EVENTS, NULL, 0,
	  "Record faults and evictions, with any observer, instead of references", 0 },
	{ "drop", RECORD_OPTION_DROP, NULL, 0,
	  "Lose and count what there is no room for, rather than have threads wait", 0 },
	{ "ring", RECORD_OPTION_RING, "BYTES", 0,
	  "Room for what is not written yet, a power of two (default: 256K)", 0 },
	{ 0 },
};

static const struct argp record_argp = {
	.options = record_options,
	.parser = record_option,
	.args_doc = "-o FILE SPACE\n-o FILE -- PROGRAM [ARGUMENT...]",
	.doc = "Write each reference to a page of SPACE to FILE, until the space ends or a\n"
	       "signal (Ctrl-C) comes; or run PROGRAM, as exec does and with its options, and\n"
	       "record that. References need observer trap, which PROGRAM gets by default.\n"
	       "\vFILE is in format vmd: simulate, compare, mrc, play and convert read it. It has\n"
	       "time, thread, page, read or write, and the instruction that made the reference.\n"
	       "Nothing is lost: where the file is too slow the program waits. With --drop it\n"
	       "does not; what is lost is counted, told in FILE and at the end.\n"
	       "\n"
	       "Examples:\n"
	       "  vmdemoctl record -o sort.vmd --budget 128 --stdin --file text -- sort\n"
	       "  vmdemoctl record -o - 7 | vmdemoctl simulate --policy lru --frames 128 -",
	.children = exec_common,
};

static int record_check_name(const struct record *record)
{
	const struct trace_format *format = trace_format_of_name(record->path);

	if (!format || format == &trace_vmd)
		return CTL_OK;
	return ctl_usage("%s: the name is of format %s: record to x.vmd, then use convert",
			 record->path, format->name);
}

/* The recording must not be what the program works on. */
static int record_check_file(const struct record_args *args)
{
	struct stat out, file;

	if (!args->exec.file.path || stat(args->exec.file.path, &file) ||
	    stat(args->record.path, &out))
		return CTL_OK;
	if (out.st_dev != file.st_dev || out.st_ino != file.st_ino)
		return CTL_OK;
	return ctl_usage("%s: is the file that PROGRAM works on: give another one",
			 args->record.path);
}

static int record_check_observer(const struct record *record, const char *observer)
{
	if (record->events || !strcmp(observer, "trap"))
		return CTL_OK;
	return ctl_usage("references want observer trap, not %s: set it, or give --events",
			 observer);
}

static void record_text(FILE *out, const struct record *record)
{
	const struct vmd_ring *ring = record->ring;

	fprintf(out, "recorded %llu %s in %llu bytes; %llu lost; %llu waits\n", ring->records,
		record->events ? "faults and evictions" : "references", record->written,
		ring->drops, ring->waits);
}

static void record_json(FILE *out, const struct record *record)
{
	struct json_object *object = json_object_new_object();

	ctl_json_add_u64(object, "space", record->space_id);
	ctl_json_add_text(object, "file", record->path);
	ctl_json_add_text(object, "kind", record->events ? "events" : "references");
	ctl_json_add_u64(object, "records", record->ring->records);
	ctl_json_add_u64(object, "lost", record->ring->drops);
	ctl_json_add_u64(object, "waits", record->ring->waits);
	ctl_json_add_u64(object, "bytes", record->written);
	fprintf(out, "%s\n", json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY));
	json_object_put(object);
}

/* Standard output may be a program's, or the recording itself. */
static int record_report(struct record *record, FILE *out)
{
	int status = record_finish(record);

	if (ctl_options.json)
		record_json(out, record);
	else
		record_text(out, record);
	if (record->ring->drops)
		ctl_fail("warning: %llu were lost, as the ring was full: try a larger --ring%s",
			 record->ring->drops, record->drop ? ", or no --drop" : "");
	return status;
}

static int record_watch_begin(void *data, struct ctl_space *space)
{
	int status = record_begin(data, space);

	return status ? status : record_start(data);
}

static int record_watch_end(void *data)
{
	record_join(data);
	return record_report(data, stderr);
}

static int record_program(struct record_args *args)
{
	struct exec_watch watch = {
		.begin = record_watch_begin,
		.end = record_watch_end,
		.data = &args->record,
	};
	struct vmd_config *config = &args->exec.request.config;
	int status = record_check_file(args);

	if (!status && !*config->observer && !args->record.events)
		status = ctl_request_set(&args->exec.request, "observer", "trap");
	if (!status && *config->observer)
		status = record_check_observer(&args->record, config->observer);
	if (status)
		return status;
	args->exec.watch = &watch;
	return exec_main(&args->exec);
}

static void record_catch_signals(struct record *record)
{
	struct sigaction action = { .sa_handler = record_signal };

	record_current = record;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static int record_space(struct record_args *args)
{
	struct record *record = &args->record;
	struct ctl_space space = CTL_NO_SPACE;
	struct vmd_config config;
	int status = ctl_open_named(&space, args->space);

	if (!status)
		status = ctl_get_config(&space, &config);
	if (!status)
		status = record_check_observer(record, config.observer);
	record_catch_signals(record);
	if (!status)
		status = record_begin(record, &space);
	/* Ours would be the one that keeps it from ending. */
	ctl_close(&space);
	if (status)
		return status;
	record_write(record);
	return record_report(record, record->out == STDOUT_FILENO ? stderr : stdout);
}

int cmd_record(int argc, char **argv)
{
	struct record_args args = {
		.exec = { .fd = EXEC_FD },
		.record = { .fd = -1, .out = -1 },
	};
	int status;

	exec_fill_stdio();
	ctl_parse_command(&record_argp, argc, argv, &args);
	status = args.exec.status ? args.exec.status : record_check_name(&args.record);
	if (!status)
		status = args.space ? record_space(&args) : record_program(&args);
	record_close(&args.record);
	return status;
}
