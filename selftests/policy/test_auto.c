// SPDX-License-Identifier: GPL-2.0-only
/*
 * "auto": its text, and when it changes its mind.
 */
#include "../../module/policy/auto.h"
#include "tests.h"

struct auto_case {
	const char *text;
	int err;
	size_t bad;
	const char *back;
};

static const struct auto_case cases[] = {
	{ "auto", 0, 0, "auto" },
	{ "auto:margin=10", 0, 0, "auto" },
	{ "auto:of=lru+mru+sieve+arc", 0, 0, "auto" },
	{ "auto:of=mru+lru", 0, 0, "auto:of=mru+lru" },
	{ "auto:sample=4,margin=0,interval=100,of=lru+2q", 0, 0,
	  "auto:of=lru+2q,interval=100,margin=0,sample=4" },
	{ "auto:sample=1", 0, 0, "auto:sample=1" },
	{ "auto:of=fifo+lru+clock+lfu+mru+arc+car+nru,interval=1000000000", 0, 0,
	  "auto:of=fifo+lru+clock+lfu+mru+arc+car+nru,interval=1000000000" },
	{ "lru", -EINVAL, 0, NULL },
	{ "autos", -EINVAL, 0, NULL },
	{ "auto:", -EINVAL, 5, NULL },
	{ "auto:of", -EINVAL, 5, NULL },
	{ "auto:of=", -ENOENT, 8, NULL },
	{ "auto:of=lru", -EINVAL, 8, NULL },
	{ "auto:of=lru+lru", -EINVAL, 12, NULL },
	{ "auto:of=lru+", -ENOENT, 12, NULL },
	{ "auto:of=lru+auto", -ENOENT, 12, NULL },
	{ "auto:of=lru+random:seed=7", -ENOENT, 12, NULL },
	{ "auto:of=lru+opt", -EOPNOTSUPP, 12, NULL },
	{ "auto:of=fifo+lru+clock+lfu+mru+arc+car+nru+2q", -ERANGE, 43, NULL },
	{ "auto:interval=99", -ERANGE, 14, NULL },
	{ "auto:interval=1000000001", -ERANGE, 14, NULL },
	{ "auto:interval=99999999999999999999999", -ERANGE, 14, NULL },
	{ "auto:margin=91", -ERANGE, 12, NULL },
	{ "auto:margin=05", -EINVAL, 12, NULL },
	{ "auto:margin=", -EINVAL, 12, NULL },
	{ "auto:margin=5,", -EINVAL, 14, NULL },
	{ "auto:margin=5,margin=5", -EINVAL, 14, NULL },
	{ "auto:margin=5 ", -EINVAL, 12, NULL },
	{ "auto:sample=0", -ERANGE, 12, NULL },
	{ "auto:sample=3", -EINVAL, 12, NULL },
	{ "auto:sample=131072", -ERANGE, 12, NULL },
	{ "auto:speed=1", -EINVAL, 5, NULL },
};

static void check_case(const struct auto_case *c)
{
	struct vmd_auto_choice choice;
	const char *bad = NULL;
	char back[64];
	int err = vmd_auto_parse(c->text, &choice, &bad);

	CHECK(err == c->err, "error %d, not %d", err, c->err);
	if (err) {
		CHECK(bad == c->text + c->bad, "blames place %td, not %zu",
		      bad ? bad - c->text : -1, c->bad);
		CHECK(!choice.nr, "there is a choice");
		return;
	}
	CHECK(!bad, "blames \"%s\"", bad);
	vmd_auto_format(&choice, back, sizeof(back));
	CHECK(!strcmp(back, c->back), "written back as \"%s\"", back);
}

static struct vmd_auto_choice choice_of(const char *text)
{
	struct vmd_auto_choice choice;
	const char *bad;

	CHECK(!vmd_auto_parse(text, &choice, &bad), "cannot parse %s", text);
	return choice;
}

/* The sample that fits leaves so many frames, or is one that was given. */
static void test_shift(void)
{
	struct vmd_auto_choice fits = choice_of("auto");
	struct vmd_auto_choice given = choice_of("auto:sample=64");

	test_begin("the sample of auto");
	CHECK(vmd_auto_shift(&fits, 1) == 0, "of 1 frame");
	CHECK(vmd_auto_shift(&fits, 2047) == 0, "of 2047 frames");
	CHECK(vmd_auto_shift(&fits, 2048) == 1, "of 2048 frames");
	CHECK(vmd_auto_shift(&fits, 1 << 20) == 10, "of 2^20 frames");
	CHECK(vmd_auto_shift(&fits, 1ULL << 30) == 16, "of 2^30 frames");
	CHECK(vmd_auto_shift(&given, 16) == 6, "as given");
	test_end();
}

/* So much better for sure, just not enough, and by too few misses. */
static void test_margin(void)
{
	struct vmd_auto_choice how = choice_of("auto:of=lru+mru");
	struct vmd_auto_state s = { };
	u64 misses[2] = { 1000, 901 };

	test_begin("the margin of auto");
	CHECK(vmd_auto_judge(&s, &how, misses, 1000, 0) == 0, "9.9 percent");
	memset(&s, 0, sizeof(s));
	misses[1] = 899;
	CHECK(vmd_auto_judge(&s, &how, misses, 1000, 0) == 1, "10.1 percent");
	memset(&s, 0, sizeof(s));
	CHECK(vmd_auto_judge(&s, &how, misses, 1000, 1) == 1, "it stays");
	memset(&s, 0, sizeof(s));
	misses[0] = 3;
	misses[1] = 0;
	CHECK(vmd_auto_judge(&s, &how, misses, 1000, 0) == 0, "3 of 1000");
	memset(&s, 0, sizeof(s));
	CHECK(vmd_auto_judge(&s, &how, misses, 700, 0) == 1, "3 of 700");
	test_end();
}

/* One look that is different does not outweigh those before. */
static void test_memory(void)
{
	struct vmd_auto_choice how = choice_of("auto:of=lru+mru+arc");
	struct vmd_auto_state s = { };
	static const u64 good[] = { 500, 900, 900 };
	static const u64 burst[] = { 600, 450, 900 };
	u32 live = 0, i;

	test_begin("auto forgets by halves");
	for (i = 0; i < 10; i++)
		live = vmd_auto_judge(&s, &how, good, 1000, live);
	CHECK(live == 0, "it stays while it is best");
	live = vmd_auto_judge(&s, &how, burst, 1000, live);
	CHECK(live == 0, "and with one look that is not");
	for (i = 0; i < 10; i++)
		live = vmd_auto_judge(&s, &how, burst, 1000, live);
	CHECK(live == 1, "but not for ever");
	test_end();
}

/* The whole group. */
void test_auto(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		test_begin("auto \"%s\"", cases[i].text);
		check_case(cases + i);
		test_end();
	}
	test_shift();
	test_margin();
	test_memory();
}
