/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few things that differ between the kernel and user space, so that a
 * policy is one source for the module, the simulator and the unit tests.
 */
#ifndef _VMD_POLICY_PORT_H
#define _VMD_POLICY_PORT_H

#ifdef __KERNEL__

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>

/* The division that 32-bit kernels do not have as an operator. */
#include <linux/math64.h>
#define vmd_mod64(a, b)		({ u64 __r; div64_u64_rem(a, b, &__r); __r; })
#define vmd_div64(a, b)		div64_u64(a, b)

#else

#include <errno.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#define BIT(n)			(1UL << (n))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define vmd_mod64(a, b)		((u64)(a) % (u64)(b))
#define vmd_div64(a, b)		((u64)(a) / (u64)(b))

#endif

#endif /* _VMD_POLICY_PORT_H */
