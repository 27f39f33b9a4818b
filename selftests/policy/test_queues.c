// SPDX-License-Identifier: GPL-2.0-only
/* The queues that policies show, in examples worked out by hand. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../tools/queue_text.h"
#include "../../tools/sim.h"
#include "tests.h"

#define PAGES	32

/* A string, a page behind W written; then each queue, "name nr/share pages". */
static const struct example {
	const char *policy;
	u32 frames;
	const char *refs;
	const char *queues;
} examples[] = {
	{ "fifo", 3, "1 2 3 1 4", "queue: 2 3 4" },
	{ "lru", 3, "1 2 3 1 4", "recency: 3 1 4" },
	{ "mru", 3, "1 2 3 1", "recency: 1 3 2" },
	/* 1's bit was cleared, the hand is behind the place that 2 had. */
	{ "clock", 3, "1 2 3 1 4", "circle: >3 1 4" },
	{ "clock", 3, "1 2 3 1 2", "circle: >1r 2r 3" },
	{ "clock-a", 3, "1 2 3", "circle: >1r 2r 3r" },
	{ "second-chance", 3, "1 2 3 4", "queue: 2 3 4r" },
	/* The hand is on 3, 1 is old and was spared. */
	{ "sieve", 3, "1 2 3 1 4", "queue: >3 4 1" },
	{ "clock-e", 3, "W1 2 3", "circle: >1rm 2r 3r" },
	{ "nru:period=9", 3, "W1 2 3", "unmodified: 2r 3r; modified: 1rm; kept:" },
	{ "aging", 3, "1 2 3 1", "order: 2:64 3:64 1:192" },
	{ "wsclock", 3, "1 W2 3", "circle: >1r:2 2rm:1 3r:0" },
	{ "lfu", 3, "1 1 1 2 2 3", "order: 3:1 2:2 1:3" },
	/* 2 went with key 1. */
	{ "lfuda", 3, "1 1 2 3 4", "order: 3:1 1:2 4:2" },
	/* 3 is used never again. */
	{ "opt", 3, "1 2 3 1 2", "order: 3 1 2" },
	{ "lru-k", 3, "1 2 1 3", "order 3: 2 3 1:3; history 0/3:" },
	/* One use does not pay for a place in the main queue. */
	{ "s3fifo:fill=0", 3, "1 2 3 1 4",
	  "small 3/1: 2:0 3:0 4:0; main 0:; ghost 1/2: (1)" },
	{ "2q", 4, "1 2 3 4 5", "A1in 4/1: 2 3 4 5; Am 0:; A1out 1/2: (1)" },
	{ "2q", 4, "1 2 3 4 5 1", "A1in 3/1: 3 4 5; Am 1: 1; A1out 1/2: (2)" },
	{ "arc", 3, "1 2 1 3 4", "T1 2/0: 3 4; T2 1: 1; B1 1: (2); B2 0:" },
	{ "car", 3, "1 2 3 2", "T1 3/0: 1 2r 3; T2 0:; B1 0:; B2 0:" },
	{ "slru", 4, "1 2 3 1", "probation 2: 2 3; protected 1/3: 1" },
	{ "linux", 4, "1 2 3 1", "inactive 2: 2r 3r; active 1: 1; shadow 0/4:" },
	{ "lirs", 4, "1 2 3 4", "Q: 3 4; S 4: 1h 2h 3 4" },
	/* With 4 frames 2 pages are cold at least. */
	{ "clock-pro", 4, "1 2 3 4", "circle 4: >3t 4t hot>test>1h 2h" },
	{ "mglru", 4, "1 2", "oldest:; second oldest:; third oldest: 1 2" },
	{ "w-tinylfu", 4, "1 2 1", "window 1/1: 2:1; probation 0:; protected 1/2: 1:2" },
};

struct shown {
	struct vmd_sim *sim;
	char text[512];
	size_t at;
	bool open;
};

static void shown_add(struct shown *s, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	s->at += (size_t)vsnprintf(s->text + s->at, sizeof(s->text) - s->at, fmt, args);
	va_end(args);
	if (s->at >= sizeof(s->text))
		abort();
}

static void shown_queue(struct vmd_queue_view *view, const char *name,
			const char *number, u32 nr, u32 share)
{
	struct shown *s = view->arg;

	shown_add(s, s->open ? "; %s" : "%s", name);
	if (nr != VMD_QUEUE_UNTOLD)
		shown_add(s, " %u", nr);
	if (share != VMD_QUEUE_UNTOLD)
		shown_add(s, "/%u", share);
	shown_add(s, ":");
	s->open = true;
}

static bool shown_page(struct vmd_queue_view *view, u32 slot, u64 key,
		       u32 flags, u64 number)
{
	struct shown *s = view->arg;
	char text[QUEUE_TEXT];

	if (slot != VMD_NO_SLOT)
		key = s->sim->page_of[slot];
	shown_add(s, " %s", queue_text(text, key, flags, number));
	return true;
}

static size_t parse(const char *text, u32 *refs)
{
	size_t nr = 0;
	char *end;

	while (*text) {
		bool write = *text == 'W';

		refs[nr++] = VMD_SIM_REF((u32)strtoul(text + write, &end, 10), write);
		text = end + (*end == ' ');
	}
	return nr;
}

static void check_example(const struct example *x)
{
	struct vmd_policy_choice choice = test_choice(x->policy);
	struct vmd_sim sim;
	struct shown shown = { .sim = &sim };
	struct vmd_queue_view view = { shown_queue, shown_page, &shown };
	u32 refs[PAGES];
	size_t nr = parse(x->refs, refs), i;

	test_begin("queues of %s, %s", x->policy, x->refs);
	if (vmd_sim_init(&sim, &choice, PAGES, x->frames) ||
	    vmd_sim_future(&sim, refs, nr))
		abort();
	for (i = 0; i < nr; i++)
		vmd_sim_reference(&sim, refs[i] >> 1, refs[i] & 1);
	vmd_policy_queues(choice.ops, sim.state, &view);
	CHECK(!strcmp(shown.text, x->queues), "'%s'", shown.text);
	vmd_sim_exit(&sim);
	test_end();
}

/* All in order of the list: the policies that have no queues are shown so. */
static void check_default(void)
{
	struct vmd_policy_choice choice = test_choice("random");
	struct vmd_sim sim;
	struct shown shown = { .sim = &sim };
	struct vmd_queue_view view = { shown_queue, shown_page, &shown };
	u32 i;

	test_begin("a policy without queues() has one, walk()'s");
	if (vmd_sim_init(&sim, &choice, PAGES, 3))
		abort();
	for (i = 0; i < 3; i++)
		vmd_sim_reference(&sim, i, false);
	vmd_policy_queues(choice.ops, sim.state, &view);
	CHECK(!choice.ops->queues && strlen(shown.text) == strlen("order: 0 1 2") &&
	      !strncmp(shown.text, "order: ", 7), "'%s'", shown.text);
	vmd_sim_exit(&sim);
	test_end();
}

void test_queues(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(examples); i++)
		if (tests_want(examples[i].policy))
			check_example(examples + i);
	if (tests_want("random"))
		check_default();
}
