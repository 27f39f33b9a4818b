// SPDX-License-Identifier: GPL-2.0-only
/* The device: open it, attach to a space, one function an ioctl. */
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CTL_CAPPED \
	"you have as much as one user may: see user_spaces, user_slots in 'vmdemoctl info'"

/* What an error of a call means here, where strerror() alone would puzzle. */
static const struct ctl_reason {
	unsigned long request;		/* 0: of any call */
	int error;
	const char *text;
} ctl_reasons[] = {
	{ VMD_IOC_INFO, ENOTTY, "this is not the vmdemo device" },
	{ VMD_IOC_INFO, EINVAL, "this is not the vmdemo device" },
	{ VMD_IOC_ATTACH, ENOENT,
	  "there is no such space: 'vmdemoctl list' shows those there are" },
	{ VMD_IOC_ATTACH, EPERM,
	  "it is another user's: only that user and CAP_SYS_ADMIN may attach" },
	{ VMD_IOC_SET_CONFIG, EBUSY,
	  "pages are pinned or under I/O, or some were evicted before encryption was to change" },
	{ VMD_IOC_SET_CONFIG, EOPNOTSUPP, "the kernel has no cipher \"xts(aes)\"" },
	{ VMD_IOC_SET_CONFIG, EINVAL,
	  "a block device keeps its size, a file is not encrypted; or the module is older" },
	{ VMD_IOC_SET_CONFIG, EROFS,
	  "the space is read-only: its file was opened for reading only" },
	{ VMD_IOC_SET_CONFIG, EFBIG,
	  "the file system, or the process's limit, allows no file as long" },
	{ VMD_IOC_SET_CONFIG, EOPNOTSUPP,
	  "the kernel has no cipher xts(aes) to encrypt with" },
	{ VMD_IOC_SET_CONFIG, ENODATA,
	  "the policy has to know the future: load it first: 'vmdemoctl future SPACE TRACE'" },
	{ VMD_IOC_FUTURE, EBUSY, "its policy goes by the string: set another one first" },
	{ VMD_IOC_FUTURE, EDQUOT,
	  "a string's memory counts as frames of one user, and may be half of user_frames" },
	{ VMD_IOC_FUTURE, EINVAL, "somebody else loads a string into this space just now" },
	{ VMD_IOC_SET_FILE, EBUSY,
	  "the file is in use: by the swap store, or by another space and either writes" },
	{ VMD_IOC_SET_FILE, EINVAL,
	  "only of a regular file or a block device that is not empty a space is made" },
	{ VMD_IOC_SET_FILE, EFBIG,
	  "the file is longer than a space may be: see max_size in 'vmdemoctl info'" },
	{ VMD_IOC_SET_FILE, ETXTBSY, "the kernel swaps to it" },
	{ VMD_IOC_PUNCH, EBUSY, "a page is pinned: nothing was dropped; unpin it first" },
	{ VMD_IOC_PUNCH, EOPNOTSUPP, "the file behind the space cannot have holes" },
	{ VMD_IOC_PUNCH, EROFS,
	  "the space is read-only: its file was opened for reading only" },
	{ VMD_IOC_SLOTS, EOPNOTSUPP, "the space is on a file: its pages have no slots" },
	{ VMD_IOC_WALK, ESRCH, "there is no such process, or it has no memory of its own" },
	{ VMD_IOC_WALK, EACCES,
	  "you may not look at its memory: you may not read its /proc/PID/maps either" },
	{ VMD_IOC_WALK, EINVAL, "the address is in the kernel's half" },
	{ VMD_IOC_RECORD, EBUSY, "somebody records this space already" },
	{ VMD_IOC_RECORD, EDQUOT,
	  "the ring counts as frames of one user: see user_frames in 'vmdemoctl info'" },
	{ VMD_IOC_SET_SHADOWS, EDQUOT,
	  "shadows count as frames of one user (see 'vmdemoctl info'): take fewer, or a sample" },
	{ VMD_IOC_STEP, EBUSY, "somebody steps this space already" },
	{ VMD_IOC_ADVISE, EBUSY,
	  "a page is pinned or in use by I/O and stays; the others went" },
	{ VMD_IOC_ADVISE, ENOSPC,
	  "too many pages to pin: a quarter of the budget must stay free" },
	{ 0, ENOTTY, "the module does not know this call: is it older than this tool?" },
	{ 0, E2BIG, "the module is older than this tool" },
	{ 0, ENOSPC, "the backing store is full" },
	{ 0, EROFS, "the file behind the space cannot be written to" },
	{ 0, EFBIG, "the file behind the space would get too long" },
	{ 0, ETXTBSY, "the file behind the space is in use by the kernel" },
	{ 0, EDQUOT, CTL_CAPPED },
	{ 0, EIO, "the backing store failed to read or write" },
};

