// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl: find the verb and run it. */
#include "vmdemoctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

#define CTL_DEVICE	"/dev/vmdemo"

static const struct ctl_verb ctl_verbs[] = {
	{ "list",     "list the spaces there are",		      cmd_list },
	{ "info",     "show the module's limits, or a space's setup", cmd_info },
	{ "stats",    "show counters and the latency of faults",      cmd_stats },
	{ "top",      "watch the spaces on a whole screen, change one",	      cmd_top },
	{ "set",      "change a space's policy, budget, observer, size", cmd_set },
	{ "shadow",   "run other policies beside a space's own, on metadata", cmd_shadow },
	{ "policies", "list the replacement policies",		      cmd_policies },
	{ "pages",    "show the state of each page of a space",	      cmd_pages },
	{ "walk",     "show how the hardware translates an address",  cmd_walk },
	{ "slots",    "show the swap store's slots, and where writes went",  cmd_slots },
	{ "advise",   "read in, evict, pin, unmap pages of a space",  cmd_advise },
	{ "punch",    "drop the content of pages of a space",	      cmd_punch },
	{ "sync",     "write a space's dirty pages to its store",     cmd_sync },
	{ "swapout",  "take all pages of a space out of their frames",	      cmd_swapout },
	{ "swapin",   "bring back what swapout took",			      cmd_swapin },
	{ "play",     "touch pages in a given order and show what happens", cmd_play },
	{ "future",   "load a reference string for policy opt to go by", cmd_future },
	{ "exec",     "run a program on a space of its own, or on a file", cmd_exec },
	{ "run",      "run a program with its heap in a space",	      cmd_run },
	{ "record",   "write a space's references, or a program's, to a file", cmd_record },
	{ "step",     "halt each fault of a space and tell all about it", cmd_step },
	{ "watch",    "print what happens in a space, line by line",  cmd_watch },
	{ "simulate", "run a reference string through policies, without the kernel", cmd_simulate },
	{ "compare",  "compare all policies with the optimum on a reference string", cmd_compare },
	{ "quiz",     "ask what a policy does next, and tell why",	      cmd_quiz },
	{ "mrc",      "draw miss-ratio curves, the working set, reuse distances", cmd_mrc },
	{ "tables",   "compare kinds of page tables on a space's or a string's pages", cmd_tables },
	{ "tlb",      "show what a translation cache would make of references", cmd_tlb },
	{ "heatmap",  "draw which pages are used, fault and are evicted when", cmd_heatmap },
	{ "report",   "make a page for a browser about a reference string",   cmd_report },
	{ "convert",  "turn a reference string from one format into another", cmd_convert },
};

struct ctl_options ctl_options;

/* "vmdemoctl" or "vmdemoctl VERB": what errors and usage lines begin with. */
static char ctl_name[32] = "vmdemoctl";

static void ctl_complain(const char *fmt, va_list args)
{
	fflush(stdout);
	fprintf(stderr, "%s: ", ctl_name);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

int ctl_fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	ctl_complain(fmt, args);
	va_end(args);
	return CTL_FAILED;
}

int ctl_usage(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	ctl_complain(fmt, args);
	va_end(args);
	return CTL_USAGE;
}

