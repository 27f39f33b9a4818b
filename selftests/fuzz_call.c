// SPDX-License-Identifier: GPL-2.0-only
/* The fuzzer's calls: how they are made, and what they may answer. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"

#define HALF		8192UL
#define FENCE		65536UL
#define MOST		4096		/* bytes of an argument */

/* Every command, and the errors it may give besides EFAULT */
struct command {
	const char *name;
	unsigned int number;
	__u64 feature;			/* ENOTTY without it */
	int error[12];
};

#define COMMAND(name, feature, ...) \
	{ #name, VMD_IOC_##name, feature, { EFAULT, __VA_ARGS__ } }

static const struct command commands[] = {
	COMMAND(INFO, 0, EFAULT),
	COMMAND(GET_CONFIG, 0, EFAULT),
	COMMAND(SET_CONFIG, 0, EINVAL, E2BIG, EBADF, EBUSY, EIO, ENOSPC, EROFS,
		EOPNOTSUPP, EDQUOT, ENODATA),
	COMMAND(SET_POLICY, 0, EINVAL, E2BIG, EBADF, EDQUOT, ENODATA),
	COMMAND(SET_BUDGET, 0, EINVAL, E2BIG, EBADF, EBUSY, EIO, ENOSPC),
	COMMAND(GET_STATS, 0, EINVAL, E2BIG),
	COMMAND(RESET_STATS, 0, EBADF),
	COMMAND(ADVISE, 0, EINVAL, E2BIG, EBADF, EBUSY, ENOSPC, EIO),
	COMMAND(PAGES, 0, EINVAL, E2BIG),
	COMMAND(ATTACH, 0, EINVAL, E2BIG, ENOENT, EPERM, EBUSY),
	COMMAND(SYNC, 0, EINVAL, E2BIG, EIO, ENOSPC),
	COMMAND(SET_FILE, VMD_FEATURE_FILE, EINVAL, E2BIG, EBADF, EFBIG, EBUSY,
		ETXTBSY, EDQUOT, ENODATA),
	COMMAND(PUNCH, VMD_FEATURE_PUNCH, EINVAL, E2BIG, EBADF, EBUSY,
		EOPNOTSUPP, EROFS),
	COMMAND(SLOTS, VMD_FEATURE_SLOTS, EINVAL, E2BIG, EOPNOTSUPP, EPERM, ENOMEM),
	COMMAND(QUEUES, VMD_FEATURE_QUEUES, EINVAL, E2BIG, ENOMEM),
	COMMAND(WALK, VMD_FEATURE_WALK, EINVAL, E2BIG, ESRCH, EACCES),
	COMMAND(RECORD, VMD_FEATURE_RECORD, EINVAL, E2BIG, EBADF, EBUSY,
		ENOMEM, EMFILE, ENFILE, EDQUOT),
	COMMAND(SET_SHADOWS, VMD_FEATURE_SHADOW, EINVAL, E2BIG, EBADF, EDQUOT),
	COMMAND(GET_SHADOWS, VMD_FEATURE_SHADOW, EINVAL, E2BIG),
	COMMAND(FUTURE, VMD_FEATURE_FUTURE, EINVAL, E2BIG, EBADF, EBUSY, ENOMEM,
		EDQUOT),
	COMMAND(STEP, VMD_FEATURE_STEP, EINVAL, E2BIG, EBADF, EBUSY, ENOMEM,
		EMFILE, ENFILE),
};

#define COMMANDS	(sizeof(commands) / sizeof(*commands))

__u64 fuzz_below(struct fuzz *f, __u64 n)
{
	return (vmd_random(&f->random) >> 11) % n;
}

void fuzz_fail(struct fuzz *f, const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("# call %lu: %s\n", f->report->calls, text);
	fflush(stdout);
	_exit(1);
}

void fuzz_memory(struct fuzz *f)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

	f->plain = mmap(NULL, 2 * HALF, VMD_RW, flags, -1, 0);
	munmap(f->plain + HALF, HALF);
	f->constant = mmap(NULL, vmd_ps, PROT_READ, flags, -1, 0);
	f->fence = mmap(NULL, FENCE + (64UL << 20), PROT_NONE, flags, -1, 0);
	mprotect(f->fence, FENCE, VMD_RW);
}

