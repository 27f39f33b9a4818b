// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module parameters. Those that spaces start with may be changed at run time:
 * spaces there are keep what they have. Each is checked when it is given; how
 * they go together, when the module is loaded.
 */
#include <linux/ctype.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "policy/auto.h"
#include "policy/table.h"
#include "space.h"

#define MAX_SIZE_LIMIT	BIT_ULL(44)		/* 16 TiB */
#define RESERVE_MOST	25			/* percent */
#define DIRTY_AGE_LEAST	10			/* milliseconds */
#define DIRTY_AGE_MOST	86400000

static char *backing = "";
static u64 size = 64ULL << 20;
static u64 max_size = 1ULL << 40;
static u64 budget = 4096;
static bool budget_given;
static u64 max_frames;
static u64 user_spaces = 1024;
static u64 user_frames;
static u64 user_slots;
static u64 floor_percent = 25;
static umode_t mode = 0660;
static u32 readahead = VMD_AHEAD_MAX;
static u32 reserve = 2;
static u32 dirty_age;
static u32 dirty_limit;
static bool encrypt;
static struct vmd_policy_choice policy = { .ops = &vmd_policy_clock };
static char policy_auto[VMD_POLICY_LEN];	/* "auto...", where it is that */
static enum vmd_observer observer = VMD_OBSERVER_ACCESSED;
static DEFINE_SPINLOCK(policy_lock);	/* policy is more than a word */
static bool params_ready;		/* they have been checked together */

/* A decimal number with an optional K, M, G or T behind it, and nothing else. */
static int param_parse_bytes(const char *val, u64 *out)
{
	static const char units[] = "KMGT";
	char digits[24], *end;
	const char *unit;
	u32 shift = 0;

	if (strscpy(digits, val, sizeof(digits)) < 0)
		return -EINVAL;
	end = strim(digits);
	end += strlen(end);
	unit = end > digits ? strchr(units, toupper(end[-1])) : NULL;
	if (unit && *unit) {
		shift = 10 * (unit - units + 1);
		end[-1] = '\0';
	}
	if (!isdigit(*digits) || kstrtou64(digits, 10, out) ||
	    *out > U64_MAX >> shift)
		return -EINVAL;
	*out <<= shift;
	return 0;
}

static int param_set_size(const char *val, const struct kernel_param *kp)
{
	u64 bytes;

	if (param_parse_bytes(val, &bytes) || bytes % PAGE_SIZE ||
	    bytes > (params_ready ? max_size : MAX_SIZE_LIMIT)) {
		pr_err("size=%s: give bytes (K, M, G), a multiple of %lu, up to max_size\n",
		       val, PAGE_SIZE);
		return -EINVAL;
	}
	WRITE_ONCE(size, bytes);
	return 0;
}

static int param_set_max_size(const char *val, const struct kernel_param *kp)
{
	u64 bytes;

	if (param_parse_bytes(val, &bytes) || !bytes || bytes % PAGE_SIZE ||
	    bytes > MAX_SIZE_LIMIT || (params_ready && bytes < size)) {
		pr_err("max_size=%s: give bytes (K, M, G), a multiple of %lu, from size up to 16T\n",
		       val, PAGE_SIZE);
		return -EINVAL;
	}
	WRITE_ONCE(max_size, bytes);
	return 0;
}

static int param_set_budget(const char *val, const struct kernel_param *kp)
{
	u64 frames;

	if (kstrtou64(val, 0, &frames) || !frames ||
	    frames > VMD_POLICY_MAX_SLOTS / 2 ||
	    (params_ready && frames > max_frames)) {
		pr_err("budget=%s: give frames, from 1 up to max_frames\n", val);
		return -EINVAL;
	}
	WRITE_ONCE(budget, frames);
	budget_given = true;
	return 0;
}

/* Frames beyond a smaller cap are evicted, as far as that is possible now. */
static void param_enforce_cap(void)
{
	while (vmd_frames_total() > READ_ONCE(max_frames))
		if (vmd_reclaim_total(VMD_PATIENT) <= 0)
			return;
}

