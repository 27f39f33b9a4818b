// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shadows of a space: policies that run beside its own on metadata alone
 * (shadow.c), fed with what its observer sees.
 *
 * Those that there are change under config_lock and shadow_lock both: who holds
 * the first may look at them and allocate for them, who holds the second may
 * feed them. What one reference costs is bounded by VMD_SHADOWS_MAX times the
 * cost of a policy, under the spinlock; one that is not in the sample costs a
 * hash and no lock.
 */
#include <linux/sched.h>
#include <linux/slab.h>

#include "shadows.h"

static u32 shadows_pages(const struct vmd_shadow *run)
{
	return DIV_ROUND_UP(vmd_shadow_bytes(run), PAGE_SIZE);
}

static void shadows_uncharge(struct vmd_space *space, struct vmd_shadows *set,
			     u32 frames)
{
	set->charged -= frames;
	while (frames--)
		vmd_user_uncharge_frame(space);
}

/* They count as frames; pages of the same user's spaces make room. */
static int shadows_charge(struct vmd_space *space, struct vmd_shadows *set,
			  u32 frames)
{
	u32 done = 0;
	int ret = 1;

	if (!space->exempt && set->charged + frames > vmd_user_frames() / 2)
		return -EDQUOT;
	while (done < frames && ret > 0) {
		if (vmd_user_charge_frame(space))
			done++;
		else
			ret = vmd_reclaim_user(space->user, VMD_PATIENT);
	}
	set->charged += done;
	if (done == frames)
		return 0;
	shadows_uncharge(space, set, done);
	return ret == -EINTR ? ret : -EDQUOT;
}

/**
 * vmd_shadows_free - be done with shadows
 * @space: of which
 * @set: in use no more, or NULL
 */
void vmd_shadows_free(struct vmd_space *space, struct vmd_shadows *set)
{
	u32 i;

	if (!set)
		return;
	shadows_uncharge(space, set, set->charged);
	for (i = 0; i < set->nr; i++)
		vmd_shadow_free(set->run[i]);
	kfree(set->follow);
	kfree(set);
}

/**
 * vmd_shadows_swap - put shadows in the place of those there are
 * @space: new, or config_lock is held, or it has no users any more
 * @owner: whose
 * @set: the new ones, or NULL
 *
 * Returns what there was, or NULL.
 */
struct vmd_shadows *vmd_shadows_swap(struct vmd_space *space,
				     enum vmd_shadows_owner owner,
				     struct vmd_shadows *set)
{
	struct vmd_shadows *old, *each;
	u32 i, rate = 0;

	spin_lock(&space->shadow_lock);
	old = space->shadows[owner];
	space->shadows[owner] = set;
	for (i = 0; i < VMD_SHADOWS_OWNERS; i++) {
		each = space->shadows[i];
		if (each && (!rate || each->shift + 1 < rate))
			rate = each->shift + 1;
	}
	WRITE_ONCE(space->shadow_rate, rate);
	spin_unlock(&space->shadow_lock);
	return old;
}

/**
 * vmd_shadows_init - a new space has none
 * @space: not yet visible
 */
void vmd_shadows_init(struct vmd_space *space)
{
	spin_lock_init(&space->shadow_lock);
	INIT_WORK(&space->follow, vmd_follow_work);
}

/**
 * vmd_shadows_stop - the space is going, and its shadows with it
 * @space: nobody changes its configuration any more
 */
void vmd_shadows_stop(struct vmd_space *space)
{
	struct vmd_shadows *old[VMD_SHADOWS_OWNERS];
	u32 owner;

	for (owner = 0; owner < VMD_SHADOWS_OWNERS; owner++)
		old[owner] = vmd_shadows_swap(space, owner, NULL);
	/* Without shadows nobody queues it anew; it may be looking at some. */
	cancel_work_sync(&space->follow);
	for (owner = 0; owner < VMD_SHADOWS_OWNERS; owner++)
		vmd_shadows_free(space, old[owner]);
}

/* Pages that are resident, in the order in which the policy would evict them. */
struct shadows_order {
	struct vmd_space *space;
	u64 *pages;
	u32 n;
	u32 room;
};

static bool shadows_visit(void *arg, u32 slot)
{
	struct shadows_order *order = arg;

	if (order->n == order->room)
		return false;
	order->pages[order->n++] = vmd_frame_by_id(order->space, slot)->index;
	return true;
}

/* The shadows begin with what is resident. Nothing is locked but config_lock. */
static int shadows_seed(struct vmd_space *space, struct vmd_shadows *set)
{
	struct shadows_order order = { .space = space };
	u32 i, j;

	/* Allocated before the lock; what comes in meanwhile is left out. */
	order.room = atomic_long_read(&space->resident);
	if (!order.room)
		return 0;
	order.pages = kvmalloc_array(order.room, sizeof(u64),
				     GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!order.pages)
		return -ENOMEM;
	spin_lock(&space->policy_lock);
	vmd_decide_walk(space, shadows_visit, &order);
	spin_unlock(&space->policy_lock);
	for (i = 0; i < order.n; i++) {
		for (j = 0; j < set->nr; j++)
			vmd_shadow_seed(set->run[j], order.pages[i]);
		cond_resched();
	}
	kvfree(order.pages);
	return 0;
}

