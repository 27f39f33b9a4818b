// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl tlb: what a translation cache would make of the references. */
#include "device.h"
#include "lab.h"

#include <stdlib.h>
#include <string.h>

#define TLB_ENTRIES	64
#define TLB_WAYS	4
#define TLB_MOST	16777216
#define TLB_LEVELS	2

/**
 * struct tlb - a level of the cache: sets of ways, the least recently used goes
 * @entries: how many there are
 * @ways: of a set: a divisor of @entries
 * @tags: page number + 1, or 0; set by set, the one used last in front
 * @references: looked up here
 * @hits: and found
 */
struct tlb {
	u32 entries;
	u32 ways;
	u64 *tags;
	u64 references;
	u64 hits;
};

struct tlb_args {
	struct trace_options options;
	struct ctl_words words;
	struct tlb level[TLB_LEVELS];	/* the second one has entries if wanted */
	u32 ways;
	__u64 page_size;
};

/* What was found out; the parts that there is something to be told of. */
struct tlb_result {
	struct tlb_args *args;
	struct lab_trace trace;
	u64 pages;			/* of page_size, in the trace */
	bool space;
	struct vmd_stats stats;
};

static u32 tlb_take_number(struct argp_state *state, const char *name, const char *text)
{
	return ctl_option_number(state, name, text, 1, TLB_MOST);
}

/* "1536" or "1536:12". */
static void tlb_take_second(struct argp_state *state, const char *text, struct tlb *tlb)
{
	char *copy = strdup(text), *colon = copy ? strchr(copy, ':') : NULL;

	if (!copy)
		argp_failure(state, CTL_FAILED, 0, "out of memory");
	if (colon)
		*colon++ = '\0';
	tlb->entries = tlb_take_number(state, "second", copy);
	tlb->ways = colon ? tlb_take_number(state, "second's ways", colon) : TLB_WAYS;
	free(copy);
}

static void tlb_take_size(struct argp_state *state, const char *text, __u64 *size)
{
	bool suffix;
	const char *why = ctl_parse_size(text, size, &suffix);

	if (!why && (*size & (*size - 1) || *size < TRACE_PAGE_SIZE || *size >> 40))
		why = "not a power of two from 4K";
	if (why)
		argp_error(state, "page size '%s': %s: want 4K, 2M or 1G", text, why);
}

/* A way is a part of every set; each set has as many. */
static void tlb_check(struct argp_state *state, const struct tlb *tlb)
{
	u32 sets = tlb->ways ? tlb->entries / tlb->ways : 0;

	if (!sets || sets * tlb->ways != tlb->entries || sets & (sets - 1))
		argp_error(state,
			   "%u entries in %u ways: want entries to be ways times a power of two",
			   tlb->entries, tlb->ways);
}

static void tlb_settle(struct argp_state *state, struct tlb_args *args)
{
	struct tlb *first = &args->level[0];

	/* Fewer entries than a set has by default are one set. */
	first->ways = args->ways ? args->ways :
		      first->entries < TLB_WAYS ? first->entries : TLB_WAYS;
	tlb_check(state, first);
	if (args->level[1].entries)
		tlb_check(state, &args->level[1]);
}

static error_t tlb_option(int key, char *arg, struct argp_state *state)
{
	struct tlb_args *args = state->input;

	switch (key) {
	case 'e':
		args->level[0].entries = tlb_take_number(state, "entries", arg);
		return 0;
	case 'w':
		args->ways = tlb_take_number(state, "ways", arg);
		return 0;
	case 's':
		tlb_take_second(state, arg, &args->level[1]);
		return 0;
	case 'P':
		tlb_take_size(state, arg, &args->page_size);
		return 0;
	case 'F':
		args->options.format = trace_find_format(arg);
		if (!args->options.format)
			exit(CTL_USAGE);
		return 0;
	case 'd':
		args->options.data_only = true;
		return 0;
	case 'u':
		args->options.partial = true;
		return 0;
	case ARGP_KEY_END:
		tlb_settle(state, args);
		return ctl_word(key, arg, state, &args->words);
	default:
		return ctl_word(key, arg, state, &args->words);
	}
}

