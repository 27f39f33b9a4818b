// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl run: run a program with its heap in a space. */
#include "run.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_SIZE	(16ULL << 30)	/* costs nothing before it is touched */

enum run_option {
	RUN_OPTION_ENCRYPT = 256,
	RUN_OPTION_REPORT,
};

struct run_args {
	struct ctl_request request;
	char **argv;
	const char *report;
	double interval;
	bool quiet;
	int status;
};

static char *run_preload;	/* for run_prepare() */
static struct run_show run_show;

/* Of several errors the first one is told. */
static void run_set(struct run_args *args, const char *key, const char *text)
{
	if (!args->status)
		args->status = ctl_request_set(&args->request, key, text);
}

/* A child has a copy of the heap, page by page as it writes: of small pages only. */
static void run_set_page_size(struct run_args *args, const char *text)
{
	struct vmd_config *config = &args->request.config;

	run_set(args, "page-size", text);
	if (!args->status && config->page_size != 4096)
		args->status = ctl_usage("page-size '%s': %s, %s", text,
					 "the heap is in a private space (a forked child has its own)",
					 "which has pages of 4K only; exec has larger ones");
	config->mask &= ~VMD_CONFIG_PAGE_SIZE;
}

static double run_interval(struct argp_state *state, const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds >= 0.01 && seconds <= 86400))
		argp_error(state, "interval '%s': seconds from 0.01 to 86400", text);
	return seconds;
}

