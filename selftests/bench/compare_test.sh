#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Does compare.sh find what it has to, and nothing else? Does report.awk write
# what compare.sh reads? Does locks.awk count right? Needs no VM.
set -uo pipefail

BENCH_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0
failed=0

# result NAME STATUS: 0 is good.
result() {
	if [ "$2" = 0 ]; then
		passed=$((passed + 1))
		echo "ok $((passed + failed)) - $1"
	else
		failed=$((failed + 1))
		echo "not ok $((passed + failed)) - $1"
		sed 's/^/# /' "$dir/out"
	fi
}

# make_run FILE SOFT_OURS FILE_OURS [PEER [RELEASE]]: what guest.sh would print.
make_run() {
	printf '%s\n' "release - ${5:-6.1.0-1-amd64}" \
		"soft_random_read peer ${4:-2000}" "soft_random_read ours $2" \
		"file_random_read peer 20000" "file_random_read ours $3" \
		"policy_lru ours 1049" "policy_lru peer 1000" "floor_fault - 1300" >"$dir/raw.txt"
	report json >"$1"
}

report() {
	awk -v kernel=6.1 -v form="$1" -f "$BENCH_DIR/report.awk" "$BENCH_DIR/rows.txt" "$dir/raw.txt"
}

# expect NAME STATUS [TEXT [NOT]]: of the comparison of run.json.
expect() {
	local rc=0

	"$BENCH_DIR/compare.sh" "$dir/run.json" "$dir/committed.json" >"$dir/out" 2>&1 || rc=$?
	[ "$rc" = "$2" ] && grep -qF -- "${3-}" "$dir/out" &&
		! { [ $# -gt 3 ] && grep -qF -- "$4" "$dir/out"; }
	result "$1" $?
}

make_run "$dir/committed.json" 1000 10000
cp "$dir/committed.json" "$dir/run.json"
expect "the same figures pass" 0 "3 rows compared, 0 worse" "FAIL"
make_run "$dir/run.json" 1030 10000
expect "3.0 % more passes" 0 "" "FAIL"
make_run "$dir/run.json" 1031 10000
expect "3.1 % more fails, with the row and both figures" 1 \
	"FAIL: soft_random_read: 1031 instructions, committed are 1000: 3.1 % more" "file_random_read"
make_run "$dir/run.json" 1031 10400
expect "each row that is worse is named" 1 "FAIL: file_random_read: 10400 instructions, committed are 10000"
make_run "$dir/run.json" 900 10000
expect "10 % less passes, and is told" 0 "better: soft_random_read: 900 instructions, committed are 1000"
make_run "$dir/run.json" 1000 10000 2500
expect "a peer that changed does not fail, and is told" 0 "note: soft_random_read: the peer takes 2500" "FAIL"
make_run "$dir/run.json" 1000 10000 2000 6.1.0-2-amd64
expect "another kernel is told" 0 "is of Linux 6.1.0-2-amd64"
grep -v policy_lru "$dir/committed.json" >"$dir/run.json"
expect "a row that is missing fails" 1 "FAIL: policy_lru: not in the run; committed are 1049"
cp "$dir/committed.json" "$dir/run.json"
grep -v policy_lru "$dir/run.json" >"$dir/committed.json"
expect "a row that is new passes, and is told" 0 "new: policy_lru: 1049"
echo "{ }" >"$dir/run.json"
expect "a file that is none of ours is refused" 2 "no rows in it"
rm "$dir/run.json"
expect "a file that is not there is refused" 2 "no such file"

# has TEXT: in the table.
has() {
	report table | tee "$dir/out" | grep -qE -- "$1"
}

make_run "$dir/run.json" 1200 9100
has 'soft fault, random read +1200 +2000 tmpfs +0.60 +0.75 +0.60 +aim$'
result "a ratio at the aim says so" $?
has 'file, random read +9100 +20000 mmap +0.46 +0.45 +0.33 +missed$'
result "a ratio above both marks says missed" $?
has 'a miss with policy lru +1049 +1000 fifo +1.05 +1.15 +1.05 +aim$'
result "a policy is a row by its own name" $?
printf '%s\n' "misses_mglru_sort ours 900" "misses_mglru_sort peer 1000" >>"$dir/raw.txt"
has 'pages read again by sort +900 +1000 mglru +0.90 +- +- +-$'
result "a program is a row by its own name" $?
make_run "$dir/run.json" 1400 9000
has 'soft fault, random read .*must$'
result "a ratio between the marks says must" $?
if command -v python3 >/dev/null; then
	python3 -m json.tool "$dir/run.json" >"$dir/out" 2>&1
	result "the figures are JSON" $?
fi

# locks.awk: two rounds of one load, with stacks as locks_guest.sh prints them.
make_locks() {
	local trap="<kprobe_ftrace_handler<native_queued_spin_lock_slowpath<_raw_spin_lock"

	cat >"$dir/locks.txt" <<-END
	release 6.1.0-1-amd64
	cpus 8
	run read 8 1000000 400 600 20
	mmap 30
	ipis 7000
	$1 spin $trap<vmd_decide_inserted[vmdemo]<vmd_fault[vmdemo]<exc_page_fault
	2 sleep <__mutex_lock.constprop.0<vmd_evict[vmdemo]<vmd_fault[vmdemo]<exc_page_fault
	4 spin $trap<unmap_page_range<vmd_frames_unmap[vmdemo]<exc_page_fault
	1 spin $trap<scheduler_tick<asm_sysvec_apic_timer_interrupt<vmd_fault[vmdemo]<exc_page_fault
	3 sleep <down_read_killable<lock_mm_and_find_vma<exc_page_fault
	run read 1 1000000 0 500 0
	END
}

# locks FORM MOST
locks() {
	awk -v form="$1" -v most="$2" -v kernel=6.1 -f "$BENCH_DIR/locks.awk" "$dir/locks.txt" \
		>"$dir/out" 2>&1
}

make_locks 5
locks table 20 && grep -Eq '^read +8 +1000 +20.0 +30.0 +7000 +7.00 +4.00 +3.00 +1.00 +15.00$' "$dir/out"
result "locks: who wanted them, for each 1000 faults" $?
grep -q ' 2.00 sleep vmd_evict' "$dir/out" && ! grep -q ' _*mutex_lock' "$dir/out"
result "locks: it is the caller that is named" $?
make_locks 15
! locks table 20 && grep -q 'read 8 threads: 25.0 contended' "$dir/out"
result "locks: too many of them fail" $?
sed -i 's/^run read 8 /run read-swap 8 /' "$dir/locks.txt"
locks table 20 && grep -Eq '^read-swap +8 +1000 ' "$dir/out"
result "locks: of the kernel's own there may be any number" $?
sed -i 's/^run read 1 .*/run read 1 1000000 0 0 0/' "$dir/locks.txt"
! locks table 100 && grep -q 'read 1 threads: no faults' "$dir/out"
result "locks: no faults are no figure" $?
: >"$dir/locks.txt"
! locks table 20
result "locks: nothing measured is no result" $?
if command -v python3 >/dev/null; then
	make_locks 5
	locks json "" && python3 -m json.tool "$dir/out" >/dev/null
	result "locks: the figures are JSON" $?
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
