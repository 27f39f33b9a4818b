// SPDX-License-Identifier: GPL-2.0-only
/*
 * A space's configuration, and how it changes while the space is in use.
 */
#include "compat.h"
#include "cow.h"
#include "crypt.h"
#include "shadows.h"
#include "space.h"
#include "trace.h"

static const char * const observer_names[] = {
	[VMD_OBSERVER_FAULT]	= "fault",
	[VMD_OBSERVER_ACCESSED]	= "accessed",
	[VMD_OBSERVER_TRAP]	= "trap",
};

/**
 * vmd_observer_parse - enum vmd_observer by name, or -EINVAL
 * @name: as the user wrote it
 */
int vmd_observer_parse(const char *name)
{
	return match_string(observer_names, ARRAY_SIZE(observer_names), name);
}

/**
 * vmd_observer_name - its name
 * @observer: of which
 */
const char *vmd_observer_name(enum vmd_observer observer)
{
	return observer_names[observer];
}

static u64 config_flags(struct vmd_space *space)
{
	return (space->store->readonly ? VMD_SPACE_READONLY : 0) |
	       (READ_ONCE(space->crypt) ? VMD_SPACE_ENCRYPT : 0) |
	       (READ_ONCE(space->group) ? VMD_SPACE_PRIVATE : 0);
}

/**
 * vmd_space_config - how a space is set up
 * @space: of which
 * @cfg: filled
 */
void vmd_space_config(struct vmd_space *space, struct vmd_config *cfg)
{
	struct vmd_policy_choice policy;

	spin_lock(&space->policy_lock);
	policy = space->policy;
	spin_unlock(&space->policy_lock);
	memset(cfg, 0, sizeof(*cfg));
	cfg->mask = VMD_CONFIG_ALL;
	cfg->size = vmd_space_size(space);
	cfg->budget = READ_ONCE(space->budget);
	if (!vmd_follow_format(space, cfg->policy, sizeof(cfg->policy)))
		vmd_policy_format(&policy, cfg->policy, sizeof(cfg->policy));
	strscpy(cfg->observer, vmd_observer_name(READ_ONCE(space->observer)),
		sizeof(cfg->observer));
	strscpy(cfg->store, space->store->ops->name, sizeof(cfg->store));
	cfg->flags = config_flags(space);
	cfg->ways = READ_ONCE(space->ways);
	cfg->page_size = vmd_page_bytes(space);
}

/**
 * vmd_space_live - the policy that decides just now, "auto" or not
 * @space: of which
 * @buf: VMD_POLICY_LEN bytes, filled
 */
void vmd_space_live(struct vmd_space *space, char *buf)
{
	spin_lock(&space->policy_lock);
	vmd_policy_format(&space->policy, buf, VMD_POLICY_LEN);
	spin_unlock(&space->policy_lock);
}

/**
 * vmd_space_reach - a mapping reaches up to here: grow as far as allowed
 * @space: which
 * @end: the page after the mapping's last one
 */
void vmd_space_reach(struct vmd_space *space, pgoff_t end)
{
	end = min_t(pgoff_t, end, vmd_max_size() >> vmd_page_shift(space));
	/* A file is made longer by nothing but an explicit call. */
	if (space->store->homes || end <= READ_ONCE(space->nr_pages))
		return;
	/* Not while somebody makes it shorter: that drops what is past it. */
	if (mutex_lock_killable(&space->config_lock))
		return;
	if (end > space->nr_pages)
		vmd_space_set_bytes(space, (u64)end << vmd_page_shift(space));
	mutex_unlock(&space->config_lock);
}

/*
 * What is past the new end goes, first what is mapped, then what is resident,
 * as truncation does it; then the file is cut off: not before, as a write under
 * way would make it longer again. Where that fails, or the thread is killed
 * before all has gone, the space is as long as before, and what has gone reads
 * as the file has it, or as zeros. (A worker cuts the file off, also if the
 * thread that waits for it is killed.)
 */
