// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl play: touch pages in a given order and show what happens. */
#include "../module/policy/place.h"
#include "config.h"
#include "file.h"
#include "future.h"
#include "output.h"
#include "play.h"

#include <stdio.h>
#include <string.h>

struct play_args {
	struct ctl_request request;
	struct play_refs refs;
	struct ctl_file file;
	const char *trace;
	struct trace_options options;
	bool renumber;
	bool quiet;
	int status;
};

#define PLAY_OPTION_RENUMBER	256
#define PLAY_OPTION_PLACEMENT	257

/* Of several errors the first one is told. */
static void play_set(struct play_args *args, const char *key, const char *text)
{
	if (!args->status)
		args->status = ctl_request_set(&args->request, key, text);
}

static void play_check_args(struct argp_state *state, struct play_args *args)
{
	if (args->status)
		return;
	if (args->trace && args->refs.nr)
		argp_error(state, "give either references or --trace, not both");
	if (!args->trace && (args->renumber || args->options.format))
		argp_error(state, "how to read a trace: give --trace FILE");
	if (!args->trace && !args->refs.nr)
		argp_error(state, "no pages to touch: give references (1 2 3w) or --trace FILE");
}

static bool play_is_page_size(__u64 bytes)
{
	return bytes == 4096 || bytes == 65536 || bytes == 2097152;
}

/* How a trace's addresses are read is also what is made of its pages, where it can be. */
static int play_take_page_size(struct play_args *args)
{
	struct vmd_config *config = &args->request.config;
	__u64 bytes = args->options.page_size;

	if (!bytes || (args->trace && !play_is_page_size(bytes)))
		return CTL_OK;
	if (!play_is_page_size(bytes))
		return ctl_usage("page size of %llu bytes: of a space it is one of 4K, 64K, 2M",
				 bytes);
	config->mask |= VMD_CONFIG_PAGE_SIZE;
	config->page_size = bytes;
	return CTL_OK;
}

/* The one that sees most of what there is to be seen of such pages. */
static const char *play_observer(const struct play_args *args)
{
	return args->request.config.page_size > 4096 ? "accessed" : "trap";
}

