// SPDX-License-Identifier: GPL-2.0-only
/* The device: make a space, join one, find one's own, drop what pages hold. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload.h"

#define SPACE_FD	500		/* where programs that count theirs see none */

struct pre_space pre_space = { .fd = -1 };
struct vmd_config pre_config;

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
	if (err) {
		pre_space_close(space);
		return err;
	}
	space->id = info.space_id;
	space->pid = getpid();
	return 0;
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

/* The first area that is mapped is of this process's own space. */
static int space_mapped(__u64 *id)
{
	struct vmd_walk walk = { 0 };
	int i;

	for (i = 0; i < pre_areas && !walk.address; i++)
		if (pre_area[i].length)
			walk.address = (unsigned long)pre_area[i].start;
	/* Nothing was mapped: any space will do. */
	if (!walk.address) {
		*id = 0;
		return 0;
	}
	if (ioctl(pre_space.fd, VMD_IOC_WALK, &walk) || !(walk.result & VMD_WALK_SPACE))
		return -1;
	*id = walk.space_id;
	return 0;
}

/*
 * In a child: the descriptor stands for its parent's space. Without handlers
 * too (_Fork(), clone(2)), and harmless after vfork(): the space is the same.
 */
static void space_inherit(void)
{
	__u64 id;

	if (pre_space.fd < 0)
		pre_space.fd = space_open();
	if (pre_space.fd < 0 || space_mapped(&id))
		id = ~0ULL;
	pre_space_close(&pre_space);
	if (id && id != ~0ULL)
		pre_space_join(&pre_space, id);
	else if (!id)
		pre_space_new(&pre_space);
}

/* Programs close descriptors that they know nothing of, and use the numbers. */
int pre_space_fd(void)
{
	struct vmd_info info;

	if (pre_space.pid != getpid()) {
		space_inherit();
		return pre_space.fd;
	}
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
