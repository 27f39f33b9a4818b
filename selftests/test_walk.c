// SPDX-License-Identifier: GPL-2.0-only
/* VMD_IOC_WALK: what the page tables hold, of ourselves and of others. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "vmd_harness.h"

#define PAGES	32
#define FRAMES	8
#define HUGE	(2UL << 20)

/* Bits of an entry, as the processor defines them */
#define PRESENT		_BITULL(0)
#define WRITABLE	_BITULL(1)
#define USER		_BITULL(2)
#define ACCESSED	_BITULL(5)
#define DIRTY		_BITULL(6)
#define PAGE_SIZE_BIT	_BITULL(7)
#define NX		_BITULL(63)
#define ADDRESS		0x000ffffffffff000ULL

FIXTURE(walk) {
	int fd;
	char *map;
	struct vmd_walk w;
};

FIXTURE_SETUP(walk)
{
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_set(self->fd, "lru", "accessed", FRAMES));
	ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
	ASSERT_MAP(self->map, self->fd, PAGES);
	ASSERT_EQ(0, madvise(self->map, PAGES * vmd_ps, MADV_RANDOM));
}

FIXTURE_TEARDOWN(walk)
{
	close(self->fd);
}

static int walk_at(int fd, pid_t pid, const void *address, struct vmd_walk *w)
{
	*w = (struct vmd_walk){ .pid = pid, .address = (uintptr_t)address };
	return ioctl(fd, VMD_IOC_WALK, w);
}

static __u64 last_entry(const struct vmd_walk *w)
{
	return w->nr ? w->entry[w->nr - 1] : 0;
}

static bool arrived(const struct vmd_walk *w)
{
	return w->result & VMD_WALK_PRESENT;
}

#define ASSERT_WALK(pid, address) \
	ASSERT_EQ(0, walk_at(self->fd, pid, address, &self->w))
#define EXPECT_BITS(bits, value) EXPECT_EQ(0, ~(value) & (bits))

/* The physical frame, as the kernel's own pagemap tells it; 0 if it does not */
static __u64 pagemap_frame(const void *address)
{
	__u64 entry = 0;
	FILE *file = fopen("/proc/self/pagemap", "r");

	if (!file)
		return 0;
	if (fseek(file, (uintptr_t)address / vmd_ps * sizeof(entry), SEEK_SET) ||
	    fread(&entry, sizeof(entry), 1, file) != 1)
		entry = 0;
	fclose(file);
	return entry >> 63 ? entry & ((1ULL << 55) - 1) : 0;
}

TEST_F(walk, a_written_page_is_found_with_its_frame)
{
	struct vmd_walk *w = &self->w;

	vmd_fill(self->map + 3 * vmd_ps, 7);
	ASSERT_WALK(0, self->map + 3 * vmd_ps + 5);
	if (getenv("VMD_LEVELS"))
		EXPECT_EQ(atoi(getenv("VMD_LEVELS")), w->levels);
	EXPECT_TRUE(w->levels == 4 || w->levels == 5);
	EXPECT_EQ(w->levels, w->nr);
	EXPECT_BITS(PRESENT | WRITABLE | USER | ACCESSED | DIRTY | NX,
		    last_entry(w));
	EXPECT_EQ(12, w->page_shift);
	EXPECT_NE(0, w->frame);
	EXPECT_EQ(pagemap_frame(self->map + 3 * vmd_ps), w->frame);
	EXPECT_EQ(w->frame, (last_entry(w) & ADDRESS) >> 12);
	EXPECT_BITS(VMD_WALK_MAPPED | VMD_WALK_PRESENT | VMD_WALK_FRAMES |
		    VMD_WALK_SPACE | VMD_WALK_IN_FRAME | VMD_WALK_QUEUED |
		    VMD_WALK_SAME, w->result);
	EXPECT_EQ(VMD_WALK_READ | VMD_WALK_WRITE | VMD_WALK_SHARED, w->access);
	EXPECT_EQ((uintptr_t)self->map, w->start);
	EXPECT_EQ((uintptr_t)self->map + PAGES * vmd_ps, w->end);
	EXPECT_EQ(vmd_id(self->fd), w->space_id);
	EXPECT_EQ(3, w->index);
	EXPECT_EQ(VMD_PAGE_RESIDENT, w->page.state);
	EXPECT_EQ(1, w->page.faults);
}

