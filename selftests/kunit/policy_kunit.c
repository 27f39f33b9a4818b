// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policy vectors as KUnit: every line of selftests/policy/vectors.txt is
 * a test of the policies' objects as the kernel's compiler makes them, under
 * whatever sanitizers the kernel has.
 */
#include <kunit/test.h>
#include <linux/ctype.h>
#include <linux/module.h>

#include "../engine/sim.h"

#define VECTOR_PAGES	100		/* pages are 0 to 99 */

/* Where it is, what it wants, and the references. */
struct vector {
	unsigned int line;
	const char *policy;
	u32 frames;
	u64 misses;
	u64 evictions;
	u64 writes;
	const char *refs;
};

#include "vectors.h"

static void vector_describe(const struct vector *v, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "vectors.txt:%u %s %u", v->line,
		 v->policy ? v->policy : "not a vector", v->frames);
}

KUNIT_ARRAY_PARAM(vector, vectors, vector_describe);

/* Play the references; false if one of them is none. */
static bool vector_play(struct vmd_sim *sim, const char *refs)
{
	bool write;
	u64 page;

	while (*refs) {
		if (!isdigit(*refs))
			return false;
		for (page = 0; isdigit(*refs); refs++)
			page = page * 10 + *refs - '0';
		write = *refs == 'w';
		if (vmd_sim_reference(sim, page, write) < 0)
			return false;
		refs += write;
		refs += *refs == ' ';
	}
	return true;
}

static void vector_test(struct kunit *test)
{
	const struct vector *v = test->param_value;
	struct vmd_policy_choice choice;
	struct vmd_sim_totals *t;
	struct vmd_sim sim;
	const char *bad;

	KUNIT_ASSERT_NOT_NULL(test, v->policy);
	KUNIT_ASSERT_EQ(test, 0, vmd_policy_parse(v->policy, &choice, &bad));
	t = &sim.totals;
	if (vmd_sim_init(&sim, &choice, VECTOR_PAGES, v->frames)) {
		KUNIT_FAIL(test, "cannot simulate %u frames", v->frames);
	} else {
		KUNIT_EXPECT_TRUE(test, vector_play(&sim, v->refs));
		KUNIT_EXPECT_EQ(test, t->misses, v->misses);
		KUNIT_EXPECT_EQ(test, t->evictions, v->evictions);
		KUNIT_EXPECT_EQ(test, t->pages_written, v->writes);
	}
	vmd_sim_exit(&sim);
}

static struct kunit_case vector_cases[] = {
	KUNIT_CASE_PARAM(vector_test, vector_gen_params),
	{ }
};

static struct kunit_suite vector_suite = {
	.name = "vmdemo_policy",
	.test_cases = vector_cases,
};

kunit_test_suite(vector_suite);

MODULE_DESCRIPTION("Tests of vmdemo's policies");
MODULE_LICENSE("GPL");
