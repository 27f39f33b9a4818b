// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/vmdemo: what root may see. All read-only. A space's files
 * need no reference to it: removing them waits for who is reading.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "space.h"

#define PAGES_AT_ONCE	64

static struct dentry *debugfs_top;
static struct dentry *debugfs_spaces;

static int stats_show(struct seq_file *m, void *v)
{
	vmd_module_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int policies_show(struct seq_file *m, void *v)
{
	const struct vmd_policy_param *param;
	const struct vmd_policy_ops *ops;
	u32 i, j;

	for (i = 0; i < vmd_nr_policies; i++) {
		ops = vmd_policies[i];
		seq_printf(m, "%s %s\n", ops->name, ops->text);
		for (j = 0; j < ops->nr_params; j++) {
			param = &ops->params[j];
			seq_printf(m, "%s:%s %s, %llu to %llu, default %llu\n",
				   ops->name, param->name, param->text,
				   param->min, param->max, param->def);
		}
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(policies);

static int space_config_show(struct seq_file *m, void *v)
{
	struct vmd_space *space = m->private;
	char placement[VMD_PLACE_LEN];
	struct vmd_config cfg;
	char live[VMD_POLICY_LEN];

	vmd_space_config(space, &cfg);
	vmd_space_live(space, live);
	seq_printf(m, "id %llu\nuid %u\npid %d\n", space->id,
		   from_kuid_munged(seq_user_ns(m), space->owner), space->pid);
	seq_printf(m, "size %llu\nbudget %llu\npolicy %s\n", cfg.size,
		   cfg.budget, cfg.policy);
	seq_printf(m, "observer %s\nstore %s\nlive %s\n", cfg.observer,
		   cfg.store, live);
	vmd_place_format(cfg.ways, placement);
	seq_printf(m, "placement %s\n", placement);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(space_config);

static int space_stats_show(struct seq_file *m, void *v)
{
	struct vmd_stats stats;

	vmd_stats_space(m->private, &stats);
	vmd_stats_show(m, &stats);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(space_stats);

/* The position in the file "pages" is a page's index: it may be very long. */
static void *pages_seek(struct vmd_space *space, loff_t *pos)
{
	unsigned long index = *pos;

	if (!xa_find(&space->pages, &index, ULONG_MAX, XA_PRESENT))
		return NULL;
	*pos = index;
	return pos;
}

static void *pages_start(struct seq_file *m, loff_t *pos)
{
	return pages_seek(m->private, pos);
}

static void *pages_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return pages_seek(m->private, pos);
}

static void pages_stop(struct seq_file *m, void *v)
{
}

static const char * const pages_states[] = {
	[VMD_PAGE_ABSENT]	= "absent",
	[VMD_PAGE_FILLING]	= "filling",
	[VMD_PAGE_RESIDENT]	= "resident",
	[VMD_PAGE_EVICTING]	= "evicting",
	[VMD_PAGE_SWAPPED]	= "swapped",
};

static int pages_show(struct seq_file *m, void *v)
{
	struct vmd_space *space = m->private;
	loff_t index = *(loff_t *)v;
	struct vmd_page page;

	if (!vmd_pages_look(space, index, &page, 1))
		return SEQ_SKIP;
	seq_printf(m, "%lld %s dirty=%d accessed=%d mapped=%d pinned=%d",
		   index, pages_states[page.state],
		   !!(page.flags & VMD_PAGE_DIRTY),
		   !!(page.flags & VMD_PAGE_ACCESSED),
		   !!(page.flags & VMD_PAGE_MAPPED),
		   !!(page.flags & VMD_PAGE_PINNED));
	if (page.sharers)
		seq_printf(m, " sharers=%u", page.sharers);
	seq_printf(m, " faults=%u slot=", page.faults);
	if (page.flags & VMD_PAGE_SLOT)
		seq_printf(m, "%llu\n", page.slot);
	else
		seq_puts(m, "-\n");
	return 0;
}

static const struct seq_operations space_pages_sops = {
	.start	= pages_start,
	.next	= pages_next,
	.stop	= pages_stop,
	.show	= pages_show,
};
DEFINE_SEQ_ATTRIBUTE(space_pages);

/* Pages in the order in which the policy would let them go. */
struct policy_order {
	struct vmd_space *space;
	u64 *pages;
	u32 n;
	u32 room;
};

static bool policy_visit(void *arg, u32 slot)
{
	struct policy_order *order = arg;

	if (order->n == order->room)
		return false;
	order->pages[order->n++] = vmd_frame_by_id(order->space, slot)->index;
	return true;
}

static int space_policy_show(struct seq_file *m, void *v)
{
	struct vmd_space *space = m->private;
	struct policy_order order = { .space = space };
	char name[VMD_POLICY_LEN];
	u32 i;

	/* Allocated before the lock; what comes in meanwhile is left out. */
	order.room = atomic_long_read(&space->resident);
	order.pages = kvmalloc_array(order.room + 1, sizeof(u64), GFP_KERNEL);
	if (!order.pages)
		return -ENOMEM;
	spin_lock(&space->policy_lock);
	vmd_policy_format(&space->policy, name, sizeof(name));
	vmd_decide_walk(space, policy_visit, &order);
	spin_unlock(&space->policy_lock);
	seq_printf(m, "policy %s\n", name);
	for (i = 0; i < order.n; i++)
		seq_printf(m, "%llu\n", order.pages[i]);
	kvfree(order.pages);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(space_policy);

/**
 * vmd_debugfs_add - a space's directory
 * @space: not yet visible
 *
 * Whether debugfs is there or not is nobody's error.
 */
void vmd_debugfs_add(struct vmd_space *space)
{
	struct dentry *dir;
	char name[24];

	snprintf(name, sizeof(name), "%llu", space->id);
	dir = debugfs_create_dir(name, debugfs_spaces);
	space->debugfs = dir;
	debugfs_create_file("config", 0400, dir, space, &space_config_fops);
	debugfs_create_file("stats", 0400, dir, space, &space_stats_fops);
	debugfs_create_file("pages", 0400, dir, space, &space_pages_fops);
	debugfs_create_file("policy", 0400, dir, space, &space_policy_fops);
}

/**
 * vmd_debugfs_remove - undo vmd_debugfs_add(); waits for who is reading
 * @space: of which
 */
void vmd_debugfs_remove(struct vmd_space *space)
{
	debugfs_remove(space->debugfs);
}

/**
 * vmd_debugfs_init - make /sys/kernel/debug/vmdemo
 */
void vmd_debugfs_init(void)
{
	debugfs_top = debugfs_create_dir("vmdemo", NULL);
	debugfs_create_file("stats", 0400, debugfs_top, NULL, &stats_fops);
	debugfs_create_file("policies", 0400, debugfs_top, NULL,
			    &policies_fops);
	debugfs_spaces = debugfs_create_dir("spaces", debugfs_top);
}

/**
 * vmd_debugfs_exit - undo vmd_debugfs_init()
 */
void vmd_debugfs_exit(void)
{
	debugfs_remove(debugfs_top);
}
