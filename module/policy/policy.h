/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy contract: who decides which frame goes.
 *
 * A policy sees slots and keys and nothing else. A slot (u32) is the number of
 * a frame, a key (u64) the index of the page in it. It only *decides*: the
 * engine (or the simulator, or a test) does the work and reports what happened.
 *
 * The caller of every function below
 *  - holds one lock for all calls on one state (the module: the space's
 *    policy lock, a spinlock), so a policy never locks and must not sleep;
 *  - supplies the memory: state_size() bytes, zeroed, aligned to 64. A policy
 *    never allocates. The state holds no pointers, neither into itself nor
 *    out of it: it may be copied to another place and go on living there.
 *
 * A policy reads no clock, no random source (a seed is a parameter), uses no
 * floating point and no global variable: the same calls give the same
 * decisions, bit for bit, in the kernel and in user space. Its decisions do
 * not depend on the numbers of slots, only on the order of events.
 *
 * The life of a slot, as the policy sees it:
 *
 *	inserted -> { touched | kept | proposed by victim }* -> removed
 *
 * One miss on a full memory, in a fault: missed(); victim() proposes a slot; the
 * engine takes its page away; removed(); the new page's content is fetched;
 * inserted(). A proposal binds nobody: victim() may be called again, and any
 * slot may be removed() without ever having been proposed.
 */
#ifndef _VMD_POLICY_H
#define _VMD_POLICY_H

#include "../../uapi/vmdemo_queues.h"
#include "../../uapi/vmdemo_why.h"
#include "port.h"

#define VMD_NO_SLOT		((u32)~0)
#define VMD_POLICY_MAX_SLOTS	((u32)BIT(30))
#define VMD_POLICY_MAX_PARAMS	8

/* Flags of inserted() and touched(). */
#define VMD_REF_WRITE		BIT(0)	/* the access is a write */
/*
 * The reference that brought the page will be reported once more, through
 * touched(): the observer reads accessed bits, and the access that faulted
 * sets one. A policy that counts the insertion as a reference of its own
 * (CLOCK-A) leaves that to the report.
 */
#define VMD_REF_DEFERRED	BIT(1)
/*
 * The page was removed() but could not go after all, or comes back from
 * VMD_REMOVED_ASIDE: no miss, no reference. It goes where kept() would put it,
 * or as far from being the next victim as the policy's order allows.
 */
#define VMD_REF_RESTORED	BIT(2)

/* Why a slot is removed(). */
enum vmd_removal {
	VMD_REMOVED_EVICTED,	/* to make room, as victim() proposed or not */
	VMD_REMOVED_DROPPED,	/* its content is gone for good (truncation) */
	VMD_REMOVED_ASIDE,	/* stays resident, out of the policy's hands */
};

/**
 * struct vmd_policy_param - a parameter given by name ("seed=7")
 * @name: as the user writes it
 * @text: what it does, with its unit, in a phrase
 * @min: smallest value allowed
 * @max: largest value allowed
 * @def: value where none is given
 */
struct vmd_policy_param {
	const char *name;
	const char *text;
	u64 min;
	u64 max;
	u64 def;
};

/*
 * vmd_policy_ops.flags: the policy's decisions get better with every touch
 * that it hears of early: in mode "accessed" the engine then harvests all
 * accessed bits in the background now and then, not only a candidate's.
 */
#define VMD_POLICY_HARVEST	BIT(0)
/*
 * Decides well only where future() is told: for recorded reference strings. The
 * engine in the kernel has none unless it is loaded (VMD_IOC_FUTURE).
 */
#define VMD_POLICY_FUTURE	BIT(1)

/* There is no next use, or nobody knows of one. */
#define VMD_NEVER		((u64)~0ULL)

/**
 * struct vmd_reason - why a slot was proposed; made a phrase of elsewhere
 * @code: enum vmd_why
 * @nr: the numbers that belong to it, as told there
 */
struct vmd_reason {
	u32 code;
	u64 nr[VMD_WHY_NUMBERS];
};

/* vmd_queue_view.queue: how many pages it has, or may have, is not told. */
#define VMD_QUEUE_UNTOLD	((u32)~0)

/**
 * struct vmd_queue_view - who is shown a policy's queues
 * @queue: called for each queue: its name, up to VMD_NAME_LEN - 1 characters;
 *	what the numbers of its pages mean, likewise, or NULL; how many pages it
 *	has; how many it may have; for both, VMD_QUEUE_UNTOLD
 * @page: called for the pages of the queue shown last, first to go first: slot,
 *	or VMD_NO_SLOT for a ghost; key of a ghost; VMD_QUEUED_*; its number.
 *	Returning false ends this queue.
 * @arg: theirs
 */
