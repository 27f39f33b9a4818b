// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is done under failures. A new call of the module wants a scenario here:
 * a function and a line in the table at the end.
 *
 * Memory that an action uses besides the space's is locked (inject.c): what
 * fails is what the calls need, not what this program does.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "inject.h"

#define FILE_PAGES	INJECT_ALL
#define SOME		4	/* one page in so many is enough */
#define CHILD_MS	60000
#define CHILD_SIGBUS	2	/* exit status */

static char buffer[INJECT_ALL * 4096];

/* The error of a call that returned @ret; the call is named for reports. */
static int step(struct inject_run *r, const char *what, long ret)
{
	r->what = what;
	return ret < 0 ? errno : 0;
}

/* Every @step-th page. */
static int get_pages(struct inject_run *r, const char *map, size_t step)
{
	size_t i;
	int err = 0;

	r->what = "read access";
	for (i = 0; i < INJECT_ALL && !err; i += step)
		err = inject_get(r, map, i);
	return err;
}

static int put_pages(struct inject_run *r, char *map, size_t step)
{
	size_t i;
	int err = 0;

	r->what = "write access";
	for (i = 0; i < INJECT_ALL && !err; i += step)
		err = inject_put(r, map, i);
	return err;
}

static int act_open(struct inject_run *r)
{
	int err;

	r->fd2 = open(VMD_DEVICE, O_RDWR | O_CLOEXEC);
	err = step(r, "open", r->fd2);
	if (!err)
		err = step(r, "SET_CONFIG", vmd_set(r->fd2, "lru", "fault", 2));
	if (err)
		return err;
	r->map2 = vmd_map(r->fd2, INJECT_ALL);
	if (r->map2 == MAP_FAILED) {
		r->map2 = NULL;
		return step(r, "mmap", -1);
	}
	r->what = "write access";
	vmd_store(r->map2, 1);
	vmd_store(r->map2 + 5 * vmd_ps, 1);
	return 0;
}

/* Pages without content come in. */
static int act_zero(struct inject_run *r)
{
	size_t i;
	int err = 0;

	r->what = "write access";
	for (i = INJECT_PAGES; i < INJECT_ALL && !err; i++)
		err = inject_put(r, r->map, i);
	return err;
}

/* Clean pages go, others come in from the store. */
static int act_read_in(struct inject_run *r)
{
	return get_pages(r, r->map, 1);
}

/* Dirty pages go, others come in from the store. */
static int act_swap(struct inject_run *r)
{
	return put_pages(r, r->map, 1);
}

/* Of what it says was written all is there, of the rest nothing. */
static int act_write(struct inject_run *r)
{
	size_t at = vmd_ps / 2, end = (INJECT_ALL - 1) * vmd_ps;
	ssize_t n;

	memset(buffer, 1 + r->round % 255, sizeof(buffer));
	for (; at < end; at += n) {
		n = pwrite(r->fd, buffer, end - at, at);
		if (n <= 0)
			return step(r, "write", -1);
		memcpy(r->shadow + at, buffer, n);
	}
	return 0;
}

static int act_read(struct inject_run *r)
{
	size_t at = 0, end = INJECT_ALL * vmd_ps;
	ssize_t n;

	for (; at < end; at += n) {
		n = pread(r->fd, buffer, end - at, at);
		if (n <= 0)
			return step(r, "read", -1);
		if (memcmp(buffer, r->shadow + at, n)) {
			inject_note("read gave something else");
			return INJECT_LOST;
		}
	}
	return 0;
}

static int act_sync(struct inject_run *r)
{
	int err = inject_put(r, r->map, 3);

	if (!err)
		err = step(r, "SYNC", vmd_sync(r->fd, 0, 0));
	if (!err)
		err = inject_put(r, r->map, 4);
	if (!err)
		err = step(r, "fsync", fsync(r->fd));
	if (!err)
		err = inject_put(r, r->map, 5);
	if (!err)
		err = step(r, "msync", msync(r->map, INJECT_ALL * vmd_ps,
					     MS_SYNC));
	return err;
}

static int act_policy(struct inject_run *r)
{
	int i, err = 0;

	for (i = 0; vmd_policy_names[i] && !err; i++)
		err = step(r, "SET_POLICY",
			   vmd_policy(r->fd, vmd_policy_names[i]));
	return err ? err : get_pages(r, r->map, SOME);
}

