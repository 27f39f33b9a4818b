// SPDX-License-Identifier: GPL-2.0-only
/* Children, users, files and time for the kselftest programs of vmdemo. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vmd_test.h"

__u64 vmd_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

void vmd_sleep_ms(unsigned int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

unsigned long vmd_scaled(unsigned long n)
{
	const char *scale = getenv("VMD_TEST_SCALE");
	unsigned long by = scale ? strtoul(scale, NULL, 10) : 1;

	return n * (by ? by : 1);
}

unsigned long vmd_brief(unsigned long n)
{
	if (!getenv("VMD_SHORT"))
		return n;
	return n > 3 ? n / 3 : 1;
}

/*
 * As much of it as a sanitizing kernel, which is several times slower, can do,
 * or a run that is to be short: at least 1 of it.
 */
unsigned long vmd_afford(unsigned long n)
{
	unsigned long part = 1;

	if (!access("/sys/kernel/debug/kmemleak", F_OK))
		part *= 5;
	if (getenv("VMD_SHORT"))
		part *= 4;
	n = vmd_scaled(n);
	return n > part ? n / part : 1;
}

unsigned long vmd_share(unsigned long n)
{
	const char *parts = getenv("VMD_PARTS");
	unsigned long by = parts ? strtoul(parts, NULL, 10) : 0;

	return by ? vmd_scaled(n) / by + 1 : vmd_afford(n);
}

/* xorshift64*: the same numbers on every machine */
__u64 vmd_random(__u64 *state)
{
	__u64 x = *state ? *state : 1;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1dULL;
}

pid_t vmd_fork(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(99);
	return 0;
}

static int exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

/* A child that does not end in time is killed; that is -1. */
int vmd_wait(pid_t pid, int timeout_ms)
{
	__u64 end = vmd_now_ms() + timeout_ms;
	int status;
	pid_t got;

	for (;;) {
		got = waitpid(pid, &status, WNOHANG);
		if (got == pid)
			return exit_code(status);
		if (got < 0)
			return -1;
		if (vmd_now_ms() > end)
			break;
		vmd_sleep_ms(1);
	}
	kill(pid, SIGKILL);
	return -1;
}

int vmd_become(unsigned int uid)
{
	if (setgroups(0, NULL) || setresgid(uid, uid, uid))
		return -1;
	return setresuid(uid, uid, uid);
}

/* What @fn returns in a child of that user, 0 to 98; 99 if it did not run. */
int vmd_as_user(unsigned int uid, int (*fn)(void *arg), void *arg)
{
	pid_t pid = vmd_fork();

	if (pid < 0)
		return 99;
	if (pid)
		return vmd_wait(pid, 30000);
	if (vmd_become(uid))
		_exit(99);
	_exit(fn(arg));
}

union fd_message {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

static void message_init(struct msghdr *m, struct iovec *io,
			 union fd_message *control)
{
	memset(control, 0, sizeof(*control));
	m->msg_iov = io;
	m->msg_iovlen = 1;
	m->msg_control = control->space;
	m->msg_controllen = sizeof(control->space);
}

int vmd_send_fd(int sock, int fd)
{
	char byte = 'f';
	struct iovec io = { &byte, 1 };
	struct msghdr m = { 0 };
	union fd_message control;
	struct cmsghdr *c;

	message_init(&m, &io, &control);
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(sock, &m, 0) == 1 ? 0 : -1;
}

int vmd_receive_fd(int sock)
{
	char byte;
	struct iovec io = { &byte, 1 };
	struct msghdr m = { 0 };
	union fd_message control;
	struct cmsghdr *c;
	int fd;

	message_init(&m, &io, &control);
	if (recvmsg(sock, &m, 0) != 1)
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static char *read_all(int fd)
{
	size_t len = 0, room = 65536;
	char *text = malloc(room);
	ssize_t n;

	while ((n = read(fd, text + len, room - len - 1)) > 0) {
		len += n;
		if (len + 1 == room) {
			room *= 2;
			text = realloc(text, room);
		}
	}
	text[len] = 0;
	if (n < 0) {
		free(text);
		return NULL;
	}
	return text;
}

char *vmd_read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text;

	if (fd < 0)
		return NULL;
	text = read_all(fd);
	close(fd);
	return text;
}

int vmd_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n, len = strlen(text);
	int error;

	if (fd < 0)
		return -1;
	n = write(fd, text, len);
	error = errno;
	close(fd);
	errno = error;
	return n == len ? 0 : -1;
}

/* The rest of the line that begins with @name and a space, or NULL. */
static const char *after_name(const char *text, const char *name)
{
	size_t len = strlen(name);

	while (text && *text) {
		if (!strncmp(text, name, len) && text[len] == ' ')
			return text + len + 1;
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return NULL;
}

bool vmd_value(const char *text, const char *name, __u64 *value)
{
	const char *at = after_name(text, name);
	char *end;

	if (!at || *at < '0' || *at > '9')
		return false;
	*value = strtoull(at, &end, 10);
	return *end == '\n' || !*end;
}

bool vmd_word(const char *text, const char *name, char *value, size_t len)
{
	const char *at = after_name(text, name);
	size_t n = at ? strcspn(at, "\n") : 0;

	if (!at || n >= len)
		return false;
	memcpy(value, at, n);
	value[n] = 0;
	return true;
}

char *vmd_space_file(__u64 id, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), VMD_DEBUGFS "spaces/%llu/%s",
		 (unsigned long long)id, name);
	return vmd_read_file(path);
}

/* The space's line in /proc/vmdemo/spaces, in memory of its own, or NULL. */
char *vmd_space_line(__u64 id)
{
	char *text = vmd_read_file(VMD_PROC "spaces");
	char *line = NULL;
	char name[24];
	const char *at;

	snprintf(name, sizeof(name), "%llu", (unsigned long long)id);
	at = after_name(text, name);
	if (at)
		line = strndup(at, strcspn(at, "\n"));
	free(text);
	return line;
}

bool vmd_param(const char *name, __u64 *value)
{
	char path[128];
	char *text;

	snprintf(path, sizeof(path), VMD_PARAMS "%s", name);
	text = vmd_read_file(path);
	if (!text)
		return false;
	*value = strtoull(text, NULL, 10);
	free(text);
	return true;
}

const char *vmd_test_dir(void)
{
	const char *dir = getenv("VMD_TEST_DIR");

	return dir && *dir ? dir : "/tmp";
}

/* An open file without a name. */
int vmd_temp_file(const char *dir, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/vmd-%d", dir, getpid());
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | flags, 0600);
	if (fd >= 0)
		unlink(path);
	return fd;
}

/* A block device is read past the page cache, which knows nothing of it. */
int vmd_open_backing(void)
{
	char *path = vmd_read_file(VMD_PARAMS "backing");
	struct stat st;
	int fd = -1;

	if (path)
		path[strcspn(path, "\n")] = 0;
	if (path && *path && !stat(path, &st) && !S_ISDIR(st.st_mode))
		fd = open(path, O_RDONLY | O_CLOEXEC |
			  (S_ISBLK(st.st_mode) ? O_DIRECT : 0));
	free(path);
	return fd;
}
