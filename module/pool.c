// SPDX-License-Identifier: GPL-2.0-only
/*
 * Free frame structures, and ready frames (ready.c): in several pools, so that
 * CPUs that fault at the same time do not wait for each other's locks.
 *
 * Each CPU gives to a pool of its own, and takes from that. Where it is empty it
 * takes from another one, and brings a bundle over if both locks can be had at
 * once. So all that is free is in some pool, and in everybody's reach: however
 * few there are, no fault waits for what lies idle on another CPU.
 *
 * Observers "fault" and "trap" promise decisions that do not depend on which CPU
 * a thread runs on, and a policy may go by the numbers of frames: there it is
 * one pool for all.
 */
#include <linux/mm.h>

#include "space.h"

#define BUNDLE	8

static struct vmd_pool *pool_mine(struct vmd_space *space)
{
	u32 cpu = raw_smp_processor_id();

	if (READ_ONCE(space->observer) != VMD_OBSERVER_ACCESSED)
		cpu = 0;
	return &space->pools[cpu % VMD_POOLS];
}

/* The pool that is @i behind @mine; all of them for i from 0 to VMD_POOLS - 1. */
static struct vmd_pool *pool_behind(struct vmd_space *space,
				    const struct vmd_pool *mine, u32 i)
{
	return &space->pools[(mine - space->pools + i) % VMD_POOLS];
}

/**
 * vmd_pools_init - all of them empty
 * @space: not yet visible
 */
void vmd_pools_init(struct vmd_space *space)
{
	u32 i;

	for (i = 0; i < VMD_POOLS; i++) {
		spin_lock_init(&space->pools[i].lock);
		space->pools[i].free = VMD_NO_SLOT;
		INIT_LIST_HEAD(&space->pools[i].ready);
	}
}

/**
 * vmd_pools_spare - is some frame structure free?
 * @space: of which
 */
bool vmd_pools_spare(struct vmd_space *space)
{
	u32 i;

	for (i = 0; i < VMD_POOLS; i++)
		if (READ_ONCE(space->pools[i].free) != VMD_NO_SLOT)
			return true;
	return false;
}

/**
 * vmd_pools_push - a frame structure is free
 * @space: of which
 * @f: the structure
 */
void vmd_pools_push(struct vmd_space *space, struct vmd_frame *f)
{
	struct vmd_pool *pool = pool_mine(space);

	spin_lock(&pool->lock);
	f->index = pool->free;
	WRITE_ONCE(pool->free, f->id);
	spin_unlock(&pool->lock);
}

static struct vmd_frame *pool_pop(struct vmd_space *space,
				  struct vmd_pool *pool)
{
	struct vmd_frame *f;

	if (pool->free == VMD_NO_SLOT)
		return NULL;
	f = vmd_frame_by_id(space, pool->free);
	WRITE_ONCE(pool->free, f->index);
	return f;
}

/* Both are locked. */
static void pool_bring(struct vmd_space *space, struct vmd_pool *from,
		       struct vmd_pool *to)
{
	struct vmd_frame *f;
	u32 n;

	for (n = 1; n < BUNDLE && (f = pool_pop(space, from)); n++) {
		f->index = to->free;
		WRITE_ONCE(to->free, f->id);
	}
}

static struct vmd_frame *pool_take(struct vmd_space *space,
				   struct vmd_pool *from, struct vmd_pool *mine)
{
	struct vmd_frame *f;

	if (READ_ONCE(from->free) == VMD_NO_SLOT)
		return NULL;
	spin_lock(&from->lock);
	f = pool_pop(space, from);
	/* Of two that would bring over from each other, one goes without. */
	if (from != mine && spin_trylock(&mine->lock)) {
		pool_bring(space, from, mine);
		spin_unlock(&mine->lock);
	}
	spin_unlock(&from->lock);
	return f;
}

/* Where there is one at all. Out of the way of who finds one in his own pool. */
static noinline struct vmd_frame *pools_pop_any(struct vmd_space *space,
						struct vmd_pool *mine)
{
	struct vmd_frame *f = NULL;
	u32 i;

	for (i = 0; !f && i < VMD_POOLS; i++)
		f = pool_take(space, pool_behind(space, mine, i), mine);
	return f;
}

/**
 * vmd_pools_pop - take a free frame structure
 * @space: of which
 *
 * Returns NULL if there is none.
 */
struct vmd_frame *vmd_pools_pop(struct vmd_space *space)
{
	struct vmd_pool *mine = pool_mine(space);
	struct vmd_frame *f;

	spin_lock(&mine->lock);
	f = pool_pop(space, mine);
	spin_unlock(&mine->lock);
	return likely(f) ? f : pools_pop_any(space, mine);
}

/**
 * vmd_pools_keep - a ready frame's memory
 * @space: of which
 * @folio: nobody else has it
 *
 * Counted under the lock: who sees that there is one finds it before long.
 */
void vmd_pools_keep(struct vmd_space *space, struct folio *folio)
{
	struct vmd_pool *pool = pool_mine(space);

	spin_lock(&pool->lock);
	list_add(&folio->lru, &pool->ready);
	WRITE_ONCE(pool->nr_ready, pool->nr_ready + 1);
	atomic_inc(&space->ready);
	spin_unlock(&pool->lock);
}

/* Both are locked. */
static void pool_bring_ready(struct vmd_pool *from, struct vmd_pool *to)
{
	u32 n = min_t(u32, from->nr_ready, BUNDLE - 1);

	WRITE_ONCE(from->nr_ready, from->nr_ready - n);
	WRITE_ONCE(to->nr_ready, to->nr_ready + n);
	while (n--)
		list_move(from->ready.next, &to->ready);
}

static struct folio *pool_pop_ready(struct vmd_space *space,
				    struct vmd_pool *pool)
{
	struct folio *folio;

	if (!pool->nr_ready)
		return NULL;
	folio = list_first_entry(&pool->ready, struct folio, lru);
	list_del(&folio->lru);
	WRITE_ONCE(pool->nr_ready, pool->nr_ready - 1);
	atomic_dec(&space->ready);
	return folio;
}

static struct folio *pool_take_ready(struct vmd_space *space,
				     struct vmd_pool *from,
				     struct vmd_pool *mine)
{
	struct folio *folio;

	if (!READ_ONCE(from->nr_ready))
		return NULL;
	spin_lock(&from->lock);
	folio = pool_pop_ready(space, from);
	if (from != mine && spin_trylock(&mine->lock)) {
		pool_bring_ready(from, mine);
		spin_unlock(&mine->lock);
	}
	spin_unlock(&from->lock);
	return folio;
}

static noinline struct folio *pools_take_any(struct vmd_space *space,
					     struct vmd_pool *mine)
{
	struct folio *folio = NULL;
	u32 i;

	for (i = 0; !folio && i < VMD_POOLS; i++)
		folio = pool_take_ready(space, pool_behind(space, mine, i),
					mine);
	return folio;
}

/**
 * vmd_pools_take - take a ready frame's memory
 * @space: of which
 *
 * Returns NULL if there is none.
 */
struct folio *vmd_pools_take(struct vmd_space *space)
{
	struct vmd_pool *mine = pool_mine(space);
	struct folio *folio;

	spin_lock(&mine->lock);
	folio = pool_pop_ready(space, mine);
	spin_unlock(&mine->lock);
	return likely(folio) ? folio : pools_take_any(space, mine);
}