TEST_F(walk, a_page_of_1_gib_ends_the_walk_two_levels_earlier)
{
	struct vmd_walk *w = &self->w;
	const size_t size = 1UL << 30;
	char *map = mmap(NULL, size, VMD_RW, MAP_PRIVATE | MAP_ANONYMOUS |
			 MAP_HUGETLB | 30 << MAP_HUGE_SHIFT, -1, 0);

	if (map == MAP_FAILED)
		SKIP(return, "the kernel has no page of 1 GiB to give");
	map[size / 2] = 1;
	ASSERT_WALK(0, map + size / 2);
	EXPECT_TRUE(arrived(w));
	EXPECT_EQ(w->levels - 2, w->nr);
	EXPECT_EQ(30, w->page_shift);
	EXPECT_BITS(PRESENT | WRITABLE | USER | DIRTY, last_entry(w));
	EXPECT_EQ(pagemap_frame(map + size / 2), w->frame);
	munmap(map, size);
}

/* Four levels reach 128 TiB, half of what 48 bits are. */
TEST_F(walk, five_levels_reach_an_address_above_128_tib)
{
	struct vmd_walk *w = &self->w;
	char *map;

	ASSERT_WALK(0, self->map);
	if (w->levels == 4)
		SKIP(return, "page tables of four levels");
	map = mmap((void *)(3UL << 48), 4 * vmd_ps, VMD_RW, MAP_SHARED, self->fd, 0);
	ASSERT_EQ((void *)(3UL << 48), map);
	vmd_fill(map + vmd_ps, 7);
	ASSERT_WALK(0, map + vmd_ps);
	EXPECT_EQ(5, w->nr);
	EXPECT_TRUE(w->entry[0] & PRESENT);
	EXPECT_EQ(pagemap_frame(map + vmd_ps), w->frame);
	EXPECT_EQ(1, w->index);
	EXPECT_TRUE(arrived(w));
	munmap(map, 4 * vmd_ps);
}

TEST_F(walk, a_page_never_touched_is_where_the_walk_ends)
{
	ASSERT_WALK(0, self->map + vmd_ps);
	EXPECT_FALSE(arrived(&self->w));
	EXPECT_EQ(0, last_entry(&self->w) & PRESENT);
	EXPECT_BITS(VMD_WALK_MAPPED | VMD_WALK_SPACE, self->w.result);
	EXPECT_EQ(0, self->w.result & VMD_WALK_IN_FRAME);
	EXPECT_EQ(VMD_PAGE_ABSENT, self->w.page.state);
	EXPECT_EQ(0, self->w.frame);
}

TEST_F(walk, an_evicted_page_is_gone_from_the_table_and_has_a_slot)
{
	vmd_fill(self->map, 1);
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, 1));
	ASSERT_WALK(0, self->map);
	EXPECT_FALSE(arrived(&self->w));
	EXPECT_EQ(self->w.levels, self->w.nr);
	EXPECT_EQ(VMD_PAGE_SWAPPED, self->w.page.state);
	EXPECT_TRUE(self->w.page.flags & VMD_PAGE_SLOT);
	/* Looking brought nothing in. */
	EXPECT_EQ(0, vmd_count_state(self->fd, 0, PAGES, VMD_PAGE_RESIDENT));
}

TEST_F(walk, the_policys_order_is_told)
{
	int i;

	ASSERT_EQ(0, vmd_set(self->fd, "fifo", "fault", FRAMES));
	vmd_touch_all(self->map, 5);
	for (i = 0; i < 5; i++) {
		ASSERT_WALK(0, self->map + i * vmd_ps);
		EXPECT_TRUE(self->w.result & VMD_WALK_QUEUED);
		EXPECT_EQ(i, self->w.position);
		EXPECT_EQ(5, self->w.queue);
	}
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_PIN, 2, 1));
	ASSERT_WALK(0, self->map + 2 * vmd_ps);
	EXPECT_EQ(0, self->w.result & VMD_WALK_QUEUED);
	EXPECT_TRUE(self->w.page.flags & VMD_PAGE_PINNED);
}

TEST_F(walk, a_read_only_mapping_has_no_writable_entry)
{
	vmd_fill(self->map, 1);
	ASSERT_EQ(0, mprotect(self->map, vmd_ps, PROT_READ));
	ASSERT_NE(-1, vmd_load(self->map));
	ASSERT_WALK(0, self->map);
	EXPECT_TRUE(arrived(&self->w));
	EXPECT_EQ(0, last_entry(&self->w) & WRITABLE);
	EXPECT_EQ(VMD_WALK_READ | VMD_WALK_SHARED, self->w.access);
}

TEST_F(walk, a_page_without_access_is_not_present_for_the_hardware)
{
	vmd_fill(self->map, 1);
	ASSERT_EQ(0, mprotect(self->map, vmd_ps, PROT_NONE));
	ASSERT_WALK(0, self->map);
	EXPECT_FALSE(arrived(&self->w));
	EXPECT_EQ(VMD_WALK_SHARED, self->w.access);
	EXPECT_EQ(VMD_PAGE_RESIDENT, self->w.page.state);
}

