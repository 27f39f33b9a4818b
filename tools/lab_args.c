// SPDX-License-Identifier: GPL-2.0-only
/* What the verbs that simulate take from their command line. */
#include "lab.h"

#include <err.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parse.h"

/* More budgets than that are a mistake. */
#define LAB_MOST_BUDGETS	((size_t)1 << 20)

/* What "auto" makes, and where it takes every size. */
#define LAB_AUTO	20
#define LAB_AUTO_ALL	40

#define LAB_OPTION_PLACEMENT	256

#define FRAMES_WANTED	"want numbers of frames: 8, 10%, 1-64, 100-1000:100, all or auto"

static struct lab_policy *args_new_policy(struct lab_args *args)
{
	struct lab_policy *more;

	more = realloc(args->policies, (args->nr_policies + 1) * sizeof(*more));
	if (!more)
		errx(CTL_FAILED, "out of memory");
	args->policies = more;
	more += args->nr_policies++;
	*more = (struct lab_policy){ 0 };
	return more;
}

bool lab_has(const struct lab_args *args, const char *name)
{
	size_t i;

	for (i = 0; i < args->nr_policies; i++)
		if (!strcmp(args->policies[i].name, name))
			return true;
	return false;
}

void lab_add_opt(struct lab_args *args)
{
	struct lab_policy *policy;

	if (lab_has(args, "opt"))
		return;
	policy = args_new_policy(args);
	policy->opt = true;
	strcpy(policy->name, "opt");
}

static void args_add_policy(struct lab_args *args, const struct vmd_policy_choice *choice)
{
	struct lab_policy policy = { .choice = *choice };
	struct lab_policy *to;

	vmd_policy_format(choice, policy.name, sizeof(policy.name));
	if (lab_has(args, policy.name))
		return;
	to = args_new_policy(args);
	*to = policy;
}

/* opt is not in the table of policies, which cannot see into the future. */
void lab_add_all(struct lab_args *args, bool opt)
{
	struct vmd_policy_choice choice;
	const char *bad;
	u32 i;

	for (i = 0; i < vmd_nr_policies; i++)
		if (strcmp(vmd_policies[i]->name, "opt") &&
		    !vmd_policy_parse(vmd_policies[i]->name, &choice, &bad))
			args_add_policy(args, &choice);
	if (opt)
		lab_add_opt(args);
}

static void args_unknown_policy(const char *text)
{
	char *list = NULL;
	size_t length;
	FILE *to = open_memstream(&list, &length);
	u32 i;

	for (i = 0; to && i < vmd_nr_policies; i++)
		if (strcmp(vmd_policies[i]->name, "opt"))
			fprintf(to, "%s, ", vmd_policies[i]->name);
	if (to)
		fclose(to);
	ctl_usage("unknown policy '%.*s': one of %sopt, or all", (int)strcspn(text, ":"),
		  text, list ? list : "");
	exit(CTL_USAGE);
}

static void args_bad_policy(const char *text, const char *bad, int error)
{
	if (error == -ENOENT)
		args_unknown_policy(text);
	ctl_usage("policy '%s': '%s' is %s ('vmdemoctl policies -v' tells what is right)",
		  text, bad ? bad : "", error == -ERANGE ? "out of bounds" : "wrong");
	exit(CTL_USAGE);
}

static void args_take_policy(struct lab_args *args, const char *text)
{
	struct vmd_policy_choice choice;
	const char *bad = NULL;
	int error;

	if (!strcmp(text, "opt") || !strcmp(text, "all")) {
		if (!strcmp(text, "all"))
			lab_add_all(args, true);
		lab_add_opt(args);
		return;
	}
	error = vmd_policy_parse(text, &choice, &bad);
	if (error)
		args_bad_policy(text, bad, error);
	args_add_policy(args, &choice);
}

/* The comma behind a policy; one before "key=value" is the parameters' own. */
static char *args_policy_end(char *text)
{
	char *end = text + strcspn(text, ",");

	while (*end) {
		const char *next = end + 1;
		size_t length = strcspn(next, ",");

		if (!memchr(next, '=', length) || memchr(next, ':', length))
			break;
		end += 1 + length;
	}
	return end;
}

