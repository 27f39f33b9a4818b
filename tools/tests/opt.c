// SPDX-License-Identifier: GPL-2.0-only
/*
 * The optimum twice: lab_opt.c, which "simulate" runs, and the policy "opt" in
 * the simulator, told the future. They agree in all that is counted.
 */
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NR	20000

static u32 below(u64 *seed, u32 n)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)((*seed >> 33) % n);
}

static int compare(u64 seed, u32 pages, u32 frames)
{
	static u32 refs[NR], next[NR];
	struct lab_trace trace = { .refs = refs, .nr = NR, .pages = pages, .next = next };
	struct vmd_sim_totals lab;
	struct vmd_policy_choice choice;
	struct vmd_sim sim;
	const char *bad;
	bool same;
	size_t i;

	for (i = 0; i < NR; i++)
		refs[i] = VMD_SIM_REF(below(&seed, 1 + below(&seed, pages)), !below(&seed, 4));
	if (vmd_policy_parse("opt", &choice, &bad) ||
	    vmd_sim_init(&sim, &choice, pages, frames) || vmd_sim_future(&sim, refs, NR) ||
	    vmd_sim_run(&sim, refs, NR))
		abort();
	memcpy(next, sim.next, sizeof(next));
	if (lab_opt(&trace, frames, &lab, NULL))
		abort();
	same = !memcmp(&lab, &sim.totals, sizeof(lab));
	printf("%s - opt, %u pages, %u frames: %llu misses, %llu written; the policy: %llu, %llu\n",
	       same ? "ok" : "not ok", pages, frames, (__u64)lab.misses,
	       (__u64)lab.pages_written, (__u64)sim.totals.misses,
	       (__u64)sim.totals.pages_written);
	vmd_sim_exit(&sim);
	return !same;
}

int main(void)
{
	static const u32 frames[] = { 1, 2, 7, 50, 333, 1000, 1001 };
	int failed = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		failed += compare(i + 1, 1000, frames[i]);
		failed += compare(i + 100, 2 * frames[i], frames[i]);
	}
	return failed != 0;
}
