// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl play: a line, or a JSON object, for each reference. */
#include "play.h"

#include <stdio.h>

#include "output.h"

void play_show_init(struct play *play)
{
	char text[32];
	size_t i;
	bool writes = false;

	for (i = 0; i < play->refs.nr; i++)
		writes |= play->refs.refs[i].write;
	play->width = snprintf(text, sizeof(text), "%llu%s",
			       play->refs.last_page, writes ? "w" : "");
}

static void play_print_frames(const struct play_frames *frames)
{
	size_t i;

	if (frames->used > PLAY_LISTED) {
		printf(" (%zu resident)", frames->nr);
		return;
	}
	printf(" [");
	for (i = 0; i < frames->used; i++) {
		if (i)
			putchar(' ');
		if (frames->page[i] == PLAY_EMPTY)
			putchar('-');
		else
			printf("%llu", frames->page[i]);
	}
	putchar(']');
}

/* "dirty, written", "clean", "2 dirty, written; 1 clean". */
static void play_print_kind(const struct play_event *event)
{
	bool several = event->clean + event->dirty > 1;

	printf(" (");
	if (event->dirty && several)
		printf("%llu ", event->dirty);
	if (event->dirty)
		printf("dirty%s", event->written ? ", written" : "");
	if (event->dirty && event->clean)
		printf("; ");
	if (event->clean && several)
		printf("%llu ", event->clean);
	if (event->clean)
		printf("clean");
	printf(")");
}

static void play_print_evicted(const struct play_event *event)
{
	size_t i;

	if (!event->nr_evicted && !event->clean && !event->dirty)
		return;
	printf(" evicts");
	for (i = 0; i < event->nr_evicted; i++)
		printf(" %llu", event->evicted[i]);
	if (!event->nr_evicted)
		printf(" ?");
	if (event->clean || event->dirty)
		play_print_kind(event);
}

static void play_print(const struct play *play)
{
	const struct play_event *event = &play->event;
	char text[32];

	snprintf(text, sizeof(text), "%llu%s", (__u64)event->ref.page,
		 event->ref.write ? "w" : "");
	printf("%*s %s", play->width, text, event->miss ? "MISS" : "hit ");
	play_print_frames(&play->frames);
	play_print_evicted(event);
	putchar('\n');
}

static struct json_object *play_json_pages(const __u64 *pages, size_t nr)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < nr; i++)
		json_object_array_add(array, pages[i] == PLAY_EMPTY ? NULL :
				      json_object_new_uint64(pages[i]));
	return array;
}

static void play_add_json(struct play *play)
{
	const struct play_event *event = &play->event;
	struct json_object *object = json_object_new_object();

	ctl_json_add_u64(object, "page", event->ref.page);
	ctl_json_add(object, "write", json_object_new_boolean(event->ref.write));
	ctl_json_add(object, "miss", json_object_new_boolean(event->miss));
	if (play->frames.used <= PLAY_LISTED)
		ctl_json_add(object, "frames",
			     play_json_pages(play->frames.page, play->frames.used));
	ctl_json_add(object, "evicted", play_json_pages(event->evicted, event->nr_evicted));
	ctl_json_add_u64(object, "evictions_clean", event->clean);
	ctl_json_add_u64(object, "evictions_dirty", event->dirty);
	ctl_json_add_u64(object, "pages_written", event->written);
	ctl_json_add_u64(object, "pages_read", event->read);
	json_object_array_add(play->trace, object);
}

void play_show(struct play *play)
{
	if (play->trace)
		play_add_json(play);
	else
		play_print(play);
}
