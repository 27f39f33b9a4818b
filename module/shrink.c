// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving frames back when the whole system is short of memory.
 *
 * The kernel's reclaim asks, from the thread that wants memory or from its own,
 * with whatever locks that thread holds: it may be in the midst of a fault on
 * the very space we come to. See the lock order in space.h for what follows
 * from that. Only clean pages go, as the policies propose: nothing is written
 * in here. Each space keeps a floor, or it would stop getting anywhere.
 *
 * A memory cgroup at its own limit does not come here: frames are charged to
 * the cgroup of whoever faults as the kernel's memory, which belongs to no list
 * that reclaim of a cgroup looks through. There the fault itself evicts pages
 * of its own space before it lets anybody be killed (vmd_folio_alloc).
 */
#include "compat.h"
#include "space.h"

static struct shrinker *shrink_shrinker;
static u64 shrink_last;		/* id of the space asked last; races do no harm */

static unsigned long shrink_floor(struct vmd_space *space)
{
	u64 floor = (u64)READ_ONCE(space->budget) * vmd_floor();

	return max_t(u64, div_u64(floor, 100), VMD_RESERVE_FRAMES);
}

static unsigned long shrink_count(struct shrinker *shrinker,
				  struct shrink_control *sc)
{
	struct vmd_space *space;
	unsigned long n = 0;
	u64 id = 0;

	if (!vmd_frames_total())
		return SHRINK_EMPTY;
	while ((space = vmd_space_next(id))) {
		id = space->id;
		n += vmd_evict_clean_most(space, shrink_floor(space)) <<
		     vmd_space_order(space);
		vmd_space_put_later(space);
	}
	return n;
}

/* The next space in turn, with a reference; after the last comes the first. */
static struct vmd_space *shrink_next(void)
{
	struct vmd_space *space = vmd_space_next(READ_ONCE(shrink_last));

	if (!space)
		space = vmd_space_next(0);
	if (space)
		WRITE_ONCE(shrink_last, space->id);
	return space;
}

/* In pages of the space. */
static unsigned long shrink_want(struct vmd_space *space,
				 struct shrink_control *sc, unsigned long freed)
{
	unsigned long unit = 1UL << vmd_space_order(space);

	return DIV_ROUND_UP(sc->nr_to_scan - freed, unit);
}

/*
 * Every space is asked once, until there is enough. That nothing came of it is
 * no reason to stop: pages that were touched may go when they are asked again.
 */
static unsigned long shrink_scan(struct shrinker *shrinker,
				 struct shrink_control *sc)
{
	unsigned long freed = 0, spaces = vmd_space_count();
	struct vmd_space *space;
	bool tried = false;
	int n;

	while (freed < sc->nr_to_scan && spaces-- && (space = shrink_next())) {
		n = vmd_evict_clean(space, shrink_want(space, sc, freed),
				    shrink_floor(space));
		if (n > 0) {
			vmd_count_more(space, reclaimed, n);
			freed += (unsigned long)n << vmd_space_order(space);
		}
		tried |= n >= 0;
		vmd_space_put_later(space);
	}
	return tried ? freed : SHRINK_STOP;
}

/**
 * vmd_shrink_init - let the kernel ask for memory
 */
int vmd_shrink_init(void)
{
	shrink_shrinker = vmd_shrinker_register(shrink_count, shrink_scan,
						VMD_BATCH_MAX);
	return shrink_shrinker ? 0 : -ENOMEM;
}

/**
 * vmd_shrink_exit - undo vmd_shrink_init(); last references are gone, too
 */
void vmd_shrink_exit(void)
{
	vmd_shrinker_unregister(shrink_shrinker);
	flush_workqueue(vmd_idle_wq);
}
