// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl tables: what kinds of page tables there are, for these very pages. */
#include "device.h"
#include "tables.h"

#include <stdlib.h>
#include <string.h>

/* Lookups of a space's pages, and the least of a trace's: it is repeated. */
#define TABLES_LOOKUPS	262144
#define TABLES_CHUNK	(64 * 1024)

struct tables_args {
	struct trace_options options;
	struct ctl_words words;
	__u64 bits;
	__u64 frames;
	__u64 levels;
};

static error_t tables_option(int key, char *arg, struct argp_state *state)
{
	struct tables_args *args = state->input;

	switch (key) {
	case 'b':
		args->bits = ctl_option_number(state, "bits", arg, TABLES_LEVELS, TABLES_BITS_MOST);
		return 0;
	case 'f':
		args->frames = ctl_option_number(state, "frames", arg, 1, 1U << 30);
		return 0;
	case 'l':
		args->levels = ctl_option_number(state, "levels", arg, 2, TABLES_LEVELS);
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->options;
		return 0;
	default:
		return ctl_word(key, arg, state, &args->words);
	}
}

static const struct argp_option tables_options[] = {
	{ "bits", 'b', "N", 0,
	  "Page numbers have N bits (default: 36, those of 48-bit addresses)", 0 },
	{ "frames", 'f', "N", 0,
	  "The machine has N frames, for the inverted table (default: the space's\n"
	  "budget, or as many as there are pages)", 0 },
	{ "levels", 'l', "N", 0, "Draw the radix tree of N levels (default: 4)", 0 },
	{ 0 },
};

static const struct argp tables_argp = {
	.options = tables_options,
	.parser = tables_option,
	.args_doc = "SPACE|TRACE",
	.doc = "Compare kinds of page tables: a flat one, radix trees of two to five levels,\n"
	       "a hashed and an inverted one. Each is built for the resident pages of SPACE,\n"
	       "or the pages referenced in TRACE, and all lookups are made in it: of those\n"
	       "pages in random order, or the references of TRACE. Then draws the tree.\n"
	       "\v'loads' are entries read for a lookup, 'touched' the bytes of the lines of\n"
	       "memory they lie in, 'rate' lookups per second, measured.\n"
	       "\n"
	       "Example:\n"
	       "  vmdemoctl tables --frames 1024 ls.vmd",
	.children = trace_common,
};