static const struct argp_option tlb_options[] = {
	{ "entries", 'e', "N", 0, "The cache has N entries (default: 64)", 0 },
	{ "ways", 'w', "N", 0,
	  "in sets of N (default: 4); as many as entries: one set, any page anywhere", 0 },
	{ "page-size", 'P', "BYTES", 0,
	  "An entry is for a page of so many bytes: 4K (default), 2M, 1G", 0 },
	{ "second", 's', "N[:WAYS]", 0,
	  "Behind it is a second one, asked where the first one misses (WAYS: 4)", 0 },
	{ "format", 'F', "FORMAT", 0,
	  "What TRACE is in: text, csv, lackey, oracle or vmd (default: found out)", 1 },
	{ "data", 'd', NULL, 0, "Pass over instruction fetches of lackey", 1 },
	{ "partial", 'u', NULL, 0, "Take a binary trace that was cut off for what it is", 1 },
	{ 0 },
};

static const struct argp tlb_argp = {
	.options = tlb_options,
	.parser = tlb_option,
	.args_doc = "SPACE|TRACE [TRACE]",
	.doc = "Show how far a translation cache (TLB) reaches, how many of the references\n"
	       "recorded in TRACE it would have found, and how often the kernel flushed for\n"
	       "SPACE.\n"
	       "\vThe references are page numbers of 4 KiB pages, as 'vmdemoctl record' writes\n"
	       "them; of SPACE alone there are none. Each set forgets the page it used least\n"
	       "recently.\n"
	       "\n"
	       "Example:\n"
	       "  vmdemoctl tlb --entries 64 --ways 4 --second 1536:12 ls.vmd",
	.children = ctl_common,
};

/* Look @page up; where it is not, it is put in place of the oldest. */
static bool tlb_look(struct tlb *tlb, u64 page)
{
	u64 *set = tlb->tags + (page & (tlb->entries / tlb->ways - 1)) * tlb->ways;
	u32 i = 0;
	bool hit;

	while (i < tlb->ways - 1 && set[i] != page + 1)
		i++;
	hit = set[i] == page + 1;
	memmove(set + 1, set, i * sizeof(*set));
	set[0] = page + 1;
	tlb->references++;
	tlb->hits += hit;
	return hit;
}

static int tlb_run(struct tlb_result *result)
{
	struct tlb *level = result->args->level;
	const struct lab_trace *trace = &result->trace;
	u32 shift = __builtin_ctzll(result->args->page_size / TRACE_PAGE_SIZE);
	size_t i;

	for (i = 0; i < TLB_LEVELS; i++) {
		level[i].tags = calloc(level[i].entries + 1, sizeof(u64));
		if (!level[i].tags)
			return ctl_fail("out of memory");
	}
	for (i = 0; i < trace->nr; i++) {
		u64 page = trace->keys[trace->refs[i] >> 1] >> shift;

		if (!tlb_look(&level[0], page) && level[1].entries)
			tlb_look(&level[1], page);
	}
	return CTL_OK;
}

static int tlb_compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Different pages of the size that is asked for. */
static int tlb_count_pages(struct tlb_result *result)
{
	const struct lab_trace *trace = &result->trace;
	u32 shift = __builtin_ctzll(result->args->page_size / TRACE_PAGE_SIZE), i;
	u64 *pages = malloc(trace->pages * sizeof(*pages));

	if (!pages)
		return ctl_fail("out of memory");
	for (i = 0; i < trace->pages; i++)
		pages[i] = trace->keys[i] >> shift;
	qsort(pages, trace->pages, sizeof(*pages), tlb_compare);
	for (i = 0; i < trace->pages; i++)
		result->pages += !i || pages[i] != pages[i - 1];
	free(pages);
	return CTL_OK;
}

static int tlb_load(struct tlb_result *result, const char *path)
{
	int status = lab_load(&result->trace, path, &result->args->options, false);

	if (!status)
		status = tlb_count_pages(result);
	return status ? status : tlb_run(result);
}

static int tlb_ask_space(struct tlb_result *result, const char *name)
{
	struct ctl_space space = CTL_NO_SPACE;
	int status = ctl_open_named(&space, name);

	if (status)
		return status;
	result->space = true;
	status = ctl_get_stats(&space, 0, &result->stats);
	ctl_close(&space);
	return status;
}

static u64 tlb_walks(const struct tlb *level)
{
	const struct tlb *last = &level[level[1].entries ? 1 : 0];

	return last->references - last->hits;
}

static u64 tlb_reach(const struct tlb_result *result, u32 level)
{
	return result->args->level[level].entries * (u64)result->args->page_size;
}

