// SPDX-License-Identifier: GPL-2.0-only
/*
 * fileagent: holds a space and does to it what standard input says, one command
 * a line, one line of answer each. For scripts that break what is below.
 *
 *	open PATH FRAMES [ro]	a space on that file or device
 *	anon PAGES FRAMES	a space on the swap store
 *	second			another descriptor of the space: number 2
 *	fill N TAG		write pages 0 to N - 1: "ok" or how many could be
 *	check N TAG [FIRST]	how many pages up to there are not as they should be
 *	file N TAG [FIRST]	the same, in the file itself
 *	read P, write P TAG	touch: "ok", "SIGBUS", "SIGBUS elsewhere"; for read
 *				its first number
 *	is P TAG		"yes", "no" or the signal
 *	try P			touch for writing in a child: as write, or "waits"
 *				if it had to be killed, "stuck" if it could not be
 *	pread P TAG, pwrite P TAG	by read(2), write(2)
 *	fsync N, poll N		on descriptor N
 *	msync, evict, size BYTES, punch FIRST PAGES, budget FRAMES, stat NAME, id
 *	drop			close the file's own descriptor
 *	close			all of it
 *	quit
 *
 * A system call that fails is answered with the name of its error.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmd_test_file.h"

#define MAX_ARGS	5
#define TRY_MS		8000
#define DIE_MS		5000

static int fds[3] = { -1, -1, -1 };	/* by number; 0 is the file's own */
static char *map;
static size_t pages;

static sigjmp_buf env;
static const char *touched;
static bool elsewhere;
static size_t filled;

static void bus(int sig, siginfo_t *info, void *context)
{
	(void)context;
	elsewhere = info->si_addr != touched || info->si_code != BUS_ADRERR;
	siglongjmp(env, sig);
}

