// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl report: all about a reference string in one page for a browser. */
#include "report.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"

#define REPORT_OPTION_STATS	0x100
#define REPORT_SAMPLES		200
#define REPORT_DATA		"@DATA@"

struct report_args {
	struct view_how how;
	const char *path;
	const char *stats;
};

static error_t report_option(int key, char *arg, struct argp_state *state)
{
	struct report_args *args = state->input;

	switch (key) {
	case 'o':
		args->path = arg;
		return 0;
	case REPORT_OPTION_STATS:
		args->stats = arg;
		return 0;
	case ARGP_KEY_END:
		if (!args->path && !ctl_options.json)
			argp_error(state, "where to? give -o FILE.html");
		if (args->path && ctl_options.json)
			argp_error(state, "give either -o FILE.html or --json");
		if (args->stats && args->how.space)
			argp_error(state, "--space has counters of its own: give it or --stats");
		if (args->how.path && !strcmp(args->how.path, "-"))
			argp_error(state, "TRACE is read twice: give a file's name");
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->how;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option report_options[] = {
	{ "output", 'o', "FILE", 0, "Where the page goes, - for standard output", 0 },
	{ "stats", REPORT_OPTION_STATS, "FILE", 0,
	  "Counters and latencies, of 'exec --json --report FILE' or 'stats --json'", 0 },
	{ 0 },
};

static const struct argp report_argp = {
	.options = report_options,
	.parser = report_option,
	.args_doc = "-o FILE.html TRACE\n-o FILE.html --space ID",
	.doc = "Make a page for a browser, in one file and without network: a heat map, the\n"
	       "page map over time, miss-ratio curves, all policies beside the optimum, the\n"
	       "working set, how long faults took, and how the page was made.\n"
	       "\vExample:\n"
	       "  vmdemoctl exec --policy lru --budget 64 --json --report run.json -- sort x\n"
	       "  vmdemoctl report --frames 64 --stats run.json -o sort.html sort.vmd\n",
	.children = view_common,
};

static int report_simulate(struct report *report, bool progress)
{
	struct lab_args *args = &report->args;
	size_t nr = args->nr_policies;
	int status = lab_resolve(args, &report->trace, "auto");

	if (status)
		return status;
	report->runs = lab_make_runs(args->policies, nr, args->frames, args->nr_frames);
	report->at = lab_make_runs(args->policies, nr, &report->frames, 1);
	if (!report->runs || !report->at)
		return CTL_FAILED;
	status = lab_sweep(&report->trace, report->runs, nr * args->nr_frames, 0, progress);
	return status ? status : lab_sweep(&report->trace, report->at, nr, 0, progress);
}

/* Where everything was recorded nobody has said how many frames there were. */
static void report_guess_frames(struct report *report)
{
	u64 resident = 0, most = 0;
	size_t i;

	for (i = 0; i < report->view.nr; i++) {
		u8 kind = report->view.events[i].kind;

		if (kind == VIEW_EVICT && resident)
			resident--;
		if (kind == VIEW_FAULT)
			resident++;
		if (resident > most)
			most = resident;
	}
	report->frames = most ? most : 1;
}

static int report_count(struct report *report)
{
	u64 part = report->trace.nr / 100 > 10 ? report->trace.nr / 100 : 10;
	bool progress = isatty(STDERR_FILENO);
	int status = lab_ws(&report->trace, part, REPORT_SAMPLES, &report->ws);

	report->frames = report->view.frames;
	if (report->view.real)
		report_guess_frames(report);
	lab_add_all(&report->args, true);
	return status ? status : report_simulate(report, progress);
}

static int report_read_stats(struct report *report, const char *path)
{
	struct json_object *latency;

	report->measured = json_object_from_file(path);
	if (!report->measured)
		return ctl_usage("%s: %s", path, access(path, R_OK) ? strerror(errno) :
				 "not JSON: make it with 'exec --json --report FILE'");
	if (json_object_object_get_ex(report->measured, "latency", &latency) &&
	    json_object_is_type(latency, json_type_array))
		return CTL_OK;
	return ctl_usage("%s: no latencies in it: make it with 'exec --json --report FILE'", path);
}

static int report_read_space(struct report *report, const char *name)
{
	struct ctl_space space = CTL_NO_SPACE;
	struct vmd_config config;
	struct vmd_stats stats;
	int status = ctl_open_named(&space, name);

	if (!status)
		status = ctl_get_config(&space, &config);
	if (!status)
		status = ctl_get_stats(&space, 0, &stats);
	ctl_close(&space);
	if (status)
		return status;
	report->measured = ctl_json_stats(&stats);
	ctl_json_add_config(report->measured, &config);
	return CTL_OK;
}

static int report_read(struct report *report, const struct report_args *args)
{
	struct view_how how = args->how;
	char path[64] = "", name[sizeof(report->view.name)];
	int status = CTL_OK;

	if (how.space) {
		status = view_record(&how, path, sizeof(path), name, sizeof(name));
		if (status)
			return status;
		how.path = path;
		how.space = NULL;
		status = report_read_space(report, args->how.space);
	}
	if (!status)
		status = view_make(&report->view, &how);
	if (!status)
		status = lab_load(&report->trace, how.path, &how.options, false);
	if (*path) {
		strcpy(report->view.name, name);
		unlink(path);
	}
	if (!status && args->stats)
		status = report_read_stats(report, args->stats);
	return status;
}

/* Within a script element nothing may look like a tag. */
static void report_put_json(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("\\u003c", to);
		else
			fputc(*text, to);
	}
}

static void report_put_page(FILE *to, const char *data)
{
	const char *page = _binary_report_html_start, *end = _binary_report_html_end;
	const char *at = memmem(page, end - page, REPORT_DATA, strlen(REPORT_DATA));

	fwrite(page, 1, at - page, to);
	report_put_json(to, data);
	at += strlen(REPORT_DATA);
	fwrite(at, 1, end - at, to);
}

static int report_write(const struct json_object *object, const char *path)
{
	const char *data = json_object_to_json_string_ext((struct json_object *)object,
							  JSON_C_TO_STRING_PLAIN);
	bool file = strcmp(path, "-");
	FILE *to = file ? fopen(path, "we") : stdout;
	bool bad;

	if (!data || !to)
		return ctl_fail("%s: %s", path, strerror(errno));
	report_put_page(to, data);
	bad = ferror(to) || fflush(to);
	if (file)
		bad |= fclose(to) != 0;
	return bad ? ctl_fail("%s: %s", path, strerror(errno)) : CTL_OK;
}

static int report_show(const struct report *report, const char *path)
{
	struct json_object *object = report_json(report);
	int status = CTL_OK;

	if (!object)
		return CTL_FAILED;
	if (path)
		status = report_write(object, path);
	ctl_json_free(object, !path);
	return status;
}

/* As a shell would take it again. */
static char *report_command(int argc, char **argv)
{
	char *text = NULL;
	const char *c;
	size_t length;
	FILE *to = open_memstream(&text, &length);
	int i;

	if (!to)
		return NULL;
	fputs("vmdemoctl report", to);
	for (i = 1; i < argc; i++) {
		fputc(' ', to);
		for (c = argv[i]; isalnum((unsigned char)*c) || (*c && strchr("_-+=./,:%@", *c));)
			c++;
		if (*argv[i] && !*c) {
			fputs(argv[i], to);
			continue;
		}
		fputc('\'', to);
		for (c = argv[i]; *c; c++)
			fputs(*c == '\'' ? "'\\''" : (char[]){ *c, 0 }, to);
		fputc('\'', to);
	}
	fclose(to);
	return text;
}

static void report_free(struct report *report)
{
	view_free(&report->view);
	lab_unload(&report->trace);
	lab_args_free(&report->args);
	lab_ws_free(&report->ws);
	free(report->runs);
	free(report->at);
	free(report->command);
	json_object_put(report->measured);
}

int cmd_report(int argc, char **argv)
{
	struct report report = { .command = report_command(argc, argv) };
	struct report_args args = { 0 };
	int status;

	ctl_parse_args(&report_argp, argc, argv, &args);
	status = report.command ? report_read(&report, &args) : ctl_fail("out of memory");
	if (!status)
		status = report_count(&report);
	if (!status)
		status = report_show(&report, args.path);
	report_free(&report);
	return status;
}
