// SPDX-License-Identifier: GPL-2.0-only
/* Sharing a space with another process: an fd over a socket, attach by id. */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "vmd_harness.h"

#define PAGES	16
#define OWNER	12345U		/* a user that is neither root nor nobody */

FIXTURE(attach) {
	int fd;
	__u64 id;
	char *map;
	struct stat node;
};

/* Other users may open the node while these tests run. */
FIXTURE_SETUP(attach)
{
	ASSERT_EQ(0, stat(VMD_DEVICE, &self->node));
	ASSERT_EQ(0, chmod(VMD_DEVICE, 0666));
	ASSERT_OPEN(self->fd);
	self->id = vmd_id(self->fd);
	ASSERT_MAP(self->map, self->fd, PAGES);
	vmd_fill_all(self->map, PAGES, 1);
}

FIXTURE_TEARDOWN(attach)
{
	close(self->fd);
	chmod(VMD_DEVICE, self->node.st_mode & 07777);
}

TEST_F(attach, an_fd_passed_over_a_unix_socket_shares_the_space)
{
	int pair[2];
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = vmd_fork();
	if (!pid) {
		int fd;
		char *map;

		munmap(self->map, PAGES * vmd_ps);
		close(self->fd);
		fd = vmd_receive_fd(pair[1]);
		map = vmd_map(fd, PAGES);
		if (map == MAP_FAILED || vmd_bad_pages(map, PAGES, 1))
			_exit(1);
		vmd_fill_all(map, PAGES, 60);
		_exit(0);
	}
	EXPECT_EQ(0, vmd_send_fd(pair[0], self->fd));
	EXPECT_CHILD(pid);
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 60));
}

/* The space lives in the message only: neither side has it open or mapped. */
TEST_F(attach, a_space_lives_on_in_a_message_under_way)
{
	int pair[2], fd;
	char *map;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ASSERT_EQ(0, vmd_send_fd(pair[0], self->fd));
	munmap(self->map, PAGES * vmd_ps);
	close(self->fd);
	fd = vmd_receive_fd(pair[1]);
	ASSERT_LE(0, fd);
	EXPECT_EQ(self->id, vmd_id(fd));
	ASSERT_MAP(map, fd, PAGES);
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, 1));
	close(fd);
}

TEST_F(attach, the_same_user_attaches_by_id_and_shares)
{
	char *map;
	int fd;

	ASSERT_OPEN(fd);
	ASSERT_EQ(0, vmd_attach(fd, self->id));
	EXPECT_EQ(self->id, vmd_id(fd));
	ASSERT_MAP(map, fd, PAGES);
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, 1));
	vmd_fill_all(map, PAGES, 33);
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 33));
	close(fd);
}

TEST_F(attach, attaching_gives_up_the_files_own_space)
{
	__u64 old;
	int fd;

	ASSERT_OPEN(fd);
	old = vmd_id(fd);
	ASSERT_NE(NULL, vmd_space_line(old));
	ASSERT_EQ(0, vmd_attach(fd, self->id));
	EXPECT_EQ(NULL, vmd_space_line(old));
	close(fd);
}

TEST_F(attach, an_attached_file_keeps_the_space_when_its_maker_is_gone)
{
	char *map;
	int fd;

	ASSERT_OPEN(fd);
	ASSERT_EQ(0, vmd_attach(fd, self->id));
	munmap(self->map, PAGES * vmd_ps);
	close(self->fd);
	ASSERT_MAP(map, fd, PAGES);
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, 1));
	close(fd);
}

TEST_F(attach, no_such_space_is_enoent)
{
	int fd, gone;
	__u64 id;

	ASSERT_OPEN(gone);
	id = vmd_id(gone);
	close(gone);
	ASSERT_OPEN(fd);
	EXPECT_ERRNO(ENOENT, vmd_attach(fd, id));
	EXPECT_ERRNO(ENOENT, vmd_attach(fd, 0));
	EXPECT_ERRNO(ENOENT, vmd_attach(fd, UINT64_MAX));
	close(fd);
}

