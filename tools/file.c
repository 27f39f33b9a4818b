// SPDX-License-Identifier: GPL-2.0-only
/* The user's file behind a space: open it, hand it over, have it written. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int file_failed(const struct ctl_file *file)
{
	switch (errno) {
	case ENOENT:
		return ctl_fail("%s: no such file: make it first ('truncate -s SIZE %s')",
				file->path, file->path);
	case EACCES:
	case EPERM:
	case EROFS:
		if (!file->read_only)
			return ctl_fail("%s: cannot be opened for writing (%s): --read-only may do",
					file->path, strerror(errno));
		break;
	}
	return ctl_fail("%s: %s", file->path, strerror(errno));
}

static const char *file_kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR: return "a directory";
	case S_IFIFO: return "a pipe";
	case S_IFCHR: return "a character device";
	default: return "something else";
	}
}

int ctl_file_open(struct ctl_file *file)
{
	struct stat st;
	off_t end;

	file->fd = -1;
	if (!file->path)
		return CTL_OK;
	/* Look before opening: that would wait for a pipe's other end. */
	if (stat(file->path, &st))
		return file_failed(file);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return ctl_fail("%s: neither a regular file nor a block device, but %s",
				file->path, file_kind(st.st_mode));
	file->fd = open(file->path, (file->read_only ? O_RDONLY : O_RDWR) |
				    O_CLOEXEC | O_NOCTTY);
	end = file->fd < 0 ? -1 : lseek(file->fd, 0, SEEK_END);
	if (end < 0)
		return file_failed(file);
	file->size = end;
	if (!end && S_ISBLK(st.st_mode))
		return ctl_fail("%s: the block device is empty: is there a medium in it?",
				file->path);
	return CTL_OK;
}

void ctl_file_close(struct ctl_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

int ctl_file_use(struct ctl_file *file, struct ctl_space *space)
{
	return file->path ? ctl_set_file(space, file->fd, file->path) : CTL_OK;
}

int ctl_file_sync(struct ctl_file *file, struct ctl_space *space)
{
	struct ctl_range all = { 0 };
	struct vmd_config config;
	int status;

	if (!file->path || file->read_only)
		return CTL_OK;
	status = ctl_get_config(space, &config);
	if (status || !config.size)
		return status;
	return ctl_sync(space, &all);
}

static error_t file_option(int key, char *arg, struct argp_state *state)
{
	struct ctl_file *file = state->input;

	switch (key) {
	case 'F':
		if (file->path)
			argp_error(state, "--file is given twice");
		file->path = arg;
		return 0;
	case 'R':
		file->read_only = true;
		return 0;
	case ARGP_KEY_END:
		if (file->read_only && !file->path)
			argp_error(state, "--read-only is about a file: give --file PATH");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option file_options[] = {
	{ "file", 'F', "PATH", 0, "Make the space a window on this file or block device", 0 },
	{ "read-only", 'R', NULL, 0, "Open the file for reading only; nothing can change it", 0 },
	{ 0 },
};

const struct argp ctl_file_argp = {
	.options = file_options,
	.parser = file_option,
	.children = ctl_common,
};

const struct argp_child ctl_file_common[] = {
	{ &ctl_file_argp, 0, NULL, 0 },
	{ 0 },
};