static int param_set_max_frames(const char *val, const struct kernel_param *kp)
{
	u64 frames;

	if (kstrtou64(val, 0, &frames) || frames < VMD_RESERVE_FRAMES ||
	    frames > VMD_POLICY_MAX_SLOTS / 2) {
		pr_err("max_frames=%s: give frames, from %u up\n", val,
		       VMD_RESERVE_FRAMES);
		return -EINVAL;
	}
	WRITE_ONCE(max_frames, frames);
	if (params_ready)
		param_enforce_cap();
	return 0;
}

static int param_set_user_spaces(const char *val, const struct kernel_param *kp)
{
	u64 spaces;

	if (kstrtou64(val, 0, &spaces) || !spaces || spaces > INT_MAX) {
		pr_err("user_spaces=%s: give a number of spaces, from 1 up\n",
		       val);
		return -EINVAL;
	}
	WRITE_ONCE(user_spaces, spaces);
	return 0;
}

static int param_set_user_frames(const char *val, const struct kernel_param *kp)
{
	u64 frames;

	if (kstrtou64(val, 0, &frames) ||
	    (frames && frames < VMD_RESERVE_FRAMES) ||
	    frames > VMD_POLICY_MAX_SLOTS / 2) {
		pr_err("user_frames=%s: give frames, from %u up, or 0 for max_frames\n",
		       val, VMD_RESERVE_FRAMES);
		return -EINVAL;
	}
	WRITE_ONCE(user_frames, frames);
	if (params_ready)
		vmd_users_enforce();
	return 0;
}

static int param_set_user_slots(const char *val, const struct kernel_param *kp)
{
	u64 slots;

	if (kstrtou64(val, 0, &slots) ||
	    (slots && slots < VMD_RESERVE_FRAMES) || slots > LONG_MAX) {
		pr_err("user_slots=%s: give pages, from %u up, or 0 for four times max_frames\n",
		       val, VMD_RESERVE_FRAMES);
		return -EINVAL;
	}
	WRITE_ONCE(user_slots, slots);
	return 0;
}

static int param_set_floor(const char *val, const struct kernel_param *kp)
{
	u64 percent;

	if (kstrtou64(val, 0, &percent) || percent > 100) {
		pr_err("floor=%s: give percent, from 0 up to 100\n", val);
		return -EINVAL;
	}
	WRITE_ONCE(floor_percent, percent);
	return 0;
}

/* "auto" starts with the first of the policies it may choose from. */
static int param_parse_auto(const char *text, struct vmd_policy_choice *choice,
			    char *form, const char **bad)
{
	struct vmd_auto_choice how;
	int err = vmd_auto_parse(text, &how, bad);

	if (err)
		return err;
	*choice = how.of[0];
	vmd_auto_format(&how, form, VMD_POLICY_LEN);
	return 0;
}

static int param_parse_policy(const char *text,
			      struct vmd_policy_choice *choice, char *form,
			      const char **bad)
{
	if (vmd_auto_named(text))
		return param_parse_auto(text, choice, form, bad);
	return vmd_policy_parse(text, choice, bad);
}

static int param_set_policy(const char *val, const struct kernel_param *kp)
{
	struct vmd_policy_choice choice;
	const char *bad = NULL;
	char name[VMD_POLICY_LEN], form[VMD_POLICY_LEN] = "";

	if (strscpy(name, val, sizeof(name)) < 0 ||
	    param_parse_policy(strim(name), &choice, form, &bad)) {
		pr_err("policy=%s: wrong from '%s' on: see /proc/vmdemo/policies, or vmdemoctl policies -v\n",
		       val, bad ? bad : val);
		return -EINVAL;
	}
	if (choice.ops->flags & VMD_POLICY_FUTURE) {
		pr_err("policy=%s: has to know the future, which no new space does: load a string and set the policy then: vmdemoctl future\n",
		       choice.ops->name);
		return -EOPNOTSUPP;
	}
	spin_lock(&policy_lock);
	policy = choice;
	memcpy(policy_auto, form, sizeof(policy_auto));
	spin_unlock(&policy_lock);
	return 0;
}

static int param_get_policy(char *buffer, const struct kernel_param *kp)
{
	char name[VMD_POLICY_LEN];

	spin_lock(&policy_lock);
	memcpy(name, policy_auto, sizeof(name));
	if (!*name)
		vmd_policy_format(&policy, name, sizeof(name));
	spin_unlock(&policy_lock);
	return sysfs_emit(buffer, "%s\n", name);
}