/* The next touch is of that address. */
static void touch_next(const char *p)
{
	touched = p;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static const char *touch(size_t page, bool write)
{
	char *p = map + page * vmd_ps + 8;

	touch_next(p);
	if (sigsetjmp(env, 1))
		return elsewhere ? "SIGBUS elsewhere" : "SIGBUS";
	if (write)
		vmd_store(p, vmd_load(p));
	else
		vmd_load(p);
	return "ok";
}

static void answer(const char *text)
{
	printf("%s\n", text);
}

static void answer_error(long ret)
{
	answer(ret < 0 ? strerrorname_np(errno) : "ok");
}

static size_t number(const char *arg)
{
	return arg ? strtoull(arg, NULL, 0) : 0;
}

static void use(size_t count)
{
	pages = count;
	map = vmd_map(fds[1], pages);
	if (map == MAP_FAILED)
		map = vmd_map_as(fds[1], pages, PROT_READ, MAP_SHARED);
	answer_error(map == MAP_FAILED ? -1 : 0);
}

/* open FILE FRAMES [ro|once]: "once" does not wait for a space on it to go. */
static void cmd_open(char **arg)
{
	bool ro = arg[3] && !strcmp(arg[3], "ro");
	bool once = arg[3] && !strcmp(arg[3], "once");

	fds[0] = open(arg[1], (ro ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	fds[1] = fds[0] < 0 ? -1 : once ? vmd_open_on(fds[0], number(arg[2])) :
		 vmd_open_again(fds[0], number(arg[2]));
	if (fds[1] < 0)
		answer_error(-1);
	else
		use(vmd_device_size(fds[1]) / vmd_ps);
}

static void cmd_anon(char **arg)
{
	fds[1] = vmd_open();
	if (fds[1] < 0 || vmd_resize(fds[1], number(arg[1])) ||
	    vmd_budget(fds[1], number(arg[2])))
		answer_error(-1);
	else
		use(number(arg[1]));
}

static void cmd_second(char **arg)
{
	(void)arg;
	fds[2] = vmd_open();
	answer_error(fds[2] < 0 ? -1 : vmd_attach(fds[2], vmd_id(fds[1])));
}

static void cmd_fill(char **arg)
{
	filled = 0;
	if (sigsetjmp(env, 1)) {
		printf("%zu%s\n", filled, elsewhere ? " elsewhere" : "");
		return;
	}
	for (; filled < number(arg[1]); filled++) {
		touch_next(map + filled * vmd_ps);
		vmd_fill(map + filled * vmd_ps, number(arg[2]) + filled);
	}
	answer("ok");
}

static size_t bad_pages(size_t first, size_t end, __u64 tag)
{
	return vmd_bad_pages(map + first * vmd_ps, end - first, tag + first);
}

static void cmd_check(char **arg)
{
	if (sigsetjmp(env, 1))
		answer("SIGBUS");
	else
		printf("%zu\n", bad_pages(number(arg[3]), number(arg[1]),
					  number(arg[2])));
}

static void cmd_file(char **arg)
{
	size_t i = number(arg[3]), bad = 0;

	for (; i < number(arg[1]); i++)
		bad += !vmd_page_is(fds[0], i, number(arg[2]) + i);
	printf("%zu\n", bad);
}

static void cmd_read(char **arg)
{
	answer(touch(number(arg[1]), false));
}

static void cmd_write(char **arg)
{
	const char *text = touch(number(arg[1]), true);

	if (!strcmp(text, "ok"))
		vmd_fill(map + number(arg[1]) * vmd_ps, number(arg[2]));
	answer(text);
}

static void cmd_is(char **arg)
{
	const char *text = touch(number(arg[1]), false);

	if (!strcmp(text, "ok"))
		text = vmd_check(map + number(arg[1]) * vmd_ps,
				 number(arg[2])) ? "yes" : "no";
	answer(text);
}

/* 128 + SIGKILL after we had to use it, -1 if even that did not help. */
static int end_of(pid_t pid)
{
	int status = vmd_wait(pid, TRY_MS);

	return status < 0 ? vmd_wait(pid, DIE_MS) : status;
}

static void cmd_try(char **arg)
{
	pid_t pid = vmd_fork();
	int status;

	if (!pid)
		_exit(strcmp(touch(number(arg[1]), true), "ok") ? 1 : 0);
	status = end_of(pid);
	answer(status == 0 ? "ok" : status == 1 ? "SIGBUS" :
	       status == 128 + SIGKILL ? "waits" : "stuck");
}

static void cmd_pread(char **arg)
{
	char buf[vmd_ps];
	ssize_t n = pread(fds[1], buf, vmd_ps, number(arg[1]) * vmd_ps);

	if (n < 0)
		answer_error(n);
	else
		answer(n != (ssize_t)vmd_ps ? "short" :
		       vmd_check(buf, number(arg[2])) ? "ok" : "bad");
}

static void cmd_pwrite(char **arg)
{
	char buf[vmd_ps];
	ssize_t n;

	vmd_fill(buf, number(arg[2]));
	n = pwrite(fds[1], buf, vmd_ps, number(arg[1]) * vmd_ps);
	if (n >= 0 && n != (ssize_t)vmd_ps)
		answer("short");
	else
		answer_error(n);
}

static void cmd_fsync(char **arg)
{
	answer_error(fsync(fds[number(arg[1]) == 2 ? 2 : 1]));
}

static void cmd_poll(char **arg)
{
	int events = vmd_poll(fds[number(arg[1]) == 2 ? 2 : 1]);

	answer(events < 0 ? "failed" : events & POLLERR ? "error" :
	       events == (POLLIN | POLLOUT) ? "ready" : "not ready");
}

static void cmd_msync(char **arg)
{
	(void)arg;
	answer_error(msync(map, pages * vmd_ps, MS_SYNC));
}

static void cmd_evict(char **arg)
{
	(void)arg;
	answer_error(vmd_advise(fds[1], VMD_ADVICE_EVICT, 0, 0));
}

static void cmd_size(char **arg)
{
	answer_error(vmd_set_size(fds[1], number(arg[1])));
}

static void cmd_punch(char **arg)
{
	answer_error(vmd_punch(fds[1], number(arg[1]), number(arg[2])));
}

static void cmd_budget(char **arg)
{
	answer_error(vmd_budget(fds[1], number(arg[1])));
}

static void cmd_stat(char **arg)
{
	struct vmd_stats s;

	if (vmd_stats(fds[1], &s))
		answer_error(-1);
	else
		printf("%llu\n", vmd_counter(&s, arg[1] ?: ""));
}

static void cmd_id(char **arg)
{
	(void)arg;
	printf("%llu\n", vmd_id(fds[1]));
}

static void cmd_drop(char **arg)
{
	(void)arg;
	answer_error(close(fds[0]));
	fds[0] = -1;
}

static void cmd_close(char **arg)
{
	int i;

	(void)arg;
	munmap(map, pages * vmd_ps);
	for (i = 0; i < 3; i++) {
		close(fds[i]);
		fds[i] = -1;
	}
	answer("ok");
}

static void cmd_quit(char **arg)
{
	(void)arg;
	exit(0);
}

static const struct command {
	const char *name;
	void (*run)(char **arg);
} commands[] = {
	{ "open", cmd_open }, { "anon", cmd_anon }, { "second", cmd_second },
	{ "fill", cmd_fill }, { "check", cmd_check }, { "file", cmd_file },
	{ "read", cmd_read }, { "write", cmd_write }, { "is", cmd_is },
	{ "try", cmd_try },
	{ "pread", cmd_pread }, { "pwrite", cmd_pwrite },
	{ "fsync", cmd_fsync }, { "poll", cmd_poll }, { "msync", cmd_msync },
	{ "evict", cmd_evict }, { "size", cmd_size }, { "punch", cmd_punch },
	{ "budget", cmd_budget }, { "stat", cmd_stat }, { "id", cmd_id },
	{ "drop", cmd_drop }, { "close", cmd_close }, { "quit", cmd_quit }, { NULL, NULL }
};

static void run(char *line)
{
	char *arg[MAX_ARGS + 1] = { NULL }, *next = NULL;
	const struct command *c;
	int i;

	for (i = 0; i < MAX_ARGS; i++, line = NULL)
		arg[i] = strtok_r(line, "\n ", &next);
	for (c = commands; c->name; c++)
		if (arg[0] && !strcmp(c->name, arg[0]))
			break;
	if (c->name)
		c->run(arg);
	else
		answer("no such command");
}

int main(void)
{
	struct sigaction sa = {
		.sa_sigaction = bus, .sa_flags = SA_SIGINFO,
	};
	char line[512];

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGBUS, &sa, NULL);
	while (fgets(line, sizeof(line), stdin))
		run(line);
	return 0;
}
