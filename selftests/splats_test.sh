#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Does splats.sh find what it has to, and nothing else? The last line is
# "N passed, N failed".
set -u

cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
passed=0
failed=0
tests=0

# expect found|clean NAME: is the log on standard input taken for that?
expect() {
	local want=$1 name=$2 is=clean

	tests=$((tests + 1))
	./splats.sh >/dev/null || is=found
	if [ "$is" = "$want" ]; then
		passed=$((passed + 1))
		echo "ok $tests - $name"
	else
		failed=$((failed + 1))
		echo "not ok $tests - $name: $is"
	fi
}

# A log with this line amid what a healthy kernel says.
found() {
	expect found "$1" < <(healthy && echo "[   17.123456] $2" && healthy)
}

healthy() {
	cat <<'END'
[    0.000000] Linux version 6.12.95-kasan (vmdemo@vmdemo) #1 SMP PREEMPT_DYNAMIC
[    0.000000] BIOS-provided physical RAM map:
[    0.000000] Memory: 1893312K/2096624K available (kasan: 0K)
[    0.021000] kasan: KernelAddressSanitizer initialized
[    0.022000] Lock dependency validator: Copyright (c) 2006 Red Hat, Inc.
[    0.022500] ... MAX_LOCK_DEPTH:          48
[    0.023000] kcsan: enabled early
[    0.023100] kcsan: non-strict mode configured
[    0.025000] 	RCU CPU stall warnings timeout set to 60 (rcu_cpu_stall_timeout).
[    0.030000] Kernel command line: page_poison=1 watchdog_thresh=60
[    0.150000] Running RCU self tests
[    0.300000] NMI watchdog: Perf NMI watchdog permanently disabled
[    1.100000] kmemleak: Kernel memory leak detector initialized (mem pool available: 39000)
[    1.200000] debug_vm_pgtable: [debug_vm_pgtable         ]: Validating architecture page table helpers
[    2.000000] vmdemo: loading out-of-tree module taints kernel.
[    2.100000] FAULT_INJECTION: forcing a failure.
[    2.200000] Huh VM_FAULT_OOM leaked out to the #PF handler. Retrying PF
[    2.300000] Buffer I/O error on dev vdd, logical block 0, async page read
[    2.400000] I/O error, dev vdd, sector 8 op 0x1:(WRITE) flags 0x0 phys_seg 1 prio class 0
[    3.000000] KTAP version 1
END
}

# kcsan FRAME: a report of a race, one of whose frames this is
kcsan() {
	cat <<END
[    9.000000] ==================================================================
[    9.000001] BUG: KCSAN: data-race in $1 / wake_up_var

[    9.000002] write to 0xffff888004c3a010 of 8 bytes by task 131 on cpu 0:
[    9.000003]  $1+0x91/0x1f0$2
[    9.000004]  handle_mm_fault+0x1/0x2
[    9.000005]
[    9.000006] read to 0xffff888004c3a010 of 8 bytes by task 132 on cpu 1:
[    9.000007]  wake_up_var+0x1/0x2
[    9.000008]
[    9.000009] value changed: 0x0000000000000001 -> 0x0000000000000002
[    9.000010]
[    9.000011] Reported by Kernel Concurrency Sanitizer on:
[    9.000012] CPU: 1 UID: 0 PID: 132 Comm: test Tainted: G           O       6.12.95-kcsan #1
[    9.000013] ==================================================================
END
}

# deep FRAME CALLER TAIL: a frame's caller and that one's, in a report.
deep() {
	sed "s/^\(.*\)  wake_up_var+.*/&\n\1  generic_write+0x1\/0x2\n\1  $1+0x1\/0x2\n\1  $2+0x3\/0x4$3/
		s/^\(.*\)  xa_load+.*/&\n\1  $2+0x3\/0x4$3/"
}

