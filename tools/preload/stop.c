// SPDX-License-Identifier: GPL-2.0-only
/*
 * The other threads stand still while a copy is made of what they write to.
 *
 * They are sent a signal, whose handler waits. A thread that waits in a system
 * call does so again after it (SA_RESTART), but for calls that signals always
 * end with EINTR: see signal(7).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "preload.h"

#define STOP_SIGNAL	(SIGRTMAX - 3)
#define STOP_THREADS	16384
#define STOP_TRIES	2000		/* of a millisecond */

struct stop_dirent {
	unsigned long ino;
	off_t next;
	unsigned short length;
	unsigned char type;
	char name[];
};

static int stop_now;				/* which stop this is; 0: none */
static int stop_count;				/* how many stops there were */
static int stop_left;				/* how many threads have begun to wait */
static __u64 stop_thread[STOP_THREADS];		/* in which stop, and who */

static __u64 stop_entry(int stop, int thread)
{
	return (__u64)stop << 32 | thread;
}

/*
 * All it calls may be called in a signal's handler. Who comes late to one stop
 * must not be taken for one who waits in the next: hence their numbers.
 */
static void stop_handler(int number)
{
	int stop = __atomic_load_n(&stop_now, __ATOMIC_ACQUIRE), error = errno, at;

	(void)number;
	/* A second signal to a thread that has waited already. */
	if (!stop)
		return;
	at = __atomic_fetch_add(&stop_left, 1, __ATOMIC_ACQ_REL);
	if (at < STOP_THREADS)
		__atomic_store_n(&stop_thread[at], stop_entry(stop, syscall(SYS_gettid)),
				 __ATOMIC_RELEASE);
	while (__atomic_load_n(&stop_now, __ATOMIC_ACQUIRE) == stop)
		pre_wait(&stop_now, stop);
	errno = error;
}

int pre_stop_init(void)
{
	struct sigaction action = { .sa_handler = stop_handler, .sa_flags = SA_RESTART };

	sigfillset(&action.sa_mask);
	return sigaction(STOP_SIGNAL, &action, NULL);
}

static bool stop_waits(int thread)
{
	int i, n = __atomic_load_n(&stop_left, __ATOMIC_ACQUIRE);

	for (i = 0; i < n && i < STOP_THREADS; i++)
		if (__atomic_load_n(&stop_thread[i], __ATOMIC_ACQUIRE) ==
		    stop_entry(stop_count, thread))
			return true;
	return false;
}

/* Ask all that run yet; returns how many, or -1. @ask: it was not done before. */
static int stop_round(int tasks, bool ask)
{
	static char buffer[8192] __aligned(8);
	int self = syscall(SYS_gettid), running = 0, thread;
	long at, got;

	if (lseek(tasks, 0, SEEK_SET))
		return -1;
	while ((got = syscall(SYS_getdents64, tasks, buffer, sizeof(buffer))) > 0) {
		for (at = 0; at < got;) {
			struct stop_dirent *d = (struct stop_dirent *)(buffer + at);

			at += d->length;
			thread = atoi(d->name);
			if (thread <= 0 || thread == self || stop_waits(thread))
				continue;
			/* A thread that has just ended cannot be asked. */
			if (!syscall(SYS_tgkill, getpid(), thread, ask ? STOP_SIGNAL : 0))
				running++;
		}
	}
	return got < 0 ? -1 : running;
}

/*
 * A thread that is asked may be making another: look again until all wait. One
 * that keeps the signal blocked for good is let run, and that is told.
 */
void pre_stop_threads(void)
{
	static const struct timespec moment = { .tv_nsec = 1000000 };
	int tasks = syscall(SYS_openat, AT_FDCWD, "/proc/self/task",
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	int running = -1, tries;

	__atomic_store_n(&stop_left, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&stop_now, ++stop_count, __ATOMIC_RELEASE);
	for (tries = 0; tasks >= 0 && tries < STOP_TRIES; tries++) {
		running = stop_round(tasks, tries % 50 == 0);
		if (running <= 0)
			break;
		sched_yield();
		if (tries > 10)
			nanosleep(&moment, NULL);
	}
	if (running)
		pre_say("fork: a thread could not be stopped: the child's heap may be torn");
	if (tasks >= 0)
		syscall(SYS_close, tasks);
}

void pre_start_threads(void)
{
	__atomic_store_n(&stop_now, 0, __ATOMIC_RELEASE);
	pre_wake(&stop_now);
}

/* The C library keeps its own signals out of such sets in the same way. */
static int stop_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	sigset_t allowed;

	if (set && how != SIG_UNBLOCK) {
		allowed = *set;
		sigdelset(&allowed, STOP_SIGNAL);
		/* SIGCANCEL and SIGSETXID, which sigdelset() knows nothing of. */
		*(unsigned long *)&allowed &= ~(3UL << 31);
		set = &allowed;
	}
	return syscall(SYS_rt_sigprocmask, how, set, old, _NSIG / 8);
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	return stop_sigmask(how, set, old);
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	int error = errno, err = stop_sigmask(how, set, old) ? errno : 0;

	errno = error;
	return err;
}