static void args_take_policies(struct lab_args *args, const char *list)
{
	char *copy = strdup(list), *at = copy, *end;
	bool more;

	if (!copy)
		errx(CTL_FAILED, "out of memory");
	do {
		end = args_policy_end(at);
		more = *end;
		*end = 0;
		args_take_policy(args, at);
		at = end + 1;
	} while (more);
	free(copy);
}

static void args_take_jobs(struct lab_args *args, const char *text)
{
	const char *why;
	__u64 jobs;

	why = ctl_parse_number(text, &jobs);
	if (!why && (!jobs || jobs > 4096))
		why = "want 1 to 4096";
	if (why) {
		ctl_usage("jobs '%s': %s", text, why);
		exit(CTL_USAGE);
	}
	args->jobs = jobs;
}

static void args_take_placement(struct lab_args *args, const char *text)
{
	if (!vmd_place_parse(text, &args->ways))
		return;
	ctl_usage("placement '%s': want full, direct or set:N, N from 1 to %u", text,
		  VMD_POLICY_MAX_SLOTS);
	exit(CTL_USAGE);
}

static error_t args_option(int key, char *arg, struct argp_state *state)
{
	struct lab_args *args = state->input;

	switch (key) {
	case 'p':
		args_take_policies(args, arg);
		return 0;
	case 'f':
		args->spec = arg;
		return 0;
	case 'J':
		args_take_jobs(args, arg);
		return 0;
	case LAB_OPTION_PLACEMENT:
		args_take_placement(args, arg);
		return 0;
	case 'c':
		args->csv = true;
		return 0;
	case 'g':
		args->progress = true;
		return 0;
	case ARGP_KEY_END:
		if (args->csv && ctl_options.json)
			argp_error(state, "give either --csv or --json");
		return ctl_word(key, arg, state, &args->words);
	case ARGP_KEY_INIT:
		args->words.names[0] = "TRACE";
		args->words.required = 1;
		state->child_inputs[0] = &args->options;
		return 0;
	default:
		return ctl_word(key, arg, state, &args->words);
	}
}

static const struct argp_option args_options[] = {
	{ "policy", 'p', "P[,P...]", 0,
	  "Policies, with parameters (random:seed=7), opt, or all (default: all)", 1 },
	{ "frames", 'f', "N[,N...]", 0,
	  "Budgets: frames, 10% of the pages, A-B, A-B:STEP, all or auto", 1 },
	{ "placement", LAB_OPTION_PLACEMENT, "PLACEMENT", 0,
	  "Frames a page may use: full (default), set:N (N-way set-associative), direct", 1 },
	{ "jobs", 'J', "N", 0, "Simulations at a time (default: one a CPU)", 1 },
	{ "csv", 'c', NULL, 0, "Print CSV", 1 },
	{ "progress", 'g', NULL, 0, "Show progress, though standard error is no terminal", 1 },
	{ 0 },
};

static const struct argp args_argp = {
	.options = args_options,
	.parser = args_option,
	.children = trace_common,
};

const struct argp_child lab_common[] = {
	{ &args_argp, 0, NULL, 0 },
	{ 0 },
};

bool lab_wants_progress(const struct lab_args *args)
{
	return args->progress || isatty(STDERR_FILENO);
}

static const char *frames_add(struct lab_args *args, u64 frames)
{
	u32 *more;

	if (!frames)
		return "at least 1 frame is needed";
	if (frames > VMD_POLICY_MAX_SLOTS)
		return "more frames than a policy can have (1073741824)";
	if (args->nr_frames == LAB_MOST_BUDGETS)
		return "more than a million budgets";
	if (!(args->nr_frames & (args->nr_frames - 1))) {
		more = realloc(args->frames, (args->nr_frames * 2 + 1) * sizeof(*more));
		if (!more)
			return "out of memory";
		args->frames = more;
	}
	args->frames[args->nr_frames++] = frames;
	return NULL;
}

/* Of budgets that nobody has named one by one: whole sets, one at least. */
static const char *frames_add_near(struct lab_args *args, u64 frames)
{
	if (args->ways && frames)
		frames = frames < args->ways ? args->ways : frames - frames % args->ways;
	return frames_add(args, frames);
}

