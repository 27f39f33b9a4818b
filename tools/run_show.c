// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl run: the live line, the summary, the report. */
#include "run.h"
#include "output.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_MIB(pages, info)	((double)(pages) * (info)->page_size / 1048576)

static double run_seconds(const struct run_show *show)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - show->began.tv_sec + (now.tv_nsec - show->began.tv_nsec) / 1e9;
}

/* Per second, since the last look. */
static __u64 run_rate(const struct run_show *show, __u64 now, __u64 then)
{
	double seconds = show->program.pause.tv_sec + show->program.pause.tv_nsec / 1e9;

	return (now - then) / seconds;
}

static void run_line(const struct run_show *show, const struct vmd_stats *stats)
{
	const struct vmd_info *info = &show->program.space.info;

	fprintf(stderr, "%s%.0f s: %.0f of %.0f MiB resident, misses %llu (%llu/s), ",
		show->terminal ? "\r" : "", run_seconds(show), RUN_MIB(stats->resident, info),
		RUN_MIB(stats->budget, info), stats->misses,
		run_rate(show, stats->misses, show->last.misses));
	fprintf(stderr, "read %.0f MiB, written %.0f MiB%s", RUN_MIB(stats->pages_read, info),
		RUN_MIB(stats->pages_written, info), show->terminal ? "\033[K" : "\n");
}

void run_tick(const struct exec_program *program)
{
	struct run_show *show = (struct run_show *)((char *)program -
						    offsetof(struct run_show, program));
	struct vmd_stats stats;

	if (ctl_get_stats(&show->program.space, 0, &stats))
		return;
	run_line(show, &stats);
	show->last = stats;
}

/* Upper bound of the time that this share of the faults stayed below, in ns. */
static __u64 run_latency(const struct vmd_stats *stats, double share)
{
	__u64 all = 0, seen = 0;
	int i;

	for (i = 0; i < VMD_LATENCY_BUCKETS; i++)
		all += stats->latency[i];
	for (i = 0; i < VMD_LATENCY_BUCKETS && all; i++) {
		seen += stats->latency[i];
		if (seen >= share * all)
			return 2ULL << i;
	}
	return 0;
}

static void run_text(struct run_show *show, const struct vmd_stats *stats, double seconds)
{
	const struct vmd_info *info = &show->program.space.info;
	int ended = show->program.wait_status;
	char name[64];

	printf("vmdemoctl run: %s: ", ctl_printable(show->program.argv[0], name, sizeof(name)));
	if (WIFEXITED(ended))
		printf("exit status %d", WEXITSTATUS(ended));
	else
		printf("signal %d (%s)", WTERMSIG(ended), strsignal(WTERMSIG(ended)));
	printf(" after %.1f s\n", seconds);
	printf("  budget %llu frames (%.1f MiB), policy %s, observer %s\n", show->config.budget,
	       RUN_MIB(show->config.budget, info), show->config.policy, show->config.observer);
	printf("  misses %llu: first touches %llu, read back %llu; soft faults %llu\n",
	       stats->misses, stats->zero_fills, stats->faults_major, stats->faults_soft);
	printf("  evicted %llu (%llu dirty), read %.1f MiB, written %.1f MiB, dropped %.1f MiB\n",
	       stats->evictions, stats->evictions_dirty, RUN_MIB(stats->pages_read, info),
	       RUN_MIB(stats->pages_written, info), RUN_MIB(stats->punched, info));
	printf("  faults took less than: half %llu ns, 99 %% %llu ns\n",
	       run_latency(stats, 0.5), run_latency(stats, 0.99));
}

static void run_json(struct run_show *show, struct vmd_stats *stats, double seconds)
{
	struct json_object *object = json_object_new_object();
	int ended = show->program.wait_status;

	ctl_json_add_u64(object, "space", show->program.space.info.space_id);
	ctl_json_add_text(object, "program", show->program.argv[0]);
	if (WIFEXITED(ended))
		ctl_json_add_u64(object, "exit_status", WEXITSTATUS(ended));
	else
		ctl_json_add_u64(object, "signal", WTERMSIG(ended));
	ctl_json_add(object, "seconds", json_object_new_double(seconds));
	ctl_json_add_u64(object, "page_size", show->program.space.info.page_size);
	ctl_json_add_config(object, &show->config);
	ctl_json_add_u64(object, "latency_half_ns", run_latency(stats, 0.5));
	ctl_json_add_u64(object, "latency_99_ns", run_latency(stats, 0.99));
	ctl_json_add(object, "totals", ctl_json_stats(stats));
	ctl_json_free(object, true);
}

/* Standard output is the program's: what is printed goes to @fd instead. */
static int run_print(struct run_show *show, struct vmd_stats *stats, double seconds, bool json,
		     int fd)
{
	if (dup2(fd, STDOUT_FILENO) < 0)
		return ctl_fail("printing the summary: %s", strerror(errno));
	if (json)
		run_json(show, stats, seconds);
	else
		run_text(show, stats, seconds);
	if (!fflush(stdout) && !ferror(stdout))
		return CTL_OK;
	ctl_fail("printing the summary: %s", strerror(errno));
	/* It has been told: it need not be again at our end. */
	__fpurge(stdout);
	clearerr(stdout);
	return CTL_FAILED;
}

int run_end(struct run_show *show, int report_fd, const char *report)
{
	double seconds = run_seconds(show);
	struct vmd_stats stats;
	int status = ctl_get_stats(&show->program.space, 0, &stats);

	if (status)
		return status;
	if (show->live && show->terminal)
		fputs("\r\033[K", stderr);
	if (!stats.references && !stats.zero_fills)
		ctl_fail("%s has not used the space: a static program that it became?",
			 show->program.argv[0]);
	status = run_print(show, &stats, seconds, ctl_options.json, STDERR_FILENO);
	if (status || report_fd < 0)
		return status;
	/* What is no regular file need not be emptied. */
	if (ftruncate(report_fd, 0) && errno != EINVAL)
		return ctl_fail("report %s: %s", report, strerror(errno));
	return run_print(show, &stats, seconds, true, report_fd);
}
