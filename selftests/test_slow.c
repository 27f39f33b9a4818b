// SPDX-License-Identifier: GPL-2.0-only
/*
 * Spaces on a file whose medium stands still: what else happens meanwhile, and
 * who is killed meanwhile, must not matter to what the file holds in the end.
 *
 * The file is one of holdfs.h, which answers requests of one kind only when it
 * is told to; the tests look at what it holds without asking it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmd_harness.h"
#include "vmd_test_file.h"
#include "holdfs.h"

#define PAGES	HOLDFS_PAGES
#define FRAMES	PAGES
#define TAG	1000		/* of what the file has at first */
#define NEW	5000
#define FIRST	8		/* of what is punched */
#define COUNT	16
/* Long enough for what must not happen to happen. */
#define SOME_MS	400

FIXTURE(slow)
{
	struct holdfs *fs;
};

FIXTURE_SETUP(slow)
{
	self->fs = NULL;
	if (access("/dev/fuse", F_OK))
		SKIP(return, "no FUSE in this kernel");
	self->fs = holdfs_start(TAG);
	ASSERT_NE(NULL, self->fs);
}

FIXTURE_TEARDOWN(slow)
{
	if (self->fs)
		holdfs_stop(self->fs);
}

/*
 * A space on the file, which is not open otherwise: that it is closed would
 * have to wait, too.
 */
static int open_space(struct holdfs *fs, __u64 frames)
{
	int file = holdfs_open(fs);
	int fd = file < 0 ? -1 : vmd_open_again(file, frames);

	close(file);
	return fd;
}

/* A thread that does something, and what came of it. */
struct doer {
	pthread_t thread;
	int fd;
	char *map;
	bool done;
	long ret;
	long also;
};

static void *write_page_3(void *arg)
{
	struct doer *d = arg;
	char buf[vmd_ps];

	vmd_fill(buf, NEW);
	d->ret = pwrite(d->fd, buf, vmd_ps, 3 * vmd_ps);
	vmd_set_flag(&d->done);
	return NULL;
}

static void *read_page_3(void *arg)
{
	struct doer *d = arg;
	char buf[vmd_ps];

	d->ret = pread(d->fd, buf, vmd_ps, 3 * vmd_ps);
	d->also = vmd_check(buf, TAG + 3);
	vmd_set_flag(&d->done);
	return NULL;
}

static int start(struct doer *d, void *(*fn)(void *arg))
{
	return pthread_create(&d->thread, NULL, fn, d);
}

static long ended(struct doer *d)
{
	pthread_join(d->thread, NULL);
	return d->ret;
}

/* The descriptor goes over to another space while it is read or written. */
static void leave_while(struct __test_metadata *_metadata, struct holdfs *fs,
			struct doer *d, void *(*fn)(void *arg))
{
	int other;

	ASSERT_LE(0, d->fd = open_space(fs, FRAMES));
	ASSERT_OPEN(other);
	holdfs_hold(fs, FUSE_READ);
	ASSERT_EQ(0, start(d, fn));
	ASSERT_TRUE(holdfs_wait(fs));
	ASSERT_EQ(0, vmd_attach(d->fd, vmd_id(other)));
	EXPECT_FALSE(vmd_is_set(&d->done));
	holdfs_release(fs);
	EXPECT_EQ((long)vmd_ps, ended(d));
	close(other);
}

TEST_F(slow, a_write_goes_where_the_descriptor_stood_for_when_it_began)
{
	struct doer d = { 0 };

	leave_while(_metadata, self->fs, &d, write_page_3);
	EXPECT_TRUE(holdfs_becomes(self->fs, 3, NEW));
	close(d.fd);
}

TEST_F(slow, a_read_comes_from_what_the_descriptor_stood_for_when_it_began)
{
	struct doer d = { 0 };

	leave_while(_metadata, self->fs, &d, read_page_3);
	EXPECT_EQ(1, d.also);
	close(d.fd);
}

/* Child: punches a hole, for which it has to wait. */
static pid_t start_punching(int fd)
{
	pid_t pid = vmd_fork();

	if (!pid)
		_exit(vmd_punch(fd, FIRST, COUNT) ? 1 : 0);
	return pid;
}

