// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every refusal that uapi/vmdemo.h promises, and that a call which fails has
 * changed nothing. Those of VMD_IOC_ATTACH are in test_attach.
 */
#define _GNU_SOURCE
#include <sys/ioctl.h>
#include <termios.h>

#include "vmd_harness.h"

#define PAGES	32
#define FRAMES	8

FIXTURE(refused) {
	int fd;
	char *map;
	struct vmd_config before;
	struct vmd_info info;
};

FIXTURE_SETUP(refused)
{
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_info(self->fd, &self->info));
	ASSERT_EQ(0, vmd_set(self->fd, "random:seed=7", "fault", FRAMES));
	ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
	ASSERT_MAP(self->map, self->fd, PAGES);
	vmd_fill_all(self->map, PAGES, 1);
	ASSERT_EQ(0, vmd_get(self->fd, &self->before));
}

/* Whatever was refused: nothing has changed. */
FIXTURE_TEARDOWN(refused)
{
	struct vmd_config after;

	EXPECT_EQ(0, vmd_get(self->fd, &after));
	EXPECT_EQ(0, memcmp(&self->before, &after, sizeof(after)));
	EXPECT_EQ(0, vmd_count_flag(self->fd, 0, PAGES, VMD_PAGE_PINNED));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
	close(self->fd);
}

/* There is one with this number: its size or direction is for other tests. */
static bool is_command(unsigned int nr)
{
	return (nr >= 0x20 && nr <= 0x2a) || nr == _IOC_NR(VMD_IOC_FUTURE) ||
	       nr == _IOC_NR(VMD_IOC_GET_SHADOWS) ||
	       nr == _IOC_NR(VMD_IOC_QUEUES) ||
	       nr == _IOC_NR(VMD_IOC_WALK) || nr == _IOC_NR(VMD_IOC_SLOTS);
}

TEST_F(refused, unknown_command_enotty)
{
	char buffer[512] = { 0 };
	unsigned int nr;

	for (nr = 0; nr < 256; nr++) {
		if (is_command(nr))
			continue;
		EXPECT_ERRNO(ENOTTY, ioctl(self->fd, _IO(VMD_IOC_TYPE, nr)));
		EXPECT_ERRNO(ENOTTY, ioctl(self->fd,
					   _IOC(_IOC_READ | _IOC_WRITE,
						VMD_IOC_TYPE, nr, 64), buffer));
	}
}

TEST_F(refused, command_of_another_type_enotty)
{
	struct vmd_config c = self->before;
	struct termios t;

	EXPECT_ERRNO(ENOTTY, ioctl(self->fd, TCGETS, &t));
	EXPECT_ERRNO(ENOTTY, ioctl(self->fd,
				   _IOW('V', 0x22, struct vmd_config), &c));
	EXPECT_ERRNO(ENOTTY, ioctl(self->fd,
				   _IOW(0xd4, 0x22, struct vmd_config), &c));
}

TEST_F(refused, command_of_another_direction_enotty)
{
	struct vmd_config c = self->before;

	c.budget = 3;
	EXPECT_ERRNO(ENOTTY, ioctl(self->fd, _IOR(VMD_IOC_TYPE, 0x22,
						  struct vmd_config), &c));
	EXPECT_ERRNO(ENOTTY, ioctl(self->fd, _IOWR(VMD_IOC_TYPE, 0x24,
						   struct vmd_budget), &c));
}

static int set_config(int fd, const struct vmd_config *from, __u64 mask)
{
	struct vmd_config c = *from;

	c.mask = mask;
	return ioctl(fd, VMD_IOC_SET_CONFIG, &c);
}

TEST_F(refused, set_config_unknown_mask_bit_einval)
{
	int bit;

	for (bit = 7; bit < 64; bit++)
		EXPECT_ERRNO(EINVAL, set_config(self->fd, &self->before,
						VMD_CONFIG_BUDGET |
						1ULL << bit));
}

TEST_F(refused, a_page_size_that_there_is_not_einval)
{
	static const __u64 sizes[] = { 1, 2048, 8192, 65535, 4194304, 1ULL << 63 };
	struct vmd_config c = self->before;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		c.page_size = sizes[i];
		EXPECT_ERRNO(EINVAL, set_config(self->fd, &c,
						VMD_CONFIG_PAGE_SIZE));
	}
}

