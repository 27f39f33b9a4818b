// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stepping: the stepper, and who is halted. What is told of a fault, and when, is
 * in step_fault.c.
 *
 * A fault is put in the stepper's queue, and its thread waits to be let go. It
 * has given up the fault's lock at the start (vmd_may_wait) and holds nothing
 * else while it waits, neither before the fault is served nor after, so that the
 * space can be changed, looked at and reclaimed from meanwhile.
 *
 * Only a thread that comes from user space is halted: in a system call it may
 * hold locks of others, the terminal's of who steps among them. Nor is one of
 * the process that steps, who would wait for himself, nor a fault that may not
 * be tried again, as that has to keep its lock. These are told of only.
 *
 * The space has the lock and the queue of who is halted, so that both are there
 * as long as the space, however suddenly the stepper goes. The file that a
 * halted thread has pinned keeps the space.
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "stepped.h"

#define STEP_QUEUE	512		/* faults told of that do not halt */

static atomic64_t step_steppers = ATOMIC64_INIT(0);

/**
 * struct vmd_stepper - who steps; all of it under vmd_space.step_lock but for
 *	what never changes
 * @id: never used twice
 * @phases: faults halt as they go, too (VMD_STEP_EACH_PHASE)
 * @space: of which; a reference
 * @tgid: the process that made it
 * @pids: threads' ids are those of this namespace
 * @uid: of other users' threads it sees no instruction pointers
 * @sees_all: unless it was allowed to
 * @begin: ktime_get_ns() when it was made
 * @number: of the last fault
 * @lost: faults that were not told of
 * @waiting: entries of @queue that do not halt
 * @queue: faults not read yet
 * @told: halted threads that were told of
 * @ended: there will be no more
 * @poll: who waits for faults
 */
struct vmd_stepper {
	u64 id;
	bool phases;
	struct vmd_space *space;
	struct pid *tgid;
	struct pid_namespace *pids;
	kuid_t uid;
	bool sees_all;
	u64 begin;
	u64 number;
	u64 lost;
	u32 waiting;
	struct list_head queue;
	struct list_head told;
	bool ended;
	wait_queue_head_t poll;
};

/* The program's own instruction, for those who may know. */
static u64 step_ip(const struct vmd_stepper *st, const struct vmd_access *a)
{
	if (!(a->vmf->flags & FAULT_FLAG_USER) ||
	    (!st->sees_all && !uid_eq(current_euid(), st->uid)))
		return 0;
	return instruction_pointer(task_pt_regs(current));
}

/**
 * vmd_stepped_begin - what only the stepper's can tell at the start of a fault
 * @s: the fault
 * @a: the access
 *
 * Returns false if nobody steps any more.
 */
bool vmd_stepped_begin(struct vmd_stepped *s, const struct vmd_access *a)
{
	struct vmd_space *space = a->space;
	struct vmd_stepper *st;

	spin_lock(&space->step_lock);
	st = space->stepper;
	if (st) {
		s->stepper = st->id;
		s->phases = st->phases;
		s->fault.ip = step_ip(st, a);
		s->fault.thread = task_pid_nr_ns(current, st->pids);
		if (task_tgid(current) == st->tgid)
			s->fault.flags |= VMD_STEP_OWN;
	}
	spin_unlock(&space->step_lock);
	return st;
}

/**
 * vmd_stepped_lost - a fault is not told of
 * @space: of which
 */
void vmd_stepped_lost(struct vmd_space *space)
{
	spin_lock(&space->step_lock);
	if (space->stepper)
		space->stepper->lost++;
	spin_unlock(&space->step_lock);
}

/* Into the queue, if there is still one; who halts is taken at any time. */
static bool step_queue(struct vmd_space *space, struct vmd_stepped *s)
{
	struct vmd_stepper *st;
	bool halted = s->fault.flags & VMD_STEP_HALTED;
	bool done = false;

	spin_lock(&space->step_lock);
	st = space->stepper;
	if (st && st->id != s->stepper)
		st = NULL;
	if (st && !halted && st->waiting == STEP_QUEUE) {
		st->lost++;
	} else if (st) {
		/* One number for all phases of a fault. */
		if (!s->fault.number)
			s->fault.number = ++st->number;
		s->told = false;
		s->go = false;
		s->fault.time = ktime_get_ns() - st->begin;
		s->fault.lost = st->lost;
		st->waiting += !halted;
		list_add_tail(&s->list, &st->queue);
		wake_up_poll(&st->poll, EPOLLIN | EPOLLRDNORM);
		done = true;
	}
	spin_unlock(&space->step_lock);
	return done;
}

/*
 * The thread goes on: let go, or by a signal. What nobody has read yet stays in
 * the queue then, which owns it from there on: @ours is false. Returns whether
 * it was let go.
 */
