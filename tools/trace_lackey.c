// SPDX-License-Identifier: GPL-2.0-only
/*
 * "lackey": what valgrind --tool=lackey --trace-mem=yes writes: a line with I
 * (instruction fetch), L (load), S (store) or M (modify: a load and a store of
 * one instruction), the address in hex and the bytes in decimal. An access
 * that straddles pages is a reference to each; M is one write. Lines of
 * valgrind itself begin with == or -- and are passed over.
 */
#include "trace.h"

#include <string.h>

#define LACKEY_WANTED	"want I, L, S or M, a hex address, a comma and a size: ' L 1ffeffe7e,8'"

static const char *lackey_hex(const char *at, u64 *value)
{
	const char *start = at;
	u64 number = 0;

	for (;; at++) {
		unsigned int c = (unsigned char)*at, low = c | 0x20;

		if (c >= '0' && c <= '9')
			c -= '0';
		else if (low >= 'a' && low <= 'f')
			c = low - 'a' + 10;
		else
			break;
		if (number >> 60)
			return NULL;
		number = number << 4 | c;
	}
	*value = number;
	return at > start ? at : NULL;
}

static int lackey_take(struct trace_in *in, const char *line)
{
	const char *at = line + strspn(line, " ");
	u64 address, size;
	char kind = *at;

	if (!kind || !strchr("ILSM", kind) || at[1] != ' ')
		return trace_bad(in, line, LACKEY_WANTED);
	at = lackey_hex(at + 1 + strspn(at + 1, " "), &address);
	if (!at || *at++ != ',' || trace_number(&at, &size) || at[strspn(at, " \t")])
		return trace_bad(in, line, LACKEY_WANTED);
	in->ref.write = kind == 'S' || kind == 'M';
	return trace_take_address(in, address, size, line);
}

static bool lackey_is_other(const struct trace_in *in, const char *line)
{
	const char *at = line + strspn(line, " \t");

	if (!*at || !strncmp(at, "==", 2) || !strncmp(at, "--", 2))
		return true;
	return in->data_only && at[0] == 'I' && at[1] == ' ';
}

static int lackey_next(struct trace_in *in)
{
	int status = CTL_OK;
	const char *line;

	do {
		line = trace_line(in, &status);
		if (!line)
			return status ? status : TRACE_END;
	} while (lackey_is_other(in, line));
	return lackey_take(in, line);
}

static int lackey_put(struct trace_out *out, const struct vmd_trace_record *ref)
{
	u64 address;

	if (__builtin_mul_overflow(ref->page, out->page_size, &address))
		return ctl_fail("page %llu has no address of 64 bits with pages of %llu bytes",
				(__u64)ref->page, (__u64)out->page_size);
	fprintf(out->file, " %c %08llx,1\n", ref->write ? 'S' : 'L', (__u64)address);
	return CTL_OK;
}

const struct trace_format trace_lackey = {
	.name = "lackey",
	.text = "addresses, of valgrind --tool=lackey --trace-mem=yes",
	.suffix = ".lackey",
	.next = lackey_next,
	.put = lackey_put,
};
