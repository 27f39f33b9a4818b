// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctl: copy in, check, dispatch, copy out. What the calls mean is told in
 * uapi/vmdemo.h.
 *
 * A command is known by its number; its size field says how long the caller's
 * structure is, which may be from before or after ours has grown.
 */
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "chardev.h"
#include "future.h"
#include "record.h"
#include "shadows.h"
#include "step.h"
#include "version.h"

#define PAGES_AT_ONCE	256		/* described between two copies out */

/* What a handler works on: our copy of the caller's structure. */
union ioctl_arg {
	struct vmd_info info;
	struct vmd_config config;
	struct vmd_policy policy;
	struct vmd_budget budget;
	struct vmd_stats stats;
	struct vmd_advise advise;
	struct vmd_pages pages;
	struct vmd_attach attach;
	struct vmd_sync sync;
	struct vmd_set_file set_file;
	struct vmd_punch punch;
	struct vmd_record record;
	struct vmd_shadow_set shadow_set;
	struct vmd_shadow_get shadow_get;
	struct vmd_future future;
	struct vmd_walk walk;
	struct vmd_step step;
	struct vmd_slots slots;
	struct vmd_queues queues;
};

/**
 * struct ioctl_call - a command
 * @cmd: as the header defines it
 * @changes: the file has to be open for writing
 * @run: does it; the space has a reference. Returns what ioctl(2) is to return
 */
struct ioctl_call {
	unsigned int cmd;
	bool changes;
	long (*run)(struct file *file, struct vmd_space *space,
		    union ioctl_arg *arg);
};

static long ioctl_info(struct file *file, struct vmd_space *space,
		       union ioctl_arg *arg)
{
	struct vmd_info *info = &arg->info;

	memset(info, 0, sizeof(*info));
	info->abi_version = VMD_ABI_VERSION;
	info->page_size = vmd_page_bytes(space);
	info->features = VMD_FEATURE_ACCESSED | VMD_FEATURE_TRAP |
			 VMD_FEATURE_PIN | VMD_FEATURE_ATTACH |
			 VMD_FEATURE_FILE | VMD_FEATURE_PUNCH |
			 VMD_FEATURE_ENCRYPT | VMD_FEATURE_RECORD |
			 VMD_FEATURE_WRITE | VMD_FEATURE_FUTURE |
			 VMD_FEATURE_PLACEMENT | VMD_FEATURE_SHADOW |
			 VMD_FEATURE_WALK | VMD_FEATURE_SLOTS |
			 VMD_FEATURE_PRIVATE | VMD_FEATURE_SHARED |
			 VMD_FEATURE_STEP | VMD_FEATURE_HUGE | VMD_FEATURE_QUEUES |
			 VMD_FEATURE_STEP_PHASES;
	info->space_id = space->id;
	info->max_size = vmd_max_size();
	info->max_frames = vmd_max_frames();
	info->reserve_frames = VMD_RESERVE_FRAMES;
	info->owner_uid = from_kuid_munged(current_user_ns(), space->owner);
	info->frame_bytes = vmd_space_frame_bytes(space);
	info->page_bytes = VMD_ENTRY_BYTES;
	strscpy(info->version, VMD_VERSION, sizeof(info->version));
	info->user_spaces = vmd_user_spaces();
	info->user_frames = vmd_user_frames();
	info->user_slots = vmd_user_slots();
	return 0;
}

static long ioctl_get_config(struct file *file, struct vmd_space *space,
			     union ioctl_arg *arg)
{
	vmd_space_config(space, &arg->config);
	return 0;
}

static long ioctl_set_config(struct file *file, struct vmd_space *space,
			     union ioctl_arg *arg)
{
	const struct vmd_config *cfg = &arg->config;

	/* First, as for all: whatever else the call asks for is not known. */
	if (cfg->mask & ~VMD_CONFIG_ALL)
		return -EINVAL;
	if (cfg->mask & VMD_CONFIG_PAGE_SIZE && cfg->page_size &&
	    cfg->page_size != vmd_page_bytes(space))
		return vmd_file_set_page_size(file, space, cfg);
	return vmd_space_configure(space, cfg);
}

static long ioctl_set_policy(struct file *file, struct vmd_space *space,
			     union ioctl_arg *arg)
{
	struct vmd_config cfg = { .mask = VMD_CONFIG_POLICY };

	if (arg->policy.flags || arg->policy.reserved)
		return -EINVAL;
	memcpy(cfg.policy, arg->policy.name, sizeof(cfg.policy));
	return vmd_space_configure(space, &cfg);
}

static long ioctl_set_budget(struct file *file, struct vmd_space *space,
			     union ioctl_arg *arg)
{
	struct vmd_config cfg = {
		.mask = VMD_CONFIG_BUDGET, .budget = arg->budget.frames,
	};

	if (arg->budget.flags || arg->budget.reserved)
		return -EINVAL;
	return vmd_space_configure(space, &cfg);
}

static long ioctl_get_stats(struct file *file, struct vmd_space *space,
			    union ioctl_arg *arg)
{
	u64 flags = arg->stats.flags;

