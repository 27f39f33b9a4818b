// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of frames, each with a policy of its own; see place.h.
 *
 * In memory: struct vmd_place; the policies' states, one behind the other; the
 * LRU directory; the sets; the slot of each place, that is of each number that
 * a set's policy knows a page by; two maps of one bit for each set; and last,
 * as these become more, what there is to know of each slot.
 */
#include "ghost.h"
#include "place.h"

/* The only list of the directory, least recently used first. */
#define PLACE_LRU	1

/* What is known of a slot in use. */
struct place_slot {
	u64 key;
	u32 set;
	u32 at;		/* its number there; VMD_NO_SLOT: it waits */
	u32 next;	/* the next one that waits, VMD_NO_SLOT: none */
	u32 pad;
};

/**
 * struct vmd_place - placement, and the policies
 * @ops: the policy
 * @ways: frames of a set
 * @sets: how many sets there are
 * @slots: slots are numbered 0 to @slots - 1
 * @over: frames in use beyond what their sets have
 * @hand: the set of which the next victim is, where any will do
 * @pad: 0
 * @stride: bytes of a policy's state
 * @lru: where the LRU directory is, from the start of the state
 * @set: where the sets are
 * @at: where the slots of the places are
 * @some: where the map is of sets whose policy has a page
 * @much: where the map is of sets with too many frames
 * @slot: where struct place_slot begin
 */
struct vmd_place {
	const struct vmd_policy_ops *ops;
	u32 ways;
	u32 sets;
	u32 slots;
	u32 over;
	u32 hand;
	u32 pad;
	u64 stride;
	u64 lru;
	u64 set;
	u64 at;
	u64 some;
	u64 much;
	u64 slot;
};

/* The first multiple of 64 that is not below @size. */
static u64 place_round(u64 size)
{
	return (size + 63) & ~(u64)63;
}

/* Where everything is. Returns how many bytes it is together. */
static u64 place_lay_out(struct vmd_place *p, const struct vmd_policy_ops *ops,
			 u32 ways, u32 slots, u32 frames)
{
	u64 sets = vmd_div64(frames, ways);

	p->ops = ops;
	p->ways = ways;
	p->sets = (u32)sets;
	p->slots = slots;
	p->stride = place_round(ops->state_size(ways, ways));
	p->lru = place_round(sizeof(*p)) + sets * p->stride;
	p->set = place_round(p->lru + vmd_known_size(sizeof(struct vmd_known),
						     0, frames));
	p->at = place_round(p->set + sets * sizeof(struct vmd_place_set));
	p->some = place_round(p->at + (u64)frames * sizeof(u32));
	p->much = place_round(p->some + (sets + 63) / 64 * sizeof(u64));
	p->slot = place_round(p->much + (sets + 63) / 64 * sizeof(u64));
	return p->slot + (u64)slots * sizeof(struct place_slot);
}

size_t vmd_place_size(const struct vmd_policy_ops *ops, u32 ways, u32 slots,
		      u32 frames)
{
	struct vmd_place p;

	return (size_t)place_lay_out(&p, ops, ways, slots, frames);
}

static void *place_state(const struct vmd_place *p, u32 set)
{
	return (char *)p + place_round(sizeof(*p)) + set * p->stride;
}

static struct vmd_known *place_lru(const struct vmd_place *p)
{
	return (struct vmd_known *)((char *)p + p->lru);
}

static struct vmd_place_set *place_sets(const struct vmd_place *p)
{
	return (struct vmd_place_set *)((char *)p + p->set);
}

/* The slot of number @at of @set; while that is free, the next free number. */
static u32 *place_at(const struct vmd_place *p, u32 set, u32 at)
{
	return (u32 *)((char *)p + p->at) + (u64)set * p->ways + at;
}

static struct place_slot *place_slot(const struct vmd_place *p, u32 slot)
{
	return (struct place_slot *)((char *)p + p->slot) + slot;
}

static void place_mark(const struct vmd_place *p, u64 map, u32 set, bool on)
{
	u64 *word = (u64 *)((char *)p + map) + set / 64;
	u64 bit = (u64)1 << set % 64;

	*word = on ? *word | bit : *word & ~bit;
}

