#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# All tests that need the device, as root in a guest. A last line for each half:
# the programs' results, then those of the tool's own tests on the real device.
cd "$(dirname "$0")" || exit 1
status=0

VMD_PROGRAMS=$PWD ./run_tests.sh vmdemo.ko "$@" || status=1

echo "# ---- vmdemoctl on the device"
insmod vmdemo.ko || status=1
tool-tests/cli.sh ./vmdemoctl || status=1
./tracers.sh ./vmdemoctl || status=1
rmmod vmdemo || { echo "0 passed, 1 failed" && status=1; }
exit $status
