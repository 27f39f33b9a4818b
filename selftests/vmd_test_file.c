// SPDX-License-Identifier: GPL-2.0-only
/* Files and spaces on them, for the kselftest programs of vmdemo. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmd_test_file.h"

int vmd_set_file(int fd, int file)
{
	struct vmd_set_file s = { .fd = file };

	return ioctl(fd, VMD_IOC_SET_FILE, &s);
}

int vmd_punch(int fd, __u64 first, __u64 pages)
{
	struct vmd_punch p = {
		.offset = first * vmd_ps,
		.length = pages * vmd_ps,
	};

	return ioctl(fd, VMD_IOC_PUNCH, &p);
}

int vmd_set_size(int fd, __u64 bytes)
{
	struct vmd_config c = { .mask = VMD_CONFIG_SIZE, .size = bytes };

	return ioctl(fd, VMD_IOC_SET_CONFIG, &c);
}

__s64 vmd_device_size(int fd)
{
	__u64 bytes;

	return ioctl(fd, BLKGETSIZE64, &bytes) ? -1 : (__s64)bytes;
}

int vmd_poll(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

int vmd_fill_file(int file, __u64 bytes, __u64 tag)
{
	char *page = malloc(vmd_ps);
	ssize_t n = 0;
	__u64 at;

	for (at = 0; at < bytes && n >= 0; at += vmd_ps) {
		vmd_fill(page, tag + at / vmd_ps);
		n = pwrite(file, page, bytes - at < vmd_ps ? bytes - at :
			   vmd_ps, at);
	}
	free(page);
	return n < 0 ? -1 : 0;
}

int vmd_make_file(__u64 bytes, __u64 tag)
{
	const char *device = getenv("VMD_TEST_DEVICE");
	int file;

	if (device && *device)
		file = open(device, O_RDWR | O_CLOEXEC);
	else
		file = vmd_temp_file(vmd_test_dir(), 0);
	if (file >= 0 && vmd_fill_file(file, bytes, tag)) {
		close(file);
		return -1;
	}
	return file;
}

/* Another open file of the same inode, which needs no name for it. */
int vmd_reopen(int file, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	return open(path, flags | O_CLOEXEC);
}

__s64 vmd_file_size(int file)
{
	struct stat st;

	if (fstat(file, &st))
		return -1;
	return S_ISBLK(st.st_mode) ? vmd_device_size(file) : st.st_size;
}

int vmd_open_on(int file, __u64 frames)
{
	int fd = vmd_open();

	if (fd < 0)
		return -1;
	if (vmd_budget(fd, frames) || vmd_set_file(fd, file)) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

int vmd_open_again(int file, __u64 frames)
{
	__u64 end = vmd_now_ms() + VMD_BACK_MS;
	int fd;

	do {
		fd = vmd_open_on(file, frames);
		if (fd >= 0 || errno != EBUSY)
			break;
		vmd_sleep_ms(5);
	} while (vmd_now_ms() < end);
	return fd;
}

static char *read_page(int file, __u64 page)
{
	char *buf = calloc(1, vmd_ps);

	if (pread(file, buf, vmd_ps, page * vmd_ps) == (ssize_t)vmd_ps)
		return buf;
	free(buf);
	return NULL;
}

bool vmd_page_is(int file, __u64 page, __u64 tag)
{
	char *buf = read_page(file, page);
	bool is = buf && vmd_check(buf, tag);

	free(buf);
	return is;
}

bool vmd_page_is_zero(int file, __u64 page)
{
	char *buf = read_page(file, page);
	bool is = buf && vmd_is_zero(buf);

	free(buf);
	return is;
}

bool vmd_becomes(int file, __u64 page, __u64 tag)
{
	__u64 end = vmd_now_ms() + VMD_BACK_MS;

	while (!vmd_page_is(file, page, tag)) {
		if (vmd_now_ms() > end)
			return false;
		vmd_sleep_ms(5);
	}
	return true;
}

size_t vmd_bad_in_file(int file, size_t pages, __u64 tag)
{
	size_t i, bad = 0;

	for (i = 0; i < pages; i++)
		bad += !vmd_page_is(file, i, tag + i);
	return bad;
}

bool vmd_bytes_are(int file, __u64 offset, size_t n, char c)
{
	char *buf = malloc(n);
	bool are = pread(file, buf, n, offset) == (ssize_t)n;
	size_t i;

	for (i = 0; i < n && are; i++)
		are = buf[i] == c;
	free(buf);
	return are;
}
