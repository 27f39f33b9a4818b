// SPDX-License-Identifier: GPL-2.0-only
/*
 * Encryption of evicted pages: content survives it, the flag changes only while
 * nothing was evicted, and the medium does not have what it should not have.
 *
 * run_tests.sh gives the module a backing that can be read raw for this.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "vmd_harness.h"

#define PAGES		256
#define FRAMES		16
#define CHUNK		1048576UL
#define SWITCHES	25

/* How many 8-byte words of the medium are @word; -1 if it cannot be read. */
static long count_on_medium(int medium, __u64 word)
{
	__u64 *buffer = aligned_alloc(4096, CHUNK);
	off_t at = 0;
	ssize_t got;
	long n = 0;
	size_t i;

	while ((got = pread(medium, buffer, CHUNK, at)) > 0) {
		for (i = 0; i < got / sizeof(word); i++)
			n += buffer[i] == word;
		at += got;
	}
	free(buffer);
	return got || !at ? -1 : n;
}

/* What no earlier run has left there. */
static __u64 new_marker(void)
{
	__u64 marker = 0;

	if (getrandom(&marker, sizeof(marker), 0) != sizeof(marker))
		return 0;
	return marker | 1;
}

static void mark_all(char *map, __u64 marker)
{
	size_t i;

	for (i = 0; i < PAGES * vmd_ps / sizeof(marker); i++)
		__atomic_store_n((__u64 *)map + i, marker, __ATOMIC_RELAXED);
}

static size_t unmarked(const char *map, __u64 marker)
{
	size_t i, bad = 0;

	for (i = 0; i < PAGES * vmd_ps / sizeof(marker); i++)
		bad += __atomic_load_n((const __u64 *)map + i,
				       __ATOMIC_RELAXED) != marker;
	return bad;
}

static int evict_all(int fd)
{
	return vmd_advise(fd, VMD_ADVICE_EVICT, 0, PAGES);
}

/* First, while nobody has asked for the cipher: its module cannot be loaded. */
TEST(without_a_cipher_eopnotsupp_and_nothing_changes)
{
	char *modprobe = vmd_read_file("/proc/sys/kernel/modprobe");
	struct vmd_config before, after;
	int fd, error, opened;

	ASSERT_NE(NULL, modprobe);
	ASSERT_OPEN(fd);
	ASSERT_EQ(0, vmd_get(fd, &before));
	ASSERT_EQ(0, vmd_write_file("/proc/sys/kernel/modprobe", "/bin/false"));
	error = vmd_error(vmd_set_flags(fd, VMD_SPACE_ENCRYPT));
	vmd_write_file(VMD_PARAMS "encrypt", "1");
	opened = vmd_open() < 0 ? errno : 0;
	vmd_write_file(VMD_PARAMS "encrypt", "0");
	ASSERT_EQ(0, vmd_write_file("/proc/sys/kernel/modprobe", modprobe));
	if (!error && !opened)
		SKIP(return, "xts(aes) is built in, or loaded already");
	EXPECT_EQ(EOPNOTSUPP, error);
	EXPECT_EQ(EOPNOTSUPP, opened);
	EXPECT_EQ(0, vmd_set_flags(fd, 0));
	ASSERT_EQ(0, vmd_get(fd, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	close(fd);
}

TEST(the_feature_is_told)
{
	struct vmd_info info;
	int fd;

	ASSERT_OPEN(fd);
	ASSERT_EQ(0, vmd_info(fd, &info));
	EXPECT_TRUE(info.features & VMD_FEATURE_ENCRYPT);
	EXPECT_EQ(0, vmd_flags(fd));
	close(fd);
}

FIXTURE(crypt) {
	int fd;
	char *map;
};

FIXTURE_VARIANT(crypt) {
	const char *observer;
};

FIXTURE_VARIANT_ADD(crypt, fault) { .observer = "fault" };
FIXTURE_VARIANT_ADD(crypt, accessed) { .observer = "accessed" };
FIXTURE_VARIANT_ADD(crypt, trap) { .observer = "trap" };

FIXTURE_SETUP(crypt)
{
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_set(self->fd, "lru", variant->observer, FRAMES));
	ASSERT_EQ(0, vmd_set_flags(self->fd, VMD_SPACE_ENCRYPT));
	ASSERT_EQ(VMD_SPACE_ENCRYPT, vmd_flags(self->fd));
	ASSERT_MAP(self->map, self->fd, PAGES);
}

FIXTURE_TEARDOWN(crypt)
{
	close(self->fd);
}

TEST_F(crypt, content_comes_back_under_eviction)
{
	struct vmd_stats stats;
	int round;

	for (round = 0; round < 2; round++) {
		vmd_fill_all(self->map, PAGES, round * 1000);
		EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, round * 1000));
	}
	ASSERT_EQ(0, vmd_stats(self->fd, &stats));
	EXPECT_LE(3 * (PAGES - FRAMES), stats.pages_read);
	EXPECT_LE(2 * (PAGES - FRAMES), stats.pages_written);
	EXPECT_EQ(0, stats.io_errors);
}