expect clean "a healthy kernel" < <(healthy)
found "BUG" "BUG: unable to handle page fault for address: ffffc90000000000"
found "BUG()" "kernel BUG at mm/page_table_check.c:118!"
found "WARN()" "WARNING: CPU: 1 PID: 77 at module/space.c:170 space_release+0x1/0x2 [vmdemo]"
found "oops" "Oops: general protection fault, probably for non-canonical address 0xdead"
found "panic" "Kernel panic - not syncing: Fatal exception"
found "KASAN" "BUG: KASAN: slab-use-after-free in vmd_fill+0x1/0x2 [vmdemo]"
found "UBSAN" "UBSAN: shift-out-of-bounds in module/stats.c:12:3"
found "SLUB" "BUG kmalloc-64 (Tainted: G           O      ): Right Redzone overwritten"
found "page poisoning" "pagealloc: memory corruption"
found "bad page" "BUG: Bad page state in process test  pfn:0a1b2"
found "counters of a process" "BUG: Bad rss-counter state mm:00000000 type:MM_SHMEMPAGES val:1"
found "list debugging" "list_del corruption. prev->next should be ffff, but was dead"
found "reference counts" "refcount_t: underflow; use-after-free."
found "object debugging" "ODEBUG: free active (active state 0) object: 00000000 object type: timer_list"
found "kmemleak, in its words" "kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)"
found "kmemleak, a leak" "unreferenced object 0xffff888004c3a000 (size 64):"
found "lockdep, circle" "WARNING: possible circular locking dependency detected"
found "lockdep, recursion" "WARNING: possible recursive locking detected"
found "lockdep, interrupts" "WARNING: inconsistent lock state"
found "lockdep, context" "[ BUG: Invalid wait context ]"
found "lockdep, no key" "INFO: trying to register non-static key."
found "lockdep, balance" "WARNING: bad unlock balance detected!"
found "lockdep, left held" "WARNING: lock held when returning to user space!"
found "RCU usage" "WARNING: suspicious RCU usage"
found "atomic sleep" "BUG: sleeping function called from invalid context at mm/util.c:1"
found "atomic schedule" "BUG: scheduling while atomic: test/77/0x00000002"
found "hung task" "INFO: task test:77 blocked for more than 120 seconds."
found "soft lockup" "watchdog: BUG: soft lockup - CPU#1 stuck for 67s! [test:77]"
found "RCU stall" "rcu: INFO: rcu_preempt self-detected stall on CPU"
found "workqueue" "BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 121s!"
found "any trace" "Call Trace:"
found "out of pages" "test: page allocation failure: order:0, mode:0xcc0(GFP_KERNEL)"
expect clean "KCSAN, the core kernel's own race" < <(kcsan ext4_writepages "")
expect found "KCSAN, a frame of the module" < <(kcsan fill_publish " [vmdemo]")
expect found "KCSAN, a function by its name" < <(kcsan vmd_space_find "")
expect found "KCSAN, ours behind a foreign one" \
	< <(kcsan ext4_writepages "" && kcsan fill_publish " [vmdemo]")
expect found "something else amid a foreign race" \
	< <(kcsan ext4_writepages "" | sed 's/handle_mm_fault.*/&\n[ 9.0] BUG: KASAN: x/')
expect clean "KCSAN, a race of a file system at work for the module" \
	< <(kcsan ext4_writepages "" | deep "vfs_iocb_iter_write" "backing_rw" " [vmdemo]")
expect clean "KCSAN, a worker of the module is no frame of it" \
	< <(kcsan ext4_writepages "" | sed 's/CPU: 1 .*/&\n[ 9.0] Workqueue: vmdemo backing_file_work [vmdemo]/')
expect found "KCSAN, by what the module called" \
	< <(kcsan xas_load "" | sed 's/handle_mm_fault+/xa_load+/' | deep xa_load vmd_fill " [vmdemo]")
expect found "KCSAN, cut short" < <(kcsan fill_publish " [vmdemo]" | head -n 5)

# oops WORD BYTES: as the kernel shows where it stopped.
oops() {
	printf '[ 4.1] %s: 0000 [#1] SMP NOPTI\n[ 4.2] RIP: 0010:f+0x9/0x1f0\n[ 4.3] Code: f3 0f %s e8 c1\n' \
		"$1" "$2"
	printf '[ 4.4] Code: 00 c3 cc <cc> cc cc\n'
}

# stale yes|no NAME: what stale_code.sh says of the standard input.
stale() {
	local want=$1 name="stale code, $2" is=no

	tests=$((tests + 1))
	! vm/stale_code.sh - || is=yes
	if [ "$is" = "$want" ]; then
		passed=$((passed + 1))
		echo "ok $tests - $name"
	else
		failed=$((failed + 1))
		echo "not ok $tests - $name: $is"
	fi
}

stale yes "no int3 in memory" < <(oops "Oops: int3" "66 <90>")
stale yes "before 6.12" < <(oops int3 "66 <90>")
stale no "an int3 in memory" < <(oops "Oops: int3" "cc <90>")
stale no "another oops" < <(oops "Oops: general protection fault" "66 <90>")
stale no "no bytes" < <(oops "Oops: int3" "66 <90>" | grep -v Code)
stale no "a healthy log" < <(echo "[ 4.3] Code: 66 <90>")

echo "$passed passed, $failed failed"
[ $failed = 0 ]
