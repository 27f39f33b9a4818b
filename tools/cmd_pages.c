// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl pages: the state of each page of a space, as a table or a map. */
#include "device.h"
#include "output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pages asked for with one call: a multiple of PAGES_LINE. */
#define PAGES_CHUNK	(64 * 1024)

/* Pages in a line of the map. */
#define PAGES_LINE	64

static const struct {
	u8 bit;
	const char *name;
} pages_flags[] = {
	{ VMD_PAGE_DIRTY,    "dirty" },
	{ VMD_PAGE_ACCESSED, "accessed" },
	{ VMD_PAGE_MAPPED,   "mapped" },
	{ VMD_PAGE_PINNED,   "pinned" },
};

static const char pages_legend[] =
	". no content  s in the store  r resident  D dirty  P pinned  < filling  > evicting";

struct pages_args {
	struct ctl_words words;
	bool map;
	bool all;
};

/**
 * struct pages_view - what is shown, and how
 * @show: takes up to PAGES_CHUNK pages, the first of which has the index @first
 * @all: pages that were never touched, too
 * @private: of a private space: how many spaces share them
 * @json: array to fill
 * @blank: the last line of the map was all blank and the next may be left out
 * @skipped: one was left out
 */
struct pages_view {
	void (*show)(struct pages_view *view, __u64 first, const struct vmd_page *pages,
		     size_t nr);
	bool all;
	bool private;
	struct json_object *json;
	bool blank;
	bool skipped;
};

static bool pages_untouched(const struct vmd_page *page)
{
	return page->state == VMD_PAGE_ABSENT && !page->faults;
}

/* The flag's word in the table; one that is mapped huge, or more than once, is mapped. */
static const char *pages_flag(const struct vmd_page *page, size_t i)
{
	if (!(page->flags & pages_flags[i].bit))
		return "-";
	if (pages_flags[i].bit == VMD_PAGE_MAPPED && page->flags & VMD_PAGE_HUGE)
		return "huge";
	return pages_flags[i].bit == VMD_PAGE_MAPPED && page->flags & VMD_PAGE_SHARED ?
	       "shared" : pages_flags[i].name;
}

static void pages_row(__u64 index, const struct vmd_page *page, bool private)
{
	size_t i;

	printf("%10llu  %-8s", index, ctl_page_state(page));
	for (i = 0; i < ARRAY_SIZE(pages_flags); i++)
		printf("  %-8s", pages_flag(page, i));
	printf("  %6u", page->faults);
	if (private)
		printf("  %7u", page->sharers);
	if (page->flags & VMD_PAGE_SLOT)
		printf("  %10llu\n", page->slot);
	else
		printf("  %10s\n", "-");
}

static void pages_rows(struct pages_view *view, __u64 first, const struct vmd_page *pages,
		       size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (view->all || !pages_untouched(&pages[i]))
			pages_row(first + i, &pages[i], view->private);
}

static struct json_object *pages_object(__u64 index, const struct vmd_page *page)
{
	struct json_object *object = json_object_new_object();
	struct json_object *slot = NULL;
	size_t i;

	if (page->flags & VMD_PAGE_SLOT)
		slot = json_object_new_uint64(page->slot);
	ctl_json_add_u64(object, "page", index);
	ctl_json_add_text(object, "state", ctl_page_state(page));
	for (i = 0; i < ARRAY_SIZE(pages_flags); i++)
		ctl_json_add(object, pages_flags[i].name,
			     json_object_new_boolean(!!(page->flags & pages_flags[i].bit)));
	ctl_json_add(object, "huge", json_object_new_boolean(!!(page->flags & VMD_PAGE_HUGE)));
	ctl_json_add(object, "shared", json_object_new_boolean(!!(page->flags & VMD_PAGE_SHARED)));
	ctl_json_add_u64(object, "faults", page->faults);
	ctl_json_add_u64(object, "sharers", page->sharers);
	ctl_json_add(object, "slot", slot);
	return object;
}

static void pages_objects(struct pages_view *view, __u64 first,
			  const struct vmd_page *pages, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (view->all || !pages_untouched(&pages[i]))
			json_object_array_add(view->json, pages_object(first + i, &pages[i]));
}

static char pages_letter(const struct vmd_page *page)
{
	switch (page->state) {
	case VMD_PAGE_ABSENT:
		return '.';
	case VMD_PAGE_SWAPPED:
		return 's';
	case VMD_PAGE_FILLING:
		return '<';
	case VMD_PAGE_EVICTING:
		return '>';
	case VMD_PAGE_RESIDENT:
		if (page->flags & VMD_PAGE_PINNED)
			return 'P';
		return page->flags & VMD_PAGE_DIRTY ? 'D' : 'r';
	default:
		return '?';
	}
}

