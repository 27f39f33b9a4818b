// SPDX-License-Identifier: GPL-2.0-only
/*
 * Spaces: how they come and go, and how they are found.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "cow.h"
#include "crypt.h"
#include "future.h"
#include "record.h"
#include "shadows.h"
#include "step.h"

#define SPACE_MAGIC	0x766d6473		/* "vmds" */

static DEFINE_XARRAY(spaces);
DEFINE_MUTEX(vmd_spaces_lock);			/* counters go over */
static atomic64_t space_last_id;

/*
 * All opens of a device node share one address_space: unmapping a page of one
 * would unmap it of all. So a space has an inode of its own, in a file system
 * nobody sees. That is pinned only while there are spaces: it holds a reference
 * to the module, which could never be unloaded otherwise.
 */
static struct vfsmount *space_mnt;
static int space_mnt_count;

static int space_init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, SPACE_MAGIC) ? 0 : -ENOMEM;
}

static struct file_system_type space_fs = {
	.name		 = "vmdemo",
	.owner		 = THIS_MODULE,
	.init_fs_context = space_init_fs_context,
	.kill_sb	 = kill_anon_super,
};

static int space_make_inode(struct vmd_space *space)
{
	struct inode *inode;
	int err;

	err = simple_pin_fs(&space_fs, &space_mnt, &space_mnt_count);
	if (err)
		return err;
	inode = alloc_anon_inode(space_mnt->mnt_sb);
	if (IS_ERR(inode)) {
		simple_release_fs(&space_mnt, &space_mnt_count);
		return PTR_ERR(inode);
	}
	inode->i_private = space;
	inode->i_mapping->a_ops = &vmd_aops;
	/* The core maps a large folio whole only before the file's end. */
	if (vmd_space_order(space))
		i_size_write(inode, MAX_LFS_FILESIZE);
	space->inode = inode;
	return 0;
}

/* A private space's child has its inode, as it has its address_space. */
static int space_share_inode(struct vmd_space *space, struct vmd_space *parent)
{
	int err;

	err = simple_pin_fs(&space_fs, &space_mnt, &space_mnt_count);
	if (err)
		return err;
	ihold(parent->inode);
	space->inode = parent->inode;
	return 0;
}

static void space_free_inode(struct vmd_space *space)
{
	iput(space->inode);
	simple_release_fs(&space_mnt, &space_mnt_count);
}

static void space_last_put(struct work_struct *work)
{
	vmd_space_put(container_of(work, struct vmd_space, last_put));
}

static void space_announce(struct work_struct *work)
{
	vmd_debugfs_add(container_of(work, struct vmd_space, announce));
}

static void space_init_locks(struct vmd_space *space)
{
	kref_init(&space->ref);
	INIT_WORK(&space->last_put, space_last_put);
	INIT_WORK(&space->announce, space_announce);
	atomic_set(&space->users, 1);
	init_waitqueue_head(&space->frame_wait);
	init_waitqueue_head(&space->error_wait);
	init_waitqueue_head(&space->record_wait);
	init_waitqueue_head(&space->step_wait);
	vmd_pools_init(space);
	spin_lock_init(&space->policy_lock);
	spin_lock_init(&space->maps_lock);
	spin_lock_init(&space->reset_lock);
	spin_lock_init(&space->places_lock);
	spin_lock_init(&space->record_lock);
	vmd_shadows_init(space);
	spin_lock_init(&space->step_lock);
	mutex_init(&space->trap_lock);
	mutex_init(&space->evict_lock);
	mutex_init(&space->config_lock);
	mutex_init(&space->grow_lock);
	mutex_init(&space->future_lock);
	INIT_LIST_HEAD(&space->maps);
	INIT_DELAYED_WORK(&space->harvest, vmd_harvest_work);
	INIT_DELAYED_WORK(&space->trim, vmd_trim_work);
	INIT_WORK(&space->reclaim, vmd_reclaim_work);
	INIT_DELAYED_WORK(&space->flush, vmd_flush_work);
	xa_init_flags(&space->pages, XA_FLAGS_ACCOUNT);
	xa_init_flags(&space->chunks, XA_FLAGS_ACCOUNT);
}