static void *look_and_write(void *arg)
{
	struct doer *d = arg;
	char *hole = d->map + FIRST * vmd_ps;

	d->also = vmd_is_zero(hole + vmd_ps);
	vmd_fill(hole, NEW);
	d->ret = fsync(d->fd);
	vmd_set_flag(&d->done);
	return NULL;
}

TEST_F(slow, a_hole_whose_maker_was_killed_is_made_before_what_comes_later)
{
	struct doer d = { 0 };
	pid_t pid;

	ASSERT_LE(0, d.fd = open_space(self->fs, FRAMES));
	ASSERT_MAP(d.map, d.fd, PAGES);
	holdfs_hold(self->fs, FUSE_FALLOCATE);
	pid = start_punching(d.fd);
	ASSERT_TRUE(holdfs_wait(self->fs));
	kill(pid, SIGKILL);
	ASSERT_EQ(128 + SIGKILL, vmd_wait(pid, VMD_CHILD_MS));
	ASSERT_EQ(0, start(&d, look_and_write));
	/* Elsewhere nobody has to wait. */
	EXPECT_TRUE(vmd_check(d.map, TAG));
	vmd_sleep_ms(SOME_MS);
	EXPECT_FALSE(vmd_is_set(&d.done));
	holdfs_release(self->fs);
	EXPECT_EQ(0, ended(&d));
	/* What was there before the hole has not been seen again. */
	EXPECT_EQ(1, d.also);
	EXPECT_TRUE(vmd_is_zero(d.map + (FIRST + 1) * vmd_ps));
	EXPECT_TRUE(vmd_check(d.map + FIRST * vmd_ps, NEW));
	EXPECT_TRUE(holdfs_is(self->fs, FIRST, NEW));
	close(d.fd);
}

static void *evict_all(void *arg)
{
	struct doer *d = arg;

	d->ret = vmd_advise(d->fd, VMD_ADVICE_EVICT, 0, 0);
	vmd_set_flag(&d->done);
	return NULL;
}

static void *shrink_to_2(void *arg)
{
	struct doer *d = arg;

	d->ret = vmd_set_size(d->fd, 2 * vmd_ps);
	vmd_set_flag(&d->done);
	return NULL;
}

TEST_F(slow, a_page_being_written_does_not_outlive_a_smaller_size)
{
	struct doer writer = { 0 }, d = { 0 };

	ASSERT_LE(0, writer.fd = d.fd = open_space(self->fs, FRAMES));
	ASSERT_MAP(d.map, d.fd, PAGES);
	vmd_fill(d.map + 20 * vmd_ps, NEW);
	holdfs_hold(self->fs, FUSE_WRITE);
	ASSERT_EQ(0, start(&writer, evict_all));
	ASSERT_TRUE(holdfs_wait(self->fs));
	ASSERT_EQ(0, start(&d, shrink_to_2));
	vmd_sleep_ms(SOME_MS);
	holdfs_release(self->fs);
	ended(&writer);
	EXPECT_EQ(0, ended(&d));
	EXPECT_EQ(2 * vmd_ps, holdfs_size(self->fs));
	EXPECT_EQ(0, fsync(d.fd));
	close(d.fd);
	munmap(d.map, PAGES * vmd_ps);
	EXPECT_EQ(2 * vmd_ps, holdfs_size(self->fs));
}

static void *sync_all(void *arg)
{
	struct doer *d = arg;

	d->ret = fsync(d->fd);
	vmd_set_flag(&d->done);
	return NULL;
}

