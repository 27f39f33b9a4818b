// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names and parameters: every way to be wrong by name, then random text.
 *
 * No policy has several parameters yet, so the table is compiled once more
 * here, under other names and with another policy in the place of "lru".
 */
#include <stdio.h>
#include <stdlib.h>

#include "refstring.h"
#include "tests.h"

#define vmd_policy_lru		many_policy
#define vmd_policies		many_policies
#define vmd_nr_policies		many_nr_policies
#define vmd_policy_parse	many_parse
#define vmd_policy_format	many_format
#include "../../module/policy/table.c"
#undef vmd_policy_lru
#undef vmd_policies
#undef vmd_nr_policies
#undef vmd_policy_parse
#undef vmd_policy_format

static const struct vmd_policy_param many_params[] = {
	{ "a", "from 2 to 9", 2, 9, 5 },
	{ "ab", "anything", 0, ~0ULL, 0 },
	{ "last", "one value", 3, 3, 3 },
};

const struct vmd_policy_ops many_policy = {
	.name = "many",
	.nr_params = ARRAY_SIZE(many_params),
	.params = many_params,
};

/* What is written, and the error and its place or how it is written back. */
struct parse_case {
	const char *text;
	int err;
	size_t bad;
	const char *back;
};

static const struct parse_case cases[] = {
	{ "fifo", 0, 0, "fifo" },
	{ "clock-a", 0, 0, "clock-a" },
	{ "random", 0, 0, "random" },
	{ "random:seed=1", 0, 0, "random" },
	{ "random:seed=7", 0, 0, "random:seed=7" },
	{ "random:seed=0", 0, 0, "random:seed=0" },
	{ "random:seed=0x10", 0, 0, "random:seed=16" },
	{ "random:seed=0xaF", 0, 0, "random:seed=175" },
	{ "random:seed=0x00000000000000000000000f", 0, 0, "random:seed=15" },
	{ "random:seed=18446744073709551615", 0, 0,
	  "random:seed=18446744073709551615" },
	{ "random:seed=0xffffffffffffffff", 0, 0,
	  "random:seed=18446744073709551615" },
	{ "many:a=2", 0, 0, "many:a=2" },
	{ "many:a=9,ab=1", 0, 0, "many:a=9,ab=1" },
	{ "many:ab=1,a=9", 0, 0, "many:a=9,ab=1" },
	{ "many:last=3,ab=0,a=5", 0, 0, "many" },
	/* The policy */
	{ "", -ENOENT, 0, NULL },
	{ ":", -ENOENT, 0, NULL },
	{ ":seed=1", -ENOENT, 0, NULL },
	{ "lr", -ENOENT, 0, NULL },
	{ "fifoo", -ENOENT, 0, NULL },
	{ "FIFO", -ENOENT, 0, NULL },
	{ " fifo", -ENOENT, 0, NULL },
	{ "fifo ", -ENOENT, 0, NULL },
	{ "fifo\n", -ENOENT, 0, NULL },
	{ "clock,a", -ENOENT, 0, NULL },
	{ "random,seed=1", -ENOENT, 0, NULL },
	/* The key */
	{ "fifo:", -EINVAL, 5, NULL },
	{ "fifo:seed=1", -EINVAL, 5, NULL },
	{ "random:", -EINVAL, 7, NULL },
	{ "random:,", -EINVAL, 7, NULL },
	{ "random:=1", -EINVAL, 7, NULL },
	{ "random:see=1", -EINVAL, 7, NULL },
	{ "random:seeds=1", -EINVAL, 7, NULL },
	{ "random:Seed=1", -EINVAL, 7, NULL },
	{ "random: seed=1", -EINVAL, 7, NULL },
	{ "random::seed=1", -EINVAL, 7, NULL },
	{ "random:seed", -EINVAL, 11, NULL },
	{ "random:seed,", -EINVAL, 11, NULL },
	{ "random:seed=1,", -EINVAL, 14, NULL },
	{ "random:seed=1,,", -EINVAL, 14, NULL },
	{ "random:seed=1,seed=1", -EINVAL, 14, NULL },
	{ "random:seed=1,x=1", -EINVAL, 14, NULL },
	{ "many:a=2,ab=1,a=3", -EINVAL, 14, NULL },
	{ "many:abc=2", -EINVAL, 5, NULL },
	/* The value */
	{ "random:seed=", -EINVAL, 12, NULL },
	{ "random:seed=,", -EINVAL, 12, NULL },
	{ "random:seed=x", -EINVAL, 12, NULL },
	{ "random:seed=0x", -EINVAL, 12, NULL },
	{ "random:seed=0x,", -EINVAL, 12, NULL },
	{ "random:seed=0X1", -EINVAL, 12, NULL },
	{ "random:seed=0xg", -EINVAL, 12, NULL },
	{ "random:seed=1f", -EINVAL, 12, NULL },
	{ "random:seed=+1", -EINVAL, 12, NULL },
	{ "random:seed=-1", -EINVAL, 12, NULL },
	{ "random:seed= 1", -EINVAL, 12, NULL },
	{ "random:seed=1 ", -EINVAL, 12, NULL },
	{ "random:seed=1:", -EINVAL, 12, NULL },
	{ "random:seed==1", -EINVAL, 12, NULL },
	{ "random:seed=1=", -EINVAL, 12, NULL },
	{ "random:seed=010", -EINVAL, 12, NULL },
	{ "random:seed=00", -EINVAL, 12, NULL },
	{ "random:seed=99999999999999999999z", -EINVAL, 12, NULL },
	/* Its bounds */
	{ "random:seed=18446744073709551616", -ERANGE, 12, NULL },
	{ "random:seed=18446744073709551620", -ERANGE, 12, NULL },
	{ "random:seed=99999999999999999999", -ERANGE, 12, NULL },
	{ "random:seed=184467440737095516150", -ERANGE, 12, NULL },
	{ "random:seed=0x10000000000000000", -ERANGE, 12, NULL },
	{ "random:seed=0x100000000000000000000000000000001", -ERANGE, 12, NULL },
	{ "many:a=1", -ERANGE, 7, NULL },
	{ "many:a=10", -ERANGE, 7, NULL },
	{ "many:ab=7,last=4", -ERANGE, 15, NULL },
};

