// SPDX-License-Identifier: GPL-2.0-only
/*
 * LD_PRELOAD=oneopen.so PROGRAM: all of the program's open()s of /dev/vmdemo
 * are of one space. For programs that close a file and expect its content to be
 * there when they open it again; each open() has a fresh space otherwise.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vmdemo.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct vmd_attach attach;	/* to the space that all share; by lock */

/* The first one stays open a second time, which keeps the space alive. */
static int keep(int fd)
{
	struct vmd_info info;

	if (ioctl(fd, VMD_IOC_INFO, &info) ||
	    fcntl(fd, F_DUPFD_CLOEXEC, 100) < 0)
		return -1;
	attach.space_id = info.space_id;
	return 0;
}

static int join(int fd)
{
	int err;

	pthread_mutex_lock(&lock);
	if (attach.space_id)
		err = ioctl(fd, VMD_IOC_ATTACH, &attach);
	else
		err = keep(fd);
	pthread_mutex_unlock(&lock);
	if (!err)
		return fd;
	close(fd);
	return -1;
}

static int open_any(const char *path, int flags, int mode)
{
	int fd = syscall(SYS_openat, AT_FDCWD, path, flags, mode);

	return fd < 0 || strcmp(path, "/dev/vmdemo") ? fd : join(fd);
}

/* What open() was given behind its flags, if it was given anything. */
static int mode_of(int flags, va_list args)
{
	return flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, int) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list args;
	int mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return open_any(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list args;
	int mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return open_any(path, flags, mode);
}
