// SPDX-License-Identifier: GPL-2.0-only
/*
 * One shadow; see shadow.h.
 *
 * Pages are found by a hash table of chains, all of it made beforehand: an
 * array of heads, and an entry for each slot that leads to the next one of its
 * chain, or, of a free slot, to the next free one.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "shadow.h"

/**
 * struct shadow_slot - a frame that holds nothing
 * @page: which would be in it
 * @next: slot behind it in its chain, VMD_NO_SLOT: none
 * @dirty: it was written since it came in
 */
struct shadow_slot {
	u64 page;
	u32 next;
	u32 dirty;
};

/**
 * struct vmd_shadow - a policy that runs on metadata alone
 * @choice: the policy
 * @state: its memory
 * @state_bytes: how much that is
 * @slot: the frames
 * @heads: the first slot of each chain
 * @head_shift: the hash, shifted by so many, is the number of a chain
 * @shift: it looks at one page in 2^@shift
 * @slots: how many @slot there are
 * @frames: how many of them may be used
 * @resident: how many are
 * @free: the first that is not
 * @counts: so far
 */
struct vmd_shadow {
	struct vmd_policy_choice choice;
	void *state;
	size_t state_bytes;
	struct shadow_slot *slot;
	u32 *heads;
	u32 head_shift;
	u32 shift;
	u32 slots;
	u32 frames;
	u32 resident;
	u32 free;
	struct vmd_shadow_counts counts;
};

static u32 shadow_heads(const struct vmd_shadow *s)
{
	return 1U << (32 - s->head_shift);
}

/* The bits that decide about the sample are the upper ones. */
static u32 *shadow_head(const struct vmd_shadow *s, u64 page)
{
	return &s->heads[(u64)lower_32_bits(vmd_shadow_hash(page)) >>
			 s->head_shift];
}

static u32 shadow_find(const struct vmd_shadow *s, u64 page)
{
	u32 slot = *shadow_head(s, page);

	while (slot != VMD_NO_SLOT && s->slot[slot].page != page)
		slot = s->slot[slot].next;
	return slot;
}

static void shadow_link(struct vmd_shadow *s, u32 slot)
{
	u32 *head = shadow_head(s, s->slot[slot].page);

	s->slot[slot].next = *head;
	*head = slot;
}

static void shadow_unlink(struct vmd_shadow *s, u32 slot)
{
	u32 *at = shadow_head(s, s->slot[slot].page);

	while (*at != slot)
		at = &s->slot[*at].next;
	*at = s->slot[slot].next;
}

/* All slots there are from @first on become free, the lowest to go first. */
static void shadow_add_free(struct vmd_shadow *s, u32 first)
{
	u32 slot;

	for (slot = s->slots; slot-- > first;) {
		s->slot[slot].next = s->free;
		s->free = slot;
	}
}

static void shadow_remove(struct vmd_shadow *s, u32 slot, enum vmd_removal why)
{
	s->choice.ops->removed(s->state, slot, why);
	shadow_unlink(s, slot);
	s->slot[slot].next = s->free;
	s->free = slot;
	s->resident--;
}

/* Returns false if the policy has nothing to propose, which is an error. */
static bool shadow_evict(struct vmd_shadow *s)
{
	u32 slot;

	if (WARN_ON_ONCE(!s->choice.ops->victim(s->state, &slot, 1)))
		return false;
	s->counts.evictions++;
	s->counts.evictions_dirty += s->slot[slot].dirty;
	shadow_remove(s, slot, VMD_REMOVED_EVICTED);
	return true;
}

static void shadow_insert(struct vmd_shadow *s, u64 page, bool write)
{
	u32 slot = s->free;

	s->free = s->slot[slot].next;
	s->slot[slot].page = page;
	s->slot[slot].dirty = write;
	shadow_link(s, slot);
	s->resident++;
	s->choice.ops->inserted(s->state, slot, page,
				write ? VMD_REF_WRITE : 0);
}