static void space_init_identity(struct vmd_space *space)
{
	space->id = atomic64_inc_return(&space_last_id);
	space->owner = current_euid();
	space->pid = task_tgid_nr(current);
	get_task_comm(space->comm, current);
}

/**
 * vmd_space_set_bytes - set a space's size
 * @space: new, or config_lock is held
 * @bytes: how long
 */
void vmd_space_set_bytes(struct vmd_space *space, u64 bytes)
{
	WRITE_ONCE(space->bytes, bytes);
	WRITE_ONCE(space->nr_pages, vmd_bytes_pages(space, bytes));
}

/* Another page size: as many bytes, in whole pages. */
static void space_convert(struct vmd_space *space, struct vmd_space *like,
			  struct vmd_config *cfg)
{
	u32 was = vmd_space_order(like), order = vmd_space_order(space);

	if (was == order)
		return;
	/* Who asked for this has seen that there are no sets. */
	space->ways = 0;
	cfg->budget = max(cfg->budget << was >> order, 1ULL);
	cfg->size = min(round_up(cfg->size, vmd_page_bytes(space)),
			round_down(vmd_max_size(), vmd_page_bytes(space)));
}

/* How it starts: as another space is set up, or as the parameters say. */
static void space_init_config(struct vmd_space *space, struct vmd_space *like,
			      struct vmd_policy_choice *policy, char *text,
			      bool *encrypt)
{
	struct vmd_config cfg;

	vmd_default_config(&cfg, policy);
	if (like) {
		vmd_space_config(like, &cfg);
		spin_lock(&like->policy_lock);
		*policy = like->policy;
		/* These two belong together, and change so. */
		space->ways = like->ways;
		if (like->ways)
			cfg.budget = like->policy_frames;
		spin_unlock(&like->policy_lock);
		space_convert(space, like, &cfg);
	}
	vmd_space_set_bytes(space, space->store->homes ?
				   vmd_file_store_bytes(space->store) :
				   cfg.size);
	space->budget = cfg.budget;
	space->limit = cfg.budget;
	space->observer = vmd_observer_parse(cfg.observer);
	space->ahead_most = VMD_AHEAD_MAX;
	space->asked = VMD_BATCH_MAX;
	space->reserve = like ? like->reserve : vmd_reserve_percent();
	vmd_reserve_update(space);
	space->dirty_age = like ? like->dirty_age : vmd_dirty_age();
	space->dirty_limit = like ? like->dirty_limit : vmd_dirty_limit();
	space->flush_due = jiffies;
	memcpy(text, cfg.policy, sizeof(cfg.policy));
	*encrypt = cfg.flags & VMD_SPACE_ENCRYPT &&
		   space->store->ops->encrypts;
}

/* What can fail and is undone by space_free_parts(), in whatever state. */
static int space_init_parts(struct vmd_space *space, struct vmd_space *like)
{
	struct vmd_policy_choice policy;
	char text[VMD_POLICY_LEN];
	bool encrypt;
	int err;

	space_init_config(space, like, &policy, text, &encrypt);
	/* A string is the other space's own. */
	if (policy.ops->flags & VMD_POLICY_FUTURE) {
		if (!space->parent)
			return -ENODATA;
		vmd_default_policy(&policy, text);
	}
	space->stats = __alloc_percpu_gfp(sizeof(*space->stats), sizeof(u64),
					  GFP_KERNEL_ACCOUNT);
	if (!space->stats)
		return -ENOMEM;
	err = vmd_threads_init(space);
	if (!err)
		err = vmd_policy_start(space, &policy);
	if (!err)
		err = vmd_follow_start(space, text);
	/* A child gets its parent's key with its pages. */
	if (err || !encrypt || space->parent)
		return err;
	space->crypt = vmd_crypt_alloc();
	return PTR_ERR_OR_ZERO(space->crypt);
}

static void space_free_parts(struct vmd_space *space)
{
	struct vmd_store *store = space->store;

	vmd_crypt_free(space->crypt);
	vmd_shadows_stop(space);
	vmd_policy_stop(space);
	vmd_string_free(space, space->string);
	vmd_string_free(space, space->loading);
	vmd_threads_destroy(space);
	free_percpu(space->stats);
	vmd_user_detach(space);
	kfree(space);
	vmd_store_put(store);
}