TEST_F(attach, a_file_that_was_ever_mapped_is_ebusy)
{
	__u64 own;
	char *map;
	int fd;

	ASSERT_OPEN(fd);
	own = vmd_id(fd);
	ASSERT_MAP(map, fd, 1);
	EXPECT_ERRNO(EBUSY, vmd_attach(fd, self->id));
	munmap(map, vmd_ps);
	EXPECT_ERRNO(EBUSY, vmd_attach(fd, self->id));
	EXPECT_EQ(own, vmd_id(fd));
	close(fd);
}

TEST_F(attach, a_refused_attach_changes_nothing)
{
	struct vmd_attach a = { .space_id = self->id, .flags = 1 };
	__u64 own;
	int fd;

	ASSERT_OPEN(fd);
	own = vmd_id(fd);
	EXPECT_ERRNO(EINVAL, ioctl(fd, VMD_IOC_ATTACH, &a));
	a.flags = 0;
	a.reserved = 1;
	EXPECT_ERRNO(EINVAL, ioctl(fd, VMD_IOC_ATTACH, &a));
	EXPECT_ERRNO(ENOENT, vmd_attach(fd, UINT64_MAX));
	EXPECT_EQ(own, vmd_id(fd));
	close(fd);
}

/* Exit status of the helpers below: 0 if attach succeeded, else its errno. */
static int try_attach(void *arg)
{
	int fd = vmd_open();

	if (fd < 0)
		return 98;
	return vmd_attach(fd, *(__u64 *)arg) ? errno : 0;
}

TEST_F(attach, another_user_is_refused_with_eperm)
{
	EXPECT_EQ(EPERM, vmd_as_user(VMD_NOBODY, try_attach, &self->id));
}

static bool set_caps(__u32 low)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {
		{ .effective = low, .permitted = low },
	};

	return !syscall(SYS_capset, &head, data);
}

/* Root without CAP_SYS_ADMIN, in a child. */
static int try_without_admin(__u64 id)
{
	pid_t pid = vmd_fork();

	if (!pid)
		_exit(set_caps(CAP_TO_MASK(CAP_DAC_OVERRIDE)) ? try_attach(&id) : 97);
	return vmd_wait(pid, 10000);
}

struct owned {
	int go;			/* pipe: closed when the space may end */
	int id;			/* pipe: the id comes here */
};

/* A space made by OWNER: its id is written to a pipe, then it waits. */
static int own_space(void *arg)
{
	struct owned *o = arg;
	int fd = vmd_open();
	__u64 id = fd < 0 ? 0 : vmd_id(fd);
	char byte;

	if (write(o->id, &id, sizeof(id)) != sizeof(id))
		return 1;
	return read(o->go, &byte, 1) < 0;
}

TEST_F(attach, cap_sys_admin_may_attach_to_anybodys_space_and_root_without_may_not)
{
	int go[2], id[2];
	__u64 other = 0;
	pid_t pid;

	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(0, pipe(id));
	pid = vmd_fork();
	if (!pid) {
		struct owned o = { .go = go[0], .id = id[1] };

		close(go[1]);
		_exit(vmd_become(OWNER) ? 1 : own_space(&o));
	}
	ASSERT_EQ(sizeof(other), read(id[0], &other, sizeof(other)));
	ASSERT_NE(0, other);
	EXPECT_EQ(0, try_attach(&other));
	EXPECT_EQ(EPERM, try_without_admin(other));
	EXPECT_EQ(EPERM, vmd_as_user(VMD_NOBODY, try_attach, &other));
	EXPECT_EQ(0, vmd_as_user(OWNER, try_attach, &other));
	close(go[1]);
	EXPECT_CHILD(pid);
}

static int not_root_owner(void *arg)
{
	struct vmd_info i;
	int fd = vmd_open();

	(void)arg;
	return vmd_info(fd, &i) || i.owner_uid != VMD_NOBODY;
}

TEST_F(attach, info_names_the_user_who_made_the_space)
{
	EXPECT_EQ(0, vmd_as_user(VMD_NOBODY, not_root_owner, NULL));
}

/* An fd is a capability: whoever was given it may use it, attach or not. */
static int use_inherited(void *arg)
{
	char *map = vmd_map(*(int *)arg, PAGES);

	return map == MAP_FAILED || vmd_bad_pages(map, PAGES, 1);
}

TEST_F(attach, an_fd_given_to_another_user_works)
{
	EXPECT_EQ(0, vmd_as_user(VMD_NOBODY, use_inherited, &self->fd));
}

TEST_HARNESS_MAIN
