// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl run: can this program have its heap in a space? The libraries. */
#include "run.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define RUN_PRELOAD	"libvmdemo-preload.so"

static bool run_has_loader(int fd, const Elf64_Ehdr *head)
{
	Elf64_Phdr part;
	int i;

	for (i = 0; i < head->e_phnum; i++) {
		off_t at = head->e_phoff + (off_t)i * sizeof(part);

		if (pread(fd, &part, sizeof(part), at) != sizeof(part))
			return false;
		if (part.p_type == PT_INTERP)
			return true;
	}
	return false;
}

/* What is no ELF file is run by another program, which is not looked at. */
static int run_look_elf(const char *path, int fd)
{
	Elf64_Ehdr head;

	if (pread(fd, &head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG))
		return CTL_OK;
	if (head.e_ident[EI_CLASS] != ELFCLASS64)
		return ctl_fail("%s: a 32-bit program: only 64-bit ones can be run so", path);
	if (run_has_loader(fd, &head))
		return CTL_OK;
	return ctl_fail("%s: statically linked: its malloc() cannot be replaced ('exec' may do)",
			path);
}

/* The loader ignores LD_PRELOAD where a program gets other rights than ours. */
static int run_look_rights(const char *path, int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return ctl_fail("%s: %s", path, strerror(errno));
	if ((st.st_mode & S_ISUID && st.st_uid != geteuid()) ||
	    (st.st_mode & S_ISGID && st.st_gid != getegid()))
		return ctl_fail("%s: set-user-id or set-group-id: it takes no library from us",
				path);
	if (geteuid() && fgetxattr(fd, "security.capability", NULL, 0) > 0)
		return ctl_fail("%s: it has file capabilities: the loader takes no library from us",
				path);
	return CTL_OK;
}

int run_look(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), status;

	/* It may be allowed to be run and not to be read. */
	if (fd < 0)
		return CTL_OK;
	status = run_look_elf(path, fd);
	if (!status)
		status = run_look_rights(path, fd);
	close(fd);
	return status;
}

/* Beside this program, as it is built, as it is installed; where it was to be. */
static char *run_find_preload(void)
{
	static const char *const places[] = { ".", "preload", "../lib/vmdemo" };
	char self[4096], *path;
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *dir;
	size_t i;

	self[length < 0 ? 0 : length] = 0;
	dir = dirname(self);
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		if (asprintf(&path, "%s/%s/" RUN_PRELOAD, dir, places[i]) < 0)
			return NULL;
		if (!access(path, R_OK))
			return path;
		free(path);
	}
	return access(CTL_LIBDIR "/" RUN_PRELOAD, R_OK) ? NULL :
	       strdup(CTL_LIBDIR "/" RUN_PRELOAD);
}

int run_libraries(char **preload)
{
	void *library = dlopen(RUN_MALLOC, RTLD_LAZY | RTLD_LOCAL);

	if (!library)
		return ctl_fail("%s is missing: 'apt-get install libmimalloc2.0'", RUN_MALLOC);
	*preload = run_find_preload();
	if (!*preload)
		return ctl_fail("%s is neither beside vmdemoctl nor in %s ('make install')",
				RUN_PRELOAD, CTL_LIBDIR);
	/* LD_PRELOAD has no way to say that one of these is part of a name. */
	if (!strpbrk(*preload, ": "))
		return CTL_OK;
	return ctl_fail("%s: the loader takes no library whose path has a blank or a colon",
			*preload);
}
