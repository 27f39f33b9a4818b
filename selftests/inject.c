// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fault-injection sweep. Each scenario (inject_scenarios.c) is played with
 * the n-th slab allocation, page allocation or block request of its action
 * failing, for n = 1, 2, 3 ... until none had to fail. Each time
 *  - the action says ENOMEM (EIO for requests), or the access gets SIGBUS at
 *    its own page, or the kernel has coped and it succeeds;
 *  - everything in the space is what it was, or what was said to be written;
 *  - the same action, done again without a failure, succeeds;
 *  - when the space is closed nothing is left of it.
 *
 * Allocations fail by /proc/self/fail-nth, so those of this program's calls
 * count and nobody else's; other kinds of failure, which would count too, are
 * switched off by asking for a caller that there is not. Requests fail by the
 * disk's make-it-fail, whoever makes them: n counts pages of I/O.
 *
 * usage: inject [slab|page|request]... [SCENARIO]...
 *	INJECT_DISK	disk under the store, for requests: a name of /sys/block
 *	INJECT_FIRST	first n (default 1)
 *
 * TAP on standard output.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inject.h"

#define DEBUG_DIR	"/sys/kernel/debug/"
#define MAX_N		20000		/* a scenario does not need more */
#define MAX_NOTES	8		/* reports for each test */
#define ROUND_SECONDS	60

/* The kinds of failure that there are; fail-nth counts all that match. */
static const char *const attrs[] = {
	"failslab", "fail_page_alloc", "fail_make_request", "fail_usercopy",
	"fail_futex", "fail_function",
};

struct kind {
	const char *name;
	const char *attr;
	int error;
};

static const struct kind kinds[] = {
	{ "slab", "failslab", ENOMEM },
	{ "page", "fail_page_alloc", ENOMEM },
	{ "request", "fail_make_request", EIO },
};

#define NR_KINDS	ARRAY_SIZE(kinds)

/* What became of a scenario's failures. */
struct tally {
	unsigned int tried;
	unsigned int errors;
	unsigned int sigbus;
	unsigned int notes;
};

static int nth_fd = -1;
static int tests, notes_left;
static unsigned int notes;
static const struct kind *kind;
static unsigned int n_now;
static sigjmp_buf bus_env;
static char *bus_page;			/* the page that is being accessed */
static bool bus_armed;			/* now */

