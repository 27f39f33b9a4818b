// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exerciser (exerciser.h), over every policy, every observer, anonymous
 * spaces and spaces on files; then with many threads.
 *
 * environment:
 *   VMD_SEED   the same operations again
 *   VMD_OPS    operations over all configurations (default 100000 times
 *	VMD_TEST_SCALE)
 *   VMD_PARTS  this is one of so many runs that share these operations
 *   VMD_ONLY   one configuration, by its name or a part of it: "lru/trap/file"
 *   VMD_VERBOSE  every operation is told, with the time it ended
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <kselftest.h>

#include "exerciser.h"

#define OPS		100000UL	/* times VMD_TEST_SCALE */
#define RUN_MS		600000		/* for one configuration */
#define VERIFY_EVERY	600		/* operations */
#define THREAD_SHARE	10		/* of so many operations, one */
#define THINLY		100		/* operations for a configuration are few */

char *ex_policies[EX_POLICIES + 1];

struct run {
	char name[96];
	const char *policy;		/* NULL: many threads */
	const char *observer;
	bool on_file;
	unsigned int number;
	__u64 seed;
	unsigned long ops;
};

static struct ex_report *report;	/* shared with the child that runs */
static struct ex_report total;
static __u64 base_seed;
static const char *only;
static bool verbose;

static void read_policies(void)
{
	char *text = vmd_read_file(VMD_PROC "policies"), *line, *next = NULL;
	size_t n = 0;

	line = text ? strtok_r(text, "\n", &next) : NULL;
	for (; line && n < EX_POLICIES; line = strtok_r(NULL, "\n", &next)) {
		line[strcspn(line, " ")] = 0;
		ex_policies[n++] = strdup(line);
	}
	for (; !text && vmd_policy_names[n]; n++)
		ex_policies[n] = (char *)vmd_policy_names[n];
	free(text);
}

static unsigned long total_ops(void)
{
	const char *given = getenv("VMD_OPS");

	return given ? strtoul(given, NULL, 0) : vmd_share(OPS);
}

static const struct ex_op *pick_op(struct ex *x)
{
	static unsigned int sum;
	const struct ex_op *op;
	unsigned int at;

	if (!sum)
		for (op = ex_ops; op->name; op++)
			sum += op->weight;
	at = ex_below(x, sum);
	for (op = ex_ops; at >= op->weight; op++)
		at -= op->weight;
	return op;
}

static void exercise(const struct run *r)
{
	struct ex *x = calloc(1, sizeof(*x));
	const struct ex_op *op;

	x->random = r->seed;
	x->report = report;
	x->policy = r->policy;
	x->observer = r->observer;
	x->on_file = r->on_file;
	ex_start(x);
	while (report->ops < r->ops) {
		report->ops++;
		op = pick_op(x);
		ex_log(x, "%s: nothing to do", op->name);
		report->done[op - ex_ops]++;
		op->run(x);
		if (verbose)
			printf("# %llu ms %s\n",
			       (unsigned long long)vmd_now_ms(),
			       report->log[report->ops % EX_LOG]);
		if (!(report->ops % VERIFY_EVERY))
			ex_verify(x);
	}
	report->ops++;
	ex_end(x);
	report->ops--;
	free(x);
}

static void show_log(const struct run *r, int status)
{
	unsigned long i, first = 0;

	printf("# %s: status %d; the last operations:\n", r->name, status);
	if (report->ops >= EX_LOG)
		first = report->ops - EX_LOG + 1;
	for (i = first; i <= report->ops; i++)
		printf("#   %s\n", report->log[i % EX_LOG]);
	printf("# again: VMD_SEED=%llu VMD_OPS=%lu VMD_ONLY=%s ./test_exerciser\n",
	       (unsigned long long)base_seed, total_ops(), r->name);
}

static void add_report(void)
{
	int i;

	for (i = 0; i < EX_OPS; i++)
		total.done[i] += report->done[i];
	total.ops += report->ops;
	total.verified += report->verified;
	total.mismatches += report->mismatches;
}