static int load_future(int fd, const __u32 *pages, __u64 first, __u64 count,
		       __u64 total)
{
	struct vmd_future f = {
		.pages = (uintptr_t)(pages + first), .first = first,
		.count = count, .total = total,
	};

	return ioctl(fd, VMD_IOC_FUTURE, &f);
}

/* Pages enough that the table grows; then it is loaded anew under opt. */
static int act_future(struct inject_run *r)
{
	struct vmd_future drop = { .flags = VMD_FUTURE_DROP };
	__u32 pages[400];
	int err;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pages); i++)
		pages[i] = i < 50 ? i % INJECT_ALL : i;
	err = step(r, "FUTURE", load_future(r->fd, pages, 0, 100, 400));
	if (!err)
		err = step(r, "FUTURE", load_future(r->fd, pages, 100, 300, 400));
	if (!err)
		err = step(r, "SET_POLICY", vmd_policy(r->fd, "opt"));
	if (!err)
		err = put_pages(r, r->map, SOME);
	if (!err)
		err = step(r, "FUTURE", load_future(r->fd, pages, 0, 100, 100));
	if (!err)
		err = get_pages(r, r->map, SOME);
	if (!err)
		err = step(r, "SET_POLICY", vmd_policy(r->fd, "lru"));
	return err ? err : step(r, "FUTURE",
				ioctl(r->fd, VMD_IOC_FUTURE, &drop));
}

static int act_observer(struct inject_run *r)
{
	int i, err = 0;

	for (i = 0; vmd_observer_names[i] && !err; i++) {
		err = step(r, "SET_CONFIG",
			   vmd_observer(r->fd, vmd_observer_names[i]));
		if (!err)
			err = put_pages(r, r->map, SOME);
	}
	return err;
}

static int act_budget_up(struct inject_run *r)
{
	int err = step(r, "SET_BUDGET", vmd_budget(r->fd, 400));

	return err ? err : put_pages(r, r->map, SOME);
}

static int act_budget_down(struct inject_run *r)
{
	int err = step(r, "SET_BUDGET", vmd_budget(r->fd, 2));

	return err ? err : put_pages(r, r->map, SOME);
}

/* Policy and budget in one call: all or nothing. */
static int act_config(struct inject_run *r)
{
	struct vmd_config was, now;
	int err;

	if (vmd_get(r->fd, &was))
		return errno;
	err = step(r, "SET_CONFIG", vmd_set(r->fd, r->round & 1 ? "lfu" : "mru",
					    "fault", 300 + r->round % 7));
	if (err && (vmd_get(r->fd, &now) ||
		    memcmp(&was, &now, sizeof(was)))) {
		inject_note("SET_CONFIG failed and changed something");
		return INJECT_LOST;
	}
	return err;
}

/* The last pages go, for good, and come back without content. */
static int act_size(struct inject_run *r)
{
	int err = step(r, "SET_CONFIG smaller",
		       vmd_resize(r->fd, INJECT_PAGES - 2));

	if (err)
		return err;
	memset(r->shadow + (INJECT_PAGES - 2) * vmd_ps, 0,
	       (INJECT_MORE + 2) * vmd_ps);
	/* While it is short, all behind it is out of reach: grow in any case. */
	err = step(r, "SET_CONFIG larger", vmd_resize(r->fd, INJECT_ALL));
	return err ? err : put_pages(r, r->map, SOME);
}

static int act_attach(struct inject_run *r)
{
	__u64 id = vmd_id(r->fd);
	int err;

	r->fd2 = open(VMD_DEVICE, O_RDWR | O_CLOEXEC);
	err = step(r, "open", r->fd2);
	if (!err)
		err = step(r, "ATTACH", vmd_attach(r->fd2, id));
	if (err)
		return err;
	r->map2 = vmd_map(r->fd2, INJECT_ALL);
	if (r->map2 == MAP_FAILED) {
		r->map2 = NULL;
		return step(r, "mmap", -1);
	}
	return put_pages(r, r->map2, SOME);
}

/* The child sees all there is; a request of its own may be the one to fail. */
static int act_fork(struct inject_run *r)
{
	pid_t child = fork();
	int err = step(r, "fork", child);

	if (err)
		return err;
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		err = get_pages(r, r->map, SOME);
		_exit(err == INJECT_SIGBUS ? CHILD_SIGBUS : !!err);
	}
	err = vmd_wait(child, CHILD_MS);
	if (err == CHILD_SIGBUS)
		return INJECT_SIGBUS;
	if (err) {
		inject_note("the child ended with %d", err);
		return INJECT_LOST;
	}
	return put_pages(r, r->map, SOME);
}

