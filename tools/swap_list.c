// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs of pages, and the file that they are kept in between swapout and swapin:
 * below $XDG_RUNTIME_DIR, which is gone after a boot as spaces are, or /run, or a
 * directory of the user's own in /tmp.
 */
#include "swap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int swap_add(struct swap_list *list, __u64 page)
{
	struct ctl_range *last = list->nr ? &list->runs[list->nr - 1] : NULL, *more;

	list->pages++;
	if (last && last->first + last->count == page) {
		last->count++;
		return CTL_OK;
	}
	if (list->nr == list->room) {
		list->room = list->room ? list->room * 2 : 64;
		more = realloc(list->runs, list->room * sizeof(*more));
		if (!more)
			return ctl_fail("out of memory");
		list->runs = more;
	}
	list->runs[list->nr++] = (struct ctl_range){ page, 1 };
	return CTL_OK;
}

void swap_free(struct swap_list *list)
{
	free(list->runs);
	*list = (struct swap_list){ 0 };
}

bool swap_has(const struct swap_list *list, __u64 page)
{
	size_t low = 0, high = list->nr;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct ctl_range *run = &list->runs[middle];

		if (page < run->first)
			high = middle;
		else if (page >= run->first + run->count)
			low = middle + 1;
		else
			return true;
	}
	return false;
}

static void swap_dir(char *path, size_t size)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (runtime && *runtime)
		snprintf(path, size, "%s/vmdemoctl", runtime);
	else if (!geteuid())
		snprintf(path, size, "/run/vmdemoctl");
	else
		snprintf(path, size, "/tmp/vmdemoctl-%u", geteuid());
}

/* What somebody else has put there in our name is not used. */
static int swap_open_dir(void)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	swap_dir(path, sizeof(path));
	if (mkdir(path, 0700) && errno != EEXIST) {
		ctl_fail("%s: %s: set XDG_RUNTIME_DIR", path, strerror(errno));
		errno = EACCES;
		return -1;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &st) && st.st_uid == geteuid() && !(st.st_mode & 022))
		return fd;
	ctl_fail("%s: not a directory of yours alone: set XDG_RUNTIME_DIR", path);
	if (fd >= 0)
		close(fd);
	errno = EACCES;
	return -1;
}

static FILE *swap_open(__u64 id, int flags, const char *mode)
{
	int dir = swap_open_dir(), fd;
	char name[40];
	FILE *file;

	if (dir < 0)
		return NULL;
	snprintf(name, sizeof(name), "space-%llu", id);
	fd = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
	close(dir);
	file = fd < 0 ? NULL : fdopen(fd, mode);
	if (file || errno == ENOENT)
		return file;
	ctl_fail("%s: %s", name, strerror(errno));
	errno = EACCES;
	return NULL;
}

int swap_save(const struct swap_list *list, __u64 id)
{
	FILE *file = swap_open(id, O_WRONLY | O_CREAT | O_TRUNC, "w");
	bool bad;
	size_t i;

	if (!file)
		return CTL_FAILED;
	for (i = 0; i < list->nr; i++)
		fprintf(file, "%llu %llu\n", list->runs[i].first, list->runs[i].count);
	bad = ferror(file);
	bad |= fclose(file) != 0;
	if (!bad)
		return CTL_OK;
	swap_forget(id);
	return ctl_fail("the list of pages could not be kept: %s", strerror(errno));
}

int swap_load(struct swap_list *list, __u64 id, bool *found)
{
	unsigned long long first, count, i;
	int status = CTL_OK;
	FILE *file;

	*found = false;
	errno = ENOENT;
	file = swap_open(id, O_RDONLY, "r");
	if (!file)
		return errno == ENOENT ? CTL_OK : CTL_FAILED;
	*found = true;
	while (!status && fscanf(file, "%llu %llu", &first, &count) == 2)
		for (i = 0; !status && i < count && i < UINT_MAX; i++)
			status = swap_add(list, first + i);
	fclose(file);
	return status;
}

void swap_forget(__u64 id)
{
	int dir = swap_open_dir();
	char name[40];

	if (dir < 0)
		return;
	snprintf(name, sizeof(name), "space-%llu", id);
	unlinkat(dir, name, 0);
	close(dir);
}