static int tables_compare_keys(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* The index of @key in the sorted keys. */
static u32 tables_rank(const struct tables_pages *pages, u64 key)
{
	const u64 *found = bsearch(&key, pages->keys, pages->nr, sizeof(key),
				   tables_compare_keys);

	return found - pages->keys;
}

/* All references, again and again until there are enough to be timed. */
static int tables_of_trace(struct tables_pages *pages, const struct lab_trace *trace)
{
	size_t times = (TABLES_LOOKUPS + trace->nr - 1) / trace->nr, i;
	u32 *rank = malloc(trace->pages * sizeof(*rank));

	pages->nr = trace->pages;
	pages->nr_order = times * trace->nr;
	pages->keys = malloc(trace->pages * sizeof(*pages->keys));
	pages->order = malloc(pages->nr_order * sizeof(*pages->order));
	if (!rank || !pages->keys || !pages->order) {
		free(rank);
		return ctl_fail("out of memory");
	}
	memcpy(pages->keys, trace->keys, trace->pages * sizeof(*pages->keys));
	qsort(pages->keys, pages->nr, sizeof(*pages->keys), tables_compare_keys);
	for (i = 0; i < trace->pages; i++)
		rank[i] = tables_rank(pages, trace->keys[i]);
	for (i = 0; i < pages->nr_order; i++)
		pages->order[i] = rank[trace->refs[i % trace->nr] >> 1];
	free(rank);
	return CTL_OK;
}

static int tables_load_trace(struct tables_pages *pages, const struct tables_args *args)
{
	struct lab_trace trace;
	int status = lab_load(&trace, args->words.word[0], &args->options, false);

	if (!status)
		status = tables_of_trace(pages, &trace);
	lab_unload(&trace);
	return status;
}

/* The resident ones of a chunk of pages. */
static int tables_add(struct tables_pages *pages, u64 first, const struct vmd_page *page, u64 n)
{
	u64 *keys = realloc(pages->keys, (pages->nr + n) * sizeof(*keys));
	u64 i;

	if (!keys)
		return ctl_fail("out of memory");
	pages->keys = keys;
	for (i = 0; i < n; i++)
		if (page[i].state == VMD_PAGE_RESIDENT)
			keys[pages->nr++] = first + i;
	return CTL_OK;
}

static int tables_read_space(struct ctl_space *space, struct ctl_range range,
			     struct tables_pages *pages)
{
	struct vmd_page *page = calloc(TABLES_CHUNK, sizeof(*page));
	int status = page ? CTL_OK : ctl_fail("out of memory");

	while (!status && range.count) {
		struct ctl_range part = range;

		if (part.count > TABLES_CHUNK)
			part.count = TABLES_CHUNK;
		status = ctl_get_pages(space, &part, page);
		if (status || !part.count)
			break;
		status = tables_add(pages, part.first, page, part.count);
		range.first += part.count;
		range.count -= part.count;
	}
	free(page);
	return status;
}

/* Random, and the same each time. */
static int tables_shuffle(struct tables_pages *pages)
{
	u64 x = 1;
	size_t i;

	pages->nr_order = TABLES_LOOKUPS;
	pages->order = malloc(pages->nr_order * sizeof(*pages->order));
	if (!pages->order)
		return ctl_fail("out of memory");
	for (i = 0; i < pages->nr_order; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		pages->order[i] = (x >> 32) % pages->nr;
	}
	return CTL_OK;
}

static int tables_load_space(struct tables_pages *pages, const struct tables_args *args)
{
	struct ctl_space space = CTL_NO_SPACE;
	struct vmd_config config;
	struct ctl_range range;
	int status = ctl_open_range(&space, args->words.word[0], NULL, &range);

	if (status)
		return status;
	status = ctl_get_config(&space, &config);
	if (!status)
		status = tables_read_space(&space, range, pages);
	ctl_close(&space);
	if (!status && !pages->nr)
		status = ctl_fail("space %s: no page is resident", args->words.word[0]);
	if (!status)
		status = tables_shuffle(pages);
	pages->frames = config.budget;
	return status;
}

/* What was asked for has to fit what there is. */
static int tables_settle(struct tables_pages *pages, const struct tables_args *args)
{
	u64 last = pages->keys[pages->nr - 1];
	u32 least = 1;

	while (least < 64 && last >> least)
		least++;
	if (args->bits && args->bits < least)
		return ctl_usage("bits '%llu': page %llu needs %u", args->bits, (__u64)last,
				 least);
	if (least > TABLES_BITS_MOST)
		return ctl_usage("page %llu: has more than %u bits", (__u64)last,
				 TABLES_BITS_MOST);
	pages->bits = args->bits ? args->bits : least > TABLES_BITS ? least : TABLES_BITS;
	if (args->frames && args->frames < pages->nr)
		return ctl_usage("frames '%llu': there are %u pages to be found in them",
				 args->frames, pages->nr);
	if (args->frames)
		pages->frames = args->frames;
	if (pages->frames < pages->nr)
		pages->frames = pages->nr;
	return CTL_OK;
}

static int tables_show(const struct tables_pages *pages, const struct tables_args *args)
{
	struct table tables[TABLES_NR];
	int status = tables_make(pages, tables);
	struct json_object *object;

	if (status)
		return status;
	if (!ctl_options.json) {
		tables_print(pages, tables, args->words.word[0], args->levels);
		return CTL_OK;
	}
	object = json_object_new_object();
	ctl_json_add_text(object, "of", args->words.word[0]);
	tables_json(object, pages, tables);
	ctl_json_free(object, true);
	return CTL_OK;
}

int cmd_tables(int argc, char **argv)
{
	struct tables_args args = {
		.words = { .names = { "SPACE|TRACE" }, .required = 1 }, .levels = 4,
	};
	struct tables_pages pages = { 0 };
	__u64 id;
	int status;

	ctl_parse_args(&tables_argp, argc, argv, &args);
	/* A number is a space; a file of that name can be called ./3. */
	if (ctl_parse_number(args.words.word[0], &id))
		status = tables_load_trace(&pages, &args);
	else
		status = tables_load_space(&pages, &args);
	if (!status)
		status = tables_settle(&pages, &args);
	if (!status)
		status = tables_show(&pages, &args);
	free(pages.keys);
	free(pages.order);
	return status;
}