/**
 * vmd_space_create - a fresh space with one user
 * @store: where its pages live; the reference is used up, unless this fails
 * @like: another space whose budget, policy and observer it gets, or NULL: then
 *	it starts with the module parameters
 *
 * Returns it or -ENOMEM; -EDQUOT if its owner may not have another one; -ENODATA
 * if the policy is one that has to know the future.
 */
struct vmd_space *vmd_space_create(struct vmd_store *store,
				   struct vmd_space *like)
{
	struct vmd_space *space = kzalloc(sizeof(*space), GFP_KERNEL_ACCOUNT);
	int err;

	if (!space)
		return ERR_PTR(-ENOMEM);
	space->store = store;
	kref_get(&store->ref);
	space_init_locks(space);
	space_init_identity(space);
	err = vmd_user_attach(space);
	if (!err)
		err = space_init_parts(space, like);
	if (err)
		goto free_parts;
	err = space_make_inode(space);
	if (err)
		goto free_parts;
	/* Before it can be found, as whoever finds it may look there. */
	vmd_debugfs_add(space);
	err = xa_err(xa_store(&spaces, space->id, space, GFP_KERNEL_ACCOUNT));
	if (err)
		goto free_inode;
	vmd_store_put(store);
	return space;

free_inode:
	vmd_debugfs_remove(space);
	space_free_inode(space);
free_parts:
	space_free_parts(space);
	return ERR_PTR(err);
}

/**
 * vmd_space_fork - a space for a child, without pages
 * @parent: private; a mapping of it keeps it
 *
 * Nobody can find it before vmd_space_publish(). mmap_lock is held: nothing of
 * debugfs may be waited for, whose readers fault under its locks.
 *
 * Returns as vmd_space_create().
 */
struct vmd_space *vmd_space_fork(struct vmd_space *parent)
{
	struct vmd_space *space = kzalloc(sizeof(*space), GFP_KERNEL_ACCOUNT);
	int err;

	if (!space)
		return ERR_PTR(-ENOMEM);
	space->store = parent->store;
	kref_get(&space->store->ref);
	space_init_locks(space);
	space_init_identity(space);
	space->owner = parent->owner;
	space->parent = parent->id;
	space->orphan = true;
	err = vmd_user_attach(space);
	if (!err)
		err = space_init_parts(space, parent);
	if (!err)
		err = space_share_inode(space, parent);
	if (err) {
		space_free_parts(space);
		return ERR_PTR(err);
	}
	kref_get(&parent->group->ref);
	vmd_group_enter(parent->group, space);
	return space;
}

/**
 * vmd_space_publish - a forked space is whole
 * @space: can be found from now on
 */
int vmd_space_publish(struct vmd_space *space)
{
	int err = xa_err(xa_store(&spaces, space->id, space,
				  GFP_KERNEL_ACCOUNT));

	if (!err)
		queue_work(vmd_idle_wq, &space->announce);
	return err;
}

/**
 * vmd_space_file - an open file on a space's inode
 * @space: which
 * @name: shown in /proc/PID/maps
 * @fops: what it does
 */
struct file *vmd_space_file(struct vmd_space *space, const char *name,
			    const struct file_operations *fops)
{
	struct file *file;

	/* Given back with the file, as is the inode. */
	__module_get(fops->owner);
	ihold(space->inode);
	file = alloc_file_pseudo(space->inode, space_mnt, name, O_RDWR, fops);
	if (IS_ERR(file)) {
		iput(space->inode);
		module_put(fops->owner);
	}
	return file;
}

static void space_release(struct kref *ref)
{
	struct vmd_space *space = container_of(ref, struct vmd_space, ref);

	/* The file would not take them, and nobody is left to keep them for. */
	if (space->store->homes && vmd_space_dirty(space))
		pr_warn_ratelimited("space %llu: %llu pages could not be written to its file: what they held is lost\n",
				    space->id, vmd_space_dirty(space));
	vmd_space_set_bytes(space, 0);
	vmd_drop_range(space, 0, ULONG_MAX, false);
	vmd_ready_drain(space, VMD_READY_MAX);
	WARN_ON(atomic_long_read(&space->resident));
	vmd_group_leave(space);
	xa_destroy(&space->pages);
	vmd_frames_destroy(space);
	space_free_inode(space);
	space_free_parts(space);
}