static int config_shrink(struct vmd_space *space, u64 bytes)
{
	u64 was = space->bytes;
	int n, err = 0;

	vmd_space_set_bytes(space, bytes);
	vmd_maps_reached(space);
	/* Pairs with fill_allowed(): what comes in nevertheless is seen. */
	smp_mb();
	vmd_unmap_range(space, space->nr_pages, 0, true);
	n = vmd_drop_range(space, space->nr_pages,
			   vmd_bytes_pages(space, was), true);
	if (n >= 0 && space->store->homes)
		err = space->store->ops->resize(space->store, bytes);
	if (n < 0 || (err && err != -EINTR)) {
		vmd_space_set_bytes(space, was);
		return n < 0 ? n : err;
	}
	if (err)
		return err;
	/* A write of the last page may have begun when it was a whole one. */
	err = vmd_zero_tail(space, bytes);
	if (!err && space->store->homes && offset_in_page(bytes))
		err = space->store->ops->resize(space->store, bytes);
	return err;
}

static int config_extend(struct vmd_space *space, u64 bytes)
{
	u64 was = space->bytes;
	/* What was scribbled behind the end while it was the end. */
	int err = vmd_zero_tail(space, was);

	if (!err && space->store->homes)
		err = space->store->ops->resize(space->store, bytes);
	/* And while it was being moved. */
	if (!err)
		err = vmd_zero_tail(space, was);
	if (!err)
		vmd_space_set_bytes(space, bytes);
	return err;
}

/* Called under config_lock. */
static int config_size(struct vmd_space *space, u64 bytes)
{
	if (bytes == space->bytes)
		return 0;
	return bytes < space->bytes ? config_shrink(space, bytes) :
				      config_extend(space, bytes);
}

static int config_grow_budget(struct vmd_space *space, unsigned long budget)
{
	int err;

	mutex_lock(&space->grow_lock);
	err = vmd_policy_reshape(space, space->policy_slots, budget);
	mutex_unlock(&space->grow_lock);
	if (err)
		return err;
	WRITE_ONCE(space->budget, budget);
	WRITE_ONCE(space->limit, budget);
	vmd_reserve_update(space);
	wake_up_all(&space->frame_wait);
	return 0;
}

static int config_shrink_budget(struct vmd_space *space, unsigned long budget,
				bool may_evict)
{
	unsigned long was = space->limit;
	int err = -EBUSY;

	if (atomic_long_read(&space->pinned) < budget) {
		WRITE_ONCE(space->limit, budget);
		/* Pairs with charge_try(): no frame is taken unseen. */
		smp_mb();
		if (!may_evict)
			vmd_ready_drain(space, VMD_READY_MAX);
		if (may_evict)
			err = vmd_evict_down(space, budget);
		else if (atomic_long_read(&space->resident) <= budget)
			err = 0;
	}
	if (err) {
		WRITE_ONCE(space->limit, was);
		wake_up_all(&space->frame_wait);
		return err;
	}
	WRITE_ONCE(space->budget, budget);
	vmd_reserve_update(space);
	/* A policy that still counts on more is merely not at its best. */
	mutex_lock(&space->grow_lock);
	vmd_policy_reshape(space, space->policy_slots, budget);
	mutex_unlock(&space->grow_lock);
	return 0;
}

/* Sets are others now, or were, and some may have too many frames in use. */
static int config_place_settle(struct vmd_space *space, unsigned long budget)
{
	int err;

	WRITE_ONCE(space->limit, budget);
	err = vmd_evict_crowd(space);
	if (err)
		return err;
	WRITE_ONCE(space->budget, budget);
	vmd_reserve_update(space);
	wake_up_all(&space->frame_wait);
	return 0;
}

/* Back to what it was; what does not fit leaves when it can. */
static void config_place_undo(struct vmd_space *space, u32 ways,
			      unsigned long limit)
{
	/* As far as memory allows: it was so a moment ago. */
	vmd_policy_place(space, ways, space->budget);
	WRITE_ONCE(space->limit, limit);
	queue_delayed_work(vmd_idle_wq, &space->trim, HZ / 5);
	wake_up_all(&space->frame_wait);
}

/*
 * Other sets, by their size or by their number. At first the frames of all are
 * as few as they are to be, then the pages are divided among the sets, then
 * those go that their set has no room for.
 */