static bool step_resume(struct vmd_space *space, struct vmd_stepped *s,
			bool *ours)
{
	bool go;

	/* Also so that whoever let it go has done with it. */
	spin_lock(&space->step_lock);
	go = s->go;
	*ours = go || s->told;
	if (!go && s->told) {
		list_del(&s->list);
	} else if (!go) {
		s->fault.flags &= ~VMD_STEP_HALTED;
		s->fault.flags |= VMD_STEP_SIGNAL;
		space->stepper->waiting++;
	}
	spin_unlock(&space->step_lock);
	return go;
}

/* Where signals may end a fault any of them ends the halt. */
static void step_halt(struct vmd_access *a, struct vmd_stepped *s)
{
	wait_queue_head_t *queue = &a->space->step_wait;

	if (a->vmf->flags & FAULT_FLAG_INTERRUPTIBLE)
		wait_event_interruptible(*queue, READ_ONCE(s->go));
	else
		wait_event_killable(*queue, READ_ONCE(s->go));
}

/**
 * vmd_stepped_tell - tell of a fault, and wait to be let go if it halts
 * @a: the access; nothing is locked, if its lock was given up. Its step becomes
 *	NULL where that is the queue's from here on.
 *
 * Returns 0, also if nobody steps any more, or -EINTR if a signal came first.
 */
int vmd_stepped_tell(struct vmd_access *a)
{
	struct vmd_stepped *s = a->step;
	bool halted = s->fault.flags & VMD_STEP_HALTED;
	bool go = true, ours = halted;

	if (!step_queue(a->space, s))
		return 0;
	/* If it does not halt it may be gone by now. */
	if (halted) {
		step_halt(a, s);
		go = step_resume(a->space, s, &ours);
	}
	if (!ours)
		a->step = NULL;
	return go ? 0 : -EINTR;
}

static void step_let_go(struct vmd_stepped *s)
{
	list_del_init(&s->list);
	/* The thread frees it, but not before it has had the lock. */
	WRITE_ONCE(s->go, true);
}

/* Nobody is halted any more. Called under step_lock. */
static void step_end(struct vmd_stepper *st)
{
	struct vmd_space *space = st->space;
	struct vmd_stepped *s, *next;

	if (space->stepper != st)
		return;
	WRITE_ONCE(space->stepper, NULL);
	list_for_each_entry_safe(s, next, &st->told, list)
		step_let_go(s);
	list_for_each_entry_safe(s, next, &st->queue, list)
		if (s->fault.flags & VMD_STEP_HALTED)
			step_let_go(s);
	wake_up_all(&space->step_wait);
	st->ended = true;
	wake_up_poll(&st->poll, EPOLLIN | EPOLLRDNORM | EPOLLHUP);
}

static void step_stop(struct vmd_stepper *st)
{
	spin_lock(&st->space->step_lock);
	step_end(st);
	spin_unlock(&st->space->step_lock);
}

/**
 * vmd_step_space_ended - the space has no users left
 * @space: the caller has a reference
 *
 * A stepper keeps the space's structure, but not what it holds.
 */
void vmd_step_space_ended(struct vmd_space *space)
{
	spin_lock(&space->step_lock);
	if (space->stepper)
		step_end(space->stepper);
	spin_unlock(&space->step_lock);
	/* Pages the file would not take are told of when the space is freed. */
	if (!space->store->homes || !vmd_space_dirty(space))
		vmd_drop_range(space, 0, ULONG_MAX, false);
}

/* The next fault to be told of: copied; halted ones stay, others are freed. */
static bool step_take(struct vmd_stepper *st, struct vmd_step_fault *fault)
{
	struct vmd_stepped *s;

	spin_lock(&st->space->step_lock);
	s = list_first_entry_or_null(&st->queue, struct vmd_stepped, list);
	if (s) {
		*fault = s->fault;
		s->told = true;
		if (fault->flags & VMD_STEP_HALTED) {
			list_move_tail(&s->list, &st->told);
		} else {
			list_del(&s->list);
			st->waiting--;
		}
	}
	spin_unlock(&st->space->step_lock);
	if (s && !(fault->flags & VMD_STEP_HALTED))
		kfree(s);
	return s;
}

static bool step_ready(struct vmd_stepper *st)
{
	bool ready;

	spin_lock(&st->space->step_lock);
	ready = st->ended || !list_empty(&st->queue);
	spin_unlock(&st->space->step_lock);
	return ready;
}

static ssize_t step_read(struct file *file, char __user *to, size_t n,
			 loff_t *pos)
{
	struct vmd_stepper *st = file->private_data;
	struct vmd_step_fault fault;

	if (n < sizeof(fault))
		return -EINVAL;
	while (!step_take(st, &fault)) {
		if (READ_ONCE(st->ended))
			return 0;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(st->poll, step_ready(st)))
			return -ERESTARTSYS;
	}
	/* Nothing is locked here: the buffer may be in the space. */
	if (copy_to_user(to, &fault, sizeof(fault)))
		return -EFAULT;
	return sizeof(fault);
}

