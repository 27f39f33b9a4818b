// SPDX-License-Identifier: GPL-2.0-only
/* What users write: numbers, sizes, ranges of pages. */
#include "parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char ctl_suffixes[] = "KMGT";

static bool ctl_is_hex(const char *text)
{
	return text[0] == '0' && (text[1] == 'x' || text[1] == 'X') &&
	       isxdigit((unsigned char)text[2]);
}

const char *ctl_scan_number(const char *text, const char **end, __u64 *value)
{
	char *after;
	__u64 number;

	/* strtoull() would take blanks and signs, and wrap "-1" around. */
	if (!isdigit((unsigned char)*text))
		return "not a number (decimal, or hex with 0x)";
	errno = 0;
	number = strtoull(text, &after, ctl_is_hex(text) ? 16 : 10);
	if (errno == ERANGE)
		return "the number is too large";
	*end = after;
	*value = number;
	return NULL;
}

const char *ctl_parse_number(const char *text, __u64 *value)
{
	const char *end, *why;
	__u64 number;

	why = ctl_scan_number(text, &end, &number);
	if (why)
		return why;
	if (*end)
		return "not a number (decimal, or hex with 0x)";
	*value = number;
	return NULL;
}

/* Bits to shift by for the suffix @c, or -1. */
static int ctl_suffix_shift(char c)
{
	const char *at = c ? strchr(ctl_suffixes, toupper((unsigned char)c)) : NULL;

	return at ? (int)(at - ctl_suffixes + 1) * 10 : -1;
}

const char *ctl_parse_size(const char *text, __u64 *value, bool *suffix)
{
	const char *end, *why;
	int shift = 0;
	__u64 number;

	why = ctl_scan_number(text, &end, &number);
	if (why)
		return why;
	if (*end) {
		shift = ctl_suffix_shift(*end);
		if (shift < 0 || end[1])
			return "not a number, alone or with K, M, G or T behind it";
	}
	if (number << shift >> shift != number)
		return "the number is too large";
	*value = number << shift;
	*suffix = shift;
	return NULL;
}

/* What follows the first page of a range: nothing, "-B" or "+N". */
static const char *ctl_scan_count(const char *text, __u64 first, __u64 *count)
{
	const char *end = text;
	__u64 number = 1;
	char op = *text;

	if (op == '-' || op == '+') {
		const char *why = ctl_scan_number(text + 1, &end, &number);

		if (why)
			return why;
	}
	if (*end)
		return "not a range of pages: A, A-B (B included) or A+N";
	if (op == '-' && number < first)
		return "the range ends before it begins";
	*count = op == '-' ? number - first + 1 : number;
	return *count ? NULL : "the range has no pages";
}

const char *ctl_parse_range(const char *text, struct ctl_range *range)
{
	const char *end, *why;
	__u64 first, count;

	why = ctl_scan_number(text, &end, &first);
	if (!why)
		why = ctl_scan_count(end, first, &count);
	if (why)
		return why;
	if (first + count < first)
		return "the number is too large";
	range->first = first;
	range->count = count;
	return NULL;
}

const char *ctl_format_size(__u64 bytes, char buf[CTL_SIZE_LEN])
{
	size_t i = 0;

	while (bytes && !(bytes & 1023) && ctl_suffixes[i]) {
		bytes >>= 10;
		i++;
	}
	snprintf(buf, CTL_SIZE_LEN, "%llu", bytes);
	if (i)
		strncat(buf, &ctl_suffixes[i - 1], 1);
	return buf;
}