/* The first set of the map from @set on, or p->sets. */
static u32 place_next(const struct vmd_place *p, u64 map, u32 set)
{
	const u64 *word = (const u64 *)((char *)p + map);

	while (set < p->sets && !(word[set / 64] >> set % 64 & 1)) {
		/* A word with nothing more in it is stepped over. */
		if (!(word[set / 64] >> set % 64))
			set |= 63;
		set++;
	}
	return set < p->sets ? set : p->sets;
}

static u32 place_of(const struct vmd_place *p, u64 key)
{
	return (u32)vmd_mod64(key, p->sets);
}

struct vmd_place_set *vmd_place_set(const struct vmd_place *p, u64 key)
{
	return place_sets(p) + place_of(p, key);
}

static void place_init_set(struct vmd_place *p, u32 set,
			   const struct vmd_policy_choice *choice)
{
	struct vmd_place_set *s = place_sets(p) + set;
	u32 at;

	s->first = VMD_NO_SLOT;
	s->last = VMD_NO_SLOT;
	for (at = 0; at < p->ways; at++)
		*place_at(p, set, at) = at + 1 < p->ways ? at + 1 : VMD_NO_SLOT;
	choice->ops->init(place_state(p, set), p->ways, p->ways,
			  choice->params);
}

void vmd_place_init(struct vmd_place *p, const struct vmd_policy_choice *choice,
		    u32 ways, u32 slots, u32 frames)
{
	u32 set;

	place_lay_out(p, choice->ops, ways, slots, frames);
	vmd_known_init(place_lru(p), sizeof(struct vmd_known), 0, frames,
		       frames);
	for (set = 0; set < p->sets; set++)
		place_init_set(p, set, choice);
}

void vmd_place_grow(struct vmd_place *p, u32 slots)
{
	/* What slots need lies behind all else and needs no start. */
	p->slots = slots;
}

void vmd_place_missed(struct vmd_place *p, u64 key)
{
	vmd_policy_missed(p->ops, place_state(p, place_of(p, key)), key);
}

void vmd_place_future(struct vmd_place *p, u64 key, u64 next)
{
	vmd_policy_future(p->ops, place_state(p, place_of(p, key)), next);
}

/* The set's policy has room for the page. */
static void place_put(struct vmd_place *p, u32 slot, u32 flags)
{
	struct place_slot *page = place_slot(p, slot);
	struct vmd_place_set *s = place_sets(p) + page->set;
	u32 at = s->free;

	s->free = *place_at(p, page->set, at);
	*place_at(p, page->set, at) = slot;
	page->at = at;
	s->n++;
	place_mark(p, p->some, page->set, true);
	p->ops->inserted(place_state(p, page->set), at, page->key, flags);
}

/* The set has none: the page waits, behind those that wait already. */
static void place_wait(struct vmd_place *p, u32 slot)
{
	struct place_slot *page = place_slot(p, slot);
	struct vmd_place_set *s = place_sets(p) + page->set;

	page->at = VMD_NO_SLOT;
	page->next = VMD_NO_SLOT;
	if (s->last == VMD_NO_SLOT)
		s->first = slot;
	else
		place_slot(p, s->last)->next = slot;
	s->last = slot;
}

void vmd_place_inserted(struct vmd_place *p, u32 slot, u64 key, u32 flags)
{
	struct place_slot *page = place_slot(p, slot);

	page->key = key;
	page->set = place_of(p, key);
	if (place_sets(p)[page->set].n < p->ways)
		place_put(p, slot, flags);
	else
		place_wait(p, slot);
}

void vmd_place_touched(struct vmd_place *p, u32 slot, u32 flags)
{
	const struct place_slot *page = place_slot(p, slot);

	if (page->at != VMD_NO_SLOT)
		vmd_policy_touched(p->ops, place_state(p, page->set), page->at,
				   flags);
}

