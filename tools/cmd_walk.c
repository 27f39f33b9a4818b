// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl walk: how the hardware translates an address, level by level. */
#include "device.h"
#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WALK_PAGE_SHIFT	12
#define WALK_BITS	9		/* of the address, at each level */
#define WALK_PRESENT	_BITULL(0)
#define WALK_NONE	_BITULL(8)	/* PROT_NONE, of one that is not present */
#define WALK_FLAGS	160

/* What the bits of an entry that is present mean; @leaf: of a page's alone. */
static const struct {
	int bit;
	bool leaf;
	const char *name;
} walk_flags[] = {
	{ 0,  false, "present" },
	{ 1,  false, "writable" },
	{ 2,  false, "user" },
	{ 3,  false, "write-through" },
	{ 4,  false, "uncached" },
	{ 5,  false, "accessed" },
	{ 6,  true,  "dirty" },
	{ 8,  true,  "global" },
	{ 63, false, "NX" },
};

static const char *const walk_names[] = { "PTE", "PMD", "PUD", "P4D", "PGD" };

static const struct {
	u8 bit;
	const char *name;
} walk_accesses[] = {
	{ VMD_WALK_READ,   "read" },
	{ VMD_WALK_WRITE,  "write" },
	{ VMD_WALK_EXEC,   "execute" },
	{ VMD_WALK_SHARED, "shared" },
};

/* The level of the i-th entry: 0 is that of small pages. */
static int walk_level(const struct vmd_walk *w, int i)
{
	return w->levels - 1 - i;
}

/* With four levels, the topmost is the PGD, too. */
static const char *walk_name(const struct vmd_walk *w, int i)
{
	return walk_names[i ? walk_level(w, i) : VMD_WALK_LEVELS - 1];
}

static unsigned int walk_index(const struct vmd_walk *w, int level)
{
	return w->address >> (WALK_PAGE_SHIFT + level * WALK_BITS) & ((1 << WALK_BITS) - 1);
}

/* The last one read, and the walk arrived there. */
static bool walk_is_leaf(const struct vmd_walk *w, int i)
{
	return w->result & VMD_WALK_PRESENT && i == w->nr - 1;
}

static int walk_page_shift(const struct vmd_walk *w)
{
	return w->result & VMD_WALK_PRESENT ? w->page_shift : WALK_PAGE_SHIFT;
}

static __u64 walk_offset(const struct vmd_walk *w)
{
	return w->address & ((1ULL << walk_page_shift(w)) - 1);
}

static const char *walk_page_size(const struct vmd_walk *w)
{
	return w->page_shift == 30 ? "1 GiB" : w->page_shift == 21 ? "2 MiB" : "4 KiB";
}

/* Calls @add for every word about the i-th entry. */
static void walk_each_flag(const struct vmd_walk *w, int i,
			   void (*add)(void *to, const char *word), void *to)
{
	__u64 entry = w->entry[i];
	size_t flag;

	if (!(entry & WALK_PRESENT)) {
		if (entry & WALK_NONE)
			add(to, "no-access");
		add(to, entry ? "not-present" : "empty");
		return;
	}
	for (flag = 0; flag < ARRAY_SIZE(walk_flags); flag++)
		if (entry >> walk_flags[flag].bit & 1 &&
		    (!walk_flags[flag].leaf || walk_is_leaf(w, i)))
			add(to, walk_flags[flag].name);
	if (walk_is_leaf(w, i) && walk_level(w, i))
		add(to, "huge");
}

static void walk_append(void *to, const char *word)
{
	char *text = to;
	size_t used = strlen(text);

	snprintf(text + used, WALK_FLAGS - used, "%s%s", used ? " " : "", word);
}

static void walk_append_json(void *to, const char *word)
{
	json_object_array_add(to, json_object_new_string(word));
}

static void walk_print_address(const struct vmd_walk *w)
{
	int level;

	printf("address 0x%llx =", w->address);
	for (level = w->levels - 1; level >= 0; level--)
		if (WALK_PAGE_SHIFT + level * WALK_BITS >= walk_page_shift(w))
			printf(" %u", walk_index(w, level));
	printf(" + 0x%llx\n", walk_offset(w));
}

