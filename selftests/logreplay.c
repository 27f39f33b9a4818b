// SPDX-License-Identifier: GPL-2.0-only
/*
 * logreplay LOG DEVICE MARK: what a disk holds whose power fails at a mark.
 *
 * LOG was written by the device-mapper's target log-writes: it has the writes
 * of a device in the order in which they were made durable, by a flush or one
 * by one. Those before MARK are repeated on DEVICE, which was blank when the
 * log began; what was written but not flushed by then is not among them.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/fs.h>

#define LOG_MAGIC	0x6a736677736872ULL
#define FLAG_DISCARD	4
#define FLAG_MARK	8

#define WAIT_US		200000
#define WAIT_TRIES	50

/* At the beginning of the first sector; all in little endian. */
struct super {
	uint64_t magic;
	uint64_t version;
	uint64_t nr_entries;
	uint32_t sector_size;
};

/* At the beginning of a sector; a mark's text, or the data, comes next. */
struct entry {
	uint64_t sector;
	uint64_t nr_sectors;
	uint64_t flags;
	uint64_t data_len;
};

static int copy(int from, off_t at, int to, off_t where, size_t n)
{
	char *buf = malloc(n);
	int bad = pread(from, buf, n, at) != (ssize_t)n ||
		  pwrite(to, buf, n, where) != (ssize_t)n;

	free(buf);
	return bad ? -1 : 0;
}

/* Returns how many writes were repeated before the mark, or -1. */
static long replay(int log, int device, const char *mark, uint64_t size)
{
	char sector[4096];
	struct entry *e = (void *)sector;
	off_t at = size;
	size_t n;
	long done;

	for (done = 0;; done++) {
		memset(sector, 0, sizeof(sector));
		if (pread(log, sector, size, at) != (ssize_t)size)
			return -1;
		at += size;
		if (le64toh(e->flags) & FLAG_MARK &&
		    !strncmp(sector + sizeof(*e), mark, strlen(mark)))
			return done;
		n = le64toh(e->nr_sectors) * size;
		if (le64toh(e->flags) & FLAG_DISCARD)
			continue;
		if (n && copy(log, at, device, le64toh(e->sector) * size, n))
			return -1;
		at += n;
	}
}

/* As replay(), with the log read anew until the mark is there, or for a while. */
static long replay_when_there(int log, int device, const char *mark, uint64_t size)
{
	long done = -1;
	int tries;

	for (tries = 0; done < 0 && tries < WAIT_TRIES; tries++) {
		if (tries)
			usleep(WAIT_US);
		if (ioctl(log, BLKFLSBUF))
			return -1;
		done = replay(log, device, mark, size);
	}
	return done;
}

int main(int argc, char **argv)
{
	struct super s;
	int log, device;
	long done;

	if (argc != 4)
		return 2;
	log = open(argv[1], O_RDONLY);
	device = open(argv[2], O_RDWR);
	if (pread(log, &s, sizeof(s), 0) != sizeof(s) ||
	    le64toh(s.magic) != LOG_MAGIC || le32toh(s.sector_size) > 4096) {
		fprintf(stderr, "logreplay: this is no log\n");
		return 1;
	}
	done = replay_when_there(log, device, argv[3], le32toh(s.sector_size));
	if (done < 0 || fsync(device)) {
		fprintf(stderr, "logreplay: no such mark\n");
		return 1;
	}
	printf("%ld writes\n", done);
	return 0;
}
