// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading ahead: is a thread's next miss known before it happens?
 *
 * Each thread's misses in a space are looked at as a stream. One that goes on
 * from page to page, or by the same stride twice, gets a window of pages read
 * ahead; a miss where the window ended doubles it. How large windows get is a
 * matter of the space: a page that was read ahead and touched makes the bound
 * grow, one that has to go untouched halves it. A miss anywhere else ends the
 * stream: random access is left alone. madvise() may say it beforehand.
 *
 * Only in observer "accessed": the others promise that a page comes in when it
 * is touched.
 */
#include "space.h"

#define WINDOW_FIRST	4
/* A window is no more than this part of the budget. */
#define WINDOW_PART	16

static bool ahead_wanted(const struct vmd_access *a)
{
	return a->vmf && READ_ONCE(a->space->observer) == VMD_OBSERVER_ACCESSED &&
	       !vmd_stepping(a->space) &&
	       !(a->vmf->vma->vm_flags & VM_RAND_READ) && vmd_readahead();
}

static u32 ahead_most(struct vmd_space *space)
{
	unsigned long part = READ_ONCE(space->limit) / WINDOW_PART;

	/* In larger pages there is enough of what is ahead anyway. */
	part = min_t(unsigned long, part, vmd_readahead());
	return min(part, (unsigned long)READ_ONCE(space->ahead_most) >>
			 vmd_space_order(space));
}

/* The window after the miss at @index. */
static u32 ahead_window(const struct vmd_access *a, struct vmd_stream *s)
{
	long stride = (long)a->index - (long)s->last;

	if (s->window && a->index == s->next)
		return 2 * s->window;
	if (stride > 0 && (stride == 1 || stride == s->stride)) {
		s->stride = stride;
		return a->vmf->vma->vm_flags & VM_SEQ_READ ? VMD_AHEAD_MAX :
							     WINDOW_FIRST;
	}
	s->stride = stride;
	return 0;
}

/**
 * vmd_ahead_guess - what is likely to be wanted after a miss
 * @a: the access: ahead and stride are set
 * @s: its thread's stream in this space
 */
void vmd_ahead_guess(struct vmd_access *a, struct vmd_stream *s)
{
	/* The VMA is off limits once the fault's lock was given up. */
	if (a->file || !ahead_wanted(a))
		return;
	s->window = min(ahead_window(a, s), ahead_most(a->space));
	s->last = a->index;
	s->next = a->index + (s->window + 1) * s->stride;
	a->ahead = s->window;
	a->stride = s->stride;
}

/**
 * vmd_ahead_hit - a resident page was touched: had it been read ahead?
 * @space: of which
 * @f: its frame
 */
void vmd_ahead_hit(struct vmd_space *space, struct vmd_frame *f)
{
	u32 most;

	if (likely(!vmd_frame_test(f, VMD_FRAME_AHEAD)))
		return;
	vmd_frame_clear(f, VMD_FRAME_AHEAD);
	vmd_count_more(space, prefetch_hits, 1);
	/* Races lose a step. */
	most = READ_ONCE(space->ahead_most);
	if (most < VMD_AHEAD_MAX)
		WRITE_ONCE(space->ahead_most, most + 1);
}

/**
 * vmd_ahead_wasted - a page goes: was it read ahead in vain?
 * @space: of which
 * @f: its frame
 */
void vmd_ahead_wasted(struct vmd_space *space, struct vmd_frame *f)
{
	u32 most;

	if (likely(!vmd_frame_test(f, VMD_FRAME_AHEAD)))
		return;
	vmd_count_more(space, prefetch_wasted, 1);
	most = READ_ONCE(space->ahead_most);
	WRITE_ONCE(space->ahead_most, max(most / 2, 1U));
}