struct vmd_queue_view {
	void (*queue)(struct vmd_queue_view *view, const char *name,
		      const char *number, u32 nr, u32 share);
	bool (*page)(struct vmd_queue_view *view, u32 slot, u64 key, u32 flags,
		     u64 number);
	void *arg;
};

/* Called by walk() for one slot; returning false ends the walk. */
typedef bool (*vmd_policy_visit_t)(void *arg, u32 slot);

/**
 * struct vmd_policy_ops - a replacement policy
 * @name: as the user writes it: lower case letters, digits, '-'
 * @text: what it is, in a phrase, for lists
 * @flags: VMD_POLICY_*
 * @nr_params: number of entries in @params, at most VMD_POLICY_MAX_PARAMS
 * @params: what may be set by name; may be NULL if @nr_params is 0
 *
 * Slots given to a state are below the @slots of its init() or last resize().
 * There are never more than that many resident. Every function is O(1)
 * amortised unless its policy's file says otherwise.
 */
struct vmd_policy_ops {
	const char *name;
	const char *text;
	u32 flags;
	u32 nr_params;
	const struct vmd_policy_param *params;

	/*
	 * Bytes of state for slots numbered 0 to @slots - 1 in a memory of
	 * @frames frames. Required. Grows with @slots and @frames.
	 */
	size_t (*state_size)(u32 slots, u32 frames);

	/*
	 * Make an empty state in zeroed memory. @params has nr_params values,
	 * in the order of the table, each within its bounds. Required.
	 */
	void (*init)(void *state, u32 slots, u32 frames, const u64 *params);

	/*
	 * The page @key is not resident and wanted: told before victim() makes
	 * room for it, where the caller knows for whom it makes room. Its
	 * inserted() follows, sooner or later, or never. A policy that looks
	 * for a ghost before it decides (ARC) needs it to be exact; without,
	 * it finds the ghost in inserted() only. Optional.
	 */
	void (*missed)(void *state, u64 key);

	/*
	 * Told right before inserted() or touched(), by a caller that has the
	 * whole reference string: @next is the number of the reference at which
	 * the page of that event is used next, counted from 0 from the start of
	 * the string; VMD_NEVER: it is not. Without, the event is as one whose
	 * page is never used again. Optional.
	 */
	void (*future)(void *state, u64 next);

	/*
	 * A resident slot whose next use, as future() or due() has told it, is
	 * before reference number @now: that did not happen, or was not seen.
	 * VMD_NO_SLOT if there is none. Optional.
	 */
	u32 (*overdue)(const void *state, u64 now);

	/*
	 * The page in the resident @slot is used next at @next, as with
	 * future(); it was not referenced. Required with overdue().
	 */
	void (*due)(void *state, u32 slot, u64 next);

	/*
	 * The page @key is now in frame @slot, which was not resident before.
	 * @flags: VMD_REF_*. Required.
	 */
	void (*inserted)(void *state, u32 slot, u64 key, u32 flags);

	/* The resident @slot was referenced. @flags: VMD_REF_WRITE. Optional. */
	void (*touched)(void *state, u32 slot, u32 flags);

	/*
	 * Propose up to @max resident slots, each once, in the order in which
	 * they should go; @max is 1 or more. Returns how many: 0 only if
	 * nothing is resident. With @max of 1 the proposal is the paper's
	 * victim; the further ones are what the policy would take next if
	 * nothing else happened, or a good guess at it (the policy's file says
	 * which). Asking twice with no other call between gives the same
	 * answer. May move hands and clear reference bits, so where decisions
	 * are to be exact it is asked only when a page has to go. Required.
	 */
	u32 (*victim)(void *state, u32 *out, u32 max);

	/*
	 * Why victim(), which was the last call on this state, proposed @slot
	 * before any other. @why comes with everything 0. Changes nothing that
	 * is decided. Optional.
	 */
	void (*explain)(const void *state, u32 slot, struct vmd_reason *why);

	/*
	 * @slot is no longer resident. @why may matter to policies that
	 * remember (only the evicted are worth a ghost). Required.
	 */
	void (*removed)(void *state, u32 slot, enum vmd_removal why);

	/*
	 * The proposed @slot could not go (it is pinned, or in use by I/O).
	 * After this, with n slots resident, a loop of victim(…, 1) and kept()
	 * proposes each of them once before any of them twice. Required.
	 */
	void (*kept)(void *state, u32 slot);

