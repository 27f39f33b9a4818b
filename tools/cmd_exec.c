// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl exec: run a program on a space made for it, with its own budget. */
#include "exec.h"
#include "future.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum exec_option {
	EXEC_OPTION_ENCRYPT = 256,
	EXEC_OPTION_PRIVATE,
	EXEC_OPTION_FD,
	EXEC_OPTION_STDIN,
	EXEC_OPTION_STDOUT,
	EXEC_OPTION_STATS,
	EXEC_OPTION_REPORT,
	EXEC_OPTION_FUTURE,
	EXEC_OPTION_PLACEMENT,
};

/* Of several errors the first one is told. */
static void exec_set(struct exec_args *args, const char *key, const char *text)
{
	if (!args->status)
		args->status = ctl_request_set(&args->request, key, text);
}

static void exec_set_fd(struct exec_args *args, struct argp_state *state,
			const char *text)
{
	struct rlimit limit = { .rlim_cur = 1024 };
	const char *why;
	__u64 fd;

	why = ctl_parse_number(text, &fd);
	if (why)
		argp_error(state, "descriptor '%s': %s", text, why);
	if (fd < EXEC_FD)
		argp_error(state, "descriptor '%s': 3 and up, or use --stdin, --stdout",
			   text);
	getrlimit(RLIMIT_NOFILE, &limit);
	if (fd >= limit.rlim_cur || fd > INT_MAX)
		argp_error(state, "descriptor '%s': there are only 0 to %llu here (ulimit -n)",
			   text, (__u64)limit.rlim_cur - 1);
	args->fd = fd;
}

static void exec_check_args(const struct exec_args *args, struct argp_state *state)
{
	bool sized = args->request.config.mask & VMD_CONFIG_SIZE;

	if (!args->argv && !args->optional)
		argp_error(state, "PROGRAM is missing");
	if (!args->future && ctl_future_needed(&args->request))
		argp_error(state, "policy '%s' has to know the future: give --future TRACE",
			   args->request.config.policy);
	if (args->file.path && args->request.config.flags & VMD_SPACE_ENCRYPT)
		argp_error(state, "--encrypt is about the swap store: not with --file");
	if (args->file.path && args->private)
		argp_error(state, "--private is about the swap store: not with --file");
	if (args->file.read_only && args->out)
		argp_error(state, "--stdout is to write to the file: not with --read-only");
	if (args->file.read_only && sized)
		argp_error(state, "--size is to make the file longer: not with --read-only");
}

