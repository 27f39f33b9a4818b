// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device: file operations. An open file stands for a space; several may
 * stand for the same one.
 */
#include <linux/cdev.h>
#include <linux/cred.h>
#include <linux/device.h>
#include <linux/fadvise.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "chardev.h"
#include "compat.h"
#include "cow.h"

#define ATTACH_MAX	256			/* times one file is attached */

static dev_t chardev_number;
static struct cdev chardev_cdev;
static struct class *chardev_class;

static void chardev_bind(struct file *file, struct vmd_space *space)
{
	struct vmd_file *vf = file->private_data;

	vf->space = space;
	/* Mappings of this file are found by way of the space's own inode. */
	file->f_mapping = vmd_mapping(space);
	/* It is told of errors from now on, and of one nobody was told of. */
	file->f_wb_err = filemap_sample_wb_err(file->f_mapping);
}

static struct vmd_space *chardev_fresh_space(void)
{
	struct vmd_store *store = vmd_swap_get();
	struct vmd_space *space;

	/* It is not the device that does not exist. */
	if (IS_ERR(store))
		return ERR_PTR(PTR_ERR(store) == -ENOENT ? -EIO :
							   PTR_ERR(store));
	space = vmd_space_create(store, NULL);
	if (IS_ERR(space))
		vmd_store_put(store);
	return space;
}

static int chardev_open(struct inode *inode, struct file *file)
{
	struct vmd_file *vf = kzalloc(sizeof(*vf), GFP_KERNEL_ACCOUNT);
	struct vmd_space *space;

	if (!vf)
		return -ENOMEM;
	space = chardev_fresh_space();
	if (IS_ERR(space)) {
		kfree(vf);
		return PTR_ERR(space);
	}
	mutex_init(&vf->lock);
	INIT_LIST_HEAD(&vf->left);
	file->private_data = vf;
	/* A write fault need not update the node's times. */
	file->f_mode |= FMODE_NOCMTIME;
	chardev_bind(file, space);
	return 0;
}

static int chardev_release(struct inode *inode, struct file *file)
{
	struct vmd_file *vf = file->private_data;
	struct vmd_left *left, *next;

	vmd_space_unuse(vf->space);
	list_for_each_entry_safe(left, next, &vf->left, list) {
		vmd_space_put(left->space);
		kfree(left);
	}
	kfree(vf);
	return 0;
}

/**
 * vmd_file_space - the space an open file stands for, as a user of it
 * @file: of the device
 *
 * The space does not end before vmd_space_unuse(), though the file may be
 * attached to another one meanwhile.
 */
struct vmd_space *vmd_file_space(struct file *file)
{
	struct vmd_file *vf = file->private_data;
	struct vmd_space *space;

	mutex_lock(&vf->lock);
	space = vf->space;
	/* The file itself is a user of it now. */
	WARN_ON(!vmd_space_use(space));
	mutex_unlock(&vf->lock);
	return space;
}

/* On success the caller is the user of left->space, the space it left. */
static int chardev_rebind(struct file *file, struct vmd_space *space,
			  struct vmd_left *left)
{
	struct vmd_file *vf = file->private_data;
	int err = -EBUSY;

	mutex_lock(&vf->lock);
	/* Its mappings lead to the space it stands for. */
	if (!vf->mapped && vf->nr_left < ATTACH_MAX) {
		left->space = vf->space;
		vmd_space_get(left->space);
		list_add(&left->list, &vf->left);
		vf->nr_left++;
		chardev_bind(file, space);
		err = 0;
	}
	mutex_unlock(&vf->lock);
	return err;
}

/* Let a file stand for a space that the caller is a user of, on success. */
static int chardev_move(struct file *file, struct vmd_space *space)
{
	struct vmd_left *left = kmalloc(sizeof(*left), GFP_KERNEL_ACCOUNT);
	int err;

	if (!left)
		return -ENOMEM;
	err = chardev_rebind(file, space, left);
	/* Not under the lock: this may wait for who reads the views. */
	if (!err)
		vmd_space_unuse(left->space);
	else
		kfree(left);
	return err;
}

