// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl exec: the program, its descriptors, its signals, its end. */
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Not handed on: the kernel's answer to what we do ourselves, and stopping. */
static const int exec_own_signals[] = {
	SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGPIPE,
	SIGTSTP, SIGTTIN, SIGTTOU,
};

/* What was there before signals were blocked, for the program. */
struct exec_signals {
	sigset_t wanted;
	sigset_t mask;
	struct sigaction child;
};

static bool exec_is_program(const char *path)
{
	struct stat st;

	if (access(path, X_OK) || stat(path, &st))
		return false;
	if (S_ISREG(st.st_mode))
		return true;
	errno = EACCES;
	return false;
}

/* Else NULL, and errno says what hinders: EACCES is what cannot be run. */
static char *exec_in_path(const char *name)
{
	const char *dir = getenv("PATH") ?: "/bin:/usr/bin";
	bool denied = false;
	char *path;

	for (;; dir++) {
		int length = strcspn(dir, ":");

		if (asprintf(&path, "%.*s%s%s", length, dir, length ? "/" : "", name) < 0)
			return NULL;
		if (exec_is_program(path))
			return path;
		free(path);
		denied |= errno == EACCES;
		dir += length;
		if (!*dir)
			break;
	}
	errno = denied ? EACCES : ENOENT;
	return NULL;
}

static int exec_cannot(const char *name)
{
	bool missing = errno == ENOENT || errno == ENOTDIR;

	ctl_fail("%s: %s", name, errno == ENOENT && !strchr(name, '/') ?
		 "no such program in PATH" : strerror(errno));
	return missing ? EXEC_NOT_FOUND : EXEC_NOT_RUN;
}

int exec_find_path(const char *name, char **path)
{
	if (!*name)
		errno = ENOENT;
	else if (!strchr(name, '/'))
		*path = exec_in_path(name);
	else if (exec_is_program(name))
		*path = strdup(name);
	return *path ? 0 : exec_cannot(name);
}

int exec_find(const char *name)
{
	char *path = NULL;
	int status = exec_find_path(name, &path);

	free(path);
	return status;
}

void exec_fill_stdio(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* A descriptor is where it shall be already, or is copied there. */
static bool exec_place(int fd, int to)
{
	if (fd < 0)
		return true;
	if (fd == to)
		return !fcntl(fd, F_SETFD, 0);
	return dup2(fd, to) == to;
}

static bool exec_tell(const char *name, __u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", value);
	return !setenv(name, text, 1);
}

/*
 * Standard input and output first: the space's own place may be that of one of
 * these files.
 */
static bool exec_prepare(const struct exec_program *program)
{
	return exec_place(program->in.fd, STDIN_FILENO) &&
	       exec_place(program->out.fd, STDOUT_FILENO) &&
	       exec_place(program->space.fd, program->fd) &&
	       exec_tell("VMDEMO_FD", program->fd) &&
	       exec_tell("VMDEMO_SPACE", program->space.info.space_id);
}

/* In the child. */
static void exec_child(const struct exec_program *program,
		       const struct exec_signals *signals)
{
	if (program->prepare ? program->prepare(program) : exec_prepare(program)) {
		sigaction(SIGCHLD, &signals->child, NULL);
		sigprocmask(SIG_SETMASK, &signals->mask, NULL);
		execvp(program->argv[0], program->argv);
		_exit(exec_cannot(program->argv[0]));
	}
	ctl_fail("preparing %s: %s", program->argv[0], strerror(errno));
	_exit(EXEC_FAILED);
}

/*
 * Signals wait until they are asked for: none is lost, whether it comes before
 * there is a child or while one is handed on.
 */
static void exec_block_signals(struct exec_signals *signals)
{
	static const struct sigaction by_default = { .sa_handler = SIG_DFL };
	size_t i;

	sigfillset(&signals->wanted);
	for (i = 0; i < ARRAY_SIZE(exec_own_signals); i++)
		sigdelset(&signals->wanted, exec_own_signals[i]);
	/* Were it ignored, there would be nothing to wait for. */
	sigaction(SIGCHLD, &by_default, &signals->child);
	sigprocmask(SIG_BLOCK, &signals->wanted, &signals->mask);
}

/* The terminal's signals go to the whole process group: the child has its own. */
static bool exec_from_terminal(const siginfo_t *info)
{
	switch (info->si_signo) {
	case SIGINT:
	case SIGQUIT:
	case SIGHUP:
	case SIGCONT:
	case SIGWINCH:
		return info->si_code == SI_KERNEL;
	default:
		return false;
	}
}

/* The next signal, or none yet: then whoever looks on has a look. */
static bool exec_signal(const struct exec_program *program,
			const struct exec_signals *signals, siginfo_t *info)
{
	const struct timespec *pause = program->tick ? &program->pause : NULL;

	if (sigtimedwait(&signals->wanted, info, pause) >= 0)
		return true;
	if (errno == EAGAIN && program->tick)
		program->tick(program);
	return false;
}

static int exec_wait(pid_t child, const struct exec_signals *signals,
		     struct exec_program *program)
{
	siginfo_t info;
	pid_t ended;

	for (;;) {
		if (!exec_signal(program, signals, &info))
			continue;
		if (info.si_signo != SIGCHLD) {
			if (!exec_from_terminal(&info))
				kill(child, info.si_signo);
			continue;
		}
		ended = waitpid(child, &program->wait_status, WNOHANG);
		if (ended == child)
			return CTL_OK;
		if (ended < 0 && errno != EINTR)
			return ctl_fail("waiting for the program: %s", strerror(errno));
	}
}

int exec_run(struct exec_program *program)
{
	struct exec_signals signals;
	int status;
	pid_t child;

	exec_block_signals(&signals);
	child = fork();
	if (!child)
		exec_child(program, &signals);
	if (child < 0)
		status = ctl_fail("starting %s: %s", program->argv[0], strerror(errno));
	else
		status = exec_wait(child, &signals, program);
	sigprocmask(SIG_SETMASK, &signals.mask, NULL);
	return status;
}

int exec_end(const struct exec_program *program)
{
	int number = WTERMSIG(program->wait_status);
	sigset_t one;

	if (WIFEXITED(program->wait_status))
		return WEXITSTATUS(program->wait_status);
	/* The core, if any, is the program's, not ours. */
	prctl(PR_SET_DUMPABLE, 0);
	signal(number, SIG_DFL);
	sigemptyset(&one);
	sigaddset(&one, number);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	raise(number);
	/* Whoever is init does not die so. */
	return 128 + number;
}
