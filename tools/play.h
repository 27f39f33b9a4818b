/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmdemoctl play: references to pages, really made, and what came of them.
 *
 *	play_trace.c	what to touch, from the command line or a trace
 *	play_touch.c	the touch itself, its data check, SIGBUS
 *	play_frames.c	which page is in which frame, as the kernel tells
 *	play_show.c	a line or a JSON object per reference
 *	cmd_play.c	options, the space, the totals
 */
#ifndef _CTL_PLAY_H
#define _CTL_PLAY_H

#include <json-c/json.h>

#include "device.h"
#include "file.h"
#include "trace.h"

struct play_ref {
	__u64 page : 63;
	__u64 write : 1;
};

struct play_refs {
	struct play_ref *refs;
	size_t nr;
	size_t size;
	__u64 last_page;		/* the largest there is */
};

/* Add the references in @text, separated by blanks or commas: "1 2w 0x3". */
int play_add_text(struct play_refs *refs, const char *text);

/*
 * Add a trace's, in any format, "-" for standard input; @renumber: pages get
 * the numbers from 0 in the order of their first use.
 */
int play_add_file(struct play_refs *refs, const char *path,
		  const struct trace_options *options, bool renumber);

void play_refs_free(struct play_refs *refs);

/**
 * struct play_frames - the frames of the space, as far as can be seen
 * @page: the page in each position, PLAY_EMPTY if none
 * @used: positions that ever held a page
 * @size: positions there is room for
 * @sorted: the pages that are resident, in order
 * @nr: how many these are
 * @hole: position that the first page to go in this step has left, or PLAY_EMPTY
 */
struct play_frames {
	__u64 *page;
	size_t used;
	size_t size;
	__u64 *sorted;
	size_t nr;
	__u64 hole;
};

#define PLAY_EMPTY	(~(__u64)0)

/* Frames beyond so many are not listed: nobody could read the line. */
#define PLAY_LISTED	64

/**
 * struct play_event - what one reference did, from the kernel's counters
 * @ref: the reference
 * @miss: its page was not resident
 * @clean: pages evicted without a write
 * @dirty: pages evicted after a write
 * @written: pages written to the store
 * @read: pages read from the store
 * @evicted: the pages that went, as far as they could be told
 * @nr_evicted: how many are in @evicted
 */
struct play_event {
	struct play_ref ref;
	bool miss;
	__u64 clean;
	__u64 dirty;
	__u64 written;
	__u64 read;
	__u64 *evicted;
	size_t nr_evicted;
};

/**
 * struct play - one run
 * @space: the space played in
 * @file: what the space is a window on, if anything
 * @config: its configuration
 * @refs: what to touch
 * @quiet: only the totals count
 * @map: the mapping of the space
 * @length: its bytes
 * @values: what was last written to each page, at first the file's content or 0
 * @unmap_repeats: a page touched twice in a row has to be unmapped in between
 * @at: index in @refs of the reference under way
 * @losses: reads that found something else than was written
 * @frames: not kept when @quiet
 * @stats: the counters after the reference before
 * @event: the reference under way
 * @trace: JSON array of what was done, or NULL
 * @width: columns of the longest reference, as text
 */
struct play {
	struct ctl_space space;
	struct ctl_file file;
	struct vmd_config config;
	struct play_refs refs;
	bool quiet;
	u8 *map;
	size_t length;
	u8 *values;
	bool unmap_repeats;
	size_t at;
	__u64 losses;
	struct play_frames frames;
	struct vmd_stats stats;
	struct play_event event;
	struct json_object *trace;
	int width;
};

/* Room for the values; those of the file's pages that are referred to. */
int play_map_values(struct play *play);
int play_read_file(struct play *play);

/* Map the space; unmap it. */
int play_map(struct play *play);
void play_unmap(struct play *play);

/* Make all references; @after, if not NULL, is called after each. */
int play_touch_all(struct play *play, int (*after)(struct play *play));

/* Find out what the reference at play->at did. */
int play_look(struct play *play);
void play_frames_free(struct play *play);

/* Tell what is in play->event. */
void play_show(struct play *play);
void play_show_init(struct play *play);

#endif /* _CTL_PLAY_H */
