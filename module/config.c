// SPDX-License-Identifier: GPL-2.0-only
/*
 * A space's configuration, and how it changes while the space is in use.
 */
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
	vmd_policy_format(&policy, cfg->policy, sizeof(cfg->policy));
	strscpy(cfg->observer, vmd_observer_name(READ_ONCE(space->observer)),
		sizeof(cfg->observer));
	strscpy(cfg->store, space->store->ops->name, sizeof(cfg->store));
}

/**
 * vmd_space_reach - a mapping reaches up to here: grow as far as allowed
 * @space: which
 * @end: the page after the mapping's last one
 */
void vmd_space_reach(struct vmd_space *space, pgoff_t end)
{
	end = min_t(pgoff_t, end, vmd_max_size() >> PAGE_SHIFT);
	if (end <= READ_ONCE(space->nr_pages))
		return;
	/* Not while somebody makes it shorter: that drops what is past it. */
	if (mutex_lock_killable(&space->config_lock))
		return;
	if (end > space->nr_pages)
		WRITE_ONCE(space->nr_pages, end);
	mutex_unlock(&space->config_lock);
}

/* Called under config_lock. */
static void config_size(struct vmd_space *space, pgoff_t nr_pages)
{
	pgoff_t was = space->nr_pages;

	WRITE_ONCE(space->nr_pages, nr_pages);
	if (nr_pages >= was)
		return;
	/* First what is mapped, then what is resident, as truncation does. */
	smp_mb();
	unmap_mapping_pages(vmd_mapping(space), nr_pages, 0, true);
	vmd_drop_from(space, nr_pages);
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
	wake_up_all(&space->frame_wait);
	return 0;
}

static int config_shrink_budget(struct vmd_space *space, unsigned long budget)
{
	unsigned long was = space->limit;
	int err = -EBUSY;

	if (atomic_long_read(&space->pinned) < budget) {
		WRITE_ONCE(space->limit, budget);
		/* Pairs with charge_try(): no frame is taken unseen. */
		smp_mb();
		err = vmd_evict_down(space, budget);
	}
	if (err) {
		WRITE_ONCE(space->limit, was);
		wake_up_all(&space->frame_wait);
		return err;
	}
	WRITE_ONCE(space->budget, budget);
	/* A policy that still counts on more is merely not at its best. */
	mutex_lock(&space->grow_lock);
	vmd_policy_reshape(space, space->policy_slots, budget);
	mutex_unlock(&space->grow_lock);
	return 0;
}

/* Called under config_lock. */
static int config_budget(struct vmd_space *space, unsigned long budget)
{
	unsigned long was = space->budget;
	int err = 0;

	if (budget > was)
		err = config_grow_budget(space, budget);
	else if (budget < was)
		err = config_shrink_budget(space, budget);
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
	unmap_mapping_pages(vmd_mapping(space), 0, 0, false);
	vmd_threads_forget(space, 0, ULONG_MAX);
}

/* A configuration that was checked. */
struct config_change {
	u64 mask;
	pgoff_t nr_pages;
	unsigned long budget;
	struct vmd_policy_choice policy;
	int observer;
};

static int config_check_size(const struct vmd_config *cfg,
			     struct config_change *to)
{
	if (!(cfg->mask & VMD_CONFIG_SIZE))
		return 0;
	if (cfg->size % PAGE_SIZE || cfg->size > vmd_max_size())
		return -EINVAL;
	to->nr_pages = cfg->size >> PAGE_SHIFT;
	return 0;
}

static int config_check_budget(const struct vmd_config *cfg,
			       struct config_change *to)
{
	if (!(cfg->mask & VMD_CONFIG_BUDGET))
		return 0;
	if (!cfg->budget || cfg->budget > vmd_max_frames())
		return -EINVAL;
	to->budget = cfg->budget;
	return 0;
}

static int config_check_policy(const struct vmd_config *cfg,
			       struct config_change *to)
{
	const char *bad;

	if (!(cfg->mask & VMD_CONFIG_POLICY))
		return 0;
	if (strnlen(cfg->policy, sizeof(cfg->policy)) == sizeof(cfg->policy) ||
	    vmd_policy_parse(cfg->policy, &to->policy, &bad))
		return -EINVAL;
	return 0;
}

static int config_check_observer(const struct vmd_config *cfg,
				 struct config_change *to)
{
	if (!(cfg->mask & VMD_CONFIG_OBSERVER))
		return 0;
	if (strnlen(cfg->observer, sizeof(cfg->observer)) ==
	    sizeof(cfg->observer))
		return -EINVAL;
	to->observer = vmd_observer_parse(cfg->observer);
	return min(to->observer, 0);
}

static int config_check(const struct vmd_config *cfg, struct config_change *to)
{
	int err;

	to->mask = cfg->mask;
	if (cfg->mask & ~VMD_CONFIG_ALL || cfg->reserved[0] || cfg->reserved[1])
		return -EINVAL;
	err = config_check_size(cfg, to);
	if (!err)
		err = config_check_budget(cfg, to);
	if (!err)
		err = config_check_policy(cfg, to);
	if (!err)
		err = config_check_observer(cfg, to);
	return err;
}

/* What can fail comes first, and is undone if what follows it fails. */
static int config_apply(struct vmd_space *space,
			const struct config_change *to)
{
	unsigned long was = space->budget;
	int err = 0;

	if (to->mask & VMD_CONFIG_BUDGET)
		err = config_budget(space, to->budget);
	if (!err && to->mask & VMD_CONFIG_POLICY) {
		err = vmd_policy_switch(space, &to->policy);
		if (err)
			config_budget(space, was);
	}
	if (err)
		return err;
	if (to->mask & VMD_CONFIG_SIZE)
		config_size(space, to->nr_pages);
	if (to->mask & VMD_CONFIG_OBSERVER)
		config_observer(space, to->observer);
	return 0;
}

/**
 * vmd_space_configure - carry out VMD_IOC_SET_CONFIG
 * @space: of which
 * @cfg: as the user gave it, not checked
 */
int vmd_space_configure(struct vmd_space *space, const struct vmd_config *cfg)
{
	struct config_change to;
	int err = config_check(cfg, &to);

	if (err)
		return err;
	if (mutex_lock_killable(&space->config_lock))
		return -EINTR;
	err = config_apply(space, &to);
	mutex_unlock(&space->config_lock);
	return err;
}
