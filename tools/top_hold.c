// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmdemoctl top: holding a space's faults. A stepper (VMD_IOC_STEP) that lets
 * nobody go on does it: a thread stops where it needs a page, and nowhere else.
 * The kernel lets all go when the descriptor is closed, and so also when we are
 * killed.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "top.h"

static struct top_held *hold_find(struct top *top, __u64 id)
{
	size_t i;

	for (i = 0; i < top->nr_held; i++)
		if (top->held[i].id == id)
			return &top->held[i];
	return NULL;
}

const struct top_held *top_held(const struct top *top, __u64 id)
{
	return hold_find((struct top *)top, id);
}

static void hold_end(struct top *top, struct top_held *held)
{
	close(held->fd);
	*held = top->held[--top->nr_held];
}

/* Returns the stepper's descriptor, which is never waited for; or -1. */
static int hold_begin(__u64 id)
{
	struct vmd_step step = { 0 };
	int space = top_attach(id), fd = -1, error;

	if (space >= 0)
		fd = ioctl(space, VMD_IOC_STEP, &step);
	error = errno;
	if (space >= 0)
		close(space);
	errno = error;
	return fd;
}

void top_hold_or_go(struct top *top)
{
	struct top_held *held = hold_find(top, top->selected);
	int fd;

	if (!top_current(top))
		return;
	if (held) {
		hold_end(top, held);
		snprintf(top->message, TOP_TEXT, "space %llu: its faults go on", top->selected);
		return;
	}
	if (top->nr_held == TOP_HELD) {
		snprintf(top->message, TOP_TEXT, "faults of %d spaces are held: no more than that",
			 TOP_HELD);
		return;
	}
	fd = hold_begin(top->selected);
	if (fd < 0) {
		snprintf(top->message, TOP_TEXT, "space %llu: its faults cannot be held: %s",
			 top->selected, errno == EBUSY ? "somebody steps it" : strerror(errno));
		return;
	}
	top->held[top->nr_held++] = (struct top_held){ .id = top->selected, .fd = fd };
	snprintf(top->message, TOP_TEXT, "space %llu: its faults are held from now on",
		 top->selected);
}

/* A reader that finds nothing would wait: ask before. */
static bool hold_ready(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) > 0;
}

void top_look_at_held(struct top *top)
{
	struct vmd_step_fault fault;
	ssize_t got = 1;
	size_t i;

	for (i = top->nr_held; i--; ) {
		struct top_held *held = &top->held[i];

		while (got > 0 && hold_ready(held->fd)) {
			got = read(held->fd, &fault, sizeof(fault));
			if (got > 0 && fault.flags & VMD_STEP_HALTED)
				held->waiting++;
		}
		/* The space has no users left. */
		if (!got)
			hold_end(top, held);
		got = 1;
	}
}

void top_release(struct top *top)
{
	while (top->nr_held)
		hold_end(top, top->held);
}
