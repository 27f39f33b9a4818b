/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kselftest harness as the vmdemo programs use it. Included once in a
 * program, by the file with its tests.
 */
#ifndef _VMD_HARNESS_H
#define _VMD_HARNESS_H

#include <kselftest_harness.h>

#include "vmd_test.h"

/* An emulated guest with a sanitizing kernel is slow; a hang is still caught. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	900

/* The error of a system call that returned @ret; 0 if it did not fail. */
static inline int vmd_error(long ret)
{
	return ret == -1 ? errno : 0;
}

/* The call fails, and with this error. A block that tells more may follow. */
#define EXPECT_ERRNO(error, call)	EXPECT_EQ(error, vmd_error(call))

/* A helper process said by its exit status that all went well. */
#define VMD_CHILD_MS		60000
#define EXPECT_CHILD(pid)	EXPECT_EQ(0, vmd_wait(pid, VMD_CHILD_MS))

/* Open a space, map its first pages; stop the test if that does not work. */
#define ASSERT_OPEN(fd)		ASSERT_LE(0, (fd) = vmd_open())
#define ASSERT_MAP(map, fd, pages) \
	ASSERT_NE(MAP_FAILED, (void *)((map) = vmd_map(fd, pages)))

/*
 * A fixture's variants are each policy with each of @n observers, in order. Of
 * those a short run has every n-th, another observer with each next policy: so
 * every policy is met, and every observer.
 */
static inline void vmd_thin_out(struct __fixture_metadata *f, unsigned int n)
{
	struct __fixture_variant_metadata **at = &f->variant, *v;
	unsigned int i = 0;

	if (!getenv("VMD_SHORT"))
		return;
	while ((v = *at)) {
		if ((i / n + i % n) % n)
			*at = v->next;
		else
			at = &v->next;
		i++;
	}
}

#endif /* _VMD_HARNESS_H */
