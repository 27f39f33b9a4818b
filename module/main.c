// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmdemo - memory that you page yourself.
 *
 * Init, and exit in exact reverse order.
 */
#include <linux/module.h>

#include "batch.h"
#include "compat.h"
#include "fill.h"
#include "space.h"
#include "version.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

struct workqueue_struct *vmd_wq;
struct workqueue_struct *vmd_idle_wq;

static int __init vmd_init_queues(void)
{
	/* On the CPU of who waits for it: waking another one takes longer. */
	vmd_wq = alloc_workqueue("vmdemo", VMD_WQ_PERCPU | WQ_MEM_RECLAIM, 0);
	if (!vmd_wq)
		return -ENOMEM;
	vmd_idle_wq = alloc_workqueue("vmdemo-idle", WQ_UNBOUND, 0);
	if (vmd_idle_wq)
		return 0;
	destroy_workqueue(vmd_wq);
	return -ENOMEM;
}

static void vmd_exit_queues(void)
{
	/* What is there still may leave the rest to the other one. */
	flush_workqueue(vmd_wq);
	destroy_workqueue(vmd_idle_wq);
	destroy_workqueue(vmd_wq);
}

static int __init vmd_init(void)
{
	int err = vmd_init_queues();

	if (err)
		return err;
	err = vmd_params_init();
	if (err)
		goto exit_swap;
	vmd_debugfs_init();
	err = vmd_procfs_init();
	if (err)
		goto exit_debugfs;
	err = vmd_walk_init();
	if (err)
		goto exit_procfs;
	err = vmd_shrink_init();
	if (err)
		goto exit_walk;
	err = vmd_chardev_init();
	if (err)
		goto exit_shrink;
	return 0;

exit_shrink:
	vmd_shrink_exit();
exit_walk:
	vmd_walk_exit();
exit_procfs:
	vmd_procfs_exit();
exit_debugfs:
	vmd_debugfs_exit();
exit_swap:
	vmd_swap_exit();
	vmd_exit_queues();
	return err;
}

static void __exit vmd_exit(void)
{
	vmd_chardev_exit();
	vmd_shrink_exit();
	vmd_walk_exit();
	vmd_procfs_exit();
	vmd_debugfs_exit();
	vmd_swap_exit();
	vmd_exit_queues();
	vmd_read_exit();
	vmd_batch_exit();
}

module_init(vmd_init);
module_exit(vmd_exit);

MODULE_DESCRIPTION("Memory that you page yourself: /dev/vmdemo");
MODULE_AUTHOR("The vmdemo authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(VMD_VERSION);
