/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pages that a policy knows: resident ones, and ghosts, which are gone and
 * remembered by key. Each is a node in one of a few doubly linked lists; what
 * is known of a page stays with its node when the page goes and comes back.
 *
 * Node l is the head of list l; all numbers in nodes are those of nodes, so 0,
 * a head, can stand for "none" in chains and in the free list. Only ghosts are
 * in the hash table: a resident page is found by its slot.
 *
 * In memory: the policy's own struct, whose first member is struct vmd_known;
 * the nodes; the node of each slot; the buckets. The nodes do not move when the
 * state grows. 32 bytes for a node and 4 per slot; 4 to 8 for a ghost's bucket:
 * 36 bytes per slot and at most 40 per ghost.
 *
 * Room for ghosts goes by slots, not by frames: slots never get fewer, and a
 * memory of many frames that never had many pages needs no room for ghosts.
 *
 * kept() *parks* a page: it stays known as of its list (its home), but is set
 * aside in list 0, and proposed again when there is nobody else, longest
 * parked first. The next page that comes, not being one that is restored, sends
 * all back to the ends of their homes. So any number of proposals in a row that
 * are all kept go once round.
 */
#ifndef _VMD_POLICY_GHOST_H
#define _VMD_POLICY_GHOST_H

#include "list.h"

#define VMD_KNOWN_PARKED	0	/* the list of those set aside */
#define VMD_KNOWN_LISTS		6	/* with it */
#define VMD_KNOWN_FREE		0xff	/* vmd_node.list of a free node */
#define VMD_KNOWN_SPARE		4	/* nodes more than pages */

struct vmd_node {
	u64 key;
	u32 prev;	/* in its list; of a list's head: the last */
	u32 next;	/* in its list; of a list's head: the first */
	u32 chain;	/* of a ghost: next one in its bucket, 0 if none */
	u32 slot;	/* VMD_NO_SLOT: a ghost */
	u8 list;	/* where it is */
	u8 home;	/* where it belongs; of a ghost: where it came from */
	u8 await;	/* the reference that brought it is to be reported */
	u8 flag;	/* the policy's */
	u32 count;	/* the policy's */
};

/**
 * struct vmd_known - first member of a policy's state
 * @slots: as the policy was told
 * @frames: likewise
 * @offset: of the nodes, from the start of the state
 * @ghosts: most ghosts
 * @bits: binary logarithm of the number of buckets
 * @free: first free node, linked by next; 0 if none
 * @fresh: nodes from this one on were never used
 * @nr: nodes in a list
 */
struct vmd_known {
	u32 slots;
	u32 frames;
	u32 offset;
	u32 ghosts;
	u32 bits;
	u32 free;
	u32 fresh;
	u32 nr[VMD_KNOWN_LISTS];
	u32 pad;
};

static inline struct vmd_node *vmd_known_nodes(const struct vmd_known *k)
{
	return (struct vmd_node *)((char *)k + k->offset);
}

static inline size_t vmd_known_nr_nodes(u32 slots, u32 ghosts)
{
	return (size_t)slots + ghosts + VMD_KNOWN_LISTS + VMD_KNOWN_SPARE;
}

/* The node of each slot. */
static inline u32 *vmd_known_map(const struct vmd_known *k)
{
	return (u32 *)(vmd_known_nodes(k) +
		       vmd_known_nr_nodes(k->slots, k->ghosts));
}

static inline u32 *vmd_known_buckets(const struct vmd_known *k)
{
	return vmd_known_map(k) + k->slots;
}

/* Behind all of it, aligned: what a policy has more. */
static inline void *vmd_known_behind(const struct vmd_known *k)
{
	size_t end = (char *)(vmd_known_buckets(k) + ((size_t)1 << k->bits)) -
		     (char *)k;

	return (char *)k + ((end + 7) & ~(size_t)7);
}

static inline u32 vmd_known_bits(u32 ghosts)
{
	u32 bits = 0;

	while (((u64)1 << bits) < ghosts)
		bits++;
	return bits;
}

/* Bytes of a state whose own struct has @own of them, a multiple of 8. */
static inline size_t vmd_known_size(size_t own, u32 slots, u32 ghosts)
{
	return own +
	       vmd_known_nr_nodes(slots, ghosts) * sizeof(struct vmd_node) +
	       (size_t)slots * sizeof(u32) +
	       ((size_t)1 << vmd_known_bits(ghosts)) * sizeof(u32);
}

