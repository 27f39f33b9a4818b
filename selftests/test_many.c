// SPDX-License-Identifier: GPL-2.0-only
/*
 * 64 processes at once, with spaces of their own and with a share in common
 * ones: they fault at random, get signals at random, are killed at any moment
 * and started again. Whoever lives on keeps what it has; in the end nothing is
 * left: no space, no frame, no slot.
 *
 * The seed is printed; VMD_SEED gives another one.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmd_harness.h"

#define PROCESSES	64
#define COMMON		4		/* spaces that many attach to */
#define SHARE		8		/* pages of a process in each */
#define STEADY		32		/* pages that only the maker writes */
#define PAGES		48		/* of a process's own space */
#define STORM_MS	20000		/* times VMD_TEST_SCALE; a third if short */
#define PATIENCE_MS	120000
#define COMMON_PAGES	(STEADY + PROCESSES * SHARE)
/* More than can be in use at once: old and new slots of all pages */
#define MOST_SLOTS	(2 * (PROCESSES * PAGES + COMMON * COMMON_PAGES))

/* What went wrong; in memory that all share */
struct verdict {
	unsigned long own;		/* pages of a process's own space */
	unsigned long share;		/* words of its part of a common one */
	unsigned long steady;		/* pages that nobody writes */
	unsigned long calls;		/* that failed and must not */
	unsigned long rounds;
	int last_error;
};

struct storm {
	int fd[COMMON];
	__u64 id[COMMON];
	char *map[COMMON];
	pid_t pid[PROCESSES];
	struct verdict *verdict;
	__u64 random;
	unsigned long started;
	unsigned long killed;
	unsigned long signals;
};

struct member {
	struct storm *s;
	unsigned int number;
	__u64 random;
	int own_fd;
	char *own;
	__u64 tag[PAGES];
	int common_fd;
	char *common;
};

static void blame(unsigned long *what)
{
	__atomic_fetch_add(what, 1, __ATOMIC_RELAXED);
}

static unsigned long pick(__u64 *random, unsigned long n)
{
	return (vmd_random(random) >> 11) % n;
}

/* Any word of it tells whose it is and where: also one of a half-done write. */
static __u64 share_word(unsigned int number, size_t word, __u64 count)
{
	return (__u64)(number + 1) << 56 | (count & 0xffffff) << 32 |
	       (__u32)(word * 0x9e3779b1U);
}

static bool share_valid(unsigned int number, size_t word, __u64 value)
{
	return !value || (value >> 56 == number + 1 &&
			  (__u32)value == (__u32)(word * 0x9e3779b1U));
}

static unsigned long share_bad(const char *common, unsigned int number)
{
	size_t i, n = SHARE * vmd_ps / sizeof(__u64);
	const __u64 *word = (const void *)(common + (STEADY + number * SHARE) *
					   vmd_ps);
	unsigned long bad = 0;

	for (i = 0; i < n; i++)
		bad += !share_valid(number, i, __atomic_load_n(&word[i],
						__ATOMIC_RELAXED));
	return bad;
}

static char *handler_map;		/* a signal's handler faults, too */

static void on_signal(int sig)
{
	(void)sig;
	if (handler_map)
		vmd_load(handler_map + (size_t)(rand() % PAGES) * vmd_ps);
}

static void expect(struct member *m, bool good)
{
	if (good)
		return;
	m->s->verdict->last_error = errno;
	blame(&m->s->verdict->calls);
	_exit(1);
}

static void member_start(struct member *m)
{
	struct sigaction sa = { .sa_handler = on_signal };
	unsigned int c = pick(&m->random, COMMON);

	m->own_fd = vmd_open();
	expect(m, m->own_fd >= 0);
	expect(m, !vmd_set(m->own_fd, vmd_policy_names[pick(&m->random, 7)],
			   vmd_observer_names[pick(&m->random, 3)],
			   4 + pick(&m->random, 20)));
	expect(m, !vmd_resize(m->own_fd, PAGES));
	m->own = vmd_map(m->own_fd, PAGES);
	expect(m, m->own != MAP_FAILED);
	m->common_fd = vmd_open();
	expect(m, !vmd_attach(m->common_fd, m->s->id[c]));
	m->common = vmd_map(m->common_fd, COMMON_PAGES);
	expect(m, m->common != MAP_FAILED);
	handler_map = m->own;
	sa.sa_flags = pick(&m->random, 2) ? SA_RESTART : 0;
	sigaction(SIGUSR1, &sa, NULL);
}

static void touch_own(struct member *m)
{
	unsigned int i = pick(&m->random, PAGES);
	char *page = m->own + i * vmd_ps;

	if (m->tag[i] ? !vmd_check(page, m->tag[i]) : !vmd_is_zero(page)) {
		blame(&m->s->verdict->own);
		_exit(1);
	}
	m->tag[i] = vmd_random(&m->random) | 1;
	vmd_fill(page, m->tag[i]);
}

