/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device: an open file and the space it stands for.
 *
 * Each call is one ioctl; what fails is told with the reason in words.
 */
#ifndef _CTL_DEVICE_H
#define _CTL_DEVICE_H

#include "parse.h"
#include "vmdemoctl.h"

/**
 * struct ctl_space - an open file of the device
 * @fd: the file, -1 if there is none
 * @info: what the module said about itself and the space
 */
struct ctl_space {
	int fd;
	struct vmd_info info;
};

#define CTL_NO_SPACE	{ .fd = -1 }

/* Open the device, for a space of its own or for the space with this id. */
int ctl_open(struct ctl_space *space);
int ctl_attach(struct ctl_space *space, __u64 id);
void ctl_close(struct ctl_space *space);

/* Attach to the space that @text is the id of; without @text, a fresh one. */
int ctl_open_named(struct ctl_space *space, const char *text);

/* Let the file stand for a space that is a window on @fd; @path names it. */
int ctl_set_file(struct ctl_space *space, int fd, const char *path);

int ctl_get_config(struct ctl_space *space, struct vmd_config *config);
int ctl_set_config(struct ctl_space *space, const struct vmd_config *config);

/* @config has the page size in it: another space, whose id and units are read. */
int ctl_set_page_size(struct ctl_space *space, const struct vmd_config *config);

/* @flags: 0 or VMD_STATS_MODULE. */
int ctl_get_stats(struct ctl_space *space, __u64 flags, struct vmd_stats *stats);
int ctl_reset_stats(struct ctl_space *space);

/* Set the shadows, none if its count is 0; read them: flags are given. */
int ctl_set_shadows(struct ctl_space *space, const struct vmd_shadow_set *set);
int ctl_get_shadows(struct ctl_space *space, struct vmd_shadow_get *get);

int ctl_advise(struct ctl_space *space, const struct ctl_range *range,
	       enum vmd_advice advice);
int ctl_sync(struct ctl_space *space, const struct ctl_range *range);

/* Drop content; a @length of 0 means up to the end. */
int ctl_punch(struct ctl_space *space, __u64 offset, __u64 length);

/* Translate walk->address of walk->pid. */
int ctl_walk(struct ctl_space *space, struct vmd_walk *walk);

/*
 * Begin to step; the stepper's descriptor goes to @stepper, and to @phases whether
 * faults halt as they go, too, which older modules do not know.
 */
int ctl_step(struct ctl_space *space, int *stepper, bool *phases);

/*
 * Look at the swap store's slots. Where that is not allowed, *@all is false and
 * the totals alone are asked for.
 */
int ctl_slots(struct ctl_space *space, struct vmd_slots *slots, bool *all);

/* Begin to record; the recorder's descriptor goes to @recorder. */
int ctl_record(struct ctl_space *space, struct vmd_record *how, int *recorder);

/* Load a string, or ask how it stands; @what is what the user asked for. */
int ctl_future_call(struct ctl_space *space, struct vmd_future *call, const char *what);

/*
 * States of the pages of @range, at most VMD_PAGES_MAX; range->count becomes
 * the number of pages there are.
 */
int ctl_get_pages(struct ctl_space *space, struct ctl_range *range,
		  struct vmd_page *pages);

/*
 * Attach to the space named @name and find the pages that @text means: a range
 * that lies within the space, or all of it if @text is NULL. A @text that is no
 * range is refused before anything is opened.
 */
int ctl_open_range(struct ctl_space *space, const char *name, const char *text,
		   struct ctl_range *range);

#endif /* _CTL_DEVICE_H */
