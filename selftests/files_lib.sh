# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the parts of files.sh share: results, agents that hold spaces, devices
# that can be broken. Sourced by files.sh, which sets KO, DIR and TMP.

n=0
failed=0
skipped=0
export DM_DISABLE_UDEV=1

# Devices to be taken away again, newest first.
loops=()
mounts=()
maps=()

ok() {
	n=$((n + 1))
	echo "ok $n $1"
}

not_ok() {
	n=$((n + 1))
	failed=$((failed + 1))
	echo "not ok $n $1"
}

skip() {
	n=$((n + 1))
	skipped=$((skipped + 1))
	echo "ok $n # SKIP $1"
}

# is NAME WANTED GOT: WANTED may be several words with | between them.
is() {
	local w

	IFS='|' read -ra w <<<"$2"
	for w in "${w[@]}"; do
		[ "$w" != "$3" ] || { ok "$1"; return 0; }
	done
	not_ok "$1: '$3', not '$2'"
	return 1
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

# Load the module anew, with these parameters.
reload() {
	unload && insmod "$KO" "$@" || return 1
	for _ in {1..20}; do
		[ ! -c /dev/vmdemo ] || return 0
		sleep 0.1
	done
	return 1
}

# What was written when the last user went may still be under way.
unload() {
	for _ in {1..150}; do
		[ -d /sys/module/vmdemo ] || return 0
		rmmod vmdemo 2>/dev/null || sleep 0.2
	done
	echo "cannot unload: $(grep vmdemo /proc/modules), $(tail -n +2 /proc/vmdemo/spaces)"
	return 1
}

#
# Agents: each holds a space and does what it is told
#

declare -A agent_in agent_out agent_pid

# agent NAME: start it.
agent() {
	local in out

	rm -f "$TMP/$1.in" "$TMP/$1.out"
	mkfifo "$TMP/$1.in" "$TMP/$1.out"
	exec {in}<>"$TMP/$1.in" {out}<>"$TMP/$1.out"
	agent_in[$1]=$in
	agent_out[$1]=$out
	"$DIR/fileagent" <"$TMP/$1.in" >"$TMP/$1.out" &
	agent_pid[$1]=$!
}

# ask NAME COMMAND...: what it answers.
ask() {
	local name=$1 reply

	shift
	echo "$*" >&"${agent_in[$name]}"
	if read -r -t 60 reply <&"${agent_out[$name]}"; then
		echo "$reply"
	else
		echo "no answer in 60 s: $(state "${agent_pid[$name]}")"
	fi
}

# expect WHAT NAME WANTED COMMAND...: it answers that.
expect() {
	local what=$1 name=$2 wanted=$3

	shift 3
	is "$what" "$wanted" "$(ask "$name" "$@")"
}

# State and place of a process, for what is told when it hangs.
state() {
	[ -d "/proc/$1" ] || { echo gone; return; }
	sed -n 's/^State:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null
	sed 's/^/#   /' "/proc/$1/stack" 2>/dev/null
}

# ended PID SECONDS: it ends in that time.
ended() {
	local i

	for ((i = 0; i < $2 * 10; i++)); do
		kill -0 "$1" 2>/dev/null || return 0
		sleep 0.1
	done
	echo "process $1 is still there: $(state "$1")"
	return 1
}

forget() {
	local in=${agent_in[$1]} out=${agent_out[$1]}

	exec {in}>&- {out}>&-
	kill -0 "${agent_pid[$1]}" 2>/dev/null ||
		wait "${agent_pid[$1]}" 2>/dev/null
}

# quit NAME: let it end by itself.
quit() {
	echo quit >&"${agent_in[$1]}"
	check "${2:-$1}: the process ends by itself" ended "${agent_pid[$1]}" 30
	kill -9 "${agent_pid[$1]}" 2>/dev/null
	forget "$1"
}

# killed NAME: kill -9 ends it.
killed() {
	kill -9 "${agent_pid[$1]}"
	check "${2:-$1}: kill -9 ends the process" ended "${agent_pid[$1]}" 10
	forget "$1"
}

#
# Devices
#

# new_loop SIZE: a blank loop device; its name is in $device.
new_loop() {
	local file

	file=$(mktemp "$TMP/loop.XXXXXX")
	truncate -s "$1" "$file"
	device=$(losetup -f --show "$file") || return 1
	loops=("$device" "${loops[@]}")
}

# new_fs TYPE SIZE [MKFS OPTION...]: made and mounted on $dir, on $device.
new_fs() {
	local type=$1

	new_loop "$2" || return 1
	shift 2
	mount_fs "$type" "$device" "$@"
}

# mount_fs TYPE DEVICE [MKFS OPTION...]
mount_fs() {
	local type=$1 dev=$2

	shift 2
	modprobe "$type" 2>/dev/null
	grep -qw "$type" /proc/filesystems || return 1
	"mkfs.$type" "$@" -q "$dev" >/dev/null || return 1
	dir=$(mktemp -d "$TMP/mnt.XXXXXX")
	mount -t "$type" "$dev" "$dir" || return 1
	mounts=("$dir" "${mounts[@]}")
}

# new_dm NAME SIZE: /dev/mapper/NAME, which can be broken, on $device.
new_dm() {
	new_loop "$2" || return 1
	modprobe dm-mod 2>/dev/null
	modprobe dm-flakey 2>/dev/null
	dmsetup create "$1" \
		--table "0 $(blockdev --getsz "$device") linear $device 0" || return 1
	maps=("$1" "${maps[@]}")
}

# dm_load NAME <TABLE: from now on.
dm_load() {
	dmsetup load "$1" && dmsetup suspend --nolockfs "$1" &&
		dmsetup resume "$1"
}

# dm_break NAME DEVICE HOW [START LENGTH]: those sectors (all if not said): HOW
# is "all", or "writes": the rest goes on.
dm_break() {
	local size start=${4:-0} length bad

	size=$(blockdev --getsz "$2")
	length=${5:-$size}
	case $3 in
	all) bad="$start $length error" ;;
	writes) bad="$start $length flakey $2 $start 0 3600 1 error_writes" ;;
	esac
	{
		[ "$start" = 0 ] || echo "0 $start linear $2 0"
		echo "$bad"
		[ $((start + length)) = "$size" ] ||
			echo "$((start + length)) $((size - start - length)) linear $2 $((start + length))"
	} | dm_load "$1"
}

dm_mend() {
	echo "0 $(blockdev --getsz "$2") linear $2 0" | dm_load "$1"
}

# extent FILE: first sector and how many, of all of the file together.
extent() {
	filefrag -b512 -v "$1" | tr -d : | tr -s . ' ' |
		awk '$1 ~ /^[0-9]+$/ { if (!n++ || $4 < min) min = $4
			if ($5 > max) max = $5 }
			END { print min, max - min + 1 }'
}

clean_up() {
	local x

	for x in "${!agent_pid[@]}"; do
		kill -9 "${agent_pid[$x]}" 2>/dev/null
	done
	for x in "${mounts[@]}"; do
		umount "$x" 2>/dev/null || umount -l "$x" 2>/dev/null
	done
	for x in "${maps[@]}"; do
		dmsetup remove "$x" 2>/dev/null
	done
	for x in "${loops[@]}"; do
		losetup -d "$x" 2>/dev/null
	done
}
