// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queues that a space's policy keeps its pages in: VMD_IOC_QUEUES. They are
 * looked at under the policy's lock, so that all is of one instant: into memory
 * that was allocated before, and no more of each queue than was asked for.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "space.h"

/**
 * struct queues_look - what is seen so far
 * @view: what the policy knows of us
 * @space: of which
 * @out: its queues; the one shown now is the last
 * @queued: pages, as many as @out says
 * @room: for so many
 * @closed: pages belong to no queue that is shown
 */
struct queues_look {
	struct vmd_queue_view view;
	struct vmd_space *space;
	struct vmd_queues *out;
	struct vmd_queued *queued;
	u32 room;
	bool closed;
};

static void queues_queue(struct vmd_queue_view *view, const char *name,
			 const char *number, u32 nr, u32 share)
{
	struct queues_look *look = view->arg;
	struct vmd_queue *queue;

	look->closed = look->out->nr == VMD_QUEUES_MAX;
	if (look->closed)
		return;
	queue = &look->out->queues[look->out->nr++];
	strscpy(queue->name, name, sizeof(queue->name));
	strscpy(queue->number, number ? number : "", sizeof(queue->number));
	queue->pages = nr;
	queue->share = share;
	queue->first = look->out->count;
}

/* Returns whether there is room for another one. */
static bool queues_page(struct vmd_queue_view *view, u32 slot, u64 key,
			u32 flags, u64 number)
{
	struct queues_look *look = view->arg;
	struct vmd_queue *queue = look->out->queues + look->out->nr - 1;
	struct vmd_queued *page = look->queued + look->out->count;

	if (look->closed || look->out->count == look->room ||
	    queue->shown == look->out->each)
		return false;
	page->page = key;
	if (slot != VMD_NO_SLOT)
		page->page = vmd_frame_by_id(look->space, slot)->index;
	page->flags = flags;
	page->number = min_t(u64, number, U32_MAX);
	look->out->count++;
	queue->shown++;
	return true;
}

static void queues_read(struct queues_look *look)
{
	struct vmd_space *space = look->space;

	spin_lock(&space->policy_lock);
	vmd_policy_format(&space->policy, look->out->policy,
			  sizeof(look->out->policy));
	if (space->ways)
		vmd_place_queues(space->policy_state, VMD_QUEUES_MAX,
				 &look->view);
	else
		vmd_policy_queues(space->policy.ops, space->policy_state,
				  &look->view);
	spin_unlock(&space->policy_lock);
}

/**
 * vmd_queues_look - carry out VMD_IOC_QUEUES
 * @space: of which
 * @q: how much is wanted; the rest is filled
 */
int vmd_queues_look(struct vmd_space *space, struct vmd_queues *q)
{
	struct queues_look look = {
		.view = { queues_queue, queues_page, &look },
		.space = space,
		.out = q,
		.room = q->count,
	};
	int err = 0;

	if (q->flags || !q->each || q->count > VMD_QUEUED_MAX)
		return -EINVAL;
	look.queued = kvcalloc(look.room + 1, sizeof(*look.queued),
			       GFP_KERNEL_ACCOUNT);
	if (!look.queued)
		return -ENOMEM;
	q->count = 0;
	q->nr = 0;
	memset(q->queues, 0, sizeof(q->queues));
	queues_read(&look);
	/* Nothing is locked here: the buffer may be in the space. */
	if (copy_to_user(u64_to_user_ptr(q->queued), look.queued,
			 q->count * sizeof(*look.queued)))
		err = -EFAULT;
	kvfree(look.queued);
	return err;
}
