// SPDX-License-Identifier: GPL-2.0-only
/* Spaces with larger pages: what is done to them, at random, beside a model of their content. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "huge.h"
#include "vmd_test.h"

#define CHILD_MS	60000

int huge_set(int fd, __u64 bytes, __u64 budget)
{
	struct vmd_config c = {
		.mask = VMD_CONFIG_PAGE_SIZE | VMD_CONFIG_BUDGET |
			VMD_CONFIG_POLICY | VMD_CONFIG_OBSERVER,
		.page_size = bytes, .budget = budget,
		.policy = "lru", .observer = "fault",
	};

	return ioctl(fd, VMD_IOC_SET_CONFIG, &c);
}

int huge_set_only(int fd, __u64 bytes)
{
	struct vmd_config c = {
		.mask = VMD_CONFIG_PAGE_SIZE, .page_size = bytes,
	};

	return ioctl(fd, VMD_IOC_SET_CONFIG, &c);
}

int huge_advise(int fd, __u32 advice, __u64 first, __u64 pages, size_t page)
{
	struct vmd_advise a = {
		.advice = advice, .offset = first * page, .length = pages * page,
	};

	return ioctl(fd, VMD_IOC_ADVISE, &a);
}

int huge_sync(int fd)
{
	struct vmd_sync sync = { 0 };

	return ioctl(fd, VMD_IOC_SYNC, &sync);
}

int huge_punch(int fd, __u64 first, __u64 pages, size_t page)
{
	struct vmd_punch p = { .offset = first * page, .length = pages * page };

	return ioctl(fd, VMD_IOC_PUNCH, &p);
}

bool huge_part_is(const void *part, __u64 tag)
{
	return tag ? vmd_check(part, tag) : vmd_is_zero(part);
}

static bool model_write(struct huge_model *m, size_t i)
{
	char buf[4096];

	m->tags[i] = ++m->last;
	if (vmd_random(&m->state) % 3) {
		vmd_fill((i && m->last % 2 ? m->odd - vmd_ps : m->map) +
			 i * vmd_ps, m->last);
		return true;
	}
	vmd_fill(buf, m->last);
	return pwrite(m->fd, buf, vmd_ps, i * vmd_ps) == (ssize_t)vmd_ps;
}

static bool model_read(struct huge_model *m, size_t i)
{
	char buf[4096];

	if (vmd_random(&m->state) % 3)
		return huge_part_is((i && i % 2 ? m->odd - vmd_ps : m->map) +
			       i * vmd_ps, m->tags[i]);
	return pread(m->fd, buf, vmd_ps, i * vmd_ps) == (ssize_t)vmd_ps &&
	       huge_part_is(buf, m->tags[i]);
}

static bool model_punch(struct huge_model *m, size_t page)
{
	memset(m->tags + page * m->parts, 0, m->parts * sizeof(*m->tags));
	return !huge_punch(m->fd, page, 1, m->page);
}

/* Something that changes nothing about the content */
static bool model_disturb(struct huge_model *m, size_t i)
{
	static const __u32 advice[] = {
		VMD_ADVICE_WILLNEED, VMD_ADVICE_DONTNEED, VMD_ADVICE_EVICT,
		VMD_ADVICE_UNMAP, VMD_ADVICE_WRITE,
	};
	__u64 page = i / m->parts, r = vmd_random(&m->state) % 12;
	char *at = m->map + i * vmd_ps;
	pid_t pid;

	if (r < 5)
		return !huge_advise(m->fd, advice[r], page, 1, m->page) ||
		       errno == EBUSY;
	if (r == 5)
		return !huge_sync(m->fd);
	if (r == 6)
		return !mprotect(at, vmd_ps, PROT_READ) &&
		       huge_part_is(at, m->tags[i]) && !mprotect(at, vmd_ps, VMD_RW);
	if (r == 7)
		return !madvise(at, vmd_ps, MADV_DONTNEED);
	if (r == 8)
		return !vmd_budget(m->fd, 1 + m->last % 4);
	if (r == 9)
		return mmap(at, vmd_ps, VMD_RW, MAP_SHARED | MAP_FIXED, m->fd,
			    i * vmd_ps) == at;
	if (r == 10) {
		pid = vmd_fork();
		if (!pid)
			_exit(!huge_part_is(at, m->tags[i]));
		return pid > 0 && !vmd_wait(pid, CHILD_MS);
	}
	return !msync(m->map, m->nr * vmd_ps, MS_SYNC);
}

static bool model_step(struct huge_model *m)
{
	__u64 r = vmd_random(&m->state);
	size_t i = vmd_random(&m->state) % m->nr;

	switch (r % 8) {
	case 0:
	case 1:
	case 2:
		return model_write(m, i);
	case 3:
	case 4:
		return model_read(m, i);
	case 5:
		return r / 8 % 4 || model_punch(m, i / m->parts);
	}
	return model_disturb(m, i);
}

unsigned long huge_model_run(struct huge_model *m, unsigned long steps)
{
	unsigned long n;
	size_t i;

	for (n = 1; n <= steps; n++)
		if (!model_step(m))
			return n;
	for (i = 0; i < m->nr; i++)
		if (!huge_part_is(m->map + i * vmd_ps, m->tags[i]))
			return n;
	return 0;
}

bool huge_model_open(struct huge_model *m, int fd, size_t page)
{
	*m = (struct huge_model){
		.fd = fd, .page = page, .parts = page / vmd_ps,
		.nr = 6 * (page / vmd_ps), .state = page,
	};
	m->tags = calloc(m->nr, sizeof(*m->tags));
	m->map = vmd_map(fd, m->nr);
	m->odd = mmap(NULL, (m->nr - 1) * vmd_ps, VMD_RW, MAP_SHARED, fd,
		      vmd_ps);
	return m->tags && m->map != MAP_FAILED && m->odd != MAP_FAILED;
}

void huge_model_close(struct huge_model *m)
{
	munmap(m->map, m->nr * vmd_ps);
	munmap(m->odd, (m->nr - 1) * vmd_ps);
	free(m->tags);
}
