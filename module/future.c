// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reference string that a space follows (VMD_IOC_FUTURE): how it is loaded,
 * and how what happens is held against it. Policy "opt" is told from it when a
 * page is used next.
 *
 * For each reference there is its page and the number of the next reference to
 * the same page, 4 bytes each, linked in one pass from the end. A hash table
 * leads from a page to its first reference at or after the position, 4 bytes an
 * entry and at least twice as many entries as pages. An entry is brought up to
 * date when it is looked at, so the position may jump at no cost.
 *
 * The position is the number of the reference that is expected next:
 *
 *  - Observer "trap" sees every reference in order. One that is not what is
 *    expected is a departure: it has strayed, and the position stays. If the
 *    next one is what was expected all along, the one that strayed was one too
 *    many; if it strays, too, and the two stand side by side further on in the
 *    string, that is taken up again there, and what is between was skipped.
 *
 *  - Observers "fault" and "accessed" do not see hits on mapped pages. But a
 *    page that faults (with "accessed": that misses) was not mapped before, so
 *    the place of its fault is its first one at or after the position: the
 *    position jumps there, and has skipped hits. Only a page without any such
 *    place has strayed.
 */
#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "future.h"

#define STRING_NONE	((u32)~0)
#define STRING_BITS	8		/* a new table has 2^8 entries */
#define STRING_STEPS	16384		/* references passed over in one look */
#define STRING_PLACES	256		/* looked at to take a string up again */
#define STRING_PAUSE	8192		/* references between two pauses */

/**
 * struct vmd_string - a reference string
 * @nr: references
 * @loaded: how many of them are there: all, once it is followed
 * @page: of each
 * @next: the next one to the same page, or STRING_NONE; NULL while it is loaded
 * @table: of each page, a reference to it, or STRING_NONE
 * @bits: of the table
 * @salt: of its hash
 * @pages: different pages
 * @charged: pages of memory that count as frames of the space's owner
 * @at: the position
 * @astray: the last reference has strayed
 * @last: and that was its page
 * @followed: references that were as expected
 * @skipped: references of the string that were passed over
 * @strayed: references that have no place at the position
 * @departures: how often the first one strayed after one that had not
 * @first_position: the position at the first departure
 * @first_page: the page that was referenced there
 */
struct vmd_string {
	u32 nr;
	u32 loaded;
	u32 *page;
	u32 *next;
	u32 *table;
	u32 bits;
	u32 salt;
	u32 pages;
	unsigned long charged;
	u32 at;
	bool astray;
	u64 last;
	u64 followed;
	u64 skipped;
	u64 strayed;
	u64 departures;
	u64 first_position;
	u64 first_page;
};

static u64 string_bytes(const struct vmd_string *s)
{
	return (u64)s->nr * 2 * sizeof(u32) +
	       (s->table ? sizeof(u32) << s->bits : 0);
}

/* The page's entry in the table, or the one where it would go. */
static u32 *string_entry(const struct vmd_string *s, u32 page)
{
	u32 mask = (1U << s->bits) - 1;
	u32 i = jhash_1word(page, s->salt) & mask;

	while (s->table[i] != STRING_NONE && s->page[s->table[i]] != page)
		i = (i + 1) & mask;
	return s->table + i;
}

/**
 * vmd_string_look - when is a page used next?
 * @s: the string
 * @page: which
 *
 * Returns the first reference to it at or after the position, or VMD_NEVER. The
 * spinlock is not to be held for long: where very many were skipped, the page
 * counts as used right now, and the next look goes on.
 */
u64 vmd_string_look(struct vmd_string *s, pgoff_t page)
{
	u32 *entry = page <= U32_MAX ? string_entry(s, page) : NULL;
	u32 steps = 0;

	if (!entry || *entry == STRING_NONE)
		return VMD_NEVER;
	while (*entry < s->at && s->next[*entry] != STRING_NONE &&
	       steps++ < STRING_STEPS)
		*entry = s->next[*entry];
	if (*entry >= s->at)
		return *entry;
	return s->next[*entry] == STRING_NONE ? VMD_NEVER : s->at;
}

static bool string_expects(const struct vmd_string *s, pgoff_t page)
{
	return s->at < s->nr && s->page[s->at] == page;
}

/* A place of the page right behind the one that strayed, or VMD_NEVER. */
static u64 string_resume(struct vmd_string *s, pgoff_t page)
{
	u64 at = vmd_string_look(s, page);
	u32 i;

	for (i = 0; at < s->nr && i < STRING_PLACES; i++) {
		if (at > s->at && s->page[at - 1] == s->last &&
		    s->page[at] == page)
			return at;
		at = s->next[at];
	}
	return VMD_NEVER;
}

