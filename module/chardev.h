/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VMD_CHARDEV_H
#define _VMD_CHARDEV_H

#include <linux/mutex.h>

#include "space.h"

/**
 * struct vmd_file - an open file of the device
 * @lock: the other fields; inside mmap_lock, outside all locks of a space
 * @space: what it stands for
 * @mapped: it was mapped once: its mappings are tied to this space
 */
struct vmd_file {
	struct mutex lock;		/* what the file stands for */
	struct vmd_space *space;
	bool mapped;
};

struct vmd_space *vmd_file_space(struct file *file);
int vmd_file_attach(struct file *file, u64 id);

#endif /* _VMD_CHARDEV_H */
