// SPDX-License-Identifier: GPL-2.0-only
/* The device: make a space, join one, drop and copy what pages hold. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload.h"

#define SPACE_FD	500		/* where programs that count theirs see none */
#define SPACE_PAGES	65536		/* described by one call */
#define SPACE_COPY	262144UL

struct pre_space pre_space = { .fd = -1 };
struct vmd_config pre_config;

/* Of the one thread that holds the area lock; in no page until they are used. */
static struct vmd_page space_page[SPACE_PAGES];
static char space_buffer[SPACE_COPY];

/* The program's own open() may be another library's. */
static int space_open(void)
{
	const char *path = getenv("VMDEMO_DEVICE");
	int fd, high;

	fd = syscall(SYS_openat, AT_FDCWD, path && *path ? path : "/dev/vmdemo",
		     O_RDWR | O_CLOEXEC | O_NOCTTY, 0);
	if (fd < 0)
		return fd;
	high = syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, SPACE_FD);
	if (high < 0)
		return fd;
	syscall(SYS_close, fd);
	return high;
}

static int space_opened(struct pre_space *space, int err)
{
	struct vmd_info info;

	if (!err)
		err = ioctl(space->fd, VMD_IOC_INFO, &info);
	if (!err)
		space->id = info.space_id;
	else
		pre_space_close(space);
	return err;
}

int pre_space_new(struct pre_space *space)
{
	space->fd = space_open();
	if (space->fd < 0)
		return -1;
	return space_opened(space, ioctl(space->fd, VMD_IOC_SET_CONFIG, &pre_config));
}

int pre_space_join(struct pre_space *space, __u64 id)
{
	struct vmd_attach attach = { .space_id = id };

	space->fd = space_open();
	if (space->fd < 0)
		return -1;
	return space_opened(space, ioctl(space->fd, VMD_IOC_ATTACH, &attach));
}

void pre_space_close(struct pre_space *space)
{
	int error = errno;

	syscall(SYS_close, space->fd);
	space->fd = -1;
	errno = error;
}

/* Programs close descriptors that they know nothing of, and use the numbers. */
int pre_space_fd(void)
{
	struct vmd_info info;

	if (pre_space.fd >= 0 && !ioctl(pre_space.fd, VMD_IOC_INFO, &info) &&
	    info.space_id == pre_space.id)
		return pre_space.fd;
	pre_space_join(&pre_space, pre_space.id);
	return pre_space.fd;
}

int pre_space_punch(off_t offset, size_t length)
{
	struct vmd_punch punch = { .offset = offset, .length = length };

	return ioctl(pre_space_fd(), VMD_IOC_PUNCH, &punch);
}

static int space_copy_run(const struct pre_space *to, off_t offset, size_t length)
{
	ssize_t done;

	for (; length; length -= done, offset += done) {
		size_t part = length < SPACE_COPY ? length : SPACE_COPY;

		done = syscall(SYS_pread64, pre_space.fd, space_buffer, part, offset);
		if (done > 0)
			done = syscall(SYS_pwrite64, to->fd, space_buffer, done, offset);
		if (done <= 0)
			return -1;
	}
	return 0;
}

/* Pages without content are zeros there as here. */
static int space_copy_pages(const struct pre_space *to, __u64 first, __u64 count)
{
	__u64 i, end;

	for (i = 0; i < count; i = end) {
		end = i + 1;
		if (space_page[i].state == VMD_PAGE_ABSENT)
			continue;
		while (end < count && space_page[end].state != VMD_PAGE_ABSENT)
			end++;
		if (space_copy_run(to, (first + i) * PRE_PAGE, (end - i) * PRE_PAGE))
			return -1;
	}
	return 0;
}

int pre_space_copy(const struct pre_space *to, off_t offset, size_t length)
{
	__u64 first = offset / PRE_PAGE, left = length / PRE_PAGE;
	struct vmd_pages pages = { .pages = (unsigned long)space_page };

	for (; left; left -= pages.count, first += pages.count) {
		pages.first = first;
		pages.count = left < SPACE_PAGES ? left : SPACE_PAGES;
		if (ioctl(pre_space_fd(), VMD_IOC_PAGES, &pages) || !pages.count ||
		    space_copy_pages(to, first, pages.count))
			return -1;
	}
	return 0;
}