static void touch_share(struct member *m)
{
	size_t n = SHARE * vmd_ps / sizeof(__u64), i, end;
	__u64 *word = (__u64 *)(m->common + (STEADY + m->number * SHARE) *
				vmd_ps);

	if (share_bad(m->common, m->number)) {
		blame(&m->s->verdict->share);
		_exit(1);
	}
	i = pick(&m->random, n);
	end = i + pick(&m->random, 1000);
	for (; i < n && i < end; i++)
		__atomic_store_n(&word[i], share_word(m->number, i, m->random),
				 __ATOMIC_RELAXED);
}

static void touch_steady(struct member *m)
{
	unsigned int i = pick(&m->random, STEADY);

	if (vmd_check(m->common + i * vmd_ps, i))
		return;
	blame(&m->s->verdict->steady);
	_exit(1);
}

/* Interrupted calls are done again: what counts is what is there afterwards. */
static void by_call(struct member *m)
{
	unsigned int i = pick(&m->random, PAGES);
	char page[4096];
	ssize_t n;

	do {
		n = pread(m->own_fd, page, sizeof(page), i * vmd_ps);
	} while (n < 0 && errno == EINTR);
	if (n == (ssize_t)vmd_ps && m->tag[i] && !vmd_check(page, m->tag[i])) {
		blame(&m->s->verdict->own);
		_exit(1);
	}
	expect(m, n >= 0);
	vmd_advise(m->own_fd, VMD_ADVICE_WILLNEED + pick(&m->random, 6), i, 1);
	if (!pick(&m->random, 4))
		vmd_advise(m->own_fd, VMD_ADVICE_UNPIN, 0, 0);
	if (!pick(&m->random, 8))
		vmd_sync(m->common_fd, 0, 0);
}

static void change_common(struct member *m)
{
	switch (pick(&m->random, 3)) {
	case 0:
		vmd_policy(m->common_fd,
			   vmd_policy_names[pick(&m->random, 7)]);
		break;
	case 1:
		vmd_observer(m->common_fd,
			     vmd_observer_names[pick(&m->random, 3)]);
		break;
	default:
		vmd_budget(m->common_fd, 20 + pick(&m->random, 200));
	}
}

/* Until it is killed, or has done enough */
static void member_run(struct storm *s, unsigned int number, __u64 seed)
{
	struct member m = { .s = s, .number = number, .random = seed };
	unsigned long rounds = 20 + pick(&m.random, 400);

	member_start(&m);
	while (rounds--) {
		touch_own(&m);
		touch_steady(&m);
		if (!pick(&m.random, 4))
			touch_share(&m);
		if (!pick(&m.random, 4))
			by_call(&m);
		if (!pick(&m.random, 32))
			change_common(&m);
		__atomic_fetch_add(&s->verdict->rounds, 1, __ATOMIC_RELAXED);
	}
	_exit(0);
}

static void start_process(struct storm *s, unsigned int i)
{
	__u64 seed = vmd_random(&s->random);
	int c;

	s->pid[i] = vmd_fork();
	if (!s->pid[i]) {
		/* What it inherited would keep the spaces alive; or does. */
		for (c = 0; c < COMMON && seed % 2; c++) {
			munmap(s->map[c], COMMON_PAGES * vmd_ps);
			close(s->fd[c]);
		}
		member_run(s, i, seed);
	}
	s->started++;
}

/* One that ended is started again; what it found wrong is in the verdict. */
static void restart_ended(struct storm *s)
{
	unsigned int i;

	for (i = 0; i < PROCESSES; i++)
		if (waitpid(s->pid[i], NULL, WNOHANG) == s->pid[i])
			start_process(s, i);
}

static void disturb_process(struct storm *s)
{
	unsigned int i = pick(&s->random, PROCESSES);

	switch (pick(&s->random, 6)) {
	case 0:
		kill(s->pid[i], SIGKILL);
		s->killed++;
		break;
	case 1:
		kill(s->pid[i], SIGSTOP);
		vmd_sleep_ms(pick(&s->random, 10));
		kill(s->pid[i], SIGCONT);
		break;
	default:
		kill(s->pid[i], SIGUSR1);
	}
	s->signals++;
}

static void end_all(struct storm *s)
{
	unsigned int i;

	for (i = 0; i < PROCESSES; i++)
		kill(s->pid[i], SIGKILL);
	for (i = 0; i < PROCESSES; i++)
		waitpid(s->pid[i], NULL, 0);
}

