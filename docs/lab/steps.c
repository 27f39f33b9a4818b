// SPDX-License-Identifier: GPL-2.0-only
/*
 * steps STEP...: do one thing after the other with the pages of a space: the one
 * that vmdemoctl exec made (descriptor 3), or a fresh one. Steps are:
 *
 *	r5  w5  w5=7	read page 5; write 1, or 7, to it
 *	r0-99  w0-99	the same with each of these pages; nothing is printed
 *	private  shared	map the pages anew: MAP_PRIVATE, or MAP_SHARED as at first
 *	ro  rw  none	mprotect(): which accesses are allowed from here on
 *	fork  end	what stands between the two is done by a child process
 *	threads=4	what comes next is done by four threads at once
 *	count=NAME,...	print counters of the space; reset: set them all to 0
 *	run=COMMAND	a command of the shell; $SPACE is the space's id
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmdemo.h"

#define PAGE		4096UL
#define MANY		64
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static int device = 3;
static char *memory;
static unsigned long size;		/* bytes */
static int flags = MAP_SHARED;
static int threads = 1;			/* of the next step */
static __thread sigjmp_buf before;

struct touch {
	char what;			/* 'r' or 'w' */
	unsigned long first, last;
	int value;
	int one;			/* not a range: say what happens */
};

static void fail(const char *text)
{
	fprintf(stderr, "steps: %s: %s\n", text, strerror(errno));
	exit(1);
}

/* A signal of a touch is for the thread that made it. */
static void handler(int sig)
{
	siglongjmp(before, sig);
}

static void touch_page(const struct touch *touch, unsigned long page)
{
	char *p = memory + page * PAGE;
	int sig = sigsetjmp(before, 1);

	if (sig) {
		printf("page %lu: SIG%s\n", page, sigabbrev_np(sig));
	} else if (touch->what == 'w') {
		__atomic_store_n(p, touch->value, __ATOMIC_RELAXED);
	} else {
		int value = __atomic_load_n(p, __ATOMIC_RELAXED);

		if (touch->one)
			printf("page %lu holds %d\n", page, value);
	}
}

static void *touch_pages(void *arg)
{
	const struct touch *touch = arg;
	unsigned long page;

	for (page = touch->first; page <= touch->last; page++)
		touch_page(touch, page);
	return NULL;
}

static void touch_by_threads(struct touch *touch)
{
	pthread_t thread[MANY];
	int i;

	for (i = 0; i < threads; i++) {
		errno = pthread_create(&thread[i], NULL, touch_pages, touch);
		if (errno)
			fail("pthread_create");
	}
	while (i-- > 0)
		pthread_join(thread[i], NULL);
	threads = 1;
}

/* "r5", "w0-9", "w5=7". Returns 0 if @step is none of these. */
static int touch_step(const char *step)
{
	struct touch touch = { .what = *step, .value = 1, .one = 1 };
	char *end;

	if ((*step != 'r' && *step != 'w') || step[1] < '0' || step[1] > '9')
		return 0;
	touch.first = strtoul(step + 1, &end, 10);
	touch.last = touch.first;
	if (*end == '-') {
		touch.last = strtoul(end + 1, &end, 10);
		touch.one = 0;
	}
	if (*end == '=' && *step == 'w')
		touch.value = strtol(end + 1, &end, 10);
	if (*end || touch.last < touch.first || touch.last >= size / PAGE)
		return 0;
	if (threads > 1)
		touch_by_threads(&touch);
	else
		touch_pages(&touch);
	return 1;
}

#define TABLE	((size_t)2 << 20)	/* what a page table maps */

/*
 * An address that is free, where a page table begins: which neighbours are mapped
 * with a page depends on where in its table it is, and shall not on luck.
 */
