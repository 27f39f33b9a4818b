/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page tables, built for a population of pages and looked into.
 *
 *	tables_build.c	the representations
 *	tables_show.c	what is printed
 *	cmd_tables.c	which pages, and which lookups
 */
#ifndef _CTL_TABLES_H
#define _CTL_TABLES_H

#include "lab.h"

/* Of a lookup table nothing more than this is built, only counted. */
#define TABLES_BUILT_MOST	_BITULL(30)

#define TABLES_LEVELS		5	/* most of a radix tree */
#define TABLES_BITS		36	/* page number of a 48-bit address */
#define TABLES_BITS_MOST	52
#define TABLES_LINE		64	/* bytes of memory that come at once */

/**
 * struct tables_pages - who is to be found, and what is looked for
 * @keys: page numbers, in growing order, each once
 * @nr: how many
 * @order: pages looked up one after the other, as indices into @keys
 * @nr_order: how many
 * @bits: bits of a page number
 * @frames: of the inverted table: @nr at least
 */
struct tables_pages {
	u64 *keys;
	u32 nr;
	u32 *order;
	size_t nr_order;
	u32 bits;
	u64 frames;
};

enum tables_kind { TABLES_FLAT, TABLES_RADIX, TABLES_HASHED, TABLES_INVERTED };

/**
 * struct tables_level - a level of a radix tree
 * @bits: of the page number that it takes
 * @tables: how many there are
 * @used: entries in use of them all together
 */
struct tables_level {
	u32 bits;
	u64 tables;
	u64 used;
};

/**
 * struct table - a representation
 * @kind: which
 * @levels: radix: how many
 * @level: radix: each, from the top
 * @bytes: what it takes
 * @built: it was, and not only counted
 * @mem: the memory, @bytes long, at a multiple of TABLES_LINE
 * @heads: hashed, inverted: heads of chains, a power of two
 * @loads: entries read in all lookups together
 * @lines: different lines of memory of these, lookup by lookup
 * @found: sum of what was found
 * @seconds: what all lookups took
 */
struct table {
	enum tables_kind kind;
	u32 levels;
	struct tables_level level[TABLES_LEVELS];
	u64 bytes;
	bool built;
	void *mem;
	u64 heads;
	u64 loads;
	u64 lines;
	u64 found;
	double seconds;
};

#define TABLES_NR	7		/* flat, radix with 2 to 5, hashed, inverted */

/* Build all and make all lookups; 0 or an exit status. */
int tables_make(const struct tables_pages *pages, struct table tables[TABLES_NR]);

/* Print them; @of: what the pages are those of. @levels: of the picture. */
void tables_print(const struct tables_pages *pages, const struct table *tables,
		  const char *of, u32 levels);
void tables_json(struct json_object *object, const struct tables_pages *pages,
		 const struct table *tables);

#endif /* _CTL_TABLES_H */