static int shadow_alloc(struct vmd_shadow *s, u32 frames)
{
	const struct vmd_policy_ops *ops = s->choice.ops;
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN;
	size_t size = max_t(size_t, ops->state_size(s->slots, frames), 64);

	/* Powers of two, and whole pages, are aligned as the contract says. */
	s->state_bytes = size < PAGE_SIZE ? roundup_pow_of_two(size) : size;
	s->state = kvzalloc(s->state_bytes, gfp);
	s->slot = kvcalloc(s->slots, sizeof(*s->slot), gfp);
	s->heads = kvmalloc_array(shadow_heads(s), sizeof(*s->heads), gfp);
	if (!s->state || !s->slot || !s->heads)
		return -ENOMEM;
	memset(s->heads, 0xff, shadow_heads(s) * sizeof(*s->heads));
	return 0;
}

/* Without a policy's state and without slots that are free, if all goes well. */
static struct vmd_shadow *shadow_new(const struct vmd_policy_choice *choice,
				     u32 slots, u32 frames, u32 state_frames)
{
	struct vmd_shadow *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	BUILD_BUG_ON(sizeof(struct shadow_slot) != VMD_SHADOW_SLOT_BYTES);
	if (!s)
		return NULL;
	s->choice = *choice;
	s->frames = frames;
	s->slots = slots;
	s->free = VMD_NO_SLOT;
	s->head_shift = 32 - order_base_2(slots);
	if (!shadow_alloc(s, state_frames))
		return s;
	vmd_shadow_free(s);
	return NULL;
}

/**
 * vmd_shadow_make - an empty shadow
 * @choice: its policy; not one that has to know the future
 * @frames: frames of the memory it stands for
 * @shift: it looks at one page in 2^@shift, up to VMD_SHADOW_SHIFT_MAX
 *
 * May sleep. Returns it, or NULL if there is no memory.
 */
struct vmd_shadow *vmd_shadow_make(const struct vmd_policy_choice *choice,
				   u64 frames, u32 shift)
{
	u32 scaled = vmd_shadow_frames_for(frames, shift);
	struct vmd_shadow *s = shadow_new(choice, scaled, scaled, scaled);

	if (!s)
		return NULL;
	s->shift = shift;
	shadow_add_free(s, 0);
	choice->ops->init(s->state, scaled, scaled, choice->params);
	return s;
}

/**
 * vmd_shadow_free - undo vmd_shadow_make()
 * @s: a shadow, or NULL; nobody uses it any more
 */
void vmd_shadow_free(struct vmd_shadow *s)
{
	if (!s)
		return;
	kvfree(s->heads);
	kvfree(s->slot);
	kvfree(s->state);
	kfree(s);
}

/**
 * vmd_shadow_make_like - room for a shadow that changes its frames
 * @from: the shadow; it does not change its frames meanwhile, all else may
 * @frames: frames of the memory it shall stand for
 *
 * May sleep. Returns a shadow that only vmd_shadow_inherit() makes one of, or
 * NULL if there is no memory.
 */
struct vmd_shadow *vmd_shadow_make_like(const struct vmd_shadow *from,
					u64 frames)
{
	u32 scaled = vmd_shadow_frames_for(frames, from->shift);
	struct vmd_shadow *s = shadow_new(&from->choice,
					  max(scaled, from->slots), scaled,
					  max(scaled, from->frames));

	if (s)
		s->shift = from->shift;
	return s;
}

struct shadow_heir {
	struct vmd_shadow *s;
	bool insert;
};

static bool shadow_inherit_one(void *arg, u32 slot)
{
	const struct shadow_heir *heir = arg;
	struct vmd_shadow *s = heir->s;

	shadow_link(s, slot);
	s->resident++;
	if (heir->insert)
		s->choice.ops->inserted(s->state, slot, s->slot[slot].page, 0);
	return true;
}

/* As vmd_policy_reshape() does it in the space itself. */
static void shadow_inherit_state(struct vmd_shadow *s,
				 const struct vmd_shadow *from)
{
	const struct vmd_policy_ops *ops = s->choice.ops;
	struct shadow_heir heir = { .s = s, .insert = !ops->resize };

	if (ops->resize) {
		/* Not a byte more: behind it are to be zeros. */
		memcpy(s->state, from->state,
		       ops->state_size(from->slots, from->frames));
		ops->resize(s->state, s->slots, s->frames);
	} else {
		ops->init(s->state, s->slots, s->frames, s->choice.params);
	}
	ops->walk(from->state, shadow_inherit_one, &heir);
}