static int param_set_observer(const char *val, const struct kernel_param *kp)
{
	char name[VMD_NAME_LEN];
	int which = -EINVAL;

	if (strscpy(name, val, sizeof(name)) >= 0)
		which = vmd_observer_parse(strim(name));
	if (which < 0) {
		pr_err("observer=%s: give fault, accessed or trap\n", val);
		return -EINVAL;
	}
	WRITE_ONCE(observer, which);
	return 0;
}

static int param_get_observer(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", vmd_observer_name(observer));
}

static int param_set_readahead(const char *val, const struct kernel_param *kp)
{
	u32 pages;

	if (kstrtou32(val, 0, &pages) || pages > VMD_AHEAD_MAX) {
		pr_err("readahead=%s: give pages, up to %u; 0 for none\n", val,
		       VMD_AHEAD_MAX);
		return -EINVAL;
	}
	WRITE_ONCE(readahead, pages);
	return 0;
}

static int param_set_reserve(const char *val, const struct kernel_param *kp)
{
	u32 percent;

	if (kstrtou32(val, 0, &percent) || percent > RESERVE_MOST) {
		pr_err("reserve=%s: give percent, up to %u; 0 for none\n", val,
		       RESERVE_MOST);
		return -EINVAL;
	}
	WRITE_ONCE(reserve, percent);
	return 0;
}

static int param_set_dirty_age(const char *val, const struct kernel_param *kp)
{
	u32 ms;

	if (kstrtou32(val, 0, &ms) || (ms && ms < DIRTY_AGE_LEAST) ||
	    ms > DIRTY_AGE_MOST) {
		pr_err("dirty_age=%s: give milliseconds, from %u up to %u; 0 for any age\n",
		       val, DIRTY_AGE_LEAST, DIRTY_AGE_MOST);
		return -EINVAL;
	}
	WRITE_ONCE(dirty_age, ms);
	return 0;
}

static int param_set_dirty_limit(const char *val, const struct kernel_param *kp)
{
	u32 percent;

	if (kstrtou32(val, 0, &percent) || percent > 100) {
		pr_err("dirty_limit=%s: give percent, up to 100; 0 for none\n",
		       val);
		return -EINVAL;
	}
	WRITE_ONCE(dirty_limit, percent);
	return 0;
}

static int param_set_mode(const char *val, const struct kernel_param *kp)
{
	u16 bits;

	if (kstrtou16(val, 8, &bits) || bits > 0777) {
		pr_err("mode=%s: give octal permissions, up to 0777\n", val);
		return -EINVAL;
	}
	mode = bits;
	return 0;
}

static int param_get_mode(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%04o\n", mode);
}

static int param_get_u64(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%llu\n", *(u64 *)kp->arg);
}

