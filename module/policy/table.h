/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each policy's file defines and table.c lists.
 */
#ifndef _VMD_POLICY_TABLE_H
#define _VMD_POLICY_TABLE_H

#include "policy.h"

extern const struct vmd_policy_ops vmd_policy_fifo;
extern const struct vmd_policy_ops vmd_policy_lru;
extern const struct vmd_policy_ops vmd_policy_clock;
extern const struct vmd_policy_ops vmd_policy_clock_a;
extern const struct vmd_policy_ops vmd_policy_second;
extern const struct vmd_policy_ops vmd_policy_clocke;
extern const struct vmd_policy_ops vmd_policy_nru;
extern const struct vmd_policy_ops vmd_policy_aging;
extern const struct vmd_policy_ops vmd_policy_wsclock;
extern const struct vmd_policy_ops vmd_policy_lfu;
extern const struct vmd_policy_ops vmd_policy_mru;
extern const struct vmd_policy_ops vmd_policy_random;
extern const struct vmd_policy_ops vmd_policy_sieve;
extern const struct vmd_policy_ops vmd_policy_sieve_a;
extern const struct vmd_policy_ops vmd_policy_s3fifo;
extern const struct vmd_policy_ops vmd_policy_twoq;
extern const struct vmd_policy_ops vmd_policy_arc;
extern const struct vmd_policy_ops vmd_policy_slru;
extern const struct vmd_policy_ops vmd_policy_car;
extern const struct vmd_policy_ops vmd_policy_lruk;
extern const struct vmd_policy_ops vmd_policy_lirs;
extern const struct vmd_policy_ops vmd_policy_clockpro;
extern const struct vmd_policy_ops vmd_policy_lfuda;
extern const struct vmd_policy_ops vmd_policy_tinylfu;
extern const struct vmd_policy_ops vmd_policy_mglru;
extern const struct vmd_policy_ops vmd_policy_linux;
extern const struct vmd_policy_ops vmd_policy_opt;

#endif /* _VMD_POLICY_TABLE_H */