/**
 * vmd_shadow_inherit - go on where another shadow is: the budget has changed
 * @s: from vmd_shadow_make_like()
 * @from: the shadow that was given there; to be freed after this
 *
 * What has no room any more is evicted first, and counted. Takes some 50 ns a
 * page.
 */
void vmd_shadow_inherit(struct vmd_shadow *s, struct vmd_shadow *from)
{
	while (from->resident > s->frames)
		if (!shadow_evict(from))
			return;
	memcpy(s->slot, from->slot, from->slots * sizeof(*s->slot));
	s->free = from->free;
	shadow_add_free(s, from->slots);
	s->counts = from->counts;
	shadow_inherit_state(s, from);
}

/**
 * vmd_shadow_seed - a page that is resident as the shadow begins
 * @s: the shadow
 * @page: the page; not counted
 *
 * To be called in the order in which they would be evicted. Those that find no
 * frame free take that of one that came before.
 */
void vmd_shadow_seed(struct vmd_shadow *s, u64 page)
{
	struct vmd_shadow_counts counts = s->counts;

	if (!vmd_shadow_sampled(page, s->shift) ||
	    shadow_find(s, page) != VMD_NO_SLOT)
		return;
	if (s->resident < s->frames || shadow_evict(s))
		shadow_insert(s, page, false);
	s->counts = counts;
}

/**
 * vmd_shadow_reference - a reference to a page
 * @s: the shadow
 * @page: the page
 * @write: the access writes
 */
enum vmd_shadow_ref vmd_shadow_reference(struct vmd_shadow *s, u64 page,
					 bool write)
{
	u32 slot;

	if (!vmd_shadow_sampled(page, s->shift))
		return VMD_SHADOW_PASSED;
	s->counts.references++;
	slot = shadow_find(s, page);
	if (slot != VMD_NO_SLOT) {
		s->slot[slot].dirty |= write;
		vmd_policy_touched(s->choice.ops, s->state, slot,
				   write ? VMD_REF_WRITE : 0);
		return VMD_SHADOW_HIT;
	}
	s->counts.misses++;
	vmd_policy_missed(s->choice.ops, s->state, page);
	if (s->resident < s->frames || shadow_evict(s))
		shadow_insert(s, page, write);
	return VMD_SHADOW_MISS;
}

/**
 * vmd_shadow_has - is the page in a frame?
 * @s: the shadow
 * @page: the page
 */
bool vmd_shadow_has(const struct vmd_shadow *s, u64 page)
{
	return shadow_find(s, page) != VMD_NO_SLOT;
}

/**
 * vmd_shadow_drop - a page's content is gone for good (truncation, a hole)
 * @s: the shadow
 * @page: the page, in a frame or not
 */
void vmd_shadow_drop(struct vmd_shadow *s, u64 page)
{
	u32 slot = shadow_find(s, page);

	if (slot != VMD_NO_SLOT)
		shadow_remove(s, slot, VMD_REMOVED_DROPPED);
}

/**
 * vmd_shadow_counts - what it has counted so far, of its sample
 * @s: the shadow
 * @out: filled
 */
void vmd_shadow_counts(const struct vmd_shadow *s,
		       struct vmd_shadow_counts *out)
{
	*out = s->counts;
}

/**
 * vmd_shadow_reset - count from 0; what is in its frames stays there
 * @s: the shadow
 */
void vmd_shadow_reset(struct vmd_shadow *s)
{
	memset(&s->counts, 0, sizeof(s->counts));
}

/**
 * vmd_shadow_policy - its policy
 * @s: the shadow
 */
const struct vmd_policy_choice *vmd_shadow_policy(const struct vmd_shadow *s)
{
	return &s->choice;
}

/**
 * vmd_shadow_frames - how many frames it has, after scaling
 * @s: the shadow
 */
u32 vmd_shadow_frames(const struct vmd_shadow *s)
{
	return s->frames;
}

/**
 * vmd_shadow_bytes - how much memory it takes
 * @s: the shadow
 */
size_t vmd_shadow_bytes(const struct vmd_shadow *s)
{
	return sizeof(*s) + s->state_bytes + s->slots * sizeof(*s->slot) +
	       shadow_heads(s) * sizeof(*s->heads);
}