static inline void vmd_known_init(struct vmd_known *k, size_t own, u32 slots,
				  u32 frames, u32 ghosts)
{
	struct vmd_node *node;
	u32 list;

	k->slots = slots;
	k->frames = frames;
	k->offset = (u32)own;
	k->ghosts = ghosts;
	k->bits = vmd_known_bits(ghosts);
	k->fresh = VMD_KNOWN_LISTS;
	node = vmd_known_nodes(k);
	for (list = 0; list < VMD_KNOWN_LISTS; list++) {
		node[list].prev = list;
		node[list].next = list;
	}
}

/* Frames, as far as there are slots: what ghosts are measured by. */
static inline u32 vmd_known_frames(const struct vmd_known *k)
{
	return k->frames < k->slots ? k->frames : k->slots;
}

static inline u32 vmd_known_node(const struct vmd_known *k, u32 slot)
{
	return vmd_known_map(k)[slot];
}

/* The first one of @list, or the one behind @node there; 0: none. */
static inline u32 vmd_known_next(const struct vmd_known *k, u32 list, u32 node)
{
	u32 next = vmd_known_nodes(k)[node].next;

	return next == list ? 0 : next;
}

static inline u32 vmd_known_first(const struct vmd_known *k, u32 list)
{
	return vmd_known_next(k, list, list);
}

static inline void vmd_known_unlink(struct vmd_known *k, u32 at)
{
	struct vmd_node *node = vmd_known_nodes(k);

	node[node[at].prev].next = node[at].next;
	node[node[at].next].prev = node[at].prev;
	k->nr[node[at].list]--;
}

/* Put the node, which is in no list, last in @list. */
static inline void vmd_known_link(struct vmd_known *k, u32 at, u32 list)
{
	struct vmd_node *node = vmd_known_nodes(k);
	u32 last = node[list].prev;

	node[at].prev = last;
	node[at].next = list;
	node[last].next = at;
	node[list].prev = at;
	node[at].list = (u8)list;
	k->nr[list]++;
}

static inline void vmd_known_move(struct vmd_known *k, u32 at, u32 list)
{
	vmd_known_unlink(k, at);
	vmd_known_link(k, at, list);
}

/* The page belongs to @list from now on, as its last one. */
static inline void vmd_known_settle(struct vmd_known *k, u32 at, u32 list)
{
	vmd_known_nodes(k)[at].home = (u8)list;
	vmd_known_move(k, at, list);
}

static inline u32 *vmd_known_bucket(const struct vmd_known *k, u64 key)
{
	u64 hash = key * 0x9e3779b97f4a7c15ULL;

	return vmd_known_buckets(k) + (k->bits ? hash >> (64 - k->bits) : 0);
}

static inline void vmd_known_hash(struct vmd_known *k, u32 at)
{
	struct vmd_node *node = vmd_known_nodes(k) + at;
	u32 *bucket = vmd_known_bucket(k, node->key);

	node->chain = *bucket;
	*bucket = at;
}

static inline void vmd_known_unhash(struct vmd_known *k, u32 at)
{
	struct vmd_node *node = vmd_known_nodes(k);
	u32 *from = vmd_known_bucket(k, node[at].key);

	while (*from != at)
		from = &node[*from].chain;
	*from = node[at].chain;
}

/* The ghost of @key; 0 if there is none. */
static inline u32 vmd_known_ghost(const struct vmd_known *k, u64 key)
{
	const struct vmd_node *node = vmd_known_nodes(k);
	u32 at = *vmd_known_bucket(k, key);

	while (at && node[at].key != key)
		at = node[at].chain;
	return at;
}

/* A page that was unknown, in @slot and last in @list. */
static inline u32 vmd_known_add(struct vmd_known *k, u32 slot, u64 key,
				u32 list)
{
	struct vmd_node *node = vmd_known_nodes(k);
	u32 at = k->free;

	if (at)
		k->free = node[at].next;
	else
		at = k->fresh++;
	node[at] = (struct vmd_node){ .key = key, .slot = slot };
	node[at].home = (u8)list;
	vmd_known_map(k)[slot] = at;
	vmd_known_link(k, at, list);
	return at;
}

/* Forget the page, resident or not. */
static inline void vmd_known_forget(struct vmd_known *k, u32 at)
{
	struct vmd_node *node = vmd_known_nodes(k);

	if (node[at].slot == VMD_NO_SLOT)
		vmd_known_unhash(k, at);
	vmd_known_unlink(k, at);
	node[at].list = VMD_KNOWN_FREE;
	node[at].next = k->free;
	k->free = at;
}

