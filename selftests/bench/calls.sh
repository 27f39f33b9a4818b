#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The counts of "bench.sh --calls", in a guest that calls.c watches: a pass over
# memory or a file, then the kernel's symbols.
#
# usage: bench_calls.sh [soft] WHAT ORDER ACCESS [BUDGET [POLICY]]
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=lib.sh
. ./bench_lib.sh

verb=miss
[ "$1" != soft ] || { verb=soft; shift; }
make_devices
[[ $1 != *:* ]] || { mount_file_system && cold; }
load_vmdemo
settle
BENCH_BEFORE="./bench mark" BENCH_AFTER="./bench mark" \
	unlimited ./bench "$verb" "$@" >/dev/null || exit 1
sort /proc/kallsyms
