// SPDX-License-Identifier: GPL-2.0-only
/*
 * Caps on what one user may have: spaces, frames, and pages with content.
 *
 * A user is an effective user id, as the kernel knows it and not as a user
 * namespace shows it: whoever has a range of subordinate ids has as many caps.
 * The module parameter max_frames binds them all together.
 *
 * There is a record of a user while there is a space of his, and every space
 * leads to it. Spaces made with CAP_SYS_RESOURCE are not counted at all. What
 * is counted changes by atomics only; the lock is for making and finding
 * records.
 *
 * A slot is an entry of a page table (vmd_space.pages) that is not NULL: a page
 * that has content or had it. So the cap on slots also bounds the memory of
 * page tables, however sparse: at worst an entry has the nodes on the way to it
 * to itself, 576 bytes each, one for every six bits of the size in pages.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/slab.h>

#include "space.h"

#define USERS_BITS	6

/**
 * struct vmd_user - what a user has
 * @node: in users
 * @uid: which
 * @refs: spaces that lead here; under users_lock
 * @spaces: spaces that count
 * @frames: frames they hold
 * @slots: pages of theirs that have, or had, content
 */
struct vmd_user {
	struct hlist_node node;
	kuid_t uid;
	unsigned long refs;
	atomic_long_t spaces;
	atomic_long_t frames;
	atomic_long_t slots;
};

static DEFINE_HASHTABLE(users, USERS_BITS);
static DEFINE_SPINLOCK(users_lock);	/* users, vmd_user.refs */

/* The user's record, with a reference. Called under users_lock. */
static struct vmd_user *user_find(kuid_t uid)
{
	struct vmd_user *user;

	hash_for_each_possible(users, user, node, __kuid_val(uid)) {
		if (!uid_eq(user->uid, uid))
			continue;
		user->refs++;
		return user;
	}
	return NULL;
}

/* Enter @fresh, unless somebody else was first: then free it. */
static struct vmd_user *user_enter(struct vmd_user *fresh)
{
	struct vmd_user *user;

	spin_lock(&users_lock);
	user = user_find(fresh->uid);
	if (!user) {
		fresh->refs = 1;
		hash_add(users, &fresh->node, __kuid_val(fresh->uid));
		swap(user, fresh);
	}
	spin_unlock(&users_lock);
	kfree(fresh);
	return user;
}

static struct vmd_user *user_get(kuid_t uid)
{
	struct vmd_user *user;

	spin_lock(&users_lock);
	user = user_find(uid);
	spin_unlock(&users_lock);
	if (user)
		return user;
	user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);
	if (!user)
		return NULL;
	user->uid = uid;
	return user_enter(user);
}

static void user_put(struct vmd_user *user)
{
	spin_lock(&users_lock);
	if (--user->refs)
		user = NULL;
	else
		hash_del(&user->node);
	spin_unlock(&users_lock);
	if (!user)
		return;
	WARN_ON(atomic_long_read(&user->spaces) ||
		atomic_long_read(&user->frames) ||
		atomic_long_read(&user->slots));
	kfree(user);
}

/* @more, unless there would be more than @most. */
static bool user_take(atomic_long_t *used, long more, u64 most)
{
	long n = atomic_long_read(used);

	do {
		if (n + more > (long)most)
			return false;
	} while (!atomic_long_try_cmpxchg(used, &n, n + more));
	return true;
}

/* What a page counts: the caps are in the kernel's pages. */
static long user_units(const struct vmd_space *space)
{
	return 1L << vmd_space_order(space);
}

/**
 * vmd_user_attach - count a new space among its owner's
 * @space: its owner is known; the current thread makes it
 *
 * Returns 0, -EDQUOT past the cap, or -ENOMEM. Undone by vmd_user_detach() in
 * any case.
 */