/* The resident page is a ghost from now on, last in @list. */
static inline void vmd_known_bury(struct vmd_known *k, u32 at, u32 list)
{
	vmd_known_nodes(k)[at].slot = VMD_NO_SLOT;
	vmd_known_hash(k, at);
	vmd_known_move(k, at, list);
}

/* The ghost's page is in @slot again and last in @list. */
static inline void vmd_known_revive(struct vmd_known *k, u32 at, u32 slot,
				    u32 list)
{
	struct vmd_node *node = vmd_known_nodes(k) + at;

	vmd_known_unhash(k, at);
	node->slot = slot;
	node->await = false;
	vmd_known_map(k)[slot] = at;
	vmd_known_settle(k, at, list);
}

/* Forget the oldest of @list until there are no more than @most. */
static inline void vmd_known_trim(struct vmd_known *k, u32 list, u32 most)
{
	while (k->nr[list] > most)
		vmd_known_forget(k, vmd_known_first(k, list));
}

static inline void vmd_known_park(struct vmd_known *k, u32 at)
{
	vmd_known_move(k, at, VMD_KNOWN_PARKED);
}

static inline void vmd_known_unpark_all(struct vmd_known *k)
{
	u32 at;

	while ((at = vmd_known_first(k, VMD_KNOWN_PARKED)))
		vmd_known_move(k, at, vmd_known_nodes(k)[at].home);
}

/*
 * Take back a page that was removed: parked, as of the list it came from if it
 * is remembered, else of @list.
 */
static inline void vmd_known_restore(struct vmd_known *k, u32 slot, u64 key,
				     u32 list)
{
	u32 at = vmd_known_ghost(k, key);

	if (at)
		vmd_known_revive(k, at, slot, vmd_known_nodes(k)[at].home);
	else
		at = vmd_known_add(k, slot, key, list);
	vmd_known_park(k, at);
}

/* Whether a report is that of the reference that brought the page. */
static inline bool vmd_known_awaited(struct vmd_node *node)
{
	bool await = node->await;

	node->await = false;
	return await;
}

/* Give the slots of @list to @visit, in order; false if it has enough. */
static inline bool vmd_known_walk(const struct vmd_known *k, u32 list,
				  vmd_policy_visit_t visit, void *arg)
{
	const struct vmd_node *node = vmd_known_nodes(k);
	u32 at = node[list].next;

	for (; at != list; at = node[at].next) {
		if (!visit(arg, node[at].slot))
			return false;
	}
	return true;
}

/*
 * As two queues go of which @a gives pages while it has too many, @over, and
 * then @b as long as it has any: then the rest of @a, then who is parked.
 */
static inline void vmd_known_walk_two(const struct vmd_known *k, u32 a,
				      u32 over, u32 b,
				      vmd_policy_visit_t visit, void *arg)
{
	const struct vmd_node *node = vmd_known_nodes(k);
	u32 at = node[a].next;

	for (; over-- && at != a; at = node[at].next) {
		if (!visit(arg, node[at].slot))
			return;
	}
	if (!vmd_known_walk(k, b, visit, arg))
		return;
	for (; at != a; at = node[at].next) {
		if (!visit(arg, node[at].slot))
			return;
	}
	vmd_known_walk(k, VMD_KNOWN_PARKED, visit, arg);
}

/* After the state was copied to a larger place, or the budget changed. */
static inline void vmd_known_resize(struct vmd_known *k, u32 slots, u32 frames,
				    u32 ghosts)
{
	const u32 *map = vmd_known_map(k);
	u32 old = k->slots, at;

	k->frames = frames;
	if (slots == old)
		return;
	k->slots = slots;
	k->ghosts = ghosts;
	k->bits = vmd_known_bits(ghosts);
	memmove(vmd_known_map(k), map, (size_t)old * sizeof(*map));
	memset(vmd_known_buckets(k), 0, sizeof(*map) << k->bits);
	for (at = VMD_KNOWN_LISTS; at < k->fresh; at++) {
		if (vmd_known_nodes(k)[at].list != VMD_KNOWN_FREE &&
		    vmd_known_nodes(k)[at].slot == VMD_NO_SLOT)
			vmd_known_hash(k, at);
	}
}

#endif /* _VMD_POLICY_GHOST_H */
