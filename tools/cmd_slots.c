// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl slots: the swap store's slots: a map, holes, where writes went. */
#include "device.h"
#include "output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_LINE	64		/* characters of the map in a line */
#define SLOTS_ROWS	16		/* most lines, unless all are wanted */
#define SLOTS_CHUNK	(64 * 1024)	/* pages asked for with one call */
#define SLOTS_BYTES	16777216	/* most of a map: slots by 8 */

struct slots_args {
	struct ctl_words words;
	bool all;
};

/**
 * struct slots - what is known
 * @look: totals, and how much there is of the rest
 * @used: a bit for each slot
 * @own: likewise, those of the space
 * @nr_own: how many
 * @writes: the last ones
 * @shown: there are a map and writes
 */
struct slots {
	struct vmd_slots look;
	u8 *used;
	u8 *own;
	u64 nr_own;
	struct vmd_slot_write writes[VMD_SLOT_WRITES];
	bool shown;
};

static bool slots_bit(const u8 *map, u64 slot)
{
	return map[slot / 8] >> slot % 8 & 1;
}

/* Totals are everybody's; with them it is known how long the map has to be. */
static int slots_read(struct ctl_space *space, struct slots *slots)
{
	struct vmd_slots *look = &slots->look;
	u64 count;
	int status = ctl_slots(space, look, &slots->shown);

	if (status)
		return status;
	count = (look->slots + 63) / 8 * 8;
	if (count / 8 > SLOTS_BYTES)
		count = SLOTS_BYTES * 8ULL;
	slots->used = calloc(count / 8 + 1, 1);
	slots->own = calloc(count / 8 + 1, 1);
	if (!slots->used || !slots->own)
		return ctl_fail("out of memory");
	*look = (struct vmd_slots){
		.count = count,
		.map = (uintptr_t)slots->used,
		.writes = (uintptr_t)slots->writes,
		.nr_writes = VMD_SLOT_WRITES,
	};
	return ctl_slots(space, look, &slots->shown);
}

static int slots_read_own(struct ctl_space *space, struct ctl_range range, struct slots *slots)
{
	struct vmd_page *pages = calloc(SLOTS_CHUNK, sizeof(*pages));
	int status = pages ? CTL_OK : ctl_fail("out of memory");
	u64 i;

	while (!status && range.count) {
		struct ctl_range part = range;

		if (part.count > SLOTS_CHUNK)
			part.count = SLOTS_CHUNK;
		status = ctl_get_pages(space, &part, pages);
		if (status || !part.count)
			break;
		for (i = 0; i < part.count; i++) {
			if (!(pages[i].flags & VMD_PAGE_SLOT))
				continue;
			slots->nr_own++;
			if (pages[i].slot < slots->look.count)
				slots->own[pages[i].slot / 8] |= 1 << pages[i].slot % 8;
		}
		range.first += part.count;
		range.count -= part.count;
	}
	free(pages);
	return status;
}

/* Part of the free slots that are not in the longest run: 0 if there is one. */
static double slots_fragmentation(const struct vmd_slots *look)
{
	u64 free_slots = look->slots - look->used;

	return free_slots ? 1 - (double)look->longest_free / free_slots : 0;
}

/* Slots from the end of a write to the beginning of the next, on average. */
static double slots_seek(const struct slots *slots)
{
	u32 i, n = slots->look.nr_writes;
	double sum = 0;

	for (i = 1; i < n; i++) {
		u64 from = slots->writes[i - 1].slot + slots->writes[i - 1].pages;
		u64 to = slots->writes[i].slot;

		sum += from < to ? to - from : from - to;
	}
	return n > 1 ? sum / (n - 1) : 0;
}

static u64 slots_written(const struct slots *slots)
{
	u64 pages = 0;
	u32 i;

	for (i = 0; i < slots->look.nr_writes; i++)
		pages += slots->writes[i].pages;
	return pages;
}

/* A line of the map: each character is a slot. */
static void slots_line(const struct slots *slots, u64 first)
{
	u64 slot, end = first + SLOTS_LINE;

	printf("%10llu  ", (__u64)first);
	for (slot = first; slot < end && slot < slots->look.count && slot < slots->look.slots;
	     slot++)
		putchar(slots_bit(slots->own, slot) ? '#' :
			slots_bit(slots->used, slot) ? 'o' : '.');
	putchar('\n');
}

static bool slots_line_empty(const struct slots *slots, u64 first)
{
	static const u8 none[SLOTS_LINE / 8];

	/* The maps are a line longer than there are slots. */
	return !memcmp(slots->used + first / 8, none, sizeof(none));
}

static void slots_map(const struct slots *slots, bool all)
{
	u64 first, rows = 0, left_out = 0;

	puts("# this space's  o another's, or just being written  . free");
	for (first = 0; first < slots->look.count && first < slots->look.slots;
	     first += SLOTS_LINE) {
		if (!all && (rows >= SLOTS_ROWS || slots_line_empty(slots, first))) {
			left_out++;
			continue;
		}
		slots_line(slots, first);
		rows++;
	}
	if (left_out)
		printf("%llu lines left out; --all shows them\n", (__u64)left_out);
}