/* Returns whether nothing but absent pages is in the line. */
static bool pages_letters(char *line, const struct vmd_page *pages, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		line[i] = pages_letter(&pages[i]);
	line[nr] = 0;
	return strspn(line, ".") == nr;
}

/* As hexdump does, a run of blank lines is one line and an asterisk. */
static void pages_map_line(struct pages_view *view, __u64 first, const char *line,
			   bool blank)
{
	bool skip = blank && view->blank && !view->all;

	if (!skip)
		printf("%10llu  %s\n", first, line);
	else if (!view->skipped)
		printf("%10s\n", "*");
	view->blank = blank;
	view->skipped = skip;
}

static void pages_map(struct pages_view *view, __u64 first, const struct vmd_page *pages,
		      size_t nr)
{
	char line[PAGES_LINE + 1];
	size_t i, some;
	bool blank;

	for (i = 0; i < nr; i += some) {
		some = nr - i < PAGES_LINE ? nr - i : PAGES_LINE;
		blank = pages_letters(line, pages + i, some);
		pages_map_line(view, first + i, line, blank);
	}
}

static int pages_walk(struct ctl_space *space, struct ctl_range range,
		      struct pages_view *view)
{
	struct vmd_page *pages = calloc(PAGES_CHUNK, sizeof(*pages));
	struct ctl_range part;
	int status = pages ? CTL_OK : ctl_fail("out of memory");

	while (!status && range.count) {
		part = range;
		if (part.count > PAGES_CHUNK)
			part.count = PAGES_CHUNK;
		status = ctl_get_pages(space, &part, pages);
		if (status || !part.count)
			break;
		view->show(view, part.first, pages, part.count);
		range.first += part.count;
		range.count -= part.count;
	}
	free(pages);
	return status;
}

static int pages_json(struct ctl_space *space, const struct ctl_range *range, bool all)
{
	struct pages_view view = {
		.show = pages_objects,
		.all = all,
		.json = json_object_new_array(),
	};
	int status = pages_walk(space, *range, &view);

	ctl_json_free(view.json, !status);
	return status;
}

static int pages_text(struct ctl_space *space, const struct ctl_range *range,
		      const struct pages_args *args)
{
	struct pages_view view = {
		.show = args->map ? pages_map : pages_rows,
		.all = args->all,
	};
	struct vmd_config config;
	int status = ctl_get_config(space, &config);

	if (status)
		return status;
	view.private = config.flags & VMD_SPACE_PRIVATE;
	if (args->map)
		puts(pages_legend);
	else
		printf("%10s  %-8s  %-8s  %-8s  %-8s  %-8s  %6s%s  %10s\n", "PAGE", "STATE",
		       "DIRTY", "ACCESSED", "MAPPED", "PINNED", "FAULTS",
		       view.private ? "  SHARERS" : "", "SLOT");
	status = pages_walk(space, *range, &view);
	if (!status && args->map)
		printf("%10llu\n", range->first + range->count);
	return status;
}

static error_t pages_option(int key, char *arg, struct argp_state *state)
{
	struct pages_args *args = state->input;

	switch (key) {
	case 'm':
		args->map = true;
		return 0;
	case 'a':
		args->all = true;
		return 0;
	default:
		return ctl_word(key, arg, state, &args->words);
	}
}

static const struct argp_option pages_options[] = {
	{ "map", 'm', NULL, 0, "Draw a map, a character a page", 0 },
	{ "all", 'a', NULL, 0, "Show pages that were never touched, too", 0 },
	{ 0 },
};

static const struct argp pages_argp = {
	.options = pages_options,
	.parser = pages_option,
	.args_doc = "SPACE [RANGE]",
	.doc = "Show the state of the pages of RANGE, or of all of SPACE.\n"
	       "\vRANGE counts pages: A, A-B (B included) or A+N (N pages).",
	.children = ctl_common,
};

int cmd_pages(int argc, char **argv)
{
	struct pages_args args = {
		.words = { .names = { "SPACE", "RANGE" }, .required = 1 },
	};
	struct ctl_space space = CTL_NO_SPACE;
	struct ctl_range range;
	int status;

	ctl_parse_args(&pages_argp, argc, argv, &args);
	if (args.map && ctl_options.json)
		return ctl_usage("--map is for people: give it or --json");
	status = ctl_open_range(&space, args.words.word[0], args.words.word[1], &range);
	if (status)
		return status;
	if (ctl_options.json)
		status = pages_json(&space, &range, args.all);
	else
		status = pages_text(&space, &range, &args);
	ctl_close(&space);
	return status;
}
