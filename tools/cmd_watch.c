// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl watch: a line for each thing that happens in a space, live. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../uapi/vmdemo_trace.h"
#include "device.h"
#include "output.h"
#include "parse.h"

#define WATCH_COUNT	512
#define WATCH_DROP	513
/* A signal right before poll() is noticed after so long. */
#define WATCH_LOOK_MS	500

/**
 * struct watch - a recording that is shown instead of written
 * @words: the space
 * @left: lines still to be printed, 0: any number
 * @drop: lose what cannot be shown in time, rather than let the program wait
 * @fd: the recorder
 * @ring: its mapping
 * @length: bytes of that
 * @tail: bytes of the stream that were shown
 * @last: the record before
 */
struct watch {
	struct ctl_words words;
	__u64 left;
	bool drop;
	int fd;
	struct vmd_ring *ring;
	size_t length;
	__u64 tail;
	struct vmd_trace_record last;
};

static bool watch_enough;

static void watch_signal(int number)
{
	(void)number;
	__atomic_store_n(&watch_enough, true, __ATOMIC_RELAXED);
}

static bool watch_is_enough(void)
{
	return __atomic_load_n(&watch_enough, __ATOMIC_RELAXED);
}

static error_t watch_option(int key, char *arg, struct argp_state *state)
{
	struct watch *watch = state->input;
	const char *why;

	switch (key) {
	case WATCH_DROP:
		watch->drop = true;
		return 0;
	case WATCH_COUNT:
		why = ctl_parse_number(arg, &watch->left);
		if (!why && !watch->left)
			why = "want 1 or more";
		if (why)
			argp_error(state, "count '%s': %s", arg, why);
		return 0;
	default:
		return ctl_word(key, arg, state, &watch->words);
	}
}

static const struct argp_option watch_options[] = {
	{ "count", WATCH_COUNT, "N", 0, "Print N lines, and leave", 0 },
	{ "drop", WATCH_DROP, NULL, 0,
	  "Lose and count what cannot be shown in time, rather than have threads wait", 0 },
	{ 0 },
};

static const struct argp watch_argp = {
	.options = watch_options,
	.parser = watch_option,
	.args_doc = "SPACE",
	.doc = "Print a line for each miss and each eviction in SPACE while it happens, and,\n"
	       "with observers fault and trap, for each hit: the time since the start, in\n"
	       "milliseconds, the thread, read or write, the page, and what came of it.\n"
	       "\vIt goes on until the space ends, or a signal (Ctrl-C) comes. A hit is what the\n"
	       "observer sees as one: with trap every reference to another page, with fault\n"
	       "those that faulted. A space is watched or recorded by one at a time.\n"
	       "\n"
	       "Example:\n"
	       "  vmdemoctl watch 7 | grep evicted",
	.children = ctl_common,
};

static const char *watch_event(const struct vmd_trace_record *r)
{
	switch (r->kind) {
	case VMD_TRACE_REFERENCE:
		return "hit";
	case VMD_TRACE_FAULT:
		return "miss";
	case VMD_TRACE_EVICT:
		return "evict";
	default:
		return "lost";
	}
}

static void watch_json(const struct vmd_trace_record *r)
{
	struct json_object *object = json_object_new_object();

	ctl_json_add_text(object, "event", watch_event(r));
	if (r->kind == VMD_TRACE_LOST) {
		ctl_json_add_u64(object, "count", r->count);
	} else {
		ctl_json_add_u64(object, "time", r->time);
		ctl_json_add_u64(object, "page", r->page);
		ctl_json_add(object, r->kind == VMD_TRACE_EVICT ? "dirty" : "write",
			     json_object_new_boolean(r->write));
	}
	if (r->kind < VMD_TRACE_EVICT) {
		ctl_json_add_u64(object, "thread", r->thread);
		ctl_json_add_u64(object, "ip", r->ip);
	}
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	json_object_put(object);
}

static void watch_text(const struct vmd_trace_record *r)
{
	if (r->kind == VMD_TRACE_LOST) {
		printf("%llu events were lost\n", r->count);
		return;
	}
	printf("%12.6f ms  ", r->time / 1e6);
	if (r->kind == VMD_TRACE_EVICT)
		printf("page %llu is evicted, %s\n", r->page, r->write ?
		       "dirty: it was written to the store" : "clean: nothing to write");
	else
		printf("thread %u %s page %llu: %s\n", r->thread,
		       r->write ? "writes" : "reads", r->page,
		       r->kind == VMD_TRACE_FAULT ? "miss, a page fault" : "hit");
}