static int shadows_fill(struct vmd_space *space, struct vmd_shadows *set,
			const struct vmd_policy_choice *choice, u32 nr)
{
	int err;

	for (; set->nr < nr; set->nr++) {
		struct vmd_shadow *run = vmd_shadow_make(&choice[set->nr],
							 space->budget,
							 set->shift);

		if (!run)
			return -ENOMEM;
		set->run[set->nr] = run;
		err = shadows_charge(space, set, shadows_pages(run));
		if (err) {
			vmd_shadow_free(run);
			return err;
		}
	}
	err = shadows_seed(space, set);
	vmd_stats_space(space, &set->start);
	return err;
}

/**
 * vmd_shadows_make - shadows that begin with what is resident
 * @space: new, or config_lock is held
 * @choice: their policies
 * @nr: how many, 1 at least
 * @shift: they look at one page in 2^@shift
 *
 * Returns them, or -ENOMEM, -EDQUOT, -EINTR.
 */
struct vmd_shadows *vmd_shadows_make(struct vmd_space *space,
				     const struct vmd_policy_choice *choice,
				     u32 nr, u32 shift)
{
	struct vmd_shadows *set = kzalloc(sizeof(*set), GFP_KERNEL_ACCOUNT);
	int err;

	if (!set)
		return ERR_PTR(-ENOMEM);
	set->shift = shift;
	err = shadows_fill(space, set, choice, nr);
	if (!err)
		return set;
	vmd_shadows_free(space, set);
	return ERR_PTR(err);
}

static int shadows_parse(const char *text, struct vmd_policy_choice *choice)
{
	const char *bad;

	if (strnlen(text, VMD_POLICY_LEN) == VMD_POLICY_LEN ||
	    vmd_policy_parse(text, choice, &bad))
		return -EINVAL;
	return choice->ops->flags & VMD_POLICY_FUTURE ? -EOPNOTSUPP : 0;
}

static int shadows_check(const struct vmd_shadow_set *in,
			 struct vmd_policy_choice *choice)
{
	u32 i;
	int err;

	if (in->flags || in->reserved || in->count > VMD_SHADOWS_MAX ||
	    in->shift > VMD_SHADOW_SHIFT_MAX || (in->shift && !in->count) ||
	    memchr_inv(in->policies + in->count, 0,
		       (VMD_SHADOWS_MAX - in->count) * VMD_POLICY_LEN))
		return -EINVAL;
	for (i = 0; i < in->count; i++) {
		err = shadows_parse(in->policies[i], &choice[i]);
		if (err)
			return err;
	}
	return 0;
}

/* Called under config_lock. */
static int shadows_replace(struct vmd_space *space,
			   const struct vmd_policy_choice *choice, u32 nr,
			   u32 shift)
{
	struct vmd_shadows *set = NULL;

	if (nr)
		set = vmd_shadows_make(space, choice, nr, shift);
	if (IS_ERR(set))
		return PTR_ERR(set);
	set = vmd_shadows_swap(space, VMD_SHADOWS_USER, set);
	vmd_shadows_free(space, set);
	return 0;
}

/**
 * vmd_shadows_set - carry out VMD_IOC_SET_SHADOWS
 * @space: of which; the caller is a user of it
 * @in: as the caller gave it
 */
long vmd_shadows_set(struct vmd_space *space, const struct vmd_shadow_set *in)
{
	struct vmd_policy_choice *choice;
	int err;

	choice = kcalloc(VMD_SHADOWS_MAX, sizeof(*choice), GFP_KERNEL_ACCOUNT);
	if (!choice)
		return -ENOMEM;
	err = shadows_check(in, choice);
	if (!err && mutex_lock_killable(&space->config_lock))
		err = -EINTR;
	if (!err) {
		err = shadows_replace(space, choice, in->count, in->shift);
		mutex_unlock(&space->config_lock);
	}
	kfree(choice);
	return err;
}

/* Called under shadow_lock, @run locked by it. */
static void shadows_get_run(const struct vmd_shadow *run,
			    struct vmd_shadow_run *out)
{
	struct vmd_shadow_counts counts;

	vmd_shadow_counts(run, &counts);
	vmd_policy_format(vmd_shadow_policy(run), out->policy,
			  sizeof(out->policy));
	out->references = counts.references;
	out->misses = counts.misses;
	out->evictions = counts.evictions;
	out->evictions_dirty = counts.evictions_dirty;
}

/* Called under shadow_lock; @now is of a moment ago. */
static void shadows_get_all(const struct vmd_shadows *set,
			    const struct vmd_stats *now,
			    struct vmd_shadow_get *out)
{
	u32 i;

