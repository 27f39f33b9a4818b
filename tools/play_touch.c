// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl play: touch the pages, check what they hold, survive SIGBUS. */
#include "play.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Data losses told one by one; there may be as many as references. */
#define PLAY_LOSSES_TOLD	10

/* References between two looks at the clock. */
#define PLAY_CLOCK_EVERY	1024

/*
 * The only two instructions that touch the mapping. Atomic, so that the compiler
 * neither drops nor repeats one; not inlined, so that each is one place in the
 * program, which is what the faults' traces show.
 */
static __attribute_noinline__ u8 play_read_byte(const u8 *at)
{
	return __atomic_load_n(at, __ATOMIC_RELAXED);
}

static __attribute_noinline__ void play_write_byte(u8 *at, u8 value)
{
	__atomic_store_n(at, value, __ATOMIC_RELAXED);
}

/*
 * What to write to a page that holds @old: never 0, which is what it holds at
 * first, nor @old, so that a page that went back in time is found out; and it
 * starts elsewhere for each page, so that mixed up pages are, too.
 */
static u8 play_value(__u64 page, u8 old)
{
	__u64 mixed = (page + 1) * 0x9E3779B97F4A7C15ULL >> 32;

	return (old ? old : mixed % 255) % 255 + 1;
}

static struct {
	sigjmp_buf back;
	const u8 *map;
	size_t length;
} play_guard;

static void play_sigbus(int number, siginfo_t *info, void *context)
{
	const u8 *at = info->si_addr;

	(void)context;
	if (at >= play_guard.map && at < play_guard.map + play_guard.length)
		siglongjmp(play_guard.back, 1);
	/* Not the mapping's: die of it when it comes again, right away. */
	signal(number, SIG_DFL);
}

static void play_set_guard(struct play *play)
{
	struct sigaction action = {
		.sa_sigaction = play_sigbus,
		.sa_flags = SA_SIGINFO,
	};

	play_guard.map = play->map;
	play_guard.length = play->length;
	sigaction(SIGBUS, &action, NULL);
}

/* Address space only: memory comes with the pages that are touched. */
static void *play_mmap(size_t length, int prot, int flags, int fd)
{
	void *at = mmap(NULL, length, prot, flags, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

int play_map_values(struct play *play)
{
	__u64 pages = play->refs.last_page + 1;

	play->values = play_mmap(pages, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	if (play->values)
		return CTL_OK;
	return ctl_fail("memory for the values of %llu pages: %s", pages,
			strerror(errno));
}

/* Before the space is made, or it might show what the space holds. */
int play_read_file(struct play *play)
{
	size_t i;

	for (i = 0; i < play->refs.nr; i++) {
		__u64 page = play->refs.refs[i].page;
		ssize_t n = pread(play->file.fd, &play->values[page], 1,
				  page * play->space.info.page_size);

		if (n != 1)
			return ctl_fail("%s: reading page %llu: %s", play->file.path, page,
					n ? strerror(errno) : "the file ends before it");
	}
	return CTL_OK;
}

int play_map(struct play *play)
{
	__u64 pages = play->refs.last_page + 1;
	__u64 length = pages * play->space.info.page_size;
	int prot = PROT_READ | (play->file.read_only ? 0 : PROT_WRITE);

	play->length = length;
	if (play->length != length)
		return ctl_fail("page %llu is beyond the address space", pages - 1);
	play->map = play_mmap(length, prot, MAP_SHARED, play->space.fd);
	if (!play->map)
		return ctl_fail("mapping %llu pages of %s: %s", pages,
				ctl_options.device, strerror(errno));
	return CTL_OK;
}

void play_unmap(struct play *play)
{
	if (play->map)
		munmap(play->map, play->length);
	if (play->values)
		munmap(play->values, play->refs.last_page + 1);
}

/* A page still mapped from the reference before would not trap again. */
static int play_unmap_repeat(struct play *play)
{
	const struct play_ref *refs = play->refs.refs;
	struct ctl_range range = { .count = 1 };

	if (!play->at || refs[play->at].page != refs[play->at - 1].page)
		return CTL_OK;
	range.first = refs[play->at].page;
	return ctl_advise(&play->space, &range, VMD_ADVICE_UNMAP);
}

static void play_check(struct play *play, __u64 page, u8 found)
{
	u8 wanted = play->values[page];

	if (found == wanted || play->losses++ >= PLAY_LOSSES_TOLD)
		return;
	ctl_fail("DATA LOSS: reference %zu: page %llu holds %u, last written was %u",
		 play->at + 1, page, found, wanted);
}

static void play_touch(struct play *play)
{
	struct play_ref ref = play->refs.refs[play->at];
	u8 *at = play->map + (__u64)ref.page * play->space.info.page_size;

	if (!ref.write) {
		play_check(play, ref.page, play_read_byte(at));
		return;
	}
	play->values[ref.page] = play_value(ref.page, play->values[ref.page]);
	play_write_byte(at, play->values[ref.page]);
}

/* Progress on a terminal that nothing else is written to. */
struct play_progress {
	bool wanted;
	bool shown;
	double next;
};

static double play_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void play_progress_init(struct play_progress *progress, const struct play *play)
{
	progress->wanted = isatty(STDERR_FILENO) &&
			   (play->quiet || play->trace || !isatty(STDOUT_FILENO));
	progress->next = play_now() + 1;
}

static void play_progress(struct play_progress *progress, const struct play *play)
{
	double now;

	if (!progress->wanted || play->at % PLAY_CLOCK_EVERY)
		return;
	now = play_now();
	if (now < progress->next)
		return;
	fprintf(stderr, "\r%zu of %zu references ", play->at, play->refs.nr);
	progress->shown = true;
	progress->next = now + 0.2;
}

static void play_progress_end(const struct play_progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
}

static int play_touch_each(struct play *play, int (*after)(struct play *play),
			   struct play_progress *progress)
{
	int status = CTL_OK;

	for (play->at = 0; !status && play->at < play->refs.nr; play->at++) {
		if (play->unmap_repeats)
			status = play_unmap_repeat(play);
		if (status)
			break;
		play_touch(play);
		if (after)
			status = after(play);
		play_progress(progress, play);
	}
	return status;
}

int play_touch_all(struct play *play, int (*after)(struct play *play))
{
	static struct play_progress progress;
	int status;

	play_progress_init(&progress, play);
	play_set_guard(play);
	if (sigsetjmp(play_guard.back, 1)) {
		play_progress_end(&progress);
		return ctl_fail("SIGBUS at reference %zu, page %llu: I/O error or no memory",
				play->at + 1, (__u64)play->refs.refs[play->at].page);
	}
	status = play_touch_each(play, after, &progress);
	play_progress_end(&progress);
	signal(SIGBUS, SIG_DFL);
	return status;
}
