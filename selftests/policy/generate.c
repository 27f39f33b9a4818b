// SPDX-License-Identifier: GPL-2.0-only
/*
 * Vectors made by the naive models alone: "policy frames : references" on
 * standard input, the line for vectors.txt on standard output.
 */
#include <stdio.h>
#include <stdlib.h>

#include "naive.h"
#include "tests.h"

#define LINE_MOST	4096
#define PAGES		1024

/* What a vector counts. */
struct counts {
	unsigned long long misses;
	unsigned long long evictions;
	unsigned long long writes;
};

static void generate_miss(struct naive *n, u64 page, struct counts *c,
			  bool *dirty)
{
	u64 victim;

	c->misses++;
	naive_missed(n, page);
	if (n->nr == n->frames) {
		victim = naive_victim(n);
		naive_removed(n, victim, VMD_REMOVED_EVICTED);
		c->evictions++;
		c->writes += dirty[victim];
		dirty[victim] = false;
	}
	naive_inserted(n, page, n->write ? VMD_REF_WRITE : 0);
}

static void generate_play(struct naive *n, const char *refs, struct counts *c)
{
	bool dirty[PAGES] = { false };
	char *end;
	u64 page;

	for (;; refs = end) {
		page = strtoull(refs, &end, 10);
		if (end == refs)
			return;
		if (page >= PAGES)
			abort();
		n->write = *end == 'w';
		if (naive_is_resident(n, page))
			naive_touched(n, page);
		else
			generate_miss(n, page, c, dirty);
		if (n->write) {
			dirty[page] = true;
			end++;
		}
	}
}

static void generate_line(const char *line)
{
	const char *colon = strstr(line, " : ");
	struct vmd_policy_choice choice;
	struct counts c = { 0 };
	unsigned int frames;
	char policy[64];
	struct naive n;

	if (!colon || sscanf(line, "%63s %u :", policy, &frames) != 2) {
		printf("%s", line);
		return;
	}
	choice = test_choice(policy);
	naive_init(&n, &choice, frames);
	generate_play(&n, colon + 3, &c);
	naive_exit(&n);
	printf("%s %u %llu %llu %llu%s", policy, frames, c.misses, c.evictions,
	       c.writes, colon);
}

void test_generate(void)
{
	char line[LINE_MOST];

	while (fgets(line, sizeof(line), stdin))
		generate_line(line);
}
