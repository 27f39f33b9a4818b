// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots of the swap store: which free ones a batch of pages gets, and a look at
 * all of them (VMD_IOC_SLOTS).
 *
 * The textbook's ways to choose are for comparison: D. E. Knuth, The Art of
 * Computer Programming, volume 1, section 2.5. The way that is normally used is
 * in store_swap.c. A run of free slots ends where its chunk ends; the report
 * counts it as one if it goes on in the next one.
 */
#include <linux/bitmap.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "slots.h"
#include "space.h"

/* Runs looked at in one search: a spinlock is held. */
#define SLOTS_RUNS_MOST	4096

static const char *const slots_names[] = {
	[VMD_FIT_CLUSTERED] = "clustered",
	[VMD_FIT_FIRST]	    = "first",
	[VMD_FIT_NEXT]	    = "next",
	[VMD_FIT_BEST]	    = "best",
};

static enum vmd_fit slots_fit = VMD_FIT_CLUSTERED;

static int slots_param_set(const char *val, const struct kernel_param *kp)
{
	int which = sysfs_match_string(slots_names, val);

	if (which < 0) {
		pr_err("slots=%s: give clustered, first, next or best\n", val);
		return -EINVAL;
	}
	WRITE_ONCE(slots_fit, which);
	return 0;
}

static int slots_param_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", slots_names[READ_ONCE(slots_fit)]);
}

static const struct kernel_param_ops slots_param_ops = {
	.set = slots_param_set,
	.get = slots_param_get,
};
module_param_cb(slots, &slots_param_ops, &slots_fit, 0644);
MODULE_PARM_DESC(slots, "how slots of the swap store are chosen: clustered, first, next or best fit (default clustered)");

/**
 * vmd_slots_fit - how slots are chosen now
 */
enum vmd_fit vmd_slots_fit(void)
{
	return READ_ONCE(slots_fit);
}

/* The best run found so far. */
struct slots_search {
	enum vmd_fit fit;
	u32 want;
	u32 first;
	u32 length;
	u32 left;
};

/* Returns true if there is nothing better to come. */
static bool slots_consider(struct slots_search *s, u32 first, u32 length)
{
	bool fits = length >= s->want, fitted = s->length >= s->want;
	bool better = fits && fitted ? length < s->length : length > s->length;

	if (better) {
		s->first = first;
		s->length = length;
	}
	if (!--s->left)
		return true;
	return fits && (s->fit != VMD_FIT_BEST || length == s->want);
}

/* Free runs from @from to before @end. */
static bool slots_search_range(struct vmd_swap *swap, struct slots_search *s,
			       u32 from, u32 end)
{
	u32 start, nr, bit, stop;
	unsigned long *bits;

	while (from < end) {
		nr = vmd_swap_chunk(swap, from, &start);
		nr = min(nr, end - start);
		bits = xa_load(&swap->chunks, from / VMD_CHUNK_SLOTS);
		for (bit = from - start;; bit = stop) {
			bit = find_next_zero_bit(bits, nr, bit);
			if (bit >= nr)
				break;
			stop = find_next_bit(bits, nr, bit);
			if (slots_consider(s, start + bit, stop - bit))
				return true;
		}
		from = start + nr;
	}
	return false;
}

/**
 * vmd_slots_search - take free slots that are neighbours
 * @swap: its lock is held
 * @fit: how they are chosen; not VMD_FIT_CLUSTERED
 * @want: how many
 * @first: the first of them
 *
 * Returns how many: fewer where no run is as long, then those of the longest.
 */
u32 vmd_slots_search(struct vmd_swap *swap, enum vmd_fit fit, u32 want,
		     u32 *first)
{
	struct slots_search s = {
		.fit = fit, .want = want, .left = SLOTS_RUNS_MOST,
	};
	u32 from = 0, got;

	if (fit == VMD_FIT_NEXT && swap->hint < swap->nr_slots)
		from = swap->hint;
	if (!slots_search_range(swap, &s, from, swap->nr_slots))
		slots_search_range(swap, &s, 0, from);
	got = min(s.length, want);
	if (!got)
		return 0;
	bitmap_set(xa_load(&swap->chunks, s.first / VMD_CHUNK_SLOTS),
		   s.first % VMD_CHUNK_SLOTS, got);
	swap->nr_used += got;
	swap->hint = s.first + got;
	*first = s.first;
	return got;
}

/* A look at all slots, chunk by chunk. */
struct slots_look {
	struct vmd_slots *out;
	u64 done;
	u64 run;
	u64 *bits;
};