module_param(backing, charp, 0444);
MODULE_PARM_DESC(backing, "directory, file or block device that evicted pages are written to (default /var/tmp; a directory gets a file without a name; a file or device is overwritten)");
static const struct kernel_param_ops param_size_ops = {
	.set = param_set_size,
	.get = param_get_u64,
};
module_param_cb(size, &param_size_ops, &size, 0644);
MODULE_PARM_DESC(size, "bytes a space starts with; K, M, G (default 64M)");
static const struct kernel_param_ops param_max_size_ops = {
	.set = param_set_max_size,
	.get = param_get_u64,
};
module_param_cb(max_size, &param_max_size_ops, &max_size, 0644);
MODULE_PARM_DESC(max_size, "most bytes a space may have; K, M, G, T (default 1T, at most 16T)");
static const struct kernel_param_ops param_budget_ops = {
	.set = param_set_budget,
	.get = param_get_u64,
};
module_param_cb(budget, &param_budget_ops, &budget, 0644);
MODULE_PARM_DESC(budget, "frames a space starts with (default 4096)");
static const struct kernel_param_ops param_max_frames_ops = {
	.set = param_set_max_frames,
	.get = param_get_u64,
};
module_param_cb(max_frames, &param_max_frames_ops, &max_frames, 0644);
MODULE_PARM_DESC(max_frames, "most frames of all spaces together (default a quarter of memory)");
static const struct kernel_param_ops param_user_spaces_ops = {
	.set = param_set_user_spaces,
	.get = param_get_u64,
};
module_param_cb(user_spaces, &param_user_spaces_ops, &user_spaces, 0644);
MODULE_PARM_DESC(user_spaces, "most spaces one user may have (default 1024)");
static const struct kernel_param_ops param_user_frames_ops = {
	.set = param_set_user_frames,
	.get = param_get_u64,
};
module_param_cb(user_frames, &param_user_frames_ops, &user_frames, 0644);
MODULE_PARM_DESC(user_frames, "most frames of all spaces of one user (default 0: as max_frames)");
static const struct kernel_param_ops param_user_slots_ops = {
	.set = param_set_user_slots,
	.get = param_get_u64,
};
module_param_cb(user_slots, &param_user_slots_ops, &user_slots, 0644);
MODULE_PARM_DESC(user_slots, "most pages with content of all spaces of one user (default 0: four times max_frames)");
static const struct kernel_param_ops param_floor_ops = {
	.set = param_set_floor,
	.get = param_get_u64,
};
module_param_cb(floor, &param_floor_ops, &floor_percent, 0644);
MODULE_PARM_DESC(floor, "percent of its budget that a space keeps when memory is short (default 25)");
static const struct kernel_param_ops param_policy_ops = {
	.set = param_set_policy,
	.get = param_get_policy,
};
module_param_cb(policy, &param_policy_ops, &policy, 0644);
MODULE_PARM_DESC(policy, "policy a space starts with: name or name:key=value,...; or auto (default clock)");
static const struct kernel_param_ops param_observer_ops = {
	.set = param_set_observer,
	.get = param_get_observer,
};
module_param_cb(observer, &param_observer_ops, &observer, 0644);
MODULE_PARM_DESC(observer, "observer a space starts with: fault, accessed or trap (default accessed)");
module_param(encrypt, bool, 0644);
MODULE_PARM_DESC(encrypt, "a space starts with encryption of what it evicts (default N)");
static const struct kernel_param_ops param_readahead_ops = {
	.set = param_set_readahead,
	.get = param_get_uint,
};
module_param_cb(readahead, &param_readahead_ops, &readahead, 0644);
MODULE_PARM_DESC(readahead, "most pages read ahead of a fault in observer accessed; 0 for none (default 32)");
static const struct kernel_param_ops param_reserve_ops = {
	.set = param_set_reserve,
	.get = param_get_uint,
};
module_param_cb(reserve, &param_reserve_ops, &reserve, 0644);
MODULE_PARM_DESC(reserve, "percent of its budget that a space which ran out of frames keeps free, in observer accessed; 0 for none (default 2)");
static const struct kernel_param_ops param_dirty_age_ops = {
	.set = param_set_dirty_age,
	.get = param_get_uint,
};
module_param_cb(dirty_age, &param_dirty_age_ops, &dirty_age, 0644);
MODULE_PARM_DESC(dirty_age, "milliseconds after which dirty pages are written in the background, in observer accessed (default 0: when they are evicted)");
static const struct kernel_param_ops param_dirty_limit_ops = {
	.set = param_set_dirty_limit,
	.get = param_get_uint,
};
module_param_cb(dirty_limit, &param_dirty_limit_ops, &dirty_limit, 0644);
MODULE_PARM_DESC(dirty_limit, "percent of its budget above which a space's dirty pages are written in the background, in observer accessed (default 0: no limit)");
static const struct kernel_param_ops param_mode_ops = {
	.set = param_set_mode,
	.get = param_get_mode,
};
module_param_cb(mode, &param_mode_ops, &mode, 0444);
MODULE_PARM_DESC(mode, "octal mode of /dev/vmdemo (default 0660)");

/**
 * vmd_backing_path - where evicted pages go
 */
const char *vmd_backing_path(void)
{
	return *backing ? backing : "/var/tmp";
}

/**
 * vmd_node_mode - mode of /dev/vmdemo
 */
umode_t vmd_node_mode(void)
{
	return mode;
}

/**
 * vmd_readahead - most pages to be read ahead of a fault
 */
u32 vmd_readahead(void)
{
	return READ_ONCE(readahead);
}

