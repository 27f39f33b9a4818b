// SPDX-License-Identifier: GPL-2.0-only
/* The exerciser's calls on the space: size, content, advice, configuration. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exerciser.h"

#define PATIENCE	20		/* tries while a page may be in use */

static size_t new_size(struct ex *x)
{
	size_t most = EX_PAGES * vmd_ps, size;

	if (ex_one_in(x, 16))
		size = ex_below(x, 4 * vmd_ps);
	else if (ex_one_in(x, 3))
		size = most;
	else if (ex_one_in(x, 4))
		size = x->size + ex_below(x, 4 * vmd_ps);
	else
		size = most / 2 + ex_below(x, most / 2);
	if (size > most)
		size = most;
	return x->on_file ? size : size - size % vmd_ps;
}

void ex_do_resize(struct ex *x)
{
	size_t size = new_size(x);
	struct vmd_config c = { .mask = VMD_CONFIG_SIZE, .size = size };
	int fd = ex_fd(x);

	ex_log(x, "resize %zu to %zu", x->size, size);
	ex_expect(x, "VMD_IOC_SET_CONFIG",
		  ioctl(fd, VMD_IOC_SET_CONFIG, &c), 0);
	ex_set_size(x, size);
	ex_expect(x, "VMD_IOC_GET_CONFIG", vmd_get(fd, &c), 0);
	ex_expect(x, "size", c.size, size);
}

static bool any_pinned(const struct ex *x, size_t first, size_t n)
{
	size_t i, end = n ? first + n : ex_page_end(x);

	for (i = first; i < end; i++)
		if (x->pinned[i])
			return true;
	return false;
}

static void forget(struct ex *x, size_t first, size_t n)
{
	size_t begin = first * vmd_ps;
	size_t end = n ? begin + n * vmd_ps : x->size;

	memset(x->shadow + begin, 0, end - begin);
	if (end == x->size)
		x->polluted = false;
}

/* A call that may find a page in use by the kernel for a moment, not for long */
static int patiently(struct ex *x, unsigned long command, void *arg, bool busy)
{
	int fd = ex_fd(x), ret, i;

	for (i = 0; i < PATIENCE; i++) {
		ret = ioctl(fd, command, arg);
		if (!ret || errno != EBUSY || busy)
			break;
		vmd_sleep_ms(5);
	}
	return ret;
}

void ex_do_punch(struct ex *x)
{
	struct vmd_punch p = { 0 };
	size_t first, n;
	bool pinned;
	int ret;

	if (x->cannot_punch || !ex_pages(x, &first, &n))
		return;
	p.offset = first * vmd_ps;
	p.length = n * vmd_ps;
	pinned = any_pinned(x, first, n);
	ex_log(x, "punch %zu+%zu pages%s", first, n, pinned ? " pinned" : "");
	ret = patiently(x, VMD_IOC_PUNCH, &p, pinned);
	if (pinned && ret && errno == EBUSY)
		return;
	ex_expect(x, "VMD_IOC_PUNCH", ret, pinned ? -1 : 0);
	forget(x, first, n);
}

void ex_do_sync(struct ex *x)
{
	size_t first, n;

	if (!ex_pages(x, &first, &n))
		return;
	ex_log(x, "sync %zu+%zu pages", first, n);
	ex_expect(x, "VMD_IOC_SYNC", vmd_sync(ex_fd(x), first, n), 0);
}

void ex_do_fsync(struct ex *x)
{
	bool data = ex_one_in(x, 2);
	int fd = ex_fd(x);

	ex_log(x, data ? "fdatasync" : "fsync");
	ex_expect(x, "fsync", data ? fdatasync(fd) : fsync(fd), 0);
	if (x->on_file)
		ex_check_file(x);
}

void ex_do_msync(struct ex *x)
{
	struct ex_map *m = ex_pick_map(x, false);
	int flags = ex_one_in(x, 4) ? MS_ASYNC : MS_SYNC;
	size_t first, n;

	if (!m)
		return;
	first = ex_below(x, m->pages);
	n = 1 + ex_below(x, m->pages - first);
	ex_log(x, "msync %zu+%zu pages, flags %d", m->first + first, n, flags);
	ex_expect(x, "msync", msync(m->addr + first * vmd_ps, n * vmd_ps,
				    flags), 0);
}

/* All of the range or none of it, a quarter of the budget is for others. */
static void advise_pin(struct ex *x, size_t first, size_t n)
{
	size_t i, end = n ? first + n : ex_page_end(x), pins = x->pins;
	int ret;

	for (i = first; i < end; i++)
		pins += !x->pinned[i];
	ret = vmd_advise(ex_fd(x), VMD_ADVICE_PIN, first, n);
	if (4 * pins > 3 * x->budget) {
		if (!ret || errno != ENOSPC)
			ex_fail(x, "pinning %zu pages of a budget of %zu: %s",
				pins, x->budget,
				ret ? strerror(errno) : "done");
		return;
	}
	ex_expect(x, "VMD_ADVICE_PIN", ret, 0);
	x->pins = pins;
	for (i = first; i < end; i++)
		x->pinned[i] = true;
}

static void advise_unpin(struct ex *x, size_t first, size_t n)
{
	size_t i, end = n ? first + n : ex_page_end(x);

	ex_expect(x, "VMD_ADVICE_UNPIN",
		  vmd_advise(ex_fd(x), VMD_ADVICE_UNPIN, first, n), 0);
	for (i = first; i < end; i++) {
		x->pins -= x->pinned[i];
		x->pinned[i] = false;
	}
}

