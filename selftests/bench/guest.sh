#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The measurements of "make bench", in a guest whose clock counts instructions.
# Prints "NAME ours|peer FIGURE" lines; report.awk makes a table of them.
#
# usage: bench_guest.sh [PART...]
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=lib.sh
. ./bench_lib.sh
# shellcheck source=programs.sh
. ./bench_programs.sh

part_soft() {
	local order access

	for access in read write; do
		for order in sequential random; do
			figure "soft_${order}_$access" peer unlimited ./bench soft /dev/shm/bench "$order" "$access"
			rm -f /dev/shm/bench
			load_vmdemo
			figure "soft_${order}_$access" ours unlimited ./bench soft vmdemo "$order" "$access"
		done
	done
}

# Each has the device to itself.
part_anon() {
	local order access

	for access in write read; do
		for order in random sequential; do
			use_swap
			figure "anon_${order}_$access" peer limited ./bench miss anon "$order" "$access"
			load_vmdemo
			figure "anon_${order}_$access" ours unlimited ./bench miss vmdemo "$order" "$access" "$BUDGET"
		done
	done
}

file_row() {
	cold
	figure "file_$1_$2" peer limited ./bench miss "$FILE" "$1" "$2"
	cold
	load_vmdemo
	figure "file_$1_$2" ours unlimited ./bench miss "vmdemo:$FILE" "$1" "$2" "$BUDGET"
}

# A pager of the program's own: both have a budget.
uffd_row() {
	cold
	figure "uffd_$1_read" peer unlimited ./bench miss "uffd:$FILE" "$1" read "$BUDGET"
	cold
	load_vmdemo
	figure "uffd_$1_read" ours unlimited ./bench miss "vmdemo:$FILE" "$1" read "$BUDGET"
}

part_file() {
	mount_file_system
	file_row random read
	file_row sequential read
	file_row random write
	uffd_row random
	uffd_row sequential
	umount /mnt
}

# Larger pages of ours against our usual ones: a byte of each 4 KiB is written.
part_huge() {
	local size

	load_vmdemo
	for size in 2M 64K; do
		settle
		echo "huge_$size ours $(unlimited ./bench miss "vmdemo/$size" sequential write "$BUDGET")"
		settle
		echo "huge_$size peer $(unlimited ./bench miss vmdemo sequential write "$BUDGET")"
	done
}

# Any page at any time: about as many misses for each.
part_policies() {
	local policy value fifo

	load_vmdemo
	fifo=$(settle && unlimited ./bench miss vmdemo uniform read "$BUDGET" fifo)
	for policy in $(policies); do
		[ "$policy" != fifo ] || continue
		value=$(settle && unlimited ./bench miss vmdemo uniform read "$BUDGET" "$policy")
		echo "policy_$policy ours $value"
		echo "policy_$policy peer $fifo"
	done
}

# What nobody can be cheaper than.
part_floor() {
	release_device
	echo "floor_fault - $(./bench zero)"
	echo "floor_read - $(./bench direct "$DEVICE" read)"
	echo "floor_write - $(./bench direct "$DEVICE" write)"
	load_vmdemo
	./bench bytes | awk '{ print "bytes_per_resident_page -", $1; print "bytes_per_evicted_page -", $2 }'
}

[ $# -gt 0 ] || set -- soft anon file huge policies floor
make_devices
echo "release - $(uname -r)"
for part; do
	"part_$part"
done
release_device