static void tlb_print_levels(const struct tlb_result *result)
{
	static const char *const heads[] = {
		"level", ">entries", ">ways", ">reach", ">lookups", ">hits", ">misses", ">miss %",
	};
	struct ctl_table *table = ctl_table_new(heads, ARRAY_SIZE(heads));
	char reach[CTL_SIZE_LEN];
	u32 i;

	for (i = 0; i < TLB_LEVELS; i++) {
		const struct tlb *tlb = &result->args->level[i];

		if (!tlb->entries)
			continue;
		ctl_cell(table, "L%u", i + 1);
		ctl_cell(table, "%u", tlb->entries);
		ctl_cell(table, "%u", tlb->ways);
		ctl_cell(table, "%s", ctl_format_size(tlb_reach(result, i), reach));
		ctl_cell(table, "%llu", (__u64)tlb->references);
		ctl_cell(table, "%llu", (__u64)tlb->hits);
		ctl_cell(table, "%llu", (__u64)(tlb->references - tlb->hits));
		ctl_cell(table, "%.2f",
			 100 * lab_ratio(tlb->references - tlb->hits, tlb->references));
	}
	ctl_table_free(table, true);
}

static void tlb_print(const struct tlb_result *result)
{
	char size[CTL_SIZE_LEN];

	if (result->trace.nr) {
		lab_print_head(&result->trace);
		printf("of %s each they are %llu pages\n",
		       ctl_format_size(result->args->page_size, size), (__u64)result->pages);
	}
	tlb_print_levels(result);
	if (result->trace.nr)
		printf("walks of the page tables: %llu\n",
		       (__u64)tlb_walks(result->args->level));
	if (result->space)
		printf("resident: %llu pages; flushes by the kernel, about: %llu, in %llu calls\n",
		       result->stats.resident, result->stats.tlb_flushes_estimated,
		       result->stats.unmap_calls);
}

static struct json_object *tlb_json_level(const struct tlb_result *result, u32 i)
{
	const struct tlb *tlb = &result->args->level[i];
	struct json_object *object = json_object_new_object();

	ctl_json_add_u64(object, "entries", tlb->entries);
	ctl_json_add_u64(object, "ways", tlb->ways);
	ctl_json_add_u64(object, "reach", tlb_reach(result, i));
	ctl_json_add_u64(object, "lookups", tlb->references);
	ctl_json_add_u64(object, "hits", tlb->hits);
	ctl_json_add_u64(object, "misses", tlb->references - tlb->hits);
	return object;
}

static void tlb_json(const struct tlb_result *result)
{
	struct json_object *object = json_object_new_object();
	struct json_object *levels = json_object_new_array();
	u32 i;

	if (result->trace.nr) {
		lab_json_head(object, &result->trace);
		ctl_json_add_u64(object, "large_pages", result->pages);
		ctl_json_add_u64(object, "walks", tlb_walks(result->args->level));
	}
	ctl_json_add_u64(object, "page_size", result->args->page_size);
	for (i = 0; i < TLB_LEVELS; i++)
		if (result->args->level[i].entries)
			json_object_array_add(levels, tlb_json_level(result, i));
	ctl_json_add(object, "levels", levels);
	if (result->space) {
		ctl_json_add_u64(object, "resident", result->stats.resident);
		ctl_json_add_u64(object, "unmap_calls", result->stats.unmap_calls);
		ctl_json_add_u64(object, "tlb_flushes_estimated",
				 result->stats.tlb_flushes_estimated);
	}
	ctl_json_free(object, true);
}

/* A number is a space; a file of that name can be called ./3. */
static int tlb_gather(struct tlb_result *result)
{
	const struct ctl_words *words = &result->args->words;
	__u64 id;
	int status;

	if (ctl_parse_number(words->word[0], &id)) {
		if (words->nr > 1)
			return ctl_usage("'%s': not the id of a space, before '%s'",
					 words->word[0], words->word[1]);
		return tlb_load(result, words->word[0]);
	}
	status = tlb_ask_space(result, words->word[0]);
	if (!status && words->nr > 1)
		status = tlb_load(result, words->word[1]);
	return status;
}

int cmd_tlb(int argc, char **argv)
{
	struct tlb_args args = {
		.words = { .names = { "SPACE|TRACE", "TRACE" }, .required = 1 },
		.level = { { .entries = TLB_ENTRIES } },
		.page_size = TRACE_PAGE_SIZE,
	};
	struct tlb_result result = { .args = &args };
	int status, i;

	ctl_parse_args(&tlb_argp, argc, argv, &args);
	status = tlb_gather(&result);
	if (!status && ctl_options.json)
		tlb_json(&result);
	else if (!status)
		tlb_print(&result);
	for (i = 0; i < TLB_LEVELS; i++)
		free(args.level[i].tags);
	lab_unload(&result.trace);
	return status;
}
