// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables of every kind, built in memory and looked into.
 *
 *	flat		an array, an entry for each page number up to the last
 *	radix		a tree of arrays, each level taking its share of the bits;
 *			with four levels of nine bits that of x86-64
 *	hashed		chains of nodes behind an array of heads, twice as many as
 *			there are pages at most: a node is key, entry and next
 *	inverted	an entry for each frame, not for each page: which page is
 *			in it, and the next one of its chain
 *
 * J. Huck, J. Hays: Architectural support for translation table management in
 * large address space machines, ISCA 1993; A. Chang, M. F. Mergen: 801 storage:
 * architecture and programming, ACM TOCS, 1988 (the inverted one).
 */
#include "tables.h"

#include <stdlib.h>
#include <string.h>

struct hash_node {
	u64 key;
	u64 entry;
	u64 next;		/* of the node, counted from 1 */
	u64 unused;		/* so that none lies in two lines */
};

struct frame_node {
	u64 key;
	u32 next;		/* counted from 1 */
	u32 flags;
};

static u64 tables_round(u64 bytes)
{
	return (bytes + TABLES_LINE - 1) / TABLES_LINE * TABLES_LINE;
}

/* A number of @shift bits is left below this level. */
static u32 radix_shift(const struct table *t, u32 level)
{
	u32 shift = 0;

	while (++level < t->levels)
		shift += t->level[level].bits;
	return shift;
}

static u64 radix_index(const struct table *t, u32 level, u32 shift, u64 key)
{
	return key >> shift & ((1ULL << t->level[level].bits) - 1);
}

/* The bits are shared out evenly; what is left over goes to the top. */
static void radix_share(struct table *t, u32 bits)
{
	u32 i;

	for (i = 0; i < t->levels; i++)
		t->level[i].bits = bits / t->levels + (i < bits % t->levels);
}

/* Tables of a level are the different beginnings of the keys. */
static void radix_count(struct table *t, const struct tables_pages *pages)
{
	u32 i, level, shift;

	for (level = 0; level < t->levels; level++) {
		struct tables_level *l = &t->level[level];

		shift = radix_shift(t, level);
		for (i = 0; i < pages->nr; i++) {
			u64 entry = pages->keys[i] >> shift;
			u64 last = i ? pages->keys[i - 1] >> shift : 0;

			l->used += !i || entry != last;
			l->tables += !i || entry >> l->bits != last >> l->bits;
		}
		t->bytes += l->tables * tables_round(8ULL << l->bits);
	}
}

/* Entries are indices of entries: that of the next table, or the page's + 1. */
static void radix_insert(struct table *t, u64 *next, u64 key, u64 value)
{
	u64 *mem = t->mem, table = 0;
	u32 level, shift;

	for (level = 0; level < t->levels; level++) {
		u64 *entry;

		shift = radix_shift(t, level);
		entry = &mem[table + radix_index(t, level, shift, key)];
		if (level == t->levels - 1) {
			*entry = value;
		} else if (!*entry) {
			*entry = *next;
			*next += tables_round(8ULL << t->level[level + 1].bits) / 8;
		}
		table = *entry;
	}
}

static u64 tables_hash(const struct table *t, u64 key)
{
	return (key * 0x9e3779b97f4a7c15ULL) >> 32 & (t->heads - 1);
}

/* Heads are as many as nodes at least, and a power of two. */
static u64 tables_heads(u64 nodes)
{
	u64 heads = 1;

	while (heads < nodes)
		heads *= 2;
	return heads;
}

static void *tables_nodes(const struct table *t)
{
	return (u8 *)t->mem + tables_round(t->heads * sizeof(u32));
}

static void tables_count(struct table *t, const struct tables_pages *pages)
{
	switch (t->kind) {
	case TABLES_FLAT:
		t->bytes = tables_round((pages->keys[pages->nr - 1] + 1) * 8);
		return;
	case TABLES_RADIX:
		radix_share(t, pages->bits);
		radix_count(t, pages);
		return;
	case TABLES_HASHED:
		t->heads = tables_heads(pages->nr);
		t->bytes = tables_round(t->heads * sizeof(u32)) +
			   tables_round(pages->nr * sizeof(struct hash_node));
		return;
	case TABLES_INVERTED:
		t->heads = tables_heads(pages->frames);
		t->bytes = tables_round(t->heads * sizeof(u32)) +
			   tables_round(pages->frames * sizeof(struct frame_node));
		return;
	}
}

static void tables_insert(struct table *t, u64 *next, u64 key, u32 value)
{
	u32 *head = (u32 *)t->mem + (t->heads ? tables_hash(t, key) : 0);
	struct hash_node *nodes = tables_nodes(t);
	struct frame_node *frames = tables_nodes(t);

	switch (t->kind) {
	case TABLES_FLAT:
		((u64 *)t->mem)[key] = value;
		return;
	case TABLES_RADIX:
		radix_insert(t, next, key, value);
		return;
	case TABLES_HASHED:
		nodes[value - 1] = (struct hash_node){ key, value, *head, 0 };
		*head = value;
		return;
	case TABLES_INVERTED:
		frames[value - 1] = (struct frame_node){ key, *head, 1 };
		*head = value;
		return;
	}
}