/* What describes the space that is to be made. */
static error_t exec_space_option(int key, char *arg, struct argp_state *state)
{
	struct exec_args *args = state->input;

	switch (key) {
	case 's':
		exec_set(args, "size", arg);
		return 0;
	case 'b':
		exec_set(args, "budget", arg);
		return 0;
	case 'p':
		exec_set(args, "policy", arg);
		return 0;
	case 'o':
		exec_set(args, "observer", arg);
		return 0;
	case EXEC_OPTION_FUTURE:
		args->future = arg;
		return 0;
	case EXEC_OPTION_PLACEMENT:
		exec_set(args, "placement", arg);
		return 0;
	case 'P':
		exec_set(args, "page-size", arg);
		return 0;
	case EXEC_OPTION_ENCRYPT:
		args->request.config.mask |= VMD_CONFIG_FLAGS;
		args->request.config.flags |= VMD_SPACE_ENCRYPT;
		return 0;
	case EXEC_OPTION_PRIVATE:
		args->private = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t exec_option(int key, char *arg, struct argp_state *state)
{
	struct exec_args *args = state->input;

	switch (key) {
	case EXEC_OPTION_FD:
		exec_set_fd(args, state, arg);
		return 0;
	case EXEC_OPTION_STDIN:
		args->in = true;
		return 0;
	case EXEC_OPTION_STDOUT:
		args->out = true;
		return 0;
	case EXEC_OPTION_STATS:
		args->stats = true;
		return 0;
	case EXEC_OPTION_REPORT:
		args->report = arg;
		return 0;
	case ARGP_KEY_ARG:
		/* The first word is the program, all that follows is its own. */
		args->argv = &state->argv[state->next - 1];
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		exec_check_args(args, state);
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->file;
		return 0;
	default:
		return exec_space_option(key, arg, state);
	}
}

static const struct argp_option exec_options[] = {
	{ "size", 's', "BYTES", 0, "Bytes of the space; a file is made as long", 0 },
	{ "budget", 'b', "N", 0, "Frames the space may hold, or bytes: 64M", 0 },
	{ "policy", 'p', "POLICY", 0, "Who decides which page goes", 0 },
	{ "observer", 'o', "OBSERVER", 0, "fault, accessed or trap", 0 },
	{ "future", EXEC_OPTION_FUTURE, "TRACE", 0,
	  "The references to come, for policy opt to go by", 0 },
	{ "placement", EXEC_OPTION_PLACEMENT, "PLACEMENT", 0,
	  "Frames a page may use: full (default), set:N, direct", 0 },
	{ "page-size", 'P', "BYTES", 0, "Bytes of a page and a frame: 4K (default), 64K, 2M", 0 },
	{ "encrypt", EXEC_OPTION_ENCRYPT, NULL, 0, "Encrypt what is evicted to the swap store", 0 },
	{ "private", EXEC_OPTION_PRIVATE, NULL, 0,
	  "A child that is forked gets a copy of its own", 0 },
	{ "fd", EXEC_OPTION_FD, "N", 0, "The program's descriptor of the space (default: 3)", 0 },
	{ "stdin", EXEC_OPTION_STDIN, NULL, 0, "The space is its standard input, too", 0 },
	{ "stdout", EXEC_OPTION_STDOUT, NULL, 0, "The space is its standard output, too", 0 },
	{ "stats", EXEC_OPTION_STATS, NULL, 0, "Print the counters on stderr at the end", 0 },
	{ "report", EXEC_OPTION_REPORT, "FILE", 0, "Write the counters to FILE at the end", 0 },
	{ 0 },
};

static const struct argp exec_options_argp = {
	.options = exec_options,
	.parser = exec_option,
	.children = ctl_file_common,
};

const struct argp_child exec_common[] = {
	{ &exec_options_argp, 0, NULL, 0 },
	{ 0 },
};

/* Without a parser of its own, what it is given goes to its first child. */
static const struct argp exec_argp = {
	.args_doc = "[--] PROGRAM [ARGUMENT...]",
	.doc = "Make a space, and run PROGRAM with it: as an open descriptor, whose number\n"
	       "is in VMDEMO_FD and whose space's id is in VMDEMO_SPACE. With --file, what\n"
	       "PROGRAM reads, writes and maps there is the file, under the budget. What is\n"
	       "not given is as the module's parameters say.\n"
	       "\vPROGRAM's exit status is passed on, and if a signal kills it vmdemoctl dies\n"
	       "of the same; 125 means that vmdemoctl itself failed, 126 that PROGRAM cannot\n"
	       "be run, 127 that it was not found. Signals are handed on to PROGRAM.\n"
	       "\n"
	       "Examples:\n"
	       "  vmdemoctl exec --file big.img --read-only --budget 16M --stdin -- sha256sum\n"
	       "  vmdemoctl exec --file new --size 1G --stdout -- dd if=/dev/sda1 bs=1M",
	.children = exec_common,
};

/* It is emptied only when there is something to put in. */
static int exec_open_report(struct exec_args *args)
{
	args->report_fd = -1;
	if (!args->report)
		return CTL_OK;
	args->report_fd = open(args->report, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
	if (args->report_fd >= 0)
		return CTL_OK;
	return ctl_fail("report %s: %s", args->report, strerror(errno));
}

/* Who cuts a file off, loses what was there: that must be said in plain words. */
static int exec_check_size(const struct exec_args *args)
{
	const struct vmd_config *config = &args->request.config;

	if (!args->file.path || !(config->mask & VMD_CONFIG_SIZE) ||
	    config->size >= args->file.size)
		return CTL_OK;
	return ctl_fail("size of %llu bytes: %s has %llu; to make it shorter use truncate(1)",
			config->size, args->file.path, args->file.size);
}

static int exec_load_future(const struct exec_args *args, struct ctl_space *space,
			    struct ctl_request *request, __u64 mask)
{
	static const struct trace_options options;
	struct ctl_future future = { 0 };
	int status = ctl_future_read(&future, args->future, &options);

	if (!status)
		status = ctl_future_load(space, &future, request, mask);
	ctl_future_free(&future);
	return status;
}

/* A file's size is set when it is there, and what needs a string; the rest before. */
static int exec_configure(struct exec_args *args, struct ctl_space *space)
{
	struct vmd_config config = { .mask = VMD_CONFIG_SIZE };
	struct ctl_request *request = &args->request;
	__u64 deferred = args->future ? ctl_future_defer(request) : 0;
	int status;

	request->any_size = args->file.path;
	status = ctl_request_page_size(request, space);
	if (!status)
		status = ctl_request_check(request, &space->info);
	if (!status)
		status = ctl_request_fits(request, space);
	if (!status)
		status = exec_check_size(args);
	if (status)
		return status;
	config.size = request->config.size;
	config.mask &= args->file.path ? request->config.mask : 0;
	request->config.mask &= ~config.mask;
	if (request->config.mask)
		status = ctl_set_config(space, &request->config);
	if (!status)
		status = ctl_file_use(&args->file, space);
	if (!status && config.mask)
		status = ctl_set_config(space, &config);
	if (!status && args->future)
		status = exec_load_future(args, space, request, deferred);
	if (!status && args->private)
		status = ctl_make_private(space);
	return status;
}

/* Standard input and output have positions of their own, so files of their own. */
static int exec_open_stdio(const struct exec_args *args, struct exec_program *program)
{
	__u64 id = program->space.info.space_id;
	int status = CTL_OK;

	if (args->in)
		status = ctl_attach(&program->in, id);
	if (!status && args->out)
		status = ctl_attach(&program->out, id);
	return status;
}

static void exec_json(const struct exec_program *program, const struct vmd_config *config,
		      struct vmd_stats *stats, const struct vmd_future *future)
{
	struct json_object *object = json_object_new_object();
	int ended = program->wait_status;

	ctl_json_add_u64(object, "space", program->space.info.space_id);
	ctl_json_add_text(object, "program", program->argv[0]);
	if (WIFEXITED(ended))
		ctl_json_add_u64(object, "exit_status", WEXITSTATUS(ended));
	else
		ctl_json_add_u64(object, "signal", WTERMSIG(ended));
	ctl_json_add_config(object, config);
	ctl_json_add(object, "totals", ctl_json_stats(stats));
	if (future->length)
		ctl_json_add(object, "future", ctl_future_json(future));
	ctl_json_free(object, true);
}

static void exec_text(const struct exec_program *program, const struct vmd_config *config,
		      struct vmd_stats *stats, const struct vmd_future *future)
{
	ctl_print_value("space", "%llu", program->space.info.space_id);
	ctl_print_config(config);
	ctl_print_counters(stats);
	if (future->length)
		ctl_future_print(future);
	ctl_print_latency(stats);
}

/* Standard output is the program's: what is printed goes to @fd instead. */
static int exec_print(const struct exec_program *program, const struct vmd_config *config,
		      struct vmd_stats *stats, const struct vmd_future *future, int fd)
{
	if (dup2(fd, STDOUT_FILENO) < 0)
		return ctl_fail("printing the counters: %s", strerror(errno));
	if (ctl_options.json)
		exec_json(program, config, stats, future);
	else
		exec_text(program, config, stats, future);
	if (!fflush(stdout) && !ferror(stdout))
		return CTL_OK;
	ctl_fail("printing the counters: %s", strerror(errno));
	/* It has been told: it need not be again at our end. */
	__fpurge(stdout);
	clearerr(stdout);
	return CTL_FAILED;
}

static int exec_report(const struct exec_args *args, struct exec_program *program)
{
	struct vmd_future future = { 0 };
	struct vmd_config config;
	struct vmd_stats stats;
	int status;

	if (!args->stats && !args->report)
		return CTL_OK;
	status = ctl_get_config(&program->space, &config);
	if (!status)
		status = ctl_get_stats(&program->space, 0, &stats);
	if (!status && args->future)
		status = ctl_future_get(&program->space, &future);
	if (!status && args->stats)
		status = exec_print(program, &config, &stats, &future, STDERR_FILENO);
	if (status || !args->report)
		return status;
	/* What is no regular file need not be emptied. */
	if (ftruncate(args->report_fd, 0) && errno != EINVAL)
		return ctl_fail("report %s: %s", args->report, strerror(errno));
	return exec_print(program, &config, &stats, &future, args->report_fd);
}

/* Run it, with somebody watching, if there is. */
static int exec_watched(const struct exec_args *args, struct exec_program *program,
			int *after)
{
	const struct exec_watch *watch = args->watch;
	int status = watch ? watch->begin(watch->data, &program->space) : CTL_OK;

	if (status)
		return status;
	status = exec_run(program);
	*after = watch ? watch->end(watch->data) : CTL_OK;
	return status;
}

/* Up to the program's end; its own failures count for more than ours after it. */
static int exec_all(struct exec_args *args, struct exec_program *program)
{
	int status, after, watched = CTL_OK;

	status = exec_open_report(args);
	if (!status)
		status = ctl_file_open(&args->file);
	if (!status)
		status = ctl_open(&program->space);
	if (!status)
		status = exec_configure(args, &program->space);
	ctl_file_close(&args->file);
	if (!status)
		status = exec_open_stdio(args, program);
	if (!status)
		status = exec_watched(args, program, &watched);
	if (status)
		return EXEC_FAILED;
	status = ctl_file_sync(&args->file, &program->space);
	after = exec_report(args, program);
	if (WIFEXITED(program->wait_status) && !WEXITSTATUS(program->wait_status) &&
	    (status || after || watched))
		return EXEC_FAILED;
	return exec_end(program);
}

int exec_main(struct exec_args *args)
{
	struct exec_program program = {
		.space = CTL_NO_SPACE, .in = CTL_NO_SPACE, .out = CTL_NO_SPACE,
		.argv = args->argv, .fd = args->fd,
	};
	int status = exec_find(args->argv[0]);

	return status ? status : exec_all(args, &program);
}

int cmd_exec(int argc, char **argv)
{
	struct exec_args args = { .fd = EXEC_FD };

	argp_err_exit_status = EXEC_FAILED;
	exec_fill_stdio();
	ctl_parse_command(&exec_argp, argc, argv, &args);
	return args.status ? EXEC_FAILED : exec_main(&args);
}
