// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 32-bit caller of /dev/vmdemo. Needs no C library, so that any compiler
 * with -m32 builds it. Exits with the number of the step that failed, or 0.
 */
#include "../uapi/vmdemo.h"

#define NR_EXIT		1
#define NR_OPEN		5
#define NR_IOCTL	54
#define NR_MMAP2	192
#define O_RDWR		2
#define PROT_RW		3
#define MAP_SHARED	1
#define ERR_INVAL	(-22)
#define ERR_FAULT	(-14)

#define PAGES		16
#define FRAMES		4
#define PAGE		4096

static long call6(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret;

	__asm__ volatile("push %%ebp\n\t"
			 "mov %7, %%ebp\n\t"
			 "int $0x80\n\t"
			 "pop %%ebp"
			 : "=a" (ret)
			 : "0" (nr), "b" (a), "c" (b), "d" (c), "S" (d),
			   "D" (e), "m" (f)
			 : "memory");
	return ret;
}

static long call3(long nr, long a, long b, long c)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a" (ret)
			 : "0" (nr), "b" (a), "c" (b), "d" (c)
			 : "memory");
	return ret;
}

static int fd;

static long call(unsigned long command, void *data)
{
	return call3(NR_IOCTL, fd, command, (long)data);
}

static void clear(void *data, unsigned long size)
{
	char *p = data;

	while (size--)
		__atomic_store_n(p++, 0, __ATOMIC_RELAXED);
}

static void copy_name(char *to, const char *from)
{
	while ((*to++ = *from++))
		;
}

static int same_name(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static int check_info(void)
{
	struct vmd_info i;

	clear(&i, sizeof(i));
	return !call(VMD_IOC_INFO, &i) && i.abi_version == VMD_ABI_VERSION &&
	       i.page_size == PAGE && i.space_id && i.max_size && i.max_frames;
}

static int check_config(void)
{
	struct vmd_config c;

	clear(&c, sizeof(c));
	c.mask = VMD_CONFIG_ALL;
	c.size = PAGES * PAGE;
	c.budget = FRAMES;
	copy_name(c.policy, "lru");
	copy_name(c.observer, "fault");
	if (call(VMD_IOC_SET_CONFIG, &c))
		return 0;
	clear(&c, sizeof(c));
	return !call(VMD_IOC_GET_CONFIG, &c) && c.size == PAGES * PAGE &&
	       c.budget == FRAMES && same_name(c.policy, "lru") &&
	       same_name(c.observer, "fault") && c.mask == VMD_CONFIG_ALL;
}

/* Content survives, in a mapping of a 32-bit process. */
static int check_touches(void)
{
	int *map = (int *)call6(NR_MMAP2, 0, PAGES * PAGE, PROT_RW,
				MAP_SHARED, fd, 0);
	int i;

	if ((unsigned long)map > -4096UL)
		return 0;
	for (i = 0; i < PAGES; i++)
		__atomic_store_n(&map[i * PAGE / sizeof(int)], i + 1,
				 __ATOMIC_RELAXED);
	for (i = 0; i < PAGES; i++)
		if (map[i * PAGE / sizeof(int)] != i + 1)
			return 0;
	return 1;
}

static int check_stats(void)
{
	struct vmd_stats s;

	clear(&s, sizeof(s));
	return !call(VMD_IOC_GET_STATS, &s) && s.budget == FRAMES &&
	       s.resident <= FRAMES && s.zero_fills == PAGES &&
	       s.evictions >= PAGES - FRAMES && s.size == PAGES * PAGE;
}

static int check_pages(void)
{
	static struct vmd_page page[2 * PAGES];
	struct vmd_pages p;
	unsigned int i, resident = 0;

	clear(&p, sizeof(p));
	p.count = 2 * PAGES;
	p.pages = (unsigned long)page;
	if (call(VMD_IOC_PAGES, &p) || p.count != PAGES)
		return 0;
	for (i = 0; i < PAGES; i++)
		resident += page[i].state == VMD_PAGE_RESIDENT;
	return resident && resident <= FRAMES;
}

static int check_refusals(void)
{
	struct vmd_policy p;
	struct vmd_pages high;

	clear(&p, sizeof(p));
	copy_name(p.name, "nonsense");
	clear(&high, sizeof(high));
	high.count = 1;
	high.pages = 1ULL << 40;
	return call(VMD_IOC_SET_POLICY, &p) == ERR_INVAL &&
	       call(VMD_IOC_SET_BUDGET, (void *)8) == ERR_FAULT &&
	       call(VMD_IOC_PAGES, &high) == ERR_FAULT;
}

static int check_changes(void)
{
	struct vmd_policy p;
	struct vmd_budget b;
	struct vmd_advise a;
	struct vmd_sync s;

	clear(&p, sizeof(p));
	copy_name(p.name, "fifo");
	clear(&b, sizeof(b));
	b.frames = 2;
	clear(&a, sizeof(a));
	a.advice = VMD_ADVICE_EVICT;
	clear(&s, sizeof(s));
	return !call(VMD_IOC_SET_POLICY, &p) && !call(VMD_IOC_SET_BUDGET, &b) &&
	       !call(VMD_IOC_SYNC, &s) && !call(VMD_IOC_ADVISE, &a) &&
	       !call(VMD_IOC_RESET_STATS, (void *)0);
}

static int (*const steps[])(void) = {
	check_info, check_config, check_touches, check_stats, check_pages,
	check_refusals, check_changes, 0
};

__attribute__((force_align_arg_pointer)) void _start(void)
{
	unsigned int i;
	int failed = 0;

	fd = call3(NR_OPEN, (long)"/dev/vmdemo", O_RDWR, 0);
	for (i = 0; steps[i] && !failed; i++)
		if (fd < 0 || !steps[i]())
			failed = i + 1;
	call3(NR_EXIT, failed, 0, 0);
	__builtin_unreachable();
}
