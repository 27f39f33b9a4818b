/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tools/sim.c needs of <stdlib.h>, for the KUnit module.
 */
#ifndef _VMD_KUNIT_STDLIB_H
#define _VMD_KUNIT_STDLIB_H

#include <linux/align.h>
#include <linux/log2.h>
#include <linux/slab.h>

/* Only below a page are kmalloc's powers of two what gives the alignment. */
static inline int posix_memalign(void **out, size_t align, size_t size)
{
	*out = kmalloc(size < PAGE_SIZE ?
		       max(roundup_pow_of_two(size), align) : size, GFP_KERNEL);
	return *out && IS_ALIGNED((unsigned long)*out, align) ? 0 : -ENOMEM;
}

static inline void *calloc(size_t n, size_t size)
{
	return kcalloc(n, size, GFP_KERNEL);
}

static inline void *realloc(void *p, size_t size)
{
	return krealloc(p, size, GFP_KERNEL);
}

static inline void free(void *p)
{
	kfree(p);
}

#endif /* _VMD_KUNIT_STDLIB_H */
