#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Run the kselftest programs of vmdemo, as root, in a guest that may be lost.
#
# usage: run_tests.sh MODULE.ko [PROGRAM...]
#
# Loads the module, runs every program (or those named), sees after each that
# no space, frame or splat is left, and says at the very end
# "N passed, N failed, N skipped". Exit status 0 only if nothing failed.
#
# environment:
#   VMD_PROGRAMS   where the programs are (default: where this script is)
#   VMD_VECTORS    policy vectors (default: vectors.txt or policy/vectors.txt there)
#   VMD_TEST_DIR   directory of files for I/O tests (default: an ext4 made here)
#   VMD_TEST_DISK  block device that life.sh may overwrite (default /dev/vmdisk0)
#   VMD_TEST_SCALE multiplies the work of the long tests (default 1)
#   VMD_LOAD_ARGS  module parameters to load with (default none; life.sh has its own)
#   VMD_TIMEOUT    seconds that a program may take (default 1500)

if [ $# -lt 1 ]; then
	sed -n '3,/^$/s/^# \{0,1\}//p' "$0" >&2
	exit 2
fi

KO=$(readlink -f "$1")
shift
DIR=${VMD_PROGRAMS:-$(cd "$(dirname "$0")" && pwd)}
TIMEOUT=${VMD_TIMEOUT:-1500}
# Of test_crypt's tests one is for when nobody has asked for a cipher yet.
ALL=(test_crypt test_device test_attach test_walk test_queues test_slots test_huge test_mapping test_transfer test_refusals test_ioctl
	test_stats test_trace test_shadow test_record test_future test_step test_advise test_isolation test_policy_exact
	test_observer test_around test_straddle test_budget test_overcommit test_torture test_rw
	test_limits test_pressure test_crypt_small test_life
	test_exerciser test_fuzz test_many test_reclaim test_place test_cow stress.sh life.sh)
# Not ours, and slow: for the long run.
[ -z "${VMD_SHORT:-}" ] || mapfile -t ALL < <(printf '%s\n' "${ALL[@]}" | grep -v stress)
SPLATS=$(cd "$(dirname "$0")" && pwd)/splats.sh

passed=0
failed=0
skipped=0
out=$(mktemp /tmp/vmdemo-out.XXXXXX)
log=$(mktemp /tmp/vmdemo-log.XXXXXX)

say() {
	echo "# run_tests.sh: $*"
}

fail() {
	failed=$((failed + 1))
	echo "not ok - $*"
}

# An ext4 for O_DIRECT: on the second blank disk, or on a loop device.
make_test_dir() {
	local dev=/dev/vmdisk1

	[ -z "$VMD_TEST_DIR" ] || return 0
	mkdir -p /tmp/vmdemo-ext4
	if [ ! -b $dev ]; then
		truncate -s 48M /tmp/vmdemo-ext4.img
		modprobe loop 2>/dev/null
		dev=$(losetup -f --show /tmp/vmdemo-ext4.img 2>/dev/null)
	fi
	if [ -n "$dev" ] && mkfs.ext4 -qF "$dev" >/dev/null 2>&1 &&
	   mount "$dev" /tmp/vmdemo-ext4; then
		export VMD_TEST_DIR=/tmp/vmdemo-ext4
	else
		say "no ext4 to be had: files of the I/O tests are in /tmp only"
	fi
}

find_vectors() {
	local f

	for f in "$DIR/vectors.txt" "$DIR/policy/vectors.txt"; do
		[ -n "$VMD_VECTORS" ] || [ ! -e "$f" ] || VMD_VECTORS=$f
	done
	export VMD_VECTORS
}

load_module() {
	# shellcheck disable=SC2086 # several words
	[ -d /sys/module/vmdemo ] || insmod "$KO" $VMD_LOAD_ARGS || return 1
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ ! -c /dev/vmdemo ] || return 0
		sleep 0.2
	done
	return 1
}

value() {
	awk -v name="$1" '$1 == name { print $2 }' /proc/vmdemo/stats
}