TEST_F(crypt, every_byte_value_comes_back)
{
	size_t i, k, bad = 0;

	for (i = 0; i < PAGES; i++)
		memset(self->map + i * vmd_ps, i, vmd_ps);
	ASSERT_EQ(0, evict_all(self->fd));
	for (i = 0; i < PAGES; i++)
		for (k = 0; k < vmd_ps; k++)
			bad += (unsigned char)self->map[i * vmd_ps + k] != i;
	EXPECT_EQ(0, bad);
}

TEST_F(crypt, pages_that_stay_are_written_and_stay_plain)
{
	vmd_fill_all(self->map, FRAMES, 1);
	ASSERT_EQ(0, vmd_sync(self->fd, 0, FRAMES));
	EXPECT_EQ(FRAMES, vmd_count_state(self->fd, 0, FRAMES,
					  VMD_PAGE_RESIDENT));
	EXPECT_EQ(0, vmd_bad_pages(self->map, FRAMES, 1));
	ASSERT_EQ(0, evict_all(self->fd));
	EXPECT_EQ(0, vmd_bad_pages(self->map, FRAMES, 1));
}

TEST_F(crypt, a_forked_child_shares_the_key)
{
	pid_t pid;

	vmd_fill_all(self->map, PAGES, 1);
	pid = vmd_fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (vmd_bad_pages(self->map, PAGES, 1))
			_exit(1);
		vmd_fill_all(self->map, PAGES, 2);
		_exit(0);
	}
	EXPECT_CHILD(pid);
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 2));
}

TEST_F(crypt, read_and_write_see_plain_text)
{
	char *page = malloc(vmd_ps);
	size_t i, bad = 0;

	for (i = 0; i < PAGES; i++) {
		vmd_fill(page, i);
		ASSERT_EQ((ssize_t)vmd_ps,
			  pwrite(self->fd, page, vmd_ps, i * vmd_ps));
	}
	for (i = 0; i < PAGES; i++) {
		ASSERT_EQ((ssize_t)vmd_ps,
			  pread(self->fd, page, vmd_ps, i * vmd_ps));
		bad += !vmd_check(page, i);
	}
	EXPECT_EQ(0, bad);
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 0));
	free(page);
}

/* Threads that fault, write out and are killed in the middle of it. */
TEST_F(crypt, nothing_is_lost_when_writers_are_killed)
{
	int round, i;
	pid_t pid;

	for (round = 0; round < 4; round++) {
		vmd_fill_all(self->map, PAGES, 7);
		pid = vmd_fork();
		ASSERT_LE(0, pid);
		for (i = 0; !pid; i++)
			vmd_touch_all(self->map + i % PAGES * vmd_ps, 1);
		vmd_sleep_ms(20 + round);
		kill(pid, SIGKILL);
		EXPECT_EQ(128 + SIGKILL, vmd_wait(pid, VMD_CHILD_MS));
		EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 7));
	}
}

FIXTURE(crypt_flag) {
	int fd;
	char *map;
};

FIXTURE_SETUP(crypt_flag)
{
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_set(self->fd, "lru", "fault", FRAMES));
	ASSERT_MAP(self->map, self->fd, PAGES);
}

FIXTURE_TEARDOWN(crypt_flag)
{
	close(self->fd);
}