/* A mapping is cut, moved, partly taken away, made private. */
static int act_vma(struct inject_run *r)
{
	char *map = vmd_map(r->fd, INJECT_ALL);
	int err;

	if (map == MAP_FAILED)
		return step(r, "mmap", -1);
	r->map2 = map;
	err = step(r, "mprotect", mprotect(map + 4 * vmd_ps, 2 * vmd_ps,
					   PROT_READ));
	if (!err)
		err = step(r, "madvise", madvise(map, 3 * vmd_ps,
						 MADV_DONTNEED));
	if (!err)
		err = step(r, "mprotect", mprotect(map + 4 * vmd_ps, 2 * vmd_ps,
						   VMD_RW));
	if (!err)
		err = put_pages(r, map, SOME);
	if (!err)
		err = step(r, "munmap", munmap(map + vmd_ps, vmd_ps));
	return err;
}

static int act_advise(struct inject_run *r)
{
	static const __u32 advice[] = {
		VMD_ADVICE_EVICT, VMD_ADVICE_WILLNEED, VMD_ADVICE_DONTNEED,
		VMD_ADVICE_UNMAP
	};
	size_t i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(advice) && !err; i++) {
		err = inject_put(r, r->map, 2 + i);
		if (!err)
			err = step(r, "ADVISE", vmd_advise(r->fd, advice[i], 0,
							   INJECT_ALL));
	}
	if (!err)
		err = step(r, "ADVISE pin",
			   vmd_advise(r->fd, VMD_ADVICE_PIN, 4, 2));
	/* All or none. */
	if (err && vmd_count_flag(r->fd, 4, 2, VMD_PAGE_PINNED)) {
		inject_note("PIN failed and pinned");
		return INJECT_LOST;
	}
	if (!err)
		err = step(r, "ADVISE unpin",
			   vmd_advise(r->fd, VMD_ADVICE_UNPIN, 0, 0));
	return err;
}

/* Everything there is to ask. */
static int act_look(struct inject_run *r)
{
	static struct vmd_page pages[INJECT_ALL];
	static const char *const files[] = {
		"/proc/vmdemo/spaces", "/proc/vmdemo/stats",
		"/proc/vmdemo/policies", "/sys/kernel/debug/vmdemo/stats",
	};
	struct vmd_stats stats;
	struct vmd_config c;
	size_t i;
	int err, fd;

	err = step(r, "PAGES", vmd_pages(r->fd, 0, INJECT_ALL, pages));
	if (!err)
		err = step(r, "GET_STATS", vmd_stats(r->fd, &stats));
	if (!err)
		err = step(r, "GET_CONFIG", vmd_get(r->fd, &c));
	for (i = 0; i < ARRAY_SIZE(files) && !err; i++) {
		fd = open(files[i], O_RDONLY);
		err = step(r, files[i], fd);
		if (!err)
			err = step(r, files[i],
				   read(fd, buffer, sizeof(buffer)));
		if (fd >= 0)
			close(fd);
	}
	return err;
}

/* The space goes, and what it held: nothing there can fail. */
static int set_up_close(struct inject_run *r)
{
	int err;

	r->fd2 = vmd_open();
	if (r->fd2 < 0 || vmd_set(r->fd2, "clock", "accessed", INJECT_BUDGET))
		return errno;
	r->map2 = vmd_map(r->fd2, INJECT_ALL);
	if (r->map2 == MAP_FAILED)
		return errno;
	vmd_fill_all(r->map2, INJECT_ALL, 99);
	err = vmd_advise(r->fd2, VMD_ADVICE_PIN, 1, 1) ? errno : 0;
	return err;
}

static int act_close(struct inject_run *r)
{
	int err = 0;

	if (r->map2)
		err = step(r, "munmap", munmap(r->map2, INJECT_ALL * vmd_ps));
	if (err)
		return err;
	r->map2 = NULL;
	if (r->fd2 >= 0)
		err = step(r, "close", close(r->fd2));
	r->fd2 = -1;
	return err;
}

static int set_up_file(struct inject_run *r)
{
	r->file = vmd_temp_file(vmd_test_dir(), O_RDWR);
	if (r->file < 0)
		return errno;
	vmd_fill_all(buffer, FILE_PAGES, 7);
	return pwrite(r->file, buffer, sizeof(buffer), 0) ==
	       sizeof(buffer) ? 0 : EIO;
}

