#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The measurements of locks.sh, in a guest with several CPUs. A kernel as it is
# distributed has no lock statistics; it has a tracepoint where a mutex or an
# rwsem is waited for, and a function that is called where a spinlock is. Each is
# counted with its call stack. So is how often a fault takes the mm's lock for
# want of the VMA's own. Prints, for locks.awk:
#
#	run LOAD THREADS MICROSECONDS SOFT MISSES STALLS
#	mmap FAULTS
#	ipis INTERRUPTS		of CPUs by one another, to forget translations
#	HITCOUNT KIND FUNCTION<FUNCTION<...
#
# usage: bench_locks.sh [--peers] ROUNDS MS LOAD... -- THREADS...
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=lib.sh
. ./bench_lib.sh
TRACING=/sys/kernel/tracing
SPIN=$TRACING/events/vmdlocks/spin
MMAP=$TRACING/events/vmdlocks/mmap
SLEEP=$TRACING/events/lock/contention_begin

# A mutex says so twice where it sleeps after it has spun: flags 32, the second.
# Spinlocks say so only from the third that waits on (flags 1): not used.
set_up() {
	echo 'p:vmdlocks/spin native_queued_spin_lock_slowpath' >$TRACING/kprobe_events &&
		echo 'p:vmdlocks/mmap lock_mm_and_find_vma' >>$TRACING/kprobe_events &&
		[ -e $SLEEP ] || exit 1
	cat >/tmp/begin <<-END
	#!/bin/sh
	grep -E '^ *(CAL|TLB):' /proc/interrupts >/tmp/ipis
	echo 'hist:keys=stacktrace:size=8192' >$SPIN/trigger
	echo 'hist:keys=stacktrace:size=8192 if flags != 1 && flags != 32' >$SLEEP/trigger
	echo 'hist:keys=common_pid if comm == "bench"' >$MMAP/trigger
	END
	cat >/tmp/end <<-END
	#!/bin/sh
	cat $SPIN/hist >/tmp/spin
	cat $SLEEP/hist >/tmp/sleep
	cat $MMAP/hist >/tmp/mmap
	grep -E '^ *(CAL|TLB):' /proc/interrupts >>/tmp/ipis
	echo '!hist:keys=common_pid if comm == "bench"' >$MMAP/trigger
	echo '!hist:keys=stacktrace:size=8192' >$SPIN/trigger
	echo '!hist:keys=stacktrace:size=8192 if flags != 1 && flags != 32' >$SLEEP/trigger
	END
	chmod +x /tmp/begin /tmp/end
}

# A stack is several lines, then its hitcount.
stacks() {
	awk -v kind="$1" '
	/stacktrace/ { stack = ""; next }
	/hitcount:/ {
		sub(/.*hitcount: */, "")
		print $1, kind, stack
		next
	}
	/Dropped:/ && $2 + 0 { print $2, kind, "dropped" }
	/\+0x/ {
		name = $1
		sub(/\+0x.*/, "", name)
		stack = stack "<" name ($0 ~ /\[vmdemo\]/ ? "[vmdemo]" : "")
	}' "/tmp/$1"
}

# one NAME THREADS LOAD WHAT [COMMAND...]: the last to run the program by.
one() {
	local name=$1 threads=$2 load=$3 what=$4 line

	shift 4
	line=$(BENCH_BEFORE=/tmp/begin BENCH_AFTER=/tmp/end \
		"$@" ./bench locks "$what" "$load" "$threads" "$MS") || {
		echo "failed: $name with $threads threads"
		return
	}
	echo "run $name $threads $line"
	awk '/Hits:/ { print "mmap", $2 }' /tmp/mmap
	awk '{ for (i = 2; $i ~ /^[0-9]+$/; i++) n += NR > 2 ? $i : -$i } END { print "ipis", n }' \
		/tmp/ipis
	stacks spin
	stacks sleep
}

# Of 16 MiB 6 fit, and the program itself.
one_peer() {
	if [ "$1" = soft ]; then
		one soft-tmpfs "$2" soft /dev/shm/bench env
		rm -f /dev/shm/bench
	else
		one "$1-swap" "$2" "$1" anon in_group 7M
	fi
}

peers=
if [ "$1" = --peers ]; then
	peers=1
	shift
fi
rounds=$1
MS=$2
shift 2
loads=()
while [ "$1" != -- ]; do
	loads+=("$1")
	shift
done
shift
make_devices
set_up
echo "release $(uname -r)"
echo "cpus $(nproc)"
for ((i = 0; i < rounds; i++)); do
	for load in "${loads[@]}"; do
		[ -z "$peers" ] || use_swap
		for threads in ${peers:+"$@"}; do
			one_peer "$load" "$threads"
		done
		load_vmdemo
		for threads; do
			one "$load" "$threads" "$load" vmdemo env
		done
	done
done
echo >$TRACING/kprobe_events
release_device