/* Bits of the chunk at @start as they are just now; returns how many. */
static u32 look_copy(struct vmd_swap *swap, struct slots_look *look, u32 start)
{
	u32 nr;

	spin_lock(&swap->lock);
	nr = min_t(u32, VMD_CHUNK_SLOTS, swap->nr_slots - start);
	memcpy(look->bits, xa_load(&swap->chunks, start / VMD_CHUNK_SLOTS),
	       PAGE_SIZE);
	spin_unlock(&swap->lock);
	return nr;
}

/* A run of free slots has ended. */
static void look_end_run(struct slots_look *look)
{
	struct vmd_slots *out = look->out;

	if (!look->run)
		return;
	out->free_runs++;
	out->longest_free = max(out->longest_free, look->run);
	out->runs[min(ilog2(look->run), VMD_SLOT_BUCKETS - 1)]++;
	look->run = 0;
}

static void look_count(struct slots_look *look, u32 nr)
{
	const unsigned long *bits = (unsigned long *)look->bits;
	u32 bit = 0, stop;

	while (bit < nr) {
		stop = find_next_bit(bits, nr, bit);
		look->run += stop - bit;
		if (stop >= nr)
			return;
		look_end_run(look);
		bit = find_next_zero_bit(bits, nr, stop);
		look->out->used += bit - stop;
	}
}

/* The part of the chunk's map that is asked for; whole bytes. */
static int look_give(struct slots_look *look, u32 start, u32 nr)
{
	struct vmd_slots *out = look->out;
	u64 from = max_t(u64, start, out->first);
	u64 end = min_t(u64, start + nr, out->first + out->count);

	if (from >= end)
		return 0;
	if (copy_to_user(u64_to_user_ptr(out->map + (from - out->first) / 8),
			 (u8 *)look->bits + (from - start) / 8,
			 DIV_ROUND_UP(end - from, 8)))
		return -EFAULT;
	look->done += end - from;
	return 0;
}

static int look_chunks(struct vmd_swap *swap, struct slots_look *look)
{
	u32 start, nr;
	int err = 0;

	for (start = 0; !err && start < READ_ONCE(swap->nr_slots); start += nr) {
		nr = look_copy(swap, look, start);
		look_count(look, nr);
		err = look_give(look, start, nr);
		look->out->slots = start + nr;
		cond_resched();
		if (nr < VMD_CHUNK_SLOTS)
			break;
	}
	look_end_run(look);
	look->out->count = look->done;
	return err;
}

/* The last writes, the latest one last. */
static int look_writes(struct vmd_swap *swap, struct vmd_slots *out)
{
	struct vmd_slot_write __user *to = u64_to_user_ptr(out->writes);
	u32 total = atomic_read(&swap->nr_writes), n, i;
	struct vmd_slot_write w;
	u64 word;

	n = min3(total, out->nr_writes, (u32)VMD_SLOT_WRITES);
	for (i = 0; i < n; i++) {
		word = READ_ONCE(swap->writes[(total - n + i) %
					      VMD_SLOT_WRITES]);
		w.slot = upper_32_bits(word);
		w.pages = lower_32_bits(word);
		if (copy_to_user(to + i, &w, sizeof(w)))
			return -EFAULT;
	}
	out->nr_writes = n;
	return 0;
}

/**
 * vmd_slots_look - carry out VMD_IOC_SLOTS
 * @store: the space's
 * @out: what is asked for; filled
 */
int vmd_slots_look(struct vmd_store *store, struct vmd_slots *out)
{
	struct slots_look look = { .out = out };
	int err;

	if (out->flags || out->first % 8 || out->count % 8 ||
	    out->count > VMD_SLOTS_MAX || out->first > U32_MAX)
		return -EINVAL;
	if (store->homes)
		return -EOPNOTSUPP;
	/* Where others write, and when, is not for everybody. */
	if ((out->count || out->nr_writes) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	look.bits = (u64 *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!look.bits)
		return -ENOMEM;
	out->slots = 0;
	out->used = 0;
	out->free_runs = 0;
	out->longest_free = 0;
	memset(out->runs, 0, sizeof(out->runs));
	strscpy(out->allocator, slots_names[vmd_slots_fit()],
		sizeof(out->allocator));
	err = look_chunks(vmd_to_swap(store), &look);
	if (!err)
		err = look_writes(vmd_to_swap(store), out);
	free_page((unsigned long)look.bits);
	return err;
}
