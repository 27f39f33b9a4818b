/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kselftest programs of vmdemo share: opening and setting up a space,
 * reading it from every side, catching signals, children and other users.
 *
 * Functions that wrap a system call return what it returns, errno included.
 * Those that may run in a child or a thread never use the harness.
 */
#ifndef _VMD_TEST_H
#define _VMD_TEST_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/types.h>

#include "../uapi/vmdemo.h"

#define VMD_DEVICE	"/dev/vmdemo"
#define VMD_PARAMS	"/sys/module/vmdemo/parameters/"
#define VMD_PROC	"/proc/vmdemo/"
#define VMD_DEBUGFS	"/sys/kernel/debug/vmdemo/"
#define VMD_NOBODY	65534		/* the other user of the tests */

#define VMD_RW		(PROT_READ | PROT_WRITE)
#define VMD_NR_COUNTERS	34

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#endif

extern size_t vmd_ps;				/* bytes in a page */
extern const char *vmd_counter_names[VMD_NR_COUNTERS];
extern const char *const vmd_policy_names[];	/* NULL at the end */
extern const char *const vmd_observer_names[];	/* NULL at the end */

/* Spaces */
int vmd_open(void);
int vmd_set(int fd, const char *policy, const char *observer, __u64 frames);
int vmd_resize(int fd, __u64 pages);
int vmd_budget(int fd, __u64 frames);
int vmd_policy(int fd, const char *name);
int vmd_observer(int fd, const char *name);
int vmd_set_flags(int fd, __u64 flags);
__u64 vmd_flags(int fd);
int vmd_attach(int fd, __u64 id);
int vmd_get(int fd, struct vmd_config *c);
int vmd_info(int fd, struct vmd_info *i);
__u64 vmd_id(int fd);
int vmd_advise(int fd, __u32 advice, __u64 first, __u64 pages);
int vmd_sync(int fd, __u64 first, __u64 pages);
int vmd_pages(int fd, __u64 first, __u64 count, struct vmd_page *out);
int vmd_count_state(int fd, __u64 first, __u64 count, int state);
int vmd_count_flag(int fd, __u64 first, __u64 count, int flag);

/* Counters: the space's, the module's, one of a text file with "name value" */
int vmd_stats(int fd, struct vmd_stats *s);
int vmd_module_stats(struct vmd_stats *s);
int vmd_reset(int fd);
__u64 vmd_counter(const struct vmd_stats *s, const char *name);
__u64 vmd_faults(const struct vmd_stats *s);

/* Mappings: the first @pages of the space, shared, to read and to write */
void *vmd_map(int fd, size_t pages);
void *vmd_map_as(int fd, size_t pages, int prot, int flags);

/* A page's content for a tag: all words of it differ from page to page */
void vmd_fill(void *page, __u64 tag);
bool vmd_check(const void *page, __u64 tag);
bool vmd_is_zero(const void *page);
void vmd_fill_all(char *map, size_t pages, __u64 tag);
size_t vmd_bad_pages(const char *map, size_t pages, __u64 tag);
void vmd_touch_all(char *map, size_t pages);

/* One byte or one flag of memory that others change, or that has to be touched */
static inline char vmd_load(const void *p)
{
	return __atomic_load_n((const char *)p, __ATOMIC_RELAXED);
}

static inline void vmd_store(void *p, char c)
{
	__atomic_store_n((char *)p, c, __ATOMIC_RELAXED);
}

static inline bool vmd_is_set(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static inline void vmd_set_flag(bool *flag)
{
	__atomic_store_n(flag, true, __ATOMIC_RELEASE);
}

/* The signal that a one-byte access gets: 0, SIGBUS or SIGSEGV */
int vmd_read_signal(const void *p);
int vmd_write_signal(void *p);

/* Children: killed with their parent; waited for with a limit */
pid_t vmd_fork(void);
int vmd_wait(pid_t pid, int timeout_ms);	/* status, 128 + signal, or -1 */
int vmd_become(unsigned int uid);
int vmd_as_user(unsigned int uid, int (*fn)(void *arg), void *arg);
int vmd_send_fd(int sock, int fd);
int vmd_receive_fd(int sock);

/* Files */
char *vmd_read_file(const char *path);		/* NULL if it cannot be read */
int vmd_write_file(const char *path, const char *text);
bool vmd_value(const char *text, const char *name, __u64 *value);
bool vmd_word(const char *text, const char *name, char *value, size_t len);
char *vmd_space_file(__u64 id, const char *name);
char *vmd_space_line(__u64 id);
bool vmd_param(const char *name, __u64 *value);
const char *vmd_test_dir(void);
int vmd_temp_file(const char *dir, int flags);
int vmd_open_backing(void);			/* to be read; -1 if it has no name */

/* The rest */
__u64 vmd_now_ms(void);
void vmd_sleep_ms(unsigned int ms);
unsigned long vmd_scaled(unsigned long n);	/* times VMD_TEST_SCALE */
unsigned long vmd_brief(unsigned long n);	/* a third in a short run */
unsigned long vmd_afford(unsigned long n);	/* less on a slow kernel */
/* The part that this kernel has of what VMD_PARTS of them do; else vmd_afford() */
unsigned long vmd_share(unsigned long n);
__u64 vmd_random(__u64 *state);

#endif /* _VMD_TEST_H */
