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
#include <linux/slab.h>

#include "chardev.h"
#include "compat.h"

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
}

static int chardev_open(struct inode *inode, struct file *file)
{
	struct vmd_file *vf = kzalloc(sizeof(*vf), GFP_KERNEL_ACCOUNT);
	struct vmd_space *space;

	if (!vf)
		return -ENOMEM;
	space = vmd_space_create();
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
 * vmd_file_space - the space an open file stands for, with a reference
 * @file: of the device
 */
struct vmd_space *vmd_file_space(struct file *file)
{
	struct vmd_file *vf = file->private_data;
	struct vmd_space *space;

	mutex_lock(&vf->lock);
	space = vf->space;
	vmd_space_get(space);
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

static int chardev_attach(struct file *file, struct vmd_space *space)
{
	struct vmd_left *left;
	int err;

	if (!uid_eq(current_euid(), space->owner) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	left = kmalloc(sizeof(*left), GFP_KERNEL_ACCOUNT);
	if (!left)
		return -ENOMEM;
	err = vmd_space_use(space) ? chardev_rebind(file, space, left) :
				     -ENOENT;
	/* Not under the lock: this may wait for who reads the views. */
	if (!err)
		vmd_space_unuse(left->space);
	else if (err == -EBUSY)
		vmd_space_unuse(space);
	if (err)
		kfree(left);
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

static int chardev_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct vmd_file *vf = file->private_data;
	struct vmd_space *space;
	struct vmd_map *map;

	mutex_lock(&vf->lock);
	space = vf->space;
	map = vmd_map_add(space, vma, GFP_KERNEL_ACCOUNT);
	vf->mapped |= !!map;
	mutex_unlock(&vf->lock);
	if (!map)
		return -ENOMEM;
	/*
	 * Mixed: neighbours of a page that faults are inserted directly. It
	 * also keeps the core from merging VMAs, each of which has a vmd_map.
	 */
	vmd_vm_flags_set(vma, VM_MIXEDMAP);
	vmd_vma_make_old(vma);
	vma->vm_ops = &vmd_vm_ops;
	vma->vm_private_data = map;
	vmd_space_reach(space, map->reach);
	return 0;
}

/* The page after the one with this last byte, within the space. */
static pgoff_t chardev_end(struct vmd_space *space, loff_t last)
{
	return min_t(u64, ((u64)last >> PAGE_SHIFT) + 1,
		     READ_ONCE(space->nr_pages));
}

/* msync() and fsync(). */
static int chardev_fsync(struct file *file, loff_t start, loff_t last,
			 int datasync)
{
	struct vmd_space *space = vmd_file_space(file);
	int err;

	err = vmd_write_range(space, start >> PAGE_SHIFT,
			      chardev_end(space, last));
	vmd_space_put(space);
	return err;
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
	err = vmd_advise(space, offset >> PAGE_SHIFT,
			 chardev_end(space, end - 1),
			 advice == POSIX_FADV_WILLNEED ? VMD_ADVICE_WILLNEED :
							 VMD_ADVICE_DONTNEED);
	vmd_space_put(space);
	return err;
}

static const struct file_operations chardev_fops = {
	.owner		= THIS_MODULE,
	.open		= chardev_open,
	.release	= chardev_release,
	.mmap		= chardev_mmap,
	.fsync		= chardev_fsync,
	.fadvise	= chardev_fadvise,
	.unlocked_ioctl	= vmd_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.read_iter	= vmd_read_iter,
	.write_iter	= vmd_write_iter,
	.llseek		= vmd_llseek,
};

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