static error_t play_option(int key, char *arg, struct argp_state *state)
{
	struct play_args *args = state->input;

	switch (key) {
	case 'p':
		play_set(args, "policy", arg);
		return 0;
	case 'f':
		play_set(args, "budget", arg);
		return 0;
	case 'o':
		play_set(args, "observer", arg);
		return 0;
	case 'e':
		play_set(args, "encrypt", "on");
		return 0;
	case PLAY_OPTION_PLACEMENT:
		play_set(args, "placement", arg);
		return 0;
	case 't':
		args->trace = arg;
		return 0;
	case PLAY_OPTION_RENUMBER:
		args->renumber = true;
		return 0;
	case 'q':
		args->quiet = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!args->status)
			args->status = play_add_text(&args->refs, arg);
		return 0;
	case ARGP_KEY_END:
		play_check_args(state, args);
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->file;
		state->child_inputs[1] = &args->options;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option play_options[] = {
	{ "policy", 'p', "POLICY", 0, "Who decides which page goes (default: the module's)", 0 },
	{ "frames", 'f', "N", 0, "Frames the space may hold (default: the module's)", 0 },
	{ "observer", 'o', "OBSERVER", 0,
	  "fault, accessed or trap (default: trap, of larger pages accessed)", 0 },
	{ "placement", PLAY_OPTION_PLACEMENT, "PLACEMENT", 0,
	  "Frames a page may use: full (default), set:N, direct", 0 },
	{ "encrypt", 'e', NULL, 0, "Encrypt what is evicted (default: the module's)", 0 },
	{ "trace", 't', "FILE", 0, "Take the references from FILE, - for standard input", 0 },
	{ "renumber", PLAY_OPTION_RENUMBER, NULL, 0,
	  "Number a trace's pages from 0, in the order of their first use", 0 },
	{ "quiet", 'q', NULL, 0, "Show only the totals", 0 },
	{ 0 },
};

/* What a file means as a space, and what one means as a trace. */
static const struct argp_child play_common[] = {
	{ &ctl_file_argp, 0, NULL, 0 },
	{ &trace_argp_alone, 0, NULL, 0 },
	{ 0 },
};

static const struct argp play_argp = {
	.options = play_options,
	.parser = play_option,
	.args_doc = "REF...\n--trace FILE",
	.doc = "Open a space, touch its pages in the order given, and show for each\n"
	       "reference whether it hit, what is in the frames, and what was evicted;\n"
	       "then the counters. The pages are really touched; all that is shown\n"
	       "comes from the kernel.\n"
	       "\vREF is the number of a page, 12 or 0xc, to be read; with w behind it,\n"
	       "12w, to be written. A trace is a text of these, or in any format that convert\n"
	       "reads: a recording's references, or its faults, are made again, in its order\n"
	       "and by one thread. Where its pages are far apart, --renumber brings them\n"
	       "together. --format has no short form here: -F is --file. With --page-size 64K\n"
	       "or 2M the pages are as large (of references, too); any other size only says how\n"
	       "a trace is read.\n"
	       "With --file, a write changes the first byte of that page of the file.\n"
	       "\n"
	       "Example:\n"
	       "  vmdemoctl play --policy lru --frames 3 1 2 3 4 1 2w 5 1 2 3 4 5",
	.children = play_common,
};

static bool play_writes(const struct play_refs *refs)
{
	size_t i;

	for (i = 0; i < refs->nr; i++)
		if (refs->refs[i].write)
			return true;
	return false;
}

static int play_gather(struct play_args *args)
{
	int status = args->status;

	if (!status && args->trace)
		status = play_add_file(&args->refs, args->trace, &args->options,
				       args->renumber);
	if (!status && !args->refs.nr)
		status = ctl_usage("%s: no references in it", args->trace);
	if (!status)
		status = play_take_page_size(args);
	if (!status && !*args->request.config.observer)
		status = ctl_request_set(&args->request, "observer", play_observer(args));
	if (!status && args->file.path && args->request.config.flags & VMD_SPACE_ENCRYPT)
		status = ctl_usage("--encrypt is about the swap store: not with --file");
	if (!status && args->file.read_only && play_writes(&args->refs))
		status = ctl_usage("%s: references that write (w) cannot go with --read-only",
				   args->file.path);
	return status;
}

static int play_check_file(const struct play *play)
{
	__u64 page = play->space.info.page_size;
	__u64 pages = (play->file.size + page - 1) / page;

	if (!pages)
		return ctl_fail("%s: the file is empty: it has no pages to touch",
				play->file.path);
	if (play->refs.last_page < pages)
		return CTL_OK;
	return ctl_fail("page %llu: %s has %llu pages, numbered from 0",
			play->refs.last_page, play->file.path, pages);
}

static int play_check_pages(const struct play *play)
{
	const struct vmd_info *info = &play->space.info;
	const struct play_refs *refs = &play->refs;
	__u64 most = info->max_size / info->page_size;

	if (refs->last_page < most)
		return play->file.path ? play_check_file(play) : CTL_OK;
	return ctl_fail("page %llu: a space has at most %llu pages (max_size); see --renumber",
			refs->last_page, most);
}

/* The references are the future: known before they are made. */
static int play_load_future(struct play *play, struct ctl_request *request, __u64 mask)
{
	struct ctl_future future = { 0 };
	const char *why = NULL;
	int status;
	size_t i;

	for (i = 0; !why && i < play->refs.nr; i++)
		why = ctl_future_add(&future, play->refs.refs[i].page);
	if (why)
		status = ctl_fail("reference %zu: %s", i, why);
	else
		status = ctl_future_load(&play->space, &future, request, mask);
	ctl_future_free(&future);
	return status;
}

/* Without a file, the space is as large as what is to be touched. */
static int play_configure(struct play *play, struct ctl_request *request)
{
	__u64 deferred = ctl_future_needed(request) ? ctl_future_defer(request) : 0;
	int status = ctl_request_page_size(request, &play->space);

	if (!status)
		status = play_check_pages(play);
	if (status)
		return status;
	if (!play->file.path) {
		request->config.size = (play->refs.last_page + 1) * play->space.info.page_size;
		request->config.mask |= VMD_CONFIG_SIZE;
	}
	status = ctl_request_check(request, &play->space.info);
	if (!status)
		status = ctl_request_fits(request, &play->space);
	if (!status)
		status = play_map_values(play);
	if (!status && play->file.path)
		status = play_read_file(play);
	if (!status)
		status = ctl_set_config(&play->space, &request->config);
	if (!status)
		status = ctl_file_use(&play->file, &play->space);
	if (!status && deferred)
		status = play_load_future(play, request, deferred);
	if (!status)
		status = ctl_get_config(&play->space, &play->config);
	play->unmap_repeats = !strcmp(play->config.observer, "trap");
	return status;
}

static int play_after(struct play *play)
{
	int status = play_look(play);

	if (!status)
		play_show(play);
	return status;
}

static __u64 play_pages(const struct play *play)
{
	__u64 page = play->space.info.page_size;

	return (play->config.size + page - 1) / page;
}

static void play_print_head(const struct play *play)
{
	char placement[VMD_PLACE_LEN], size[CTL_SIZE_LEN];
	bool large = play->space.info.page_size > 4096;

	vmd_place_format(play->config.ways, placement);
	printf("space %llu: policy %s, %llu frames, observer %s, %llu pages%s%s%s%s%s\n",
	       play->space.info.space_id, play->config.policy,
	       play->config.budget, play->config.observer, play_pages(play),
	       large ? " of " : "",
	       large ? ctl_format_size(play->space.info.page_size, size) : "",
	       play->config.ways ? ", placement " : "", play->config.ways ? placement : "",
	       play->config.flags & VMD_SPACE_ENCRYPT ? ", encrypted" : "");
}

static int play_run(struct play *play)
{
	int status = play_map(play);

	if (status)
		return status;
	if (play->quiet)
		return play_touch_all(play, NULL);
	if (ctl_options.json)
		play->trace = json_object_new_array();
	else
		play_print_head(play);
	play_show_init(play);
	status = ctl_get_stats(&play->space, 0, &play->stats);
	return status ? status : play_touch_all(play, play_after);
}

static int play_print_totals(struct play *play, struct vmd_stats *stats)
{
	int status;

	if (!play->quiet)
		putchar('\n');
	ctl_print_counters(stats);
	status = ctl_future_show(&play->space, NULL);
	ctl_print_latency(stats);
	return status;
}

static int play_json_totals(struct play *play, struct vmd_stats *stats)
{
	struct json_object *object = json_object_new_object();
	int status = ctl_future_show(&play->space, object);
	char placement[VMD_PLACE_LEN];

	vmd_place_format(play->config.ways, placement);
	ctl_json_add_u64(object, "space", play->space.info.space_id);
	ctl_json_add_text(object, "policy", play->config.policy);
	ctl_json_add_u64(object, "frames", play->config.budget);
	ctl_json_add_text(object, "observer", play->config.observer);
	ctl_json_add_text(object, "placement", placement);
	ctl_json_add(object, "encrypt",
		     json_object_new_boolean(!!(play->config.flags & VMD_SPACE_ENCRYPT)));
	ctl_json_add_u64(object, "pages", play_pages(play));
	ctl_json_add_u64(object, "page_size", play->space.info.page_size);
	if (play->file.path)
		ctl_json_add_text(object, "file", play->file.path);
	if (play->trace)
		ctl_json_add(object, "trace", json_object_get(play->trace));
	ctl_json_add(object, "totals", ctl_json_stats(stats));
	ctl_json_add_u64(object, "data_losses", play->losses);
	ctl_json_free(object, !status);
	return status;
}

static int play_totals(struct play *play)
{
	struct vmd_stats stats;
	int status = ctl_get_stats(&play->space, 0, &stats);

	if (status)
		return status;
	if (ctl_options.json)
		status = play_json_totals(play, &stats);
	else
		status = play_print_totals(play, &stats);
	if (!play->losses)
		return status;
	return ctl_fail("DATA LOSS: %llu reads found something else than was written",
			play->losses);
}

/* The counters are those of the references; what they left dirty comes after. */
static int play_finish(struct play *play)
{
	int lost = play_totals(play);
	int status = ctl_file_sync(&play->file, &play->space);

	return lost ? lost : status;
}

static int play_all(struct play *play, struct ctl_request *request)
{
	int status = ctl_file_open(&play->file);

	if (!status)
		status = ctl_open(&play->space);
	if (!status)
		status = play_configure(play, request);
	ctl_file_close(&play->file);
	if (!status)
		status = play_run(play);
	if (!status)
		status = play_finish(play);
	play_unmap(play);
	play_frames_free(play);
	json_object_put(play->trace);
	ctl_close(&play->space);
	return status;
}

int cmd_play(int argc, char **argv)
{
	struct play play = { .space = CTL_NO_SPACE };
	struct play_args args = { 0 };
	int status;

	ctl_parse_args(&play_argp, argc, argv, &args);
	status = play_gather(&args);
	play.refs = args.refs;
	play.file = args.file;
	play.quiet = args.quiet;
	if (!status)
		status = play_all(&play, &args.request);
	play_refs_free(&play.refs);
	return status;
}