static __poll_t step_poll(struct file *file, poll_table *wait)
{
	struct vmd_stepper *st = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &st->poll, wait);
	spin_lock(&st->space->step_lock);
	if (!list_empty(&st->queue))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (st->ended)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLHUP;
	spin_unlock(&st->space->step_lock);
	return mask;
}

/* Let one go that was told of, or all of them. */
static long step_next(struct vmd_stepper *st, u64 number)
{
	struct vmd_stepped *s, *next;
	long ret = number ? -ENOENT : 0;

	spin_lock(&st->space->step_lock);
	list_for_each_entry_safe(s, next, &st->told, list) {
		if (number && s->fault.number != number)
			continue;
		step_let_go(s);
		ret = 0;
	}
	wake_up_all(&st->space->step_wait);
	spin_unlock(&st->space->step_lock);
	return ret;
}

static long step_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vmd_step_next next;

	if (cmd != VMD_IOC_STEP_NEXT)
		return -ENOTTY;
	if (copy_from_user(&next, (void __user *)arg, sizeof(next)))
		return -EFAULT;
	if (next.flags || next.reserved)
		return -EINVAL;
	return step_next(file->private_data, next.number);
}

/* What was made of it so far; nobody is halted. */
static void step_free(struct vmd_stepper *st)
{
	struct vmd_stepped *s, *next;

	list_for_each_entry_safe(s, next, &st->queue, list)
		kfree(s);
	put_pid_ns(st->pids);
	put_pid(st->tgid);
	vmd_space_put(st->space);
	kfree(st);
}

/* Of each descriptor that is closed: a child that has one keeps nobody halted. */
static int step_flush(struct file *file, fl_owner_t id)
{
	struct vmd_stepper *st = file->private_data;

	if (task_tgid(current) == st->tgid)
		step_stop(st);
	return 0;
}

static int step_release(struct inode *inode, struct file *file)
{
	step_stop(file->private_data);
	step_free(file->private_data);
	return 0;
}

static const struct file_operations step_fops = {
	.owner		= THIS_MODULE,
	.read		= step_read,
	.poll		= step_poll,
	.flush		= step_flush,
	.release	= step_release,
	.unlocked_ioctl	= step_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

static struct vmd_stepper *step_make(struct vmd_space *space,
				     const struct vmd_step *how)
{
	struct vmd_stepper *st = kzalloc(sizeof(*st), GFP_KERNEL_ACCOUNT);

	if (!st)
		return NULL;
	st->id = atomic64_inc_return(&step_steppers);
	st->phases = how->flags & VMD_STEP_EACH_PHASE;
	vmd_space_get(space);
	st->space = space;
	st->tgid = get_pid(task_tgid(current));
	st->pids = get_pid_ns(task_active_pid_ns(current));
	st->uid = current_euid();
	st->sees_all = ns_capable_noaudit(&init_user_ns, CAP_SYS_PTRACE);
	st->begin = ktime_get_ns();
	INIT_LIST_HEAD(&st->queue);
	INIT_LIST_HEAD(&st->told);
	init_waitqueue_head(&st->poll);
	return st;
}

/* From here on faults halt, unless another one was first. */
static int step_begin(struct vmd_stepper *st)
{
	struct vmd_space *space = st->space;
	int err = -EBUSY;

	spin_lock(&space->step_lock);
	if (!space->stepper) {
		WRITE_ONCE(space->stepper, st);
		err = 0;
	}
	spin_unlock(&space->step_lock);
	return err;
}

/* A file of its own; the stepper goes with it. */
static struct file *step_file(struct vmd_space *space,
			      const struct vmd_step *how)
{
	struct vmd_stepper *st = step_make(space, how);
	struct file *file;
	int err;

	if (!st)
		return ERR_PTR(-ENOMEM);
	file = anon_inode_getfile("[vmdemo-step]", &step_fops, st, O_RDWR);
	if (IS_ERR(file)) {
		step_free(st);
		return file;
	}
	err = step_begin(st);
	if (!err)
		return file;
	fput(file);
	return ERR_PTR(err);
}

/**
 * vmd_step_open - begin to step
 * @space: the caller is a user of it
 * @how: as the caller gave it
 *
 * Returns a descriptor, or an error as VMD_IOC_STEP tells.
 */
int vmd_step_open(struct vmd_space *space, const struct vmd_step *how)
{
	struct file *file;
	int fd;

	if (how->flags & ~VMD_STEP_EACH_PHASE || how->reserved[0] ||
	    how->reserved[1] || how->reserved[2])
		return -EINVAL;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = step_file(space, how);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}