/* The last page in part, and who asked for that was killed. */
TEST_F(slow, a_page_written_while_the_file_is_cut_does_not_make_it_longer)
{
	const __u64 bytes = 2 * vmd_ps + 100;
	struct doer d = { 0 };
	pid_t pid;

	ASSERT_LE(0, d.fd = open_space(self->fs, FRAMES));
	ASSERT_MAP(d.map, d.fd, PAGES);
	holdfs_hold(self->fs, FUSE_SETATTR);
	pid = vmd_fork();
	if (!pid)
		_exit(vmd_set_size(d.fd, bytes) ? 1 : 0);
	ASSERT_TRUE(holdfs_wait(self->fs));
	kill(pid, SIGKILL);
	ASSERT_EQ(128 + SIGKILL, vmd_wait(pid, VMD_CHILD_MS));
	vmd_fill(d.map + 2 * vmd_ps, NEW);
	ASSERT_EQ(0, start(&d, sync_all));
	vmd_sleep_ms(SOME_MS);
	EXPECT_EQ(PAGES * vmd_ps, holdfs_size(self->fs));
	holdfs_release(self->fs);
	EXPECT_EQ(0, ended(&d));
	EXPECT_EQ(bytes, holdfs_size(self->fs));
	EXPECT_EQ(0, memcmp(self->fs->data + 2 * vmd_ps, d.map + 2 * vmd_ps,
			    100));
	EXPECT_EQ(0, close(d.fd));
}

static void *read_tail(void *arg)
{
	struct doer *d = arg;
	char buf[vmd_ps], was[vmd_ps];

	vmd_fill(was, TAG + 2);
	d->ret = pread(d->fd, buf, 100, 2 * vmd_ps);
	d->also = memcmp(buf, was, 100);
	return NULL;
}

static void *shrink_to_tail(void *arg)
{
	struct doer *d = arg;

	d->ret = vmd_set_size(d->fd, 2 * vmd_ps + 100);
	return NULL;
}

/* The page that was to be read as a whole, and is the last one now. */
TEST_F(slow, a_page_being_read_when_the_file_is_cut_keeps_what_is_left)
{
	__u64 end = vmd_now_ms() + VMD_BACK_MS;
	struct doer d = { 0 }, cutter = { 0 };
	char *map;

	ASSERT_LE(0, d.fd = cutter.fd = open_space(self->fs, FRAMES));
	holdfs_hold(self->fs, FUSE_READ);
	ASSERT_EQ(0, start(&d, read_tail));
	ASSERT_TRUE(holdfs_wait(self->fs));
	ASSERT_EQ(0, start(&cutter, shrink_to_tail));
	while (holdfs_size(self->fs) == PAGES * vmd_ps && vmd_now_ms() < end)
		vmd_sleep_ms(1);
	holdfs_release(self->fs);
	EXPECT_EQ(100, ended(&d));
	EXPECT_EQ(0, d.also);
	EXPECT_EQ(0, ended(&cutter));
	ASSERT_MAP(map, d.fd, 3);
	EXPECT_EQ(0, vmd_load(map + 2 * vmd_ps + 100));
	EXPECT_EQ(0, fsync(d.fd));
	EXPECT_EQ(2 * vmd_ps + 100, holdfs_size(self->fs));
	close(d.fd);
}

/* Somebody else cuts the file: its pages have no place any more. */
TEST_F(slow, a_file_that_others_made_shorter_stays_so)
{
	struct doer d = { 0 };
	int file = holdfs_open(self->fs);

	ASSERT_LE(0, file);
	ASSERT_LE(0, d.fd = open_space(self->fs, FRAMES));
	ASSERT_MAP(d.map, d.fd, PAGES);
	vmd_fill(d.map, NEW);
	vmd_fill(d.map + 20 * vmd_ps, NEW);
	ASSERT_EQ(0, ftruncate(file, 4 * vmd_ps));
	EXPECT_ERRNO(EIO, fsync(d.fd));
	EXPECT_EQ(4 * vmd_ps, holdfs_size(self->fs));
	EXPECT_TRUE(holdfs_is(self->fs, 0, NEW));
	munmap(d.map, PAGES * vmd_ps);
	close(d.fd);
	close(file);
	EXPECT_EQ(4 * vmd_ps, holdfs_size(self->fs));
}

/*
 * Touched one after the other, pages are read ahead: the bad one with others.
 * By way of /proc/self/mem, as then the core does not fault a second time when
 * it had to wait: that would hide it.
 */
