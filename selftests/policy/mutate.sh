#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Test the tests: break the policies in one small way after the other, in a
# copy, and see that the tests fail each time.
#
# With a pattern, only the mutations whose line has it.

set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

mkdir -p "$tmp/module" "$tmp/tools" "$tmp/selftests" "$tmp/uapi"
cp -r "$top/module/policy" "$tmp/module/"
cp "$top"/tools/sim.[ch] "$top"/tools/why.[ch] "$tmp/tools/"
cp "$top/uapi/vmdemo_why.h" "$top/uapi/vmdemo_queues.h" "$tmp/uapi/"
cp -r "$here" "$tmp/selftests/"
cp -r "$tmp/module/policy" "$tmp/good"

build()
{
	make -s -C "$tmp/selftests/policy" CFLAGS=-O1 WARN= \
		>"$tmp/log" 2>&1
}

# The tests of the policies whose name begins so, or of all.
run()
{
	(cd "$tmp/selftests/policy" &&
		timeout 120 build/test_policy -n 4000 -p "$1" vectors.txt) \
		>"$tmp/log" 2>&1
}

# The file, what is broken, and how. The replacement has to change something.
mutations()
{
	cat <<-'END'
	fifo.c|a new page goes first|s/vmd_list_add_last(state/vmd_list_add_first(state/
	fifo.c|kept does nothing|s/vmd_list_move_last(state, slot)/(void)slot/
	fifo.c|a touch moves|s/\.victim =/.touched = (void *)fifo_kept, .victim =/
	lru.c|a touch does not move|/lru_touched/,/^}/s/vmd_list_move_last(state, slot)/(void)slot/
	lru.c|a touch moves the wrong way|/lru_touched/,/^}/s/move_last/move_first/
	lru.c|kept does nothing|/lru_kept/,/^}/s/vmd_list_move_last(state, slot)/(void)slot/
	lru.c|a page is not removed|/lru_removed/,/^}/s/vmd_list_del(state, slot)/(void)slot/
	mru.c|a touch does not move|/mru_touched/,/^}/s/vmd_list_move_first(state, slot)/(void)slot/
	mru.c|restored is as good as new|s/flags & VMD_REF_RESTORED/0/
	mru.c|kept goes first|/mru_kept/,/^}/s/move_last/move_first/
	clock.c|who was passed is counted for ever|s/c->passed = 0/(void)0/
	clock.c|nobody passed is counted|s/c->passed++/(void)0/
	sieve.c|who was passed is counted for ever|s/s->passed = 0/(void)0/
	lru.c|another reason is told|s/VMD_WHY_LEAST_RECENT/VMD_WHY_MOST_RECENT/
	arc.c|T1 beyond p is not told from B2|/arc_explain/,/^}/s/bool over = .*;/bool over = false;/
	twoq.c|A1in is not told from Am|/twoq_explain/,/^}/s/VMD_WHY_2Q_AM/VMD_WHY_2Q_IN/
	lfu.c|the count is not told|s/why->nr.0. = lfu_count.*;/(void)state;/
	clock.c|passing does not clear|/clock_turn/,/^}/s/clock_set_bit(c, slot, false)/clock_set_bit(c, VMD_NO_SLOT \& 0, false)/
	clock.c|a touch sets nothing|/^static void clock_touched/,/^}/s/true/false/
	clock.c|a new page keeps the slot's old bit|/^static void clock_inserted/,/^}/s/clock_set_bit(c, slot, false)/(void)c/
	clock.c|a new page is referenced|/^static void clock_inserted/,/^}/s/false/true/
	clock.c|clock-a: a new page is not|s/!(flags & (VMD_REF_DEFERRED | VMD_REF_RESTORED))/false/
	clock.c|clock-a: deferred is ignored|s/(VMD_REF_DEFERRED | VMD_REF_RESTORED)/VMD_REF_RESTORED/
	clock.c|clock-a: restored is ignored|s/(VMD_REF_DEFERRED | VMD_REF_RESTORED)/VMD_REF_DEFERRED/
	clock.c|a new page stands before the hand|s/vmd_list_add_last(c->link, slot)/vmd_list_add_first(c->link, slot)/
	clock.c|kept does not set the bit|/^static void clock_kept/,/^}/s/true/false/
	clock.c|kept does not move|/^static void clock_kept/,/^}/s/vmd_list_move_last(c->link, slot)/(void)c/
	clock.c|resize forgets the bits|s/memmove(c->link + slots + 1, from, bytes)/(void)from; (void)bytes/
	clock.c|the bitmap is a word short|s/(size_t)slots + 31) \/ 32/(size_t)slots) \/ 32/
	clock.c|bits share a word's first one|s/(u32)1 << slot % 32/(u32)1 << slot % 31/
	clock.c|several: the second round is missing|s/clock_search(state, true, &s);/;/
	clock.c|several: bits do not matter|/^static bool clock_search/,/^}/s/clock_bit(c, slot) == bit/clock_bit(c, slot) == bit || bit == false/
	clock.c|a walk begins with the referenced|/^static void clock_walk/,/^}/{s/false/X/;s/true/false/;s/X/true/}
	second.c|passing does not clear|/^static void second_turn/,/^}/s/second_bits(s)\[slot\] = 0;/if (second_bits(s)[slot]++ > 9) break;/
	second.c|no second chance|/^static void second_turn/,/^}/s/vmd_list_move_last(s->link, slot)/(void)0/
	second.c|a touch sets nothing|/^static void second_touched/,/^}/s/= 1/= 0/
	second.c|the parameter does not matter|s/0 : (u8)s->bit/0 : 1/
	second.c|deferred is ignored|s/(VMD_REF_DEFERRED | VMD_REF_RESTORED)/VMD_REF_RESTORED/
	second.c|restored is ignored|s/(VMD_REF_DEFERRED | VMD_REF_RESTORED)/VMD_REF_DEFERRED/
	second.c|kept does not set the bit|/^static void second_kept/,/^}/s/= 1/= 0/
	second.c|several: the second round is missing|s/bit < 2/bit < 1/
	second.c|resize forgets the bits|s/memmove(s->link + slots + 1, second_bits(s), s->slots)/(void)0/
	clocke.c|a write is not heard of|/^static void clocke_touched/,/^}/s/flags & VMD_REF_WRITE/0/
	clocke.c|a new page is not written|/^static void clocke_inserted/,/^}/s/flags & VMD_REF_WRITE/0/
	clocke.c|the unmodified are not preferred|/^static void clocke_choose/,/^}/s/u32 slot = vmd_lists_first(.*/u32 slot = VMD_NO_SLOT;/
	clocke.c|round 2 clears nothing more|/^static u32 clocke_clear/,/^}/s/if (!bits\[slot\])/if (0)/
	clocke.c|the hand stays|s/vmd_list_turn(c->link, slot);/;/
	clocke.c|a choice outlives its page's touch|/^static void clocke_touched/,/^}/s/c->chosen = 0;/;/
	clocke.c|a choice outlives the page that comes|/^static void clocke_inserted/,/^}/s/c->chosen = 0;/;/
	clocke.c|nothing is chosen|s/c->chosen = slot + 1;/;/
	clocke.c|restored is unmodified|s/clocke_park(c, slot, CLOCKE_MODIFIED)/clocke_park(c, slot, 0)/
	clocke.c|the kept come back unreferenced|s/bits | CLOCKE_REFERENCED)/bits)/
	clocke.c|resize forgets the lists|s/memmove(clocke_lists(c), lists/if (0) memmove(clocke_lists(c), lists/
	nru.c|bits are never cleared|s/n->now++;/;/
	nru.c|the search begins where it was|/^static void nru_clear/,/^}/s/n->done\[NRU_CLEAN\] = VMD_NO_SLOT/(void)0/
	nru.c|done stays on what leaves|/^static void nru_leave/,/^}/s/if (n->done\[list\] == slot)/if (0)/
	nru.c|a period is one too long|s/++n->seen >=/n->seen++ >=/
	nru.c|a write is not heard of|/^static void nru_touched/,/^}/s/flags & VMD_REF_WRITE/0/
	nru.c|who is written keeps its place|/^static void nru_touched/,/^}/s/!(word & NRU_PARK)/0/
	nru.c|the modified go last|/^static void nru_search/,/^}/s/NRU_DIRTY, false/NRU_CLEAN, true/
	nru.c|resize forgets the frames|/^static void nru_resize/,/^}/s/n->frames = frames;/;/
	aging.c|nothing is shifted|/^static void aging_tick/,/^}/s/rank = aging_half(rank)/(void)0/
	aging.c|equals stay in their order|/^static void aging_tick/,/^}/s/if (rank < highest)/if (0)/
	aging.c|the other equals are not looked at|/^static void aging_tick/,/^}/s/before == VMD_NO_SLOT ? 0 :/1 ? 0 :/
	aging.c|the second reference counts|/^static void aging_touched/,/^}/s/| aging_high(a)))/))/;/^static void aging_touched/,/^}/s/rank | aging_high(a)/rank + aging_high(a)/
	aging.c|bits are one too many|s/AGING_SHIFT + a->bits - 1/AGING_SHIFT + a->bits/
	aging.c|a period is one too long|s/++a->seen >=/a->seen++ >=/
	aging.c|who is kept ranks as before|/^static void aging_kept/,/^}/s/aging_park(a, slot)/aging_join(a, slot, aging_high(a))/
	aging.c|the kept stay so|/^static void aging_unpark_all/,/^}/s/if (!a->parked)/if (1)/
	wsclock.c|the window is one too short|/^static bool ws_old/,/^}/s/> (w->param/>= (w->param/
	wsclock.c|passing does not clear|/^static u32 ws_pass/,/^}/s/ws_clear(w, slot);/;/
	wsclock.c|passing does not mark|/^static u32 ws_pass/,/^}/s/ws_move(w, slot, WS_MODIFIED | WS_MARKED);/;/
	wsclock.c|a mark outlives a touch|s/(bits & ~WS_MARKED) | /bits | /
	wsclock.c|the modified go as well|/^static bool ws_goes/,/^}/s/!bits && ws_old/ws_old/
	wsclock.c|the old and modified wait|/^static u32 ws_round/,/^}/s/ws_old(w, slot = /0 \&\& ws_old(w, slot = /
	wsclock.c|time stands still|/^static void ws_touched/,/^}/s/w->now++;/;/
	wsclock.c|seen is not used|/^static void ws_clear/,/^}/s/ws_used(w)\[slot\] = w->now;/;/
	wsclock.c|the hand stays|s/vmd_list_turn(w->link, slot);/;/
	wsclock.c|a write is not heard of|/^static void ws_touched/,/^}/s/flags & VMD_REF_WRITE/0/
	wsclock.c|restored is unmodified|s/WS_MODIFIED | WS_PARKED);/WS_PARKED);/
	wsclock.c|resize forgets the times|s/memmove(ws_used(w), used/if (0) memmove(ws_used(w), used/
	lists.h|del leaves a link|/vmd_lists_del/,/^}/s/link\[next\].prev = prev;//
	lists.h|there is no room for the heads|s/((size_t)slots + VMD_LISTS) \*/((size_t)slots) */
	list.h|a turn puts the head behind|/vmd_list_turn/,/^}/s/vmd_list_add(link, prev, VMD_NO_SLOT)/vmd_list_add(link, slot, VMD_NO_SLOT)/
	lfu.c|a touch does not count|s/count++;/count += 0;/
	lfu.c|a new page counts for 2|s/VMD_REF_DEFERRED ? 0 : 1/VMD_REF_DEFERRED ? 0 : 2/
	lfu.c|deferred counts at once|s/VMD_REF_DEFERRED ? 0 : 1/VMD_REF_DEFERRED ? 1 : 1/
	lfu.c|a touched page goes before its equals|s/lfu_count(l, next) <= count/lfu_count(l, next) < count/
	lfu.c|a run forgets its last|s/cell\[run\].last = prev;/;/
	lfu.c|runs are not used again|s/l->free = run + 1;/;/
	lfu.c|kept takes no count along|/^static void lfu_kept/,/^}/s/lfu_join_last(l, slot)/lfu_join(l, slot, VMD_NO_SLOT, 0)/
	lfu.c|kept of the last one joins the run before|s/if (vmd_list_last(l->link) == slot)/if (0)/
	lfu.c|restored counts for 1|s/flags & VMD_REF_RESTORED/0/
	lfu.c|resize forgets the cells|s/memmove(l->link + slots + 1, from, bytes)/(void)from; (void)bytes/
	random.c|the generator stands still|/^static void random_removed/,/^}/s/r->seed += RANDOM_GAMMA/;/
	random.c|the seed is ignored|s/r->seed = params\[0\]/r->seed = 1/
	random.c|the last is never drawn|s/random_draw(r, i, r->free - i)/random_draw(r, i, r->free - i > 1 ? r->free - i - 1 : 1)/
	random.c|the draw is not undone|s/while (drawn--)/while (0 \&\& drawn--)/
	random.c|kept stays in the draw|/^static void random_kept/,/^}/s/random_park(r, place)/(void)0/
	random.c|the second turn stands still|s/r->turn = (r->turn + 1) % r->nr/(void)0/
	random.c|restored may be drawn at once|s/flags & VMD_REF_RESTORED/0/
	random.c|the kept stay parked|/^static void random_free_all/,/^}/s/r->free = r->nr/r->free = r->free < r->nr ? r->free + 1 : r->nr/
	sieve.c|passing does not clear|/^static void sieve_turn/,/^}/s/sieve_set_bit(s, s->hand, false);/if (s->slots == 0) return;/
	sieve.c|the hand begins anew each time|/^static u32 sieve_at/,/^}/s/s->hand == VMD_NO_SLOT/1/
	sieve.c|the hand stays on what leaves|/^static void sieve_leave/,/^}/s/if (s->hand == slot)/if (0)/
	sieve.c|sieve-a: a new page is not referenced|s/!(flags \& VMD_REF_DEFERRED)/false/
	sieve.c|a touch sets nothing|/^static void sieve_touched/,/^}/s/true/false/
	sieve.c|kept does not set the bit|/^static void sieve_kept/,/^}/s/true/false/
	sieve.c|several: the second round is missing|s/round < 2/round < 1/
	s3fifo.c|the ghost is not looked for|/^static void s3_inserted/,/^}/s/at = vmd_known_ghost(k, key)/at = 0/
	s3fifo.c|promoted one reference late|/^static bool s3_turn_small/,/^}/s/count < s->threshold/count <= s->threshold/
	s3fifo.c|promotion keeps the count|/^static bool s3_turn_small/,/^}/s/node\[at\].count = 0;/;/
	s3fifo.c|the search begins anew|/^static bool s3_turn_small/,/^}/s/s->begun = true/s->begun = false/
	s3fifo.c|ghosts are trimmed too early|s/vmd_known_trim(k, S3_GHOST, most + 1)/vmd_known_trim(k, S3_GHOST, most)/
	s3fifo.c|the cap does not count|/^static u32 s3_credit/,/^}/s/node->count < s->cap/1/
	s3fifo.c|fill goes on|s/s->fill = false;/;/
	twoq.c|a touch moves in A1in|s/ \&\& node->home == TWOQ_AM)/)/
	twoq.c|A1in gives one too early|s/in > kin ? in - kin/in >= kin ? in - kin + 1/
	twoq.c|Am leaves ghosts|s/vmd_known_nodes(k)\[at\].home == TWOQ_IN/true/
	twoq.c|ghosts are trimmed too early|s/most + 1/most/
	arc.c|p is adapted twice|s/if (ghost->flag)/if (0)/
	arc.c|B2 does not matter when T1 has p|s/a->in_b2 = at .*;/a->in_b2 = false;/
	arc.c|halves are rounded up|s/low == 2 \* unit \&\& x.part \& unit/low == 2 * unit/
	arc.c|the rest is forgotten|s/!rest ? 0 :/1 ? 0 :/
	arc.c|p may be more than there are frames|/^static void arc_grow/,/^}/s/a->p.whole >= a->known.frames/0/
	arc.c|B2 is never trimmed|s/vmd_known_trim(k, ARC_B2/if (0) &/
	arc.c|restored counts|/^static void arc_inserted/,/^}/s/flags \& VMD_REF_RESTORED/0/
	slru.c|nobody moves down|s/while (k->nr\[list\] > share)/while (0)/
	slru.c|a step of two|s/up + 1 : up/(up + 2 <= s->last ? up + 2 : up + 1) : up/
	slru.c|fill does not matter|s/!s->fill ||/1 ||/
	car.c|T1's turn is one too early|s/t1 - least + 1 : 0/t1 - least + 2 : 0/
	car.c|a bit is not taken|/^static void car_turn/,/^}/s/node\[at\].flag = false;/if (node[at].home == CAR_T2) &/
	car.c|ghosts do not adapt|s/car_adapt(c, node\[at\].list);/;/
	car.c|a new page keeps the old bit|/^static void car_inserted/,/^}/s/node\[at\].flag = false;/;/
	lruk.c|two references are as one|/^static void lruk_join/,/^}/s/LRUK_TWICE | //
	lruk.c|ghosts lose their history|/^static void lruk_inserted/,/^}/s/h->two = h->one;/h->two = 0;/
	lruk.c|the period does not matter|s/l->now - h->last > l->crp/1/
	lruk.c|the young go as well|/^static bool lruk_old/,/^}/s/return l->now.*/return true;/
	lruk.c|resize leaves the history|/^static void lruk_resize/,/^}/s/memmove(to + slots/if (0) memmove(to + slots/
	lirs.c|HIR pages of the stack stay HIR|s/if (inside || /if (/
	lirs.c|the stack is not pruned|/^static void lirs_reference/,/^}/s/lirs_prune(l);/;/
	lirs.c|the same page again counts|s/!l->repeat \&\& //; s/l->last == node->key/0/
	lirs.c|one HIR page less|s/define LIRS_LEAST	2/define LIRS_LEAST	1/
	lirs.c|ghosts stay in the stack for ever|/^static void lirs_trim/,/^}/s/l->nr_ghosts > most/0/
	lirs.c|resize leaves the second links|/^static void lirs_resize/,/^}/s/memmove(/if (0) memmove(/
	clockpro.c|HAND_test is not taken along|/^static u32 pro_run_hot/,/^}/s/pro_step_test(c);/;/
	clockpro.c|a page back in its test period is cold|/^static u32 pro_welcome/,/^}/s/} else if (at \&\& /} else if (0 \&\& /
	clockpro.c|no hot page becomes cold for it|/^static u32 pro_welcome/,/^}/s/pro_run_hot(c, at) != PRO_MET/1/
	clockpro.c|cold pages are in no test period|/^static u32 pro_welcome/,/^}/s/flag = PRO_TEST/flag = 0/
	clockpro.c|credits have no bounds|/^static void pro_accessed/,/^}/s/pro_bound(c);/;/
	clockpro.c|the limit does not matter|/^static void pro_limit/,/^}/s/c->nr_ghosts > most/c->nr_ghosts > most \&\& most > 1000000/
	clockpro.c|the same page again counts|s/!c->repeat \&\& //; s/c->last == node->key/0/
	lfuda.c|the age stands still|/^static void lfuda_removed/,/^}/s/l->age = key/(void)key/
	lfuda.c|the age falls|/^static void lfuda_removed/,/^}/s/ \&\& key > l->age//
	lfuda.c|a touch does not count|s/cell\[slot\].count++;/;/
	lfuda.c|a touch adds no age|/^static void lfuda_touched/,/^}/s/key = l->age + cell/key = cell/
	lfuda.c|a new page has no age|/^static void lfuda_inserted/,/^}/s/l->age + count/count/g
	lfuda.c|kept takes no key along|/^static void lfuda_kept/,/^}/s/lfuda_join_last(l, slot)/lfuda_join(l, slot, VMD_NO_SLOT, 0)/
	lfuda.c|resize leaves the tree|/^static void lfuda_resize/,/^}/s/memmove(lfuda_leaves/if (0) memmove(lfuda_leaves/
	tree.h|the floor is one too low|/vmd_tree_floor/,/^}/s/rank <= rank/rank < rank/
	tree.h|a node's child is lost|/vmd_tree_del/,/^}/s/leaf\[child\].up = up;/;/
	mglru.c|a use does not count|/^static void mglru_touched/,/^}/s/page->gen = (u8)m->youngest;/;/
	mglru.c|a used page is not put elsewhere|/^static void mglru_turn/,/^}/s/mglru_link(m, slot, mglru_pages(m)\[slot\].gen)/mglru_link(m, slot, m->youngest)/
	mglru.c|half of the young are too many|s/2 \* young > m->total/2 * young >= m->total/
	mglru.c|a quarter of the old is too few|s/4 \* old < m->total/4 * old <= m->total/
	mglru.c|one safe generation|s/m->have <= MGLRU_SAFE/m->have < MGLRU_SAFE/
	mglru.c|new pages are always young|s/m->fresh ? m->youngest : m->oldest/m->youngest/
	mglru.c|kept goes to the youngest|/^static void mglru_kept/,/^}/s/MGLRU_PARKED/((struct mglru *)state)->youngest/
	mglru.c|a deferred use counts twice|s/if (page->await)/if (0)/
	mglru.c|resize leaves the numbers|/^static void mglru_resize/,/^}/s/memmove(/if (0) memmove(/
	linux.c|the first use activates|/^static void linux_use/,/^}/s/ || !node->flag//
	linux.c|refaults do not activate|s/distance <= k->nr\[LINUX_ACTIVE\]/0/
	linux.c|the distance may be one more|s/distance <= k->nr\[LINUX_ACTIVE\]/distance <= k->nr[LINUX_ACTIVE] + 1/
	linux.c|evictions do not age|/^static void linux_removed/,/^}/s/l->age++;/;/
	linux.c|activations do not age|/^static void linux_use/,/^}/s/l->age++;/;/
	linux.c|the ratio does not matter|s/(u64)k->nr\[LINUX_INACTIVE\] \* l->ratio/(u64)k->nr[LINUX_INACTIVE]/
	linux.c|a page back is referenced as before|/^static void linux_refault/,/^}/s/flag = false/flag |= 0/
	tinylfu.c|equals are let in|/^static void tiny_walk/,/^}/s/tiny_estimate(t, new) <=/tiny_estimate(t, new) </
	tinylfu.c|the window is never full|/^static u32 tiny_over/,/^}/s/nr < may ? 0 : nr - may + 1/0/
	tinylfu.c|counters are not halved|/^static void tiny_count/,/^}/s/tiny_halve(t);/;/
	tinylfu.c|halving moves bits to the neighbour|s/0x7777/0xffff/
	tinylfu.c|half of the references is forgotten|s/t->counted \/= 2/t->counted = 0/
	tinylfu.c|the door stays open|/^static void tiny_halve/,/^}/s/memset(.*;/;/
	tinylfu.c|the highest counter counts|/^static u32 tiny_estimate/,/^}/s/u32 least = TINY_FULL/u32 least = 0/;/^static u32 tiny_estimate/,/^}/s/count < least/count > least/
	tinylfu.c|nobody moves down|/^static void tiny_cool/,/^}/s/while (/while (0 \&\& /
	tinylfu.c|folding takes the sum|/^static void tiny_fold/,/^}/s/a > b ? a : b/(a + b) \& 15/
	tinylfu.c|doubling copies nothing|/^static void tiny_double/,/^}/s/memcpy(column/if (0) memcpy(column/
	tinylfu.c|a deferred use moves the page|/^static void tiny_touched/,/^}/s/if (vmd_known_awaited(node))/if (0)/
	opt.c|the nearest goes|s/OPT_USED | (OPT_LAST - o->next)/OPT_USED | o->next/
	opt.c|what is told stays|/^static void opt_use/,/^}/s/o->next = VMD_NEVER;/;/
	opt.c|dirty pages go as well|/^static void opt_use/,/^}/s/opt_dirty(o)\[slot\] ? OPT_DIRTY : OPT_CLEAN/OPT_CLEAN/
	opt.c|a hit is no use|/^static void opt_touched/,/^}/s/opt_use(o, slot)/vmd_tree_add(o->leaf, slot, opt_home(o)[slot])/
	opt.c|the kept stay parked|/^static void opt_inserted/,/^}/s/opt_unpark_all(o);/;/
	opt.c|resize leaves the ranks|/^static void opt_resize/,/^}/s/memmove(opt_home/if (0) memmove(opt_home/
	ghost.h|the parked stay parked|/vmd_known_unpark_all/,/^}/s/while (/while (0 \&\& (/;/vmd_known_unpark_all/,/^}/s/PARKED)))/PARKED))))/
	ghost.h|ghosts stay in the table|/vmd_known_forget/,/^}/s/node\[at\].slot == VMD_NO_SLOT/0/
	ghost.h|resize forgets the table|/vmd_known_resize/,/^}/s/vmd_known_hash(k, at)/(void)at/
	ghost.h|a restored page is not parked|/vmd_known_restore/,/^}/s/vmd_known_park(k, at);/(void)at;/
	ghost.h|a deferred reference counts twice|/vmd_known_awaited/,/^}/s/bool await = node->await/bool await = false/
	ghost.h|the least are trimmed too early|/vmd_known_trim/,/^}/s/> most/>= most/
	list.h|del leaves a link|/vmd_list_del/,/^}/s/link\[next\].prev = prev;//
	list.h|peek stops one early|s/nr < max/nr + 1 < max/
	list.h|walk does not stop|s/slot != VMD_NO_SLOT && visit(arg, slot)/slot != VMD_NO_SLOT \&\& (visit(arg, slot) || 1)/
	list.h|the head has no room|s/((size_t)slots + 1) \*/((size_t)slots) */
	place.c|neighbours share a set|s/vmd_mod64(key, p->sets)/vmd_mod64(key \/ 2, p->sets)/
	place.c|touches are lost|/^void vmd_place_touched/,/^}/s/page->at != VMD_NO_SLOT/0/
	place.c|who waits is forgotten|/^void vmd_place_removed/,/^}/s/place_put(p, heir, 0);/(void)heir;/
	place.c|the directory is first in, first out|/^bool vmd_place_reference/,/^}/s/vmd_known_move(k, at, PLACE_LRU);/(void)k;/
	place.c|the directory is a page short|s/k->ghosts - 1/k->ghosts - (k->ghosts > 1 ? 2 : 1)/
	place.c|too many are not counted|/^void vmd_place_use/,/^}/s/p->over++;//
	place.c|set:04 is four|s/text\[4\] < .1./text[4] < 48/
	place.c|a set is full too early|/^bool vmd_place_full/,/^}/s/== p->ways/>= p->ways - (p->ways > 1)/
	place.c|victims of any set|/^u32 vmd_place_victim/,/^}/s/place_of(p, key)/0/
	table.c|a name's beginning will do|s/strlen(name) == len && //
	table.c|doubled parameters|s/ || \*seen & (u32)1 << i//
	table.c|no bounds below|s/value < ops->params\[i\].min || //
	table.c|no bounds above|s/ || value > ops->params\[i\].max//
	table.c|overflow of the product|s/over |= sum > limit;//
	table.c|overflow of the sum|s/over |= sum + digit < sum;//
	table.c|octal|s/if (text\[1\] != .x.)/if (0)/
	table.c|empty numbers|s/if (!len)/if (0)/
	table.c|letters in decimals|s/if (digit >= base)/if (digit >= 16)/
	table.c|the choice is filled too early|s/found.ops = table_find(text, len);/*choice = found; &/
	table.c|blames the key for the value|s/\*bad = ++text;/++text;/
	table.c|no 0 at the end of what is cut|s/out.at < len ? out.at : len - 1/out.at/
	END
}

# The policy in a file, the first of two; none in what they share.
policy()
{
	sed -n 's/^\t\.name = "\(.*\)",$/\1/p' "$tmp/good/$1" | head -n 1
}

if ! { build && run ""; }; then
	cat "$tmp/log"
	echo "fails already"
	exit 1
fi
mutations | grep -e "${1-}" >"$tmp/list"
caught=0 missed=0
while IFS='|' read -r file what how; do
	cp "$tmp/good/$file" "$tmp/module/policy/$file"
	sed -i "$how" "$tmp/module/policy/$file"
	if cmp -s "$tmp/good/$file" "$tmp/module/policy/$file"; then
		echo "MISSED $file: $what: nothing was changed"
		missed=$((missed + 1))
	elif ! build; then
		cat "$tmp/log"
		echo "MISSED $file: $what: does not build"
		missed=$((missed + 1))
	elif run "$(policy "$file")"; then
		echo "MISSED $file: $what"
		missed=$((missed + 1))
	else
		echo "caught $file: $what"
		caught=$((caught + 1))
	fi
	cp "$tmp/good/$file" "$tmp/module/policy/$file"
done <"$tmp/list"
echo "$caught caught, $missed missed"
[ "$missed" -eq 0 ]