TEST_F(walk, a_private_copy_is_not_the_spaces_frame)
{
	char *copy = vmd_map_as(self->fd, PAGES, VMD_RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, (void *)copy);
	vmd_fill(self->map, 1);
	ASSERT_EQ(0, vmd_read_signal(copy));
	ASSERT_WALK(0, copy);
	EXPECT_TRUE(self->w.result & VMD_WALK_SAME);
	EXPECT_EQ(0, last_entry(&self->w) & WRITABLE);
	vmd_store(copy, 1);
	ASSERT_WALK(0, copy);
	EXPECT_TRUE(arrived(&self->w));
	EXPECT_EQ(0, self->w.result & VMD_WALK_SAME);
	EXPECT_TRUE(last_entry(&self->w) & WRITABLE);
	EXPECT_EQ(0, self->w.index);
}

TEST_F(walk, a_hole_is_no_mapping)
{
	char *hole = mmap(NULL, 3 * vmd_ps, VMD_RW, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	ASSERT_NE(MAP_FAILED, (void *)hole);
	memset(hole, 1, 3 * vmd_ps);
	ASSERT_EQ(0, munmap(hole + vmd_ps, vmd_ps));
	ASSERT_WALK(0, hole + vmd_ps);
	EXPECT_EQ(0, self->w.result & (VMD_WALK_MAPPED | VMD_WALK_PRESENT));
	EXPECT_EQ(self->w.levels, self->w.nr);
	EXPECT_EQ(0, last_entry(&self->w));
	ASSERT_WALK(0, hole + 2 * vmd_ps);
	EXPECT_BITS(VMD_WALK_MAPPED | VMD_WALK_PRESENT, self->w.result);
	EXPECT_EQ(0, self->w.result & VMD_WALK_SPACE);
	/* Nothing is mapped at the very bottom. */
	ASSERT_WALK(0, NULL);
	EXPECT_EQ(0, self->w.result & (VMD_WALK_MAPPED | VMD_WALK_PRESENT));
}

TEST_F(walk, a_huge_page_ends_the_walk_one_level_earlier)
{
	char *memory = mmap(NULL, 2 * HUGE, VMD_RW,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *huge = (char *)(((uintptr_t)memory + HUGE - 1) & -HUGE);

	ASSERT_NE(MAP_FAILED, (void *)memory);
	if (madvise(huge, HUGE, MADV_HUGEPAGE))
		SKIP(return, "no transparent huge pages here");
	huge[0] = 1;
	ASSERT_WALK(0, huge + 5 * vmd_ps);
	if (self->w.nr == self->w.levels)
		SKIP(return, "the kernel had no huge page to give");
	EXPECT_EQ(self->w.levels - 1, self->w.nr);
	EXPECT_TRUE(arrived(&self->w));
	EXPECT_EQ(21, self->w.page_shift);
	EXPECT_BITS(PRESENT | PAGE_SIZE_BIT | WRITABLE, last_entry(&self->w));
	EXPECT_EQ(5, self->w.frame % 512);
	EXPECT_EQ(pagemap_frame(huge + 5 * vmd_ps), self->w.frame);
	/* Split, it is walked to the end. */
	ASSERT_EQ(0, mprotect(huge, vmd_ps, PROT_READ));
	ASSERT_WALK(0, huge + 5 * vmd_ps);
	EXPECT_EQ(self->w.levels, self->w.nr);
	EXPECT_EQ(12, self->w.page_shift);
	munmap(memory, 2 * HUGE);
}

TEST_F(walk, bad_requests_change_nothing)
{
	struct vmd_walk w;

	EXPECT_ERRNO(EINVAL, walk_at(self->fd, 0, (void *)-vmd_ps, &w));
	EXPECT_ERRNO(EINVAL, walk_at(self->fd, 0, (void *)(1UL << 63), &w));
	EXPECT_ERRNO(EINVAL, walk_at(self->fd, 0,
				     (void *)0xffffffff81000000UL, &w));
	EXPECT_ERRNO(EINVAL, walk_at(self->fd, 0, (void *)(1UL << 58), &w));
	EXPECT_EQ(0, w.nr);
	w = (struct vmd_walk){ .flags = 1 };
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_WALK, &w));
	w = (struct vmd_walk){ .reserved = 1 };
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_WALK, &w));
	EXPECT_ERRNO(ESRCH, walk_at(self->fd, -1, self->map, &w));
	EXPECT_ERRNO(ESRCH, walk_at(self->fd, 1 << 22, self->map, &w));
	/* kthreadd has no memory of its own. */
	EXPECT_ERRNO(ESRCH, walk_at(self->fd, 2, self->map, &w));
}