	/*
	 * Visit every resident slot once, in the order in which they would
	 * go, as far as the present state tells; changes nothing. A live
	 * switch inserts into the new policy in this order, without flags:
	 * what was to go next is the oldest there. Required.
	 */
	void (*walk)(const void *state, vmd_policy_visit_t visit, void *arg);

	/*
	 * Show the queues that pages and ghosts stand in, each from the end at
	 * which they go, a circle from its hand; changes nothing. It looks at no
	 * more pages than are shown. For people: what goes next is told by
	 * walk(). Optional: without it there is one queue, walk()'s.
	 */
	void (*queues)(const void *state, struct vmd_queue_view *view);

	/*
	 * The state, copied to a place of state_size(@slots, @frames) bytes
	 * (zero behind the copy), shall serve that many from now on. Neither
	 * @slots nor @frames gets smaller than what is resident needs; @slots
	 * never gets smaller at all. Optional: where it is missing, the
	 * caller makes a new state and inserts in walk()'s order.
	 */
	void (*resize)(void *state, u32 slots, u32 frames);
};

/* The table (table.c): every policy once, in the order of lists. */
extern const struct vmd_policy_ops *const vmd_policies[];
extern const u32 vmd_nr_policies;

/**
 * struct vmd_policy_choice - a policy and its parameters, parsed
 * @ops: the policy
 * @params: a value for each of @ops->params
 */
struct vmd_policy_choice {
	const struct vmd_policy_ops *ops;
	u64 params[VMD_POLICY_MAX_PARAMS];
};

/**
 * vmd_policy_parse - find a policy by "name" or "name:key=value,..."
 * @text: what the user wrote
 * @choice: filled on success, else left alone
 * @bad: set to the first thing in @text that is wrong, or to NULL
 *
 * Returns 0; -ENOENT for an unknown policy, -EINVAL for an unknown or doubled
 * parameter or a malformed value, -ERANGE for a value out of its bounds.
 */
int vmd_policy_parse(const char *text, struct vmd_policy_choice *choice,
		     const char **bad);

/**
 * vmd_policy_format - write a choice the way vmd_policy_parse() reads it
 * @choice: what to write; parameters that have their default are left out
 * @buf: where to, always terminated if @len is not 0
 * @len: bytes in @buf
 *
 * Returns the length of the whole, which is @len or more if it was cut.
 */
size_t vmd_policy_format(const struct vmd_policy_choice *choice, char *buf,
			 size_t len);

/* The defaults of the optional calls live in these, nowhere else. */

static inline void vmd_policy_touched(const struct vmd_policy_ops *ops,
				      void *state, u32 slot, u32 flags)
{
	if (ops->touched)
		ops->touched(state, slot, flags);
}

static inline void vmd_policy_missed(const struct vmd_policy_ops *ops,
				     void *state, u64 key)
{
	if (ops->missed)
		ops->missed(state, key);
}

static inline void vmd_policy_future(const struct vmd_policy_ops *ops,
				     void *state, u64 next)
{
	if (ops->future)
		ops->future(state, next);
}

static inline u32 vmd_policy_overdue(const struct vmd_policy_ops *ops,
				     const void *state, u64 now)
{
	return ops->overdue ? ops->overdue(state, now) : VMD_NO_SLOT;
}

static inline void vmd_policy_due(const struct vmd_policy_ops *ops,
				  void *state, u32 slot, u64 next)
{
	ops->due(state, slot, next);
}

static inline void vmd_policy_explain(const struct vmd_policy_ops *ops,
				      const void *state, u32 slot,
				      struct vmd_reason *why)
{
	memset(why, 0, sizeof(*why));
	if (ops->explain)
		ops->explain(state, slot, why);
}

/* For vmd_queue_view.page(), as a visitor of walk(). */
static inline bool vmd_policy_show_slot(void *arg, u32 slot)
{
	struct vmd_queue_view *view = arg;

	return view->page(view, slot, 0, 0, 0);
}

static inline void vmd_policy_queues(const struct vmd_policy_ops *ops,
				     const void *state,
				     struct vmd_queue_view *view)
{
	if (ops->queues) {
		ops->queues(state, view);
		return;
	}
	view->queue(view, "order", NULL, VMD_QUEUE_UNTOLD, VMD_QUEUE_UNTOLD);
	ops->walk(state, vmd_policy_show_slot, view);
}

/* Returns false if the caller has to make a new state. */
static inline bool vmd_policy_resize(const struct vmd_policy_ops *ops,
				     void *state, u32 slots, u32 frames)
{
	if (!ops->resize)
		return false;
	ops->resize(state, slots, frames);
	return true;
}

#endif /* _VMD_POLICY_H */