/* What SET_FILE is offered: little of it is right. */
void fuzz_files(struct fuzz *f)
{
	const char *dir = vmd_test_dir();
	int pair[2], i = 0;

	f->file[i++] = vmd_temp_file(dir, 0);
	if (ftruncate(f->file[0], 10 * vmd_ps + 100))
		fuzz_fail(f, "no file in %s", dir);
	f->file[i++] = vmd_temp_file(dir, O_APPEND);
	f->file[i++] = vmd_temp_file("/tmp", 0);
	f->file[i++] = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	f->file[i++] = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->file[i++] = open(dir, O_PATH | O_CLOEXEC);
	f->file[i++] = open("/dev/zero", O_RDWR | O_CLOEXEC);
	f->file[i++] = open("/dev/null", O_WRONLY | O_CLOEXEC);
	f->file[i++] = vmd_open();
	f->file[i++] = memfd_create("fuzz", MFD_CLOEXEC);
	if (!socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		f->file[i++] = pair[0];
	f->file[i] = -1;
}

/* Numbers that are likely to matter: small, near powers of two, anything */
static __u64 number(struct fuzz *f)
{
	switch (fuzz_below(f, 8)) {
	case 0:
		return 0;
	case 1:
		return fuzz_below(f, 16);
	case 2:
		return fuzz_below(f, FUZZ_PAGES) * vmd_ps;
	case 3:
		return (1ULL << fuzz_below(f, 64)) - fuzz_below(f, 3);
	case 4:
		return -fuzz_below(f, 3 * vmd_ps);
	case 5:
		return vmd_random(&f->random);
	case 6:
		return f->info.max_size + fuzz_below(f, 3) * vmd_ps - vmd_ps;
	default:
		return f->info.max_frames + fuzz_below(f, 3) - 1;
	}
}

static void name(struct fuzz *f, char *to)
{
	static const char *const names[] = {
		"lru", "fifo", "clock", "clock-a", "lfu", "mru", "random",
		"random:seed=5", "opt", "fault", "accessed", "trap", "random:seed=",
		"", "nonsense", "lru:", "random:seed=99999999999999999999",
		"auto", "auto:of=lru+mru,interval=100,margin=0",
	};

	strcpy(to, names[fuzz_below(f, sizeof(names) / sizeof(*names))]);
}

static void some_range(struct fuzz *f, __u64 *offset, __u64 *length)
{
	*offset = fuzz_below(f, 64) * vmd_ps;
	*length = fuzz_below(f, 32) * vmd_ps;
}

static void right_record(struct fuzz *f, struct vmd_record *r)
{
	r->events = 1 + fuzz_below(f, VMD_RECORD_EVENTS);
	r->flags = fuzz_below(f, 4) ? 0 : VMD_RECORD_WAIT;
	r->bytes = fuzz_below(f, 4) ? 4096ULL << fuzz_below(f, 5) : 0;
	r->wake = fuzz_below(f, 4096);
}

static void right_shadows(struct fuzz *f, struct vmd_shadow_set *s)
{
	__u32 i;

	s->count = fuzz_below(f, VMD_SHADOWS_MAX + 1);
	s->shift = s->count ? fuzz_below(f, 4) : 0;
	for (i = 0; i < s->count; i++)
		strcpy(s->policies[i],
		       vmd_policy_names[fuzz_below(f, 26)]);
}

/* In one call, or one of several; the array is what lies in the fence. */
static void right_future(struct fuzz *f, struct vmd_future *u)
{
	if (!fuzz_below(f, 4)) {
		u->flags = fuzz_below(f, 2);
		return;
	}
	u->pages = (uintptr_t)f->fence;
	u->total = 1 + fuzz_below(f, FENCE / 4);
	u->first = fuzz_below(f, 3) ? 0 : fuzz_below(f, u->total);
	u->count = fuzz_below(f, 2) ? u->total - u->first :
				      1 + fuzz_below(f, u->total - u->first);
}

static void right_config(struct fuzz *f, struct vmd_config *c)
{
	c->mask = fuzz_below(f, VMD_CONFIG_ALL + 1);
	c->size = fuzz_below(f, FUZZ_PAGES) * vmd_ps;
	c->budget = 1 + fuzz_below(f, FUZZ_FRAMES);
	name(f, c->policy);
	strncpy(c->observer, vmd_observer_names[fuzz_below(f, 3)],
		sizeof(c->observer) - 1);
	c->flags = fuzz_below(f, 2) * VMD_SPACE_ENCRYPT;
	c->ways = fuzz_below(f, 5);
}

/* A structure that is right, but for what mutate() does to it */
static void right_struct(struct fuzz *f, unsigned int command, void *data)
{
	struct vmd_advise *a = data;
	struct vmd_pages *p = data;
	struct vmd_queues *q = data;
	struct vmd_sync *s = data;

	switch (command) {
	case VMD_IOC_SET_CONFIG:
		right_config(f, data);
		break;
	case VMD_IOC_SET_POLICY:
		name(f, ((struct vmd_policy *)data)->name);
		break;
	case VMD_IOC_SET_BUDGET:
		((struct vmd_budget *)data)->frames = 1 + fuzz_below(f, 99);
		break;
	case VMD_IOC_GET_STATS:
		((struct vmd_stats *)data)->flags = fuzz_below(f, 2);
		break;
	case VMD_IOC_ADVISE:
		some_range(f, &a->offset, &a->length);
		a->advice = VMD_ADVICE_WILLNEED + fuzz_below(f, 7);
		break;
	case VMD_IOC_PAGES:
		p->first = fuzz_below(f, 8);
		p->count = fuzz_below(f, FUZZ_PAGES);
		p->pages = (uintptr_t)f->fence;
		break;
	case VMD_IOC_QUEUES:
		q->queued = (uintptr_t)f->fence;
		q->count = fuzz_below(f, FENCE / sizeof(struct vmd_queued) + 1);
		q->each = 1 + fuzz_below(f, 2 * FUZZ_FRAMES);
		break;
	case VMD_IOC_ATTACH:
		((struct vmd_attach *)data)->space_id = f->other;
		break;
	case VMD_IOC_SYNC:
	case VMD_IOC_PUNCH:
		some_range(f, &s->offset, &s->length);
		break;
	case VMD_IOC_SET_FILE:
		((struct vmd_set_file *)data)->fd =
			f->file[fuzz_below(f, FUZZ_FILES)];
		break;
	case VMD_IOC_RECORD:
		right_record(f, data);
		break;
	case VMD_IOC_SET_SHADOWS:
		right_shadows(f, data);
		break;
	case VMD_IOC_GET_SHADOWS:
		((struct vmd_shadow_get *)data)->flags = fuzz_below(f, 2);
		break;
	case VMD_IOC_FUTURE:
		right_future(f, data);
		break;
	}
}

/* Some fields, or some bytes, become something else. */
static void mutate(struct fuzz *f, char *data, size_t size)
{
	unsigned int times = fuzz_below(f, 3);
	__u64 word;
	__u32 half;
	size_t at;

	for (; times && size >= 8; times--) {
		at = fuzz_below(f, size / 8) * 8;
		switch (fuzz_below(f, 4)) {
		case 0:
			word = number(f);
			memcpy(data + at, &word, 8);
			break;
		case 1:
			half = number(f);
			memcpy(data + at + 4 * fuzz_below(f, 2), &half, 4);
			break;
		case 2:
			data[fuzz_below(f, size)] ^= 1 << fuzz_below(f, 8);
			break;
		default:
			data[fuzz_below(f, size)] = fuzz_below(f, 256);
		}
	}
}

static void all_random(struct fuzz *f, char *data, size_t size)
{
	__u64 bits = 0;
	size_t i;

	/* Ten bits a byte, as far as they go: numbers are most of the fuzzer's time. */
	for (i = 0; i < size; i++, bits >>= 10) {
		if (i % 6 == 0)
			bits = vmd_random(&f->random) >> 4;
		data[i] = bits & 3 ? bits >> 2 : 0;
	}
}

static void tame_config(struct fuzz *f, struct vmd_config *c)
{
	if (c->size <= f->info.max_size)
		c->size %= FUZZ_PAGES * vmd_ps;
	if (c->budget <= f->info.max_frames)
		c->budget %= FUZZ_FRAMES;
}

/*
 * What would be right but too much for the machine, or would hit what is not
 * ours: a space of terabytes, a budget of all memory, other workers' spaces,
 * our own memory.
 */
static void tame(struct fuzz *f, unsigned int nr, char *data, size_t size)
{
	struct vmd_budget *b = (void *)data;
	struct vmd_attach *a = (void *)data;
	struct vmd_pages *p = (void *)data;
	struct vmd_future *u = (void *)data;

	/* What is not given counts as zeros. */
	memset(data + size, 0, MOST - size);
	switch (nr) {
	case _IOC_NR(VMD_IOC_SET_CONFIG):
		tame_config(f, (void *)data);
		break;
	case _IOC_NR(VMD_IOC_SET_BUDGET):
		if (b->frames <= f->info.max_frames)
			b->frames %= FUZZ_FRAMES;
		break;
	case _IOC_NR(VMD_IOC_ATTACH):
		if (a->space_id && a->space_id >> 40 == 0 &&
		    a->space_id != f->other)
			a->space_id = size < 8 ? 0 : a->space_id | 1ULL << 40;
		break;
	case _IOC_NR(VMD_IOC_FUTURE):
		/* Half a gigabyte at once is too much. */
		if (u->total <= VMD_FUTURE_MAX)
			u->total %= FENCE;
		break;
	case _IOC_NR(VMD_IOC_PAGES):
		/* Addresses that nobody has are left as they are. */
		if (p->pages >= vmd_ps && p->pages < 1ULL << 47)
			p->pages = (uintptr_t)f->fence + FENCE -
				   fuzz_below(f, FENCE);
		break;
	}
}

static unsigned int other_size(struct fuzz *f, unsigned int command)
{
	unsigned int size = _IOC_SIZE(command);

	switch (fuzz_below(f, 3)) {
	case 0:
		size = fuzz_below(f, size + 1);
		break;
	case 1:
		size += 1 + fuzz_below(f, 64);
		break;
	default:
		size = fuzz_below(f, MOST);
	}
	return _IOC(_IOC_DIR(command), VMD_IOC_TYPE, _IOC_NR(command), size);
}

/* Where the argument lies. All kinds are as long as the rest of a page. */
static void *place(struct fuzz *f, const char *data, size_t size)
{
	size_t room = size < vmd_ps ? vmd_ps - size : 0, at;
	char *to = f->plain + HALF - size;

	switch (fuzz_below(f, 16)) {
	case 0:
		return (void *)number(f);
	case 1:
		return f->constant + fuzz_below(f, room + 1);
	case 2:
		/* The end of it is not there. */
		at = fuzz_below(f, size + 1);
		to = f->plain + HALF - at;
		memcpy(to, data, at);
		return to;
	case 3:
	case 4:
	case 5:
		/* In the space itself, wherever its end is now */
		if (!f->map || f->readonly)
			break;
		at = fuzz_below(f, 4) * vmd_ps + fuzz_below(f, vmd_ps);
		if (pwrite(f->fd, data, size, at) == (ssize_t)size)
			return f->map + at;
		break;
	}
	memcpy(to, data, size);
	return to;
}

static const struct command *known(unsigned int number)
{
	size_t i;

	for (i = 0; i < COMMANDS; i++)
		if (_IOC_NR(commands[i].number) == _IOC_NR(number) &&
		    _IOC_TYPE(number) == VMD_IOC_TYPE)
			return &commands[i];
	return NULL;
}

static bool listed(const struct command *c, int error)
{
	size_t i;

	for (i = 0; i < sizeof(c->error) / sizeof(*c->error); i++)
		if (c->error[i] == error)
			return true;
	return false;
}

/* Advice has more to say about which of its errors come when. */
static bool advice_may(const struct vmd_advise *a, int error)
{
	if (error == EBUSY || error == EIO)
		return a->advice == VMD_ADVICE_EVICT ||
		       (error == EIO && a->advice <= VMD_ADVICE_PIN);
	if (error == ENOSPC)
		return a->advice == VMD_ADVICE_PIN ||
		       a->advice == VMD_ADVICE_EVICT;
	return true;
}

/* ENOTTY for what there is not, and for what is another way round */
static bool may_fail_with(struct fuzz *f, unsigned int number,
			  const void *data, int error)
{
	const struct command *c = known(number);

	if (error == ENOTTY)
		return !c || number != c->number ||
		       (c->feature & ~f->info.features);
	if (!c)
		return false;
	/* A structure cut short ends before the advice. */
	if (c->number == VMD_IOC_ADVISE && _IOC_SIZE(number) >= 24 &&
	    !advice_may(data, error))
		return false;
	return listed(c, error) || (!_IOC_SIZE(number) && error == EINVAL);
}

/* Commands of the system's own that every file has an answer for */
static bool of_the_system(unsigned int number)
{
	return _IOC_TYPE(number) != VMD_IOC_TYPE &&
	       (_IOC_TYPE(number) < 2 || _IOC_TYPE(number) == 'T' ||
		_IOC_TYPE(number) == 'f' || _IOC_TYPE(number) == 'X' ||
		_IOC_TYPE(number) == 0x12 || _IOC_TYPE(number) == 0x94);
}

static void note(struct fuzz *f, unsigned int number, const void *at, int ret,
		 int error)
{
	const struct command *c = known(number);
	const char *where = "plain memory";

	if ((uintptr_t)at < vmd_ps)
		where = "near NULL";
	else if (f->map && (char *)at >= f->map &&
		 (char *)at < f->map + FUZZ_PAGES * vmd_ps)
		where = "the space";
	else if ((char *)at >= f->constant && (char *)at < f->constant + vmd_ps)
		where = "read-only memory";
	snprintf(f->report->log[f->report->calls % FUZZ_LOG], FUZZ_LOG_LEN,
		 "%lu: %08x %s (%u bytes) in %s: %s", f->report->calls, number,
		 c ? c->name : "?", _IOC_SIZE(number), where,
		 ret < 0 ? strerror(error) : "done");
}

struct state {
	struct vmd_config config;
	struct vmd_info info;
};

static void look(struct fuzz *f, struct state *s)
{
	memset(s, 0, sizeof(*s));
	vmd_get(f->fd, &s->config);
	vmd_info(f->fd, &s->info);
}

static void show(const char *when, const struct state *s)
{
	printf("# %s: size %llu budget %llu policy %s observer %s flags %llx",
	       when, s->config.size, s->config.budget, s->config.policy,
	       s->config.observer, s->config.flags);
	printf(" space %llu frame_bytes %u page_bytes %u\n",
	       s->info.space_id, s->info.frame_bytes, s->info.page_bytes);
}

static void tell_change(struct fuzz *f, unsigned int number, int error,
			const struct state *before, const struct state *after)
{
	show("before", before);
	show("after", after);
	fuzz_fail(f, "command %08x failed (%s), but changed something", number,
		  strerror(error));
}

static void make_call(struct fuzz *f, unsigned int *number, char *data)
{
	const struct command *c = &commands[fuzz_below(f, COMMANDS)];

	*number = c->number;
	if (!fuzz_below(f, 8))
		*number = other_size(f, c->number);
	if (f->structured) {
		memset(data, 0, MOST);
		right_struct(f, c->number, data);
		mutate(f, data, _IOC_SIZE(*number));
	} else {
		if (!fuzz_below(f, 4))
			*number = vmd_random(&f->random) >> 16;
		if (fuzz_below(f, 2))
			*number = (*number & ~0xff00U) | VMD_IOC_TYPE << 8;
		all_random(f, data, _IOC_SIZE(*number) % MOST);
	}
	if (_IOC_TYPE(*number) == VMD_IOC_TYPE)
		tame(f, _IOC_NR(*number), data, _IOC_SIZE(*number) % MOST);
}

/**
 * fuzz_end_recorder - no recorder of ours is left
 */
void fuzz_end_recorder(struct fuzz *f)
{
	if (f->recorder > 0)
		close(f->recorder);
	f->recorder = 0;
}

/*
 * A new descriptor: scribble on its ring. It stays for a while, unless others,
 * or we ourselves, would have to wait for somebody to read.
 */
static void use_recorder(struct fuzz *f, int fd, const struct vmd_record *how)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	__u64 *ring = mmap(NULL, 8192, VMD_RW, MAP_SHARED, fd, 0);
	int i;

	for (i = 0; ring != MAP_FAILED && i < 8; i++)
		ring[fuzz_below(f, fuzz_below(f, 2) ? 32 : 1024)] = number(f);
	poll(&p, 1, 0);
	if (ring != MAP_FAILED)
		munmap(ring, 8192);
	if (!fuzz_below(f, 8))
		ioctl(fd, VMD_IOC_RECORD_STOP);
	fuzz_end_recorder(f);
	f->recorder = fd;
	if (how->flags & VMD_RECORD_WAIT || fuzz_below(f, 2))
		fuzz_end_recorder(f);
}

