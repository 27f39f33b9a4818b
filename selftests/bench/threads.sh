#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The measurements of "bench.sh --threads", in a guest with several CPUs and a
# disk. Prints "NAME ours|peer FIGURE" lines.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=lib.sh
. ./bench_lib.sh
# As it is called where it is mounted.
DEVICE=$(readlink -f /dev/vmdisk0)
# A quarter of what is read (and 1 MiB for the program itself): it has to end where
# CPUs are emulated, too.
BUDGET=1024

limited() {
	in_group 5M "$@"
}

show_latency() {
	read -r faults p50 p99 p999
	echo "latency_$1 - $faults faults, half below $p50 us, 99 % below $p99, 99.9 % below $p999"
}

echo "release - $(uname -r)"
echo "cpus - $(nproc)"
mount_file_system
for n in 1 2 4 8; do
	cold
	figure "threads_$n" peer limited ./bench threads "$FILE" 0 "$n"
	cold
	load_vmdemo
	figure "threads_$n" ours unlimited ./bench threads "vmdemo:$FILE" "$BUDGET" "$n"
done
./bench latency "vmdemo:$FILE" "$BUDGET" 5 | show_latency file
umount /mnt
load_vmdemo
./bench latency vmdemo "$BUDGET" 5 | show_latency memory
release_device