TEST_F(crypt_flag, unknown_bits_and_readonly_einval)
{
	int bit;

	for (bit = 1; bit < 64; bit++) {
		if (1ULL << bit == VMD_SPACE_PRIVATE)
			continue;
		EXPECT_ERRNO(EINVAL, vmd_set_flags(self->fd, 1ULL << bit));
		EXPECT_ERRNO(EINVAL, vmd_set_flags(self->fd, 1ULL << bit |
					       VMD_SPACE_ENCRYPT));
	}
	EXPECT_EQ(0, vmd_flags(self->fd));
}

TEST_F(crypt_flag, flags_that_mask_does_not_name_are_not_looked_at)
{
	struct vmd_config c = {
		.mask = VMD_CONFIG_BUDGET, .budget = FRAMES,
		.flags = UINT64_MAX,
	};

	EXPECT_EQ(0, ioctl(self->fd, VMD_IOC_SET_CONFIG, &c));
	EXPECT_EQ(0, vmd_flags(self->fd));
}

TEST_F(crypt_flag, changes_while_pages_are_resident_only)
{
	vmd_fill_all(self->map, FRAMES, 1);
	EXPECT_EQ(0, vmd_set_flags(self->fd, VMD_SPACE_ENCRYPT));
	EXPECT_EQ(VMD_SPACE_ENCRYPT, vmd_flags(self->fd));
	EXPECT_EQ(0, vmd_set_flags(self->fd, 0));
	EXPECT_EQ(0, vmd_flags(self->fd));
	EXPECT_EQ(0, vmd_set_flags(self->fd, VMD_SPACE_ENCRYPT));
	EXPECT_EQ(0, evict_all(self->fd));
	EXPECT_EQ(0, vmd_bad_pages(self->map, FRAMES, 1));
}

TEST_F(crypt_flag, ebusy_once_a_page_was_evicted_or_written)
{
	vmd_fill(self->map, 1);
	ASSERT_EQ(0, evict_all(self->fd));
	EXPECT_ERRNO(EBUSY, vmd_set_flags(self->fd, VMD_SPACE_ENCRYPT));
	EXPECT_EQ(0, vmd_flags(self->fd));
	/* Resident again, it still has its place. */
	EXPECT_TRUE(vmd_check(self->map, 1));
	EXPECT_ERRNO(EBUSY, vmd_set_flags(self->fd, VMD_SPACE_ENCRYPT));
	/* What is so already is no change. */
	EXPECT_EQ(0, vmd_set_flags(self->fd, 0));
	/* Without content there is no place. */
	ASSERT_EQ(0, vmd_resize(self->fd, 0));
	EXPECT_EQ(0, vmd_set_flags(self->fd, VMD_SPACE_ENCRYPT));
	ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
	vmd_fill(self->map, 2);
	ASSERT_EQ(0, vmd_sync(self->fd, 0, PAGES));
	EXPECT_ERRNO(EBUSY, vmd_set_flags(self->fd, 0));
	EXPECT_EQ(0, vmd_set_flags(self->fd, VMD_SPACE_ENCRYPT));
	EXPECT_TRUE(vmd_check(self->map, 2));
	ASSERT_EQ(0, evict_all(self->fd));
	EXPECT_TRUE(vmd_check(self->map, 2));
}