# Frames of pages in a pipe or under I/O may go a moment after their space.
nothing_held() {
	local left

	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		left="$(value spaces) $(value resident) $(value dirty)"
		[ "$left" != "0 0 0" ] || return 0
		sleep 0.2
	done
	fail "$1: left behind (spaces resident dirty): $left"
}

no_splat() {
	local found

	dmesg >"$log.now"
	# What was there before is told once only; the ring may have lost some.
	if ! found=$(diff "$log" "$log.now" | sed -n 's/^> //p' | "$SPLATS"); then
		fail "$1: the kernel complained"
		head -n 80 <<<"$found" | sed 's/^/# /'
	fi
	mv "$log.now" "$log"
}

count() {
	grep -cE "$1" "$out"
}

# TAP results of a program; one that died or said less than it planned failed.
add_results() {
	local name=$1 status=$2 ok not_ok skip plan

	skip=$(count '^ok .*# SKIP')
	ok=$(($(count '^ok ') - skip))
	not_ok=$(count '^not ok ')
	plan=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$out" | head -n 1)
	passed=$((passed + ok))
	failed=$((failed + not_ok))
	skipped=$((skipped + skip))
	if [ "$((ok + not_ok + skip))" != "${plan:-none}" ]; then
		fail "$name: ended early (status $status)"
	elif [ "$status" != 0 ] && [ "$not_ok" = 0 ]; then
		fail "$name: exit status $status"
	fi
}

# A file of 1024 pages where only the first 128 or so have room.
make_small_backing() {
	mkdir -p /tmp/vmdemo-small
	mountpoint -q /tmp/vmdemo-small ||
		mount -t tmpfs -o size=512K tmpfs /tmp/vmdemo-small
	rm -f /tmp/vmdemo-small/backing
	truncate -s 4M /tmp/vmdemo-small/backing
}

# Those that look at the backing need one of their own.
reload_for() {
	local backing

	case $1 in
	test_crypt | test_reclaim) backing=$VMD_TEST_DISK ;;
	test_crypt_small) backing=/tmp/vmdemo-small/backing && make_small_backing ;;
	*) return 0 ;;
	esac
	if ! rmmod vmdemo ||
	   ! VMD_LOAD_ARGS="$VMD_LOAD_ARGS backing=$backing" load_module; then
		fail "$1: cannot load the module with backing=$backing"
	fi
}

# The next one shall have the usual backing again.
reload_after() {
	case $1 in
	test_crypt | test_crypt_small | test_reclaim) rmmod vmdemo || fail "$1: the module stays" ;;
	esac
}

# Seconds that all CPUs together have worked since the boot.
busy() {
	awk '$1 == "cpu" { printf "%d", ($2 + $3 + $4 + $7 + $8) / 100 }' /proc/stat
}

run_program() {
	local name=$1 start=$SECONDS begun status args=()

	[ "$name" != life.sh ] || args=("$KO" "$DIR")
	echo "# ---- $name"
	begun=$(busy)
	(cd "$DIR" && exec timeout -k 10 "$TIMEOUT" "./$name" "${args[@]}") 2>&1 |
		tee "$out"
	status=${PIPESTATUS[0]}
	add_results "$name" "$status"
	say "$name took $((SECONDS - start)) s, $(($(busy) - begun)) s of it CPU"
}

: "${VMD_TEST_DISK:=/dev/vmdisk0}"
export VMD_TEST_DISK
[ $# -gt 0 ] || set -- "${ALL[@]}"
make_test_dir
find_vectors
dmesg >"$log"
load_module || fail "cannot load $KO"
[ $failed = 0 ] || set --
for name; do
	if [ ! -x "$DIR/$name" ]; then
		fail "$name: no such program in $DIR"
		continue
	fi
	reload_for "$name"
	run_program "$name"
	[ -e /proc/vmdemo/stats ] || load_module || fail "$name: module is gone"
	nothing_held "$name"
	reload_after "$name"
	[ -e /proc/vmdemo/stats ] || load_module || fail "cannot load $KO again"
	no_splat "$name"
done
rmmod vmdemo || fail "the module cannot be unloaded at the end"
no_splat "rmmod"
rm -f "$out" "$log"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