TEST_F(slow, a_bad_page_read_ahead_is_not_the_wanted_ones_fault)
{
	int fd, mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	const size_t bad = 7;
	struct vmd_stats s;
	char *map, c;
	size_t i;

	ASSERT_LE(0, mem);
	ASSERT_LE(0, fd = open_space(self->fs, FRAMES));
	ASSERT_MAP(map, fd, PAGES);
	self->fs->bad = bad;
	for (i = 3; i < bad; i++)
		EXPECT_EQ(1, pread(mem, &c, 1, (off_t)(map + i * vmd_ps)));
	EXPECT_EQ(0, vmd_bad_pages(map + 3 * vmd_ps, bad - 3, TAG + 3));
	/* It was tried, or nothing is seen here. */
	EXPECT_LT(0, self->fs->failed);
	EXPECT_EQ(SIGBUS, vmd_read_signal(map + bad * vmd_ps));
	self->fs->bad = PAGES;
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, TAG));
	ASSERT_EQ(0, vmd_stats(fd, &s));
	EXPECT_LT(0, s.prefetched);
	close(mem);
	close(fd);
}

/* Child: makes @dirty pages dirty and closes the space, which has to wait. */
static pid_t start_closing(struct holdfs *fs, size_t dirty)
{
	pid_t pid = vmd_fork();
	char *map;
	int fd;

	if (pid)
		return pid;
	fd = open_space(fs, FRAMES);
	map = fd < 0 ? MAP_FAILED : vmd_map(fd, PAGES);
	if (map == MAP_FAILED)
		_exit(1);
	vmd_fill_all(map, dirty, NEW);
	munmap(map, PAGES * vmd_ps);
	holdfs_hold(fs, FUSE_WRITE);
	close(fd);
	_exit(0);
}

/* More pages than are written at a time: the first of them are under way. */
TEST_F(slow, what_is_dirty_is_written_although_the_last_close_is_killed)
{
	const size_t dirty = 48;
	pid_t pid = start_closing(self->fs, dirty);
	size_t i;

	ASSERT_TRUE(holdfs_wait(self->fs));
	kill(pid, SIGKILL);
	vmd_sleep_ms(SOME_MS);
	EXPECT_TRUE(holdfs_is(self->fs, dirty - 1, TAG + dirty - 1));
	holdfs_release(self->fs);
	EXPECT_EQ(128 + SIGKILL, vmd_wait(pid, VMD_CHILD_MS));
	for (i = 0; i < dirty; i++)
		EXPECT_TRUE(holdfs_becomes(self->fs, i, NEW + i));
	EXPECT_TRUE(holdfs_is(self->fs, dirty, TAG + dirty));
}

static void *load_word(void *arg)
{
	struct doer *d = arg;

	d->ret = vmd_check(d->map, d->also);
	vmd_set_flag(&d->done);
	return NULL;
}

static int start_loading(struct doer *d, char *map, size_t page)
{
	d->map = map + page * vmd_ps;
	d->also = TAG + page;
	return start(d, load_word);
}

static unsigned int resident_of(int fd, const size_t *pages, size_t n)
{
	unsigned int resident = 0;
	struct vmd_page page;
	size_t i;

	for (i = 0; i < n; i++)
		if (vmd_pages(fd, pages[i], 1, &page) == 1)
			resident += page.state == VMD_PAGE_RESIDENT;
	return resident;
}

/* Two wait for the only frame of a set, out of which a page is being written. */
TEST_F(slow, who_waits_for_a_frame_of_a_set_has_none_when_the_policy_changes)
{
	const size_t pages[] = { 0, 16, 32 };
	struct vmd_config c = {
		.mask = VMD_CONFIG_PLACEMENT | VMD_CONFIG_BUDGET,
		.budget = 16, .ways = 1,
	};
	struct doer one = { 0 }, other = { 0 };
	char *map;
	int fd;

	ASSERT_LE(0, fd = open_space(self->fs, 16));
	ASSERT_EQ(0, ioctl(fd, VMD_IOC_SET_CONFIG, &c));
	ASSERT_MAP(map, fd, PAGES);
	vmd_fill(map, NEW);
	holdfs_hold(self->fs, FUSE_WRITE);
	ASSERT_EQ(0, start_loading(&one, map, pages[1]));
	ASSERT_TRUE(holdfs_wait(self->fs));
	ASSERT_EQ(0, start_loading(&other, map, pages[2]));
	vmd_sleep_ms(SOME_MS);
	EXPECT_FALSE(vmd_is_set(&other.done));
	EXPECT_EQ(0, vmd_policy(fd, "fifo"));
	holdfs_release(self->fs);
	EXPECT_EQ(1, ended(&one));
	EXPECT_EQ(1, ended(&other));
	EXPECT_GE(1, resident_of(fd, pages, ARRAY_SIZE(pages)));
	close(fd);
	munmap(map, PAGES * vmd_ps);
}

