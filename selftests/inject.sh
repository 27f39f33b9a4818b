#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The fault-injection sweep (inject.c), as root in a guest whose kernel injects
# faults and has kmemleak. The last line is "N passed, N failed, N skipped".
#
# usage: inject.sh MODULE.ko [PROGRAM...]
#
# Programs named are run at first, with the usual store: what they leak is found too.
# The store is on a RAM disk, so that whoever evicts makes the requests, and
# nothing is waited for.
set -u

cd "$(dirname "$0")" || exit 1
ko=${1:?usage: inject.sh MODULE.ko [PROGRAM...]}
shift
disk=/dev/ram0
kmemleak=/sys/kernel/debug/kmemleak
status=0

# Written once, it needs no more memory.
modprobe brd rd_nr=1 rd_size=2048 || status=1
dd if=/dev/zero of=$disk bs=64k count=32 conv=fsync status=none || status=1

# What the rest of the system has leaked before is no business of ours.
echo clear >$kmemleak || status=1

[ $# = 0 ] || ./run_tests.sh "$ko" "$@" || status=1

# After fork() each page is copied when it is written to next. Where the kernel does
# that write, for rseq(2) when the thread was preempted, and the copy's page is the one
# that fails, it has no other answer than SIGSEGV.
export GLIBC_TUNABLES=glibc.pthread.rseq=0

# When the module goes it complains about slots that were not given back.
INJECT_DISK=${disk#/dev/} VMD_LOAD_ARGS=backing=$disk VMD_TIMEOUT=${VMD_TIMEOUT:-2400} \
	./run_tests.sh "$ko" inject || status=1

# Objects younger than five seconds are not looked at.
sleep 6
echo scan >$kmemleak
sleep 1
echo scan >$kmemleak
leaks=$(head -n 200 $kmemleak)
if [ -z "$leaks" ]; then
	echo "ok - nothing leaked"
	echo "1 passed, 0 failed"
else
	echo "not ok - nothing leaked"
	echo "$leaks" | awk '{ print "# " $0 }'
	echo "0 passed, 1 failed"
	status=1
fi
exit $status