static int config_place(struct vmd_space *space, u32 ways, unsigned long budget,
			bool may_evict)
{
	unsigned long was = space->limit;
	u32 ways_was = space->ways;
	int err;

	if (!may_evict && atomic_long_read(&space->resident))
		return -EBUSY;
	if (atomic_long_read(&space->pinned) >= budget)
		return -EBUSY;
	WRITE_ONCE(space->limit, min(was, budget));
	/* Pairs with charge_try(): no frame is taken unseen. */
	smp_mb();
	err = vmd_evict_down(space, space->limit);
	if (!err)
		err = vmd_policy_place(space, ways, budget);
	if (err) {
		WRITE_ONCE(space->limit, was);
		wake_up_all(&space->frame_wait);
		return err;
	}
	err = config_place_settle(space, budget);
	if (err)
		config_place_undo(space, ways_was, was);
	return err;
}

/* Called under config_lock. */
static int config_budget(struct vmd_space *space, unsigned long budget,
			 u32 ways, bool may_evict)
{
	unsigned long was = space->budget;
	int err = 0;

	if (ways != space->ways || (ways && budget != was))
		err = config_place(space, ways, budget, may_evict);
	else if (budget > was)
		err = config_grow_budget(space, budget);
	else if (budget < was)
		err = config_shrink_budget(space, budget, may_evict);
	if (!err && budget != was)
		vmd_shadows_resize(space);
	trace_vmdemo_budget(space->id, was, budget, err);
	return err;
}

/*
 * Called under config_lock. Everything is unmapped: "trap" has to see the next
 * touch of every page, and no thread is at a page it was at before.
 */
static void config_observer(struct vmd_space *space,
			    enum vmd_observer observer)
{
	if (observer == space->observer)
		return;
	WRITE_ONCE(space->observer, observer);
	/* An observer that promises order has nothing happen by itself. */
	vmd_reserve_update(space);
	vmd_flush_stop(space);
	vmd_reserve_stop(space);
	vmd_unmap_range(space, 0, 0, false);
	vmd_threads_forget(space, 0, ULONG_MAX);
}

/* A configuration that was checked. */
struct config_change {
	u64 mask;
	u64 bytes;
	unsigned long budget;
	u32 ways;
	struct vmd_policy_choice policy;
	struct vmd_auto_choice how;	/* @how.nr: it is "auto" instead */
	struct vmd_shadows *follow;	/* what "auto" went by before */
	int observer;
	struct vmd_crypt *crypt;
	struct vmd_group *group;	/* the space becomes private */
};

static int config_check_size(struct vmd_space *space,
			     const struct vmd_config *cfg,
			     struct config_change *to)
{
	if (!(cfg->mask & VMD_CONFIG_SIZE))
		return 0;
	if (cfg->size > vmd_max_size() ||
	    (cfg->size % vmd_page_bytes(space) && !space->store->homes) ||
	    (space->store->homes &&
	     cfg->size > (u64)VMD_NO_PLACE << PAGE_SHIFT))
		return -EINVAL;
	if (space->store->readonly && cfg->size != vmd_space_size(space))
		return -EROFS;
	to->bytes = cfg->size;
	return 0;
}

static int config_check_budget(struct vmd_space *space,
			       const struct vmd_config *cfg,
			       struct config_change *to)
{
	if (!(cfg->mask & VMD_CONFIG_BUDGET))
		return 0;
	if (!cfg->budget ||
	    cfg->budget > vmd_max_frames() >> vmd_space_order(space))
		return -EINVAL;
	to->budget = cfg->budget;
	return 0;
}

static int config_check_placement(const struct vmd_config *cfg,
				  struct config_change *to)
{
	if (!(cfg->mask & VMD_CONFIG_PLACEMENT))
		return 0;
	if (cfg->ways > VMD_POLICY_MAX_SLOTS)
		return -EINVAL;
	to->ways = cfg->ways;
	return 0;
}

static int config_check_policy(const struct vmd_config *cfg,
			       struct config_change *to)
{
	const char *bad;
	int err;

