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

/**
 * struct vmd_shadows - shadows that were set together
 * @nr: how many
 * @shift: they look at one page in 2^@shift
 * @charged: frames of the space's owner that they count as
 * @start: what the space had counted when they began
 * @run: the shadows
 */
struct vmd_shadows {
	u32 nr;
	u32 shift;
	u32 charged;
	struct vmd_stats start;
	struct vmd_shadow *run[VMD_SHADOWS_MAX];
};

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

static void shadows_free(struct vmd_space *space, struct vmd_shadows *set)
{
	u32 i;

	if (!set)
		return;
	shadows_uncharge(space, set, set->charged);
	for (i = 0; i < set->nr; i++)
		vmd_shadow_free(set->run[i]);
	kfree(set);
}

/* Put @set in the place of what there is, which is returned. */
static struct vmd_shadows *shadows_swap(struct vmd_space *space,
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
}

/**
 * vmd_shadows_stop - the space is going, and its shadows with it
 * @space: nobody changes its configuration any more
 */
void vmd_shadows_stop(struct vmd_space *space)
{
	u32 owner;

	for (owner = 0; owner < VMD_SHADOWS_OWNERS; owner++)
		shadows_free(space, shadows_swap(space, owner, NULL));
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
	space->policy.ops->walk(space->policy_state, shadows_visit, &order);
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

/* Called under config_lock. */
static struct vmd_shadows *shadows_make(struct vmd_space *space,
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
	shadows_free(space, set);
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
		set = shadows_make(space, choice, nr, shift);
	if (IS_ERR(set))
		return PTR_ERR(set);
	shadows_free(space, shadows_swap(space, VMD_SHADOWS_USER, set));
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
	spin_lock(&space->policy_lock);
	vmd_policy_format(&space->policy, get->live, sizeof(get->live));
	spin_unlock(&space->policy_lock);
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
		if (set)
			memset(&set->start, 0, sizeof(set->start));
	}
	spin_unlock(&space->shadow_lock);
}

/* One shadow gets as many frames as the space has now. */
static int shadows_resize_run(struct vmd_space *space, struct vmd_shadows *set,
			      u32 i)
{
	struct vmd_shadow *old = set->run[i];
	struct vmd_shadow *run = vmd_shadow_make_like(old, space->budget);
	u32 was = shadows_pages(old);
	int err;

	if (!run)
		return -ENOMEM;
	err = shadows_charge(space, set, shadows_pages(run));
	if (err) {
		vmd_shadow_free(run);
		return err;
	}
	spin_lock(&space->shadow_lock);
	vmd_shadow_inherit(run, old);
	set->run[i] = run;
	spin_unlock(&space->shadow_lock);
	shadows_uncharge(space, set, was);
	vmd_shadow_free(old);
	return 0;
}

/**
 * vmd_shadows_resize - the budget has changed
 * @space: config_lock is held
 *
 * Where there is no memory for that, or none for all of them, those that were
 * not served go on with the frames they had: vmd_shadow_get.frames tells.
 */
void vmd_shadows_resize(struct vmd_space *space)
{
	struct vmd_shadows *set;
	u32 owner, i;

	for (owner = 0; owner < VMD_SHADOWS_OWNERS; owner++) {
		set = space->shadows[owner];
		for (i = 0; set && i < set->nr; i++)
			if (shadows_resize_run(space, set, i))
				return;
	}
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
		for (i = 0; set && i < set->nr; i++)
			vmd_shadow_reference(set->run[i], index, write);
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
