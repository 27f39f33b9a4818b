// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl shadow: what other policies would have missed in a living space. */
#include "config.h"
#include "future.h"
#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct shadow_args {
	struct ctl_words words;
	struct vmd_shadow_set set;
	bool off;
	bool automatic;
	const char *sample;
	__u64 interval;
	int status;
};

/* The comma behind a policy; one before "key=value" is the parameters' own. */
static const char *shadow_policy_end(const char *text)
{
	const char *end = text + strcspn(text, ",");

	while (*end) {
		size_t length = strcspn(end + 1, ",");

		if (!memchr(end + 1, '=', length) || memchr(end + 1, ':', length))
			break;
		end += 1 + length;
	}
	return end;
}

static int shadow_take_policy(struct shadow_args *args, const char *text, size_t length)
{
	struct ctl_request request = { 0 };
	char name[2 * VMD_POLICY_LEN] = "";
	int status;

	if (args->set.count == VMD_SHADOWS_MAX)
		return ctl_usage("'%s': at most %d shadows at a time", text, VMD_SHADOWS_MAX);
	strncat(name, text, length < sizeof(name) - 1 ? length : sizeof(name) - 1);
	if (ctl_names_auto(name))
		return ctl_usage("policy '%s': a shadow is a policy, not a choice among some",
				 name);
	status = ctl_request_set(&request, "policy", name);
	if (!status && ctl_future_needed(&request))
		return ctl_usage("policy '%s' has to know the future: a shadow follows the present",
				 name);
	if (!status)
		memcpy(args->set.policies[args->set.count++], request.config.policy,
		       VMD_POLICY_LEN);
	return status;
}

static int shadow_take_policies(struct shadow_args *args, const char *list)
{
	const char *end;
	int status;

	for (;; list = end + 1) {
		end = shadow_policy_end(list);
		status = shadow_take_policy(args, list, end - list);
		if (status || !*end)
			return status;
	}
}

/* "1/N" or "N", N a power of two. */
static int shadow_take_sample(struct shadow_args *args, const char *text)
{
	const char *number = strncmp(text, "1/", 2) ? text : text + 2;
	const char *why;
	__u64 n;

	args->sample = text;
	why = ctl_parse_number(number, &n);
	if (why || !n || n & (n - 1) || n > 1U << VMD_SHADOW_SHIFT_MAX)
		return ctl_usage("sample '%s': want 1/N, N a power of two up to %u", text,
				 1U << VMD_SHADOW_SHIFT_MAX);
	args->set.shift = __builtin_ctzll(n);
	return CTL_OK;
}

static int shadow_take_interval(struct shadow_args *args, const char *text)
{
	const char *why = ctl_parse_number(text, &args->interval);

	if (why || !args->interval || args->interval > 86400)
		return ctl_usage("interval '%s': want seconds, 1 to 86400", text);
	return CTL_OK;
}

static error_t shadow_option(int key, char *arg, struct argp_state *state)
{
	struct shadow_args *args = state->input;
	bool begins;

	switch (key) {
	case 's':
		if (!args->status)
			args->status = shadow_take_sample(args, arg);
		return 0;
	case 'i':
		if (!args->status)
			args->status = shadow_take_interval(args, arg);
		return 0;
	case 'o':
		args->off = true;
		return 0;
	case 'a':
		args->automatic = true;
		return 0;
	case ARGP_KEY_END:
		begins = args->words.nr > 1;
		if (args->off + args->automatic + begins > 1)
			argp_error(state, "one of POLICIES, --off and --auto");
		if (args->sample && args->words.nr < 2)
			argp_error(state, "--sample needs POLICIES");
		return ctl_word(key, arg, state, &args->words);
	default:
		return ctl_word(key, arg, state, &args->words);
	}
}

static const struct argp_option shadow_options[] = {
	{ "sample", 's', "1/N", 0, "Look at one page in N, a power of two (default: at all)", 0 },
	{ "off", 'o', NULL, 0, "Have no shadows any more", 0 },
	{ "auto", 'a', NULL, 0, "Show those that the policy auto goes by", 0 },
	{ "interval", 'i', "SECONDS", 0, "Show them again and again, until interrupted", 0 },
	{ 0 },
};

static const struct argp shadow_argp = {
	.options = shadow_options,
	.parser = shadow_option,
	.args_doc = "SPACE [POLICY,POLICY...]",
	.doc = "Run other policies beside SPACE's own, on metadata alone, and show what\n"
	       "each of them would have missed since. With a list of policies: begin to,\n"
	       "in place of those there are; without: show what they have counted.\n"
	       "\vThe figures of a sample are those of the pages it looks at, times N. At\n"
	       "most 8 shadows; each page of their memory counts as a frame of SPACE's\n"
	       "owner. They hear of what SPACE's observer sees: of every reference with\n"
	       "observer trap only.",
	.children = ctl_common,
};

static int shadow_get(struct ctl_space *space, const struct shadow_args *args,
		      struct vmd_shadow_get *get)
{
	memset(get, 0, sizeof(*get));
	get->flags = args->automatic ? VMD_SHADOW_AUTO : 0;
	return ctl_get_shadows(space, get);
}

