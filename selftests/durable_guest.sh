#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What durable.sh runs in its two VMs: durable_guest.sh write|check.
# shellcheck disable=SC2154 # some are set by files_lib.sh
cd "$(dirname "$0")" || exit 1
DIR=$PWD
KO=$PWD/vmdemo.ko
TMP=$(mktemp -d /tmp/vmdemo-durable.XXXXXX)
# shellcheck source=files_lib.sh
. ./files_lib.sh

DISK=$(readlink -f /dev/vmdisk0)
PAGES=512
FRAMES=64
# The first half of the disk holds a file system, the second is used as it is.
HALF=$(($(blockdev --getsz "$DISK") / 2))

halves() {
	modprobe dm-mod 2>/dev/null
	dmsetup create fs --table "0 $HALF linear $DISK 0" &&
		dmsetup create raw --table "0 $HALF linear $DISK $HALF" &&
		mkdir -p "$TMP/fs"
}

# Flushes that the disk has been asked for: field 16 of its statistics.
flushes() {
	awk '{ print $16 }' "/sys/block/${DISK##*/}/stat"
}

# grows WHAT COMMAND...: the agent's command makes the disk flush.
grows() {
	local before now what=$1

	before=$(flushes)
	shift
	expect "$what" a ok "$@"
	now=$(flushes)
	is "$what: the disk was flushed" yes \
		"$([ "$now" -gt "$before" ] && echo yes)"
}

# What is evicted is written, but no more is asked of the disk.
does_not_grow() {
	local before now

	before=$(flushes)
	expect "$1: pages are evicted" a ok evict
	now=$(flushes)
	is "$1: eviction alone flushes nothing" "$before" "$now"
}

# write_to NAME PATH TAG
write_to() {
	agent a
	expect "$1: a space" a ok open "$2" $FRAMES
	expect "$1: is written" a ok fill $PAGES "$3"
	expect "$1: and synced" a ok fsync 1
	sync
	expect "$1: is written again" a ok fill $PAGES "$4"
	does_not_grow "$1"
	expect "$1: and again" a ok fill $PAGES "$5"
	grows "$1: $6" "${@:6}"
}

do_write() {
	check "disk" halves
	# Nothing commits a transaction unless it is asked to, and no tables of
	# inodes are left to be zeroed later: each group ends with a flush.
	mkfs.ext4 -qF -E lazy_itable_init=0,lazy_journal_init=0 /dev/mapper/fs &&
		mount -o commit=3600 /dev/mapper/fs "$TMP/fs"
	for f in fsync msync; do
		head -c $((PAGES * 4096)) /dev/zero >"$TMP/fs/$f"
	done
	sync
	write_to "ext4 fsync" "$TMP/fs/fsync" 1000 2000 3000 fsync 1
	forget_later
	write_to "ext4 msync" "$TMP/fs/msync" 11000 12000 13000 msync
	forget_later
	write_to "device" /dev/mapper/raw 21000 22000 23000 fsync 1
	echo synced
	sleep 600
}

# The agent stays, and its space with it.
forget_later() {
	unset "agent_pid[a]"
}

# holds NAME PATH TAG: read by the module of the second VM, and without it.
holds() {
	agent a
	expect "$1: a space" a ok open "$2" $FRAMES
	expect "$1: all that was synced is there" a 0 check $PAGES "$3"
	expect "$1: read(2) of the file finds it too" a 0 file $PAGES "$3"
	quit a "$1"
}

do_check() {
	check "disk" halves
	check "the file system is mounted" mount /dev/mapper/fs "$TMP/fs"
	holds "ext4 fsync" "$TMP/fs/fsync" 3000
	holds "ext4 msync" "$TMP/fs/msync" 13000
	holds "device" /dev/mapper/raw 23000
	check "the module can be unloaded" unload
}

check "the module loads" reload
"do_$1"
[ "$failed" = 0 ]