static void walk_print_mapping(const struct vmd_walk *w)
{
	char text[WALK_FLAGS] = "";
	size_t i;

	if (!(w->result & VMD_WALK_MAPPED)) {
		puts("mapping: none");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(walk_accesses); i++)
		if (w->access & walk_accesses[i].bit)
			walk_append(text, walk_accesses[i].name);
	printf("mapping: 0x%llx-0x%llx, %s\n", w->start, w->end, *text ? text : "no access");
}

static void walk_print_entries(const struct vmd_walk *w)
{
	static const char *const heads[] = { "LEVEL", ">INDEX", ">ENTRY", "FLAGS" };
	struct ctl_table *table = ctl_table_new(heads, ARRAY_SIZE(heads));
	char text[WALK_FLAGS];
	int i;

	for (i = 0; i < w->nr; i++) {
		*text = '\0';
		walk_each_flag(w, i, walk_append, text);
		ctl_cell(table, "%s", walk_name(w, i));
		ctl_cell(table, "%u", walk_index(w, walk_level(w, i)));
		ctl_cell(table, "0x%016llx", w->entry[i]);
		ctl_cell(table, "%s", text);
	}
	ctl_table_free(table, true);
}

static void walk_print_end(const struct vmd_walk *w)
{
	if (!(w->result & VMD_WALK_PRESENT)) {
		printf("the walk ends at level %s: a touch is a fault\n",
		       walk_name(w, w->nr - 1));
		return;
	}
	printf("the walk arrives at a page of %s", walk_page_size(w));
	if (w->result & VMD_WALK_FRAMES)
		printf(", frame 0x%llx\n", w->frame);
	else
		puts("; addresses and frame are shown to CAP_SYS_ADMIN only");
}

static void walk_print_policy(const struct vmd_walk *w)
{
	if (w->result & VMD_WALK_QUEUED)
		printf("policy: %u of %u pages would go before it\n", w->position, w->queue);
	else
		puts("policy: does not have it");
}

static void walk_print_space(const struct vmd_walk *w)
{
	if (!(w->result & VMD_WALK_SPACE)) {
		puts("space: none");
		return;
	}
	printf("space %llu: page %llu, %s%s%s", w->space_id, w->index, ctl_page_state(&w->page),
	       w->page.flags & VMD_PAGE_DIRTY ? ", dirty" : "",
	       w->page.flags & VMD_PAGE_PINNED ? ", pinned" : "");
	if (w->result & VMD_WALK_IN_FRAME)
		printf(", frame %u of the space", w->space_frame);
	if (w->page.flags & VMD_PAGE_SLOT)
		printf(", slot %llu", w->page.slot);
	printf(", %u misses\n", w->page.faults);
	if (w->result & VMD_WALK_PRESENT && w->result & VMD_WALK_IN_FRAME &&
	    !(w->result & VMD_WALK_SAME))
		puts("what is mapped is a private copy, not the space's frame");
	walk_print_policy(w);
}

static void walk_text(const struct vmd_walk *w)
{
	walk_print_address(w);
	walk_print_mapping(w);
	walk_print_entries(w);
	walk_print_end(w);
	walk_print_space(w);
}

static struct json_object *walk_json_entry(const struct vmd_walk *w, int i)
{
	struct json_object *object = json_object_new_object();
	struct json_object *flags = json_object_new_array();
	char entry[24];

	snprintf(entry, sizeof(entry), "0x%016llx", w->entry[i]);
	ctl_json_add_text(object, "level", walk_name(w, i));
	ctl_json_add_u64(object, "index", walk_index(w, walk_level(w, i)));
	/* More than a double holds: JSON's readers would round it. */
	ctl_json_add_text(object, "entry", entry);
	walk_each_flag(w, i, walk_append_json, flags);
	ctl_json_add(object, "flags", flags);
	return object;
}

static struct json_object *walk_json_space(const struct vmd_walk *w)
{
	struct json_object *object = json_object_new_object();
	bool framed = w->result & VMD_WALK_IN_FRAME, queued = w->result & VMD_WALK_QUEUED;
	bool placed = w->page.flags & VMD_PAGE_SLOT;