/**
 * vmd_string_expect - a page will be referenced: find its place
 * @s: the string
 * @page: which
 * @ordered: every reference is seen, in order
 *
 * The position moves there, if it is to move at all.
 */
void vmd_string_expect(struct vmd_string *s, pgoff_t page, bool ordered)
{
	u64 at = VMD_NEVER;

	if (string_expects(s, page))
		return;
	if (!ordered)
		at = vmd_string_look(s, page);
	else if (s->astray)
		at = string_resume(s, page);
	if (at == VMD_NEVER)
		return;
	s->skipped += at - s->at;
	s->at = at;
}

static void string_stray(struct vmd_string *s, pgoff_t page)
{
	if (!s->departures) {
		s->first_position = s->at;
		s->first_page = page;
	}
	s->departures += !s->astray;
	s->strayed++;
	s->astray = true;
	s->last = page;
}

/**
 * vmd_string_take - a page is referenced
 * @s: the string
 * @page: which
 * @ordered: as vmd_string_expect()
 *
 * Returns when it is used next, as vmd_string_look().
 */
u64 vmd_string_take(struct vmd_string *s, pgoff_t page, bool ordered)
{
	vmd_string_expect(s, page, ordered);
	if (string_expects(s, page)) {
		s->at++;
		s->followed++;
		s->astray = false;
	} else {
		string_stray(s, page);
	}
	return vmd_string_look(s, page);
}

/**
 * vmd_string_position - the reference that is expected next
 * @s: the string
 */
u64 vmd_string_position(const struct vmd_string *s)
{
	return s->at;
}

/**
 * vmd_string_free - free a string
 * @space: whose it was
 * @s: the string, or NULL
 */
void vmd_string_free(struct vmd_space *space, struct vmd_string *s)
{
	if (!s)
		return;
	while (s->charged--)
		vmd_user_uncharge_frame(space);
	kvfree(s->table);
	kvfree(s->next);
	kvfree(s->page);
	kfree(s);
}

