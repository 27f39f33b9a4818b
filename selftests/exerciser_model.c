// SPDX-License-Identifier: GPL-2.0-only
/* The exerciser's choices, its model of the space, and what it says. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exerciser.h"

/* Name, how often compared to others, what it does */
const struct ex_op ex_ops[] = {
	{ "pread", 20, ex_do_pread },
	{ "pwrite", 24, ex_do_pwrite },
	{ "readv", 8, ex_do_readv },
	{ "writev", 8, ex_do_writev },
	{ "seek", 4, ex_do_seek },
	{ "load", 28, ex_do_load },
	{ "store", 32, ex_do_store },
	{ "lend", 8, ex_do_lend },
	{ "borrow", 8, ex_do_borrow },
	{ "peek", 4, ex_do_peek },
	{ "poke", 4, ex_do_poke },
	{ "pipe", 4, ex_do_pipe },
	{ "map", 8, ex_do_map },
	{ "map_private", 6, ex_do_map_private },
	{ "unmap", 8, ex_do_unmap },
	{ "mremap", 6, ex_do_mremap },
	{ "mprotect", 4, ex_do_mprotect },
	{ "madvise", 8, ex_do_madvise },
	{ "mlock", 4, ex_do_mlock },
	{ "beyond", 4, ex_do_beyond },
	{ "resize", 6, ex_do_resize },
	{ "punch", 8, ex_do_punch },
	{ "sync", 4, ex_do_sync },
	{ "fsync", 4, ex_do_fsync },
	{ "msync", 4, ex_do_msync },
	{ "advise", 20, ex_do_advise },
	{ "set_policy", 6, ex_do_set_policy },
	{ "set_observer", 4, ex_do_set_observer },
	{ "set_budget", 8, ex_do_set_budget },
	{ "look", 6, ex_do_look },
	{ "pollute", 2, ex_do_pollute },
	{ "fork", 1, ex_do_fork },
	{ "attach", 4, ex_do_attach },
	{ "close", 4, ex_do_close },
	{ "verify", 1, ex_do_verify },
	{ NULL, 0, NULL }
};

__u64 ex_below(struct ex *x, __u64 n)
{
	return (vmd_random(&x->random) >> 11) % n;
}

bool ex_one_in(struct ex *x, unsigned int n)
{
	return !ex_below(x, n);
}

/* Seeds that follow each other must not give sequences that look alike. */
__u64 ex_mix(__u64 seed, __u64 number)
{
	__u64 z = seed + (number + 1) * 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void ex_noise(struct ex *x, char *data, size_t n)
{
	__u64 word;
	size_t i;

	for (i = 0; i < n; i += sizeof(word)) {
		word = vmd_random(&x->random);
		memcpy(data + i, &word, n - i < sizeof(word) ? n - i :
							       sizeof(word));
	}
}

void ex_log(struct ex *x, const char *format, ...)
{
	char *line = x->report->log[x->report->ops % EX_LOG];
	va_list args;
	int n;

	n = snprintf(line, EX_LOG_LEN, "%lu: ", x->report->ops);
	va_start(args, format);
	vsnprintf(line + n, EX_LOG_LEN - n, format, args);
	va_end(args);
}

void ex_fail(struct ex *x, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("# operation %lu: %s\n", x->report->ops, text);
	fflush(stdout);
	_exit(1);
}

/* @got as from a system call: an error is shown by its name. */
void ex_expect(struct ex *x, const char *what, long got, long wanted)
{
	int error = errno;

	if (got != wanted)
		ex_fail(x, "%s: %ld%s%s, not %ld", what, got,
			got < 0 ? " " : "", got < 0 ? strerror(error) : "",
			wanted);
}

static size_t first_difference(const char *a, const char *b, size_t n)
{
	size_t i = 0;

	while (i < n && a[i] == b[i])
		i++;
	return i;
}

static void show_bytes(const char *name, const char *at, size_t n)
{
	size_t i;

	printf("# %s:", name);
	for (i = 0; i < n && i < 16; i++)
		printf(" %02x", (unsigned char)at[i]);
	printf("\n");
}

void ex_compare(struct ex *x, const char *what, const char *got,
		const char *wanted, size_t offset, size_t n)
{
	size_t i, at, bad = 0;

	__atomic_fetch_add(&x->report->verified, n, __ATOMIC_RELAXED);
	if (!memcmp(got, wanted, n))
		return;
	/* Looked at again, a mapping may show something else. */
	at = first_difference(got, wanted, n);
	for (i = at; i < n; i++)
		bad += got[i] != wanted[i];
	__atomic_fetch_add(&x->report->mismatches, bad ? bad : 1,
			   __ATOMIC_RELAXED);
	if (at < n) {
		show_bytes("got   ", got + at, n - at);
		show_bytes("wanted", wanted + at, n - at);
	}
	at += offset;
	printf("# %zu bytes differ%s, the first in page %zu at %zu; size %zu, budget %zu\n",
	       bad, bad ? "" : " (no longer)", at / vmd_ps, at % vmd_ps,
	       x->size, x->budget);
	ex_fail(x, "%s: %zu bytes at %zu", what, n, offset);
}

int ex_fd(struct ex *x)
{
	int fd;

	do {
		fd = x->fd[ex_below(x, EX_FDS)];
	} while (fd < 0);
	return fd;
}

size_t ex_page_end(const struct ex *x)
{
	return (x->size + vmd_ps - 1) / vmd_ps;
}

/* Some bytes of the space; false if it has none. */
bool ex_range(struct ex *x, size_t *offset, size_t *n)
{
	size_t most = ex_one_in(x, 8) ? EX_SPAN : 5 * vmd_ps / 4;

	if (!x->size)
		return false;
	*offset = ex_below(x, x->size);
	if (ex_one_in(x, 4))
		*offset -= *offset % vmd_ps;
	*n = ex_one_in(x, 4) ? vmd_ps : 1 + ex_below(x, most);
	if (*n > x->size - *offset)
		*n = x->size - *offset;
	return true;
}

/* Some whole pages; @n is 0 for all up to the end. */
bool ex_pages(struct ex *x, size_t *first, size_t *n)
{
	size_t whole = x->size / vmd_ps;

	if (!whole)
		return false;
	*first = ex_below(x, whole);
	*n = 1 + ex_below(x, ex_one_in(x, 4) ? whole : 8);
	if (*n > whole - *first)
		*n = whole - *first;
	if (ex_one_in(x, 16))
		*n = 0;
	return true;
}

static void cut_pins(struct ex *x)
{
	size_t i;

	for (i = ex_page_end(x); i < EX_PAGES; i++) {
		x->pins -= x->pinned[i];
		x->pinned[i] = false;
	}
}

/* Of copies that private mappings have of what was cut off nothing is said. */
static void cut_copies(struct ex *x)
{
	struct ex_map *m;
	size_t i;

	for (m = x->map; m < x->map + EX_MAPS; m++) {
		for (i = 0; m->addr && i < m->pages; i++)
			if (m->copy[i] && (m->first + i + 1) * vmd_ps > x->size)
				m->unknown[i] = true;
	}
}

void ex_set_size(struct ex *x, size_t size)
{
	bool same_page = size <= x->size && size / vmd_ps == x->size / vmd_ps;

	if (size < x->size)
		memset(x->shadow + size, 0, x->size - size);
	if (!same_page)
		x->polluted = false;
	if (size < x->size) {
		x->size = size;
		cut_pins(x);
		cut_copies(x);
	}
	x->size = size;
}

void ex_unpin_all(struct ex *x)
{
	memset(x->pinned, 0, sizeof(x->pinned));
	x->pins = 0;
}
