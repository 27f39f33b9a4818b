/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VMD_CHARDEV_H
#define _VMD_CHARDEV_H

#include <linux/mutex.h>

#include "space.h"

/**
 * struct vmd_file - an open file of the device
 * @lock: the other fields; inside mmap_lock, outside all locks of a space
 * @space: what it stands for
 * @mapped: it was to be mapped once: its mappings are tied to this space
 * @left: spaces it stood for before (struct vmd_left)
 * @nr_left: how many
 */
struct vmd_file {
	struct mutex lock;		/* what the file stands for */
	struct vmd_space *space;
	bool mapped;
	struct list_head left;
	u32 nr_left;
};

/**
 * struct vmd_left - a space that a file stood for before it was attached
 * @list: in vmd_file.left
 * @space: a reference: others may still be looking at the file's f_mapping
 */
struct vmd_left {
	struct list_head list;
	struct vmd_space *space;
};

/* What a file that was mapped stands for: that does not change any more. */
static inline struct vmd_space *vmd_file_owner(struct file *file)
{
	return ((struct vmd_file *)file->private_data)->space;
}

struct vmd_space *vmd_file_space(struct file *file);
int vmd_file_attach(struct file *file, u64 id);
int vmd_file_set_file(struct file *file, int fd);
int vmd_file_set_page_size(struct file *file, struct vmd_space *like,
			   const struct vmd_config *cfg);
int vmd_file_sync(struct file *file, struct vmd_space *space, pgoff_t first,
		  pgoff_t end);

/* rw.c */
ssize_t vmd_read_iter(struct kiocb *iocb, struct iov_iter *iter);
ssize_t vmd_write_iter(struct kiocb *iocb, struct iov_iter *iter);
loff_t vmd_llseek(struct file *file, loff_t offset, int whence);

#endif /* _VMD_CHARDEV_H */
