// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmap() and its kin: large private anonymous mappings are of the space.
 *
 * A mapping is a piece of the space that nobody uses, at an address that the
 * kernel chooses. It is shared in the kernel's eyes: fork.c sees to it that
 * children do not share it. What the C library maps for itself (stacks of
 * threads, programs it loads) does not come through here.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload.h"

/* Those that ask for more than memory that is zero, if not for where. */
#define MMAP_SPECIAL	(MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_STACK | MAP_GROWSDOWN | \
			 MAP_HUGETLB | MAP_LOCKED | MAP_32BIT)

void *pre_sys_mmap(void *start, size_t length, int prot, int flags, int fd, off_t offset)
{
	return (void *)syscall(SYS_mmap, start, length, prot, flags, fd, offset);
}

int pre_sys_madvise(void *start, size_t length, int advice)
{
	return syscall(SYS_madvise, start, length, advice);
}

static size_t mmap_round(size_t length)
{
	return (length + PRE_PAGE - 1) & ~(PRE_PAGE - 1);
}

static bool mmap_wanted(size_t length, int prot, int flags)
{
	return length >= PRE_LARGE && length <= (size_t)1 << 47 &&
	       prot == (PROT_READ | PROT_WRITE) && !(flags & MMAP_SPECIAL) &&
	       (flags & (MAP_TYPE | MAP_ANONYMOUS)) == (MAP_PRIVATE | MAP_ANONYMOUS) &&
	       pre_ready();
}

static void *mmap_space_locked(void *hint, size_t length)
{
	off_t offset = pre_area_gap(length);
	void *p;

	if (offset < 0 || pre_areas == PRE_AREAS) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	p = pre_sys_mmap(hint, length, PROT_READ | PROT_WRITE, MAP_SHARED,
			 pre_space_fd(), offset);
	if (p != MAP_FAILED)
		pre_area_add(p, length, offset);
	else
		errno = ENOMEM;
	return p;
}

static void *mmap_space(void *hint, size_t length)
{
	void *p;

	pre_lock(&pre_area_lock);
	p = mmap_space_locked(hint, mmap_round(length));
	pre_unlock(&pre_area_lock);
	return p;
}

/* It may take the place of something that was ours. */
static void *mmap_fixed(void *start, size_t length, int prot, int flags, int fd, off_t offset)
{
	void *p;

	pre_lock(&pre_area_lock);
	p = pre_sys_mmap(start, length, prot, flags, fd, offset);
	if (p != MAP_FAILED)
		pre_area_cut(p, mmap_round(length));
	pre_unlock(&pre_area_lock);
	return p;
}

void *mmap(void *start, size_t length, int prot, int flags, int fd, off_t offset)
{
	int error = errno;
	void *p;

	if (mmap_wanted(length, prot, flags))
		p = mmap_space(start, length);
	else if (flags & MAP_FIXED)
		p = mmap_fixed(start, length, prot, flags, fd, offset);
	else
		p = pre_sys_mmap(start, length, prot, flags, fd, offset);
	if (p != MAP_FAILED)
		errno = error;
	return p;
}

void *mmap64(void *start, size_t length, int prot, int flags, int fd, off_t offset)
	__alias("mmap");

int munmap(void *start, size_t length)
{
	int error = errno, err;

	/* Not ours to know where it has to begin, and that it may not be empty. */
	pre_lock(&pre_area_lock);
	err = syscall(SYS_munmap, start, length);
	if (!err)
		pre_area_cut(start, mmap_round(length));
	pre_unlock(&pre_area_lock);
	if (!err)
		errno = error;
	return err;
}

/* Pages of the space cannot be torn out of it: it is copied to where it fits. */
static void *mremap_space(char *old, size_t old_length, size_t length, int flags)
{
	void *p;

	if (flags & ~MREMAP_MAYMOVE || !length) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	if (length <= old_length) {
		if (length < old_length)
			munmap(old + length, old_length - length);
		return old;
	}
	if (!(flags & MREMAP_MAYMOVE)) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	p = mmap_space(NULL, length);
	if (p == MAP_FAILED)
		return p;
	memcpy(p, old, old_length);
	munmap(old, old_length);
	return p;
}

void *mremap(void *old, size_t old_length, size_t length, int flags, ...)
{
	void *to = NULL;
	va_list args;
	bool ours;

	if (flags & MREMAP_FIXED) {
		va_start(args, flags);
		to = va_arg(args, void *);
		va_end(args);
	}
	pre_lock(&pre_area_lock);
	ours = pre_area_has(old);
	pre_unlock(&pre_area_lock);
	if (ours)
		return mremap_space(old, mmap_round(old_length), mmap_round(length), flags);
	return (void *)syscall(SYS_mremap, old, old_length, length, flags, to);
}

/* What is dropped reads as zeros: what a shared mapping has would stay. */
static bool madvise_drop(char *start, size_t length)
{
	struct pre_area piece;
	bool any = false;
	int i;

	pre_lock(&pre_area_lock);
	for (i = 0; i < pre_areas; i++) {
		if (!pre_area_piece(i, start, length, &piece))
			continue;
		any = true;
		if (pre_space_punch(piece.offset, piece.length))
			memset(piece.start, 0, piece.length);
	}
	pre_unlock(&pre_area_lock);
	return any;
}

int madvise(void *start, size_t length, int advice)
{
	int error = errno;

	if ((advice == MADV_DONTNEED || advice == MADV_FREE) &&
	    !((unsigned long)start % PRE_PAGE) &&
	    madvise_drop(start, mmap_round(length))) {
		/* Whatever else is in the range. */
		pre_sys_madvise(start, length, MADV_DONTNEED);
		errno = error;
		return 0;
	}
	return pre_sys_madvise(start, length, advice);
}
