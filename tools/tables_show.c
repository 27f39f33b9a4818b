// SPDX-License-Identifier: GPL-2.0-only
/* What page tables take and cost, and a picture of the radix tree. */
#include "tables.h"

#include <stdlib.h>
#include <string.h>

#define SHOW_WIDTH	64		/* characters of a picture's line */
#define SHOW_ROWS	16		/* most tables of a level that are drawn */

/* Part of the entries a character stands for that is in use. */
static const char show_shades[] = ".:-=+*#%@";

static const char *show_name(const struct table *t, char buf[24])
{
	static const char *const names[] = {
		[TABLES_FLAT] = "flat", [TABLES_RADIX] = "radix",
		[TABLES_HASHED] = "hashed", [TABLES_INVERTED] = "inverted",
	};

	if (t->kind != TABLES_RADIX)
		return names[t->kind];
	snprintf(buf, 24, "radix-%u", t->levels);
	return buf;
}

static u64 show_tables(const struct table *t)
{
	u64 tables = t->kind == TABLES_FLAT ? 1 : t->kind == TABLES_RADIX ? 0 : 2;
	u32 i;

	for (i = 0; i < t->levels; i++)
		tables += t->level[i].tables;
	return tables;
}

static void show_bits(const struct table *t, char buf[24])
{
	size_t used = 0;
	u32 i;

	strcpy(buf, "-");
	for (i = 0; i < t->levels; i++)
		used += snprintf(buf + used, 24 - used, "%s%u", i ? "+" : "", t->level[i].bits);
}

static void show_row(struct ctl_table *out, const struct table *t,
		     const struct tables_pages *pages)
{
	char name[24], bits[24], rate[LAB_RATE_LEN];

	show_bits(t, bits);
	ctl_cell(out, "%s", show_name(t, name));
	ctl_cell(out, "%s", bits);
	ctl_cell(out, "%llu", (__u64)show_tables(t));
	ctl_cell(out, "%llu", (__u64)t->bytes);
	ctl_cell(out, "%.1f", (double)t->bytes / pages->nr);
	if (!t->built) {
		ctl_cell(out, "-");
		ctl_cell(out, "-");
		ctl_cell(out, "-");
		return;
	}
	ctl_cell(out, "%.2f", (double)t->loads / pages->nr_order);
	ctl_cell(out, "%.0f", (double)t->lines / pages->nr_order * TABLES_LINE);
	ctl_cell(out, "%s",
		 t->seconds > 0 ? lab_format_rate(pages->nr_order / t->seconds, rate) : "-");
}

/* Pages whose number lies in @first to @first + @n - 1, from keys[*at] on. */
static u32 show_count(const struct tables_pages *pages, u32 *at, u64 first, u64 n)
{
	u32 count = 0;

	while (*at < pages->nr && pages->keys[*at] < first)
		++*at;
	for (; *at < pages->nr && pages->keys[*at] - first < n; ++*at)
		count++;
	return count;
}

/*
 * Draw the table of the level that covers @first on: @span pages an entry. A
 * character stands for several entries, or for one where there are few.
 */
static void show_table(const struct tables_pages *pages, u32 bits, u64 first, u64 span)
{
	u64 entries = 1ULL << bits, width = entries < SHOW_WIDTH ? entries : SHOW_WIDTH;
	u64 each = entries / width, i, j, used;
	u32 at = 0;

	printf("  0x%-11llx |", (__u64)first);
	for (i = 0; i < width; i++) {
		for (used = 0, j = 0; j < each; j++)
			used += show_count(pages, &at, first + (i * each + j) * span, span) > 0;
		putchar(used ? show_shades[used * (sizeof(show_shades) - 2) / each] : ' ');
	}
	puts("|");
}

