// SPDX-License-Identifier: GPL-2.0-only
/* The exerciser's mappings: made, moved, protected, and what they show. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exerciser.h"

#ifndef MADV_COLD
#define MADV_COLD	20
#define MADV_PAGEOUT	21
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

static void drop_copies(struct ex_map *m, size_t first, size_t n)
{
	size_t i;

	for (i = first; i < first + n; i++) {
		free(m->copy[i]);
		m->copy[i] = NULL;
		m->unknown[i] = false;
	}
}

void ex_drop_map(struct ex_map *m)
{
	if (!m->addr)
		return;
	munmap(m->addr, m->pages * vmd_ps);
	drop_copies(m, 0, m->pages);
	m->addr = NULL;
}

static struct ex_map *free_map(struct ex *x)
{
	struct ex_map *m;

	for (m = x->map; m < x->map + EX_MAPS; m++)
		if (!m->addr)
			return m;
	m = &x->map[ex_below(x, EX_MAPS)];
	ex_drop_map(m);
	return m;
}

/* An anonymous space grows with its mappings, one on a file does not. */
struct ex_map *ex_add_map(struct ex *x, bool private)
{
	struct ex_map *m = free_map(x);
	bool all = ex_one_in(x, 3);
	int flags = private ? MAP_PRIVATE : MAP_SHARED;

	m->first = all ? 0 : ex_below(x, EX_PAGES);
	m->pages = all ? EX_PAGES : 1 + ex_below(x, EX_PAGES - m->first);
	if (!all && ex_one_in(x, 2) && ex_page_end(x) > m->first)
		m->pages = ex_page_end(x) - m->first;
	m->private = private;
	m->split = false;
	if (ex_one_in(x, 8))
		flags |= MAP_POPULATE;
	ex_log(x, "mmap %zu+%zu pages%s%s", m->first, m->pages,
	       private ? " private" : "", flags & MAP_POPULATE ? " populate" : "");
	m->addr = mmap(NULL, m->pages * vmd_ps, VMD_RW, flags, ex_fd(x),
		       m->first * vmd_ps);
	if (m->addr == MAP_FAILED)
		ex_fail(x, "mmap: %s", strerror(errno));
	if (!x->on_file && x->size < (m->first + m->pages) * vmd_ps)
		ex_set_size(x, (m->first + m->pages) * vmd_ps);
	/* Populating a private mapping for writing makes copies. */
	if (private && flags & MAP_POPULATE)
		madvise(m->addr, m->pages * vmd_ps, MADV_DONTNEED);
	return m;
}

struct ex_map *ex_pick_map(struct ex *x, bool shared)
{
	struct ex_map *m = &x->map[ex_below(x, EX_MAPS)];
	int i;

	for (i = 0; i < EX_MAPS; i++, m++) {
		if (m == x->map + EX_MAPS)
			m = x->map;
		if (m->addr && m->first < ex_page_end(x) &&
		    !(shared && m->private))
			return m;
	}
	return NULL;
}

/* Some bytes of the space that the mapping shows */
bool ex_map_range(struct ex *x, struct ex_map *m, size_t *offset, size_t *n)
{
	size_t begin = m->first * vmd_ps, end = begin + m->pages * vmd_ps;

	if (end > x->size)
		end = x->size;
	if (end <= begin)
		return false;
	*offset = begin + ex_below(x, end - begin);
	*n = 1 + ex_below(x, ex_one_in(x, 8) ? EX_SPAN : vmd_ps);
	if (ex_one_in(x, 4)) {
		*offset -= *offset % vmd_ps;
		*n = vmd_ps;
	}
	if (*n > end - *offset)
		*n = end - *offset;
	return true;
}

char *ex_at(const struct ex_map *m, size_t offset)
{
	return m->addr + offset - m->first * vmd_ps;
}

/* What is left of the page at @offset, at most @n */
static size_t in_page(size_t offset, size_t n)
{
	size_t rest = vmd_ps - offset % vmd_ps;

	return n < rest ? n : rest;
}

void ex_check_map(struct ex *x, struct ex_map *m, size_t offset, size_t n)
{
	const char *wanted;
	size_t part, page;

	for (; n; offset += part, n -= part) {
		part = in_page(offset, n);
		page = offset / vmd_ps - m->first;
		if (m->unknown[page])
			continue;
		wanted = m->copy[page] ? m->copy[page] + offset % vmd_ps :
					 x->shadow + offset;
		ex_compare(x, m->private ? "private mapping" : "mapping",
			   ex_at(m, offset), wanted, offset, part);
	}
}

