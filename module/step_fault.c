// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stepping: what is told of a fault.
 *
 * It is written down as the fault goes its way, without a lock: it is the
 * faulting thread's own. It is told when all is done for it, and before the
 * instruction is restarted; the page may have gone again when the thread is let
 * go: the core faults anew.
 *
 * Who wants each phase is told, and halts it, twice before: at its beginning,
 * and, where no frame is free, when the policy was asked who should go and
 * nothing has gone yet. All of that is before the fault is served, so that the
 * thread holds nothing: neither the page's entry, nor a victim, nor a promise of
 * room in a recording. The answer is a look ahead, and is told as such: the
 * policy was told what it is told before it is asked in earnest, and answers the
 * same unless something happens in the space meanwhile; but pages that were
 * accessed, or are in use, are found out only then, and so is another victim.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "stepped.h"

/* May it be halted? The lock is given up where it may. */
static u32 step_may_halt(struct vmd_access *a, u32 flags)
{
	if (!(a->vmf->flags & FAULT_FLAG_USER))
		return VMD_STEP_KERNEL;
	if (flags & VMD_STEP_OWN)
		return 0;
	vmd_may_wait(a);
	return a->file ? VMD_STEP_HALTED : VMD_STEP_TRIED;
}

/* What is known without doing anything, as it is now. */
static void step_find(struct vmd_access *a, struct vmd_step_fault *fault)
{
	fault->used = vmd_space_resident(a->space);
	fault->frames = vmd_space_limit(a->space);
	vmd_page_look(a->space, a->index, &fault->before);
}

/* What it looks like before it is served: enum vmd_step_kind. */
static u32 step_expect(const struct vmd_access *a)
{
	if (a->index >= READ_ONCE(a->space->nr_pages))
		return VMD_STEP_ILLEGAL;
	switch (a->step->fault.before.state) {
	case VMD_PAGE_ABSENT:
		return VMD_STEP_ZERO;
	case VMD_PAGE_SWAPPED:
		return VMD_STEP_READ;
	default:
		return VMD_STEP_SOFT;
	}
}

/* Tell of a phase, and wait. Returns as vmd_stepped_tell(). */
static int step_phase(struct vmd_access *a, u32 phase)
{
	struct vmd_step_fault *fault = &a->step->fault;
	int err;

	fault->kind = step_expect(a);
	fault->phase = phase;
	err = vmd_stepped_tell(a);
	if (a->step) {
		/* What comes of it is told at the end. */
		fault->kind = 0;
		fault->phase = VMD_STEP_END;
	}
	return err;
}

static void step_reason(struct vmd_stepped *s, bool known)
{
	struct vmd_step_fault *fault = &s->fault;

	memset(fault->numbers, 0, sizeof(fault->numbers));
	fault->why = VMD_WHY_UNTOLD;
	if (known) {
		fault->why = s->why.code;
		memcpy(fault->numbers, s->why.nr, sizeof(fault->numbers));
	}
	memcpy(fault->policy, s->policy, sizeof(fault->policy));
}

/* Will some page have to go for it, as far as can be seen? */
static bool step_lacks_frame(struct vmd_access *a)
{
	struct vmd_space *space = a->space;

	if (a->index >= READ_ONCE(space->nr_pages) ||
	    vmd_entry_is_frame(xa_load(&space->pages, a->index)))
		return false;
	a->crowded = !vmd_placed_room(space, a->index);
	return !vmd_frame_may_charge(a);
}

/*
 * Ask the policy who should go, as eviction is going to. Returns false if it has
 * nobody.
 */
static bool step_propose(struct vmd_access *a)
{
	struct vmd_step_fault *fault = &a->step->fault;
	struct vmd_page *page = &fault->victim_entry;
	struct vmd_space *space = a->space;
	u32 id;

	vmd_decide_missed(space, a->index, true);
	if (!vmd_step_victims(a->step, space, vmd_placed_from(a), &id, 1))
		return false;
	fault->victim = READ_ONCE(vmd_frame_by_id(space, id)->index);
	fault->victim_frame = id;
	/* Also what page tables say: it has not been unmapped. */
	if (!vmd_pages_look(space, fault->victim, page, 1))
		memset(page, 0, sizeof(*page));
	fault->victim_slot = ~0ULL;
	if (page->flags & VMD_PAGE_SLOT && !(page->flags & VMD_PAGE_DIRTY))
		fault->victim_slot = page->slot;
	step_reason(a->step, true);
	return true;
}

/* It may turn out that nobody has to go, after all. */
static void step_forget_victim(struct vmd_step_fault *fault)
{
	fault->victim = 0;
	fault->victim_frame = 0;
	fault->victim_slot = 0;
	fault->why = 0;
	memset(&fault->victim_entry, 0, sizeof(fault->victim_entry));
	memset(fault->numbers, 0, sizeof(fault->numbers));
	memset(fault->policy, 0, sizeof(fault->policy));
}

/* The phases before it is served. Returns as vmd_stepped_tell(). */
static int step_phases(struct vmd_access *a)
{
	int err = step_phase(a, VMD_STEP_BEGIN);

	if (err)
		return err;
	/* That may have taken its time. */
	step_find(a, &a->step->fault);
	if (!vmd_stepping(a->space) || !step_lacks_frame(a) || !step_propose(a))
		return 0;
	err = step_phase(a, VMD_STEP_VICTIM);
	if (err)
		return err;
	step_forget_victim(&a->step->fault);
	step_find(a, &a->step->fault);
	return 0;
}