TEST_F(refused, ways_that_do_not_divide_the_budget_einval)
{
	struct vmd_config c = self->before;

	c.ways = 1ULL << 63;
	EXPECT_ERRNO(EINVAL, set_config(self->fd, &c, VMD_CONFIG_PLACEMENT));
	c.ways = c.budget + 1;
	EXPECT_ERRNO(EINVAL, set_config(self->fd, &c, VMD_CONFIG_PLACEMENT));
	c.ways = 2;
	c.budget = 3;
	EXPECT_ERRNO(EINVAL, set_config(self->fd, &c, VMD_CONFIG_PLACEMENT |
						      VMD_CONFIG_BUDGET));
}

TEST_F(refused, set_config_looks_at_no_field_that_mask_does_not_name)
{
	struct vmd_config c;

	memset(&c, 'x', sizeof(c));
	EXPECT_EQ(0, set_config(self->fd, &c, 0));
	c.budget = FRAMES;
	EXPECT_EQ(0, set_config(self->fd, &c, VMD_CONFIG_BUDGET));
}

TEST_F(refused, size_not_a_multiple_of_the_page_or_too_large_einval)
{
	__u64 max = self->info.max_size;
	__u64 bad[] = {
		1, vmd_ps - 1, vmd_ps + 1, PAGES * vmd_ps + 512,
		max + vmd_ps, 1ULL << 63, -(__u64)vmd_ps, UINT64_MAX,
	};
	struct vmd_config c = self->before;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		c.size = bad[i];
		EXPECT_ERRNO(EINVAL, set_config(self->fd, &c,
						VMD_CONFIG_SIZE));
	}
}

TEST_F(refused, budget_of_zero_or_above_max_frames_einval)
{
	__u64 bad[] = {
		0, self->info.max_frames + 1, 1ULL << 32, 1ULL << 63,
		UINT64_MAX,
	};
	struct vmd_config c = self->before;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (bad[i] && bad[i] <= self->info.max_frames)
			continue;
		c.budget = bad[i];
		EXPECT_ERRNO(EINVAL, set_config(self->fd, &c,
						VMD_CONFIG_BUDGET));
		EXPECT_ERRNO(EINVAL, vmd_budget(self->fd, bad[i]));
	}
}

static const char *const bad_policies[] = {
	"", " ", "l", "lr", "lruu", "lru ", " lru", "LRU", "lru\n", "lru;",
	"nonsense", "fifo,lru", "lru:", "lru:x=1", "lru:seed=1", ":", ":seed=1",
	"random:", "random:seed", "random:seed=", "random:seed=x",
	"random:seed=-1", "random:seed= 1", "random:seed=1 ", "random:seed=1,",
	"random:,seed=1", "random:seed=1,seed=2", "random:seed=1,x=2",
	"random:seeds=1", "random:seed=1x", "random:seed=%s",
	"random:seed=99999999999999999999999", "../lru", "clock-", "clock-b",
	"\xff\xfe", "lru\x01",
};

TEST_F(refused, unknown_policy_or_malformed_parameters_einval)
{
	struct vmd_config c = self->before;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad_policies); i++) {
		memset(c.policy, 0, sizeof(c.policy));
		strcpy(c.policy, bad_policies[i]);
		EXPECT_ERRNO(EINVAL, vmd_policy(self->fd, bad_policies[i])) {
			TH_LOG("policy '%s'", bad_policies[i]);
		}
		EXPECT_ERRNO(EINVAL, set_config(self->fd, &c,
						VMD_CONFIG_POLICY));
	}
}

/* No string is loaded: nobody here knows what will be used next. */
TEST_F(refused, a_policy_that_has_to_know_the_future_enodata)
{
	struct vmd_config c = self->before;

	memset(c.policy, 0, sizeof(c.policy));
	strcpy(c.policy, "opt");
	EXPECT_ERRNO(ENODATA, vmd_policy(self->fd, "opt"));
	EXPECT_ERRNO(ENODATA, set_config(self->fd, &c, VMD_CONFIG_POLICY));
	EXPECT_ERRNO(EINVAL, vmd_policy(self->fd, "opt:x=1"));
}

TEST_F(refused, unterminated_policy_einval)
{
	static const char start[] = "random:seed=";
	struct vmd_config c = self->before;
	struct vmd_policy p = { 0 };

	memset(p.name, '0', sizeof(p.name));
	memcpy(p.name, start, strlen(start));
	memcpy(c.policy, p.name, sizeof(c.policy));
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_SET_POLICY, &p));
	EXPECT_ERRNO(EINVAL, set_config(self->fd, &c, VMD_CONFIG_POLICY));
}

