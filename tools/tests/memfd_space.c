// SPDX-License-Identifier: GPL-2.0-only
/* In the place of preload/space.c: spaces of a preload library without a device. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../preload/preload.h"

struct pre_space pre_space = { .fd = -1 };
struct vmd_config pre_config;

int pre_space_new(struct pre_space *space)
{
	int fd = memfd_create("space", MFD_CLOEXEC);

	space->fd = fcntl(fd, F_DUPFD_CLOEXEC, 500);
	close(fd);
	return ftruncate(space->fd, pre_config.size);
}

int pre_space_join(struct pre_space *space, __u64 id)
{
	space->id = id;
	return pre_space_new(space);
}

void pre_space_close(struct pre_space *space)
{
	close(space->fd);
	space->fd = -1;
}

int pre_space_fd(void)
{
	return pre_space.fd;
}

int pre_space_punch(off_t offset, size_t length)
{
	return fallocate(pre_space.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset,
			 length ?: pre_config.size);
}
