/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slots ordered by a rank, by index instead of by pointer: a treap (C. R.
 * Aragon, R. G. Seidel, "Randomized search trees", FOCS 1989) whose random
 * numbers are hashes of the ranks. Nothing but the order can be seen from
 * outside, so the shape may depend on anything. O(log n) for every call, on
 * average; 24 bytes per slot.
 *
 * leaf[slot + 1] belongs to the slot and links are such indices too. leaf[0] is
 * nobody's: what is left of it is the root. So VMD_NO_SLOT stands for what is
 * before the first and behind the last, and zeroed memory is an empty tree.
 */
#ifndef _VMD_POLICY_TREE_H
#define _VMD_POLICY_TREE_H

#include "policy.h"

#define VMD_TREE_MIX	0xd6e8feb86659fd93ULL

struct vmd_leaf {
	u64 rank;	/* lowest first */
	u32 up;
	u32 left;
	u32 right;
	u32 prio;	/* lowest on top */
};

/* Bytes of a tree for slots numbered 0 to @slots - 1. */
static inline size_t vmd_tree_size(u32 slots)
{
	return ((size_t)slots + 1) * sizeof(struct vmd_leaf);
}

/* Put @at in the place of the one above it, which goes below. */
static inline void vmd_tree_rotate(struct vmd_leaf *leaf, u32 at)
{
	u32 top = leaf[at].up, up = leaf[top].up, inner;

	if (leaf[up].left == top)
		leaf[up].left = at;
	else
		leaf[up].right = at;
	leaf[at].up = up;
	leaf[top].up = at;
	if (leaf[top].left == at) {
		inner = leaf[at].right;
		leaf[top].left = inner;
		leaf[at].right = top;
	} else {
		inner = leaf[at].left;
		leaf[top].right = inner;
		leaf[at].left = top;
	}
	if (inner)
		leaf[inner].up = top;
}

/* @slot, which is not in the tree, comes behind all of its rank or a lower. */
static inline void vmd_tree_add(struct vmd_leaf *leaf, u32 slot, u64 rank)
{
	u64 hash = (rank ^ rank >> 32) * VMD_TREE_MIX;
	u32 at = slot + 1, up = 0, *link = &leaf[0].left;

	while (*link) {
		up = *link;
		link = rank < leaf[up].rank ? &leaf[up].left : &leaf[up].right;
	}
	*link = at;
	/* Twice: multiples in a row would be too even for chance. */
	hash = (hash ^ hash >> 32) * VMD_TREE_MIX;
	leaf[at] = (struct vmd_leaf){
		.rank = rank,
		.up = up,
		.prio = (u32)(hash >> 32),
	};
	while (leaf[at].up && leaf[at].prio < leaf[leaf[at].up].prio)
		vmd_tree_rotate(leaf, at);
}

static inline void vmd_tree_del(struct vmd_leaf *leaf, u32 slot)
{
	u32 at = slot + 1, child, up;

	while (leaf[at].left && leaf[at].right) {
		child = leaf[at].left;
		if (leaf[leaf[at].right].prio < leaf[child].prio)
			child = leaf[at].right;
		vmd_tree_rotate(leaf, child);
	}
	child = leaf[at].left ? leaf[at].left : leaf[at].right;
	up = leaf[at].up;
	if (leaf[up].left == at)
		leaf[up].left = child;
	else
		leaf[up].right = child;
	if (child)
		leaf[child].up = up;
}

/* The slot behind @slot; of VMD_NO_SLOT, the first one. */
static inline u32 vmd_tree_next(const struct vmd_leaf *leaf, u32 slot)
{
	u32 at = slot + 1, below = at ? leaf[at].right : leaf[0].left;

	if (below) {
		while (leaf[below].left)
			below = leaf[below].left;
		return below - 1;
	}
	while (at && leaf[leaf[at].up].right == at)
		at = leaf[at].up;
	return at ? leaf[at].up - 1 : VMD_NO_SLOT;
}

/* The last slot of rank @rank or a lower one; VMD_NO_SLOT if there is none. */
static inline u32 vmd_tree_floor(const struct vmd_leaf *leaf, u64 rank)
{
	u32 at = leaf[0].left, best = 0;

	while (at) {
		if (leaf[at].rank <= rank) {
			best = at;
			at = leaf[at].right;
		} else {
			at = leaf[at].left;
		}
	}
	return best - 1;
}

#endif /* _VMD_POLICY_TREE_H */
