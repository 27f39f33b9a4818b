// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl record: the ring that the module fills, and the file it goes to. */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace.h"

/* What has not filled half of the ring is written after so long. */
#define RECORD_PATIENCE_MS	200

static void record_put(struct record *record, const void *data, size_t n)
{
	const char *at = data;

	while (n && !record->error) {
		ssize_t done = write(record->out, at, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			record->error = done ? errno : EIO;
			return;
		}
		at += done;
		n -= done;
		record->written += done;
	}
}

static void record_put_header(struct record *record)
{
	u8 head[VMD_TRACE_HEADER] = VMD_TRACE_MAGIC;
	u32 has = VMD_TRACE_HAS_TIME | VMD_TRACE_HAS_THREAD | VMD_TRACE_HAS_IP;

	trace_store_le(head + 8, VMD_TRACE_VERSION, 2);
	trace_store_le(head + 10, VMD_TRACE_HEADER, 2);
	trace_store_le(head + 12, record->page_size, 4);
	trace_store_le(head + 16, record->events ? has | VMD_TRACE_EVENTS : has, 4);
	trace_store_le(head + 24, record->ring->start, 8);
	record_put(record, head, sizeof(head));
}

static int record_map(struct record *record)
{
	__u64 bytes = record->bytes ? record->bytes : VMD_RECORD_BYTES;
	size_t page = sysconf(_SC_PAGESIZE);

	record->length = page + bytes;
	record->ring = mmap(NULL, record->length, PROT_READ | PROT_WRITE, MAP_SHARED,
			    record->fd, 0);
	if (record->ring != MAP_FAILED)
		return CTL_OK;
	record->ring = NULL;
	return ctl_fail("mapping the ring of %llu bytes: %s", bytes, strerror(errno));
}

/* Only now, as there is something to put in: what was there before is gone. */
static int record_open_out(struct record *record)
{
	if (!strcmp(record->path, "-")) {
		record->out = STDOUT_FILENO;
		return CTL_OK;
	}
	record->out = open(record->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY,
			   0666);
	if (record->out >= 0)
		return CTL_OK;
	return ctl_fail("%s: %s", record->path, strerror(errno));
}

int record_begin(struct record *record, struct ctl_space *space)
{
	struct vmd_record how = {
		.events = record->events ? VMD_RECORD_FAULTS | VMD_RECORD_EVICTIONS :
					   VMD_RECORD_REFERENCES,
		.flags = record->drop ? 0 : VMD_RECORD_WAIT,
		.bytes = record->bytes,
	};
	int status = ctl_record(space, &how, &record->fd);

	record->space_id = space->info.space_id;
	record->page_size = space->info.page_size;
	if (!status)
		status = record_map(record);
	if (!status)
		status = record_open_out(record);
	if (!status)
		record_put_header(record);
	return status;
}

/* The part of the ring that is not written yet, in one piece or two. */
static void record_drain(struct record *record)
{
	__u64 head = __atomic_load_n(&record->ring->head, __ATOMIC_ACQUIRE);
	__u64 bytes = record->ring->bytes;
	const char *data = (const char *)record->ring + record->ring->data;

	while (record->tail < head) {
		__u64 at = record->tail % bytes, n = head - record->tail;

		n = n < bytes - at ? n : bytes - at;
		record_put(record, data + at, n);
		record->tail += n;
		__atomic_store_n(&record->ring->tail, record->tail, __ATOMIC_RELEASE);
	}
}

static bool record_is_enough(const struct record *record)
{
	return record->error || __atomic_load_n(&record->enough, __ATOMIC_RELAXED);
}

void record_write(struct record *record)
{
	struct pollfd wait = { .fd = record->fd, .events = POLLIN };
	bool ended = false;

	while (!ended) {
		int ready = poll(&wait, 1, RECORD_PATIENCE_MS);

		ended = ready > 0 && wait.revents & POLLHUP;
		/* A program must not wait for a file that takes no more. */
		if (!ended && record_is_enough(record))
			ioctl(record->fd, VMD_IOC_RECORD_STOP);
		record_drain(record);
	}
}

static void *record_thread(void *arg)
{
	record_write(arg);
	return NULL;
}

/* Signals are for the thread that waits for the program. */
int record_start(struct record *record)
{
	sigset_t all, mask;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &mask);
	error = pthread_create(&record->thread, NULL, record_thread, record);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	return error ? ctl_fail("starting a thread: %s", strerror(error)) : CTL_OK;
}

void record_join(struct record *record)
{
	ioctl(record->fd, VMD_IOC_RECORD_STOP);
	pthread_join(record->thread, NULL);
}

/* What was dropped last no record has told, as none came after it. */
static void record_put_end(struct record *record)
{
	struct vmd_trace_record last = { 0 };
	struct vmd_trace_record lost = {
		.kind = VMD_TRACE_LOST, .count = record->ring->drops - record->ring->told,
	};
	struct vmd_trace_record end = {
		.kind = VMD_TRACE_END, .count = record->ring->records,
	};
	u8 packed[VMD_TRACE_RECORD];

	if (lost.count)
		record_put(record, packed, vmd_trace_encode(&last, &lost, packed));
	record_put(record, packed, vmd_trace_encode(&last, &end, packed));
}

int record_finish(struct record *record)
{
	record_put_end(record);
	if (record->out != STDOUT_FILENO && close(record->out) && !record->error)
		record->error = errno;
	record->out = -1;
	if (!record->error)
		return CTL_OK;
	return ctl_fail("%s: %s: the recording was ended there", record->path,
			strerror(record->error));
}

void record_close(struct record *record)
{
	if (record->ring)
		munmap(record->ring, record->length);
	if (record->out > STDOUT_FILENO)
		close(record->out);
	if (record->fd >= 0)
		close(record->fd);
	record->ring = NULL;
	record->fd = -1;
	record->out = -1;
}
