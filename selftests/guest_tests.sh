#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# All tests that need the device, as root in a guest. A last line for each part:
# the programs' results, those of spaces on files, those of the tool's own tests
# on the real device.
#
# usage: guest_tests.sh [PROGRAM...]
#        guest_tests.sh --leaks
#
# With --leaks, on a kernel that has kmemleak: the policies' vectors as KUnit, and
# some programs and the injection of faults, after which nothing may be lost.
#
# With a file "short" beside it the long tests do a quarter of their work, and
# what was not written here (fio, stress-ng) and breaks devices is left to the
# long run, every kind of file and the tool's own tests to kernels without
# sanitizers; with a file "races" there are only the programs whose threads meet.
cd "$(dirname "$0")" || exit 1
status=0
if [ "${1:-}" = --leaks ]; then
	export VMD_SHORT=1
	echo "# ---- KUnit"
	./kunit.sh vmdemo_policy_kunit.ko vectors.txt || status=1
	echo "# ---- leaks, and the injection of faults"
	./inject.sh vmdemo.ko test_device test_attach test_walk test_queues test_slots \
		test_refusals test_ioctl test_stats test_trace test_step test_observer \
		test_budget test_life test_place test_cow || status=1
	exit $status
fi
programs=("$@")
parts=()

if [ -e short ]; then
	export VMD_SHORT=1
	parts=(. kinds errors space)
	[ ! -e vmdemo_policy_kunit.ko ] || { parts=(. errors space) && export VMD_OPS=10000; }
fi
if [ -e races ]; then
	export VMD_SHORT=1 VMD_OPS=8000
	programs=(test_attach test_budget test_observer test_torture test_rw test_exerciser
		test_many)
fi

VMD_PROGRAMS=$PWD ./run_tests.sh vmdemo.ko ${programs[@]+"${programs[@]}"} || status=1
[ ! -e races ] || exit $status

./files.sh vmdemo.ko ${parts[@]+"${parts[@]}"} || status=1

echo "# ---- vmdemoctl on the device"
insmod vmdemo.ko || status=1
[ -e vmdemo_policy_kunit.ko ] || tool-tests/cli.sh --device ./vmdemoctl || status=1
./tracers.sh ./vmdemoctl || status=1
# A heap may be anywhere, also where vm/run.sh keeps addresses the same.
echo 2 > /proc/sys/kernel/randomize_va_space
./run.sh ./vmdemoctl || status=1
rmmod vmdemo || { echo "0 passed, 1 failed" && status=1; }
exit $status