static const char *ctl_reason(unsigned long request, int error)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ctl_reasons); i++) {
		const struct ctl_reason *reason = &ctl_reasons[i];

		if (reason->error == error &&
		    (!reason->request || reason->request == request))
			return reason->text;
	}
	return NULL;
}

/* Say why @what did not work; errno tells. */
static int ctl_failed(unsigned long request, const char *what)
{
	const char *reason = ctl_reason(request, errno);

	if (reason)
		return ctl_fail("%s: %s (%s)", what, reason, strerror(errno));
	return ctl_fail("%s: %s", what, strerror(errno));
}

/* One call; @what is what the user asked for, for the error. */
static int ctl_ioctl(struct ctl_space *space, unsigned long request, void *arg,
		     const char *what)
{
	if (ioctl(space->fd, request, arg) >= 0)
		return CTL_OK;
	return ctl_failed(request, what);
}

int ctl_record(struct ctl_space *space, struct vmd_record *how, int *recorder)
{
	char what[64];

	*recorder = ioctl(space->fd, VMD_IOC_RECORD, how);
	if (*recorder >= 0)
		return CTL_OK;
	snprintf(what, sizeof(what), "recording space %llu", space->info.space_id);
	return ctl_failed(VMD_IOC_RECORD, what);
}

int ctl_step(struct ctl_space *space, int *stepper, bool *phases)
{
	struct vmd_step how = { .flags = 0 };
	char what[64];

	*phases = space->info.features & VMD_FEATURE_STEP_PHASES;
	if (*phases)
		how.flags |= VMD_STEP_EACH_PHASE;

	*stepper = ioctl(space->fd, VMD_IOC_STEP, &how);
	if (*stepper >= 0)
		return CTL_OK;
	snprintf(what, sizeof(what), "stepping space %llu", space->info.space_id);
	return ctl_failed(VMD_IOC_STEP, what);
}

static int ctl_open_failed(const char *path)
{
	switch (errno) {
	case ENOENT:
		return ctl_fail("%s: no such file: " CTL_LOADED, path);
	case ENXIO:
	case ENODEV:
		return ctl_fail("%s: no driver behind it: " CTL_LOADED, path);
	case EIO:
		return ctl_fail("%s: the module cannot open its backing: see dmesg",
				path);
	case EDQUOT:
		return ctl_fail("%s: no more spaces for this user (module parameter user_spaces)",
				path);
	case EACCES:
	case EPERM:
		return ctl_fail("%s: permission denied: are you in the group that owns it?", path);
	default:
		return ctl_fail("%s: %s", path, strerror(errno));
	}
}

static int ctl_read_info(struct ctl_space *space)
{
	int status = ctl_ioctl(space, VMD_IOC_INFO, &space->info, ctl_options.device);

	if (status)
		return status;
	if (space->info.abi_version == VMD_ABI_VERSION && space->info.page_size)
		return CTL_OK;
	return ctl_fail("%s: its interface is of version %u, this tool's of version %u",
			ctl_options.device, space->info.abi_version, VMD_ABI_VERSION);
}

int ctl_open(struct ctl_space *space)
{
	const char *path = ctl_options.device;
	struct stat st;
	int status;

	/* Look before opening: opening some other file may do things to it. */
	if (stat(path, &st))
		return ctl_open_failed(path);
	if (!S_ISCHR(st.st_mode))
		return ctl_fail("%s: not a character device: this is not the vmdemo device",
				path);
	space->fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (space->fd < 0)
		return ctl_open_failed(path);
	status = ctl_read_info(space);
	if (status)
		ctl_close(space);
	return status;
}

int ctl_attach(struct ctl_space *space, __u64 id)
{
	struct vmd_attach attach = { .space_id = id };
	char what[40];
	int status = ctl_open(space);

	if (status)
		return status;
	snprintf(what, sizeof(what), "space %llu", id);
	status = ctl_ioctl(space, VMD_IOC_ATTACH, &attach, what);
	if (!status)
		status = ctl_read_info(space);
	if (status)
		ctl_close(space);
	return status;
}

void ctl_close(struct ctl_space *space)
{
	if (space->fd >= 0)
		close(space->fd);
	space->fd = -1;
}

int ctl_open_named(struct ctl_space *space, const char *text)
{
	__u64 id;

	if (!text)
		return ctl_open(space);
	if (ctl_parse_number(text, &id) || !id)
		return ctl_usage("space '%s': not an id as 'vmdemoctl list' shows them (1 and up)",
				 text);
	return ctl_attach(space, id);
}

int ctl_set_file(struct ctl_space *space, int fd, const char *path)
{
	struct vmd_set_file set = { .fd = fd };
	int status = ctl_ioctl(space, VMD_IOC_SET_FILE, &set, path);

	return status ? status : ctl_read_info(space);
}

int ctl_get_config(struct ctl_space *space, struct vmd_config *config)
{
	return ctl_ioctl(space, VMD_IOC_GET_CONFIG, config, "reading the configuration");
}

