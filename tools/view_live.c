// SPDX-License-Identifier: GPL-2.0-only
/* What happens in a space, recorded for a while; see view.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "record.h"
#include "view.h"

static struct record *view_current;

static void view_signal(int number)
{
	(void)number;
	__atomic_store_n(&view_current->enough, true, __ATOMIC_RELAXED);
}

/* Ctrl-C ends it early, and shows what there is. */
static void view_set_alarm(struct record *record, double seconds)
{
	struct sigaction action = { .sa_handler = view_signal };
	struct itimerval timer = {
		.it_value.tv_sec = (time_t)seconds,
		.it_value.tv_usec = (suseconds_t)((seconds - (time_t)seconds) * 1e6),
	};

	view_current = record;
	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static int view_begin(struct record *record, struct ctl_space *space, const char *path)
{
	int status, fd = mkstemp((char *)path);

	if (fd < 0)
		return ctl_fail("%s: no file can be made there: set TMPDIR", path);
	close(fd);
	record->path = path;
	status = record_begin(record, space);
	if (status)
		unlink(path);
	return status;
}

/*
 * Faults and evictions, not references: these every observer sees. Threads do
 * not wait for us, what is too much is lost and told.
 */
int view_record(const struct view_how *how, char *path, size_t size, char *name, size_t name_size)
{
	struct record record = { .fd = -1, .out = -1, .events = true, .drop = true,
				 .bytes = VMD_RECORD_MAX / 4 };
	struct ctl_space space = CTL_NO_SPACE;
	const char *tmp = getenv("TMPDIR");
	int status = ctl_open_named(&space, how->space);

	if (status)
		return status;
	snprintf(path, size, "%.40s/vmdemoctl-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	status = view_begin(&record, &space, path);
	if (!status) {
		snprintf(name, name_size, "space %llu", space.info.space_id);
		ctl_close(&space);
		view_set_alarm(&record, how->seconds);
		record_write(&record);
		status = record_finish(&record);
	}
	ctl_close(&space);
	record_close(&record);
	return status;
}
