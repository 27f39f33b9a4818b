// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl top: the pages of a space, and what its policy would let go. */
#include "top.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Of a space with more pages only so many of each cell are looked at. */
#define TOP_EXACT	((__u64)1 << 18)
#define TOP_SAMPLE	64

/* With more frames the list of them is too long to be read every second. */
#define TOP_MOST_ORDER	65536

const char top_letters[TOP_STATES + 1] = ".srRdD=HP><";
const char *const top_names[TOP_STATES] = {
	"absent", "swapped", "clean", "clean_accessed", "dirty", "dirty_accessed", "shared",
	"huge", "pinned", "writing", "filling",
};

static enum top_state top_page_state(const struct vmd_page *page)
{
	bool accessed = page->flags & VMD_PAGE_ACCESSED;

	switch (page->state) {
	case VMD_PAGE_FILLING:
		return TOP_FILLING;
	case VMD_PAGE_EVICTING:
		return TOP_WRITING;
	case VMD_PAGE_SWAPPED:
		return TOP_SWAPPED;
	case VMD_PAGE_RESIDENT:
		if (page->flags & VMD_PAGE_PINNED)
			return TOP_PINNED;
		if (page->flags & VMD_PAGE_HUGE)
			return TOP_HUGE;
		if (page->sharers > 1 || page->flags & VMD_PAGE_SHARED)
			return TOP_SHARED;
		if (page->flags & VMD_PAGE_DIRTY)
			return accessed ? TOP_DIRTY_ACCESSED : TOP_DIRTY;
		return accessed ? TOP_CLEAN_ACCESSED : TOP_CLEAN;
	default:
		return TOP_ABSENT;
	}
}

static void top_note_hot(struct top_map *map, __u64 page, __u32 faults)
{
	size_t i = map->nr_hot;

	if (!faults || (i == TOP_HOT && map->hot[i - 1].faults >= faults))
		return;
	i = i < TOP_HOT ? map->nr_hot++ : TOP_HOT - 1;
	for (; i && map->hot[i - 1].faults < faults; i--)
		map->hot[i] = map->hot[i - 1];
	map->hot[i] = (struct top_hot){ page, faults };
}

static void top_note_page(struct top_map *map, __u64 index, const struct vmd_page *page)
{
	enum top_state state = top_page_state(page);
	u8 *cell = &map->cell[index / map->group];

	map->counts[state]++;
	map->mapped += !!(page->flags & VMD_PAGE_MAPPED);
	map->looked++;
	if (state > *cell)
		*cell = state;
	top_note_hot(map, index, page->faults);
}

/* Returns 0 or an error; the space may have become smaller. */
static int top_read_pages(struct top_map *map, int fd, __u64 first, __u64 count)
{
	struct vmd_page page[1024];
	struct vmd_pages arg;
	__u64 i;

	while (count) {
		arg = (struct vmd_pages){
			.first = first,
			.count = count < ARRAY_SIZE(page) ? count : ARRAY_SIZE(page),
			.pages = (uintptr_t)page,
		};
		if (ioctl(fd, VMD_IOC_PAGES, &arg))
			return errno;
		for (i = 0; i < arg.count; i++)
			top_note_page(map, first + i, &page[i]);
		if (!arg.count)
			return 0;
		first += arg.count;
		count -= arg.count;
	}
	return 0;
}

static int top_fill_map(struct top_map *map, int fd)
{
	__u64 first, some = map->group < TOP_SAMPLE ? map->group : TOP_SAMPLE;
	int error = 0;

	if (map->pages <= TOP_EXACT)
		return top_read_pages(map, fd, 0, map->pages);
	for (first = 0; !error && first < map->pages; first += map->group)
		error = top_read_pages(map, fd, first,
				       some < map->pages - first ? some : map->pages - first);
	return error;
}

/* What root sees of the policy: a line with its name, then a page a line. */
static void top_read_order(struct top_map *map, const struct ctl_space_line *space)
{
	const char *dir = getenv("VMDEMO_DEBUGFS");
	char path[PATH_MAX], line[128];
	FILE *file;

	if (space->resident > TOP_MOST_ORDER)
		return;
	snprintf(path, sizeof(path), "%s/spaces/%llu/policy",
		 dir && *dir ? dir : "/sys/kernel/debug/vmdemo", space->id);
	file = fopen(path, "re");
	if (!file)
		return;
	map->order_known = fgets(line, sizeof(line), file);
	while (map->nr_order < TOP_ORDER && fgets(line, sizeof(line), file))
		map->order[map->nr_order++] = strtoull(line, NULL, 10);
	fclose(file);
}

void top_read_map(struct top *top, const struct top_space *space, size_t cells)
{
	struct top_map *map = &top->map;
	struct vmd_info info = { 0 };
	int error = 0, fd;

	*map = (struct top_map){ 0 };
	*top->map_error = 0;
	top_read_order(map, &space->line);
	fd = top_attach(space->line.id);
	if (fd < 0 || ioctl(fd, VMD_IOC_INFO, &info))
		error = errno;
	if (!error && info.page_size) {
		map->pages = (space->line.size + info.page_size - 1) / info.page_size;
		map->group = (map->pages + cells - 1) / cells;
		map->group += !map->group;
		map->nr = (map->pages + map->group - 1) / map->group;
		error = top_fill_map(map, fd);
	}
	top->queues.known = false;
	if (!error)
		top_read_queues(&top->queues, fd);
	if (fd >= 0)
		close(fd);
	if (error == EPERM)
		snprintf(top->map_error, TOP_TEXT, "another user's: its pages are not shown");
	else if (error)
		snprintf(top->map_error, TOP_TEXT, "%s: %s", ctl_options.device, strerror(error));
}
