/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What users write: numbers, sizes, ranges of pages.
 *
 * Every function takes the whole text or nothing and returns NULL, or else a
 * phrase that tells what is wrong or what would be right, to be printed behind
 * the text itself. The result is then left alone.
 */
#ifndef _CTL_PARSE_H
#define _CTL_PARSE_H

#include <stdbool.h>

#include <linux/types.h>

/* Pages @first to @first + @count - 1. */
struct ctl_range {
	__u64 first;
	__u64 count;
};

/* Take the number that @text begins with; *@end is what follows it. */
const char *ctl_scan_number(const char *text, const char **end, __u64 *value);

/* Decimal, or hex with 0x. */
const char *ctl_parse_number(const char *text, __u64 *value);

/* A number with K, M, G or T behind it: 1024 each; *@suffix: there was one. */
const char *ctl_parse_size(const char *text, __u64 *value, bool *suffix);

/* "A", "A-B" (B included), "A+N" (N pages). */
const char *ctl_parse_range(const char *text, struct ctl_range *range);

/* Write @bytes the way ctl_parse_size() reads it, exactly and shortly. */
#define CTL_SIZE_LEN	24
const char *ctl_format_size(__u64 bytes, char buf[CTL_SIZE_LEN]);

#endif /* _CTL_PARSE_H */
