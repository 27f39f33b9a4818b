// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl top --once --json: a frame for programs. */
#include <stdlib.h>

#include "../uapi/vmdemo_queues.h"
#include "output.h"
#include "top.h"

static struct json_object *top_json_rates(const struct top_space *space)
{
	struct json_object *rates;
	const struct ctl_counter *c;

	/* Only what grows has a rate; the levels are in the list. */
	if (!space->known || space->seconds <= 0)
		return NULL;
	rates = json_object_new_object();
	for (c = ctl_counters; c->name; c++)
		if (c->at < offsetof(struct vmd_stats, resident) ||
		    c->at > offsetof(struct vmd_stats, size))
			ctl_json_add(rates, c->name,
				     json_object_new_double(top_rate(space, c->at)));
	return rates;
}

static struct json_object *top_json_space(const struct top_space *space)
{
	const struct ctl_space_line *line = &space->line;
	struct json_object *object = json_object_new_object();

	ctl_json_add_u64(object, "id", line->id);
	ctl_json_add_u64(object, "pid", line->pid);
	ctl_json_add_text(object, "comm", line->comm);
	ctl_json_add_u64(object, "size", line->size);
	ctl_json_add_u64(object, "budget", line->budget);
	ctl_json_add_u64(object, "resident", line->resident);
	ctl_json_add_u64(object, "dirty", line->dirty);
	ctl_json_add_text(object, "policy", line->policy);
	ctl_json_add_text(object, "observer", line->observer);
	ctl_json_add_text(object, "store", line->store);
	ctl_json_add(object, "per_second", top_json_rates(space));
	return object;
}

static struct json_object *top_json_latency(const struct top_space *space)
{
	static const struct {
		const char *name;
		double part;
	} parts[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "max", 1 } };
	struct json_object *object = json_object_new_object();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(parts); i++)
		ctl_json_add_u64(object, parts[i].name, top_latency(space, parts[i].part));
	return object;
}

static struct json_object *top_json_map(const struct top_map *map)
{
	struct json_object *object = json_object_new_object();
	struct json_object *counts = json_object_new_object();
	char cells[TOP_CELLS + 1];
	size_t i;

	for (i = 0; i < map->nr; i++)
		cells[i] = top_letters[map->cell[i]];
	cells[map->nr] = 0;
	for (i = 0; i < TOP_STATES; i++)
		ctl_json_add_u64(counts, top_names[i], map->counts[i]);
	ctl_json_add_u64(object, "pages", map->pages);
	ctl_json_add_u64(object, "pages_per_cell", map->group);
	ctl_json_add_u64(object, "pages_looked_at", map->looked);
	ctl_json_add_u64(object, "mapped", map->mapped);
	ctl_json_add_text(object, "cells", cells);
	ctl_json_add(object, "counts", counts);
	return object;
}

static struct json_object *top_json_hot(const struct top_map *map)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < map->nr_hot; i++) {
		struct json_object *object = json_object_new_object();

		ctl_json_add_u64(object, "page", map->hot[i].page);
		ctl_json_add_u64(object, "faults", map->hot[i].faults);
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *top_json_order(const struct top_map *map)
{
	struct json_object *array;
	size_t i;

	if (!map->order_known)
		return NULL;
	array = json_object_new_array();
	for (i = 0; i < map->nr_order; i++)
		json_object_array_add(array, json_object_new_uint64(map->order[i]));
	return array;
}

static struct json_object *top_json_queued(const struct vmd_queued *page)
{
	static const struct {
		const char *name;
		u32 flag;
	} flags[] = {
		{ "referenced", VMD_QUEUED_REFERENCED }, { "modified", VMD_QUEUED_MODIFIED },
		{ "ghost", VMD_QUEUED_GHOST }, { "hot", VMD_QUEUED_HOT },
		{ "test", VMD_QUEUED_TEST }, { "hand", VMD_QUEUED_HAND },
		{ "hand_hot", VMD_QUEUED_HAND_HOT }, { "hand_test", VMD_QUEUED_HAND_TEST },
	};
	struct json_object *object = json_object_new_object();
	size_t i;

	ctl_json_add_u64(object, "page", page->page);
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (page->flags & flags[i].flag)
			ctl_json_add(object, flags[i].name, json_object_new_boolean(true));
	if (page->flags & VMD_QUEUED_NUMBER)
		ctl_json_add_u64(object, "number", page->number);
	return object;
}

static struct json_object *top_json_queue(const struct top_queues *queues,
					  const struct vmd_queue *queue)
{
	struct json_object *object = json_object_new_object();
	struct json_object *pages = json_object_new_array();
	u32 i;

	ctl_json_add_text(object, "name", queue->name);
	if (*queue->number)
		ctl_json_add_text(object, "number", queue->number);
	ctl_json_add(object, "nr", queue->pages == VMD_QUEUE_UNKNOWN ? NULL :
		     json_object_new_uint64(queue->pages));
	ctl_json_add(object, "share", queue->share == VMD_QUEUE_UNKNOWN ? NULL :
		     json_object_new_uint64(queue->share));
	for (i = 0; i < queue->shown; i++)
		json_object_array_add(pages,
				      top_json_queued(queues->queued + queue->first + i));
	ctl_json_add(object, "pages", pages);
	return object;
}

static struct json_object *top_json_queues(const struct top_queues *queues)
{
	struct json_object *array;
	u32 i;

	if (!queues->known)
		return NULL;
	array = json_object_new_array();
	for (i = 0; i < queues->ask.nr; i++)
		json_object_array_add(array, top_json_queue(queues, &queues->ask.queues[i]));
	return array;
}

static struct json_object *top_json_selected(const struct top *top,
					     const struct top_space *space)
{
	struct json_object *object = json_object_new_object();

	ctl_json_add_u64(object, "id", space->line.id);
	ctl_json_add(object, "stopped", json_object_new_boolean(top->stopped));
	ctl_json_add(object, "fault_ns_below", space->known ? top_json_latency(space) : NULL);
	ctl_json_add(object, "map", *top->map_error ? NULL : top_json_map(&top->map));
	ctl_json_add(object, "most_missed", top_json_hot(&top->map));
	ctl_json_add(object, "queues", top_json_queues(&top->queues));
	ctl_json_add(object, "next_to_go", top_json_order(&top->map));
	return object;
}

void top_json(const struct top *top)
{
	const struct top_space *space = top_current(top);
	struct json_object *object = json_object_new_object();
	struct json_object *spaces = json_object_new_array();
	size_t i;

	for (i = 0; i < top->nr; i++)
		json_object_array_add(spaces, top_json_space(&top->spaces[i]));
	ctl_json_add(object, "spaces", spaces);
	ctl_json_add(object, "selected", space ? top_json_selected(top, space) : NULL);
	ctl_json_free(object, true);
}
