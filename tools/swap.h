/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmdemoctl swapout, swapin: a space as a whole, as time-sharing systems swapped
 * programs before they paged. What was resident is remembered in between.
 *
 *	swap_list.c	runs of pages, and the file that they are kept in
 *	cmd_swap.c	both verbs
 */
#ifndef _CTL_SWAP_H
#define _CTL_SWAP_H

#include "device.h"

/* Runs of pages, in order. */
struct swap_list {
	struct ctl_range *runs;
	size_t nr;
	size_t room;
	__u64 pages;			/* in all of them */
};

/* Behind the last one, or a part of it. */
int swap_add(struct swap_list *list, __u64 page);
void swap_free(struct swap_list *list);

/* Does the list, which is in order, have the page? */
bool swap_has(const struct swap_list *list, __u64 page);

/* Keep the list for this space; read it again; forget it. Tell what fails. */
int swap_save(const struct swap_list *list, __u64 id);
int swap_load(struct swap_list *list, __u64 id, bool *found);
void swap_forget(__u64 id);

#endif /* _CTL_SWAP_H */