	if (flags & ~VMD_STATS_MODULE)
		return -EINVAL;
	if (flags & VMD_STATS_MODULE)
		vmd_stats_module(&arg->stats);
	else
		vmd_stats_space(space, &arg->stats);
	arg->stats.flags = flags;
	return 0;
}

static long ioctl_reset_stats(struct file *file, struct vmd_space *space,
			      union ioctl_arg *arg)
{
	vmd_stats_reset(space);
	vmd_shadows_reset(space);
	return 0;
}

/* A range of bytes, in pages; it has to lie within the space. */
static int ioctl_range(struct vmd_space *space, u64 offset, u64 length,
		       pgoff_t *first, pgoff_t *end)
{
	u32 shift = vmd_page_shift(space);
	u64 size = (u64)READ_ONCE(space->nr_pages) << shift;

	/* The last page of a file is meant as a whole. */
	if ((offset | length) & (vmd_page_bytes(space) - 1) || offset > size ||
	    length > size - offset)
		return -EINVAL;
	*first = offset >> shift;
	*end = (length ? offset + length : size) >> shift;
	return 0;
}

static long ioctl_advise(struct file *file, struct vmd_space *space,
			 union ioctl_arg *arg)
{
	const struct vmd_advise *in = &arg->advise;
	pgoff_t first, end;
	int err;

	if (in->flags || in->advice < VMD_ADVICE_WILLNEED ||
	    in->advice > VMD_ADVICE_WRITE)
		return -EINVAL;
	err = ioctl_range(space, in->offset, in->length, &first, &end);
	return err ? err : vmd_advise(space, first, end, in->advice);
}

static long ioctl_sync(struct file *file, struct vmd_space *space,
		       union ioctl_arg *arg)
{
	const struct vmd_sync *in = &arg->sync;
	pgoff_t first, end;
	int err;

	if (in->flags || in->reserved)
		return -EINVAL;
	err = ioctl_range(space, in->offset, in->length, &first, &end);
	return err ? err : vmd_file_sync(file, space, first, end);
}

static long ioctl_set_file(struct file *file, struct vmd_space *space,
			   union ioctl_arg *arg)
{
	const struct vmd_set_file *in = &arg->set_file;

	if (in->flags || in->reserved[0] || in->reserved[1] || in->reserved[2])
		return -EINVAL;
	return vmd_file_set_file(file, in->fd);
}

static long ioctl_punch(struct file *file, struct vmd_space *space,
			union ioctl_arg *arg)
{
	const struct vmd_punch *in = &arg->punch;
	pgoff_t first, end;
	int err;

	if (in->flags || in->reserved)
		return -EINVAL;
	err = ioctl_range(space, in->offset, in->length, &first, &end);
	return err ? err : vmd_punch(space, first, end);
}

static long ioctl_record(struct file *file, struct vmd_space *space,
			 union ioctl_arg *arg)
{
	return vmd_record_open(space, &arg->record);
}

static long ioctl_set_shadows(struct file *file, struct vmd_space *space,
			      union ioctl_arg *arg)
{
	return vmd_shadows_set(space, &arg->shadow_set);
}

static long ioctl_get_shadows(struct file *file, struct vmd_space *space,
			      union ioctl_arg *arg)
{
	return vmd_shadows_get(space, &arg->shadow_get);
}

static long ioctl_future(struct file *file, struct vmd_space *space,
			 union ioctl_arg *arg)
{
	return vmd_future_call(space, &arg->future,
			       file->f_mode & FMODE_WRITE);
}

static long ioctl_walk(struct file *file, struct vmd_space *space,
		       union ioctl_arg *arg)
{
	return vmd_walk(&arg->walk);
}

static long ioctl_queues(struct file *file, struct vmd_space *space,
			 union ioctl_arg *arg)
{
	return vmd_queues_look(space, &arg->queues);
}

static long ioctl_step(struct file *file, struct vmd_space *space,
		       union ioctl_arg *arg)
{
	return vmd_step_open(space, &arg->step);
}

static long ioctl_slots(struct file *file, struct vmd_space *space,
			union ioctl_arg *arg)
{
	return vmd_slots_look(space->store, &arg->slots);
}

static long ioctl_attach(struct file *file, struct vmd_space *space,
			 union ioctl_arg *arg)
{
	if (arg->attach.flags || arg->attach.reserved)
		return -EINVAL;
	return vmd_file_attach(file, arg->attach.space_id);
}

/* Describe pages and copy that out, so many at a time. */
static long pages_copy(struct vmd_space *space, struct vmd_pages *req,
		       struct vmd_page *buf)
{
	struct vmd_page __user *to = u64_to_user_ptr(req->pages);
	u64 done = 0;
	u32 want, n;

	while (done < req->count) {
		want = min_t(u64, req->count - done, PAGES_AT_ONCE);
		n = vmd_pages_look(space, req->first + done, buf, want);
		/* Nothing is locked here: the buffer may be in the space. */
		if (copy_to_user(to + done, buf, n * sizeof(*buf)))
			return -EFAULT;
		done += n;
		if (n < want)
			break;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	req->count = done;
	return 0;
}

static long ioctl_pages(struct file *file, struct vmd_space *space,
			union ioctl_arg *arg)
{
	struct vmd_pages *req = &arg->pages;
	struct vmd_page *buf;
	long ret;

