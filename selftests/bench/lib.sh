# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # sourced by the guest's scripts
# Devices, groups and figures of the measurements in a guest.

BUDGET=12288			# frames: 48 MiB of the 128
DEVICE=/dev/ram0
FILE=/mnt/file
CGROUP=/sys/fs/cgroup/bench

# A RAM disk gets its memory when it is written: here, not while it is measured.
make_devices() {
	modprobe brd rd_nr=1 rd_size=262144 || exit 1
	dd if=/dev/zero of=$DEVICE bs=1M count=256 oflag=direct 2>/dev/null || exit 1
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
}

# The device changes hands: swap, a file system, or vmdemo's own.
release_device() {
	! swapon --noheadings --show=NAME | grep -q . || swapoff -a
	! grep -q '^vmdemo ' /proc/modules || rmmod vmdemo
}

use_swap() {
	release_device
	mkswap $DEVICE >/dev/null && swapon $DEVICE || exit 1
}

# On the device, unless a file system is there.
load_vmdemo() {
	local backing=()

	grep -q "^$DEVICE " /proc/mounts || backing=("backing=$DEVICE")
	release_device
	insmod ./vmdemo.ko max_frames=100000 ${backing[@]+"${backing[@]}"} || exit 1
}

mount_file_system() {
	release_device
	mkfs.ext4 -q -b 4096 -E lazy_itable_init=0,lazy_journal_init=0 $DEVICE &&
		mount $DEVICE /mnt &&
		dd if=/dev/zero of=$FILE bs=1M count=128 conv=fsync 2>/dev/null || exit 1
}

# Nothing of the file in memory, whoever would have to pay for it.
cold() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
}

settle() {
	sync
	sleep 3
}

policies() {
	./vmdemoctl policies | awk '/^[a-z0-9]/ && $1 != "opt" { print $1 }'
}

# in_group LIMIT COMMAND...: in a memory cgroup of its own.
in_group() {
	local limit=$1 status

	shift
	mkdir -p $CGROUP
	echo "$limit" >$CGROUP/memory.max
	(
		echo $BASHPID >$CGROUP/cgroup.procs
		exec "$@"
	)
	status=$?
	rmdir $CGROUP
	return $status
}

limited() {
	in_group 48M "$@"
}

# For vmdemo, whose budget is the limit: charged, but not bound.
unlimited() {
	in_group max "$@"
}

# figure NAME WHO COMMAND...
figure() {
	local name=$1 who=$2 value

	shift 2
	settle
	value=$("$@") && echo "$name $who $value" || echo "failed: $name $who: $*"
}