	out->count = set->nr;
	out->shift = set->shift;
	out->frames = vmd_shadow_frames(set->run[0]);
	out->references = now->references - set->start.references;
	out->misses = now->misses - set->start.misses;
	out->evictions = now->evictions - set->start.evictions;
	out->evictions_dirty = now->evictions_dirty -
			       set->start.evictions_dirty;
	if (set->follow)
		out->switches = set->follow->switches;
	for (i = 0; i < set->nr; i++) {
		out->bytes += vmd_shadow_bytes(set->run[i]);
		shadows_get_run(set->run[i], &out->runs[i]);
	}
}

/**
 * vmd_shadows_get - carry out VMD_IOC_GET_SHADOWS
 * @space: of which
 * @get: as the caller gave it; filled
 */
long vmd_shadows_get(struct vmd_space *space, struct vmd_shadow_get *get)
{
	u32 owner = get->flags & VMD_SHADOW_AUTO ? VMD_SHADOWS_AUTO :
						   VMD_SHADOWS_USER;
	struct vmd_stats now;

	if (get->flags & ~VMD_SHADOW_AUTO ||
	    memchr_inv(&get->count, 0, sizeof(*get) - sizeof(get->flags)))
		return -EINVAL;
	vmd_space_live(space, get->live);
	spin_lock(&space->shadow_lock);
	if (space->shadows[owner]) {
		vmd_stats_space(space, &now);
		shadows_get_all(space->shadows[owner], &now, get);
	}
	spin_unlock(&space->shadow_lock);
	return 0;
}

/**
 * vmd_shadows_reset - the space's counters begin at 0 again, and theirs
 * @space: of which
 */
void vmd_shadows_reset(struct vmd_space *space)
{
	struct vmd_shadows *set;
	u32 owner, i;

	spin_lock(&space->shadow_lock);
	for (owner = 0; owner < VMD_SHADOWS_OWNERS; owner++) {
		set = space->shadows[owner];
		for (i = 0; set && i < set->nr; i++)
			vmd_shadow_reset(set->run[i]);
		if (!set)
			continue;
		memset(&set->start, 0, sizeof(set->start));
		vmd_follow_reset(set);
	}
	spin_unlock(&space->shadow_lock);
}

/* Shadows with as many frames as the space has now; all of them, or none. */
static int shadows_resize_alloc(struct vmd_space *space,
				struct vmd_shadows *set,
				struct vmd_shadow **run, u32 *charged)
{
	u32 i, pages;
	int err = 0;

	for (i = 0; i < set->nr; i++) {
		run[i] = vmd_shadow_make_like(set->run[i], space->budget);
		if (!run[i])
			return -ENOMEM;
		pages = shadows_pages(run[i]);
		err = shadows_charge(space, set, pages);
		if (err)
			return err;
		*charged += pages;
	}
	return 0;
}

static void shadows_resize_set(struct vmd_space *space, struct vmd_shadows *set)
{
	struct vmd_shadow *run[VMD_SHADOWS_MAX] = { };
	u32 was = set->charged, charged = 0, i;
	int err = shadows_resize_alloc(space, set, run, &charged);

	spin_lock(&space->shadow_lock);
	for (i = 0; !err && i < set->nr; i++) {
		vmd_shadow_inherit(run[i], set->run[i]);
		swap(run[i], set->run[i]);
	}
	spin_unlock(&space->shadow_lock);
	shadows_uncharge(space, set, err ? charged : was);
	for (i = 0; i < set->nr; i++)
		vmd_shadow_free(run[i]);
}

/**
 * vmd_shadows_resize - the budget has changed
 * @space: config_lock is held
 *
 * Where there is no memory for that, they go on with the frames they had:
 * vmd_shadow_get.frames tells.
 */
void vmd_shadows_resize(struct vmd_space *space)
{
	u32 owner;

	for (owner = 0; owner < VMD_SHADOWS_OWNERS; owner++)
		if (space->shadows[owner])
			shadows_resize_set(space, space->shadows[owner]);
}

/**
 * vmd_shadows_feed - a reference that a shadow looks at
 * @space: of which
 * @index: the page
 * @write: the access is known to write
 */
void vmd_shadows_feed(struct vmd_space *space, pgoff_t index, bool write)
{
	struct vmd_shadows *set;
	u32 owner, i;

	spin_lock(&space->shadow_lock);
	for (owner = 0; owner < VMD_SHADOWS_OWNERS; owner++) {
		set = space->shadows[owner];
		/* The two of them may look at samples of their own. */
		if (!set || !vmd_shadow_sampled(index, set->shift))
			continue;
		for (i = 0; i < set->nr; i++)
			vmd_shadow_reference(set->run[i], index, write);
		vmd_follow_look(space, set);
	}
	spin_unlock(&space->shadow_lock);
}

/**
 * vmd_shadows_drop - a page's content is gone
 * @space: of which
 * @index: the page
 */
void vmd_shadows_drop(struct vmd_space *space, pgoff_t index)
{
	struct vmd_shadows *set;
	u32 owner, i;

	spin_lock(&space->shadow_lock);
	for (owner = 0; owner < VMD_SHADOWS_OWNERS; owner++) {
		set = space->shadows[owner];
		for (i = 0; set && i < set->nr; i++)
			vmd_shadow_drop(set->run[i], index);
	}
	spin_unlock(&space->shadow_lock);
}