/* The page that waits is not resident any more. */
static void place_unwait(struct vmd_place *p, u32 slot)
{
	struct vmd_place_set *s = place_sets(p) + place_slot(p, slot)->set;
	u32 at, before = VMD_NO_SLOT;

	for (at = s->first; at != slot; at = place_slot(p, at)->next)
		before = at;
	if (before == VMD_NO_SLOT)
		s->first = place_slot(p, slot)->next;
	else
		place_slot(p, before)->next = place_slot(p, slot)->next;
	if (s->last == slot)
		s->last = before;
}

void vmd_place_removed(struct vmd_place *p, u32 slot, enum vmd_removal why)
{
	const struct place_slot *page = place_slot(p, slot);
	struct vmd_place_set *s = place_sets(p) + page->set;
	u32 heir = s->first;

	if (page->at == VMD_NO_SLOT) {
		place_unwait(p, slot);
		return;
	}
	p->ops->removed(place_state(p, page->set), page->at, why);
	*place_at(p, page->set, page->at) = s->free;
	s->free = page->at;
	s->n--;
	if (heir != VMD_NO_SLOT) {
		place_unwait(p, heir);
		place_put(p, heir, 0);
	} else if (!s->n) {
		place_mark(p, p->some, page->set, false);
	}
}

void vmd_place_kept(struct vmd_place *p, u32 slot)
{
	const struct place_slot *page = place_slot(p, slot);

	if (page->at != VMD_NO_SLOT)
		p->ops->kept(place_state(p, page->set), page->at);
}

void vmd_place_explain(const struct vmd_place *p, u32 slot,
		       struct vmd_reason *why)
{
	const struct place_slot *page = place_slot(p, slot);

	memset(why, 0, sizeof(*why));
	if (page->at != VMD_NO_SLOT)
		vmd_policy_explain(p->ops, place_state(p, page->set), page->at,
				   why);
}

/* Slots for a set's numbers. */
struct place_visit {
	const struct vmd_place *p;
	u32 set;
	vmd_policy_visit_t visit;
	void *arg;
	bool more;
};

static bool place_visit(void *arg, u32 at)
{
	struct place_visit *v = arg;

	v->more = v->visit(v->arg, *place_at(v->p, v->set, at));
	return v->more;
}

/* One set, then those of it that its policy does not have. */
static void place_walk_set(struct place_visit *v)
{
	const struct vmd_place *p = v->p;
	u32 slot = place_sets(p)[v->set].first;

	p->ops->walk(place_state(p, v->set), place_visit, v);
	for (; v->more && slot != VMD_NO_SLOT; slot = place_slot(p, slot)->next)
		v->more = v->visit(v->arg, slot);
}

/* One set after the other: who would go first of its own is known, no more. */
void vmd_place_walk(const struct vmd_place *p, vmd_policy_visit_t visit,
		    void *arg)
{
	struct place_visit v = {
		.p = p, .visit = visit, .arg = arg, .more = true,
	};

	for (v.set = 0; v.more && v.set < p->sets; v.set++)
		place_walk_set(&v);
}

static void place_name(char name[16], u32 set)
{
	u32 unit = 1;

	memcpy(name, "set ", 4);
	name += 4;
	while (set / unit >= 10)
		unit *= 10;
	for (; unit; unit /= 10)
		*name++ = (char)('0' + set / unit % 10);
	*name = 0;
}

void vmd_place_queues(const struct vmd_place *p, u32 most,
		      struct vmd_queue_view *view)
{
	struct place_visit v = {
		.p = p, .visit = vmd_policy_show_slot, .arg = view,
	};
	char name[16];

	for (v.set = 0; v.set < p->sets && v.set < most; v.set++) {
		place_name(name, v.set);
		view->queue(view, name, NULL, place_sets(p)[v.set].n, p->ways);
		v.more = true;
		place_walk_set(&v);
	}
}

static u32 place_victim_of(struct vmd_place *p, u32 set, u32 *out, u32 max)
{
	u32 i, n = 0;

	/* A policy without pages need not answer. */
	if (place_sets(p)[set].n)
		n = p->ops->victim(place_state(p, set), out, max);
	for (i = 0; i < n; i++)
		out[i] = *place_at(p, set, out[i]);
	return n;
}