bool ex_known(const struct ex_map *m, size_t offset, size_t n)
{
	size_t page = offset / vmd_ps - m->first;
	size_t last = (offset + n - 1) / vmd_ps - m->first;

	for (; page <= last; page++)
		if (m->unknown[page])
			return false;
	return true;
}

/* The page of the space that a private mapping copies as it is written to */
static char *copy_of(struct ex *x, struct ex_map *m, size_t page)
{
	char **copy = &m->copy[page - m->first];

	if (!*copy) {
		*copy = malloc(vmd_ps);
		memcpy(*copy, x->shadow + page * vmd_ps, vmd_ps);
		m->unknown[page - m->first] =
			x->polluted && page == x->size / vmd_ps;
	}
	return *copy;
}

void ex_note_store(struct ex *x, struct ex_map *m, size_t offset,
		   const char *data, size_t n)
{
	size_t part;
	char *to;

	for (; n; offset += part, data += part, n -= part) {
		part = in_page(offset, n);
		to = x->shadow + offset;
		if (m->private)
			to = copy_of(x, m, offset / vmd_ps) + offset % vmd_ps;
		memcpy(to, data, part);
	}
}

void ex_do_map(struct ex *x)
{
	ex_add_map(x, false);
}

void ex_do_map_private(struct ex *x)
{
	ex_add_map(x, true);
}

/* All of it, or the end of it */
void ex_do_unmap(struct ex *x)
{
	struct ex_map *m = &x->map[ex_below(x, EX_MAPS)];
	size_t keep;

	if (!m->addr)
		return;
	keep = ex_one_in(x, 2) ? ex_below(x, m->pages) : 0;
	ex_log(x, "munmap %zu+%zu pages, keeps %zu", m->first, m->pages, keep);
	if (!keep) {
		ex_drop_map(m);
		return;
	}
	ex_expect(x, "munmap", munmap(m->addr + keep * vmd_ps,
				      (m->pages - keep) * vmd_ps), 0);
	drop_copies(m, keep, m->pages - keep);
	m->pages = keep;
}