struct other {
	int fd;
	pid_t pid;
	const void *address;
	int error;			/* that is wanted */
	bool frames;			/* that they are shown is wanted */
	__u64 hidden;			/* bits that must be 0 */
};

/* 0 if all is as wanted, else where it was not */
static int look(void *arg)
{
	const struct other *o = arg;
	struct vmd_walk w;
	int i, error;

	error = vmd_error(walk_at(o->fd, o->pid, o->address, &w));
	if (error != o->error)
		return 1;
	if (error)
		return 0;
	if (!(w.result & VMD_WALK_FRAMES) == o->frames)
		return 2;
	if (!w.frame == o->frames)
		return 3;
	for (i = 0; i < w.nr; i++)
		if (w.entry[i] & o->hidden)
			return 4;
	return !arrived(&w) || w.nr != w.levels ? 5 : 0;
}

TEST_F(walk, another_process_is_shown_to_root_and_not_to_another_user)
{
	struct other o = { .fd = self->fd, .address = self->map, .frames = true };
	pid_t child;

	vmd_fill(self->map, 1);
	child = vmd_fork();
	if (!child) {
		vmd_load(self->map);
		for (;;)
			pause();
	}
	ASSERT_LT(0, child);
	o.pid = child;
	/* What it has in its tables it gets by touching. */
	while (look(&o) == 5)
		vmd_sleep_ms(1);
	EXPECT_EQ(0, look(&o));
	o.error = EACCES;
	EXPECT_EQ(0, vmd_as_user(VMD_NOBODY, look, &o));
	o.pid = 1;
	EXPECT_EQ(0, vmd_as_user(VMD_NOBODY, look, &o));
	kill(child, SIGKILL);
	vmd_wait(child, 10000);
	o.pid = child;
	o.error = ESRCH;
	EXPECT_EQ(0, look(&o));
}

static int walk_own_child(void *arg)
{
	struct other *o = arg;
	pid_t child;
	int ret;

	/* After the change of user nobody of that user may look, but itself. */
	prctl(PR_SET_DUMPABLE, 1);
	child = vmd_fork();
	if (!child) {
		vmd_load(o->address);
		for (;;)
			pause();
	}
	o->pid = child;
	while ((ret = look(o)) == 5)
		vmd_sleep_ms(1);
	kill(child, SIGKILL);
	return ret;
}

TEST_F(walk, a_user_sees_its_own_without_addresses)
{
	struct other o = {
		.fd = self->fd, .address = self->map, .hidden = ADDRESS,
	};

	vmd_fill(self->map, 1);
	EXPECT_EQ(0, vmd_as_user(VMD_NOBODY, walk_own_child, &o));
}

static void *wait_thread(void *arg)
{
	__atomic_store_n((pid_t *)arg, syscall(SYS_gettid), __ATOMIC_RELEASE);
	for (;;)
		pause();
	return NULL;
}

TEST_F(walk, a_thread_is_as_good_as_its_process)
{
	pid_t tid = 0;
	pthread_t thread;

	vmd_fill(self->map, 1);
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_thread, &tid));
	while (!__atomic_load_n(&tid, __ATOMIC_ACQUIRE))
		vmd_sleep_ms(1);
	ASSERT_WALK(tid, self->map);
	EXPECT_TRUE(arrived(&self->w));
	ASSERT_WALK(getpid(), self->map);
	EXPECT_TRUE(arrived(&self->w));
}

/* Mappings that come, go and become huge while they are walked */
static void *shake(void *arg)
{
	char *memory = arg;
	int i, rounds = vmd_afford(60);

	for (i = 0; i < rounds; i++) {
		madvise(memory, 2 * HUGE, MADV_HUGEPAGE);
		memory[HUGE] = 1;
		mprotect(memory + HUGE, vmd_ps, PROT_READ);
		munmap(memory, 2 * HUGE);
		mmap(memory, 2 * HUGE, VMD_RW,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	}
	return NULL;
}

TEST_F(walk, tables_may_change_under_it)
{
	char *memory = mmap(NULL, 2 * HUGE, VMD_RW,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t thread;
	int failed = 0;

	ASSERT_NE(MAP_FAILED, (void *)memory);
	ASSERT_EQ(0, pthread_create(&thread, NULL, shake, memory));
	while (pthread_tryjoin_np(thread, NULL))
		failed += walk_at(self->fd, 0, memory + HUGE, &self->w) != 0;
	EXPECT_EQ(0, failed);
}

TEST_HARNESS_MAIN