static void advise_evict(struct ex *x, size_t first, size_t n)
{
	struct vmd_advise a = {
		.offset = first * vmd_ps,
		.length = n * vmd_ps,
		.advice = VMD_ADVICE_EVICT,
	};
	bool pinned = any_pinned(x, first, n);
	int ret = patiently(x, VMD_IOC_ADVISE, &a, pinned);

	if (pinned && ret && errno == EBUSY)
		return;
	ex_expect(x, "VMD_ADVICE_EVICT", ret, pinned ? -1 : 0);
}

void ex_do_advise(struct ex *x)
{
	__u32 advice = VMD_ADVICE_WILLNEED + ex_below(x, 6);
	size_t first, n;

	if (!ex_pages(x, &first, &n))
		return;
	ex_log(x, "advise %u %zu+%zu pages", advice, first, n);
	switch (advice) {
	case VMD_ADVICE_PIN:
		advise_pin(x, first, n);
		break;
	case VMD_ADVICE_UNPIN:
		advise_unpin(x, first, n);
		break;
	case VMD_ADVICE_EVICT:
		advise_evict(x, first, n);
		break;
	default:
		ex_expect(x, "VMD_IOC_ADVISE",
			  vmd_advise(ex_fd(x), advice, first, n), 0);
	}
}

/**
 * ex_set_policy - set a policy; what it has to know of the future is made up
 */
int ex_set_policy(struct ex *x, int fd, const char *name)
{
	__u32 pages[64];
	struct vmd_future f = {
		.pages = (uintptr_t)pages, .count = 64, .total = 64,
	};
	int i;

	if (!strcmp(name, "opt")) {
		for (i = 0; i < 64; i++)
			pages[i] = ex_below(x, EX_PAGES);
		if (ioctl(fd, VMD_IOC_FUTURE, &f))
			return -1;
	}
	return vmd_policy(fd, name);
}

/* Another policy for a while, at times the configuration's again */
void ex_do_set_policy(struct ex *x)
{
	char name[VMD_POLICY_LEN];
	size_t n = 0;

	while (ex_policies[n])
		n++;
	snprintf(name, sizeof(name), "%s", ex_one_in(x, 2) ? x->policy :
		 ex_policies[ex_below(x, n)]);
	if (!strcmp(name, "random"))
		sprintf(name, "random:seed=%u", (unsigned int)ex_below(x, 99));
	ex_log(x, "policy %s", name);
	ex_expect(x, "VMD_IOC_SET_POLICY",
		  ex_set_policy(x, ex_fd(x), name), 0);
}

void ex_do_set_observer(struct ex *x)
{
	const char *name = ex_one_in(x, 2) ? x->observer :
			   vmd_observer_names[ex_below(x, 3)];

	ex_log(x, "observer %s", name);
	ex_expect(x, "observer", vmd_observer(ex_fd(x), name), 0);
}

/* Pages that are pinned may refuse a smaller one; nothing else may. */
void ex_do_set_budget(struct ex *x)
{
	struct vmd_budget b = { 0 };
	int ret;

	b.frames = 4 + ex_below(x, EX_MAX_BUDGET - 3);
	if (ex_one_in(x, 4))
		b.frames = 1 + ex_below(x, 4);
	ex_log(x, "budget %zu to %llu, %zu pinned", x->budget,
	       (unsigned long long)b.frames, x->pins);
	ret = patiently(x, VMD_IOC_SET_BUDGET, &b, x->pins);
	if (ret && errno == EBUSY && x->pins && b.frames < x->budget)
		return;
	ex_expect(x, "VMD_IOC_SET_BUDGET", ret, 0);
	x->budget = b.frames;
}

static void look_at_pages(struct ex *x, int fd)
{
	struct vmd_page page[EX_PAGES];
	size_t i, end = ex_page_end(x);

	ex_expect(x, "VMD_IOC_PAGES", vmd_pages(fd, 0, EX_PAGES, page), end);
	for (i = 0; i < end; i++) {
		if (!!(page[i].flags & VMD_PAGE_PINNED) != x->pinned[i])
			ex_fail(x, "page %zu is %spinned", i,
				x->pinned[i] ? "not " : "");
		if (x->pinned[i] && page[i].state != VMD_PAGE_RESIDENT)
			ex_fail(x, "page %zu is pinned, and in state %d", i,
				page[i].state);
	}
}

/* The views agree with the model, and frames stay within the budget. */
void ex_do_look(struct ex *x)
{
	static const char *const names[] = { "pages", "policy", "stats", "config" };
	int fd = ex_fd(x);
	struct vmd_stats s;

	ex_log(x, "look, size %zu, budget %zu, %zu pinned", x->size, x->budget,
	       x->pins);
	ex_expect(x, "VMD_IOC_GET_STATS", vmd_stats(fd, &s), 0);
	ex_expect(x, "size", s.size, x->size);
	ex_expect(x, "budget", s.budget, x->budget);
	ex_expect(x, "io_errors", s.io_errors, 0);
	if (s.resident > x->budget + x->info.reserve_frames)
		ex_fail(x, "%llu frames of a budget of %zu",
			(unsigned long long)s.resident, x->budget);
	look_at_pages(x, fd);
	if (ex_one_in(x, 4))
		free(vmd_space_file(x->info.space_id, names[ex_below(x, 4)]));
	if (ex_one_in(x, 8))
		vmd_reset(fd);
}