static int chardev_attach(struct file *file, struct vmd_space *space)
{
	int err;

	if (!uid_eq(current_euid(), space->owner) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!vmd_space_use(space))
		return -ENOENT;
	err = chardev_move(file, space);
	if (err)
		vmd_space_unuse(space);
	return err;
}

/**
 * vmd_file_attach - let a file stand for another space
 * @file: of the device
 * @id: which
 *
 * Returns as VMD_IOC_ATTACH tells.
 */
int vmd_file_attach(struct file *file, u64 id)
{
	struct vmd_space *space = vmd_space_find(id);
	int err;

	if (!space)
		return -ENOENT;
	err = chardev_attach(file, space);
	vmd_space_put(space);
	return err;
}

/* Once more, as the space a file stands for: config as that one's. */
static struct vmd_space *chardev_file_space(struct file *file, int fd)
{
	struct vmd_space *like = vmd_file_space(file), *space;
	struct vmd_store *store = vmd_file_store_open(fd,
						      vmd_space_order(like));

	space = IS_ERR(store) ? ERR_CAST(store) : vmd_space_create(store, like);
	vmd_space_unuse(like);
	if (IS_ERR(space) && !IS_ERR(store))
		vmd_store_put(store);
	return space;
}

/**
 * vmd_file_set_file - let a file stand for a new space on another file
 * @file: of the device
 * @fd: the other file's descriptor
 *
 * Returns as VMD_IOC_SET_FILE tells.
 */
int vmd_file_set_file(struct file *file, int fd)
{
	struct vmd_space *space = chardev_file_space(file, fd);
	int err;

	if (IS_ERR(space))
		return PTR_ERR(space);
	err = chardev_move(file, space);
	if (err)
		vmd_space_unuse(space);
	return err;
}

/* May the space that a file stands for be given up for one of other pages? */
static int chardev_check_empty(struct vmd_space *space,
			       const struct vmd_config *cfg)
{
	/* Sets of as many bytes might be of no whole number of frames. */
	if (vmd_page_order(cfg->page_size) < 0 || READ_ONCE(space->ways))
		return -EINVAL;
	if (space->store->homes || !xa_empty(&space->pages))
		return -EBUSY;
	if (vmd_page_order(cfg->page_size) == 0)
		return 0;
	if (READ_ONCE(space->group))
		return -EOPNOTSUPP;
	/* Nor would it come from the old one. */
	if (READ_ONCE(space->crypt) && !(cfg->mask & VMD_CONFIG_FLAGS))
		return -EOPNOTSUPP;
	if (READ_ONCE(space->observer) == VMD_OBSERVER_TRAP &&
	    !(cfg->mask & VMD_CONFIG_OBSERVER))
		return -EOPNOTSUPP;
	return 0;
}

/* A fresh space of another page size, else as @like. */
static struct vmd_space *chardev_page_space(struct vmd_space *like, u32 order)
{
	struct vmd_store *store = order ? vmd_huge_store_open(order) :
					  vmd_swap_get();
	struct vmd_space *space;

	if (IS_ERR(store))
		return ERR_CAST(store);
	space = vmd_space_create(store, like);
	if (IS_ERR(space))
		vmd_store_put(store);
	return space;
}

/**
 * vmd_file_set_page_size - let a file stand for a new space of other pages
 * @file: of the device
 * @like: what it stands for: without pages, never mapped
 * @cfg: as the user gave it, with another page size in it; nothing but its mask
 *	was checked
 *
 * Returns as VMD_IOC_SET_CONFIG tells.
 */
int vmd_file_set_page_size(struct file *file, struct vmd_space *like,
			   const struct vmd_config *cfg)
{
	int err = chardev_check_empty(like, cfg);
	struct vmd_space *space;

	if (err)
		return err;
	space = chardev_page_space(like, vmd_page_order(cfg->page_size));
	if (IS_ERR(space))
		return PTR_ERR(space);
	err = vmd_space_configure(space, cfg);
	if (!err)
		err = chardev_move(file, space);
	if (err)
		vmd_space_unuse(space);
	return err;
}

/* A space on a file that was opened for reading only is not written to. */
static int chardev_check_write(struct vmd_space *space,
			       struct vm_area_struct *vma)
{
	if (!space->store->readonly || !(vma->vm_flags & VM_SHARED))
		return 0;
	if (vma->vm_flags & VM_WRITE)
		return -EACCES;
	vmd_vm_flags_clear(vma, VM_MAYWRITE);
	return 0;
}