/**
 * vmd_space_get - take a reference
 * @space: the caller has one, or is a user
 */
void vmd_space_get(struct vmd_space *space)
{
	kref_get(&space->ref);
}

/**
 * vmd_space_put - give a reference back
 * @space: the last one frees it, content and all
 */
void vmd_space_put(struct vmd_space *space)
{
	kref_put(&space->ref, space_release);
}

/**
 * vmd_space_put_later - give a reference back where nothing may be waited for
 * @space: if it was the last one, a worker frees it
 *
 * The last one is nobody else's: whoever looks for the space finds it no more.
 */
void vmd_space_put_later(struct vmd_space *space)
{
	if (!refcount_dec_not_one(&space->ref.refcount))
		queue_work(vmd_idle_wq, &space->last_put);
}

/**
 * vmd_space_use - become a user: an open file
 * @space: the caller has a reference
 *
 * Returns false if the last user has gone already.
 */
bool vmd_space_use(struct vmd_space *space)
{
	return atomic_inc_not_zero(&space->users);
}

/**
 * vmd_space_unuse - be a user no more
 * @space: with the last one it ends; there is no mapping of it any more
 */
void vmd_space_unuse(struct vmd_space *space)
{
	if (!atomic_dec_and_test(&space->users))
		return;
	if (space->store->homes && !space->store->readonly)
		vmd_write_last(space);
	cancel_work_sync(&space->announce);
	vmd_debugfs_remove(space);
	cancel_delayed_work_sync(&space->harvest);
	cancel_delayed_work_sync(&space->trim);
	vmd_shadows_stop(space);
	vmd_flush_stop(space);
	vmd_reserve_stop(space);
	mutex_lock(&vmd_spaces_lock);
	xa_erase(&spaces, space->id);
	vmd_stats_retire(space);
	mutex_unlock(&vmd_spaces_lock);
	if (vmd_recording(space))
		vmd_record_space_ended(space);
	if (vmd_stepping(space))
		vmd_step_space_ended(space);
	vmd_space_put(space);
}

/**
 * vmd_space_next - the space with the next higher id, with a reference
 * @after: the id; 0 for the first space
 */
struct vmd_space *vmd_space_next(u64 after)
{
	unsigned long id = after;
	struct vmd_space *space;

	xa_lock(&spaces);
	do {
		id++;
		space = xa_find(&spaces, &id, ULONG_MAX, XA_PRESENT);
	} while (space && !kref_get_unless_zero(&space->ref));
	xa_unlock(&spaces);
	return space;
}

/**
 * vmd_space_find - the space with this id, with a reference, or NULL
 * @id: which
 */
struct vmd_space *vmd_space_find(u64 id)
{
	struct vmd_space *space;

	xa_lock(&spaces);
	space = id <= ULONG_MAX ? xa_load(&spaces, id) : NULL;
	if (space && !kref_get_unless_zero(&space->ref))
		space = NULL;
	xa_unlock(&spaces);
	return space;
}

/**
 * vmd_space_largest - the space with the most frames, with a reference
 * @user: of those that count among this user's, or of all if NULL
 */
struct vmd_space *vmd_space_largest(const struct vmd_user *user)
{
	struct vmd_space *space, *largest = NULL;
	u64 id = 0;
	long most = 0, held;

	while ((space = vmd_space_next(id))) {
		id = space->id;
		held = atomic_long_read(&space->resident) <<
		       vmd_space_order(space);
		if (vmd_user_has(user, space) && held > most) {
			most = held;
			swap(space, largest);
		}
		if (space)
			vmd_space_put(space);
	}
	return largest;
}

/**
 * vmd_space_count - how many spaces there are
 */
unsigned long vmd_space_count(void)
{
	struct vmd_space *space;
	unsigned long id, n = 0;

	xa_for_each(&spaces, id, space)
		n++;
	return n;
}
