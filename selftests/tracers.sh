#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The tracepoints, as perf, trace-cmd and bpftrace see them. The module is
# loaded. The last line is "N passed, N failed, N skipped".
#
# usage: tracers.sh VMDEMOCTL
set -uo pipefail

ctl=$(readlink -f "$1")
events="fault map evict read write policy budget"
passed=0 failed=0 skipped=0
tmp=$(mktemp -d /tmp/vmdemo-tracers.XXXXXX)
trap 'rm -rf "$tmp"' EXIT

# check NAME TOOL COMMAND...: skipped where there is no such tool.
check() {
	local name=$1 tool=$2

	shift 2
	if ! command -v "$tool" >/dev/null; then
		skipped=$((skipped + 1))
		echo "ok - $name # SKIP no $tool here"
	elif "$@" >"$tmp/said" 2>&1; then
		passed=$((passed + 1))
		echo "ok - $name"
	else
		failed=$((failed + 1))
		echo "not ok - $name"
		sed 's/^/#   /' "$tmp/said"
	fi
}

# all_named FILE PREFIX: every event is in FILE, with PREFIX before it.
all_named() {
	local e

	for e in $events; do
		grep -q "$2vmdemo_$e\b" "$1" || { echo "no $2vmdemo_$e" && return 1; }
	done
}

play() {
	"$ctl" play -q --policy lru --frames 2 1w 2w 3 1 2 3
}

perf_lists() {
	perf list 'vmdemo:*' >"$tmp/list" && all_named "$tmp/list" vmdemo:
}

trace_cmd_lists() {
	trace-cmd list -e '^vmdemo:' >"$tmp/list" && all_named "$tmp/list" vmdemo:
}

bpftrace_lists() {
	bpftrace -l 'tracepoint:vmdemo:*' >"$tmp/list" &&
		all_named "$tmp/list" tracepoint:vmdemo:
}

trace_cmd_records() {
	trace-cmd record -q -o "$tmp/trace.dat" -e vmdemo "$ctl" play -q \
		--policy lru --frames 2 1w 2w 3 1 2 3 >/dev/null || return 1
	trace-cmd report -i "$tmp/trace.dat" >"$tmp/report" || return 1
	grep -q 'vmdemo_evict:.*page=1 reason=dirty' "$tmp/report" &&
		grep -q 'vmdemo_read:.*page=1 ' "$tmp/report"
}

# The slow one under emulation: it is given time, and must count something.
bpftrace_counts() {
	timeout 120 bpftrace -c "$ctl play -q --policy lru --frames 2 1w 2w 3 1 2 3" \
		-e 'tracepoint:vmdemo:vmdemo_evict { @evictions = count(); }' >"$tmp/count" &&
		grep -q '^@evictions: [1-9]' "$tmp/count"
}

check "the module is in use" "$ctl" play
check "perf list names every event" perf perf_lists
check "trace-cmd list names every event" trace-cmd trace_cmd_lists
check "bpftrace -l names every event" bpftrace bpftrace_lists
check "trace-cmd records what a program did" trace-cmd trace_cmd_records
# It compiles with the types of the kernel, where that has them.
if [ -e /sys/kernel/btf/vmlinux ]; then
	check "bpftrace counts evictions" bpftrace bpftrace_counts
else
	skipped=$((skipped + 1))
	echo "ok - bpftrace counts evictions # SKIP this kernel has no BTF"
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
