// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a shadow costs: nanoseconds for a reference and bytes for a frame, with
 * each policy, on the machine at hand. module/shadow.c as it is, without the
 * kernel around it. Best of three rounds.
 */
#include <stdio.h>
#include <time.h>

#include "../../../module/shadow.c"

#define FRAMES	4096
#define PAGES	(2 * FRAMES)
#define REFS	1000000

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

/* Lower pages more often; every other reference writes. */
static u64 round_ns(struct vmd_shadow *s, u64 *random)
{
	u64 a, b, begin = now_ns();
	int i;

	for (i = 0; i < REFS; i++) {
		*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
		a = (*random >> 33) % PAGES;
		b = (*random >> 20) % PAGES;
		vmd_shadow_reference(s, a < b ? a : b, i & 1);
	}
	return now_ns() - begin;
}

static void measure(const struct vmd_policy_ops *ops, u32 shift)
{
	struct vmd_shadow_counts counts;
	struct vmd_policy_choice choice;
	u64 best = ~0ULL, random = 1, ns;
	struct vmd_shadow *s;
	const char *bad;
	int round;

	if (vmd_policy_parse(ops->name, &choice, &bad))
		return;
	s = vmd_shadow_make(&choice, FRAMES, shift);
	for (round = 0; round < 3; round++) {
		ns = round_ns(s, &random);
		best = ns < best ? ns : best;
	}
	vmd_shadow_counts(s, &counts);
	printf("%-13s 1/%-3u %4llu %6zu   %.2f\n", ops->name, 1U << shift,
	       best / REFS, vmd_shadow_bytes(s) / vmd_shadow_frames(s),
	       (double)counts.misses / (double)counts.references);
	vmd_shadow_free(s);
}

int main(void)
{
	u32 i;

	printf("policy        rate    ns  bytes   miss ratio of its sample\n");
	for (i = 0; i < vmd_nr_policies; i++)
		if (!(vmd_policies[i]->flags & VMD_POLICY_FUTURE))
			measure(vmd_policies[i], 0);
	measure(vmd_policies[1], 4);
	measure(vmd_policies[1], 6);
	return 0;
}
