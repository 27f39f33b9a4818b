// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every line of the vectors file, played on the miniature engine.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../tools/sim.h"
#include "tests.h"

#define VECTOR_LINE	4096
#define VECTOR_PAGES	1024

/* A line: policy frames misses evictions writes : references */
struct vector {
	char policy[64];
	unsigned int frames;
	unsigned long long misses;
	unsigned long long evictions;
	unsigned long long writes;
	const char *refs;
};

static bool vector_read(const char *line, struct vector *v)
{
	const char *colon = strstr(line, " : ");

	if (!colon)
		return false;
	v->refs = colon + 3;
	return sscanf(line, "%63s %u %llu %llu %llu :", v->policy, &v->frames,
		      &v->misses, &v->evictions, &v->writes) == 5;
}

/* Play the references; false if one of them is none. */
static bool vector_play(struct vmd_sim *sim, const char *refs)
{
	unsigned long long page;
	char *end;

	for (;; refs = end) {
		refs += strspn(refs, "\n ");
		if (!*refs)
			return true;
		page = strtoull(refs, &end, 10);
		if (end == refs || vmd_sim_reference(sim, page, *end == 'w') < 0)
			return false;
		end += *end == 'w';
	}
}

static void vector_check(const struct vector *v)
{
	struct vmd_policy_choice choice = test_choice(v->policy);
	struct vmd_sim_totals *t;
	struct vmd_sim sim;

	if (vmd_sim_init(&sim, &choice, VECTOR_PAGES, v->frames)) {
		test_fail("cannot simulate %u frames", v->frames);
		goto out;
	}
	t = &sim.totals;
	CHECK(vector_play(&sim, v->refs), "bad reference");
	CHECK(t->misses == v->misses, "%llu misses, not %llu",
	      (unsigned long long)t->misses, v->misses);
	CHECK(t->evictions == v->evictions, "%llu evictions, not %llu",
	      (unsigned long long)t->evictions, v->evictions);
	CHECK(t->pages_written == v->writes, "%llu writes, not %llu",
	      (unsigned long long)t->pages_written, v->writes);
out:
	vmd_sim_exit(&sim);
}

void test_vectors(const char *file)
{
	FILE *f = fopen(file, "r");
	char line[VECTOR_LINE];
	unsigned int nr = 0;
	struct vector v;

	if (!f) {
		perror(file);
		exit(1);
	}
	while (fgets(line, sizeof(line), f)) {
		nr++;
		if (line[0] == '#' || line[0] == '\n' || !tests_want(line))
			continue;
		test_begin("vector %s:%u", file, nr);
		if (!strchr(line, '\n') || !vector_read(line, &v))
			test_fail("not a vector");
		else
			vector_check(&v);
		test_end();
	}
	fclose(f);
}
