// SPDX-License-Identifier: GPL-2.0-only
/* The processes that use a space; see procs.h. */
#include "procs.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More generations than that are between no two processes that matter here. */
#define PROCS_DEPTH	64

/* The state and the parent of a process; its name may hold any characters. */
static bool procs_stat(pid_t pid, char *state, pid_t *parent)
{
	char path[64], line[512];
	char *end = NULL;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fgets(line, sizeof(line), file))
		end = strrchr(line, ')');
	fclose(file);
	return end && sscanf(end + 1, " %c %d", state, parent) == 2;
}

static bool procs_descends(pid_t pid, pid_t opener)
{
	int depth;
	char state;

	for (depth = 0; pid > 1 && depth < PROCS_DEPTH; depth++) {
		if (pid == opener)
			return true;
		if (!procs_stat(pid, &state, &pid))
			return false;
	}
	return false;
}

static bool procs_maps(pid_t pid, const char *device)
{
	bool found = false;
	char *line = NULL, path[64];
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = 0;
		found = strchr(line, '/') && !strcmp(strchr(line, '/'), device);
	}
	free(line);
	fclose(file);
	return found;
}

static bool procs_opens(pid_t pid, const char *device)
{
	char path[PATH_MAX], to[PATH_MAX];
	bool found = false;
	struct dirent *entry;
	ssize_t length;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, entry->d_name);
		length = readlink(path, to, sizeof(to) - 1);
		to[length > 0 ? length : 0] = 0;
		found = !strcmp(to, device);
	}
	closedir(dir);
	return found;
}

static void procs_add(struct ctl_procs *procs, pid_t pid)
{
	pid_t parent;
	char state;

	if (procs->nr == CTL_PROCS || !procs_stat(pid, &state, &parent))
		return;
	procs->pid[procs->nr++] = pid;
	procs->stopped += state == 'T' || state == 't';
}

static void procs_walk(pid_t opener, const char *device,
		       bool (*uses)(pid_t pid, const char *device), struct ctl_procs *procs)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	while (dir && (entry = readdir(dir))) {
		pid_t pid = isdigit((unsigned char)*entry->d_name) ? atoi(entry->d_name) : 0;

		if (pid > 1 && pid != getpid() && procs_descends(pid, opener) &&
		    uses(pid, device))
			procs_add(procs, pid);
	}
	if (dir)
		closedir(dir);
}

void ctl_find_procs(pid_t opener, struct ctl_procs *procs)
{
	char device[PATH_MAX];

	*procs = (struct ctl_procs){ 0 };
	/* The kernel shows no process's links and mappings by another name. */
	if (opener <= 1 || !realpath(ctl_options.device, device))
		return;
	procs_walk(opener, device, procs_maps, procs);
	if (!procs->nr)
		procs_walk(opener, device, procs_opens, procs);
}

size_t ctl_signal_procs(const struct ctl_procs *procs, int signal)
{
	size_t i, sent = 0;

	for (i = 0; i < procs->nr; i++)
		sent += !kill(procs->pid[i], signal);
	return sent;
}