/* Each refused for the other's sake, or for its own. */
TEST_F(crypt_flag, together_with_other_fields_all_or_nothing)
{
	struct vmd_config before, after, c;

	ASSERT_EQ(0, vmd_get(self->fd, &before));
	c = before;
	c.mask = VMD_CONFIG_ALL;
	c.flags = VMD_SPACE_ENCRYPT;
	c.budget = 0;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_SET_CONFIG, &c));
	c.budget = FRAMES - 1;
	strcpy(c.policy, "mru");
	/* Every frame is in use: one would have to go, and it would be plain. */
	vmd_fill_all(self->map, FRAMES, 1);
	EXPECT_ERRNO(EBUSY, ioctl(self->fd, VMD_IOC_SET_CONFIG, &c));
	ASSERT_EQ(0, vmd_get(self->fd, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	EXPECT_EQ(FRAMES, vmd_count_state(self->fd, 0, PAGES,
					  VMD_PAGE_RESIDENT));
	c.budget = FRAMES + 1;
	EXPECT_EQ(0, ioctl(self->fd, VMD_IOC_SET_CONFIG, &c));
	ASSERT_EQ(0, vmd_get(self->fd, &after));
	EXPECT_EQ(VMD_SPACE_ENCRYPT, after.flags);
	EXPECT_EQ(FRAMES + 1, after.budget);
	EXPECT_EQ(0, strcmp("mru", after.policy));
	EXPECT_EQ(0, evict_all(self->fd));
	c.flags = 0;
	c.budget = FRAMES;
	EXPECT_ERRNO(EBUSY, ioctl(self->fd, VMD_IOC_SET_CONFIG, &c));
	EXPECT_EQ(0, vmd_get(self->fd, &c));
	EXPECT_EQ(0, memcmp(&c, &after, sizeof(c)));
	EXPECT_EQ(0, vmd_bad_pages(self->map, FRAMES, 1));
}

struct switcher {
	int fd;
	bool stop;
	unsigned long switched;
	unsigned long busy;
	unsigned long other;
};

static void *switch_all_the_time(void *arg)
{
	struct switcher *s = arg;
	__u64 flags = 0;

	while (!vmd_is_set(&s->stop)) {
		flags ^= VMD_SPACE_ENCRYPT;
		if (!vmd_set_flags(s->fd, flags))
			s->switched++;
		else if (errno == EBUSY)
			s->busy++;
		else
			s->other++;
	}
	return NULL;
}

/* Evictions that begin and end while the flag changes: no page has two keys. */
TEST_F(crypt_flag, switching_races_with_eviction)
{
	struct switcher s = { .fd = self->fd };
	unsigned long i, n = vmd_afford(SWITCHES) + 5;
	size_t bad = 0;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, switch_all_the_time, &s));
	for (i = 0; i < n; i++) {
		vmd_fill_all(self->map, 2 * FRAMES, i);
		bad += vmd_bad_pages(self->map, 2 * FRAMES, i);
		/* So that there is no place, and the flag may change. */
		ASSERT_EQ(0, vmd_resize(self->fd, 0));
		ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
	}
	vmd_set_flag(&s.stop);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, bad);
	EXPECT_LT(0, s.switched);
	EXPECT_LT(0, s.busy);
	EXPECT_EQ(0, s.other);
	TH_LOG("switched %lu times, busy %lu times", s.switched, s.busy);
}

TEST_F(crypt_flag, the_parameter_is_what_a_space_starts_with)
{
	int fd;

	ASSERT_EQ(0, vmd_write_file(VMD_PARAMS "encrypt", "1"));
	fd = vmd_open();
	ASSERT_EQ(0, vmd_write_file(VMD_PARAMS "encrypt", "0"));
	ASSERT_LE(0, fd);
	EXPECT_EQ(VMD_SPACE_ENCRYPT, vmd_flags(fd));
	EXPECT_EQ(0, vmd_flags(self->fd));
	close(fd);
}

#define FAIL_PAGES	"/sys/kernel/debug/fail_page_alloc/"
#define SYNCERS		8
#define SYNC_PAGES	32
#define SYNC_ROUNDS	20

/* Every page that a task asks for which said so, is refused. */
static bool refuse_pages(bool on)
{
	return !vmd_write_file(FAIL_PAGES "task-filter", "1") &&
	       !vmd_write_file(FAIL_PAGES "verbose", "0") &&
	       !vmd_write_file(FAIL_PAGES "min-order", "0") &&
	       !vmd_write_file(FAIL_PAGES "ignore-gfp-wait", "0") &&
	       !vmd_write_file(FAIL_PAGES "times", "-1") &&
	       !vmd_write_file(FAIL_PAGES "probability", on ? "100" : "0");
}

struct syncer {
	int fd;
	char *map;
	__u64 first;
	unsigned long errors;
	int last;		/* the last error's errno */
	pthread_t thread;
};

