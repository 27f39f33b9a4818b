#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The measurements of "make bench", in a guest whose clock counts instructions.
# Prints "SIZE PEER NAME VALUE" lines; bench.sh makes a table of them.
set -u
cd "$(dirname "$0")" || exit 1

LIMIT_MIB="32 48"		# a quarter of the 128 MiB, and what peers were measured with
cgroup=/sys/fs/cgroup/bench

settle() {
	sync
	sleep 3
}

# measure PREFIX COMMAND...
measure() {
	local prefix=$1

	shift
	settle
	"$@" | sed "s/^/$prefix /" || echo "failed: $*"
}

# In a group of its own, so what it has is limited to $1 MiB.
limited() {
	local mib=$1

	shift
	mkdir -p $cgroup
	echo "${mib}M" >$cgroup/memory.max
	(
		echo $BASHPID >$cgroup/cgroup.procs
		exec "$@"
	)
	rmdir $cgroup 2>/dev/null
}

modprobe brd rd_nr=2 rd_size=262144 || exit 1
mkswap /dev/ram1 >/dev/null && swapon /dev/ram1 || exit 1
# Both devices have their pages, or the first to come pays for them.
dd if=/dev/zero of=/dev/ram0 bs=1M count=160 oflag=direct 2>/dev/null
insmod ./vmdemo.ko backing=/dev/ram0 max_frames=100000 || exit 1
measure "- tmpfs" ./bench soft /dev/shm/bench
rm -f /dev/shm/bench
measure "- vmdemo" ./bench soft vmdemo
for mib in $LIMIT_MIB; do
	# The first round fills the swap device's pages; the second one counts.
	measure "$mib warm-up" limited "$mib" ./bench miss anon 0
	measure "$mib anon" limited "$mib" ./bench miss anon 0
	measure "$mib vmdemo" ./bench miss vmdemo $((mib * 256))
done
rmmod vmdemo