/**
 * fuzz_call - make one call, and judge its answer
 */
void fuzz_call(struct fuzz *f)
{
	bool compare = f->alone && !fuzz_below(f, 8);
	struct state before, after;
	char data[MOST + 64];
	unsigned int number;
	int ret, error;
	void *at;

	make_call(f, &number, data);
	if (compare)
		look(f, &before);
	at = place(f, data, _IOC_SIZE(number) % MOST);
	/* That may have made the space grow. */
	if (compare && f->map)
		look(f, &before);
	ret = ioctl(f->fd, number, at);
	error = errno;
	__atomic_fetch_add(&f->report->calls, 1, __ATOMIC_RELAXED);
	note(f, number, at, ret, error);
	if (ret >= 0) {
		f->report->good++;
		if (known(number) && _IOC_NR(number) == _IOC_NR(VMD_IOC_RECORD))
			use_recorder(f, ret, (void *)data);
		if (known(number) && _IOC_NR(number) == _IOC_NR(VMD_IOC_STEP))
			close(ret);
		return;
	}
	if (!of_the_system(number) && !may_fail_with(f, number, data, error))
		fuzz_fail(f, "command %08x must not fail with: %s", number,
			  strerror(error));
	if (!compare)
		return;
	look(f, &after);
	f->report->compared++;
	if (memcmp(&before, &after, sizeof(before)))
		tell_change(f, number, error, &before, &after);
}