	if (!(cfg->mask & VMD_CONFIG_POLICY))
		return 0;
	if (strnlen(cfg->policy, sizeof(cfg->policy)) == sizeof(cfg->policy))
		return -EINVAL;
	if (vmd_auto_named(cfg->policy)) {
		err = vmd_auto_parse(cfg->policy, &to->how, &bad);
		return err && err != -EOPNOTSUPP ? -EINVAL : err;
	}
	if (vmd_policy_parse(cfg->policy, &to->policy, &bad))
		return -EINVAL;
	return 0;
}

static int config_check_observer(struct vmd_space *space,
				 const struct vmd_config *cfg,
				 struct config_change *to)
{
	if (!(cfg->mask & VMD_CONFIG_OBSERVER))
		return 0;
	if (strnlen(cfg->observer, sizeof(cfg->observer)) ==
	    sizeof(cfg->observer))
		return -EINVAL;
	to->observer = vmd_observer_parse(cfg->observer);
	/* Only one page of the kernel's is mapped by a touch that traps. */
	if (to->observer == VMD_OBSERVER_TRAP && vmd_space_order(space))
		return -EOPNOTSUPP;
	return min(to->observer, 0);
}

/* A space that is private stays so: there may be pages that are shared. */
static int config_check_private(struct vmd_space *space, u64 set, u64 changed,
				struct config_change *to)
{
	if (!(changed & VMD_SPACE_PRIVATE))
		return 0;
	if (!(set & VMD_SPACE_PRIVATE))
		return -EBUSY;
	if (vmd_space_order(space) || !VMD_FORK_OPENS_FIRST)
		return -EOPNOTSUPP;
	if (space->store->homes)
		return -EINVAL;
	to->group = vmd_group_alloc();
	return to->group ? 0 : -ENOMEM;
}

/* Last of all, as it makes the key. */
static int config_check_flags(struct vmd_space *space,
			      const struct vmd_config *cfg,
			      struct config_change *to)
{
	u64 changed = cfg->flags ^ config_flags(space);
	int err;

	if (!(cfg->mask & VMD_CONFIG_FLAGS))
		return 0;
	/* Whatever else is set, or not, stays so. */
	if (changed & ~(VMD_SPACE_ENCRYPT | VMD_SPACE_PRIVATE))
		return -EINVAL;
	err = config_check_private(space, changed & cfg->flags, changed, to);
	if (err || !(cfg->flags & VMD_SPACE_ENCRYPT))
		return err;
	if (vmd_space_order(space))
		return -EOPNOTSUPP;
	if (!space->store->ops->encrypts)
		return -EINVAL;
	to->crypt = vmd_crypt_alloc();
	return PTR_ERR_OR_ZERO(to->crypt);
}

static int config_check(struct vmd_space *space, const struct vmd_config *cfg,
			struct config_change *to)
{
	int err;

	to->mask = cfg->mask;
	/* Another one is another space: vmd_file_set_page_size(). */
	if (cfg->mask & VMD_CONFIG_PAGE_SIZE && cfg->page_size &&
	    cfg->page_size != vmd_page_bytes(space))
		return -EINVAL;
	err = config_check_size(space, cfg, to);
	if (!err)
		err = config_check_budget(space, cfg, to);
	if (!err)
		err = config_check_placement(cfg, to);
	if (!err)
		err = config_check_policy(cfg, to);
	if (!err)
		err = config_check_observer(space, cfg, to);
	if (!err)
		err = config_check_flags(space, cfg, to);
	return err;
}

/* Called under config_lock. A key where there is none, or none any more? */
static bool config_switches_crypt(struct vmd_space *space,
				  const struct config_change *to)
{
	return to->mask & VMD_CONFIG_FLAGS && !to->crypt == !!space->crypt;
}

static int config_policy(struct vmd_space *space, struct config_change *to)
{
	const struct vmd_policy_choice *policy = &to->policy;
	struct vmd_shadows *set = NULL;
	int err;

	if (to->how.nr) {
		set = vmd_follow_make(space, &to->how);
		if (IS_ERR(set))
			return PTR_ERR(set);
		policy = vmd_follow_policy(set);
	}
	err = vmd_policy_switch(space, policy);
	if (err)
		vmd_shadows_free(space, set);
	else
		to->follow = vmd_shadows_swap(space, VMD_SHADOWS_AUTO, set);
	return err;
}

