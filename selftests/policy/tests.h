/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the policy tests share.
 */
#ifndef _TESTS_H
#define _TESTS_H

#include "../../module/policy/policy.h"

/* Set by the command line, which prints the seed. */
extern u64 tests_seed;
extern u64 tests_references;

/* Whether this policy, with parameters or not, is one to be tested. */
bool tests_want(const char *policy);

/* One test: begun, failed any number of times, ended. */
void test_begin(const char *name, ...);
void test_fail(const char *text, ...);
bool test_failed(void);
void test_end(void);

#define CHECK(condition, ...)				\
	do {						\
		if (!(condition))			\
			test_fail(__VA_ARGS__);		\
	} while (0)

/* The choice that @text names, which has to be right. */
struct vmd_policy_choice test_choice(const char *text);

/* The groups, each in a file of its name. */
void test_vectors(const char *file);
void test_naive(void);
void test_contract(void);
void test_parse(void);
void test_auto(void);
void test_shadow(void);
void test_sim(void);
void test_real(void);
void test_opt(void);
void test_place(void);
void test_explain(void);
void test_queues(void);

/* Vectors from the naive models instead of tests. */
void test_generate(void);

#endif /* _TESTS_H */
