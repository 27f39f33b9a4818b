#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The profile of "bench.sh --profile", in a guest whose clock counts instructions:
# one sample every 99991 of them (a prime, so as not to fall in step with faults);
# each takes some 10000 itself.
#
# usage: bench_profile.sh [WHAT ORDER ACCESS BUDGET [POLICY]]
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=lib.sh
. ./bench_lib.sh

[ $# -gt 0 ] || set -- vmdemo random write "$BUDGET"
make_devices
[[ $1 != *:* ]] || mount_file_system
load_vmdemo
settle
mkfifo /tmp/control /tmp/answer
BENCH_BEFORE="echo enable >/tmp/control; read _ </tmp/answer" \
BENCH_AFTER="echo disable >/tmp/control; read _ </tmp/answer" \
	perf record -q -a -g -e cpu-clock -c 99991 -D -1 -o /tmp/perf.data \
	--control fifo:/tmp/control,/tmp/answer -- ./bench "${VERB:-miss}" "$@"
echo "# share of each function with what it calls"
perf report -q -i /tmp/perf.data --children --sort symbol -g none --percent-limit 0.7 2>/dev/null |
	sed 's/ *$//'
echo "# share of each function alone"
perf report -q -i /tmp/perf.data --no-children --sort symbol -g none --percent-limit 0.7 2>/dev/null |
	sed 's/ *$//'
