#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Spaces on files: on every kind of file and device, with what is below failing,
# and where locks could meet in a circle. Runs as root in a guest, prints TAP.
#
# usage: files.sh MODULE.ko [PROGRAM_DIR [PART...]]
#
# Parts: kinds errors space gone slow loops fuse memory power (default: all). The
# last line is "N passed, N failed, N skipped". Leaves the module unloaded.
#
# environment: FILE_TESTS  programs of part kinds (default: all of them)
# shellcheck disable=SC2317 # most functions are called through check

KO=$(readlink -f "${1:?usage: files.sh MODULE.ko [PROGRAM_DIR [PART...]]}")
DIR=$(cd "${2:-$(dirname "$0")}" && pwd)
TMP=$(mktemp -d /tmp/vmdemo-files.XXXXXX)
shift; shift
PARTS=("$@")
[ $# -gt 0 ] || PARTS=(kinds errors space gone slow loops fuse memory power)
: "${FILE_TESTS:=test_file test_file_back test_file_rules test_punch}"

# shellcheck source=files_lib.sh
. "$DIR/files_lib.sh"
# shellcheck source=files_errors.sh
. "$DIR/files_errors.sh"
# shellcheck source=files_hard.sh
. "$DIR/files_hard.sh"

# program KIND NAME: one of the test programs; each of its tests counts.
program() {
	local start=$SECONDS status line

	timeout -k 10 300 "$DIR/$2" >"$TMP/tap" 2>&1
	status=$?
	while read -r line; do
		case $line in
		"ok "*SKIP*) skip "$1: ${line#ok * }" ;;
		"ok "*) ok "$1: $2: ${line#ok * }" ;;
		"not ok "*) not_ok "$1: $2: ${line#not ok * }" ;;
		esac
	done <"$TMP/tap"
	if [ $status != 0 ] || ! grep -q '^# PASSED' "$TMP/tap"; then
		grep -q '^not ok' "$TMP/tap" || not_ok "$1: $2: exit status $status"
		grep -vE '^ok |# +(RUN|OK) |#  +(RUN|OK) ' "$TMP/tap" | sed 's/^/# /'
	fi
	echo "# $1: $2 took $((SECONDS - start)) s"
}

# on_directory KIND DIRECTORY
on_directory() {
	local t

	for t in $FILE_TESTS; do
		VMD_TEST_DIR=$2 program "$1" "$t"
	done
}

on_fs() {
	local type=$1 size=$2

	shift 2
	if new_fs "$type" "$size" "$@" 2>"$TMP/out"; then
		on_directory "$type" "$dir"
	elif grep -qw "$type" /proc/filesystems; then
		not_ok "$type: $(tr '\n' ' ' <"$TMP/out")"
	else
		skip "$type: not in this kernel"
	fi
}

on_overlay() {
	local d=$TMP/overlay

	mkdir -p "$d/lower" "$d/merged"
	new_fs ext4 256M || { not_ok "overlay: no ext4 for it"; return; }
	mkdir "$dir/upper" "$dir/work"
	mount -t overlay overlay -o "lowerdir=$d/lower,upperdir=$dir/upper,workdir=$dir/work" \
		"$d/merged" || { not_ok "overlay: mount"; return; }
	mounts=("$d/merged" "${mounts[@]}")
	on_directory overlay "$d/merged"
}

# Three sectors more than whole pages.
on_loop() {
	new_loop $((4096 * 1024 + 3 * 512)) || { not_ok "loop: no device"; return; }
	VMD_TEST_DEVICE=$device program loop test_file_block
}

# nbd_start [OPTION...]: of nbd-client.
nbd_start() {
	modprobe nbd nbds_max=2 2>/dev/null
	[ -b /dev/nbd0 ] && nbdkit -P "$TMP/nbdkit.pid" -i 127.0.0.1 memory 64M &&
		nbd-client 127.0.0.1 /dev/nbd0 -b 4096 "$@" >/dev/null
}

nbd_stop() {
	nbd-client -d /dev/nbd0 >/dev/null 2>&1
	[ ! -s "$TMP/nbdkit.pid" ] || kill "$(cat "$TMP/nbdkit.pid")" 2>/dev/null
	rm -f "$TMP/nbdkit.pid"
}

on_nbd() {
	if nbd_start >"$TMP/out" 2>&1; then
		VMD_TEST_DEVICE=/dev/nbd0 program nbd test_file_block
	elif [ -b /dev/nbd0 ]; then
		not_ok "nbd: $(tr '\n' ' ' <"$TMP/out")"
	else
		skip "nbd: not in this kernel"
	fi
	nbd_stop
}

part_kinds() {
	check "the module loads" reload
	on_fs ext4 256M
	export VMD_TEST_QUICK=1
	on_fs xfs 320M
	on_fs btrfs 256M
	mkdir "$TMP/tmpfs"
	on_directory tmpfs "$TMP/tmpfs"
	on_overlay
	on_loop
	on_nbd
}

modprobe loop 2>/dev/null
mkdir -p /var/tmp
echo "TAP version 13"
for part in "${PARTS[@]}"; do
	start=$SECONDS
	echo "# ---- files: $part"
	"part_$part"
	check "$part: the module can be unloaded" unload
	clean_up
	loops=()
	mounts=()
	maps=()
	echo "# $part took $((SECONDS - start)) s"
done
rm -rf "$TMP"
echo "1..$n"
echo "$((n - failed - skipped)) passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