/**
 * vmd_reserve_percent - frames a space keeps free, of a hundred of its budget
 */
u32 vmd_reserve_percent(void)
{
	return READ_ONCE(reserve);
}

/**
 * vmd_dirty_age - milliseconds after which a space's dirty pages are written
 */
u32 vmd_dirty_age(void)
{
	return READ_ONCE(dirty_age);
}

/**
 * vmd_dirty_limit - percent of a space's budget that may be dirty
 */
u32 vmd_dirty_limit(void)
{
	return READ_ONCE(dirty_limit);
}

/**
 * vmd_max_size - most bytes a space may have
 */
u64 vmd_max_size(void)
{
	return READ_ONCE(max_size);
}

/**
 * vmd_max_frames - most frames of all spaces together
 */
u64 vmd_max_frames(void)
{
	return READ_ONCE(max_frames);
}

/**
 * vmd_user_spaces - most spaces that one user may have
 */
u64 vmd_user_spaces(void)
{
	return READ_ONCE(user_spaces);
}

/**
 * vmd_user_frames - most frames that the spaces of one user may hold
 */
u64 vmd_user_frames(void)
{
	u64 frames = READ_ONCE(user_frames);

	return frames ? min(frames, vmd_max_frames()) : vmd_max_frames();
}

/**
 * vmd_user_slots - most pages with content that one user may have
 */
u64 vmd_user_slots(void)
{
	u64 slots = READ_ONCE(user_slots);

	return slots ? slots : 4 * vmd_max_frames();
}

/**
 * vmd_floor - percent of its budget that a space keeps when memory is short
 */
u32 vmd_floor(void)
{
	return READ_ONCE(floor_percent);
}

/**
 * vmd_default_config - what a space starts with
 * @cfg: filled, but for the policy
 * @start: the policy
 */
void vmd_default_config(struct vmd_config *cfg,
			struct vmd_policy_choice *start)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->size = READ_ONCE(size);
	cfg->budget = min(READ_ONCE(budget), READ_ONCE(max_frames));
	strscpy(cfg->observer, vmd_observer_name(READ_ONCE(observer)),
		sizeof(cfg->observer));
	cfg->flags = READ_ONCE(encrypt) ? VMD_SPACE_ENCRYPT : 0;
	spin_lock(&policy_lock);
	*start = policy;
	memcpy(cfg->policy, policy_auto, sizeof(cfg->policy));
	spin_unlock(&policy_lock);
}

/**
 * vmd_default_policy - the policy that a space starts with
 * @start: filled
 * @text: VMD_POLICY_LEN bytes, filled: "" or, instead of @start, an "auto"
 */
void vmd_default_policy(struct vmd_policy_choice *start, char *text)
{
	spin_lock(&policy_lock);
	*start = policy;
	memcpy(text, policy_auto, VMD_POLICY_LEN);
	spin_unlock(&policy_lock);
}

static int params_check_backing(void)
{
	struct vmd_store *store;

	if (!*backing)
		return 0;
	/* Named by the user: an error shall show now, not at the first open. */
	store = vmd_swap_get();
	if (IS_ERR(store))
		return PTR_ERR(store);
	vmd_store_put(store);
	return 0;
}

/* Called with the parameters locked: they can be written already. */
static int params_check(void)
{
	if (!max_frames)
		max_frames = clamp_t(u64, totalram_pages() / 4,
				     VMD_RESERVE_FRAMES,
				     VMD_POLICY_MAX_SLOTS / 2);
	if (size > max_size) {
		pr_err("size=%llu is above max_size=%llu\n", size, max_size);
		return -EINVAL;
	}
	if (budget_given && budget > max_frames) {
		pr_err("budget=%llu is above max_frames=%llu\n", budget,
		       max_frames);
		return -EINVAL;
	}
	params_ready = true;
	return 0;
}

/**
 * vmd_params_init - fill in defaults and check what the user gave together
 *
 * vmd_wq exists. On error the swap store may be open.
 */
int vmd_params_init(void)
{
	int err;

	kernel_param_lock(THIS_MODULE);
	err = params_check();
	kernel_param_unlock(THIS_MODULE);
	return err ? err : params_check_backing();
}