static struct vmd_map *chardev_map(struct vmd_file *vf,
				   struct vm_area_struct *vma)
{
	struct vmd_map *map;
	int err;

	mutex_lock(&vf->lock);
	err = chardev_check_write(vf->space, vma);
	/* Whether it is private is decided before it has a mapping. */
	if (!err && mutex_lock_killable(&vf->space->config_lock))
		err = -EINTR;
	if (err) {
		mutex_unlock(&vf->lock);
		return ERR_PTR(err);
	}
	map = vmd_map_add(vf->space, vma, GFP_KERNEL_ACCOUNT);
	mutex_unlock(&vf->space->config_lock);
	mutex_unlock(&vf->lock);
	return map ? map : ERR_PTR(-ENOMEM);
}

static int chardev_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct vmd_map *map = chardev_map(file->private_data, vma);

	if (IS_ERR(map))
		return PTR_ERR(map);
	if (vmd_space_maps_huge(map->space)) {
		/*
		 * Not mixed, where the core neither counts nor finds what is
		 * mapped huge. This one keeps it from merging VMAs, too.
		 */
		vmd_vm_flags_set(vma, VM_HUGEPAGE);
		vma->vm_ops = &vmd_huge_vm_ops;
	} else {
		/*
		 * Mixed: neighbours of a page that faults are inserted
		 * directly. It also keeps the core from merging VMAs, each of
		 * which has a vmd_map.
		 */
		vmd_vm_flags_set(vma, VM_MIXEDMAP);
		vma->vm_ops = map->space->group ? &vmd_private_vm_ops :
						  &vmd_vm_ops;
	}
	vmd_vma_make_old(vma);
	vma->vm_private_data = map;
	vmd_space_reach(map->space, map->reach);
	return 0;
}

/*
 * The core asks for a place before it looks at f_mapping for the first time:
 * from here on the file stands for what it stands for now.
 */
static unsigned long chardev_get_unmapped_area(struct file *file,
					       unsigned long addr,
					       unsigned long len,
					       unsigned long pgoff,
					       unsigned long flags)
{
	struct vmd_file *vf = file->private_data;
	bool huge;

	mutex_lock(&vf->lock);
	vf->mapped = true;
	huge = vmd_space_maps_huge(vf->space);
	mutex_unlock(&vf->lock);
	if (huge)
		return vmd_huge_get_unmapped_area(file, addr, len, pgoff,
						  flags);
	return vmd_mm_get_unmapped_area(file, addr, len, pgoff, flags);
}

/* The page after the one with this last byte, within the space. */
static pgoff_t chardev_end(struct vmd_space *space, loff_t last)
{
	return min_t(u64, ((u64)last >> vmd_page_shift(space)) + 1,
		     READ_ONCE(space->nr_pages));
}

/**
 * vmd_file_sync - write pages, and tell what came of it and of earlier writes
 * @file: of the device; is told of each error once
 * @space: what it stands for
 * @first: first page
 * @end: the page after the last one
 */
int vmd_file_sync(struct file *file, struct vmd_space *space, pgoff_t first,
		  pgoff_t end)
{
	int err = vmd_sync(space, first, end);
	int earlier = 0;

	/* Not a file that was attached to another space meanwhile. */
	if (file->f_mapping == vmd_mapping(space))
		earlier = file_check_and_advance_wb_err(file);
	return err ? err : earlier;
}

/* msync() and fsync(). */
static int chardev_fsync(struct file *file, loff_t start, loff_t last,
			 int datasync)
{
	struct vmd_space *space = vmd_file_space(file);
	int err;

	err = vmd_file_sync(file, space, start >> vmd_page_shift(space),
			    chardev_end(space, last));
	vmd_space_unuse(space);
	return err;
}

/* Never has to wait; POLLERR while fsync() would tell of an error. */
static __poll_t chardev_poll(struct file *file, poll_table *wait)
{
	struct vmd_space *space = vmd_file_space(file);
	__poll_t mask = EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM;

	/* The file keeps a space that it leaves: the queue stays. */
	poll_wait(file, &space->error_wait, wait);
	if (errseq_check(&vmd_mapping(space)->wb_err,
			 READ_ONCE(file->f_wb_err)))
		mask |= EPOLLERR;
	vmd_space_unuse(space);
	return mask;
}