static error_t run_option_space(int key, char *arg, struct run_args *args)
{
	switch (key) {
	case 's':
		run_set(args, "size", arg);
		return 0;
	case 'b':
		run_set(args, "budget", arg);
		return 0;
	case 'p':
		run_set(args, "policy", arg);
		return 0;
	case 'o':
		run_set(args, "observer", arg);
		return 0;
	case 'P':
		run_set_page_size(args, arg);
		return 0;
	case RUN_OPTION_ENCRYPT:
		args->request.config.mask |= VMD_CONFIG_FLAGS;
		args->request.config.flags |= VMD_SPACE_ENCRYPT;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t run_option(int key, char *arg, struct argp_state *state)
{
	struct run_args *args = state->input;

	switch (key) {
	case 'q':
		args->quiet = true;
		return 0;
	case 'i':
		args->interval = run_interval(state, arg);
		return 0;
	case RUN_OPTION_REPORT:
		args->report = arg;
		return 0;
	case ARGP_KEY_ARG:
		/* The first word is the program, all that follows is its own. */
		args->argv = &state->argv[state->next - 1];
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		if (!args->argv)
			argp_error(state, "PROGRAM is missing");
		return 0;
	default:
		return run_option_space(key, arg, args);
	}
}

static const struct argp_option run_options[] = {
	{ "size", 's', "BYTES", 0, "Most that the heap may become (default: 16G)", 0 },
	{ "budget", 'b', "N", 0, "Frames the heap may have at a time, or bytes: 64M", 0 },
	{ "policy", 'p', "POLICY", 0, "Who decides which page goes", 0 },
	{ "observer", 'o', "OBSERVER", 0, "fault, accessed or trap", 0 },
	{ "page-size", 'P', "BYTES", 0, "Bytes of a page and a frame: 4K, as the heap is private",
	  0 },
	{ "encrypt", RUN_OPTION_ENCRYPT, NULL, 0, "Encrypt what is evicted", 0 },
	{ "quiet", 'q', NULL, 0, "No live line while it runs", 0 },
	{ "interval", 'i', "SECONDS", 0,
	  "A live line so often, where standard error is no terminal, too", 0 },
	{ "report", RUN_OPTION_REPORT, "FILE", 0, "Write setup and counters to FILE, as JSON", 0 },
	{ 0 },
};

static const struct argp run_argp = {
	.options = run_options,
	.parser = run_option,
	.args_doc = "[--] PROGRAM [ARGUMENT...]",
	.doc = "Run PROGRAM with its heap in a space: what malloc(), C++'s new and large\n"
	       "anonymous mmap()s give it is paged under the space's budget and policy. It is\n"
	       "not changed; it has to be dynamically linked. Each process that it forks, and\n"
	       "each program that these run, has a space of its own, set up in the same way.\n"
	       "\vPROGRAM's exit status is passed on, and if a signal kills it vmdemoctl dies\n"
	       "of the same; 125 means that vmdemoctl itself failed, 126 that PROGRAM cannot\n"
	       "be run, 127 that it was not found. Signals are handed on to PROGRAM. The\n"
	       "summary goes to standard error.\n"
	       "\n"
	       "Examples:\n"
	       "  vmdemoctl run --budget 64M -- python3 script.py\n"
	       "  vmdemoctl run -b 16M -p sieve --report r.json -- sort -S 100M big >sorted",
	.children = ctl_common,
};

/* Before what was there; what mimalloc would do on its own is turned off. */
static bool run_environment(void)
{
	static const char *const off[] = {
		"MIMALLOC_LARGE_OS_PAGES", "MIMALLOC_RESERVE_HUGE_OS_PAGES",
		"MIMALLOC_RESERVE_OS_MEMORY", "MIMALLOC_LIMIT_OS_ALLOC",
	};
	const char *had = getenv("LD_PRELOAD");
	char *text;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(off); i++)
		if (setenv(off[i], "0", 1))
			return false;
	if (asprintf(&text, "%s:" RUN_MALLOC "%s%s", run_preload, had && *had ? ":" : "",
		     had ?: "") < 0)
		return false;
	return !setenv("LD_PRELOAD", text, 1) &&
	       !setenv("VMDEMO_DEVICE", ctl_options.device, 1);
}

/* In the child: the library knows by the process id that the space is for it. */
static bool run_prepare(const struct exec_program *program)
{
	const struct vmd_config *config = &run_show.config;
	char *text;

	if (asprintf(&text, "%d:%llu:%llu:%llu:%llu:%s:%s", getpid(),
		     program->space.info.space_id, config->size, config->budget,
		     config->flags, config->observer, config->policy) < 0)
		return false;
	return run_environment() && !setenv(RUN_ENV, text, 1);
}

static int run_configure(struct run_args *args, struct ctl_space *space)
{
	struct ctl_request *request = &args->request;
	int status;

	if (!(request->config.mask & VMD_CONFIG_SIZE)) {
		request->config.mask |= VMD_CONFIG_SIZE;
		request->config.size = space->info.max_size < RUN_SIZE ?
				       space->info.max_size : RUN_SIZE;
	}
	status = ctl_request_check(request, &space->info);
	if (!status && request->config.size < 1ULL << 20)
		status = ctl_usage("size of %llu bytes: a heap needs 1M at least",
				   request->config.size);
	if (!status)
		status = ctl_set_config(space, &request->config);
	if (!status)
		status = ctl_make_private(space);
	if (!status)
		status = ctl_get_config(space, &run_show.config);
	return status;
}

static void run_show_init(const struct run_args *args)
{
	struct exec_program *program = &run_show.program;
	double seconds = args->interval ?: 1;

	run_show.terminal = isatty(STDERR_FILENO);
	run_show.live = !args->quiet && (run_show.terminal || args->interval);
	program->pause.tv_sec = floor(seconds);
	program->pause.tv_nsec = (seconds - floor(seconds)) * 1e9;
	program->tick = run_show.live ? run_tick : NULL;
	clock_gettime(CLOCK_MONOTONIC, &run_show.began);
}

/* It is emptied only when there is something to put in. */
static int run_open_report(const char *path, int *fd)
{
	*fd = -1;
	if (!path)
		return CTL_OK;
	*fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
	return *fd >= 0 ? CTL_OK : ctl_fail("report %s: %s", path, strerror(errno));
}

/* The program's own failures count for more than ours after it. */
static int run_all(struct run_args *args)
{
	struct exec_program *program = &run_show.program;
	int status, after, report_fd;

	status = run_libraries(&run_preload);
	if (!status)
		status = run_open_report(args->report, &report_fd);
	if (!status)
		status = ctl_open(&program->space);
	if (!status)
		status = run_configure(args, &program->space);
	if (status)
		return EXEC_FAILED;
	run_show_init(args);
	if (exec_run(program))
		return EXEC_FAILED;
	after = run_end(&run_show, report_fd, args->report);
	if (after && WIFEXITED(program->wait_status) && !WEXITSTATUS(program->wait_status))
		return EXEC_FAILED;
	return exec_end(program);
}

int cmd_run(int argc, char **argv)
{
	struct run_args args = { .status = CTL_OK };
	char *path = NULL;
	int status;

	argp_err_exit_status = EXEC_FAILED;
	exec_fill_stdio();
	ctl_parse_command(&run_argp, argc, argv, &args);
	if (args.status)
		return EXEC_FAILED;
	run_show.program = (struct exec_program){
		.space = CTL_NO_SPACE, .in = CTL_NO_SPACE, .out = CTL_NO_SPACE,
		.argv = args.argv, .fd = -1, .prepare = run_prepare,
	};
	status = exec_find_path(args.argv[0], &path);
	if (!status && run_look(path))
		status = EXEC_NOT_RUN;
	free(path);
	return status ? status : run_all(&args);
}
