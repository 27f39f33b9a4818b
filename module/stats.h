/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters: counted per CPU, read through one snapshot by every view.
 */
#ifndef _VMD_STATS_H
#define _VMD_STATS_H

#include <linux/percpu.h>
#include <linux/types.h>

#include "../uapi/vmdemo.h"

struct vmd_space;
struct seq_file;

/* VMD_COUNT_references, ...: one for each of VMD_COUNTERS, in that order. */
enum vmd_counter {
#define X(name, text) VMD_COUNT_##name,
	VMD_COUNTERS(X)
#undef X
	VMD_NR_FIRST,
	/* The last of these are levels, which are not counted but asked for. */
	VMD_NR_COUNTED = VMD_COUNT_resident,
};

/* VMD_MORE_unmap_calls, ...: one for each of VMD_MORE_COUNTERS. */
enum vmd_more_counter {
#define X(name, text) VMD_MORE_##name,
	VMD_MORE_COUNTERS(X)
#undef X
	VMD_NR_MORE,
};

/**
 * struct vmd_counters - what is counted
 * @count: by enum vmd_counter
 * @latency: as vmd_stats.latency
 * @more: by enum vmd_more_counter
 */
struct vmd_counters {
	u64 count[VMD_NR_COUNTED];
	u64 latency[VMD_LATENCY_BUCKETS];
	u64 more[VMD_NR_MORE];
};

#define vmd_count_add(space, name, n) \
	this_cpu_add((space)->stats->count[VMD_COUNT_##name], n)
#define vmd_count(space, name)	vmd_count_add(space, name, 1)
#define vmd_count_more(space, name, n) \
	this_cpu_add((space)->stats->more[VMD_MORE_##name], n)

void vmd_stats_latency(struct vmd_space *space, u64 ns);
void vmd_stats_space(struct vmd_space *space, struct vmd_stats *out);
void vmd_stats_module(struct vmd_stats *out);
void vmd_stats_reset(struct vmd_space *space);
void vmd_stats_retire(struct vmd_space *space);
void vmd_module_show(struct seq_file *m);
void vmd_stats_show(struct seq_file *m, const struct vmd_stats *stats);

#endif /* _VMD_STATS_H */
