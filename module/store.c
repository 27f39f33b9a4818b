// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all stores have in common.
 */
#include <linux/slab.h>

#include "store.h"

static void store_release(struct kref *ref)
{
	struct vmd_store *store = container_of(ref, struct vmd_store, ref);

	store->ops->release(store);
}

static void store_put_work(struct work_struct *work)
{
	vmd_store_put(container_of(work, struct vmd_store, put_work));
}

/**
 * vmd_store_init - begin a store, with one reference
 * @store: zeroed
 * @ops: its kind
 */
void vmd_store_init(struct vmd_store *store, const struct vmd_store_ops *ops)
{
	store->ops = ops;
	kref_init(&store->ref);
	INIT_WORK(&store->put_work, store_put_work);
}

/**
 * vmd_store_put - give a reference back
 * @store: the last one closes it, which waits for its workers
 */
void vmd_store_put(struct vmd_store *store)
{
	kref_put(&store->ref, store_release);
}

/**
 * vmd_store_put_later - give a reference back from one of the store's workers
 * @store: as the worker itself would be waited for, another one closes it
 */
void vmd_store_put_later(struct vmd_store *store)
{
	if (!refcount_dec_not_one(&store->ref.refcount))
		queue_work(vmd_idle_wq, &store->put_work);
}
