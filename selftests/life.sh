#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Loading, unloading and module parameters. Runs as root in a guest, prints TAP.
# usage: life.sh MODULE.ko [PROGRAM_DIR]
# Leaves the module loaded with its default parameters.
# shellcheck disable=SC2317 # most functions are called through check

KO=${1:?usage: life.sh MODULE.ko [PROGRAM_DIR]}
DIR=${2:-$(dirname "$0")}
DEV=/dev/vmdemo
PARAMS=/sys/module/vmdemo/parameters
LOADS=40
STORE=16		# MiB of a small store
[ -z "${VMD_SHORT:-}" ] || { LOADS=8 && STORE=4; }
TMP=$(mktemp -d /tmp/vmdemo-life.XXXXXX)
n=0
failed=0

ok() {
	n=$((n + 1))
	echo "ok $n $1"
}

not_ok() {
	n=$((n + 1))
	failed=1
	echo "not ok $n $1"
}

skip() {
	n=$((n + 1))
	echo "ok $n # SKIP $1"
}

# check NAME COMMAND...: the command succeeds.
check() {
	local name=$1

	shift
	if "$@" >"$TMP/out" 2>&1; then
		ok "$name"
	else
		not_ok "$name"
		sed 's/^/# /' "$TMP/out"
	fi
}

loaded() {
	[ -d /sys/module/vmdemo ]
}

unload() {
	loaded || return 0
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		rmmod vmdemo 2>/dev/null && return 0
		sleep 0.2
	done
	echo "cannot unload: $(grep vmdemo /proc/modules)"
	return 1
}

load() {
	insmod "$KO" "$@"
}

# udev, where there is one, may be a little late.
node_is_there() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -c "$DEV" ] && return 0
		sleep 0.1
	done
	echo "no $DEV"
	return 1
}

nothing_left() {
	local left=0 f

	for f in $DEV /sys/module/vmdemo /proc/vmdemo /sys/kernel/debug/vmdemo \
		/sys/class/misc/vmdemo /sys/class/vmdemo \
		/sys/kernel/tracing/events/vmdemo; do
		[ ! -e "$f" ] || { echo "$f is left" && left=1; }
	done
	grep -q vmdemo /proc/devices /proc/misc && echo "number is left" && left=1
	return "$left"
}

# One line of a fresh space: key=value pairs.
fresh_space() {
	exec 9<>"$DEV" || return 1
	tail -n 1 /proc/vmdemo/spaces
	exec 9>&-
}

# has LINE WORD: LINE has it between blanks.
has() {
	case " $1 " in
	*" $2 "*) return 0 ;;
	esac
	echo "no '$2' in '$1'"
	return 1
}

told() {
	dmesg | grep -c vmdemo
}

# And the log says why.
refused_and_nothing_left() {
	local before error

	before=$(told)
	if error=$(load "$@" 2>&1); then
		echo "insmod accepted: $*"
		unload
		return 1
	fi
	echo "$error" | grep 'could not insert module' || return 1
	[ "$(told)" -gt "$before" ] || { echo "no reason in the log"; return 1; }
	nothing_left
}

accepted() {
	load "$@" && node_is_there && unload && nothing_left
}

# space_starts PARAMETERS... -- WORD: a fresh space's line has the word.
space_starts() {
	local params=() line

	while [ "$1" != -- ]; do
		params+=("$1")
		shift
	done
	load "${params[@]}" && node_is_there || return 1
	line=$(fresh_space)
	has "$line" "$2" || { unload; return 1; }
	unload
}

test_loads() {
	local i

	for ((i = 0; i < LOADS; i++)); do
		load && node_is_there || return 1
		# Every other time somebody uses it.
		[ $((i % 2)) = 0 ] || "$DIR/churn" 64 16 1 || return 1
		unload || return 1
	done
	nothing_left
}