static void *string_array(size_t n)
{
	return kvmalloc_array(n, sizeof(u32), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

/*
 * Its memory counts as frames, at most half of those that the user may have;
 * pages of the same user's spaces make room.
 */
static int string_charge(struct vmd_space *space, struct vmd_string *s)
{
	unsigned long want = DIV_ROUND_UP_ULL(string_bytes(s), PAGE_SIZE);
	int ret;

	if (!space->exempt && want > vmd_user_frames() / 2)
		return -EDQUOT;
	while (s->charged < want) {
		if (vmd_user_charge_frame(space)) {
			s->charged++;
			continue;
		}
		ret = vmd_reclaim_user(space->user, VMD_PATIENT);
		if (ret <= 0)
			return ret == -EINTR ? ret : -EDQUOT;
	}
	return 0;
}

/* A string of @nr references, none of which is there yet. */
static struct vmd_string *string_new(struct vmd_space *space, u32 nr)
{
	struct vmd_string *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	int err;

	if (!s)
		return ERR_PTR(-ENOMEM);
	s->nr = nr;
	s->salt = get_random_u32();
	err = string_charge(space, s);
	if (!err) {
		s->page = string_array(nr);
		err = s->page ? 0 : -ENOMEM;
	}
	if (!err)
		return s;
	vmd_string_free(space, s);
	return ERR_PTR(err);
}

/* A table of 2^@bits entries with what the present one holds. */
static int string_table(struct vmd_space *space, struct vmd_string *s, u32 bits)
{
	u32 *old = s->table, n = old ? 1U << s->bits : 0, i;
	u32 *table = string_array((size_t)1 << bits);

	if (!table)
		return -ENOMEM;
	memset(table, 0xff, sizeof(u32) << bits);
	s->table = table;
	s->bits = bits;
	for (i = 0; i < n; i++) {
		if (old[i] != STRING_NONE)
			*string_entry(s, s->page[old[i]]) = old[i];
		if (!(i % STRING_PAUSE))
			cond_resched();
	}
	kvfree(old);
	return string_charge(space, s);
}

static int string_link_one(struct vmd_space *space, struct vmd_string *s, u32 i)
{
	u32 *entry = string_entry(s, s->page[i]);

	s->next[i] = *entry;
	s->pages += *entry == STRING_NONE;
	*entry = i;
	if (s->pages <= 1U << (s->bits - 1))
		return 0;
	return string_table(space, s, s->bits + 1);
}

/* Find the next use of each reference: O(n), as the table grows by doubling. */
static int string_link(struct vmd_space *space, struct vmd_string *s)
{
	u32 i = s->nr;
	int err = 0;

	s->next = string_array(s->nr);
	if (!s->next)
		return -ENOMEM;
	err = string_table(space, s, STRING_BITS);
	while (!err && i--) {
		err = string_link_one(space, s, i);
		if (i % STRING_PAUSE)
			continue;
		cond_resched();
		if (fatal_signal_pending(current))
			err = -EINTR;
	}
	return err;
}

/* The call's references follow those of @s. Nothing is locked but future_lock. */
static int future_add(struct vmd_string *s, const struct vmd_future *call)
{
	const u32 __user *from = u64_to_user_ptr(call->pages);
	u64 done, n;

	for (done = 0; done < call->count; done += n) {
		n = min_t(u64, call->count - done, STRING_PAUSE);
		if (copy_from_user(s->page + call->first + done, from + done,
				   n * sizeof(u32)))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	s->loaded = call->first + call->count;
	return 0;
}

/* Let the space follow the string from now on, or no string any more (NULL). */
static int future_follow(struct vmd_space *space, struct vmd_string *s)
{
	int err;

	if (mutex_lock_killable(&space->config_lock))
		return -EINTR;
	err = vmd_policy_follow(space, &s);
	mutex_unlock(&space->config_lock);
	if (!err)
		vmd_string_free(space, s);
	return err;
}

/* The last references are there. The string is used up in any case. */
static int future_complete(struct vmd_space *space, struct vmd_string *s)
{
	int err = string_link(space, s);

	if (!err)
		err = future_follow(space, s);
	if (err)
		vmd_string_free(space, s);
	return err;
}

static int future_begin(struct vmd_space *space, const struct vmd_future *call)
{
	struct vmd_string *s = string_new(space, call->total), *old;
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	err = future_add(s, call);
	if (!err && s->loaded == s->nr)
		err = future_complete(space, s);
	else if (err)
		vmd_string_free(space, s);
	if (err)
		return err;
	/* What somebody began to load before is forgotten. */
	old = space->loading;
	space->loading = call->count == call->total ? NULL : s;
	vmd_string_free(space, old);
	return 0;
}

static int future_go_on(struct vmd_space *space, const struct vmd_future *call)
{
	struct vmd_string *s = space->loading;
	int err;

	if (!s || s->loaded != call->first || s->nr != call->total)
		return -EINVAL;
	err = future_add(s, call);
	if (err || s->loaded != s->nr)
		return err;
	space->loading = NULL;
	return future_complete(space, s);
}

static int future_drop(struct vmd_space *space)
{
	int err = future_follow(space, NULL);

	if (err)
		return err;
	vmd_string_free(space, space->loading);
	space->loading = NULL;
	return 0;
}

static int future_check(const struct vmd_future *call)
{
	if (call->flags & ~VMD_FUTURE_DROP || call->reserved)
		return -EINVAL;
	if (!call->count)
		return call->total || call->first || call->pages ? -EINVAL : 0;
	if (call->flags || call->total > VMD_FUTURE_MAX ||
	    call->count > call->total ||
	    call->first > call->total - call->count)
		return -EINVAL;
	return 0;
}

static void future_tell(struct vmd_space *space, struct vmd_future *call)
{
	const struct vmd_string *s;

	call->loaded = space->loading ? space->loading->loaded : 0;
	spin_lock(&space->policy_lock);
	s = space->string;
	call->length = s ? s->nr : 0;
	call->bytes = s ? string_bytes(s) : 0;
	call->position = s ? s->at : 0;
	call->followed = s ? s->followed : 0;
	call->skipped = s ? s->skipped : 0;
	call->strayed = s ? s->strayed : 0;
	call->departures = s ? s->departures : 0;
	call->first_position = VMD_FUTURE_NONE;
	call->first_expected = VMD_FUTURE_NONE;
	call->first_page = VMD_FUTURE_NONE;
	if (s && s->departures) {
		call->first_position = s->first_position;
		if (s->first_position < s->nr)
			call->first_expected = s->page[s->first_position];
		call->first_page = s->first_page;
	}
	spin_unlock(&space->policy_lock);
}

/**
 * vmd_future_call - carry out VMD_IOC_FUTURE
 * @space: of which
 * @call: as the user gave it, not checked; the answer goes there
 * @may_change: the file is open for writing
 */
long vmd_future_call(struct vmd_space *space, struct vmd_future *call,
		     bool may_change)
{
	int err = future_check(call);

	if (err)
		return err;
	if (!may_change && (call->count || call->flags))
		return -EBADF;
	if (mutex_lock_killable(&space->future_lock))
		return -EINTR;
	if (call->flags)
		err = future_drop(space);
	else if (call->count && call->first)
		err = future_go_on(space, call);
	else if (call->count)
		err = future_begin(space, call);
	if (!err)
		future_tell(space, call);
	mutex_unlock(&space->future_lock);
	return err;
}
