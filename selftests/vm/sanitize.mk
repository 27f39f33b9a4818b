# SPDX-License-Identifier: GPL-2.0
#
# What KASAN and KCSAN leave out in the sanitizing kernels: debug-kernel.sh has
# scripts/Makefile.lib include this. Accesses of the rest are checked: the module,
# mm, lib, the VFS, block, locks, RCU, work queues and wait queues, that is, all who
# keep or are handed what the module allocates. What is here executes a lot and
# has little to do with that: with it checked too, tests took twice as long.
# Allocations and frees are watched everywhere.

vmdemo-unchecked := arch/% crypto/% drivers/% init/% net/% security/% \
	fs/ext4/% fs/jbd2/% fs/xfs/% fs/squashfs/% fs/kernfs/% fs/sysfs/% \
	kernel/dma/% kernel/entry/% kernel/events/% kernel/irq/% kernel/printk/% \
	kernel/time/% kernel/trace/% lib/crypto/% lib/lz4/% lib/xz/% lib/zstd/%
vmdemo-checked := drivers/block/% drivers/md/%

ifneq ($(filter $(vmdemo-unchecked),$(filter-out $(vmdemo-checked),$(obj)/)),)
KASAN_SANITIZE := n
KCSAN_SANITIZE := n
endif

# The scheduler without its wait queues (build_utility.o); lockdep's own tables;
# memchr_inv(), by which the poison of pages is checked: KASAN knows that they
# are free, and is asked to be silent about each word of them.
ifeq ($(obj),kernel/sched)
KASAN_SANITIZE_core.o := n
KASAN_SANITIZE_fair.o := n
KASAN_SANITIZE_build_policy.o := n
KCSAN_SANITIZE_core.o := n
KCSAN_SANITIZE_fair.o := n
KCSAN_SANITIZE_build_policy.o := n
endif
ifeq ($(obj),kernel/locking)
KASAN_SANITIZE_lockdep.o := n
endif
ifeq ($(obj),lib)
KASAN_SANITIZE_string.o := n
endif