/* A space on a file: read in, write, evict, sync. */
static int act_file(struct inject_run *r)
{
	struct vmd_set_file set = { .fd = r->file };
	int err;
	size_t i;

	r->fd2 = open(VMD_DEVICE, O_RDWR | O_CLOEXEC);
	err = step(r, "open", r->fd2);
	if (!err)
		err = step(r, "SET_BUDGET", vmd_budget(r->fd2, 2));
	if (!err)
		err = step(r, "SET_FILE", ioctl(r->fd2, VMD_IOC_SET_FILE,
						&set));
	if (err)
		return err;
	r->map2 = vmd_map(r->fd2, FILE_PAGES);
	if (r->map2 == MAP_FAILED) {
		r->map2 = NULL;
		return step(r, "mmap", -1);
	}
	r->what = "access";
	for (i = 0; i < FILE_PAGES && !err; i += 2) {
		err = inject_get(NULL, r->map2, i);
		if (!err)
			vmd_store(r->map2 + i * vmd_ps,
				  vmd_load(r->map2 + i * vmd_ps));
	}
	if (!err)
		err = step(r, "fsync", fsync(r->fd2));
	if (!err && vmd_bad_pages(r->map2, FILE_PAGES, 7)) {
		inject_note("the file's content is wrong");
		return INJECT_LOST;
	}
	return err;
}

static int act_punch(struct inject_run *r)
{
	struct vmd_punch punch = {
		.offset = 2 * vmd_ps,
		.length = 5 * vmd_ps,
	};
	int err = step(r, "PUNCH", ioctl(r->fd, VMD_IOC_PUNCH, &punch));

	if (err)
		return err;
	memset(r->shadow + punch.offset, 0, punch.length);
	return put_pages(r, r->map, SOME);
}

/* Of a space that holds nothing yet. */
static int act_encrypt(struct inject_run *r)
{
	struct vmd_config c = {
		.mask = VMD_CONFIG_FLAGS,
		.flags = VMD_SPACE_ENCRYPT,
	};
	int err;

	r->fd2 = open(VMD_DEVICE, O_RDWR | O_CLOEXEC);
	err = step(r, "open", r->fd2);
	if (!err)
		err = step(r, "SET_BUDGET", vmd_budget(r->fd2, 2));
	if (!err)
		err = step(r, "SET_CONFIG", ioctl(r->fd2, VMD_IOC_SET_CONFIG,
						  &c));
	if (err)
		return err;
	memset(buffer, 0x5a, sizeof(buffer));
	if (pwrite(r->fd2, buffer, sizeof(buffer), 0) !=
	    (ssize_t)sizeof(buffer))
		return step(r, "write", pwrite(r->fd2, buffer, 1, 0));
	if (pread(r->fd2, buffer, sizeof(buffer), 0) !=
	    (ssize_t)sizeof(buffer))
		return step(r, "read", pread(r->fd2, buffer, 1, 0));
	if (buffer[0] != 0x5a || memcmp(buffer, buffer + 1, sizeof(buffer) - 1))
		return INJECT_LOST;
	return 0;
}

const struct inject_scenario inject_scenarios[] = {
	{ "open", 0, NULL, act_open },
	{ "touch new pages", 0, NULL, act_zero },
	{ "read in", 0, NULL, act_read_in },
	{ "swap", 0, NULL, act_swap },
	{ "write", 0, NULL, act_write },
	{ "read", 0, NULL, act_read },
	{ "sync", 0, NULL, act_sync },
	{ "policies", 0, NULL, act_policy },
	{ "future", VMD_FEATURE_FUTURE, NULL, act_future },
	{ "observers", 0, NULL, act_observer },
	{ "budget up", 0, NULL, act_budget_up },
	{ "budget down", 0, NULL, act_budget_down },
	{ "several settings", 0, NULL, act_config },
	{ "size", 0, NULL, act_size },
	{ "attach", 0, NULL, act_attach },
	{ "fork", 0, NULL, act_fork },
	{ "mappings", 0, NULL, act_vma },
	{ "advise", 0, NULL, act_advise },
	{ "look", 0, NULL, act_look },
	{ "close", 0, set_up_close, act_close },
	{ "file", VMD_FEATURE_FILE, set_up_file, act_file },
	{ "punch", VMD_FEATURE_PUNCH, NULL, act_punch },
	{ "encrypt", VMD_FEATURE_ENCRYPT, NULL, act_encrypt },
};

const int inject_nr_scenarios = ARRAY_SIZE(inject_scenarios);