/* Elsewhere, shorter, or longer within the space; a copy of it at times */
void ex_do_mremap(struct ex *x)
{
	struct ex_map *m = ex_pick_map(x, false);
	size_t pages, room;
	char *addr;

	if (!m)
		return;
	room = ex_page_end(x) - m->first;
	pages = 1 + ex_below(x, room);
	if (ex_one_in(x, 2))
		pages = m->pages;
	ex_log(x, "mremap %zu+%zu pages%s to %zu", m->first, m->pages,
	       m->private ? " private" : "", pages);
	/* Two moves, so that a mapping that can stay moves as well. */
	addr = mmap(NULL, pages * vmd_ps, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	addr = mremap(m->addr, m->pages * vmd_ps, pages * vmd_ps,
		      MREMAP_MAYMOVE | MREMAP_FIXED, addr);
	/* Not all kernels move several at once; some of it may be gone. */
	if (addr == MAP_FAILED && m->split && errno == EFAULT) {
		ex_drop_map(m);
		return;
	}
	if (addr == MAP_FAILED)
		ex_fail(x, "mremap: %s", strerror(errno));
	m->addr = addr;
	if (pages < m->pages)
		drop_copies(m, pages, m->pages - pages);
	m->pages = pages;
}

/* Access is taken away and given back: what must fail does, the rest works. */
void ex_do_mprotect(struct ex *x)
{
	struct ex_map *m = ex_pick_map(x, false);
	int prot = ex_one_in(x, 2) ? PROT_READ : PROT_NONE;
	size_t first, n, end;
	char *at;

	if (!m)
		return;
	end = ex_page_end(x) - m->first;
	end = end < m->pages ? end : m->pages;
	first = ex_below(x, end);
	n = 1 + ex_below(x, end - first);
	at = m->addr + first * vmd_ps;
	ex_log(x, "mprotect %d, %zu+%zu pages%s", prot, m->first + first, n,
	       m->private ? " private" : "");
	m->split = true;
	ex_expect(x, "mprotect", mprotect(at, n * vmd_ps, prot), 0);
	ex_expect(x, "signal of a write", vmd_write_signal(at), SIGSEGV);
	ex_expect(x, "signal of a read",
		  vmd_read_signal(at + n * vmd_ps - 1),
		  prot == PROT_READ ? 0 : SIGSEGV);
	ex_expect(x, "mprotect", mprotect(at, n * vmd_ps, VMD_RW), 0);
}

struct advice {
	int number;
	int error;		/* what must come: 0, or -1 for anything */
	const char *name;
};

static const struct advice advices[] = {
	{ MADV_DONTNEED, 0, "DONTNEED" },
	{ MADV_WILLNEED, 0, "WILLNEED" },
	{ MADV_RANDOM, 0, "RANDOM" },
	{ MADV_SEQUENTIAL, 0, "SEQUENTIAL" },
	{ MADV_NORMAL, 0, "NORMAL" },
	{ MADV_POPULATE_READ, 0, "POPULATE_READ" },
	{ MADV_COLD, -1, "COLD" },
	{ MADV_PAGEOUT, -1, "PAGEOUT" },
	{ MADV_FREE, -1, "FREE" },
	{ MADV_REMOVE, -1, "REMOVE" },
	{ MADV_MERGEABLE, -1, "MERGEABLE" },
	{ MADV_HUGEPAGE, -1, "HUGEPAGE" },
	{ MADV_NOHUGEPAGE, -1, "NOHUGEPAGE" },
	{ MADV_COLLAPSE, -1, "COLLAPSE" },
};

void ex_do_madvise(struct ex *x)
{
	const struct advice *a = &advices[ex_below(x, sizeof(advices) /
						   sizeof(*advices))];
	struct ex_map *m = ex_pick_map(x, false);
	size_t first, n, end;
	int ret;

	/* Of a private mapping freeing may drop what it likes. */
	if (!m || (m->private && a->number == MADV_FREE))
		return;
	end = ex_page_end(x) - m->first;
	end = end < m->pages ? end : m->pages;
	first = ex_below(x, end);
	n = 1 + ex_below(x, end - first);
	ex_log(x, "madvise %s %zu+%zu pages%s", a->name, m->first + first, n,
	       m->private ? " private" : "");
	m->split = true;
	ret = madvise(m->addr + first * vmd_ps, n * vmd_ps, a->number);
	if (!a->error)
		ex_expect(x, "madvise", ret, 0);
	if (a->number == MADV_DONTNEED)
		drop_copies(m, first, n);
}

void ex_do_mlock(struct ex *x)
{
	struct ex_map *m = ex_pick_map(x, false);
	size_t n, end;

	if (!m)
		return;
	end = ex_page_end(x) - m->first;
	end = end < m->pages ? end : m->pages;
	n = 1 + ex_below(x, end);
	ex_log(x, "mlock and munlock %zu+%zu pages%s", m->first, n,
	       m->private ? " private" : "");
	m->split = true;
	/* What can be written is copied where it is private. */
	if (!m->private)
		ex_expect(x, "mlock", mlock(m->addr, n * vmd_ps), 0);
	ex_expect(x, "munlock", munlock(m->addr, n * vmd_ps), 0);
}

/* A touch past the end is SIGBUS, also where there was something once. */
void ex_do_beyond(struct ex *x)
{
	struct ex_map *m = &x->map[ex_below(x, EX_MAPS)];
	size_t end = ex_page_end(x), page;

	if (!m->addr || m->first + m->pages <= end)
		return;
	page = m->first > end ? 0 : end - m->first;
	page += ex_below(x, m->pages - page);
	if (m->unknown[page])
		return;
	ex_log(x, "touch of page %zu past the end, %zu%s", m->first + page, end,
	       m->private ? " private" : "");
	ex_expect(x, "signal of a touch past the end", ex_one_in(x, 2) ?
		  vmd_read_signal(m->addr + page * vmd_ps) :
		  vmd_write_signal(m->addr + page * vmd_ps), SIGBUS);
}

/* What is written behind the end of a file is nobody's, and never seen in it. */
void ex_do_pollute(struct ex *x)
{
	struct ex_map *m = ex_pick_map(x, true);
	size_t tail = x->size % vmd_ps;

	if (!m || !tail || m->first + m->pages < ex_page_end(x))
		return;
	ex_log(x, "write behind the end of the file, %zu", x->size);
	memset(ex_at(m, x->size), 'X', vmd_ps - tail);
	x->polluted = true;
}
