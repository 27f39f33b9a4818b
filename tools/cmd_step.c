// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl step: halt each fault of a space, and tell of it. */
#include "step.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "parse.h"

#define STEP_COUNT	512
/* A signal right before poll() is noticed after so long. */
#define STEP_LOOK_MS	500

struct step_args {
	struct ctl_words words;
	__u64 count;
};

/**
 * struct step - who steps
 * @id: the space
 * @fd: the stepper
 * @left: faults still to be told of, 0: any number
 * @keys: somebody sits at the terminal
 * @run: nothing halts, all is told
 * @eviction: as @run, but only up to an eviction
 * @chosen: the last fault whose victim was told before it went
 * @story: what was told
 */
struct step {
	__u64 id;
	int fd;
	__u64 left;
	bool keys;
	bool run;
	bool eviction;
	__u64 chosen;
	struct step_story story;
};

/* Set by a signal: whoever is halted goes on, the terminal is put back. */
static bool step_enough;

static void step_signal(int number)
{
	(void)number;
	__atomic_store_n(&step_enough, true, __ATOMIC_RELAXED);
}

static bool step_is_enough(void)
{
	return __atomic_load_n(&step_enough, __ATOMIC_RELAXED);
}

static error_t step_option(int key, char *arg, struct argp_state *state)
{
	struct step_args *args = state->input;
	const char *why;

	if (key != STEP_COUNT)
		return ctl_word(key, arg, state, &args->words);
	why = ctl_parse_number(arg, &args->count);
	if (!why && !args->count)
		why = "want 1 or more";
	if (why)
		argp_error(state, "count '%s': %s", arg, why);
	return 0;
}

static const struct argp_option step_options[] = {
	{ "count", STEP_COUNT, "N", 0,
	  "Tell of N faults, each to its end, wait for no keys, and leave", 0 },
	{ 0 },
};

static const struct argp step_argp = {
	.options = step_options,
	.parser = step_option,
	.args_doc = "SPACE",
	.doc = "Halt each fault in SPACE, and tell it as it goes: at its beginning the access\n"
	       "and the page's entry, is it legal, is a frame free; if none is, which page has\n"
	       "to go and why, before it goes; when all was done, was that page dirty and where\n"
	       "was it written to, where the content came from, the entry after. Then the\n"
	       "instruction is restarted.\n"
	       "\vKeys: n, Space or Enter to go on to the next halt, c to continue (all is told,\n"
	       "nothing halts), e to continue until a page has to go, p for another policy, q to\n"
	       "leave. With --count, --json, or without a terminal no key is waited\n"
	       "for; --json has an object a line for each halt. However it ends, all threads go\n"
	       "on at once.\n"
	       "\n"
	       "Faults in system calls are told of but do not halt. While a space is stepped,\n"
	       "pages are evicted one at a time and none is read ahead. With observer trap\n"
	       "every reference to another page is a fault.\n"
	       "\n"
	       "Example:\n"
	       "  vmdemoctl step --count 3 --json 7",
	.children = ctl_common,
};

static void step_let_go(struct step *step, const struct vmd_step_fault *fault)
{
	struct vmd_step_next next = { .number = fault->number };

	/* A signal may have been faster. */
	if (fault->flags & VMD_STEP_HALTED)
		ioctl(step->fd, VMD_IOC_STEP_NEXT, &next);
}

/* A line is read, as one is edited: the terminal is as ever meanwhile. */
static void step_policy(struct step *step)
{
	struct vmd_config config = { .mask = VMD_CONFIG_POLICY };
	struct ctl_space space = CTL_NO_SPACE;
	char line[VMD_POLICY_LEN] = "";

	step_keys_off();
	printf("policy: ");
	fflush(stdout);
	if (fgets(line, sizeof(line), stdin) && *line != '\n') {
		line[strcspn(line, "\n")] = 0;
		memcpy(config.policy, line, sizeof(config.policy));
		if (!ctl_attach(&space, step->id) && !ctl_set_config(&space, &config))
			printf("the policy is %s\n", line);
		ctl_close(&space);
	}
	step_keys_on();
}