/* One that was named: it has to be a number of whole sets. */
static const char *frames_add_one(struct lab_args *args, u64 frames)
{
	static char why[96];
	u64 ways = args->ways, less = ways ? frames / ways * ways : 0;

	if (!frames || vmd_place_fits(ways, frames))
		return frames_add(args, frames);
	if (less)
		snprintf(why, sizeof(why),
			 "not a multiple of %llu, the frames of a set: %llu or %llu is",
			 (__u64)ways, (__u64)less, (__u64)(less + ways));
	else
		snprintf(why, sizeof(why), "fewer than the %llu frames of a set", (__u64)ways);
	return why;
}

static const char *frames_add_range(struct lab_args *args, u64 first, u64 last, u64 step)
{
	const char *why = NULL;

	if (last < first)
		return "the range ends before it begins";
	if (!step)
		return "the step is 0";
	while (!why && first <= last) {
		why = frames_add_near(args, first);
		first += step;
	}
	return why;
}

/* Every size of few, else as many in each octave, the first and last included. */
static const char *frames_add_auto(struct lab_args *args, u32 pages)
{
	const char *why = NULL;
	int i;

	if (pages <= LAB_AUTO_ALL)
		return frames_add_range(args, 1, pages, 1);
	for (i = 0; !why && i < LAB_AUTO; i++)
		why = frames_add_near(args, llround(pow(pages, (double)i / (LAB_AUTO - 1))));
	return why;
}

static const char *frames_add_part(struct lab_args *args, const char *text, u32 pages)
{
	double percent, most = 1000;
	char *end;

	percent = strtod(text, &end);
	if (strcmp(end, "%") || !(percent > 0) || percent > most)
		return FRAMES_WANTED;
	percent = floor(pages * percent / 100);
	return frames_add_near(args, percent < 1 ? 1 : percent);
}

/* What follows the first number. */
static const char *frames_add_numbers(struct lab_args *args, u64 first, const char *text)
{
	__u64 last = first, step = 1;
	const char *why = NULL;

	if (!*text)
		return frames_add_one(args, first);
	if (*text == '-') {
		why = ctl_scan_number(text + 1, &text, &last);
		if (!why && *text == ':')
			why = ctl_scan_number(text + 1, &text, &step);
	}
	if (why || *text)
		return FRAMES_WANTED;
	return frames_add_range(args, first, last, step);
}

static const char *frames_add_text(struct lab_args *args, const char *text, u32 pages)
{
	const char *end;
	__u64 first;

	if (!strcmp(text, "auto"))
		return frames_add_auto(args, pages);
	if (!strcmp(text, "all"))
		return frames_add_range(args, 1, pages, 1);
	if (strchr(text, '%'))
		return frames_add_part(args, text, pages);
	if (ctl_scan_number(text, &end, &first))
		return FRAMES_WANTED;
	return frames_add_numbers(args, first, end);
}

static int frames_compare(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return (x > y) - (x < y);
}

static void frames_sort(struct lab_args *args)
{
	size_t i, nr = 0;

	qsort(args->frames, args->nr_frames, sizeof(*args->frames), frames_compare);
	for (i = 0; i < args->nr_frames; i++)
		if (!i || args->frames[i] != args->frames[i - 1])
			args->frames[nr++] = args->frames[i];
	args->nr_frames = nr;
}

int lab_resolve(struct lab_args *args, const struct lab_trace *trace, const char *spec)
{
	char *copy = strdup(args->spec ? args->spec : spec), *rest = copy, *text;
	int status = copy ? CTL_OK : ctl_fail("out of memory");
	const char *why;
	size_t i;

	for (i = 0; i < args->nr_policies; i++)
		args->policies[i].ways = args->ways;
	while (!status && (text = strsep(&rest, ","))) {
		why = frames_add_text(args, text, trace->pages);
		if (why)
			status = ctl_usage("frames '%s': %s", text, why);
	}
	free(copy);
	if (!status)
		frames_sort(args);
	return status;
}

void lab_args_free(struct lab_args *args)
{
	free(args->policies);
	free(args->frames);
}