# some WORD...: all of them, or in a run that is to be short every fourth.
some() {
	local i

	for ((i = 1; i <= $#; i++)); do
		[ -n "${VMD_SHORT:-}" ] && [ $((i % 4)) != 0 ] || echo "${!i}"
	done
}

test_bad_parameters() {
	local p

	for p in $(some policy=nonsense policy= policy=lru:x=1 policy=random:seed=x \
		policy=LRU policy=opt observer=nonsense observer= observer=Trap budget=0 \
		budget=-1 budget=x budget=99999999999999999999 max_frames=0 \
		max_frames=-1 size=7 size=4097 size=-4096 max_size=7 max_size=0 \
		backing=/nonexistent backing=/nonexistent/file \
		backing=/dev/null mode=01000 mode=07777 mode=0999 mode=rw \
		mode=-1 encrypt=x); do
		check "insmod refuses $p, nothing left behind" \
			refused_and_nothing_left "$p"
	done
	check "insmod refuses a budget above max_frames" \
		refused_and_nothing_left budget=101 max_frames=100
	check "insmod refuses a size above max_size" \
		refused_and_nothing_left size=1048576 max_size=65536
}

test_good_parameters() {
	local p

	for p in $(some second-chance clock-e nru aging wsclock \
		fifo lru clock clock-a lfu mru random random:seed=7 sieve \
		sieve-a s3fifo 2q arc slru car lru-k lirs clock-pro lfuda \
		mglru linux w-tinylfu); do
		check "policy=$p is what a space starts with" \
			space_starts "policy=$p" -- "policy=$p"
	done
	for p in fault accessed trap; do
		check "observer=$p is what a space starts with" \
			space_starts "observer=$p" -- "observer=$p"
	done
	check "budget=77 is what a space starts with" \
		space_starts budget=77 -- budget=77
	check "size=1048576 is what a space starts with" \
		space_starts size=1048576 -- size=1048576
	check "size=0 is accepted" accepted size=0
	check "max_size and max_frames are accepted" \
		accepted size=65536 max_size=1048576 budget=10 max_frames=20
}

mode_is() {
	local got

	load "mode=$1" && node_is_there || return 1
	got=$(stat -c %a "$DEV")
	unload || return 1
	[ "$got" = "$2" ] || { echo "mode is $got" && return 1; }
}

test_mode() {
	check "mode=0600 is the node's mode" mode_is 0600 600
	check "mode=0660 is the node's mode" mode_is 0660 660
	check "mode=0666 is allowed to who asks for it" mode_is 0666 666
	check "mode=0777 is allowed to who asks for it" mode_is 0777 777
}

# With its file a directory keeps nothing of what was stored in it.
directory_works() {
	mkdir -p "$TMP/dir"
	load "backing=$TMP/dir" && node_is_there || return 1
	"$DIR/churn" $((32 * STORE)) 64 3 || { unload; return 1; }
	if [ -n "$(ls -A "$TMP/dir")" ]; then
		ls -la "$TMP/dir"
		unload
		return 1
	fi
	unload
}

# works_with PATH: three generations that would not fit in one after another.
works_with() {
	load "backing=$1" && node_is_there || return 1
	"$DIR/churn" $((128 * STORE)) 64 3 || { unload; return 1; }
	unload
}

# full_is_sigbus DEVICE: a store too small ends the program, not the machine.
full_is_sigbus() {
	local status

	load "backing=$1" && node_is_there || return 1
	timeout -k 5 60 "$DIR/churn" 16384 64 1
	status=$?
	"$DIR/churn" 512 64 1 || { echo "dead after it was full"; unload; return 1; }
	unload || return 1
	[ "$status" = 135 ] || { echo "status $status, not SIGBUS" && return 1; }
}

test_backing() {
	local disk=${VMD_TEST_DISK:-}

	check "backing may be a directory; its file has no name" directory_works
	truncate -s ${STORE}M "$TMP/file"
	check "backing may be a file; slots are used again" works_with "$TMP/file"
	if modprobe brd rd_nr=1 rd_size=$((1024 * STORE)) 2>/dev/null && [ -b /dev/ram0 ]; then
		check "backing may be a block device; slots are used again" \
			works_with /dev/ram0
		check "a store that is full is SIGBUS, and it goes on" \
			full_is_sigbus /dev/ram0
		rmmod brd 2>/dev/null
	else
		skip "backing may be a block device: no brd"
		skip "a store that is full is SIGBUS: no brd"
	fi
	if [ -n "$disk" ] && [ -b "$disk" ]; then
		check "backing may be the disk $disk" works_with "$disk"
	else
		skip "backing may be a disk: set VMD_TEST_DISK"
	fi
}

# refuses_at_run_time NAME VALUE: the write fails and the value stays.
refuses_at_run_time() {
	local before

	before=$(cat "$PARAMS/$1")
	if (echo "$2" >"$PARAMS/$1") 2>/dev/null; then
		echo "'$2' was accepted"
		echo "$before" >"$PARAMS/$1"
		return 1
	fi
	[ "$(cat "$PARAMS/$1")" = "$before" ]
}

# takes_at_run_time NAME VALUE [WORD]: and a space that starts then has it.
takes_at_run_time() {
	local before status=0

	before=$(cat "$PARAMS/$1")
	echo "$2" >"$PARAMS/$1" || return 1
	[ "$(cat "$PARAMS/$1")" = "$2" ] || status=1
	[ -z "$3" ] || has "$(fresh_space)" "$3" || status=1
	echo "$before" >"$PARAMS/$1"
	return "$status"
}

test_writable() {
	local p v

	check "the module loads to have its parameters changed" load
	node_is_there || return
	for p in size budget max_frames max_size policy observer; do
		for v in nonsense -1 '' 99999999999999999999 ' '; do
			[ -w "$PARAMS/$p" ] || continue
			check "parameter $p refuses '$v' at run time" \
				refuses_at_run_time $p "$v"
		done
	done
	check "parameter budget is writable" takes_at_run_time budget 33 budget=33
	check "parameter policy is writable" takes_at_run_time policy mru policy=mru
	check "parameter observer is writable" \
		takes_at_run_time observer trap observer=trap
	check "parameter size is writable" \
		takes_at_run_time size 131072 size=131072
	check "parameter max_frames is writable" \
		takes_at_run_time max_frames 50000 ''
	for p in backing mode; do
		check "parameter $p is not writable at run time" \
			test "$(stat -c %a "$PARAMS/$p" | tr -d 04)" = ""
	done
	unload
}

every_parameter_is_described() {
	local p info

	info=$(modinfo "$KO") || return 1
	for p in backing size max_size budget max_frames policy observer mode \
		encrypt; do
		echo "$info" | grep -q "^parm: *$p:.......*" ||
			{ echo "no text for $p" && return 1; }
	done
	echo "$info" | grep -q '^license: *GPL' && echo "$info" |
		grep -q '^description: *.' && echo "$info" | grep -q '^version: *.'
}

unload_refused_by_rmmod() {
	exec 8<>"$DEV" || return 1
	! rmmod vmdemo 2>/dev/null && [ -c "$DEV" ]
	local status=$?
	exec 8>&-
	return "$status"
}

echo "TAP version 13"
check "the module can be unloaded" unload
check "nothing is left after unloading" nothing_left
check "modinfo describes every parameter" every_parameter_is_described
check "load and unload $LOADS times" test_loads
test_bad_parameters
test_good_parameters
test_mode
test_backing
test_writable
check "the module loads with its defaults" load
check "the node comes with it" node_is_there
check "rmmod is refused while open" unload_refused_by_rmmod
rm -rf "$TMP"
echo "1..$n"
exit $failed
