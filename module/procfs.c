// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/vmdemo: what everybody may see. All read-only, all from snapshots.
 */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include "space.h"

static struct proc_dir_entry *procfs_dir;

/* Names of VMD_SPACE_* flags, "-" if there are none. */
static void procfs_flags(struct seq_file *m, u64 flags)
{
	static const char * const names[] = { "encrypt", "readonly", "private" };
	const char *before = " flags=";
	u32 i;

	if (!flags)
		seq_puts(m, " flags=-");
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(flags & BIT(i)))
			continue;
		seq_printf(m, "%s%s", before, names[i]);
		before = ",";
	}
}

static void procfs_space_line(struct seq_file *m, struct vmd_space *space)
{
	struct user_namespace *ns = seq_user_ns(m);
	char placement[VMD_PLACE_LEN];
	struct vmd_config cfg;
	char live[VMD_POLICY_LEN];

	vmd_space_config(space, &cfg);
	vmd_space_live(space, live);
	seq_printf(m, "%llu uid=%u pid=%d size=%llu budget=%llu", space->id,
		   from_kuid_munged(ns, space->owner), space->pid, cfg.size,
		   cfg.budget);
	seq_printf(m, " resident=%ld dirty=%llu policy=%s observer=%s store=%s",
		   vmd_space_resident(space), vmd_space_dirty(space),
		   cfg.policy, cfg.observer, cfg.store);
	procfs_flags(m, cfg.flags);
	seq_printf(m, " live=%s", live);
	vmd_place_format(cfg.ways, placement);
	seq_printf(m, " placement=%s", placement);
	seq_puts(m, " comm=");
	seq_escape(m, space->comm, "\n\\");
	seq_putc(m, '\n');
}

static int procfs_spaces(struct seq_file *m, void *v)
{
	struct vmd_space *space;
	u64 id = 0;

	while ((space = vmd_space_next(id))) {
		id = space->id;
		procfs_space_line(m, space);
		vmd_space_put(space);
	}
	return 0;
}

static int procfs_stats(struct seq_file *m, void *v)
{
	vmd_module_show(m);
	return 0;
}

static int procfs_policies(struct seq_file *m, void *v)
{
	u32 i;

	for (i = 0; i < vmd_nr_policies; i++)
		seq_printf(m, "%s %s\n", vmd_policies[i]->name,
			   vmd_policies[i]->text);
	return 0;
}

/**
 * vmd_procfs_init - make /proc/vmdemo
 */
int vmd_procfs_init(void)
{
	procfs_dir = proc_mkdir("vmdemo", NULL);
	if (!procfs_dir)
		return -ENOMEM;
	if (proc_create_single("spaces", 0444, procfs_dir, procfs_spaces) &&
	    proc_create_single("stats", 0444, procfs_dir, procfs_stats) &&
	    proc_create_single("policies", 0444, procfs_dir, procfs_policies))
		return 0;
	proc_remove(procfs_dir);
	return -ENOMEM;
}

/**
 * vmd_procfs_exit - undo vmd_procfs_init()
 */
void vmd_procfs_exit(void)
{
	proc_remove(procfs_dir);
}
