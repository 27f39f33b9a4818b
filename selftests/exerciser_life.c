// SPDX-License-Identifier: GPL-2.0-only
/* The exerciser's space from its making to its end, in all its processes. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exerciser.h"

#define CHILD_STORES	8
#define CHILD_MS	60000

/* Noise, with holes, and an end that is no page's */
static void fill_file(struct ex *x, int fd)
{
	size_t page;

	x->size = 100 * vmd_ps + ex_below(x, 90 * vmd_ps);
	ex_expect(x, "ftruncate", ftruncate(fd, x->size), 0);
	for (page = 0; page < x->size / vmd_ps; page++) {
		if (ex_one_in(x, 3))
			continue;
		ex_noise(x, x->data, vmd_ps);
		memcpy(x->shadow + page * vmd_ps, x->data, vmd_ps);
		ex_expect(x, "pwrite to the file",
			  pwrite(fd, x->data, vmd_ps, page * vmd_ps), vmd_ps);
	}
}

/* The descriptor we keep shows what is in the file, and cannot write. */
static void start_on_file(struct ex *x)
{
	int fd = vmd_temp_file(vmd_test_dir(), 0);
	struct vmd_set_file f = { .fd = fd };
	char path[64];

	if (fd < 0)
		ex_fail(x, "no file in %s: %s", vmd_test_dir(),
			strerror(errno));
	fill_file(x, fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	x->file = open(path, O_RDONLY | O_CLOEXEC);
	ex_log(x, "file of %zu bytes", x->size);
	ex_expect(x, "VMD_IOC_SET_FILE",
		  ioctl(x->fd[0], VMD_IOC_SET_FILE, &f), 0);
	close(fd);
}

/* Half of the spaces that can be encrypted are. */
static void start_anonymous(struct ex *x)
{
	struct vmd_config c = {
		.mask = VMD_CONFIG_FLAGS,
		.flags = VMD_SPACE_ENCRYPT,
	};

	ex_expect(x, "size", vmd_resize(x->fd[0], EX_PAGES / 2), 0);
	x->size = EX_PAGES / 2 * vmd_ps;
	if (!(x->info.features & VMD_FEATURE_ENCRYPT) || ex_one_in(x, 2))
		return;
	ex_log(x, "encrypted");
	ex_expect(x, "VMD_SPACE_ENCRYPT",
		  ioctl(x->fd[0], VMD_IOC_SET_CONFIG, &c), 0);
}

void ex_start(struct ex *x)
{
	int i;

	x->shadow = calloc(EX_PAGES, vmd_ps);
	x->data = malloc(EX_SPAN);
	x->more = malloc(EX_SPAN);
	for (i = 0; i < EX_FDS; i++)
		x->fd[i] = -1;
	x->file = -1;
	x->fd[0] = vmd_open();
	x->fds = 1;
	if (x->fd[0] < 0)
		ex_fail(x, "%s: %s", VMD_DEVICE, strerror(errno));
	ex_expect(x, "VMD_IOC_INFO", vmd_info(x->fd[0], &x->info), 0);
	x->cannot_punch = !(x->info.features & VMD_FEATURE_PUNCH);
	x->budget = 4 + ex_below(x, EX_MAX_BUDGET - 3);
	ex_expect(x, "VMD_IOC_SET_CONFIG",
		  vmd_set(x->fd[0], NULL, x->observer, x->budget), 0);
	if (x->on_file)
		start_on_file(x);
	else
		start_anonymous(x);
	ex_expect(x, "VMD_IOC_SET_POLICY",
		  ex_set_policy(x, x->fd[0], x->policy), 0);
	ex_expect(x, "VMD_IOC_INFO", vmd_info(x->fd[0], &x->info), 0);
}

static void verify_by_read(struct ex *x)
{
	size_t at, n;

	for (at = 0; at < x->size; at += n) {
		n = x->size - at < EX_SPAN ? x->size - at : EX_SPAN;
		ex_expect(x, "pread", pread(ex_fd(x), x->data, n, at), n);
		ex_compare(x, "verification by pread", x->data, x->shadow + at,
			   at, n);
	}
}

/* All that a mapping shows, also behind a file's end if nobody wrote there */
static void verify_map(struct ex *x, struct ex_map *m)
{
	size_t begin = m->first * vmd_ps, end = begin + m->pages * vmd_ps;
	size_t most = x->polluted ? x->size : ex_page_end(x) * vmd_ps;

	if (end > most)
		end = most;
	if (begin < end)
		ex_check_map(x, m, begin, end - begin);
}

/* Pages in any order: from one that is chosen to the end, then the others */
static void verify_by_map(struct ex *x)
{
	struct ex_map m = { .pages = ex_page_end(x) };
	size_t i, page, start;

	if (!m.pages)
		return;
	start = ex_below(x, m.pages);
	m.addr = vmd_map_as(ex_fd(x), m.pages, PROT_READ, MAP_SHARED);
	if (m.addr == MAP_FAILED)
		ex_fail(x, "mmap: %s", strerror(errno));
	for (i = 0; i < m.pages; i++) {
		page = (start + i) % m.pages;
		if (!x->polluted || (page + 1) * vmd_ps <= x->size)
			ex_check_map(x, &m, page * vmd_ps, vmd_ps);
	}
	munmap(m.addr, m.pages * vmd_ps);
}

void ex_verify(struct ex *x)
{
	int i;

	if (ex_one_in(x, 2))
		verify_by_read(x);
	else
		verify_by_map(x);
	for (i = 0; i < EX_MAPS; i++)
		if (x->map[i].addr && x->map[i].private)
			verify_map(x, &x->map[i]);
}

void ex_do_verify(struct ex *x)
{
	ex_log(x, "verification, size %zu", x->size);
	ex_verify(x);
}

/* After a sync, the file has what the model has, and is as long. */
void ex_check_file(struct ex *x)
{
	size_t at, n;

	ex_expect(x, "length of the file", lseek(x->file, 0, SEEK_END),
		  x->size);
	for (at = 0; at < x->size; at += n) {
		n = x->size - at < EX_SPAN ? x->size - at : EX_SPAN;
		ex_expect(x, "pread of the file",
			  pread(x->file, x->data, n, at), n);
		ex_compare(x, "file", x->data, x->shadow + at, at, n);
	}
}

/* What the child does for real its parent only notes. */
static void child_stores(struct ex *x, bool real)
{
	size_t offset, n;
	struct ex_map *m;
	int i;

	for (i = 0; i < CHILD_STORES; i++) {
		m = ex_pick_map(x, true);
		if (!m || !ex_map_range(x, m, &offset, &n))
			continue;
		ex_noise(x, x->data, n);
		ex_note_store(x, m, offset, x->data, n);
		if (real)
			memcpy(ex_at(m, offset), x->data, n);
	}
}

/* What the child writes to its copies its parent must not see. */
static void child_private_stores(struct ex *x)
{
	size_t offset, n;
	struct ex_map *m;
	int i;

	for (i = 0; i < CHILD_STORES; i++) {
		m = ex_pick_map(x, false);
		if (m && m->private && ex_map_range(x, m, &offset, &n))
			memset(ex_at(m, offset), 'P', n);
	}
}

void ex_do_fork(struct ex *x)
{
	__u64 seed = vmd_random(&x->random);
	pid_t pid;

	ex_log(x, "fork");
	pid = vmd_fork();
	if (pid < 0)
		ex_fail(x, "fork: %s", strerror(errno));
	if (!pid) {
		ex_verify(x);
		x->random = seed;
		child_stores(x, true);
		child_private_stores(x);
		_exit(0);
	}
	ex_expect(x, "status of a child", vmd_wait(pid, CHILD_MS), 0);
	x->random = seed;
	child_stores(x, false);
	x->random = ex_mix(seed, 1);
	if (ex_one_in(x, 3))
		ex_verify(x);
}

void ex_do_attach(struct ex *x)
{
	int fd, i;

	if (x->fds == EX_FDS)
		return;
	ex_log(x, "attach");
	if (ex_one_in(x, 4)) {
		fd = dup(ex_fd(x));
	} else {
		fd = vmd_open();
		ex_expect(x, "VMD_IOC_ATTACH",
			  vmd_attach(fd, x->info.space_id), 0);
	}
	for (i = 0; x->fd[i] >= 0; i++)
		;
	x->fd[i] = fd;
	x->fds++;
}

void ex_do_close(struct ex *x)
{
	int i = ex_below(x, EX_FDS);

	if (x->fds == 1 || x->fd[i] < 0)
		return;
	ex_log(x, "close");
	ex_expect(x, "close", close(x->fd[i]), 0);
	x->fd[i] = -1;
	x->fds--;
}

/* The last descriptor and mapping gone, the file has it all without a sync. */
void ex_end(struct ex *x)
{
	int i;

	ex_log(x, "end");
	ex_verify(x);
	if (x->on_file && ex_one_in(x, 2)) {
		ex_expect(x, "fsync", fsync(ex_fd(x)), 0);
		ex_check_file(x);
	}
	for (i = 0; i < EX_MAPS; i++)
		ex_drop_map(&x->map[i]);
	for (i = 0; i < EX_FDS; i++)
		if (x->fd[i] >= 0)
			close(x->fd[i]);
	if (x->on_file) {
		ex_check_file(x);
		close(x->file);
	}
	free(x->shadow);
	free(x->data);
	free(x->more);
}