static void slots_print(const struct slots *slots, bool all)
{
	const struct vmd_slots *look = &slots->look;
	u32 i;

	ctl_print_value("allocator", "%.*s", VMD_NAME_LEN, look->allocator);
	ctl_print_value("slots", "%llu", look->slots);
	ctl_print_value("used", "%llu", look->used);
	ctl_print_value("own", "%llu", (__u64)slots->nr_own);
	ctl_print_value("free_runs", "%llu", look->free_runs);
	ctl_print_value("longest_free", "%llu", look->longest_free);
	ctl_print_value("fragmentation", "%.2f", slots_fragmentation(look));
	for (i = 0; i < VMD_SLOT_BUCKETS; i++)
		if (look->runs[i])
			printf("free runs of %llu to %llu slots: %llu\n", 1ULL << i,
			       (2ULL << i) - 1, look->runs[i]);
	if (!slots->shown) {
		puts("the map and the writes are shown to CAP_SYS_ADMIN only");
		return;
	}
	ctl_print_value("writes", "%u", look->nr_writes);
	ctl_print_value("pages_written", "%llu", (__u64)slots_written(slots));
	ctl_print_value("seek_distance", "%.1f", slots_seek(slots));
	slots_map(slots, all);
}

static struct json_object *slots_json_runs(const struct vmd_slots *look)
{
	struct json_object *array = json_object_new_array();
	u32 i;

	for (i = 0; i < VMD_SLOT_BUCKETS; i++) {
		struct json_object *run = json_object_new_object();

		ctl_json_add_u64(run, "from", 1ULL << i);
		ctl_json_add_u64(run, "runs", look->runs[i]);
		json_object_array_add(array, run);
	}
	return array;
}

static struct json_object *slots_json_writes(const struct slots *slots)
{
	struct json_object *array = json_object_new_array();
	u32 i;

	for (i = 0; i < slots->look.nr_writes; i++) {
		struct json_object *write = json_object_new_object();

		ctl_json_add_u64(write, "slot", slots->writes[i].slot);
		ctl_json_add_u64(write, "pages", slots->writes[i].pages);
		json_object_array_add(array, write);
	}
	return array;
}

/* Runs of slots in use: the map, without a number for each slot. */
static struct json_object *slots_json_map(const struct slots *slots)
{
	struct json_object *array = json_object_new_array();
	u64 slot = 0, first;

	while (slot < slots->look.count) {
		struct json_object *run;

		first = slot;
		while (slot < slots->look.count && slots_bit(slots->used, slot) &&
		       slots_bit(slots->own, slot) == slots_bit(slots->own, first))
			slot++;
		if (slot == first) {
			slot++;
			continue;
		}
		run = json_object_new_object();
		ctl_json_add_u64(run, "slot", first);
		ctl_json_add_u64(run, "slots", slot - first);
		ctl_json_add(run, "own", json_object_new_boolean(slots_bit(slots->own, first)));
		json_object_array_add(array, run);
	}
	return array;
}

static void slots_json(const struct slots *slots)
{
	struct json_object *object = json_object_new_object();
	const struct vmd_slots *look = &slots->look;

	ctl_json_add_text(object, "allocator", look->allocator);
	ctl_json_add_u64(object, "slots", look->slots);
	ctl_json_add_u64(object, "used", look->used);
	ctl_json_add_u64(object, "own", slots->nr_own);
	ctl_json_add_u64(object, "free_runs", look->free_runs);
	ctl_json_add_u64(object, "longest_free", look->longest_free);
	ctl_json_add(object, "fragmentation",
		     json_object_new_double(slots_fragmentation(look)));
	ctl_json_add(object, "free_run_lengths", slots_json_runs(look));
	if (slots->shown) {
		ctl_json_add(object, "seek_distance",
			     json_object_new_double(slots_seek(slots)));
		ctl_json_add(object, "writes", slots_json_writes(slots));
		ctl_json_add(object, "map", slots_json_map(slots));
	}
	ctl_json_free(object, true);
}

static error_t slots_option(int key, char *arg, struct argp_state *state)
{
	struct slots_args *args = state->input;

	switch (key) {
	case 'a':
		args->all = true;
		return 0;
	default:
		return ctl_word(key, arg, state, &args->words);
	}
}

static const struct argp_option slots_options[] = {
	{ "all", 'a', NULL, 0, "Show all of the map, empty lines, too", 0 },
	{ 0 },
};

static const struct argp slots_argp = {
	.options = slots_options,
	.parser = slots_option,
	.args_doc = "SPACE",
	.doc = "Show the slots of the swap store, that of all spaces: how they are chosen\n"
	       "(module parameter slots: clustered, first, next, best), how many are used,\n"
	       "the runs of free ones, how far the last writes were from each other, and a\n"
	       "map with those of SPACE.\n"
	       "\v'fragmentation' is the part of the free slots that are not in the longest\n"
	       "run; 'seek_distance' the slots from the end of a write to the next, on\n"
	       "average. Map and writes are shown to CAP_SYS_ADMIN only.",
	.children = ctl_common,
};

int cmd_slots(int argc, char **argv)
{
	struct slots_args args = { .words = { .names = { "SPACE" }, .required = 1 } };
	struct ctl_space space = CTL_NO_SPACE;
	struct slots slots = { 0 };
	struct ctl_range range;
	int status;

	ctl_parse_args(&slots_argp, argc, argv, &args);
	status = ctl_open_range(&space, args.words.word[0], NULL, &range);
	if (status)
		return status;
	status = slots_read(&space, &slots);
	if (!status)
		status = slots_read_own(&space, range, &slots);
	ctl_close(&space);
	if (!status && ctl_options.json)
		slots_json(&slots);
	else if (!status)
		slots_print(&slots, args.all);
	free(slots.used);
	free(slots.own);
	return status;
}