/* madvise(MADV_WILLNEED) and posix_fadvise(). */
static int chardev_fadvise(struct file *file, loff_t offset, loff_t len,
			   int advice)
{
	struct vmd_space *space;
	loff_t end;
	int err;

	if (advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE ||
	    offset < 0 || len < 0)
		return -EINVAL;
	if (advice != POSIX_FADV_WILLNEED && advice != POSIX_FADV_DONTNEED)
		return 0;
	/* A length of 0 means up to the end. */
	if (!len || check_add_overflow(offset, len, &end))
		end = LLONG_MAX;
	space = vmd_file_space(file);
	err = vmd_advise(space, offset >> vmd_page_shift(space),
			 chardev_end(space, end - 1),
			 advice == POSIX_FADV_WILLNEED ? VMD_ADVICE_WILLNEED :
							 VMD_ADVICE_DONTNEED);
	vmd_space_unuse(space);
	return err;
}

static const struct file_operations chardev_fops = {
	.owner		= THIS_MODULE,
	.open		= chardev_open,
	.release	= chardev_release,
	.mmap		= chardev_mmap,
	.get_unmapped_area = chardev_get_unmapped_area,
	.fsync		= chardev_fsync,
	.fadvise	= chardev_fadvise,
	.poll		= chardev_poll,
	.unlocked_ioctl	= vmd_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.read_iter	= vmd_read_iter,
	.write_iter	= vmd_write_iter,
	.splice_read	= vmd_splice_read,
	.splice_write	= iter_file_splice_write,
	.llseek		= vmd_llseek,
};

/**
 * vmd_file_make - an open file of a space that nobody opened
 * @space: made by vmd_space_fork(); its first use goes over to the file
 *
 * Its inode is the space's own, not the device's.
 */
struct file *vmd_file_make(struct vmd_space *space)
{
	struct vmd_file *vf = kzalloc(sizeof(*vf), GFP_KERNEL_ACCOUNT);
	struct file *file;

	if (!vf)
		return ERR_PTR(-ENOMEM);
	mutex_init(&vf->lock);
	INIT_LIST_HEAD(&vf->left);
	vf->mapped = true;
	file = vmd_space_file(space, "vmdemo", &chardev_fops);
	if (IS_ERR(file)) {
		kfree(vf);
		return file;
	}
	file->private_data = vf;
	file->f_mode |= FMODE_NOCMTIME;
	chardev_bind(file, space);
	return file;
}

static char *chardev_devnode(vmd_const_device *dev, umode_t *mode)
{
	if (mode)
		*mode = vmd_node_mode();
	return NULL;
}

static int chardev_make_node(void)
{
	struct device *dev;

	chardev_class = vmd_class_create("vmdemo");
	if (IS_ERR(chardev_class))
		return PTR_ERR(chardev_class);
	chardev_class->devnode = chardev_devnode;
	dev = device_create(chardev_class, NULL, chardev_number, NULL,
			    "vmdemo");
	if (!IS_ERR(dev))
		return 0;
	class_destroy(chardev_class);
	return PTR_ERR(dev);
}

/**
 * vmd_chardev_init - make /dev/vmdemo
 */
int vmd_chardev_init(void)
{
	int err = alloc_chrdev_region(&chardev_number, 0, 1, "vmdemo");

	if (err)
		return err;
	cdev_init(&chardev_cdev, &chardev_fops);
	chardev_cdev.owner = THIS_MODULE;
	err = cdev_add(&chardev_cdev, chardev_number, 1);
	if (err)
		goto unregister;
	err = chardev_make_node();
	if (err)
		goto del;
	return 0;

del:
	cdev_del(&chardev_cdev);
unregister:
	unregister_chrdev_region(chardev_number, 1);
	return err;
}

/**
 * vmd_chardev_exit - undo vmd_chardev_init()
 */
void vmd_chardev_exit(void)
{
	device_destroy(chardev_class, chardev_number);
	class_destroy(chardev_class);
	cdev_del(&chardev_cdev);
	unregister_chrdev_region(chardev_number, 1);
}
