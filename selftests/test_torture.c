// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once: checkers write and verify pages of their own while
 * disturbers switch policy, budget, observer and size, advise, sync, fork,
 * remap, read the views and kill children, all at random. No page's content may
 * change under its checker, and in the end nothing may be left.
 *
 * The seed is printed; VMD_SEED gives another one.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmd_harness.h"

#define CHECKERS	4
#define DISTURBERS	3
#define OWN_PAGES	48		/* a checker's */
#define CHECKED		(CHECKERS * OWN_PAGES)
#define SPARE		64		/* beyond those: come and go */
#define TORTURE_MS	6000		/* times VMD_TEST_SCALE */
#define PATIENCE	20		/* times that: on a machine with more to do */

struct torture {
	int fd;
	char *map;
	bool stop;
	unsigned long errors;
	unsigned long rounds;
};

struct party {
	struct torture *t;
	unsigned int number;
	__u64 random;
	pthread_t thread;
};

static unsigned long pick(struct party *p, unsigned long n)
{
	return vmd_random(&p->random) % n;
}

/* A page holds its tag; the tag's low bits are how often it was written. */
static void *checker(void *arg)
{
	struct party *p = arg;
	char *own = p->t->map + p->number * OWN_PAGES * vmd_ps;
	__u64 tag[OWN_PAGES] = { 0 };
	unsigned long i;
	bool good;

	while (!vmd_is_set(&p->t->stop)) {
		i = pick(p, OWN_PAGES);
		good = tag[i] ? vmd_check(own + i * vmd_ps, tag[i]) :
				vmd_is_zero(own + i * vmd_ps);
		if (!good)
			__atomic_fetch_add(&p->t->errors, 1, __ATOMIC_RELAXED);
		if (pick(p, 2)) {
			tag[i] = vmd_random(&p->random) | 1;
			vmd_fill(own + i * vmd_ps, tag[i]);
		}
		__atomic_fetch_add(&p->t->rounds, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void do_config(struct party *p)
{
	static const unsigned long budgets[] = { 2, 5, 16, 64, 300 };
	int n;

	switch (pick(p, 4)) {
	case 0:
		for (n = 0; vmd_policy_names[n]; n++)
			;
		vmd_policy(p->t->fd, vmd_policy_names[pick(p, n)]);
		break;
	case 1:
		vmd_budget(p->t->fd, budgets[pick(p, 5)]);
		break;
	case 2:
		vmd_observer(p->t->fd, vmd_observer_names[pick(p, 3)]);
		break;
	default:
		/* What is checked stays. */
		vmd_resize(p->t->fd, CHECKED + pick(p, SPARE));
	}
}

static void do_advice(struct party *p)
{
	unsigned long first = pick(p, CHECKED), n = 1 + pick(p, 8);

	if (first + n > CHECKED)
		n = CHECKED - first;
	vmd_advise(p->t->fd, VMD_ADVICE_WILLNEED + pick(p, 6), first, n);
	if (!pick(p, 4))
		vmd_advise(p->t->fd, VMD_ADVICE_UNPIN, 0, CHECKED);
	if (!pick(p, 8))
		vmd_sync(p->t->fd, first, n);
}

/* A child touches what it inherited, and is killed or ends. */
static void do_child(struct party *p)
{
	pid_t pid = fork();
	int i;

	if (!pid) {
		for (i = 0; i < 64; i++)
			vmd_load(p->t->map + pick(p, CHECKED) * vmd_ps);
		_exit(0);
	}
	if (pid < 0)
		return;
	usleep(pick(p, 20000));
	if (pick(p, 2))
		kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void do_mapping(struct party *p)
{
	size_t pages = 1 + pick(p, CHECKED), len = pages * vmd_ps;
	int flags = pick(p, 3) ? MAP_SHARED : MAP_PRIVATE;
	char *map = vmd_map_as(p->t->fd, pages, VMD_RW, flags), *moved;
	int i;

	if (map == MAP_FAILED)
		return;
	for (i = 0; i < 16; i++)
		vmd_load(map + pick(p, pages) * vmd_ps);
	madvise(map, len, pick(p, 2) ? MADV_DONTNEED : MADV_WILLNEED);
	if (flags == MAP_PRIVATE)
		vmd_store(map, 1);
	moved = mremap(map, len, len, MREMAP_MAYMOVE);
	if (moved != MAP_FAILED)
		map = moved;
	if (pages > 2)
		munmap(map + vmd_ps, vmd_ps);
	vmd_load(map);
	munmap(map, len);
}

static void do_look(struct party *p)
{
	static const char *const names[] = { "pages", "policy", "stats", "config" };
	struct vmd_page page[CHECKED];
	struct vmd_stats s;

	vmd_pages(p->t->fd, 0, CHECKED, page);
	vmd_stats(p->t->fd, &s);
	free(vmd_space_file(vmd_id(p->t->fd), names[pick(p, 4)]));
	free(vmd_read_file(VMD_PROC "spaces"));
}

/* The kernel reads and writes the mapping: what is written was there before. */
static void do_transfer(struct party *p)
{
	int fd = vmd_temp_file("/tmp", O_RDWR);

	if (fd < 0)
		return;
	if (write(fd, p->t->map, 3 * vmd_ps) > 0)
		fsync(fd);
	close(fd);
}

static void *disturber(void *arg)
{
	static void (*const deeds[])(struct party *) = {
		do_config, do_config, do_advice, do_advice, do_advice,
		do_child, do_mapping, do_mapping, do_look, do_transfer,
	};
	struct party *p = arg;

	while (!vmd_is_set(&p->t->stop))
		deeds[pick(p, ARRAY_SIZE(deeds))](p);
	return NULL;
}

static unsigned long rounds(struct torture *t)
{
	return __atomic_load_n(&t->rounds, __ATOMIC_RELAXED);
}

static __u64 torture_seed(void)
{
	const char *given = getenv("VMD_SEED");

	return given ? strtoull(given, NULL, 0) : vmd_now_ms();
}

TEST(content_survives_everything_at_once)
{
	struct party party[CHECKERS + DISTURBERS];
	struct torture t = { 0 };
	__u64 seed = torture_seed();
	struct vmd_stats s;
	int i;

	TH_LOG("VMD_SEED=%llu", seed);
	ASSERT_OPEN(t.fd);
	ASSERT_EQ(0, vmd_resize(t.fd, CHECKED + SPARE));
	ASSERT_MAP(t.map, t.fd, CHECKED);
	for (i = 0; i < CHECKERS + DISTURBERS; i++) {
		party[i] = (struct party) {
			.t = &t, .number = i, .random = seed + i,
		};
		ASSERT_EQ(0, pthread_create(&party[i].thread, NULL,
					    i < CHECKERS ? checker : disturber,
					    &party[i]));
	}
	for (i = 0; i < PATIENCE && (!i || rounds(&t) <= CHECKED); i++)
		vmd_sleep_ms(vmd_scaled(TORTURE_MS));
	vmd_set_flag(&t.stop);
	for (i = 0; i < CHECKERS + DISTURBERS; i++)
		pthread_join(party[i].thread, NULL);

	EXPECT_EQ(0, t.errors);
	EXPECT_LT(CHECKED, t.rounds);
	vmd_advise(t.fd, VMD_ADVICE_UNPIN, 0, 0);
	EXPECT_EQ(0, vmd_advise(t.fd, VMD_ADVICE_EVICT, 0, 0));
	ASSERT_EQ(0, vmd_stats(t.fd, &s));
	EXPECT_EQ(0, s.resident);
	EXPECT_EQ(0, s.dirty);
	EXPECT_EQ(0, s.io_errors);
	EXPECT_EQ(s.evictions, s.evictions_clean + s.evictions_dirty);
	EXPECT_EQ(s.references, s.hits + s.misses);
}

TEST_HARNESS_MAIN
