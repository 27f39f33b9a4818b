// SPDX-License-Identifier: GPL-2.0-only
/*
 * churn PAGES FRAMES GENERATIONS: spaces, one after the other, that are written
 * and read back. Exits with 0 if all content was right; used by life.sh to see
 * that a backing store works and that slots are used again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vmd_test.h"

static int one_generation(unsigned long pages, unsigned long frames,
			  __u64 tag)
{
	int fd = vmd_open();
	struct vmd_stats s;
	size_t bad;
	char *map;

	if (fd < 0 || vmd_budget(fd, frames))
		return 2;
	map = vmd_map(fd, pages);
	if (map == MAP_FAILED)
		return 2;
	vmd_fill_all(map, pages, tag);
	bad = vmd_bad_pages(map, pages, tag);
	if (vmd_stats(fd, &s))
		return 2;
	munmap(map, pages * vmd_ps);
	close(fd);
	return bad || s.io_errors || s.evictions_dirty < pages - frames;
}

int main(int argc, char **argv)
{
	unsigned long generation, generations;
	int ret = 0;

	if (argc != 4) {
		fprintf(stderr, "usage: churn PAGES FRAMES GENERATIONS\n");
		return 2;
	}
	generations = strtoul(argv[3], NULL, 10);
	for (generation = 0; generation < generations && !ret; generation++)
		ret = one_generation(strtoul(argv[1], NULL, 10),
				     strtoul(argv[2], NULL, 10),
				     generation << 32);
	return ret;
}