/* A level's tables, each on a line; @shift: of the entry's bits. */
static void show_level(const struct tables_pages *pages, u32 bits, u32 shift)
{
	u64 last = 0, rows = 0;
	u32 i;

	for (i = 0; i < pages->nr; i++) {
		u64 table = pages->keys[i] >> shift >> bits;

		if (i && table == last)
			continue;
		last = table;
		if (rows++ < SHOW_ROWS)
			show_table(pages, bits, table << bits << shift, 1ULL << shift);
	}
	if (rows > SHOW_ROWS)
		printf("  and %llu more\n", (__u64)rows - SHOW_ROWS);
}

static void show_radix(const struct tables_pages *pages, const struct table *t)
{
	u32 level, shift = pages->bits;

	printf("\nthe radix tree of %u levels; a table a line, its first page before it;\n"
	       "from blank, no entry of those used, over . to @, all used:\n", t->levels);
	for (level = 0; level < t->levels; level++) {
		const struct tables_level *l = &t->level[level];

		shift -= l->bits;
		printf("level %u: %llu table%s of %llu entries, %.2f%% in use\n",
		       t->levels - level, (__u64)l->tables, l->tables == 1 ? "" : "s",
		       1ULL << l->bits, 100.0 * l->used / ((double)l->tables * (1ULL << l->bits)));
		show_level(pages, l->bits, shift);
	}
}

void tables_print(const struct tables_pages *pages, const struct table *tables,
		  const char *of, u32 levels)
{
	static const char *const heads[] = {
		"table", "bits", ">tables", ">bytes", ">per page", ">loads", ">touched", ">rate",
	};
	struct ctl_table *out = ctl_table_new(heads, ARRAY_SIZE(heads));
	u32 i;

	printf("%s: %u pages, from %llu to %llu; %zu lookups\n", of, pages->nr,
	       (__u64)pages->keys[0], (__u64)pages->keys[pages->nr - 1], pages->nr_order);
	for (i = 0; i < TABLES_NR; i++)
		show_row(out, &tables[i], pages);
	ctl_table_free(out, true);
	show_radix(pages, &tables[levels - 1]);
}

static struct json_object *json_level(const struct tables_level *l)
{
	struct json_object *object = json_object_new_object();

	ctl_json_add_u64(object, "bits", l->bits);
	ctl_json_add_u64(object, "tables", l->tables);
	ctl_json_add_u64(object, "entries_used", l->used);
	return object;
}

static struct json_object *json_table(const struct tables_pages *pages, const struct table *t)
{
	struct json_object *object = json_object_new_object();
	struct json_object *levels = json_object_new_array();
	double n = pages->nr_order;
	char name[24];
	u32 i;

	ctl_json_add_text(object, "name", show_name(t, name));
	ctl_json_add_u64(object, "tables", show_tables(t));
	ctl_json_add_u64(object, "bytes", t->bytes);
	for (i = 0; i < t->levels; i++)
		json_object_array_add(levels, json_level(&t->level[i]));
	ctl_json_add(object, "levels", levels);
	ctl_json_add(object, "loads_per_lookup",
		     t->built ? json_object_new_double(t->loads / n) : NULL);
	ctl_json_add(object, "bytes_touched_per_lookup",
		     t->built ? json_object_new_double(t->lines / n * TABLES_LINE) : NULL);
	ctl_json_add(object, "lookups_per_second", t->built && t->seconds > 0 ?
		     json_object_new_double(n / t->seconds) : NULL);
	return object;
}

void tables_json(struct json_object *object, const struct tables_pages *pages,
		 const struct table *tables)
{
	struct json_object *array = json_object_new_array();
	u32 i;

	ctl_json_add_u64(object, "present", pages->nr);
	ctl_json_add_u64(object, "first_page", pages->keys[0]);
	ctl_json_add_u64(object, "last_page", pages->keys[pages->nr - 1]);
	ctl_json_add_u64(object, "bits", pages->bits);
	ctl_json_add_u64(object, "frames", pages->frames);
	ctl_json_add_u64(object, "lookups", pages->nr_order);
	for (i = 0; i < TABLES_NR; i++)
		json_object_array_add(array, json_table(pages, &tables[i]));
	ctl_json_add(object, "representations", array);
}
