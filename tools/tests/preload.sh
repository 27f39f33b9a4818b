#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The preload library of vmdemoctl run, with files in memory for spaces: part of
# "make check". (On the device: selftests/run.sh.)
#
# usage: preload.sh LIBRARY PROGRAM, both built by the Makefile.

library=$(readlink -f "$1")
tool=$(readlink -f "$2")

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# The same with the library as without; it knows by the process id that it is meant.
same() {	# SIZE PROGRAM...
	local size=$1
	shift
	"$@" > "$tmp/native" 2> "$tmp/err"
	# shellcheck disable=SC2016 # for the inner shell
	timeout 120 bash -c 'export VMDEMO_RUN="$$:1:$0:100:0:fault:lru"
		export LD_PRELOAD=$1:libmimalloc.so.2
		shift
		exec "$@"' "$size" "$library" "$@" > "$tmp/out" 2> "$tmp/err"
	status=$?
	[ $status -eq 0 ] && [ ! -s "$tmp/err" ] && cmp -s "$tmp/native" "$tmp/out"
	report $? "the same in a space: ${*##*/}"
}

mimalloc() {
	LD_PRELOAD=libmimalloc.so.2 true 2>&1 | grep -c 'cannot be preloaded'
}

if [ "$(mimalloc)" != 0 ]; then
	echo "# SKIP the preload library: no libmimalloc2.0"
	finish
	exit
fi
G=$((1 << 30))
same $G "$tool" threads 200
# What forks needs spaces that are private: run.sh, on the device.
same $G "$tool" mmap 4
same $G "$tool" exhaust 100
VMDEMO_RUN=1:1:1:1:0:fault:lru LD_PRELOAD=$library "$tool" exhaust 1 > "$tmp/out" 2> "$tmp/err"
grep -q 'apt-get install libmimalloc2.0' "$tmp/err"
report $? 'without mimalloc the package is named'
finish