/* One of each set of the map, in turn. */
static u32 place_victim_in(struct vmd_place *p, u64 map, u32 *out, u32 max)
{
	u32 i, n = 0, set = p->hand, first = p->sets;

	for (i = 0; i < 2 && n < max; i++, set = 0) {
		set = place_next(p, map, set);
		while (n < max && set < p->sets && set != first) {
			if (first == p->sets)
				first = set;
			n += place_victim_of(p, set, out + n, 1);
			p->hand = set + 1;
			set = place_next(p, map, set + 1);
		}
	}
	return n;
}

u32 vmd_place_victim(struct vmd_place *p, u64 key, u32 *out, u32 max)
{
	u32 n = 0;

	if (key < VMD_PLACE_OVER)
		return place_victim_of(p, place_of(p, key), out, max);
	if (p->over)
		n = place_victim_in(p, p->much, out, max);
	if (!n && key == VMD_PLACE_ANY)
		n = place_victim_in(p, p->some, out, max);
	return n;
}

bool vmd_place_full(const struct vmd_place *p, u64 key)
{
	return vmd_place_set(p, key)->n == p->ways;
}

void vmd_place_use(struct vmd_place *p, u64 key)
{
	struct vmd_place_set *s = vmd_place_set(p, key);

	if (s->used++ >= p->ways) {
		p->over++;
		place_mark(p, p->much, place_of(p, key), true);
	}
}

void vmd_place_unuse(struct vmd_place *p, u64 key)
{
	struct vmd_place_set *s = vmd_place_set(p, key);

	if (s->used-- > p->ways) {
		p->over--;
		place_mark(p, p->much, place_of(p, key), s->used > p->ways);
	}
}

u32 vmd_place_over(const struct vmd_place *p)
{
	return p->over;
}

/* The page is not in the directory: the oldest one makes room for it. */
static void place_learn(struct vmd_known *k, u64 key)
{
	struct vmd_node *node;
	u32 at;

	vmd_known_trim(k, PLACE_LRU, k->ghosts - 1);
	at = k->free;
	if (at)
		k->free = vmd_known_nodes(k)[at].next;
	else
		at = k->fresh++;
	node = vmd_known_nodes(k) + at;
	*node = (struct vmd_node){ .key = key, .slot = VMD_NO_SLOT };
	vmd_known_link(k, at, PLACE_LRU);
	vmd_known_hash(k, at);
}

bool vmd_place_reference(struct vmd_place *p, u64 key)
{
	struct vmd_known *k = place_lru(p);
	u32 at = vmd_known_ghost(k, key);

	if (at)
		vmd_known_move(k, at, PLACE_LRU);
	else
		place_learn(k, key);
	return at;
}

void vmd_place_remember(struct vmd_place *p, const struct vmd_place *from)
{
	const struct vmd_known *k = place_lru(from);
	u32 at = vmd_known_first(k, PLACE_LRU);

	for (; at; at = vmd_known_next(k, PLACE_LRU, at))
		vmd_place_reference(p, vmd_known_nodes(k)[at].key);
}

int vmd_place_parse(const char *text, u32 *ways)
{
	u64 n = 0;

	if (!strcmp(text, "full") || !strcmp(text, "direct")) {
		*ways = *text == 'f' ? VMD_PLACE_FULL : VMD_PLACE_DIRECT;
		return 0;
	}
	if (strncmp(text, "set:", 4) || text[4] < '1' || text[4] > '9')
		return -EINVAL;
	for (text += 4; *text >= '0' && *text <= '9'; text++) {
		n = n * 10 + (u64)(*text - '0');
		if (n > VMD_POLICY_MAX_SLOTS)
			return -EINVAL;
	}
	if (*text)
		return -EINVAL;
	*ways = (u32)n;
	return 0;
}

void vmd_place_format(u32 ways, char buf[VMD_PLACE_LEN])
{
	char *at = buf;
	u32 unit = 1;

	if (ways <= VMD_PLACE_DIRECT) {
		strcpy(buf, ways ? "direct" : "full");
		return;
	}
	memcpy(at, "set:", 4);
	at += 4;
	while (ways / unit >= 10)
		unit *= 10;
	for (; unit; unit /= 10)
		*at++ = (char)('0' + ways / unit % 10);
	*at = 0;
}
