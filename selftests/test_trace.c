// SPDX-License-Identifier: GPL-2.0-only
/* The tracepoints: there, described, silent when off, and firing when on. */
#define _GNU_SOURCE
#include <limits.h>
#include <sys/stat.h>

#include "vmd_harness.h"

#define TRACEFS	"/sys/kernel/tracing/"
#define EVENTS	TRACEFS "events/vmdemo/"
#define PAGES	32
#define FRAMES	8

static const char *const events[] = {
	"fault", "map", "evict", "read", "write", "policy", "budget",
};

FIXTURE(trace) {
	char dir[128];		/* an instance of our own */
	int fd;
	char *map;
};

static void write_trace(const char *dir, const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	vmd_write_file(path, text);
}

FIXTURE_SETUP(trace)
{
	snprintf(self->dir, sizeof(self->dir), TRACEFS "instances/vmdemo-%d",
		 getpid());
	if (mkdir(self->dir, 0700))
		self->dir[0] = 0;
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_set(self->fd, "fifo", "fault", FRAMES));
	ASSERT_MAP(self->map, self->fd, PAGES);
}

FIXTURE_TEARDOWN(trace)
{
	close(self->fd);
	if (self->dir[0]) {
		write_trace(self->dir, "events/vmdemo/enable", "0");
		rmdir(self->dir);
	}
}

static char *event_format(const char *event)
{
	char path[256];

	snprintf(path, sizeof(path), EVENTS "vmdemo_%s/format", event);
	return vmd_read_file(path);
}

TEST(all_tracepoints_are_there)
{
	size_t i;

	if (access(TRACEFS "events", F_OK))
		SKIP(return, "no tracefs at " TRACEFS);
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		EXPECT_NE(NULL, event_format(events[i])) {
			TH_LOG("no tracepoint vmdemo:vmdemo_%s", events[i]);
		}
	}
}

TEST(tracepoints_tell_the_space_and_the_page)
{
	char *format;
	size_t i;

	if (access(TRACEFS "events", F_OK))
		SKIP(return, "no tracefs at " TRACEFS);
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		format = event_format(events[i]);
		ASSERT_NE(NULL, format);
		EXPECT_NE(NULL, strstr(format, " space;"));
		if (i < 5)
			EXPECT_NE(NULL, strstr(format, " page;"));
	}
}

/* One of each: fault, map, evict, write, read, policy, budget. */
static int do_everything(int fd, char *map)
{
	vmd_fill_all(map, PAGES, 1);
	if (vmd_bad_pages(map, PAGES, 1) || vmd_policy(fd, "lru") ||
	    vmd_budget(fd, FRAMES / 2))
		return -1;
	return vmd_read_signal(map);
}

static char *read_trace(const char *dir)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/trace", dir);
	return vmd_read_file(path);
}

static int count_event(const char *trace, const char *event)
{
	char name[40];
	int n = 0;

	snprintf(name, sizeof(name), " vmdemo_%s: ", event);
	while (trace && (trace = strstr(trace, name))) {
		trace += strlen(name);
		n++;
	}
	return n;
}

TEST_F(trace, every_tracepoint_fires)
{
	char *trace;
	size_t i;

	if (!self->dir[0])
		SKIP(return, "no trace instances at " TRACEFS);
	write_trace(self->dir, "events/vmdemo/enable", "1");
	ASSERT_EQ(0, do_everything(self->fd, self->map));
	write_trace(self->dir, "events/vmdemo/enable", "0");
	trace = read_trace(self->dir);
	ASSERT_NE(NULL, trace);
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		EXPECT_LT(0, count_event(trace, events[i])) {
			TH_LOG("vmdemo_%s did not fire", events[i]);
		}
	}
}

/* Also one that had to be retried is there once. */
TEST_F(trace, faults_in_the_trace_are_the_faults_counted)
{
	struct vmd_stats s;
	char *trace;

	if (!self->dir[0])
		SKIP(return, "no trace instances at " TRACEFS);
	write_trace(self->dir, "events/vmdemo/vmdemo_fault/enable", "1");
	ASSERT_EQ(0, vmd_reset(self->fd));
	vmd_fill_all(self->map, PAGES, 1);
	ASSERT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	trace = read_trace(self->dir);
	ASSERT_NE(NULL, trace);
	EXPECT_EQ(vmd_faults(&s), (__u64)count_event(trace, "fault"));
}

TEST_F(trace, nothing_is_traced_when_it_is_off)
{
	char *trace;

	if (!self->dir[0])
		SKIP(return, "no trace instances at " TRACEFS);
	ASSERT_EQ(0, do_everything(self->fd, self->map));
	trace = read_trace(self->dir);
	ASSERT_NE(NULL, trace);
	EXPECT_EQ(NULL, strstr(trace, "vmdemo_"));
}

TEST_HARNESS_MAIN