int ctl_set_config(struct ctl_space *space, const struct vmd_config *config)
{
	return ctl_ioctl(space, VMD_IOC_SET_CONFIG, (void *)config,
			 "changing the configuration");
}

int ctl_set_page_size(struct ctl_space *space, const struct vmd_config *config)
{
	if (!(space->info.features & VMD_FEATURE_HUGE))
		return ctl_fail("the loaded module knows one page size, %u: it is an older one",
				space->info.page_size);
	if (ioctl(space->fd, VMD_IOC_SET_CONFIG, config) && errno == EOPNOTSUPP)
		return ctl_fail("pages of %llu bytes: not while new spaces trap or are encrypted",
				config->page_size);
	/* Once more, for the other reasons: the page size is what it is by now. */
	return ctl_set_config(space, config) ?: ctl_read_info(space);
}

int ctl_get_stats(struct ctl_space *space, __u64 flags, struct vmd_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->flags = flags;
	return ctl_ioctl(space, VMD_IOC_GET_STATS, stats, "reading the counters");
}

int ctl_reset_stats(struct ctl_space *space)
{
	return ctl_ioctl(space, VMD_IOC_RESET_STATS, NULL, "resetting the counters");
}

int ctl_set_shadows(struct ctl_space *space, const struct vmd_shadow_set *set)
{
	return ctl_ioctl(space, VMD_IOC_SET_SHADOWS, (void *)set, "setting shadows");
}

int ctl_get_shadows(struct ctl_space *space, struct vmd_shadow_get *get)
{
	return ctl_ioctl(space, VMD_IOC_GET_SHADOWS, get, "reading shadows");
}

int ctl_advise(struct ctl_space *space, const struct ctl_range *range,
	       enum vmd_advice advice)
{
	struct vmd_advise advise = {
		.offset = range->first * space->info.page_size,
		.length = range->count * space->info.page_size,
		.advice = advice,
	};

	return ctl_ioctl(space, VMD_IOC_ADVISE, &advise, "giving the advice");
}

int ctl_sync(struct ctl_space *space, const struct ctl_range *range)
{
	struct vmd_sync sync = {
		.offset = range->first * space->info.page_size,
		.length = range->count * space->info.page_size,
	};

	return ctl_ioctl(space, VMD_IOC_SYNC, &sync, "writing the pages");
}

int ctl_punch(struct ctl_space *space, __u64 offset, __u64 length)
{
	struct vmd_punch punch = { .offset = offset, .length = length };

	return ctl_ioctl(space, VMD_IOC_PUNCH, &punch, "dropping the content");
}

int ctl_future_call(struct ctl_space *space, struct vmd_future *call, const char *what)
{
	return ctl_ioctl(space, VMD_IOC_FUTURE, call, what);
}

int ctl_walk(struct ctl_space *space, struct vmd_walk *walk)
{
	char what[64] = "walking";

	if (walk->pid)
		snprintf(what, sizeof(what), "process %u", walk->pid);
	return ctl_ioctl(space, VMD_IOC_WALK, walk, what);
}

int ctl_slots(struct ctl_space *space, struct vmd_slots *slots, bool *all)
{
	*all = !ioctl(space->fd, VMD_IOC_SLOTS, slots);
	if (*all)
		return CTL_OK;
	if (errno == EPERM) {
		slots->count = 0;
		slots->nr_writes = 0;
	}
	return ctl_ioctl(space, VMD_IOC_SLOTS, slots, "reading the slots");
}

int ctl_get_pages(struct ctl_space *space, struct ctl_range *range,
		  struct vmd_page *pages)
{
	struct vmd_pages arg = {
		.first = range->first,
		.count = range->count,
		.pages = (uintptr_t)pages,
	};
	int status = ctl_ioctl(space, VMD_IOC_PAGES, &arg, "reading page states");

	if (!status)
		range->count = arg.count;
	return status;
}

/* Hold @range against the space's size; a count of 0 stands for all of it. */
static int ctl_check_range(struct ctl_space *space, struct ctl_range *range)
{
	struct vmd_config config;
	int status = ctl_get_config(space, &config);
	__u64 pages;

	if (status)
		return status;
	/* A file may end within a page. */
	pages = (config.size + space->info.page_size - 1) / space->info.page_size;
	if (!range->count)
		range->count = pages;
	if (range->first + range->count <= pages)
		return CTL_OK;
	return ctl_fail("page %llu is past the end: there are %llu pages, numbered from 0",
			range->first + range->count - 1, pages);
}

int ctl_open_range(struct ctl_space *space, const char *name, const char *text,
		   struct ctl_range *range)
{
	const char *why;
	int status;

	*range = (struct ctl_range){ 0 };
	why = text ? ctl_parse_range(text, range) : NULL;
	if (why)
		return ctl_usage("range '%s': %s", text, why);
	status = ctl_open_named(space, name);
	if (status)
		return status;
	status = ctl_check_range(space, range);
	if (status)
		ctl_close(space);
	return status;
}
