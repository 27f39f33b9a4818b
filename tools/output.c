// SPDX-License-Identifier: GPL-2.0-only
/* What users read: tables, counters, JSON. */
#include "output.h"

#include <ctype.h>
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../module/policy/place.h"
#include "parse.h"

#define CTL_VALUE_COLUMN	16
#define CTL_BAR			40

struct ctl_table {
	const char *const *heads;
	size_t columns;
	char **cells;
	size_t nr;
	size_t size;
};

static void *ctl_alloc(void *old, size_t size)
{
	void *memory = realloc(old, size);

	if (!memory)
		errx(CTL_FAILED, "out of memory");
	return memory;
}

struct ctl_table *ctl_table_new(const char *const *heads, size_t columns)
{
	struct ctl_table *table = ctl_alloc(NULL, sizeof(*table));

	*table = (struct ctl_table){ .heads = heads, .columns = columns };
	return table;
}

void ctl_cell(struct ctl_table *table, const char *fmt, ...)
{
	va_list args;
	char *cell;

	va_start(args, fmt);
	if (vasprintf(&cell, fmt, args) < 0)
		errx(CTL_FAILED, "out of memory");
	va_end(args);
	if (table->nr == table->size) {
		table->size = table->size ? table->size * 2 : 64;
		table->cells = ctl_alloc(table->cells,
					 table->size * sizeof(*table->cells));
	}
	table->cells[table->nr++] = cell;
}

static const char *ctl_head(const struct ctl_table *table, size_t column)
{
	const char *head = table->heads[column];

	return *head == '>' ? head + 1 : head;
}

static int ctl_column_width(const struct ctl_table *table, size_t column)
{
	size_t width = strlen(ctl_head(table, column));
	size_t i;

	for (i = column; i < table->nr; i += table->columns)
		if (strlen(table->cells[i]) > width)
			width = strlen(table->cells[i]);
	return width;
}

static void ctl_put_cell(const struct ctl_table *table, size_t column,
			 const int *widths, const char *text)
{
	const char *gap = column ? "  " : "";

	if (*table->heads[column] == '>')
		printf("%s%*s", gap, widths[column], text);
	else if (column + 1 < table->columns)
		printf("%s%-*s", gap, widths[column], text);
	else
		printf("%s%s", gap, text);
	if (column + 1 == table->columns)
		putchar('\n');
}

static void ctl_table_print(const struct ctl_table *table)
{
	int *widths = ctl_alloc(NULL, table->columns * sizeof(*widths));
	size_t i;

	for (i = 0; i < table->columns; i++)
		widths[i] = ctl_column_width(table, i);
	for (i = 0; i < table->columns; i++)
		ctl_put_cell(table, i, widths, ctl_head(table, i));
	for (i = 0; i < table->nr; i++)
		ctl_put_cell(table, i % table->columns, widths, table->cells[i]);
	free(widths);
}

void ctl_table_free(struct ctl_table *table, bool print)
{
	if (print)
		ctl_table_print(table);
	while (table->nr)
		free(table->cells[--table->nr]);
	free(table->cells);
	free(table);
}

void ctl_print_value(const char *name, const char *fmt, ...)
{
	va_list args;

	printf("%-*s ", CTL_VALUE_COLUMN, name);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

void ctl_print_size(const char *name, __u64 bytes)
{
	char buf[CTL_SIZE_LEN];

	ctl_print_value(name, "%s", ctl_format_size(bytes, buf));
}

static const struct ctl_flag {
	__u64 bit;
	const char *name;
} ctl_flags[] = {
	{ VMD_SPACE_ENCRYPT,  "encrypt" },
	{ VMD_SPACE_READONLY, "readonly" },
	{ VMD_SPACE_PRIVATE,  "private" },
};

static void ctl_print_flags(__u64 flags)
{
	char list[64] = "";
	size_t i, used = 0;

	for (i = 0; i < ARRAY_SIZE(ctl_flags); i++)
		if (flags & ctl_flags[i].bit)
			used += snprintf(list + used, sizeof(list) - used, "%s%s",
					 used ? " " : "", ctl_flags[i].name);
	ctl_print_value("flags", "%s", used ? list : "-");
}

static struct json_object *ctl_json_flags(__u64 flags)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ctl_flags); i++)
		if (flags & ctl_flags[i].bit)
			json_object_array_add(array,
					      json_object_new_string(ctl_flags[i].name));
	return array;
}

void ctl_print_config(const struct vmd_config *config)
{
	char placement[VMD_PLACE_LEN];

	ctl_print_size("size", config->size);
	if (config->page_size)
		ctl_print_value("page_size", "%llu", config->page_size);
	ctl_print_value("budget", "%llu", config->budget);
	ctl_print_value("policy", "%s", config->policy);
	ctl_print_value("observer", "%s", config->observer);
	vmd_place_format(config->ways, placement);
	ctl_print_value("placement", "%s", placement);
	ctl_print_value("store", "%s", config->store);
	ctl_print_flags(config->flags);
}