/* As many at once as a batch has, while there is no memory but the pool's. */
static void *sync_without_memory(void *arg)
{
	struct syncer *s = arg;
	int round, self = open("/proc/thread-self/make-it-fail",
			       O_WRONLY | O_CLOEXEC);

	for (round = 0; round < SYNC_ROUNDS; round++) {
		vmd_fill_all(s->map + s->first * vmd_ps, SYNC_PAGES,
			     s->first + round);
		s->errors += pwrite(self, "1", 1, 0) != 1;
		if (vmd_sync(s->fd, s->first, SYNC_PAGES)) {
			s->errors++;
			s->last = errno;
		}
		s->errors += pwrite(self, "0", 1, 0) != 1;
	}
	close(self);
	return NULL;
}

TEST_F(crypt_flag, pages_are_written_when_there_is_no_memory)
{
	struct syncer s[SYNCERS];
	struct vmd_stats stats;
	int i;

	if (!refuse_pages(false))
		SKIP(return, "the kernel has no fail_page_alloc");
	ASSERT_EQ(0, vmd_set_flags(self->fd, VMD_SPACE_ENCRYPT));
	ASSERT_EQ(0, vmd_budget(self->fd, PAGES));
	ASSERT_TRUE(refuse_pages(true));
	for (i = 0; i < SYNCERS; i++) {
		s[i] = (struct syncer){
			.fd = self->fd, .map = self->map,
			.first = i * SYNC_PAGES,
		};
		ASSERT_EQ(0, pthread_create(&s[i].thread, NULL,
					    sync_without_memory, &s[i]));
	}
	for (i = 0; i < SYNCERS; i++) {
		pthread_join(s[i].thread, NULL);
		EXPECT_EQ(0, s[i].errors) {
			TH_LOG("the last one: %s", strerror(s[i].last));
		}
	}
	ASSERT_TRUE(refuse_pages(false));
	ASSERT_EQ(0, vmd_stats(self->fd, &stats));
	EXPECT_LE(SYNCERS * SYNC_PAGES * SYNC_ROUNDS, stats.pages_written);
	ASSERT_EQ(0, evict_all(self->fd));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, SYNC_ROUNDS - 1));
}

FIXTURE(medium) {
	int fd;
	char *map;
	int medium;
	__u64 marker;
};

FIXTURE_VARIANT(medium) {
	bool encrypt;
};

FIXTURE_VARIANT_ADD(medium, plain) { .encrypt = false };
FIXTURE_VARIANT_ADD(medium, encrypted) { .encrypt = true };

FIXTURE_SETUP(medium)
{
	ASSERT_LE(0, self->medium = vmd_open_backing());
	self->marker = new_marker();
	ASSERT_NE(0, self->marker);
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_set(self->fd, "lru", NULL, FRAMES));
	ASSERT_EQ(0, vmd_set_flags(self->fd, variant->encrypt ?
			       VMD_SPACE_ENCRYPT : 0));
	ASSERT_MAP(self->map, self->fd, PAGES);
}

FIXTURE_TEARDOWN(medium)
{
}

/* All of what is plain, perhaps in more than one copy; nothing else. */
static int is_right(long found, int encrypt)
{
	const long words = PAGES * vmd_ps / sizeof(__u64);

	return encrypt ? found == 0 : found >= words;
}

/* The one test shows the other: what is plain is found by the same search. */
TEST_F(medium, has_the_marker_only_if_it_is_plain)
{
	const int encrypt = variant->encrypt;

	ASSERT_EQ(0, count_on_medium(self->medium, self->marker));
	mark_all(self->map, self->marker);
	ASSERT_EQ(0, evict_all(self->fd));
	EXPECT_TRUE(is_right(count_on_medium(self->medium, self->marker),
			     encrypt));
	/* Nor after it was read and written again, nor when it was synced. */
	EXPECT_EQ(0, unmarked(self->map, self->marker));
	mark_all(self->map, self->marker);
	ASSERT_EQ(0, vmd_sync(self->fd, 0, PAGES));
	EXPECT_TRUE(is_right(count_on_medium(self->medium, self->marker),
			     encrypt));
	munmap(self->map, PAGES * vmd_ps);
	close(self->fd);
	EXPECT_TRUE(is_right(count_on_medium(self->medium, self->marker),
			     encrypt));
	close(self->medium);
}

TEST_HARNESS_MAIN