	ctl_json_add_u64(object, "id", w->space_id);
	ctl_json_add_u64(object, "page", w->index);
	ctl_json_add_text(object, "state", ctl_page_state(&w->page));
	ctl_json_add(object, "dirty", json_object_new_boolean(w->page.flags & VMD_PAGE_DIRTY));
	ctl_json_add(object, "pinned", json_object_new_boolean(w->page.flags & VMD_PAGE_PINNED));
	ctl_json_add_u64(object, "misses", w->page.faults);
	ctl_json_add(object, "slot", placed ? json_object_new_uint64(w->page.slot) : NULL);
	ctl_json_add(object, "frame", framed ? json_object_new_int64(w->space_frame) : NULL);
	ctl_json_add(object, "mapped", json_object_new_boolean(w->result & VMD_WALK_SAME));
	ctl_json_add(object, "position", queued ? json_object_new_int64(w->position) : NULL);
	ctl_json_add(object, "queue", queued ? json_object_new_int64(w->queue) : NULL);
	return object;
}

static struct json_object *walk_json_mapping(const struct vmd_walk *w)
{
	struct json_object *object = json_object_new_object();
	size_t i;

	ctl_json_add_u64(object, "start", w->start);
	ctl_json_add_u64(object, "end", w->end);
	for (i = 0; i < ARRAY_SIZE(walk_accesses); i++)
		ctl_json_add(object, walk_accesses[i].name,
			     json_object_new_boolean(w->access & walk_accesses[i].bit));
	return object;
}

static void walk_json(const struct vmd_walk *w)
{
	struct json_object *object = json_object_new_object();
	struct json_object *entries = json_object_new_array();
	bool arrived = w->result & VMD_WALK_PRESENT;
	bool frames = arrived && w->result & VMD_WALK_FRAMES;
	int i;

	ctl_json_add_u64(object, "address", w->address);
	ctl_json_add_u64(object, "levels", w->levels);
	for (i = 0; i < w->nr; i++)
		json_object_array_add(entries, walk_json_entry(w, i));
	ctl_json_add(object, "entries", entries);
	ctl_json_add_u64(object, "offset", walk_offset(w));
	ctl_json_add(object, "arrives", json_object_new_boolean(arrived));
	ctl_json_add(object, "page_size",
		     arrived ? json_object_new_int64(1LL << w->page_shift) : NULL);
	ctl_json_add(object, "frame", frames ? json_object_new_uint64(w->frame) : NULL);
	ctl_json_add(object, "mapping",
		     w->result & VMD_WALK_MAPPED ? walk_json_mapping(w) : NULL);
	ctl_json_add(object, "space",
		     w->result & VMD_WALK_SPACE ? walk_json_space(w) : NULL);
	ctl_json_free(object, true);
}

static const struct argp walk_argp = {
	.parser = ctl_words_only,
	.args_doc = "PID|self ADDRESS",
	.doc = "Show how the hardware translates ADDRESS of a process or thread, or of\n"
	       "vmdemoctl itself: the entry of each level of the page tables, and where\n"
	       "that ends; and what vmdemo knows of the page, if it is a space's. Allowed\n"
	       "is what /proc/PID/maps may be read of; addresses in the entries and the\n"
	       "frame are shown to CAP_SYS_ADMIN only.\n"
	       "\vExample:\n"
	       "  vmdemoctl walk $$ 0x$(sed -n 's/-.*//; 1p' /proc/$$/maps)",
	.children = ctl_common,
};

static int walk_take_words(const struct ctl_words *words, struct vmd_walk *w)
{
	const char *why;
	__u64 pid = 0;

	if (strcmp(words->word[0], "self")) {
		why = ctl_parse_number(words->word[0], &pid);
		if (why || !pid || pid > (1 << 22))
			return ctl_usage("process '%s': want a number, or self", words->word[0]);
	}
	why = ctl_parse_number(words->word[1], &w->address);
	if (why)
		return ctl_usage("address '%s': %s: want it as 0x7f0012345000", words->word[1],
				 why);
	if (w->address >> 56)
		return ctl_usage("address '%s': in the kernel's half: want one of a program",
				 words->word[1]);
	w->pid = pid;
	return CTL_OK;
}

int cmd_walk(int argc, char **argv)
{
	struct ctl_words words = { .names = { "PID", "ADDRESS" }, .required = 2 };
	struct ctl_space space = CTL_NO_SPACE;
	struct vmd_walk w = { 0 };
	int status;

	ctl_parse_args(&walk_argp, argc, argv, &words);
	status = walk_take_words(&words, &w);
	if (!status)
		status = ctl_open(&space);
	if (status)
		return status;
	status = ctl_walk(&space, &w);
	ctl_close(&space);
	if (status)
		return status;
	if (ctl_options.json)
		walk_json(&w);
	else
		walk_text(&w);
	return CTL_OK;
}
