/* SPDX-License-Identifier: GPL-2.0-only */
/* A hash table from a page to a number, open addressing, grows as it must. */
#ifndef _CTL_TRACE_MAP_H
#define _CTL_TRACE_MAP_H

#include <stdlib.h>

#include "../module/policy/port.h"

/* @value is 0 where nothing is. */
struct trace_map_entry {
	u64 page;
	u64 value;
};

/* Zero is an empty map without memory. */
struct trace_map {
	struct trace_map_entry *entries;
	u64 mask;
	u64 nr;
};

static inline struct trace_map_entry *trace_map_find(const struct trace_map *map, u64 page)
{
	u64 mixed = page * 0x9E3779B97F4A7C15ULL;
	u64 at = (mixed ^ mixed >> 32) & map->mask;

	while (map->entries[at].value && map->entries[at].page != page)
		at = (at + 1) & map->mask;
	return &map->entries[at];
}

static inline int trace_map_grow(struct trace_map *map)
{
	struct trace_map bigger = { .mask = map->mask ? map->mask * 2 + 1 : 1023 };
	u64 i;

	bigger.entries = calloc(bigger.mask + 1, sizeof(*bigger.entries));
	if (!bigger.entries)
		return -ENOMEM;
	bigger.nr = map->nr;
	for (i = 0; map->nr && i <= map->mask; i++)
		if (map->entries[i].value)
			*trace_map_find(&bigger, map->entries[i].page) = map->entries[i];
	free(map->entries);
	*map = bigger;
	return 0;
}

/* The page's value, to be read and set to other than 0; NULL: no memory. */
static inline u64 *trace_map_value(struct trace_map *map, u64 page)
{
	struct trace_map_entry *entry;

	if (map->nr * 2 >= map->mask && trace_map_grow(map))
		return NULL;
	entry = trace_map_find(map, page);
	if (!entry->value) {
		entry->page = page;
		map->nr++;
	}
	return &entry->value;
}

#endif /* _CTL_TRACE_MAP_H */