/* What was not asked for stays as it is, and has to go with the rest. */
static int config_complete(struct vmd_space *space, struct config_change *to)
{
	if (!(to->mask & VMD_CONFIG_BUDGET))
		to->budget = space->budget;
	if (!(to->mask & VMD_CONFIG_PLACEMENT))
		to->ways = space->ways;
	if (!vmd_place_fits(to->ways, to->budget) ||
	    (to->ways && to->budget > VMD_POLICY_MAX_SLOTS))
		return -EINVAL;
	return 0;
}

/* What can fail and be undone; *@done tells how far it got. */
static int config_apply_some(struct vmd_space *space, struct config_change *to,
			     u64 *done)
{
	bool crypt = config_switches_crypt(space, to);
	int err = 0;

	if (to->mask & VMD_CONFIG_POLICY && !to->how.nr && !space->string &&
	    to->policy.ops->flags & VMD_POLICY_FUTURE)
		return -ENODATA;
	if (crypt && READ_ONCE(space->places))
		return -EBUSY;
	if (to->group && !list_empty(&space->maps))
		return -EBUSY;
	/* What went now would go as it shall no more, and then be in the way. */
	if (to->mask & (VMD_CONFIG_BUDGET | VMD_CONFIG_PLACEMENT))
		err = config_budget(space, to->budget, to->ways, !crypt);
	if (err)
		return err;
	*done |= VMD_CONFIG_BUDGET | VMD_CONFIG_PLACEMENT;
	if (to->mask & VMD_CONFIG_POLICY)
		err = config_policy(space, to);
	if (err)
		return err;
	*done |= VMD_CONFIG_POLICY;
	if (crypt)
		err = vmd_crypt_switch(space, &to->crypt);
	if (!err && crypt)
		*done |= VMD_CONFIG_FLAGS;
	return err;
}

/* What cannot be undone comes last, what cannot fail after that. */
static int config_apply(struct vmd_space *space, struct config_change *to)
{
	struct vmd_policy_choice policy = space->policy;
	unsigned long budget = space->budget;
	u32 ways = space->ways;
	u64 done = 0;
	int err = config_complete(space, to);

	if (err)
		return err;
	err = config_apply_some(space, to, &done);
	if (!err && to->mask & VMD_CONFIG_SIZE)
		err = config_size(space, to->bytes);
	if (!err && to->mask & VMD_CONFIG_OBSERVER)
		config_observer(space, to->observer);
	if (!err && to->group && !space->group) {
		vmd_cow_mark(space, to->group);
		to->group = NULL;
	}
	if (!err)
		return 0;
	done &= to->mask;
	if (done & VMD_CONFIG_FLAGS)
		vmd_crypt_switch(space, &to->crypt);
	/* As far as memory allows: it was so a moment ago. */
	if (done & VMD_CONFIG_POLICY) {
		vmd_policy_switch(space, &policy);
		to->follow = vmd_shadows_swap(space, VMD_SHADOWS_AUTO,
					      to->follow);
	}
	if (done & (VMD_CONFIG_BUDGET | VMD_CONFIG_PLACEMENT))
		config_budget(space, budget, ways, true);
	return err;
}

/**
 * vmd_space_configure - carry out VMD_IOC_SET_CONFIG
 * @space: of which
 * @cfg: as the user gave it; nothing but its mask was checked
 */
int vmd_space_configure(struct vmd_space *space, const struct vmd_config *cfg)
{
	struct config_change to = { };
	int err = config_check(space, cfg, &to);

	if (!err && mutex_lock_killable(&space->config_lock))
		err = -EINTR;
	if (!err) {
		err = config_apply(space, &to);
		vmd_shadows_free(space, to.follow);
		mutex_unlock(&space->config_lock);
	}
	/* One that was not needed, or the one the space had before. */
	vmd_crypt_free(to.crypt);
	vmd_group_put(to.group);
	return err;
}