/* A choice nobody makes, to see whether it was left alone. */
static struct vmd_policy_choice marked(void)
{
	struct vmd_policy_choice choice;

	memset(&choice, 0x5a, sizeof(choice));
	return choice;
}

static void check_refused(const struct parse_case *c)
{
	struct vmd_policy_choice choice = marked(), before = choice;
	const char *bad = NULL;
	int err = many_parse(c->text, &choice, &bad);

	CHECK(err == c->err, "error %d, not %d", err, c->err);
	CHECK(bad == c->text + c->bad, "blames place %td, not %zu",
	      bad ? bad - c->text : -1, c->bad);
	CHECK(!memcmp(&choice, &before, sizeof(choice)), "the choice changed");
}

static void check_taken(const struct parse_case *c)
{
	struct vmd_policy_choice choice = marked();
	const char *bad = c->text;
	char back[64];
	int err = many_parse(c->text, &choice, &bad);
	size_t len;

	CHECK(!err && !bad, "error %d at \"%s\"", err, bad);
	if (err)
		return;
	len = many_format(&choice, back, sizeof(back));
	CHECK(!strcmp(back, c->back), "written back as \"%s\"", back);
	CHECK(len == strlen(c->back), "length %zu", len);
}

static void test_cases(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		test_begin("name \"%s\"", cases[i].text);
		if (cases[i].err)
			check_refused(cases + i);
		else
			check_taken(cases + i);
		test_end();
	}
}

/* Every length of the buffer, which is no byte longer than it says. */
static void test_cut(void)
{
	static const char whole[] = "random:seed=18446744073709551615";
	struct vmd_policy_choice choice = test_choice(whole);
	size_t len, kept;
	char *buf;

	test_begin("a name that is cut");
	for (len = 0; len < sizeof(whole) + 3; len++) {
		buf = malloc(len ? len : 1);
		if (!buf)
			abort();
		CHECK(vmd_policy_format(&choice, buf, len) == strlen(whole),
		      "wrong length with %zu bytes", len);
		kept = len < sizeof(whole) ? len : sizeof(whole);
		if (len)
			CHECK(strlen(buf) == kept - 1 &&
			      !memcmp(buf, whole, kept - 1), "%zu bytes", len);
		free(buf);
	}
	test_end();
}

static void append(char *text, size_t size, const char *more)
{
	if (strlen(text) + strlen(more) < size)
		strcat(text, more);
}

static void random_text(struct rnd *rnd, char *text, size_t size)
{
	static const char *const pieces[] = {
		"many", "random", "fifo", "lru", ":", ":", ",", "=", "=", "a=",
		"ab=", "last=3", "seed=", "0", "0x", "7", "18446744073709551615",
		"0xffffffffffffffff", "-", " ", "\xff", "\x01", "z",
	};
	u64 nr = rnd_below(rnd, 10);

	text[0] = 0;
	if (rnd_below(rnd, 4))
		append(text, size, rnd_below(rnd, 2) ? "many:" : "random:");
	while (nr--)
		append(text, size, pieces[rnd_below(rnd, ARRAY_SIZE(pieces))]);
}

/* What is taken means the same when it is written and read again. */
static void check_random(char *text)
{
	struct vmd_policy_choice a = marked(), b = marked();
	const char *bad = text;
	char back[128];
	int err = many_parse(text, &a, &bad);

	if (err) {
		CHECK(bad >= text && bad <= text + strlen(text),
		      "\"%s\": blames nothing in it", text);
		return;
	}
	CHECK(!bad, "\"%s\": taken, but blamed", text);
	CHECK(many_format(&a, back, sizeof(back)) < sizeof(back), "too long");
	CHECK(!many_parse(back, &b, &bad) && !memcmp(&a, &b, sizeof(a)),
	      "\"%s\" became \"%s\"", text, back);
}

/* The text ends where its memory ends, so that the sanitizer sees a step on. */
static void test_fuzz(void)
{
	char text[100], *exact;
	struct rnd rnd;
	u32 i;

	test_begin("random names");
	rnd_seed(&rnd, tests_seed);
	for (i = 0; i < 100000; i++) {
		random_text(&rnd, text, sizeof(text));
		exact = strdup(text);
		if (!exact)
			abort();
		check_random(exact);
		free(exact);
	}
	test_end();
}

void test_parse(void)
{
	test_cases();
	test_cut();
	test_fuzz();
}