/* A key was pressed. Returns whether the thread that is halted may go on. */
static bool step_obey(struct step *step)
{
	enum step_key key = step_key();

	switch (key) {
	case STEP_KEY_NONE:
		return false;
	case STEP_KEY_POLICY:
		step_policy(step);
		return false;
	case STEP_KEY_QUIT:
		__atomic_store_n(&step_enough, true, __ATOMIC_RELAXED);
		return true;
	default:
		step->run = key == STEP_KEY_CONTINUE || key == STEP_KEY_EVICTION;
		step->eviction = key == STEP_KEY_EVICTION;
		return true;
	}
}

static bool step_wait(int fd, short *events, bool keys)
{
	struct pollfd wait[] = {
		{ .fd = keys ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
	};

	if (poll(wait, ARRAY_SIZE(wait), STEP_LOOK_MS) < 0)
		return false;
	*events = wait[1].revents;
	return wait[0].revents;
}

/* Wait for the key that lets it go. */
static void step_halt(struct step *step)
{
	short events;
	bool go = false;

	printf("[n]ext [c]ontinue [e]viction [p]olicy [q]uit\n");
	fflush(stdout);
	while (!go && !step_is_enough())
		if (step_wait(-1, &events, true))
			go = step_obey(step);
}

/* A page has to go, or, if that was not seen before, has gone. */
static bool step_evicts(struct step *step, const struct vmd_step_fault *fault)
{
	if (fault->phase == VMD_STEP_VICTIM)
		step->chosen = fault->number;
	return fault->phase == VMD_STEP_VICTIM ||
	       (fault->flags & VMD_STEP_EVICTED && fault->number != step->chosen);
}

static void step_one(struct step *step, const struct vmd_step_fault *fault)
{
	if (ctl_options.json)
		step_tell_json(fault);
	else
		step_tell_text(&step->story, fault);
	fflush(stdout);
	if (step_evicts(step, fault) && step->eviction)
		step->run = false;
	if (step->keys && !step->run && fault->flags & VMD_STEP_HALTED)
		step_halt(step);
	step_let_go(step, fault);
	if (fault->phase == VMD_STEP_END && step->left && !--step->left)
		__atomic_store_n(&step_enough, true, __ATOMIC_RELAXED);
}

/* Until the space ends, enough were told of, or somebody wants no more. */
static int step_loop(struct step *step)
{
	struct vmd_step_fault fault;

	while (!step_is_enough()) {
		short events = 0;
		ssize_t got;

		if (step_wait(step->fd, &events, step->keys))
			step_obey(step);
		if (!events || step_is_enough())
			continue;
		got = read(step->fd, &fault, sizeof(fault));
		if (!got)
			break;
		if (got == sizeof(fault))
			step_one(step, &fault);
		else if (errno != EINTR && errno != EAGAIN)
			return ctl_fail("reading of a fault: %s", strerror(errno));
	}
	return CTL_OK;
}

static void step_catch_signals(void)
{
	struct sigaction action = { .sa_handler = step_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGQUIT, &action, NULL);
	/* A reader of ours that has enough is an error of writing. */
	signal(SIGPIPE, SIG_IGN);
}

int cmd_step(int argc, char **argv)
{
	struct step_args args = { .words = { .names = { "SPACE" }, .required = 1 } };
	struct ctl_space space = CTL_NO_SPACE;
	struct step step = { .fd = -1 };
	int status;

	ctl_parse_args(&step_argp, argc, argv, &args);
	step.left = args.count;
	step.keys = !args.count && !ctl_options.json && isatty(STDIN_FILENO) &&
		    isatty(STDOUT_FILENO);
	status = ctl_open_named(&space, args.words.word[0]);
	if (status)
		return status;
	step_catch_signals();
	step.id = space.info.space_id;
	status = ctl_step(&space, &step.fd, &step.story.phases);
	/* Ours would be the one that keeps it from ending. */
	ctl_close(&space);
	if (status)
		return status;
	if (step.keys)
		step_keys_on();
	status = step_loop(&step);
	close(step.fd);
	step_keys_off();
	return status;
}
