#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# All tests, one part after the other: "make check".
#
# usage: check.sh [PART...]
#
# Each part says how many passed and failed; the last line adds them up. What a
# part printed is kept in build/check-KERNEL/PART.log. Parts, in order:
#   scanner    what finds complaints in a kernel's log
#   policy     the policies in user space, under the sanitizers
#   tools      vmdemoctl, and the experiments of docs/lab, as far as they go
#              without the device
#   bench      what compares figures of "make bench", against samples
#   style      checkpatch, sparse, warnings, shellcheck, manual pages
#   kernel     the kselftest programs, and vmdemoctl, on the device in a VM
#   leaks      KUnit, and the injection of faults, with kmemleak (kasan only)
#   smp        threads and processes on 8 CPUs (4 on a sanitizing kernel)
#   levels     two CPUs with page tables of five levels, and a page of 1 GiB
#   durable    a VM that is killed when it has synced, and one that looks
#   lab        make lab-shell, and the experiments that need the device
#   debian     the packages: built, installed, upgraded, purged in a VM, with DKMS
#   packaging  make, make install, modules_install, clean
#
# environment:
#   VMDEMO_KERNEL  6.1 (default), 6.12 or 7.2, or kasan or kcsan: a sanitizing
#                  kernel, which is built at first (a quarter of an hour)
#   VMD_PARTS      this is one of so many runs, each on another kernel, that share
#                  the operations of the exerciser and the calls of the fuzzer
#   VMDEMO_CACHE   where downloads and images are kept (default ~/.cache/vmdemo)
set -uo pipefail

TESTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(dirname "$TESTS_DIR")
KERNEL=${VMDEMO_KERNEL:-6.1}
LOGS=$TOP/build/check-$KERNEL
ALL=(scanner policy tools bench style kernel smp levels durable lab debian packaging)
[ "$KERNEL" != kasan ] || ALL+=(leaks)
unset MAKEFLAGS MAKELEVEL MFLAGS

# shellcheck source=vm/lib.sh
. "$TESTS_DIR/vm/lib.sh"
export CCACHE_BASEDIR=$TOP

passed=0
failed=0
skipped=0

say_part() {
	printf '\n== %s\n' "$*"
}

sanitizing() {
	[ "$KERNEL" = kasan ] || [ "$KERNEL" = kcsan ]
}

run_vm() {
	local which=(--kernel "$KERNEL") tree

	if sanitizing; then
		tree=$("$TESTS_DIR/vm/debug-kernel.sh" --flavour "$KERNEL") || return 1
		which=(--kernel-dir "$tree")
	fi
	"$TESTS_DIR/vm/run.sh" "${which[@]}" "$@"
}

# shellcheck disable=SC2317 # all parts are called by their names
part_setup() {
	local series=$KERNEL

	! sanitizing || series=6.1
	"$TESTS_DIR/vm/setup.sh" --kernel "$series" --check
}

# shellcheck disable=SC2317
part_scanner() {
	"$TESTS_DIR/splats_test.sh"
}

# shellcheck disable=SC2317
part_policy() {
	make -s -C "$TESTS_DIR/policy" O="$TOP/build/policy" ARGS="-n 10000" check
}

# shellcheck disable=SC2317
part_tools() {
	# Payloads are made of the same objects, perhaps just now.
	flock "$TOP/build/.payload.lock" make -s -C "$TOP/tools" &&
		make -s -C "$TOP/tools" check &&
		"$TESTS_DIR/lab_test.sh" && "$TESTS_DIR/lab.sh"
}

# shellcheck disable=SC2317
part_bench() {
	"$TESTS_DIR/bench/compare_test.sh"
}

# shellcheck disable=SC2317
part_style() {
	if sanitizing; then
		VMDEMO_KERNEL=6.1 "$TESTS_DIR/style.sh"
	else
		"$TESTS_DIR/style.sh"
	fi
}

# shellcheck disable=SC2317
part_packaging() {
	"$TESTS_DIR/packaging.sh"
}

# The disks are for the module's backing store and for an ext4. More memory would
# take longer to be filled, which some tests do to see what happens then.
# shellcheck disable=SC2317
part_kernel() {
	local dir=$TOP/build/payload-$KERNEL limit=3600 more=() vm=(--mem 1024 --low-res)

	! sanitizing || limit=4800
	# Nothing is looked for with kmemleak here, and its stacks are most of the time.
	[ "$KERNEL" != kasan ] || { more=(--sanitize) && vm+=(--append kmemleak=off); }
	# Of two CPUs that take turns, one that asks the other to flush its TLB waits
	# for a turn of a tenth of a second, each time. In the short runs there is
	# one: where they meet is for part smp, and for 6.1.
	[ "$KERNEL" = 6.1 ] || vm+=(--cpus 1)
	# Threads have to meet for KCSAN to see it.
	[ "$KERNEL" != kcsan ] || vm=(--mem 1024 --cpus 2 --parallel)
	"$TESTS_DIR/payload.sh" --kernel "$KERNEL" --tests ${more[@]+"${more[@]}"} "$dir" &&
		run_vm "${vm[@]}" --disk 128M --disk 512M --timeout "$limit" \
			--log "$LOGS/console.log" --payload "$dir" -- \
			env ${VMD_PARTS:+"VMD_PARTS=$VMD_PARTS"} ./guest_tests.sh
}