#ifdef __x86_64__
/* One instruction that needs four pages at once. */
static void copy_straddling(char *to, const char *from)
{
	asm volatile("movsq" : "+D" (to), "+S" (from) : : "memory");
}
#else
static void copy_straddling(char *to, const char *from)
{
	memcpy(to, from, 8);
}
#endif

/* Child: is lent frames, which are to be taken back while writes wait. */
static pid_t start_borrowing(struct holdfs *fs)
{
	pid_t pid = vmd_fork();
	char *map;
	int fd;

	if (pid)
		return pid;
	fd = open_space(fs, 1);
	map = fd < 0 ? MAP_FAILED : vmd_map(fd, PAGES);
	if (map == MAP_FAILED)
		_exit(1);
	vmd_load(map + 9 * vmd_ps);
	holdfs_hold(fs, FUSE_WRITE);
	copy_straddling(map + 21 * vmd_ps - 4, map + 11 * vmd_ps - 4);
	for (;;)
		pause();
}

TEST_F(slow, frames_that_cannot_be_taken_back_do_not_keep_an_exit_waiting)
{
	pid_t pid = start_borrowing(self->fs);
	__u64 before;

	/* By nobody but who takes them back. */
	ASSERT_TRUE(holdfs_wait(self->fs));
	before = vmd_now_ms();
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, vmd_wait(pid, 25000));
	TH_LOG("gone after %llu ms", vmd_now_ms() - before);
	holdfs_release(self->fs);
}

static long module_users(void)
{
	char *text = vmd_read_file("/sys/module/vmdemo/refcnt");
	long n = text ? strtol(text, NULL, 10) : -1;

	free(text);
	return n;
}

static bool is_unused(void)
{
	__u64 end = vmd_now_ms() + VMD_BACK_MS;

	while (module_users()) {
		if (vmd_now_ms() > end)
			return false;
		vmd_sleep_ms(5);
	}
	return true;
}

/* Child: as start_punching(), and nobody else has the space. */
static pid_t start_punching_alone(struct holdfs *fs)
{
	pid_t pid = vmd_fork();
	int fd;

	if (pid)
		return pid;
	fd = open_space(fs, FRAMES);
	_exit(fd < 0 || vmd_punch(fd, FIRST, COUNT) ? 1 : 0);
}

TEST_F(slow, the_module_stays_while_a_call_goes_on_whose_maker_was_killed)
{
	pid_t pid;

	/* Nobody else uses it, or it would be refused in any case. */
	ASSERT_TRUE(is_unused());
	holdfs_hold(self->fs, FUSE_FALLOCATE);
	pid = start_punching_alone(self->fs);
	ASSERT_TRUE(holdfs_wait(self->fs));
	kill(pid, SIGKILL);
	ASSERT_EQ(128 + SIGKILL, vmd_wait(pid, VMD_CHILD_MS));
	vmd_sleep_ms(SOME_MS);
	EXPECT_ERRNO(EAGAIN, syscall(SYS_delete_module, "vmdemo", O_NONBLOCK));
	holdfs_release(self->fs);
	EXPECT_TRUE(is_unused());
	EXPECT_TRUE(vmd_is_zero(self->fs->data + FIRST * vmd_ps));
	EXPECT_TRUE(holdfs_is(self->fs, FIRST + COUNT, TAG + FIRST + COUNT));
}

TEST_HARNESS_MAIN
