// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters: per CPU while counting, one struct vmd_stats for every view.
 */
#include <linux/log2.h>
#include <linux/seq_file.h>

#include "space.h"

/* What spaces that are gone have counted. Under vmd_spaces_lock. */
static struct vmd_counters stats_retired;

/* One after the other, each with its own end. */
#define X(name, text)	#name "\0"
static const char stats_names[] = VMD_COUNTERS(X);
static const char stats_more_names[] = VMD_MORE_COUNTERS(X);
#undef X

/**
 * vmd_stats_latency - count a fault by the time it took
 * @space: of which
 * @ns: how long
 */
void vmd_stats_latency(struct vmd_space *space, u64 ns)
{
	u32 bucket = ns ? min(ilog2(ns), VMD_LATENCY_BUCKETS - 1) : 0;

	this_cpu_inc(space->stats->latency[bucket]);
}

/* A struct vmd_counters as what it is: an array. */
#define COUNTERS_ALL	(sizeof(struct vmd_counters) / sizeof(u64))

static void counters_add(struct vmd_counters *sum, const struct vmd_counters *c)
{
	u64 *to = (u64 *)sum;
	const u64 *from = (const u64 *)c;
	u32 i;

	for (i = 0; i < COUNTERS_ALL; i++)
		to[i] += READ_ONCE(from[i]);
}

static void counters_sub(struct vmd_counters *sum, const struct vmd_counters *c)
{
	u64 *to = (u64 *)sum;
	const u64 *from = (const u64 *)c;
	u32 i;

	for (i = 0; i < COUNTERS_ALL; i++)
		to[i] -= from[i];
}

static void counters_sum(struct vmd_space *space, struct vmd_counters *sum)
{
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu)
		counters_add(sum, per_cpu_ptr(space->stats, cpu));
}

/* The counters follow each other in struct vmd_stats as they do here. */
static void stats_fill(struct vmd_stats *out, const struct vmd_counters *c)
{
	u64 *to = &out->references, *more = &out->unmap_calls;
	u32 i;

	for (i = 0; i < VMD_NR_COUNTED; i++)
		to[i] = c->count[i];
	memcpy(out->latency, c->latency, sizeof(c->latency));
	for (i = 0; i < VMD_NR_MORE; i++)
		more[i] = c->more[i];
}

static void stats_add_levels(struct vmd_space *space, struct vmd_stats *out)
{
	out->resident += vmd_space_resident(space);
	out->dirty += vmd_space_dirty(space);
	out->budget += READ_ONCE(space->budget);
	out->size += vmd_space_size(space);
}

/**
 * vmd_stats_space - a snapshot of a space's counters
 * @space: of which
 * @out: filled
 */
void vmd_stats_space(struct vmd_space *space, struct vmd_stats *out)
{
	struct vmd_counters sum;

	memset(out, 0, sizeof(*out));
	spin_lock(&space->reset_lock);
	counters_sum(space, &sum);
	counters_sub(&sum, &space->reset);
	spin_unlock(&space->reset_lock);
	stats_fill(out, &sum);
	stats_add_levels(space, out);
}

/**
 * vmd_stats_reset - let a space's counters begin at 0 again
 * @space: of which
 */
void vmd_stats_reset(struct vmd_space *space)
{
	spin_lock(&space->reset_lock);
	counters_sum(space, &space->reset);
	spin_unlock(&space->reset_lock);
}

/**
 * vmd_stats_retire - remember what a space has counted; it is going
 * @space: it leaves the list of spaces; vmd_spaces_lock is held
 */
void vmd_stats_retire(struct vmd_space *space)
{
	struct vmd_counters sum;

	counters_sum(space, &sum);
	counters_add(&stats_retired, &sum);
}

/**
 * vmd_stats_module - a snapshot of all spaces there are and have been
 * @out: filled; the levels are sums over the spaces there are
 *
 * VMD_IOC_RESET_STATS does not show here.
 */
void vmd_stats_module(struct vmd_stats *out)
{
	struct vmd_counters sum, one;
	struct vmd_space *space;
	u64 id = 0;

	memset(out, 0, sizeof(*out));
	mutex_lock(&vmd_spaces_lock);
	sum = stats_retired;
	while ((space = vmd_space_next(id))) {
		id = space->id;
		counters_sum(space, &one);
		counters_add(&sum, &one);
		stats_add_levels(space, out);
		vmd_space_put(space);
	}
	mutex_unlock(&vmd_spaces_lock);
	/* A frame that went from one space to another meanwhile is one frame. */
	out->resident = min_t(u64, out->resident, vmd_frames_total());
	stats_fill(out, &sum);
}

/* Values under their names, which follow each other, each with its own end. */
static void stats_show_named(struct seq_file *m, const char *name,
			     const u64 *value, u32 n)
{
	for (; n--; name += strlen(name) + 1)
		seq_printf(m, "%s %llu\n", name, *value++);
}

/**
 * vmd_stats_show - write a snapshot, "name value" a line
 * @m: where to
 * @stats: the snapshot
 */
void vmd_stats_show(struct seq_file *m, const struct vmd_stats *stats)
{
	u32 i;

	stats_show_named(m, stats_names, &stats->references, VMD_NR_FIRST);
	stats_show_named(m, stats_more_names,
			 &stats->unmap_calls, VMD_NR_MORE);
	for (i = 0; i < VMD_LATENCY_BUCKETS; i++)
		seq_printf(m, "latency_ns_%llu %llu\n", 1ULL << i,
			   stats->latency[i]);
}

/**
 * vmd_module_show - write what concerns all spaces, "name value" a line
 * @m: where to
 */
void vmd_module_show(struct seq_file *m)
{
	struct vmd_stats stats;

	vmd_stats_module(&stats);
	seq_printf(m, "spaces %lu\n", vmd_space_count());
	vmd_stats_show(m, &stats);
}