int vmd_user_attach(struct vmd_space *space)
{
	/* No audit: that a user lacks the capability is no offence. */
	space->exempt = ns_capable_noaudit(&init_user_ns, CAP_SYS_RESOURCE);
	space->user = user_get(space->owner);
	if (!space->user)
		return -ENOMEM;
	if (space->exempt)
		return 0;
	if (user_take(&space->user->spaces, 1, vmd_user_spaces()))
		return 0;
	user_put(space->user);
	space->user = NULL;
	return -EDQUOT;
}

/**
 * vmd_user_detach - undo vmd_user_attach()
 * @space: holds neither frames nor pages any more
 */
void vmd_user_detach(struct vmd_space *space)
{
	if (!space->user)
		return;
	if (!space->exempt)
		atomic_long_dec(&space->user->spaces);
	user_put(space->user);
	space->user = NULL;
}

/**
 * vmd_user_has - does a space count among those of a user?
 * @user: the user, or NULL for anybody, who has every space
 * @space: the caller has a reference
 */
bool vmd_user_has(const struct vmd_user *user, const struct vmd_space *space)
{
	return !user || (space->user == user && !space->exempt);
}

/**
 * vmd_user_charge_frame - a page of the kernel's more; false past the cap
 * @space: which takes it
 */
bool vmd_user_charge_frame(struct vmd_space *space)
{
	return space->exempt ||
	       user_take(&space->user->frames, 1, vmd_user_frames());
}

/**
 * vmd_user_uncharge_frame - undo vmd_user_charge_frame()
 * @space: of which
 */
void vmd_user_uncharge_frame(struct vmd_space *space)
{
	if (!space->exempt)
		atomic_long_dec(&space->user->frames);
}

/**
 * vmd_user_charge_page - one more frame, of the space's page size
 * @space: which takes it
 *
 * Returns false past the cap.
 */
bool vmd_user_charge_page(struct vmd_space *space)
{
	return space->exempt || user_take(&space->user->frames,
					  user_units(space), vmd_user_frames());
}

/**
 * vmd_user_uncharge_page - undo vmd_user_charge_page()
 * @space: of which
 */
void vmd_user_uncharge_page(struct vmd_space *space)
{
	if (!space->exempt)
		atomic_long_sub(user_units(space), &space->user->frames);
}

/**
 * vmd_user_may_charge - would vmd_user_charge_page() say yes just now?
 * @space: of which
 */
bool vmd_user_may_charge(const struct vmd_space *space)
{
	return space->exempt || atomic_long_read(&space->user->frames) +
	       user_units(space) <= (long)vmd_user_frames();
}

/**
 * vmd_user_charge_slot - one more page with content; false past the cap
 * @space: an entry of its page table was NULL and is no more
 */
bool vmd_user_charge_slot(struct vmd_space *space)
{
	return space->exempt ||
	       user_take(&space->user->slots, user_units(space),
			 vmd_user_slots());
}

/**
 * vmd_user_uncharge_slot - undo vmd_user_charge_slot()
 * @space: an entry of its page table has become NULL
 */
void vmd_user_uncharge_slot(struct vmd_space *space)
{
	if (!space->exempt)
		atomic_long_sub(user_units(space), &space->user->slots);
}

/**
 * vmd_user_crowded - is more than half of the cap on slots used?
 * @space: of which; one that does not count is never crowded
 *
 * Then entries that only save work are better forgotten.
 */
bool vmd_user_crowded(const struct vmd_space *space)
{
	return !space->exempt && atomic_long_read(&space->user->slots) >
	       (long)(vmd_user_slots() / 2);
}

static bool user_above(const struct vmd_space *space)
{
	return !space->exempt && atomic_long_read(&space->user->frames) >
	       (long)vmd_user_frames();
}

/**
 * vmd_users_enforce - the cap on frames is smaller: evict what is above it
 *
 * As far as that is possible now.
 */
void vmd_users_enforce(void)
{
	struct vmd_space *space;
	u64 id = 0;

	while ((space = vmd_space_next(id))) {
		id = space->id;
		while (user_above(space) &&
		       vmd_evict(space, VMD_BATCH_MAX, NULL) > 0)
			cond_resched();
		vmd_space_put(space);
	}
}