/* In a child: what it does to its memory and to itself ends with it. */
static int run_in_child(const struct run *r)
{
	pid_t pid;

	fflush(stdout);
	memset(report, 0, sizeof(*report));
	pid = vmd_fork();
	if (pid < 0)
		return 99;
	if (pid)
		return vmd_wait(pid, RUN_MS);
	if (!r->policy)
		_exit(ex_threads(r->seed, r->on_file, r->ops, report));
	exercise(r);
	fflush(stdout);
	_exit(0);
}

static void run_one(const struct run *r, bool can_files)
{
	__u64 start = vmd_now_ms();
	int status;

	if (r->on_file && !can_files) {
		ksft_test_result_skip("%s: this module has no file spaces\n",
				      r->name);
		return;
	}
	status = run_in_child(r);
	if (status)
		show_log(r, status);
	add_report();
	printf("# %s: %lu operations, %llu bytes verified, %llu ms\n", r->name,
	       report->ops, (unsigned long long)report->verified,
	       (unsigned long long)(vmd_now_ms() - start));
	ksft_test_result(!status, "%s\n", r->name);
}

/*
 * With few operations for each configuration, each third of them has three times
 * as many: every policy, every observer and both kinds of spaces are among them,
 * and it is another third with each of three seeds.
 */
static bool thinly(unsigned long ops, unsigned int policies)
{
	return ops / (6 * policies) < THINLY;
}

static bool chosen(const struct run *r, bool thin)
{
	if (only)
		return strstr(r->name, only);
	return !thin || !r->policy || (r->number + base_seed) % 3 == 0;
}

/* Every configuration, in an order that does not matter: seeds are their own. */
static unsigned int list_runs(struct run *run, unsigned long ops, bool *thin)
{
	unsigned int i, o, file, n = 0, policies = 0, share;
	struct run *r;

	while (ex_policies[policies])
		policies++;
	*thin = thinly(ops, policies);
	share = *thin ? 3 : 1;
	for (file = 0; file < 2; file++) {
		for (i = 0; i <= policies; i++) {
			for (o = 0; o < (i < policies ? 3 : 1); o++) {
				r = &run[n];
				r->policy = ex_policies[i];
				r->observer = vmd_observer_names[o];
				r->on_file = file;
				/* Neighbours differ in all three. */
				r->number = i + o + file;
				r->seed = ex_mix(base_seed, n++);
				r->ops = (r->policy ? share * ops / (6 * policies) :
					  ops / (2 * THREAD_SHARE)) + 1;
				snprintf(r->name, sizeof(r->name), "%s/%s/%s",
					 r->policy ? r->policy : "threads",
					 r->policy ? r->observer : "any",
					 file ? "file" : "anonymous");
			}
		}
	}
	return n;
}

static void show_totals(void)
{
	int i;

	printf("# %lu operations:", total.ops);
	for (i = 0; ex_ops[i].name; i++)
		printf(" %s %lu", ex_ops[i].name, total.done[i]);
	printf("\n# %llu bytes verified, %llu bytes did not match\n",
	       (unsigned long long)total.verified,
	       (unsigned long long)total.mismatches);
}

static bool has_feature(__u64 feature)
{
	int fd = vmd_open();
	struct vmd_info info = { 0 };

	if (fd < 0)
		ksft_exit_fail_msg("cannot open %s\n", VMD_DEVICE);
	vmd_info(fd, &info);
	close(fd);
	return info.features & feature;
}

int main(void)
{
	static struct run run[EX_POLICIES * 6 + 2];
	const char *seed = getenv("VMD_SEED");
	bool files = has_feature(VMD_FEATURE_FILE);
	unsigned int i, n, plan = 0;
	bool thin;

	base_seed = seed ? strtoull(seed, NULL, 0) : vmd_now_ms();
	only = getenv("VMD_ONLY");
	verbose = getenv("VMD_VERBOSE");
	read_policies();
	report = mmap(NULL, sizeof(*report), VMD_RW,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	n = list_runs(run, total_ops(), &thin);
	for (i = 0; i < n; i++)
		plan += chosen(&run[i], thin);
	ksft_print_header();
	printf("# VMD_SEED=%llu\n", (unsigned long long)base_seed);
	ksft_set_plan(plan);
	for (i = 0; i < n; i++)
		if (chosen(&run[i], thin))
			run_one(&run[i], files);
	show_totals();
	if (!has_feature(VMD_FEATURE_PUNCH))
		printf("# punch: not in this module\n");
	ksft_finished();
}
