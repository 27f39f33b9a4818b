#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Other people's programs on the device: fio, which verifies what it wrote, and
# stress-ng. Runs as root in a guest with the module loaded, prints TAP.
# usage: stress.sh
# environment: VMD_TEST_SCALE multiplies how long it takes
# shellcheck disable=SC2317 # most functions are called through check

DEV=/dev/vmdemo
PARAMS=/sys/module/vmdemo/parameters
SCALE=${VMD_TEST_SCALE:-1}
SECONDS_EACH=$((8 * SCALE))
TMP=$(mktemp -d /tmp/vmdemo-stress.XXXXXX)
n=0
failed=0

# check NAME COMMAND...: the command succeeds.
check() {
	local name=$1 word="ok"

	shift
	n=$((n + 1))
	if ! "$@" >"$TMP/out" 2>&1; then
		word="not ok"
		failed=1
		tail -n 40 "$TMP/out" | sed 's/^/# /'
	fi
	echo "$word $n $name"
}

value() {
	awk -v name="$1" '$1 == name { print $2 }' /proc/vmdemo/stats
}

# with_budget FRAMES COMMAND...: spaces opened meanwhile start with so few.
with_budget() {
	local before status=0

	before=$(cat "$PARAMS/budget")
	echo "$1" >"$PARAMS/budget" || return 1
	shift
	"$@" || status=$?
	echo "$before" >"$PARAMS/budget"
	return "$status"
}

# evicted COMMAND...: it succeeds, and pages were evicted and read back.
evicted() {
	local out in

	out=$(value evictions) in=$(value pages_read)
	"$@" || return 1
	out=$(($(value evictions) - out)) in=$(($(value pages_read) - in))
	echo "evicted $out, read back $in"
	[ "$out" -gt 0 ] && [ "$in" -gt 0 ]
}

# fio opens its file again to verify it, and each open() is a fresh space; so
# all opens of fio are made one space's. Without that it must find nothing.
run_fio() {
	local engine=$1 rw=$2

	shift 2
	fio --name=vmdemo --filename="$DEV" --filesize=8M --size=8M \
		--rw="$rw" --ioengine="$engine" --verify=crc32c --do_verify=1 \
		--verify_fatal=1 --allow_file_create=0 "$@"
}

# All blocks that fio says it has written it has also read.
verified_by_fio() {
	LD_PRELOAD=$PWD/oneopen.so run_fio "$@" >"$TMP/fio" 2>&1 ||
		{ cat "$TMP/fio"; return 1; }
	cat "$TMP/fio"
	awk '/issued rwts/ { split(substr($3, 7), n, ",")
		seen = 1; bad += n[2] == 0 || n[1] < n[2] }
		END { exit !seen || bad }' "$TMP/fio"
}

# That the test can fail: a fresh space has not what was written to another.
not_verified_in_another_space() {
	! run_fio psync write --size=64k
}

test_fio() {
	local engine rw

	check "fio finds nothing of another open's" not_verified_in_another_space
	for engine in psync mmap sync pvsync; do
		for rw in write randwrite randrw; do
			check "fio, $engine, $rw, verified, in 256 frames" \
				with_budget 256 evicted \
				verified_by_fio "$engine" "$rw"
		done
	done
	check "fio, psync, randrw of 512 bytes to 64 KiB, verified" \
		with_budget 64 evicted \
		verified_by_fio psync randwrite --bsrange=512-64k
	check "fio, mmap, two jobs in one space, verified" \
		with_budget 300 evicted verified_by_fio mmap randwrite \
		--numjobs=2 --thread --offset_increment=8M
}

# stress_ng SECONDS ARGUMENTS...: none of its stressors failed.
stress_ng() {
	local limit=$1

	shift
	(cd "$TMP" && stress-ng --timeout "${limit}s" --oomable "$@") 2>&1
}

# A child of ours writes and verifies beside it, under pressure.
beside() {
	local status=0 stress

	stress_ng "$SECONDS_EACH" "$@" >"$TMP/stress" &
	stress=$!
	while kill -0 "$stress" 2>/dev/null; do
		./churn 512 64 2 || { echo "churn: $?" && status=1; }
	done
	wait "$stress" || status=1
	cat "$TMP/stress"
	return "$status"
}

test_stress_ng() {
	check "stress-ng: its device stressor on the device" \
		stress_ng "$SECONDS_EACH" --dev 4 --dev-file "$DEV"
	check "churn beside stress-ng's memory stressors" \
		beside --vm 2 --vm-bytes 128M --fork 2
	check "churn beside mmap, mremap, madvise stressors" \
		beside --mmap 1 --mmap-bytes 32M --mremap 1 --madvise 1
	check "churn beside the device stressor" \
		beside --dev 2 --dev-file "$DEV"
}

echo "TAP version 13"
test_fio
test_stress_ng
rm -rf "$TMP"
echo "1..$n"
exit $failed