/* What a lookup reads; all of it vanishes where nobody counts. */
struct touched {
	u64 loads;
	u64 lines;
	const void *line[64];
	u32 nr;
};

static inline void tables_touch(struct touched *touched, const void *p)
{
	const void *line = (const void *)((uintptr_t)p / TABLES_LINE);
	u32 i;

	if (!touched)
		return;
	touched->loads++;
	for (i = 0; i < touched->nr; i++)
		if (touched->line[i] == line)
			return;
	touched->lines++;
	if (touched->nr < ARRAY_SIZE(touched->line))
		touched->line[touched->nr++] = line;
}

static inline u64 radix_find(const struct table *t, const u32 *shifts, u64 key,
			     struct touched *touched)
{
	const u64 *mem = t->mem, *entry;
	u64 table = 0;
	u32 level;

	for (level = 0; level < t->levels; level++) {
		entry = &mem[table + radix_index(t, level, shifts[level], key)];
		tables_touch(touched, entry);
		table = *entry;
		if (!table)
			return 0;
	}
	return table;
}

static inline u64 hash_find(const struct table *t, u64 key, struct touched *touched)
{
	const u32 *head = (u32 *)t->mem + tables_hash(t, key);
	const struct hash_node *nodes = tables_nodes(t);
	u64 at;

	tables_touch(touched, head);
	for (at = *head; at; at = nodes[at - 1].next) {
		tables_touch(touched, &nodes[at - 1]);
		if (nodes[at - 1].key == key)
			return nodes[at - 1].entry;
	}
	return 0;
}

static inline u64 frame_find(const struct table *t, u64 key, struct touched *touched)
{
	const u32 *head = (u32 *)t->mem + tables_hash(t, key);
	const struct frame_node *frames = tables_nodes(t);
	u64 at;

	tables_touch(touched, head);
	for (at = *head; at; at = frames[at - 1].next) {
		tables_touch(touched, &frames[at - 1]);
		if (frames[at - 1].key == key)
			return at;
	}
	return 0;
}

static inline u64 tables_find(const struct table *t, const u32 *shifts, u64 key,
			      struct touched *touched)
{
	switch (t->kind) {
	case TABLES_FLAT:
		tables_touch(touched, (u64 *)t->mem + key);
		return ((u64 *)t->mem)[key];
	case TABLES_RADIX:
		return radix_find(t, shifts, key, touched);
	case TABLES_HASHED:
		return hash_find(t, key, touched);
	default:
		return frame_find(t, key, touched);
	}
}

/* Look all up, counting and checking what is found. */
static int tables_check(struct table *t, const struct tables_pages *pages, const u32 *shifts)
{
	size_t i;

	for (i = 0; i < pages->nr_order; i++) {
		struct touched touched = { 0 };
		u32 page = pages->order[i];

		if (tables_find(t, shifts, pages->keys[page], &touched) != page + 1ULL)
			return ctl_fail("page %llu is not where it was put: a bug",
					(__u64)pages->keys[page]);
		t->found += page + 1;
		t->loads += touched.loads;
		t->lines += touched.lines;
	}
	return CTL_OK;
}

/* The kind is known here: the compiler makes a loop of its own for each. */
static double tables_time(const struct table *t, const struct tables_pages *pages,
			  const u32 *shifts, u64 *sum)
{
	double start = lab_now();
	size_t i;

	for (i = 0; i < pages->nr_order; i++)
		*sum += tables_find(t, shifts, pages->keys[pages->order[i]], NULL);
	return lab_now() - start;
}

static int tables_build(struct table *t, const struct tables_pages *pages)
{
	u32 shifts[TABLES_LEVELS], i;
	int status;
	u64 next, sum = 0;

	tables_count(t, pages);
	if (t->bytes > TABLES_BUILT_MOST)
		return CTL_OK;
	if (posix_memalign(&t->mem, TABLES_LINE, t->bytes))
		return ctl_fail("out of memory: %llu bytes for a table", (__u64)t->bytes);
	memset(t->mem, 0, t->bytes);
	next = tables_round(8ULL << t->level[0].bits) / 8;
	for (i = 0; i < pages->nr; i++)
		tables_insert(t, &next, pages->keys[i], i + 1);
	for (i = 0; i < t->levels; i++)
		shifts[i] = radix_shift(t, i);
	t->built = true;
	status = tables_check(t, pages, shifts);
	if (!status)
		t->seconds = tables_time(t, pages, shifts, &sum);
	if (!status && sum != t->found)
		status = ctl_fail("a table tells one thing and then another: a bug");
	/* One at a time: the next one shall not find the caches full of this. */
	free(t->mem);
	t->mem = NULL;
	return status;
}

int tables_make(const struct tables_pages *pages, struct table tables[TABLES_NR])
{
	int status = CTL_OK;
	u32 i;

	memset(tables, 0, TABLES_NR * sizeof(*tables));
	for (i = 1; i < TABLES_LEVELS; i++) {
		tables[i].kind = TABLES_RADIX;
		tables[i].levels = i + 1;
	}
	tables[0].kind = TABLES_FLAT;
	tables[TABLES_NR - 2].kind = TABLES_HASHED;
	tables[TABLES_NR - 1].kind = TABLES_INVERTED;
	for (i = 0; i < TABLES_NR && !status; i++)
		status = tables_build(&tables[i], pages);
	return status;
}
