// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl top: what is shown, read from the module. */
#include "top.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lab.h"
#include "procs.h"

struct top_space *top_current(const struct top *top)
{
	size_t i;

	for (i = 0; i < top->nr; i++)
		if (top->spaces[i].line.id == top->selected)
			return &top->spaces[i];
	return NULL;
}

int top_attach(__u64 id)
{
	struct vmd_attach attach = { .space_id = id };
	int fd = open(ctl_options.device, O_RDWR | O_CLOEXEC | O_NOCTTY);
	int error;

	if (fd < 0 || !ioctl(fd, VMD_IOC_ATTACH, &attach))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int top_compare_ids(const void *a, const void *b)
{
	const struct top_space *x = a, *y = b;

	return (x->line.id > y->line.id) - (x->line.id < y->line.id);
}

/* Somebody else's tools open a space for an instant: ours has no size yet. */
static void top_take_line(void *arg, const struct ctl_space_line *line)
{
	struct top *top = arg;
	struct top_space *more;
	size_t i;

	for (i = 0; i < top->nr && top->spaces[i].line.id != line->id; i++)
		;
	if (i == top->nr) {
		more = realloc(top->spaces, (top->nr + 1) * sizeof(*more));
		if (!more)
			return;
		top->spaces = more;
		memset(&more[top->nr++], 0, sizeof(*more));
	}
	top->spaces[i].line = *line;
	top->spaces[i].seen = true;
}

static void top_forget_gone(struct top *top)
{
	size_t i, nr = 0;

	for (i = 0; i < top->nr; i++)
		if (top->spaces[i].seen)
			top->spaces[nr++] = top->spaces[i];
	top->nr = nr;
}

double top_rate(const struct top_space *space, size_t at)
{
	__u64 now = *(const __u64 *)((const char *)&space->stats + at);
	__u64 before = *(const __u64 *)((const char *)&space->before + at);

	/* After a reset it starts again. */
	if (space->seconds <= 0 || now < before)
		return 0;
	return (now - before) / space->seconds;
}

static void top_note_faults(struct top_space *space)
{
	if (space->nr_faults == TOP_HISTORY)
		memmove(space->faults, space->faults + 1,
			--space->nr_faults * sizeof(*space->faults));
	space->faults[space->nr_faults++] = TOP_RATE(space, misses);
}

static void top_read_stats(struct top_space *space)
{
	struct vmd_stats stats = { 0 };
	int fd = top_attach(space->line.id);
	double now = lab_now();
	bool known = fd >= 0 && !ioctl(fd, VMD_IOC_GET_STATS, &stats);

	if (fd >= 0)
		close(fd);
	space->seconds = known && space->known ? now - space->at : 0;
	space->before = space->known ? space->stats : stats;
	space->stats = stats;
	space->known = known;
	space->at = now;
	if (space->seconds > 0)
		top_note_faults(space);
}

__u64 top_latency(const struct top_space *space, double part)
{
	__u64 count[VMD_LATENCY_BUCKETS], all = 0, sum = 0;
	bool since = true;
	int i;

	for (i = 0; i < VMD_LATENCY_BUCKETS; i++)
		since &= space->stats.latency[i] >= space->before.latency[i];
	for (i = 0; i < VMD_LATENCY_BUCKETS; i++) {
		count[i] = space->stats.latency[i] - (since ? space->before.latency[i] : 0);
		all += count[i];
	}
	for (i = 0; all && i < VMD_LATENCY_BUCKETS; i++) {
		sum += count[i];
		if (sum >= part * all)
			return (__u64)2 << i;
	}
	return 0;
}

/* Where the selected one has gone the next one takes its place. */
static void top_choose(struct top *top)
{
	size_t i;

	if (!top->nr || top_current(top))
		return;
	for (i = 0; i + 1 < top->nr && top->spaces[i].line.id < top->selected; i++)
		;
	top->selected = top->spaces[i].line.id;
}

int top_sample(struct top *top, size_t cells, bool due)
{
	struct ctl_procs procs;
	struct top_space *now;
	int status;
	size_t i;

	for (i = 0; i < top->nr; i++)
		top->spaces[i].seen = false;
	status = ctl_proc_spaces(top_take_line, top);
	if (status)
		return status;
	top_forget_gone(top);
	if (top->nr)
		qsort(top->spaces, top->nr, sizeof(*top->spaces), top_compare_ids);
	for (i = 0; i < top->nr; i++)
		if (due || !top->spaces[i].known)
			top_read_stats(&top->spaces[i]);
	top_choose(top);
	top_look_at_held(top);
	now = top_current(top);
	top->stopped = false;
	if (!now)
		return CTL_OK;
	top_read_map(top, now, cells < TOP_CELLS ? cells : TOP_CELLS);
	ctl_find_procs(now->line.pid, &procs);
	top->stopped = procs.nr && procs.stopped == procs.nr;
	return CTL_OK;
}

void top_free(struct top *top)
{
	free(top->spaces);
	top->spaces = NULL;
	top->nr = 0;
}