static double shadow_ratio(__u64 misses, __u64 references)
{
	return references ? (double)misses / references : 0;
}

static const char *const shadow_heads[] = {
	"POLICY", ">MISSES", ">RATIO", ">EVICTIONS", ">DIRTY",
};

static void shadow_row(struct ctl_table *table, const struct vmd_shadow_get *get,
		       const struct vmd_shadow_run *run, __u32 shift)
{
	ctl_cell(table, "%s", run->policy);
	ctl_cell(table, "%llu", run->misses << shift);
	ctl_cell(table, "%.4f", shadow_ratio(run->misses << shift, get->references));
	ctl_cell(table, "%llu", run->evictions << shift);
	ctl_cell(table, "%llu", run->evictions_dirty << shift);
}

static void shadow_text(const struct vmd_shadow_get *get, bool automatic)
{
	struct ctl_table *table;
	struct vmd_shadow_run live = {
		.misses = get->misses, .evictions = get->evictions,
		.evictions_dirty = get->evictions_dirty,
	};
	__u32 i;

	printf("live %s", get->live);
	if (automatic)
		printf(", after %llu switches", get->switches);
	if (!get->count) {
		printf("; no shadows\n");
		return;
	}
	printf("; %llu references since; shadows of %u frames, 1/%u of the pages, %llu bytes\n",
	       get->references, get->frames, 1U << get->shift, get->bytes);
	table = ctl_table_new(shadow_heads, ARRAY_SIZE(shadow_heads));
	strcpy(live.policy, "(live)");
	shadow_row(table, get, &live, 0);
	for (i = 0; i < get->count && i < VMD_SHADOWS_MAX; i++)
		shadow_row(table, get, &get->runs[i], get->shift);
	ctl_table_free(table, true);
}

static struct json_object *shadow_run_json(const struct vmd_shadow_get *get,
					   const struct vmd_shadow_run *run)
{
	struct json_object *object = json_object_new_object();

	ctl_json_add_text(object, "policy", run->policy);
	ctl_json_add_u64(object, "sampled_references", run->references);
	ctl_json_add_u64(object, "sampled_misses", run->misses);
	ctl_json_add_u64(object, "misses", run->misses << get->shift);
	ctl_json_add_u64(object, "evictions", run->evictions << get->shift);
	ctl_json_add_u64(object, "evictions_dirty", run->evictions_dirty << get->shift);
	return object;
}

static void shadow_json(const struct ctl_space *space, const struct vmd_shadow_get *get)
{
	struct json_object *object = json_object_new_object();
	struct json_object *runs = json_object_new_array();
	__u32 i;

	ctl_json_add_u64(object, "id", space->info.space_id);
	ctl_json_add_text(object, "live", get->live);
	ctl_json_add_u64(object, "switches", get->switches);
	ctl_json_add_u64(object, "sample", 1U << get->shift);
	ctl_json_add_u64(object, "frames", get->frames);
	ctl_json_add_u64(object, "bytes", get->bytes);
	ctl_json_add_u64(object, "references", get->references);
	ctl_json_add_u64(object, "misses", get->misses);
	ctl_json_add_u64(object, "evictions", get->evictions);
	ctl_json_add_u64(object, "evictions_dirty", get->evictions_dirty);
	for (i = 0; i < get->count && i < VMD_SHADOWS_MAX; i++)
		json_object_array_add(runs, shadow_run_json(get, &get->runs[i]));
	ctl_json_add(object, "shadows", runs);
	ctl_json_free(object, true);
}

static int shadow_show(struct ctl_space *space, const struct shadow_args *args)
{
	struct vmd_shadow_get get;
	int status;

	for (;;) {
		status = shadow_get(space, args, &get);
		if (status)
			return status;
		if (ctl_options.json)
			shadow_json(space, &get);
		else
			shadow_text(&get, args->automatic);
		if (!args->interval)
			return CTL_OK;
		if (fflush(stdout) || ferror(stdout))
			return CTL_OK;		/* main() tells why */
		sleep(args->interval);
	}
}

int cmd_shadow(int argc, char **argv)
{
	struct shadow_args args = { .words = { .names = { "SPACE", "POLICIES" }, .required = 1 } };
	struct ctl_space space = CTL_NO_SPACE;
	int status;

	ctl_parse_args(&shadow_argp, argc, argv, &args);
	if (!args.status && args.words.nr > 1)
		args.status = shadow_take_policies(&args, args.words.word[1]);
	if (args.status)
		return args.status;
	status = ctl_open_named(&space, args.words.word[0]);
	if (status)
		return status;
	if (args.words.nr > 1 || args.off)
		status = ctl_set_shadows(&space, &args.set);
	/* What begins has nothing to show yet, unless it is to be watched. */
	if (!status && (args.interval || (args.words.nr < 2 && !args.off)))
		status = shadow_show(&space, &args);
	ctl_close(&space);
	return status;
}
