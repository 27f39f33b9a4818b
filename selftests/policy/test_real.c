// SPDX-License-Identifier: GPL-2.0-only
/*
 * ARC's real numbers against the machine's doubles, bit for bit: the decisions
 * that hang on the last bit are too rare for reference strings to find them.
 */
#include "refstring.h"
#include "tests.h"

/* A second copy, to get at what is static. */
#define vmd_policy_arc vmd_policy_arc_copy
extern const struct vmd_policy_ops vmd_policy_arc_copy;
#include "../../module/policy/arc.c"

#define RUNS	2000
#define STEPS	300

/* Exact, if it was rounded to 53 bits; else the sum is rounded and differs. */
static bool real_is(struct arc_real x, double want)
{
	double whole = x.whole, part = (double)x.part / (double)ARC_ONE;

	return whole + part == want && whole + part - whole == part;
}

/* One quotient, as the ghosts' numbers may be, in a small memory or a large. */
static void real_step(struct arc *a, double *p, struct rnd *rnd)
{
	u32 most = (u32)1 << rnd_below(rnd, 31), over, under;
	struct arc_real d;
	double want;

	over = 1 + (u32)rnd_below(rnd, most);
	under = 1 + (u32)rnd_below(rnd, 1 + rnd_below(rnd, over));
	d = arc_quotient(a, over, under);
	want = (double)over / under;
	CHECK(real_is(d, want), "%u / %u", over, under);
	if (rnd_below(rnd, 2)) {
		arc_grow(a, d);
		*p += want;
		*p = *p > a->known.frames ? a->known.frames : *p;
	} else {
		arc_shrink(a, d);
		*p -= want;
		*p = *p < 0 ? 0 : *p;
	}
	CHECK(real_is(a->p, *p), "p is not %.17g", *p);
}

void test_real(void)
{
	struct rnd rnd;
	u32 run, i;

	test_begin("arc: real numbers are doubles");
	rnd_seed(&rnd, tests_seed);
	for (run = 0; run < RUNS && !test_failed(); run++) {
		struct arc a = { .real = 1 };
		double p = 0;

		a.known.frames = 1 + (u32)rnd_below(&rnd, 1U << 30);
		for (i = 0; i < STEPS && !test_failed(); i++)
			real_step(&a, &p, &rnd);
	}
	test_end();
}
