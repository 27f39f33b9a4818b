/* SPDX-License-Identifier: GPL-2.0-only */
/* What module/shadow.c takes from the kernel, for its test in user space. */
#ifndef _SHIM_SLAB_H
#define _SHIM_SLAB_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GFP_KERNEL_ACCOUNT	0
#define __GFP_NOWARN		0
#define gfp_t			int

#define PAGE_SIZE		4096UL
#define BUILD_BUG_ON(c)		((void)sizeof(char[(c) ? -1 : 1]))
#define WARN_ON_ONCE(c)		((c) ? (fprintf(stderr, "%s\n", #c), abort(), 1) : 0)
#define lower_32_bits(n)	((u32)(n))
#define max_t(t, a, b)		({ t __a = (a), __b = (b); __a > __b ? __a : __b; })
#define max(a, b)		max_t(u32, a, b)

static inline size_t roundup_pow_of_two(size_t n)
{
	size_t p = 1;

	while (p < n)
		p <<= 1;
	return p;
}

static inline unsigned int order_base_2(unsigned int n)
{
	unsigned int order = 0;

	while (1ULL << order < n)
		order++;
	return order;
}

/* Aligned as the policies want it, and not a byte more. */
static inline void *kvmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	void *p;

	(void)gfp;
	return posix_memalign(&p, 64, n * size) ? NULL : p;
}

static inline void *kvcalloc(size_t n, size_t size, gfp_t gfp)
{
	void *p = kvmalloc_array(n, size, gfp);

	return p ? memset(p, 0, n * size) : NULL;
}

#define kvzalloc(size, gfp)	kvcalloc(1, size, gfp)
#define kzalloc(size, gfp)	kvcalloc(1, size, gfp)
#define kvfree(p)		free(p)
#define kfree(p)		free(p)

#endif /* _SHIM_SLAB_H */