void ctl_json_add_config(struct json_object *object,
			 const struct vmd_config *config)
{
	char placement[VMD_PLACE_LEN];

	ctl_json_add_u64(object, "size", config->size);
	ctl_json_add_u64(object, "budget", config->budget);
	ctl_json_add_text(object, "policy", config->policy);
	ctl_json_add_text(object, "observer", config->observer);
	vmd_place_format(config->ways, placement);
	ctl_json_add_text(object, "placement", placement);
	ctl_json_add_text(object, "store", config->store);
	/* None of an older module. */
	if (config->page_size)
		ctl_json_add_u64(object, "page_size", config->page_size);
	ctl_json_add(object, "flags", ctl_json_flags(config->flags));
}

#define X(name, text)	{ #name, offsetof(struct vmd_stats, name) },
const struct ctl_counter ctl_counters[] = {
	VMD_COUNTERS(X) VMD_MORE_COUNTERS(X) { NULL, 0 }
};

#undef X

__u64 *ctl_counter_value(struct vmd_stats *stats, const struct ctl_counter *counter)
{
	return (__u64 *)((char *)stats + counter->at);
}

void ctl_print_counters(struct vmd_stats *stats)
{
	const struct ctl_counter *c;

	for (c = ctl_counters; c->name; c++)
		ctl_print_value(c->name, "%llu", *ctl_counter_value(stats, c));
}

static __u64 ctl_most(const __u64 *counts, size_t nr)
{
	__u64 most = 0;

	while (nr--)
		if (counts[nr] > most)
			most = counts[nr];
	return most;
}

static void ctl_print_bucket(int bucket, __u64 count, __u64 most)
{
	int bar = (double)count / most * CTL_BAR;

	if (count && !bar)
		bar = 1;
	printf("%12llu ns %10llu%s", bucket ? (__u64)1 << bucket : 0, count,
	       bar ? " " : "");
	while (bar--)
		putchar('#');
	putchar('\n');
}

void ctl_print_latency(const struct vmd_stats *stats)
{
	__u64 most = ctl_most(stats->latency, VMD_LATENCY_BUCKETS);
	int first = 0, last = VMD_LATENCY_BUCKETS - 1;

	if (!most)
		return;
	while (!stats->latency[first])
		first++;
	while (!stats->latency[last])
		last--;
	printf("\nfaults by the time they took, at least:\n");
	for (; first <= last; first++)
		ctl_print_bucket(first, stats->latency[first], most);
}

struct json_object *ctl_json_stats(struct vmd_stats *stats)
{
	struct json_object *object = json_object_new_object();
	struct json_object *latency = json_object_new_array();
	const struct ctl_counter *c;
	int i;

	for (c = ctl_counters; c->name; c++)
		ctl_json_add_u64(object, c->name, *ctl_counter_value(stats, c));
	for (i = 0; i < VMD_LATENCY_BUCKETS; i++)
		json_object_array_add(latency, json_object_new_uint64(stats->latency[i]));
	ctl_json_add(object, "latency", latency);
	return object;
}

void ctl_json_add(struct json_object *object, const char *name,
		  struct json_object *value)
{
	json_object_object_add(object, name, value);
}

void ctl_json_add_u64(struct json_object *object, const char *name, __u64 value)
{
	ctl_json_add(object, name, json_object_new_uint64(value));
}

void ctl_json_add_text(struct json_object *object, const char *name,
		       const char *text)
{
	char buf[512];

	ctl_json_add(object, name,
		     json_object_new_string(ctl_printable(text, buf, sizeof(buf))));
}

void ctl_json_free(struct json_object *object, bool print)
{
	const int flags = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE;
	const char *text = "";

	if (print)
		text = json_object_to_json_string_ext(object, flags);
	if (!text)
		errx(CTL_FAILED, "out of memory");
	if (print)
		puts(text);
	json_object_put(object);
}

const char *ctl_printable(const char *text, char *buf, size_t size)
{
	size_t used = 0;

	/* The longest that one byte can become, and the end. */
	for (; *text && used + sizeof("\\xNN") <= size; text++) {
		unsigned char c = *text;

		if (c < 0x80 && isprint(c) && c != '\\')
			buf[used++] = c;
		else
			used += snprintf(buf + used, size - used, "\\x%02x", c);
	}
	buf[used] = 0;
	return buf;
}

const char *ctl_page_state(const struct vmd_page *page)
{
	static const char *const names[] = {
		[VMD_PAGE_ABSENT] = "absent",	  [VMD_PAGE_FILLING] = "filling",
		[VMD_PAGE_RESIDENT] = "resident", [VMD_PAGE_EVICTING] = "evicting",
		[VMD_PAGE_SWAPPED] = "swapped",
	};

	return page->state < ARRAY_SIZE(names) ? names[page->state] : "?";
}