/* Nothing is told of it any more. */
static void step_over(struct vmd_access *a)
{
	kfree(a->step);
	a->step = NULL;
}

/**
 * vmd_step_enter - a fault begins in a space that is stepped
 * @a: the access; its lock may be given up
 *
 * Returns 0; or -EINTR if a signal came while it was halted: it is to be taken
 * first, and nothing was done.
 */
int vmd_step_enter(struct vmd_access *a)
{
	struct vmd_space *space = a->space;
	struct vmd_stepped *s;
	int err = 0;

	s = kzalloc(sizeof(*s),
		    GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN);
	if (!s) {
		vmd_stepped_lost(space);
		return 0;
	}
	INIT_LIST_HEAD(&s->list);
	if (!vmd_stepped_begin(s, a)) {
		kfree(s);
		return 0;
	}
	s->fault.address = a->vmf->address;
	s->fault.page = a->index;
	s->fault.flags |= a->write ? VMD_STEP_WRITE : 0;
	s->fault.flags |= step_may_halt(a, s->fault.flags);
	step_find(a, &s->fault);
	a->step = s;
	if (s->phases && s->fault.flags & VMD_STEP_HALTED)
		err = step_phases(a);
	if (err)
		step_over(a);
	return err;
}

/**
 * vmd_step_victims - vmd_decide_victims(), asking why if that is to be told
 * @s: the fault that is told of, or NULL
 * @space: of which
 * @from: as there
 * @out: frame numbers, in order
 * @max: how many at most
 */
u32 vmd_step_victims(struct vmd_stepped *s, struct vmd_space *space, u64 from,
		     u32 *out, u32 max)
{
	return vmd_decide_victims(space, from, out, max, s ? &s->why : NULL,
				  s ? s->policy : NULL);
}

/**
 * vmd_step_chose - pages were proposed, and looked at
 * @s: the fault
 * @f: the first one that goes, its folio locked; NULL: none of them
 * @first: the frame that was proposed first
 * @n: how many were proposed
 */
void vmd_step_chose(struct vmd_stepped *s, const struct vmd_frame *f,
		    u32 first, u32 n)
{
	struct vmd_step_fault *fault = &s->fault;
	struct vmd_page *page = &fault->victim_entry;

	if (!f) {
		fault->passed += n;
		return;
	}
	fault->victim = f->index;
	fault->victim_frame = f->id;
	memset(page, 0, sizeof(*page));
	page->state = VMD_PAGE_RESIDENT;
	page->faults = f->faults;
	page->flags = folio_test_dirty(f->folio) ? VMD_PAGE_DIRTY : 0;
	fault->victim_slot = ~0ULL;
	if (f->place != VMD_NO_PLACE) {
		page->flags |= VMD_PAGE_SLOT;
		page->slot = f->place;
		fault->victim_slot = f->place;
	}
	step_reason(s, f->id == first);
}

/**
 * vmd_step_writes - the victim is being written
 * @s: the fault
 * @place: where to
 */
void vmd_step_writes(struct vmd_stepped *s, u32 place)
{
	s->fault.victim_entry.flags |= VMD_PAGE_DIRTY;
	s->fault.victim_slot = place;
}

/**
 * vmd_step_evicted - what has become of it
 * @s: the fault
 * @ret: of vmd_batch_run()
 */
void vmd_step_evicted(struct vmd_stepped *s, int ret)
{
	if (ret > 0) {
		s->fault.flags |= VMD_STEP_EVICTED;
		s->fault.evicted += ret;
	} else if (ret != -EAGAIN) {
		s->fault.passed++;
	}
}

/**
 * vmd_step_served - the fault is served
 * @a: the access; the page's folio is locked, if there is a page
 * @kind: enum vmd_step_kind
 */
void vmd_step_served(struct vmd_access *a, u32 kind)
{
	struct vmd_step_fault *fault = &a->step->fault;
	void *entry;

	fault->kind = kind;
	if (kind == VMD_STEP_ILLEGAL)
		return;
	entry = xa_load(&a->space->pages, a->index);
	if (vmd_entry_is_frame(entry))
		fault->frame = ((struct vmd_frame *)entry)->id;
	vmd_page_look(a->space, a->index, &fault->after);
}

/**
 * vmd_step_failed - the page could not be brought in
 * @a: the access
 * @err: why
 */
void vmd_step_failed(struct vmd_access *a, int err)
{
	/* A second try for the same error is no news; who is killed needs none. */
	if (a->vmf->flags & FAULT_FLAG_TRIED || err == -EINTR)
		return;
	a->step->fault.kind = VMD_STEP_FAILED;
	a->step->fault.error = -err;
	vmd_page_look(a->space, a->index, &a->step->fault.after);
}

/**
 * vmd_step_leave - the fault is over: tell of it, and wait to be let go
 * @a: the access; nothing is locked, if its lock was given up
 */
void vmd_step_leave(struct vmd_access *a)
{
	/* Nothing to be told: only mapped, after it was told of. */
	if (a->step->fault.kind)
		vmd_stepped_tell(a);
	step_over(a);
}