# shellcheck disable=SC2317
part_leaks() {
	local dir=$TOP/build/payload-$KERNEL-leaks

	"$TESTS_DIR/payload.sh" --kernel kasan --tests --sanitize "$dir" &&
		run_vm --mem 1024 --low-res --cpus 1 --disk 128M --disk 512M --timeout 3600 \
			--log "$LOGS/console-leaks.log" --payload "$dir" -- ./guest_tests.sh --leaks
}

has_payload() {
	[ -x "$1/test_torture" ] || "$TESTS_DIR/payload.sh" --kernel "$KERNEL" --tests "$1"
}

# More CPUs than there are here, and all at the same time: threads are stopped
# anywhere, locks held.
# shellcheck disable=SC2317
part_smp() {
	local dir=$TOP/build/payload-$KERNEL cpus=8 programs=(test_torture test_rw test_attach)

	# What waits for locks most of the time is too slow on a sanitizing kernel.
	if sanitizing; then
		cpus=4
	else
		programs+=(test_many test_limits test_budget test_observer)
	fi
	has_payload "$dir" &&
		run_vm --mem 1536 --cpus $cpus --parallel --disk 128M --disk 512M --timeout 900 \
			--log "$LOGS/console-smp.log" --payload "$dir" -- \
			env VMD_SHORT=1 ./run_tests.sh vmdemo.ko "${programs[@]}"
}

# shellcheck disable=SC2317
part_levels() {
	local dir=$TOP/build/payload-$KERNEL

	has_payload "$dir" &&
		run_vm --levels 5 --mem 2304 --append "hugepagesz=1G hugepages=1" --cpus 2 --disk 128M --disk 128M --timeout 600 \
			--log "$LOGS/console-levels.log" --payload "$dir" -- \
			env VMD_LEVELS=5 VMD_SHORT=1 ./run_tests.sh vmdemo.ko \
			test_walk test_mapping test_huge test_cow test_reclaim
}

# shellcheck disable=SC2317
part_durable() {
	local dir=$TOP/build/payload-$KERNEL which=(--kernel "$KERNEL") tree

	if [ "$KERNEL" = kasan ]; then
		tree=$("$TESTS_DIR/vm/debug-kernel.sh" --flavour kasan) || return 1
		which=(--kernel-dir "$tree")
	fi
	has_payload "$dir" && "$TESTS_DIR/durable.sh" "${which[@]}" "$dir"
}

# shellcheck disable=SC2317
part_lab() {
	local series=$KERNEL

	! sanitizing || series=6.1
	VMDEMO_KERNEL=$series "$TESTS_DIR/labshell_test.sh"
}

# shellcheck disable=SC2317
part_debian() {
	"$TESTS_DIR/debian.sh"
}

# Of lines "N passed, N failed[, N skipped]" a part may have several.
add_up() {
	local log=$1 status=$2 counts p f s

	counts=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$/\1 \2 \4/p' "$log")
	[ -n "$counts" ] || counts="0 1"
	[ "$status" = 0 ] || [ "$(awk '{ f += $2 } END { print f }' <<<"$counts")" != 0 ] ||
		counts+=$'\n'"0 1"
	while read -r p f s; do
		passed=$((passed + p))
		failed=$((failed + f))
		skipped=$((skipped + ${s:-0}))
	done <<<"$counts"
}

# The results of single tests that passed are for the log.
progress() {
	grep --line-buffered -vE '^(ok |# +(RUN|OK)|#  +(RUN|OK) )'
}

run_part() {
	local name=$1 log=$LOGS/$1.log start=$SECONDS status before=$failed cpu

	say_part "$name"
	cpu=$(cpu_seconds $$)
	"part_$name" 2>&1 | tee "$log" | progress
	status=${PIPESTATUS[0]}
	add_up "$log" "$status"
	if [ "$failed" = "$before" ]; then
		echo "== $name: all passed, $((SECONDS - start)) s, $(($(cpu_seconds $$) - cpu)) s of CPU"
	else
		echo "== $name: $((failed - before)) failed (exit status $status, $log), $((SECONDS - start)) s"
	fi
}

finish() {
	local skips=

	[ "$skipped" = 0 ] || skips=", $skipped skipped"
	echo
	echo "$passed passed, $failed failed$skips"
	[ "$failed" = 0 ]
}

for part; do
	[[ " ${ALL[*]} " == *" $part "* ]] || {
		echo "check.sh: no part '$part': one of ${ALL[*]}" >&2
		exit 2
	}
done
[ $# -gt 0 ] || set -- "${ALL[@]}"
mkdir -p "$LOGS"
say_part "setup"
if ! part_setup; then
	echo "check.sh: the set-up failed (see above): nothing was tested"
	failed=1
	set --
fi
use_ccache
for part; do
	run_part "$part"
done
finish
