// SPDX-License-Identifier: GPL-2.0-only
/* The exerciser's transfers: by descriptor, by mapping, by the kernel. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "exerciser.h"

/*
 * A write of @n bytes at @offset has to end with this. Anonymous spaces grow by
 * whole pages, spaces on files do not grow.
 */
static long note_write(struct ex *x, size_t offset, size_t n)
{
	size_t end = offset + n;

	if (x->on_file && offset >= x->size)
		return -1;
	if (x->on_file && end > x->size)
		n = x->size - offset;
	else if (end > x->size)
		ex_set_size(x, (end + vmd_ps - 1) / vmd_ps * vmd_ps);
	return n;
}

static void expect_written(struct ex *x, long got, long wanted)
{
	if (wanted < 0 && got < 0 && errno == ENOSPC)
		return;
	ex_expect(x, "write", got, wanted);
}

void ex_do_pread(struct ex *x)
{
	size_t offset, n, ask;
	int fd = ex_fd(x);

	if (!ex_range(x, &offset, &n))
		return;
	/* To the end and beyond */
	ask = ex_one_in(x, 8) && n < EX_SPAN / 2 ? n + EX_SPAN / 2 : n;
	if (ask > x->size - offset)
		n = x->size - offset;
	else
		n = ask;
	ex_log(x, "pread %zu+%zu, size %zu", offset, ask, x->size);
	ex_expect(x, "pread", pread(fd, x->data, ask, offset), n);
	ex_compare(x, "pread", x->data, x->shadow + offset, offset, n);
}

/* Within the space, or over its end as far as the model goes */
static bool write_range(struct ex *x, size_t *offset, size_t *n)
{
	if (!ex_one_in(x, 24))
		return ex_range(x, offset, n);
	*offset = ex_below(x, EX_PAGES * vmd_ps);
	*n = 1 + ex_below(x, EX_SPAN);
	if (*n > EX_PAGES * vmd_ps - *offset)
		*n = EX_PAGES * vmd_ps - *offset;
	return true;
}

void ex_do_pwrite(struct ex *x)
{
	size_t offset, n;
	int fd = ex_fd(x);
	long wanted;

	if (!write_range(x, &offset, &n))
		return;
	ex_log(x, "pwrite %zu+%zu, size %zu", offset, n, x->size);
	ex_noise(x, x->data, n);
	wanted = note_write(x, offset, n);
	expect_written(x, pwrite(fd, x->data, n, offset), wanted);
	if (wanted > 0)
		memcpy(x->shadow + offset, x->data, wanted);
}

/* @n bytes of @data in pieces of any length, some of none */
static int scatter(struct ex *x, struct iovec *io, int most, char *data,
		   size_t n)
{
	size_t part;
	int i;

	for (i = 0; i < most - 1 && n; i++) {
		part = ex_below(x, n + 1);
		io[i] = (struct iovec){ data, part };
		data += part;
		n -= part;
	}
	io[i] = (struct iovec){ data, n };
	return i + 1;
}

void ex_do_readv(struct ex *x)
{
	struct iovec io[6];
	size_t offset, n;
	int count;

	if (!ex_range(x, &offset, &n))
		return;
	count = scatter(x, io, 6, x->data, n);
	ex_log(x, "preadv %zu+%zu in %d pieces", offset, n, count);
	ex_expect(x, "preadv", preadv(ex_fd(x), io, count, offset), n);
	ex_compare(x, "preadv", x->data, x->shadow + offset, offset, n);
}

void ex_do_writev(struct ex *x)
{
	struct iovec io[6];
	size_t offset, n;
	long wanted;
	int count;

	if (!write_range(x, &offset, &n))
		return;
	ex_noise(x, x->data, n);
	count = scatter(x, io, 6, x->data, n);
	ex_log(x, "pwritev %zu+%zu in %d pieces, size %zu", offset, n, count,
	       x->size);
	wanted = note_write(x, offset, n);
	expect_written(x, pwritev(ex_fd(x), io, count, offset), wanted);
	if (wanted > 0)
		memcpy(x->shadow + offset, x->data, wanted);
}

/* The file position: from the end, and on from where it was left */
void ex_do_seek(struct ex *x)
{
	size_t offset, n;
	int fd = ex_fd(x);

	ex_log(x, "lseek, read, write, size %zu", x->size);
	ex_expect(x, "lseek to the end", lseek(fd, 0, SEEK_END), x->size);
	ex_expect(x, "read at the end", read(fd, x->data, 1), 0);
	if (!ex_range(x, &offset, &n))
		return;
	ex_expect(x, "lseek", lseek(fd, offset, SEEK_SET), offset);
	ex_noise(x, x->data, n);
	ex_expect(x, "write", write(fd, x->data, n), n);
	memcpy(x->shadow + offset, x->data, n);
	ex_expect(x, "lseek", lseek(fd, 0, SEEK_CUR), offset + n);
	ex_expect(x, "lseek", lseek(fd, offset, SEEK_SET), offset);
	ex_expect(x, "read", read(fd, x->data, n), n);
	ex_compare(x, "read", x->data, x->shadow + offset, offset, n);
}

void ex_do_load(struct ex *x)
{
	struct ex_map *m = ex_pick_map(x, false);
	size_t offset, n;

	if (!m)
		m = ex_add_map(x, false);
	if (!ex_map_range(x, m, &offset, &n))
		return;
	ex_log(x, "load %zu+%zu%s", offset, n, m->private ? " private" : "");
	ex_check_map(x, m, offset, n);
}