void inject_note(const char *format, ...)
{
	va_list args;

	notes++;
	if (notes_left-- <= 0)
		return;
	printf("# n = %u: ", n_now);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static void attr_write(const char *attr, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUG_DIR "%s/%s", attr, name);
	if (vmd_write_file(path, value)) {
		printf("Bail out! %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

static int attr_times(void)
{
	char *text = vmd_read_file(DEBUG_DIR "fail_make_request/times");
	int times = text ? atoi(text) : -1;

	free(text);
	return times;
}

/*
 * vmalloc() complains, with a stack, when it gets no memory: fork() for its
 * stack, for one. What it allocates is left alone, and not counted.
 */
static void spare_vmalloc(const char *attr)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	char line[512], value[32], from[32] = "", to[32] = "", name[128];

	while (f && !*to && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%31s %*s %127s", value, name) != 2)
			continue;
		if (*from)
			snprintf(to, sizeof(to), "0x%.28s", value);
		else if (!strcmp(name, "__vmalloc_node_range_noprof"))
			snprintf(from, sizeof(from), "0x%.28s", value);
	}
	if (f)
		fclose(f);
	if (!*to)
		return;
	attr_write(attr, "stacktrace-depth", "32");
	attr_write(attr, "reject-start", from);
	attr_write(attr, "reject-end", to);
}

/* Of all kinds of failure only this one is left. */
static void choose_kind(const struct kind *k)
{
	char path[128];
	bool on;
	size_t i;

	kind = k;
	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		snprintf(path, sizeof(path), DEBUG_DIR "%s", attrs[i]);
		if (access(path, F_OK))
			continue;
		on = !strcmp(attrs[i], k->attr);
		attr_write(attrs[i], "probability", "0");
		attr_write(attrs[i], "verbose", "0");
		attr_write(attrs[i], "interval", "1");
		attr_write(attrs[i], "task-filter", "N");
		attr_write(attrs[i], "stacktrace-depth", "0");
		attr_write(attrs[i], "require-start", on ? "0" : "1");
		attr_write(attrs[i], "require-end", on ?
			   "0xffffffffffffffff" : "1");
	}
	if (k->error == ENOMEM)
		spare_vmalloc(k->attr);
	attr_write("failslab", "ignore-gfp-wait", "N");
	attr_write("fail_page_alloc", "ignore-gfp-wait", "N");
	attr_write("fail_page_alloc", "ignore-gfp-highmem", "N");
	attr_write("fail_page_alloc", "min-order", "0");
}

static bool is_request(void)
{
	return kind->error == EIO;
}

static void disk_fails(const char *value)
{
	const char *disk = getenv("INJECT_DISK");
	char path[128];

	snprintf(path, sizeof(path), "/sys/block/%s/make-it-fail",
		 disk ? disk : "none");
	if (vmd_write_file(path, value)) {
		printf("Bail out! %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

static void arm(unsigned int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%zu", is_request() ? n * vmd_ps : n);
	if (is_request()) {
		attr_write(kind->attr, "space", text);
		attr_write(kind->attr, "times", "1");
		attr_write(kind->attr, "probability", "100");
		disk_fails("1");
	} else if (pwrite(nth_fd, text, strlen(text), 0) < 0) {
		perror("fail-nth");
		exit(1);
	}
}

/* Returns whether something was made to fail. */
static bool disarm(void)
{
	char text[16] = "";

	if (is_request()) {
		disk_fails("0");
		attr_write(kind->attr, "probability", "0");
		return !attr_times();
	}
	if (pread(nth_fd, text, sizeof(text) - 1, 0) < 0 ||
	    pwrite(nth_fd, "0", 1, 0) < 0) {
		perror("fail-nth");
		exit(1);
	}
	return !atoi(text);
}

static void bus_caught(int sig, siginfo_t *info, void *context)
{
	char *at = info->si_addr;

	(void)context;
	if (vmd_is_set(&bus_armed) && info->si_code == BUS_ADRERR && at >= bus_page &&
	    at < bus_page + vmd_ps)
		siglongjmp(bus_env, sig);
	fprintf(stderr, "# signal %d, code %d, at %p instead of %p\n", sig,
		info->si_code, info->si_addr, bus_page);
	_exit(1);
}

/* A word in the middle: what is before and behind has to stay. */
#define MARK_OFFSET	64

int inject_put(struct inject_run *r, char *map, size_t page)
{
	__u64 mark = (__u64)r->round << 32 | page, *at;

	bus_page = map + page * vmd_ps;
	at = (__u64 *)(bus_page + MARK_OFFSET);
	vmd_set_flag(&bus_armed);
	if (sigsetjmp(bus_env, 1)) {
		bus_armed = false;
		return INJECT_SIGBUS;
	}
	__atomic_store_n(at, mark, __ATOMIC_SEQ_CST);
	bus_armed = false;
	memcpy(r->shadow + page * vmd_ps + MARK_OFFSET, &mark, sizeof(mark));
	return 0;
}

/* Without a run, only the access counts. */
int inject_get(struct inject_run *r, const char *map, size_t page)
{
	__u64 mark;

	bus_page = (char *)map + page * vmd_ps;
	vmd_set_flag(&bus_armed);
	if (sigsetjmp(bus_env, 1)) {
		bus_armed = false;
		return INJECT_SIGBUS;
	}
	mark = __atomic_load_n((__u64 *)(bus_page + MARK_OFFSET),
			       __ATOMIC_SEQ_CST);
	bus_armed = false;
	if (r && memcmp(&mark, r->shadow + page * vmd_ps + MARK_OFFSET,
			sizeof(mark))) {
		inject_note("page %zu has lost what was written", page);
		return INJECT_LOST;
	}
	return 0;
}

/* The space has what the shadow has. */
static void compare(struct inject_run *r, const char *when)
{
	size_t i;

	for (i = 0; i < INJECT_ALL; i++)
		if (memcmp(r->map + i * vmd_ps, r->shadow + i * vmd_ps, vmd_ps))
			inject_note("page %zu is wrong %s", i, when);
}

/* What an action left open. */
static void tidy(struct inject_run *r)
{
	if (r->map2 && munmap(r->map2, INJECT_ALL * vmd_ps))
		inject_note("munmap: %s", strerror(errno));
	if (r->fd2 >= 0)
		close(r->fd2);
	r->map2 = NULL;
	r->fd2 = -1;
}

static bool set_up(const struct inject_scenario *s, struct inject_run *r)
{
	r->fd = vmd_open();
	if (r->fd < 0 || vmd_set(r->fd, "clock", "accessed", INJECT_BUDGET) ||
	    vmd_resize(r->fd, INJECT_ALL))
		return false;
	r->map = vmd_map(r->fd, INJECT_ALL);
	if (r->map == MAP_FAILED)
		return false;
	memset(r->shadow, 0, INJECT_ALL * vmd_ps);
	vmd_fill_all(r->shadow, INJECT_PAGES, r->round);
	memcpy(r->map, r->shadow, INJECT_PAGES * vmd_ps);
	return !s->set_up || !s->set_up(r);
}

static bool nothing_left(void)
{
	struct vmd_stats stats;
	int tries = 25;

	/* That of the question is one space. */
	do {
		if (!vmd_module_stats(&stats) && !stats.resident &&
		    !stats.dirty)
			return true;
		vmd_sleep_ms(40);
	} while (--tries);
	inject_note("left behind: %llu frames, %llu dirty", stats.resident,
		    stats.dirty);
	return false;
}

static void tear_down(struct inject_run *r)
{
	tidy(r);
	munmap(r->map, INJECT_ALL * vmd_ps);
	close(r->fd);
	if (r->file >= 0)
		close(r->file);
	nothing_left();
}

static void judge(struct inject_run *r, int err, bool failed,
		  struct tally *tally)
{
	if (err == INJECT_SIGBUS && failed)
		tally->sigbus++;
	else if (err == kind->error && failed)
		tally->errors++;
	else if (err && err != INJECT_LOST)
		inject_note("%s: %s%s", r->what,
			    err == INJECT_SIGBUS ? "SIGBUS" : strerror(err),
			    failed ? "" : ", though nothing was made to fail");
	tally->tried += failed;
}

/* Once, with the n-th failing. Returns whether there was an n-th. */
static bool play(const struct inject_scenario *s, struct inject_run *r,
		 unsigned int n, struct tally *tally)
{
	bool failed;
	int err;

	*r = (struct inject_run){
		.fd2 = -1, .file = -1, .shadow = r->shadow,
		.round = n,
	};
	if (!set_up(s, r)) {
		inject_note("set-up: %s", strerror(errno));
		return false;
	}
	arm(n);
	err = s->act(r);
	failed = disarm();
	judge(r, err, failed, tally);
	tidy(r);
	compare(r, "after a failure");
	r->round += MAX_N;
	err = s->act(r);
	if (err)
		inject_note("once more, %s: %s", r->what, strerror(err));
	tidy(r);
	compare(r, "in the end");
	tear_down(r);
	return failed;
}

static void sweep(const struct inject_scenario *s, struct inject_run *r)
{
	const char *first = getenv("INJECT_FIRST");
	struct tally tally = { 0 };
	__u64 start = vmd_now_ms();

	notes = 0;
	notes_left = MAX_NOTES;
	n_now = first ? atoi(first) : 1;
	while (alarm(ROUND_SECONDS * 2), play(s, r, n_now, &tally))
		if (++n_now >= MAX_N) {
			inject_note("there is no end to it");
			break;
		}
	alarm(0);
	printf("# %s, %s: %u made to fail: %u errors, %u SIGBUS, %u coped with; %llu ms\n",
	       s->name, kind->name, tally.tried, tally.errors, tally.sigbus,
	       tally.tried - tally.errors - tally.sigbus,
	       vmd_now_ms() - start);
	printf("%sok %d - %s: the n-th %s fails\n", notes ? "not " : "",
	       ++tests, s->name, kind->name);
	fflush(stdout);
}

/* No argument of this sort means all of them. */
static bool wanted(int argc, char **argv, const char *name, bool is_kind)
{
	bool any = false, this_is_kind;
	int i;
	size_t k;

	for (i = 1; i < argc; i++) {
		this_is_kind = false;
		for (k = 0; k < NR_KINDS; k++)
			this_is_kind |= !strcmp(argv[i], kinds[k].name);
		if (this_is_kind != is_kind)
			continue;
		any = true;
		if (!strcmp(argv[i], name))
			return true;
	}
	return !any;
}

static bool has_feature(__u64 feature)
{
	static struct vmd_info info;
	int fd;

	if (!info.space_id) {
		fd = vmd_open();
		if (fd < 0 || vmd_info(fd, &info))
			perror(VMD_DEVICE);
		close(fd);
	}
	return (info.features & feature) == feature;
}

static void prepare(struct inject_run *r)
{
	struct sigaction sa = {
		.sa_sigaction = bus_caught,
		.sa_flags = SA_SIGINFO,
	};

	sigaction(SIGBUS, &sa, NULL);
	r->shadow = mmap(NULL, INJECT_ALL * vmd_ps, VMD_RW,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	nth_fd = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	/* Our own memory does not come in while something is to fail. */
	if (r->shadow == MAP_FAILED || nth_fd < 0 || mlockall(MCL_CURRENT)) {
		printf("Bail out! %s\n", strerror(errno));
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct inject_run r = { 0 };
	size_t k;
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	prepare(&r);
	for (k = 0; k < NR_KINDS; k++) {
		if (!wanted(argc, argv, kinds[k].name, true))
			continue;
		choose_kind(&kinds[k]);
		for (i = 0; i < inject_nr_scenarios; i++) {
			if (!wanted(argc, argv, inject_scenarios[i].name,
				    false))
				continue;
			if (has_feature(inject_scenarios[i].feature))
				sweep(&inject_scenarios[i], &r);
			else
				printf("ok %d - %s # SKIP not in this module\n",
				       ++tests, inject_scenarios[i].name);
		}
	}
	printf("1..%d\n", tests);
	return 0;
}
