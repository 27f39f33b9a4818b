// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the policies in user space: the vectors, every decision against a
 * naive model, the contract, the names.
 *
 *	test_policy [-s SEED] [-n REFERENCES] [-p POLICY] [-v] [VECTORS]
 *	test_policy -g <LINES >VECTORS
 *
 * With -p, only the tests of policies whose name begins so, and their vectors.
 * The seed is printed: give it again to see the same again. The last line is
 * "N passed, N failed".
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests.h"

#define SHOWN	5	/* failures of one test that are printed */

u64 tests_seed = 1;
u64 tests_references = 100000;

static bool verbose;
static const char *only = "";
static char test_name[200];
static unsigned int failures;
static unsigned int nr_passed, nr_failed;

void test_begin(const char *name, ...)
{
	va_list args;

	va_start(args, name);
	vsnprintf(test_name, sizeof(test_name), name, args);
	va_end(args);
	failures = 0;
}

void test_fail(const char *text, ...)
{
	va_list args;

	if (failures++ >= SHOWN)
		return;
	printf("# %s: ", test_name);
	va_start(args, text);
	vprintf(text, args);
	va_end(args);
	printf("\n");
}

bool test_failed(void)
{
	return failures;
}

void test_end(void)
{
	if (failures)
		printf("not ok %s\n", test_name);
	else if (verbose)
		printf("ok %s\n", test_name);
	nr_failed += failures != 0;
	nr_passed += failures == 0;
}

struct vmd_policy_choice test_choice(const char *text)
{
	struct vmd_policy_choice choice;
	const char *bad;

	if (vmd_policy_parse(text, &choice, &bad)) {
		fprintf(stderr, "no such policy: %s\n", text);
		exit(1);
	}
	return choice;
}

bool tests_want(const char *policy)
{
	return !strncmp(policy, only, strlen(only));
}

static int refuse(void)
{
	fprintf(stderr, "usage: %s\n",
		"test_policy [-s SEED] [-n REFERENCES] [-p POLICY] [-v] [VECTORS] | -g");
	return 2;
}

int main(int argc, char **argv)
{
	bool generate = false;
	int c;

	while ((c = getopt(argc, argv, "gs:n:p:v")) != -1) {
		if (c == 's')
			tests_seed = strtoull(optarg, NULL, 0);
		else if (c == 'n')
			tests_references = strtoull(optarg, NULL, 0);
		else if (c == 'p')
			only = optarg;
		else if (c == 'v')
			verbose = true;
		else if (c == 'g')
			generate = true;
		else
			return refuse();
	}
	if (argc - optind > 1)
		return refuse();
	if (generate) {
		test_generate();
		return 0;
	}
	printf("# seed %llu, %llu references\n", (unsigned long long)tests_seed,
	       (unsigned long long)tests_references);
	test_vectors(optind < argc ? argv[optind] : "vectors.txt");
	test_contract();
	test_parse();
	test_auto();
	test_shadow();
	test_sim();
	test_real();
	test_opt();
	test_place();
	test_explain();
	test_queues();
	test_naive();
	printf("%u passed, %u failed\n", nr_passed, nr_failed);
	return nr_failed != 0;
}