void ex_do_store(struct ex *x)
{
	struct ex_map *m = ex_pick_map(x, false);
	size_t offset, n;

	if (!m)
		m = ex_add_map(x, false);
	if (!ex_map_range(x, m, &offset, &n) || !ex_known(m, offset, n))
		return;
	ex_log(x, "store %zu+%zu%s", offset, n, m->private ? " private" : "");
	ex_noise(x, x->data, n);
	ex_note_store(x, m, offset, x->data, n);
	memcpy(ex_at(m, offset), x->data, n);
}

/* A mapping, a range it shows, and another range of the space of that length */
struct two {
	struct ex_map *m;
	size_t offset;
	size_t n;
	size_t other;
};

static bool pick_two(struct ex *x, struct two *t)
{
	t->m = ex_pick_map(x, false);
	if (!t->m || !ex_map_range(x, t->m, &t->offset, &t->n) ||
	    !ex_known(t->m, t->offset, t->n))
		return false;
	t->other = ex_below(x, x->size);
	if (t->n > x->size - t->other)
		t->n = x->size - t->other;
	/* Of a transfer from here to here the order of bytes is not told. */
	return t->n && (t->other + t->n <= t->offset ||
			t->offset + t->n <= t->other);
}

/* What the mapping shows, in plain memory */
static void wanted_of(struct ex *x, struct two *t, char *to)
{
	size_t i, page;

	for (i = 0; i < t->n; i++) {
		page = (t->offset + i) / vmd_ps - t->m->first;
		to[i] = t->m->copy[page] ?
			t->m->copy[page][(t->offset + i) % vmd_ps] :
			x->shadow[t->offset + i];
	}
}

/* write(2) into the space takes its bytes from a mapping of the space. */
void ex_do_lend(struct ex *x)
{
	struct two t;

	if (!pick_two(x, &t))
		return;
	ex_log(x, "pwrite %zu+%zu from the mapping at %zu%s", t.other, t.n,
	       t.offset, t.m->private ? " private" : "");
	wanted_of(x, &t, x->data);
	ex_expect(x, "pwrite", pwrite(ex_fd(x), ex_at(t.m, t.offset), t.n,
				      t.other), t.n);
	memcpy(x->shadow + t.other, x->data, t.n);
}

/* read(2) from the space puts its bytes into a mapping of the space. */
void ex_do_borrow(struct ex *x)
{
	struct two t;

	if (!pick_two(x, &t))
		return;
	ex_log(x, "pread %zu+%zu to the mapping at %zu%s", t.other, t.n,
	       t.offset, t.m->private ? " private" : "");
	memcpy(x->data, x->shadow + t.other, t.n);
	ex_expect(x, "pread", pread(ex_fd(x), ex_at(t.m, t.offset), t.n,
				    t.other), t.n);
	ex_note_store(x, t.m, t.offset, x->data, t.n);
}

/* As a debugger looks into a process, and as it changes one */
void ex_do_peek(struct ex *x)
{
	struct iovec here = { x->data, 0 }, there;
	struct two t;

	if (!pick_two(x, &t))
		return;
	ex_log(x, "process_vm_readv %zu+%zu", t.offset, t.n);
	here.iov_len = t.n;
	there = (struct iovec){ ex_at(t.m, t.offset), t.n };
	ex_expect(x, "process_vm_readv",
		  process_vm_readv(getpid(), &here, 1, &there, 1, 0), t.n);
	wanted_of(x, &t, x->more);
	ex_compare(x, "process_vm_readv", x->data, x->more, t.offset, t.n);
}

void ex_do_poke(struct ex *x)
{
	struct iovec here = { x->data, 0 }, there;
	struct two t;

	if (!pick_two(x, &t))
		return;
	ex_log(x, "process_vm_writev %zu+%zu%s", t.offset, t.n,
	       t.m->private ? " private" : "");
	ex_noise(x, x->data, t.n);
	here.iov_len = t.n;
	there = (struct iovec){ ex_at(t.m, t.offset), t.n };
	ex_note_store(x, t.m, t.offset, x->data, t.n);
	ex_expect(x, "process_vm_writev",
		  process_vm_writev(getpid(), &here, 1, &there, 1, 0), t.n);
}

/* Out of one mapping into a pipe, out of the pipe into another place of it */
void ex_do_pipe(struct ex *x)
{
	size_t n, i;
	struct two t;
	int pipes[2];

	if (!pick_two(x, &t) || t.other < t.m->first * vmd_ps ||
	    t.other + t.n > (t.m->first + t.m->pages) * vmd_ps ||
	    !ex_known(t.m, t.other, t.n))
		return;
	n = t.n < vmd_ps ? t.n : vmd_ps;
	t.n = n;
	ex_log(x, "pipe %zu+%zu to %zu%s", t.offset, n, t.other,
	       t.m->private ? " private" : "");
	if (pipe(pipes))
		ex_fail(x, "no pipe");
	wanted_of(x, &t, x->data);
	ex_expect(x, "write to a pipe",
		  write(pipes[1], ex_at(t.m, t.offset), n), n);
	ex_expect(x, "read from a pipe",
		  read(pipes[0], ex_at(t.m, t.other), n), n);
	ex_note_store(x, t.m, t.other, x->data, n);
	for (i = 0; i < 2; i++)
		close(pipes[i]);
}
