/* SPDX-License-Identifier: GPL-2.0-only */
/* What users read: tables, counters, JSON. */
#ifndef _CTL_OUTPUT_H
#define _CTL_OUTPUT_H

#include <json-c/json.h>

#include "vmdemoctl.h"

/*
 * A table whose columns get as wide as their widest cell. Cells are added row
 * by row, left to right. A head that begins with '>' makes its column right-
 * aligned. Running out of memory ends the program.
 */
struct ctl_table;

struct ctl_table *ctl_table_new(const char *const *heads, size_t columns);
__printf(2, 3) void ctl_cell(struct ctl_table *table, const char *fmt, ...);

/* Be done with it, after having printed it or not. */
void ctl_table_free(struct ctl_table *table, bool print);

/* "name   value" on a line of its own, the values below each other. */
__printf(2, 3) void ctl_print_value(const char *name, const char *fmt, ...);

/* "64M" for a size; a space's configuration. */
void ctl_print_size(const char *name, __u64 bytes);
void ctl_print_config(const struct vmd_config *config);
void ctl_json_add_config(struct json_object *object,
			 const struct vmd_config *config);

/* A counter's name, and where it is in struct vmd_stats. */
struct ctl_counter {
	const char *name;
	size_t at;
};

/* VMD_COUNTERS and VMD_MORE_COUNTERS in order; the last one's name is NULL. */
extern const struct ctl_counter ctl_counters[];

__u64 *ctl_counter_value(struct vmd_stats *stats, const struct ctl_counter *counter);

/* The counters of @stats, and its latencies as a histogram, as text. */
void ctl_print_counters(struct vmd_stats *stats);
void ctl_print_latency(const struct vmd_stats *stats);

/* The name of enum vmd_page_state; of one that a newer module knows, "?". */
const char *ctl_page_state(const struct vmd_page *page);

/* An object with every counter under its name, the latencies as "latency". */
struct json_object *ctl_json_stats(struct vmd_stats *stats);

/* Add a member to @object. @text may be any bytes: JSON gets valid UTF-8. */
void ctl_json_add(struct json_object *object, const char *name,
		  struct json_object *value);
void ctl_json_add_u64(struct json_object *object, const char *name, __u64 value);
void ctl_json_add_text(struct json_object *object, const char *name,
		       const char *text);

/* Be done with it, after having printed it or not. */
void ctl_json_free(struct json_object *object, bool print);

/*
 * @text, made fit for a terminal: what is not printable ASCII as \xNN. In @buf,
 * cut to its @size.
 */
const char *ctl_printable(const char *text, char *buf, size_t size);

#endif /* _CTL_OUTPUT_H */
