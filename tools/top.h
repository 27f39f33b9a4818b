/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmdemoctl top: all spaces and what happens in one of them, again and again.
 *
 *	top_data.c	what is shown: read from the module, rates, history
 *	top_map.c	the pages of one space
 *	top_queues.c	the queues its policy keeps them in
 *	top_hold.c	faults that are held
 *	top_draw.c	a frame of it, as characters with attributes
 *	top_json.c	the same as JSON
 *	top_keys.c	keys, what they ask, what they change
 *	cmd_top.c	options, the terminal
 *
 * No space is held open between two frames: it would live on through us.
 */
#ifndef _CTL_TOP_H
#define _CTL_TOP_H

#include <sys/types.h>

#include "device.h"
#include "procfs.h"

#define TOP_HISTORY	200
#define TOP_HOT		8
#define TOP_ORDER	32
#define TOP_CELLS	4096
#define TOP_TEXT	160

/* What a cell of the page map can be, from what matters least on. */
enum top_state {
	TOP_ABSENT,
	TOP_SWAPPED,
	TOP_CLEAN,
	TOP_CLEAN_ACCESSED,
	TOP_DIRTY,
	TOP_DIRTY_ACCESSED,
	TOP_SHARED,
	TOP_HUGE,
	TOP_PINNED,
	TOP_WRITING,
	TOP_FILLING,
	TOP_STATES,
};

extern const char top_letters[TOP_STATES + 1];	/* by state */
extern const char *const top_names[TOP_STATES];

/**
 * struct top_space - a space, from frame to frame
 * @line: what /proc/vmdemo/spaces said
 * @known: its counters can be read: it is ours
 * @stats: the counters now
 * @before: those of the frame before
 * @seconds: between the two, 0 in the first frame
 * @faults: misses per second, the last TOP_HISTORY frames, the newest last
 * @nr_faults: how many there are
 * @seen: it is there in this frame
 */
struct top_space {
	struct ctl_space_line line;
	bool known;
	struct vmd_stats stats;
	struct vmd_stats before;
	double at;
	double seconds;
	double faults[TOP_HISTORY];
	size_t nr_faults;
	bool seen;
};

/* A page that missed often. */
struct top_hot {
	__u64 page;
	__u32 faults;
};

/**
 * struct top_map - the pages of the selected space
 * @pages: how many it has
 * @group: pages in a cell
 * @cell: the state of each cell that matters most in it
 * @nr: cells
 * @counts: pages by state; of those that were looked at
 * @mapped: pages that are in a page table
 * @looked: pages that were looked at: fewer than @pages in a very large space
 * @hot: the pages with most misses, the most first
 * @nr_hot: how many there are
 * @order: the pages that the policy would let go next, in this order
 * @nr_order: how many there are
 * @order_known: whether debugfs can be read, and was
 */
struct top_map {
	__u64 pages;
	__u64 group;
	u8 cell[TOP_CELLS];
	size_t nr;
	__u64 counts[TOP_STATES];
	__u64 mapped;
	__u64 looked;
	struct top_hot hot[TOP_HOT];
	size_t nr_hot;
	__u64 order[TOP_ORDER];
	size_t nr_order;
	bool order_known;
};

#define TOP_QUEUED	128		/* that are shown of a queue */

/**
 * struct top_queues - the queues of the selected space's policy
 * @known: they could be read
 * @ask: what was asked, and told
 * @queued: the pages in them
 */
struct top_queues {
	bool known;
	struct vmd_queues ask;
	struct vmd_queued queued[TOP_QUEUED * VMD_QUEUES_MAX];
};

/* A space whose faults we hold. */
struct top_held {
	__u64 id;
	int fd;				/* the stepper: it ends with us */
	__u64 waiting;			/* threads that wait there */
};

#define TOP_HELD	16

/**
 * struct top - all of it
 * @spaces: in the order of their ids
 * @nr: how many
 * @selected: the id of one, 0: none yet
 * @map: its pages, unless @map_error tells why not
 * @queues: and its queues
 * @stopped: its programs are stopped, by whomever
 * @interval: seconds between frames
 * @message: for the user, until the next key
 * @ask: the key whose question is being answered, or 0
 * @answer: what was typed so far
 * @held: spaces whose faults we hold
 * @nr_held: how many
 */
struct top {
	struct top_space *spaces;
	size_t nr;
	__u64 selected;
	struct top_map map;
	char map_error[TOP_TEXT];
	struct top_queues queues;
	bool stopped;
	double interval;
	char message[TOP_TEXT];
	int ask;
	char answer[VMD_POLICY_LEN];
	struct top_held held[TOP_HELD];
	size_t nr_held;
};

/*
 * Read everything anew, for a map of at most @cells; the counters only if they
 * are @due, so that rates are of whole intervals. An exit status.
 */
int top_sample(struct top *top, size_t cells, bool due);
void top_free(struct top *top);
struct top_space *top_current(const struct top *top);

/* Per second, of the counter at this place in struct vmd_stats. */
double top_rate(const struct top_space *space, size_t at);
#define TOP_RATE(space, name)	top_rate(space, offsetof(struct vmd_stats, name))

/* Nanoseconds that @part of the faults since the frame before stayed below; 0: none. */
__u64 top_latency(const struct top_space *space, double part);

/* The pages of @space, in at most @cells; top->map_error tells why not. */
void top_read_map(struct top *top, const struct top_space *space, size_t cells);

/* The queues of its policy, of the space that @fd is attached to. */
void top_read_queues(struct top_queues *queues, int fd);

/* As ctl_attach(), but silent: a space may have gone, or be somebody else's. */
int top_attach(__u64 id);

/* How a character is to look. */
enum top_look {
	TOP_PLAIN,
	TOP_STRONG,
	TOP_CHOSEN,
	TOP_FIRST_STATE,	/* + enum top_state */
};

/**
 * struct top_screen - a frame
 * @rows: of the terminal
 * @columns: of the terminal
 * @text: characters, row by row
 * @look: how each of them looks
 */
struct top_screen {
	int rows;
	int columns;
	char *text;
	u8 *look;
};

#define TOP_ROWS	24
#define TOP_COLUMNS	80

int top_screen_make(struct top_screen *screen, int rows, int columns);
void top_screen_free(struct top_screen *screen);

/* How many cells the map has on such a screen. */
size_t top_cells(const struct top *top, int rows, int columns);
void top_draw(const struct top *top, struct top_screen *screen);
void top_json(const struct top *top);

/* A key was pressed; returns false if it ends the program. */
bool top_key(struct top *top, int key);

/* Hold the faults of the selected space, or let them go on; says so. */
void top_hold_or_go(struct top *top);

/* Who waits by now; forgets spaces that are gone. */
void top_look_at_held(struct top *top);

/* NULL: its faults are not held. */
const struct top_held *top_held(const struct top *top, __u64 id);

/* Let go on all that is held. */
void top_release(struct top *top);

#endif /* _CTL_TOP_H */