static error_t ctl_common_option(int key, char *arg, struct argp_state *state)
{
	(void)state;
	switch (key) {
	case 'j':
		ctl_options.json = true;
		return 0;
	case 'D':
		ctl_options.device = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option ctl_common_options[] = {
	{ "json", 'j', NULL, 0, "Print JSON", 1 },
	{ "device", 'D', "PATH", 0,
	  "The device (default: $VMDEMO_DEVICE, else " CTL_DEVICE ")", 1 },
	{ 0 },
};

static const struct argp ctl_common_argp = {
	.options = ctl_common_options,
	.parser = ctl_common_option,
};

const struct argp_child ctl_common[] = {
	{ &ctl_common_argp, 0, NULL, 0 },
	{ 0 },
};

void ctl_parse_args(const struct argp *argp, int argc, char **argv, void *input)
{
	/* What argp calls the program in --help and in its own errors. */
	argv[0] = ctl_name;
	argp_parse(argp, argc, argv, 0, NULL, input);
}

void ctl_parse_command(const struct argp *argp, int argc, char **argv, void *input)
{
	argv[0] = ctl_name;
	argp_parse(argp, argc, argv, ARGP_IN_ORDER, NULL, input);
}

__u64 ctl_option_number(struct argp_state *state, const char *name, const char *text,
			__u64 least, __u64 most)
{
	__u64 number;
	const char *why = ctl_parse_number(text, &number);

	if (!why && (number < least || number > most))
		why = "out of bounds";
	if (why)
		argp_error(state, "%s '%s': %s: want %llu to %llu", name, text, why, least, most);
	return number;
}

error_t ctl_word(int key, const char *arg, struct argp_state *state,
		 struct ctl_words *words)
{
	switch (key) {
	case ARGP_KEY_ARG:
		if (!words->names[words->nr])
			argp_error(state, "'%s' is one argument too many", arg);
		words->word[words->nr++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (words->nr < words->required)
			argp_error(state, "%s is missing", words->names[words->nr]);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

error_t ctl_words_only(int key, char *arg, struct argp_state *state)
{
	return ctl_word(key, arg, state, state->input);
}

static void ctl_list_verbs(FILE *to)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ctl_verbs); i++)
		fprintf(to, "  %-10s %s\n", ctl_verbs[i].name, ctl_verbs[i].text);
}

static int ctl_unknown_verb(const char *name)
{
	int status = ctl_usage("unknown verb '%s': one of", name);

	ctl_list_verbs(stderr);
	return status;
}

static const struct ctl_verb *ctl_find_verb(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ctl_verbs); i++)
		if (!strcmp(ctl_verbs[i].name, name))
			return &ctl_verbs[i];
	return NULL;
}

/* The first word that is no option is the verb; what follows is the verb's. */
static error_t ctl_main_option(int key, char *arg, struct argp_state *state)
{
	int *verb = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_ARG:
		*verb = state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		ctl_usage("a verb is missing: one of");
		ctl_list_verbs(stderr);
		exit(CTL_USAGE);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* argp asks for each piece of the help text; the verbs go behind the options. */
static char *ctl_help_text(int key, const char *text, void *input)
{
	char *verbs = NULL;
	size_t length;
	FILE *to;

	(void)input;
	if (key != ARGP_KEY_HELP_EXTRA)
		return (char *)text;
	to = open_memstream(&verbs, &length);
	if (!to)
		return NULL;
	fputs("Verbs ('vmdemoctl VERB --help' tells more):\n", to);
	ctl_list_verbs(to);
	fclose(to);
	return verbs;
}

static const struct argp ctl_main_argp = {
	.parser = ctl_main_option,
	.args_doc = "VERB [ARGUMENT...]",
	.doc = "Look at /dev/vmdemo's spaces, change them, and watch paging happen.",
	.children = ctl_common,
	.help_filter = ctl_help_text,
};

/* A full disk or a closed pipe is a failure as well. */
static int ctl_finish(int status)
{
	if (fflush(stdout) || ferror(stdout))
		return ctl_fail("writing the output: %s", strerror(errno));
	return status;
}

static int ctl_run(int argc, char **argv)
{
	const struct ctl_verb *verb = ctl_find_verb(argv[0]);

	if (!verb)
		return ctl_unknown_verb(argv[0]);
	snprintf(ctl_name, sizeof(ctl_name), "vmdemoctl %s", verb->name);
	return ctl_finish(verb->run(argc, argv));
}

/* "help VERB" is "VERB --help", "help" alone is "--help". */
static int ctl_help(int argc, char **argv)
{
	char *args[3];
	int verb;

	args[0] = argc > 1 ? argv[1] : ctl_name;
	args[1] = "--help";
	args[2] = NULL;
	if (argc > 1)
		return ctl_run(2, args);
	ctl_parse_args(&ctl_main_argp, 2, args, &verb);
	return CTL_OK;
}

int main(int argc, char **argv)
{
	int verb = 0;

	argp_program_version = "vmdemoctl " CTL_VERSION;
	argp_err_exit_status = CTL_USAGE;
	ctl_options.device = getenv("VMDEMO_DEVICE");
	if (!ctl_options.device || !*ctl_options.device)
		ctl_options.device = CTL_DEVICE;

	argv[0] = ctl_name;
	argp_parse(&ctl_main_argp, argc, argv, ARGP_IN_ORDER, NULL, &verb);
	if (!strcmp(argv[verb], "help"))
		return ctl_help(argc - verb, argv + verb);
	return ctl_run(argc - verb, argv + verb);
}