static void *place(void)
{
	char *free = mmap(NULL, size + TABLE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (free == MAP_FAILED)
		return NULL;
	munmap(free, size + TABLE);
	return free + (-(uintptr_t)free & (TABLE - 1));
}

static void map(int how)
{
	void *at;

	if (memory)
		munmap(memory, size);
	flags = how;
	at = place();
	memory = mmap(at, size, PROT_READ | PROT_WRITE, flags, device, 0);
	/* A space that is read-only is mapped so. */
	if (memory == MAP_FAILED && errno == EACCES)
		memory = mmap(at, size, PROT_READ, flags, device, 0);
	if (memory == MAP_FAILED)
		fail("mmap");
}

static void protect(int prot)
{
	if (mprotect(memory, size, prot))
		printf("mprotect: %s\n", strerror(errno));
}

/* Which counter is at which place is a matter of the header. */
static const struct {
	const char *name;
	size_t offset;
} counters[] = {
#define X(name, text) { #name, offsetof(struct vmd_stats, name) },
	VMD_COUNTERS(X)
	VMD_MORE_COUNTERS(X)
#undef X
};

static void count(const char *names)
{
	struct vmd_stats stats = { 0 };
	size_t i, length;

	if (ioctl(device, VMD_IOC_GET_STATS, &stats))
		fail("VMD_IOC_GET_STATS");
	for (; *names; names += length + (names[length] == ',')) {
		length = strcspn(names, ",");
		for (i = 0; i < ARRAY_SIZE(counters); i++)
			if (strlen(counters[i].name) == length &&
			    !strncmp(counters[i].name, names, length))
				printf("%s %llu%s", counters[i].name,
				       *(unsigned long long *)((char *)&stats + counters[i].offset),
				       names[length] ? ", " : "\n");
	}
}

static void reset(void)
{
	if (ioctl(device, VMD_IOC_RESET_STATS))
		fail("VMD_IOC_RESET_STATS");
}

static void run(const char *command)
{
	fflush(stdout);
	if (system(command))
		printf("steps: '%s' failed\n", command);
}

/* Returns 0 if there is no such step. */
static int step(const char *name)
{
	if (!strcmp(name, "private"))
		map(MAP_PRIVATE);
	else if (!strcmp(name, "shared"))
		map(MAP_SHARED);
	else if (!strcmp(name, "ro"))
		protect(PROT_READ);
	else if (!strcmp(name, "rw"))
		protect(PROT_READ | PROT_WRITE);
	else if (!strcmp(name, "none"))
		protect(PROT_NONE);
	else if (!strcmp(name, "reset"))
		reset();
	else if (!strncmp(name, "count=", 6))
		count(name + 6);
	else if (!strncmp(name, "run=", 4))
		run(name + 4);
	else if (!strncmp(name, "threads=", 8) && atoi(name + 8) > 0 && atoi(name + 8) <= MANY)
		threads = atoi(name + 8);
	else
		return touch_step(name);
	return 1;
}

static void open_space(void)
{
	struct vmd_config config = { 0 };
	struct vmd_info info;
	char id[32];

	if (ioctl(device, VMD_IOC_INFO, &info)) {
		device = open("/dev/vmdemo", O_RDWR);
		if (device < 0 || ioctl(device, VMD_IOC_INFO, &info))
			fail("/dev/vmdemo");
	}
	if (ioctl(device, VMD_IOC_GET_CONFIG, &config))
		fail("VMD_IOC_GET_CONFIG");
	size = (config.size + PAGE - 1) / PAGE * PAGE;
	snprintf(id, sizeof(id), "%llu", (unsigned long long)info.space_id);
	setenv("SPACE", id, 1);
	map(MAP_SHARED);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = handler };
	pid_t child = -1;			/* none; 0: this is one */
	int i;

	open_space();
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "fork") && child < 0) {
			fflush(stdout);
			child = fork();
			if (child > 0)
				waitpid(child, NULL, 0);
		} else if (!strcmp(argv[i], "end")) {
			if (!child)
				return 0;
			child = -1;
		} else if (child <= 0 && !step(argv[i])) {
			fprintf(stderr, "steps: no step '%s'\n", argv[i]);
			return 2;
		}
	}
	return 0;
}