	if (req->flags || req->reserved || req->count > VMD_PAGES_MAX ||
	    req->first > READ_ONCE(space->nr_pages))
		return -EINVAL;
	buf = kmalloc_array(PAGES_AT_ONCE, sizeof(*buf), GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	ret = pages_copy(space, req, buf);
	kfree(buf);
	return ret;
}

static const struct ioctl_call ioctl_calls[] = {
	{ VMD_IOC_INFO,		false,	ioctl_info },
	{ VMD_IOC_GET_CONFIG,	false,	ioctl_get_config },
	{ VMD_IOC_SET_CONFIG,	true,	ioctl_set_config },
	{ VMD_IOC_SET_POLICY,	true,	ioctl_set_policy },
	{ VMD_IOC_SET_BUDGET,	true,	ioctl_set_budget },
	{ VMD_IOC_GET_STATS,	false,	ioctl_get_stats },
	{ VMD_IOC_RESET_STATS,	true,	ioctl_reset_stats },
	{ VMD_IOC_ADVISE,	true,	ioctl_advise },
	{ VMD_IOC_PAGES,	false,	ioctl_pages },
	{ VMD_IOC_ATTACH,	false,	ioctl_attach },
	{ VMD_IOC_SYNC,		false,	ioctl_sync },
	{ VMD_IOC_SET_FILE,	true,	ioctl_set_file },
	{ VMD_IOC_PUNCH,	true,	ioctl_punch },
	{ VMD_IOC_RECORD,	true,	ioctl_record },
	{ VMD_IOC_SET_SHADOWS,	true,	ioctl_set_shadows },
	{ VMD_IOC_GET_SHADOWS,	false,	ioctl_get_shadows },
	{ VMD_IOC_FUTURE,	false,	ioctl_future },
	{ VMD_IOC_WALK,		false,	ioctl_walk },
	{ VMD_IOC_QUEUES,	false,	ioctl_queues },
	{ VMD_IOC_STEP,		true,	ioctl_step },
	{ VMD_IOC_SLOTS,	false,	ioctl_slots },
};

/* The same command but for its size. */
static const struct ioctl_call *ioctl_find(unsigned int cmd)
{
	unsigned int mask = ~(_IOC_SIZEMASK << _IOC_SIZESHIFT);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ioctl_calls); i++)
		if ((ioctl_calls[i].cmd & mask) == (cmd & mask))
			return &ioctl_calls[i];
	return NULL;
}

/* Copy out as much as the caller has room for; the rest is zeros. */
static long ioctl_copy_out(void __user *to, size_t room, const void *from,
			   size_t size)
{
	if (copy_to_user(to, from, min(room, size)))
		return -EFAULT;
	if (room > size && clear_user(to + size, room - size))
		return -EFAULT;
	return 0;
}

static long ioctl_run(struct file *file, const struct ioctl_call *call,
		      unsigned int cmd, void __user *user)
{
	size_t size = _IOC_SIZE(call->cmd), room = _IOC_SIZE(cmd);
	struct vmd_space *space;
	union ioctl_arg arg = { };
	long ret = 0;

	/* A command with an argument has one, of whatever size. */
	if (size && !room)
		return -EINVAL;
	if (_IOC_DIR(call->cmd) & _IOC_WRITE)
		ret = copy_struct_from_user(&arg, size, user, room);
	if (ret)
		return ret;
	if (call->changes && !(file->f_mode & FMODE_WRITE))
		return -EBADF;
	space = vmd_file_space(file);
	ret = call->run(file, space, &arg);
	vmd_space_unuse(space);
	if (!ret && _IOC_DIR(call->cmd) & _IOC_READ)
		ret = ioctl_copy_out(user, room, &arg, size);
	return ret;
}

/* BLKGETSIZE64, whose number has another size in it on 32 bits. */
static bool ioctl_is_getsize(unsigned int cmd)
{
	return _IOC_TYPE(cmd) == _IOC_TYPE(BLKGETSIZE64) &&
	       _IOC_NR(cmd) == _IOC_NR(BLKGETSIZE64) &&
	       _IOC_DIR(cmd) == _IOC_DIR(BLKGETSIZE64);
}

static long ioctl_getsize(struct file *file, u64 __user *to)
{
	struct vmd_space *space = vmd_file_space(file);
	u64 size = vmd_space_size(space);

	vmd_space_unuse(space);
	return put_user(size, to);
}

/**
 * vmd_ioctl - file_operations.unlocked_ioctl
 * @file: of the device
 * @cmd: VMD_IOC_*
 * @arg: address of its structure
 */
long vmd_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct ioctl_call *call = ioctl_find(cmd);

	if (ioctl_is_getsize(cmd))
		return ioctl_getsize(file, (u64 __user *)arg);
	if (!call)
		return -ENOTTY;
	return ioctl_run(file, call, cmd, (void __user *)arg);
}