TEST_F(refused, unknown_or_unterminated_observer_einval)
{
	static const char *const bad[] = {
		"", "Trap", "trap ", "trapp", "fault,trap", "nonsense", "lru",
	};
	struct vmd_config c = self->before;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_ERRNO(EINVAL, vmd_observer(self->fd, bad[i]));
	memset(c.observer, 't', sizeof(c.observer));
	EXPECT_ERRNO(EINVAL, set_config(self->fd, &c, VMD_CONFIG_OBSERVER));
}

/* Each field in turn is the bad one; all the others would be changes. */
TEST_F(refused, fields_that_change_together_are_all_checked_before_the_first)
{
	struct vmd_config good = self->before, c;

	good.size = 2 * PAGES * vmd_ps;
	good.budget = 3;
	strcpy(good.policy, "mru");
	strcpy(good.observer, "trap");
	c = good;
	c.size++;
	EXPECT_ERRNO(EINVAL, set_config(self->fd, &c, VMD_CONFIG_ALL));
	c = good;
	c.budget = 0;
	EXPECT_ERRNO(EINVAL, set_config(self->fd, &c, VMD_CONFIG_ALL));
	c = good;
	strcpy(c.policy, "nonsense");
	EXPECT_ERRNO(EINVAL, set_config(self->fd, &c, VMD_CONFIG_ALL));
	c = good;
	strcpy(c.observer, "nonsense");
	EXPECT_ERRNO(EINVAL, set_config(self->fd, &c, VMD_CONFIG_ALL));
	c = good;
	c.flags = 1ULL << 63;
	EXPECT_ERRNO(EINVAL, set_config(self->fd, &c, VMD_CONFIG_ALL));
}

TEST_F(refused, set_policy_flags_and_reserved_einval)
{
	struct vmd_policy p = { .flags = 1, .name = "lru" };

	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_SET_POLICY, &p));
	p.flags = 1U << 31;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_SET_POLICY, &p));
	p.flags = 0;
	p.reserved = 1;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_SET_POLICY, &p));
}

TEST_F(refused, set_budget_flags_and_reserved_einval)
{
	struct vmd_budget b = { .frames = 3, .flags = 1 };

	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_SET_BUDGET, &b));
	b.flags = 0;
	b.reserved = 1U << 31;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_SET_BUDGET, &b));
}

TEST_F(refused, get_stats_unknown_flag_einval)
{
	struct vmd_stats s = { 0 };
	int bit;

	for (bit = 1; bit < 64; bit++) {
		s.flags = 1ULL << bit;
		EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_GET_STATS, &s));
	}
}

struct range {
	__u64 offset;
	__u64 length;
};

#define NR_BAD_RANGES	10

static void bad_ranges(struct range *r)
{
	const __u64 size = PAGES * vmd_ps, page = vmd_ps;
	const struct range bad[NR_BAD_RANGES] = {
		{ 1, page }, { page - 1, page }, { 0, 1 }, { 0, page + 1 },
		{ 0, size + page }, { size, page }, { size + page, 0 },
		{ page, -page }, { -page, 2 * page }, { -page, page },
	};

	memcpy(r, bad, sizeof(bad));
}

TEST_F(refused, advise_range_unaligned_outside_or_overflowing_einval)
{
	struct range r[NR_BAD_RANGES];
	struct vmd_advise a;
	__u32 advice;
	int i;

	bad_ranges(r);
	for (i = 0; i < NR_BAD_RANGES; i++) {
		for (advice = 1; advice <= VMD_ADVICE_WRITE; advice++) {
			a = (struct vmd_advise){
				r[i].offset, r[i].length, advice, 0
			};
			EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_ADVISE,
						   &a)) {
				TH_LOG("range %d, advice %u", i, advice);
			}
		}
	}
}

TEST_F(refused, advise_unknown_advice_or_flag_einval)
{
	static const __u32 bad[] = { 0, 8, 9, 255, 1U << 31, UINT32_MAX };
	struct vmd_advise a = { .length = vmd_ps };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		a.advice = bad[i];
		EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_ADVISE, &a));
	}
	a.advice = VMD_ADVICE_PIN;
	a.flags = 1;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_ADVISE, &a));
}

TEST_F(refused, sync_range_or_flag_einval)
{
	struct range r[NR_BAD_RANGES];
	struct vmd_sync s = { 0 };
	int i;

	bad_ranges(r);
	for (i = 0; i < NR_BAD_RANGES; i++) {
		s.offset = r[i].offset;
		s.length = r[i].length;
		EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_SYNC, &s)) {
			TH_LOG("range %d", i);
		}
	}
	s = (struct vmd_sync){ .flags = 1 };
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_SYNC, &s));
	s = (struct vmd_sync){ .reserved = 1 };
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_SYNC, &s));
}