static void watch_tell(struct watch *watch, const struct vmd_trace_record *r)
{
	if (ctl_options.json)
		watch_json(r);
	else
		watch_text(r);
	if ((watch->left && !--watch->left) || ferror(stdout))
		__atomic_store_n(&watch_enough, true, __ATOMIC_RELAXED);
}

/* The bytes from the tail on in one piece, as many as a record may have. */
static __u32 watch_peek(const struct watch *watch, __u64 head, __u8 *out)
{
	const __u8 *data = (const __u8 *)watch->ring + watch->ring->data;
	__u64 n = head - watch->tail, i;

	n = n < VMD_TRACE_RECORD ? n : VMD_TRACE_RECORD;
	for (i = 0; i < n; i++)
		out[i] = data[(watch->tail + i) % watch->ring->bytes];
	return (__u32)n;
}

/* All there is. Only the kernel writes the ring: what is wrong there is a bug. */
static int watch_drain(struct watch *watch)
{
	__u64 head = __atomic_load_n(&watch->ring->head, __ATOMIC_ACQUIRE);
	__u8 packed[VMD_TRACE_RECORD];

	while (watch->tail < head && !watch_is_enough()) {
		__u32 n = watch_peek(watch, head, packed);
		int used = vmd_trace_decode(&watch->last, packed, n);

		if (used <= 0)
			return ctl_fail("the module's ring is damaged at byte %llu", watch->tail);
		watch->tail += used;
		__atomic_store_n(&watch->ring->tail, watch->tail, __ATOMIC_RELEASE);
		watch_tell(watch, &watch->last);
	}
	fflush(stdout);
	return CTL_OK;
}

static int watch_loop(struct watch *watch)
{
	struct pollfd wait = { .fd = watch->fd, .events = POLLIN };
	bool ended = false;
	int status = CTL_OK;

	while (!ended && !watch_is_enough() && !status) {
		if (poll(&wait, 1, WATCH_LOOK_MS) > 0)
			ended = wait.revents & POLLHUP;
		status = watch_drain(watch);
	}
	return status;
}

static int watch_begin(struct watch *watch, struct ctl_space *space)
{
	struct vmd_record how = {
		.events = VMD_RECORD_FAULTS | VMD_RECORD_EVICTIONS,
		.flags = watch->drop ? 0 : VMD_RECORD_WAIT,
		.wake = 1,
	};
	struct vmd_config config;
	int status = ctl_get_config(space, &config);

	if (!status && strcmp(config.observer, "accessed"))
		how.events |= VMD_RECORD_REFERENCES;
	if (!status)
		status = ctl_record(space, &how, &watch->fd);
	if (status)
		return status;
	watch->length = sysconf(_SC_PAGESIZE) + VMD_RECORD_BYTES;
	watch->ring = mmap(NULL, watch->length, PROT_READ | PROT_WRITE, MAP_SHARED,
			   watch->fd, 0);
	if (watch->ring != MAP_FAILED)
		return CTL_OK;
	watch->ring = NULL;
	return ctl_fail("mapping the ring: %s", strerror(errno));
}

static void watch_catch_signals(void)
{
	struct sigaction action = { .sa_handler = watch_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

int cmd_watch(int argc, char **argv)
{
	struct watch watch = {
		.words = { .names = { "SPACE" }, .required = 1 },
		.fd = -1,
	};
	struct ctl_space space = CTL_NO_SPACE;
	int status;

	ctl_parse_args(&watch_argp, argc, argv, &watch);
	status = ctl_open_named(&space, watch.words.word[0]);
	if (status)
		return status;
	watch_catch_signals();
	status = watch_begin(&watch, &space);
	/* Ours would be the one that keeps it from ending. */
	ctl_close(&space);
	if (!status)
		status = watch_loop(&watch);
	if (watch.ring)
		munmap(watch.ring, watch.length);
	if (watch.fd >= 0)
		close(watch.fd);
	return status;
}