static __u64 module_value(const char *name)
{
	char *text = vmd_read_file(VMD_PROC "stats");
	__u64 n = UINT64_MAX;

	vmd_value(text, name, &n);
	free(text);
	return n;
}

/* What the dead held may go a moment after they are reaped. */
static __u64 settled(const char *name, __u64 wanted)
{
	__u64 end = vmd_now_ms() + 5000, n;

	do {
		n = module_value(name);
		if (n == wanted)
			break;
		vmd_sleep_ms(20);
	} while (vmd_now_ms() < end);
	return n;
}

/* The highest slot of a fresh space with all its pages in the store */
static __u64 highest_slot(void)
{
	struct vmd_page page[COMMON_PAGES];
	int fd = vmd_open(), i;
	__u64 highest = 0;
	char *map;

	vmd_resize(fd, COMMON_PAGES);
	map = vmd_map(fd, COMMON_PAGES);
	vmd_fill_all(map, COMMON_PAGES, 1);
	vmd_advise(fd, VMD_ADVICE_EVICT, 0, 0);
	vmd_pages(fd, 0, COMMON_PAGES, page);
	for (i = 0; i < COMMON_PAGES; i++)
		if (page[i].flags & VMD_PAGE_SLOT && page[i].slot > highest)
			highest = page[i].slot;
	munmap(map, COMMON_PAGES * vmd_ps);
	close(fd);
	return highest;
}

static void check_common(struct __test_metadata *_metadata, struct storm *s)
{
	unsigned int c, i;

	for (c = 0; c < COMMON; c++) {
		EXPECT_EQ(0, vmd_bad_pages(s->map[c], STEADY, 0));
		for (i = 0; i < PROCESSES; i++)
			EXPECT_EQ(0, share_bad(s->map[c], i)) {
				TH_LOG("space %u, process %u", c, i);
			}
	}
}

static void make_common(struct __test_metadata *_metadata, struct storm *s)
{
	unsigned int c;

	for (c = 0; c < COMMON; c++) {
		ASSERT_OPEN(s->fd[c]);
		ASSERT_EQ(0, vmd_set(s->fd[c], vmd_policy_names[c], NULL, 100));
		ASSERT_EQ(0, vmd_resize(s->fd[c], COMMON_PAGES));
		ASSERT_MAP(s->map[c], s->fd[c], COMMON_PAGES);
		vmd_fill_all(s->map[c], STEADY, 0);
		s->id[c] = vmd_id(s->fd[c]);
	}
}

/* Until some have died, at least: to start them all can take that long. */
static void storm(struct storm *s)
{
	unsigned int i;
	__u64 end;

	for (i = 0; i < PROCESSES; i++)
		start_process(s, i);
	end = vmd_now_ms() + vmd_scaled(vmd_brief(STORM_MS));
	while (vmd_now_ms() < end ||
	       (s->started <= PROCESSES && vmd_now_ms() < end + PATIENCE_MS)) {
		disturb_process(s);
		restart_ended(s);
		vmd_sleep_ms(pick(&s->random, 5));
	}
	end_all(s);
}

static __u64 storm_seed(void)
{
	const char *given = getenv("VMD_SEED");

	return given ? strtoull(given, NULL, 0) : vmd_now_ms();
}

TEST(sixty_four_processes_come_and_go_and_leave_nothing)
{
	__u64 spaces = module_value("spaces");
	__u64 resident = module_value("resident");
	struct storm s = { .random = storm_seed() };
	struct verdict *v;
	unsigned int c;

	TH_LOG("VMD_SEED=%llu", s.random);
	v = mmap(NULL, sizeof(*v), VMD_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	s.verdict = v;
	make_common(_metadata, &s);
	storm(&s);
	TH_LOG("%lu processes, %lu killed, %lu signals, %lu rounds", s.started,
	       s.killed, s.signals, v->rounds);
	EXPECT_EQ(0, v->own);
	EXPECT_EQ(0, v->share);
	EXPECT_EQ(0, v->steady);
	EXPECT_EQ(0, v->calls) {
		TH_LOG("the last error was: %s", strerror(v->last_error));
	}
	EXPECT_LT(PROCESSES, s.started);
	EXPECT_LT(PROCESSES, v->rounds);
	EXPECT_EQ(spaces + COMMON, settled("spaces", spaces + COMMON));
	check_common(_metadata, &s);
	for (c = 0; c < COMMON; c++) {
		munmap(s.map[c], COMMON_PAGES * vmd_ps);
		close(s.fd[c]);
	}
	EXPECT_EQ(spaces, settled("spaces", spaces));
	EXPECT_EQ(resident, settled("resident", resident));
	EXPECT_GT(MOST_SLOTS, highest_slot());
}

TEST_HARNESS_MAIN