TEST_F(refused, pages_too_many_past_the_end_or_flagged_einval)
{
	struct vmd_page page[PAGES];
	const struct vmd_pages good = {
		.count = PAGES, .pages = (uintptr_t)page,
	};
	struct vmd_pages p = good;

	p.count = VMD_PAGES_MAX + 1;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_PAGES, &p));
	p.count = UINT64_MAX;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_PAGES, &p));
	p = good;
	p.first = PAGES + 1;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_PAGES, &p));
	p.first = UINT64_MAX;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_PAGES, &p));
	p = good;
	p.flags = 1;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_PAGES, &p));
	p = good;
	p.reserved = 1;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_PAGES, &p));
}

TEST_F(refused, pages_array_that_cannot_be_written_efault)
{
	struct vmd_pages p = { .count = PAGES, .pages = 8 };
	void *half = mmap(NULL, 2 * vmd_ps, PROT_READ,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_ERRNO(EFAULT, ioctl(self->fd, VMD_IOC_PAGES, &p));
	p.pages = 0;
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, VMD_IOC_PAGES, &p));
	p.pages = 1ULL << 63;
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, VMD_IOC_PAGES, &p));
	p.pages = UINT64_MAX - 64;
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, VMD_IOC_PAGES, &p));
	p.pages = (uintptr_t)half;
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, VMD_IOC_PAGES, &p));
	ASSERT_EQ(0, mprotect(half, vmd_ps, VMD_RW));
	p.pages += vmd_ps - 3 * sizeof(struct vmd_page);
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, VMD_IOC_PAGES, &p));
}

static const unsigned long commands[] = {
	VMD_IOC_INFO, VMD_IOC_GET_CONFIG, VMD_IOC_SET_CONFIG,
	VMD_IOC_SET_POLICY, VMD_IOC_SET_BUDGET, VMD_IOC_GET_STATS,
	VMD_IOC_ADVISE, VMD_IOC_PAGES, VMD_IOC_ATTACH, VMD_IOC_SYNC,
};

TEST_F(refused, bad_pointer_efault)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		EXPECT_ERRNO(EFAULT, ioctl(self->fd, commands[i], NULL));
		EXPECT_ERRNO(EFAULT, ioctl(self->fd, commands[i], 8UL));
		EXPECT_ERRNO(EFAULT, ioctl(self->fd, commands[i],
					   0xffff800000000000UL));
		EXPECT_ERRNO(EFAULT, ioctl(self->fd, commands[i], -8UL));
	}
}

/* The structure begins in a page and would end in one that is not there. */
TEST_F(refused, pointer_that_runs_out_of_a_mapping_efault)
{
	char *page = mmap(NULL, 2 * vmd_ps, VMD_RW,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	ASSERT_NE(MAP_FAILED, (void *)page);
	ASSERT_EQ(0, munmap(page + vmd_ps, vmd_ps));
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		EXPECT_ERRNO(EFAULT, ioctl(self->fd, commands[i],
					   page + vmd_ps - 8));
}

TEST_F(refused, answer_into_read_only_memory_efault)
{
	void *page = mmap(NULL, vmd_ps, PROT_READ,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, page);
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, VMD_IOC_INFO, page));
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, VMD_IOC_GET_CONFIG, page));
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, VMD_IOC_GET_STATS, page));
}

static unsigned long longer(unsigned long command, unsigned int bytes)
{
	return _IOC(_IOC_DIR(command), VMD_IOC_TYPE, _IOC_NR(command),
		    _IOC_SIZE(command) + bytes);
}

static const unsigned long taking[] = {
	VMD_IOC_SET_CONFIG, VMD_IOC_SET_POLICY, VMD_IOC_SET_BUDGET,
	VMD_IOC_GET_STATS, VMD_IOC_ADVISE, VMD_IOC_PAGES, VMD_IOC_ATTACH,
	VMD_IOC_SYNC,
};

TEST_F(refused, longer_structure_with_something_in_what_it_adds_e2big)
{
	static const unsigned int more[] = { 8, 100, 4000 };
	char buffer[8192];
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(taking); i++) {
		for (j = 0; j < ARRAY_SIZE(more); j++) {
			memset(buffer, 0, sizeof(buffer));
			buffer[_IOC_SIZE(taking[i]) + more[j] - 1] = 1;
			EXPECT_ERRNO(E2BIG, ioctl(self->fd,
						  longer(taking[i], more[j]),
						  buffer));
		}
	}
}

TEST_HARNESS_MAIN
