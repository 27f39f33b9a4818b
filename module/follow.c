// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policy "auto": the space moves to the policy whose shadow misses least.
 *
 * What is better is judged where a reference is fed, under the spinlock, once
 * in so many (policy/auto.h); the switch itself, which allocates, is made by a
 * worker that takes config_lock as any other change of the configuration.
 */
#include <linux/slab.h>

#include "shadows.h"

static bool follow_same(const struct vmd_policy_choice *a,
			const struct vmd_policy_choice *b)
{
	return a->ops == b->ops &&
	       !memcmp(a->params, b->params,
		       a->ops->nr_params * sizeof(a->params[0]));
}

/* Which of the policies the space has now; the first if it is none of them. */
static u32 follow_find(struct vmd_space *space,
		       const struct vmd_auto_choice *how)
{
	u32 i;

	for (i = 0; i < how->nr; i++)
		if (follow_same(&how->of[i], &space->policy))
			return i;
	return 0;
}

/**
 * vmd_follow_make - shadows for "auto" to go by
 * @space: new, or config_lock is held
 * @how: its parameters
 *
 * Returns them, or an error as vmd_shadows_make().
 */
struct vmd_shadows *vmd_follow_make(struct vmd_space *space,
				    const struct vmd_auto_choice *how)
{
	struct vmd_follow *follow = kzalloc(sizeof(*follow),
					    GFP_KERNEL_ACCOUNT);
	struct vmd_shadows *set;

	if (!follow)
		return ERR_PTR(-ENOMEM);
	set = vmd_shadows_make(space, how->of, how->nr,
			       vmd_auto_shift(how, space->budget));
	if (IS_ERR(set)) {
		kfree(follow);
		return set;
	}
	follow->how = *how;
	follow->live = follow_find(space, how);
	follow->wanted = follow->live;
	set->follow = follow;
	return set;
}

/**
 * vmd_follow_policy - with which policy "auto" begins
 * @set: from vmd_follow_make()
 */
const struct vmd_policy_choice *
vmd_follow_policy(const struct vmd_shadows *set)
{
	return &set->follow->how.of[set->follow->live];
}

/**
 * vmd_follow_start - a new space begins with "auto", if that is its policy
 * @space: not yet visible, with a policy
 * @text: the policy as it was given
 */
int vmd_follow_start(struct vmd_space *space, const char *text)
{
	struct vmd_auto_choice *how;
	struct vmd_shadows *set;
	const char *bad;
	int err;

	if (!vmd_auto_named(text))
		return 0;
	how = kmalloc(sizeof(*how), GFP_KERNEL_ACCOUNT);
	if (!how)
		return -ENOMEM;
	err = vmd_auto_parse(text, how, &bad);
	if (!err) {
		set = vmd_follow_make(space, how);
		err = PTR_ERR_OR_ZERO(set);
		if (!err)
			vmd_shadows_swap(space, VMD_SHADOWS_AUTO, set);
	}
	kfree(how);
	return err;
}

/**
 * vmd_follow_format - the policy of a space, if it is "auto"
 * @space: of which
 * @buf: where to
 * @len: bytes there
 *
 * Returns false, and leaves @buf alone, if it is not.
 */
bool vmd_follow_format(struct vmd_space *space, char *buf, size_t len)
{
	struct vmd_shadows *set;

	spin_lock(&space->shadow_lock);
	set = space->shadows[VMD_SHADOWS_AUTO];
	if (set)
		vmd_auto_format(&set->follow->how, buf, len);
	spin_unlock(&space->shadow_lock);
	return set;
}

static void follow_judge(struct vmd_space *space, struct vmd_shadows *set)
{
	struct vmd_follow *f = set->follow;
	struct vmd_shadow_counts counts;
	u64 misses[VMD_AUTO_MAX];
	u32 i;

	for (i = 0; i < set->nr; i++) {
		vmd_shadow_counts(set->run[i], &counts);
		misses[i] = counts.misses - f->last[i];
		f->last[i] = counts.misses;
	}
	f->wanted = vmd_auto_judge(&f->state, &f->how, misses, f->seen,
				   f->live);
	f->seen = 0;
	if (f->wanted != f->live)
		queue_work(vmd_idle_wq, &space->follow);
}

/**
 * vmd_follow_look - there was a reference: is it time to judge?
 * @space: shadow_lock is held
 * @set: shadows that looked at it, not only those of "auto"
 */
void vmd_follow_look(struct vmd_space *space, struct vmd_shadows *set)
{
	struct vmd_follow *f = set->follow;

	if (f && ++f->seen << set->shift >= f->how.interval)
		follow_judge(space, set);
}

/**
 * vmd_follow_reset - the counts of the shadows begin at 0 again
 * @set: shadows, not only those of "auto"; shadow_lock is held
 */
void vmd_follow_reset(struct vmd_shadows *set)
{
	if (!set->follow)
		return;
	memset(set->follow->last, 0, sizeof(set->follow->last));
	set->follow->seen = 0;
}

/* Called under config_lock. */
static void follow_switch(struct vmd_space *space, struct vmd_follow *f)
{
	u32 wanted;

	spin_lock(&space->shadow_lock);
	wanted = f->wanted;
	spin_unlock(&space->shadow_lock);
	/* No memory for it: it is asked for again, if it is still better. */
	if (wanted == f->live || vmd_policy_switch(space, &f->how.of[wanted]))
		return;
	spin_lock(&space->shadow_lock);
	f->live = wanted;
	f->switches++;
	spin_unlock(&space->shadow_lock);
}

/**
 * vmd_follow_work - switch to the policy that was found to be better
 * @work: vmd_space.follow
 */
void vmd_follow_work(struct work_struct *work)
{
	struct vmd_space *space = container_of(work, struct vmd_space, follow);
	struct vmd_shadows *set;

	mutex_lock(&space->config_lock);
	set = space->shadows[VMD_SHADOWS_AUTO];
	if (set)
		follow_switch(space, set->follow);
	mutex_unlock(&space->config_lock);
}
