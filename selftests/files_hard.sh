# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # some are set by files_lib.sh
# Parts of files.sh: where locks or memory could make everybody wait for ever.

# comes_to_an_end WHAT SECONDS COMMAND...: by itself, or by kill -9.
comes_to_an_end() {
	local what=$1 limit=$2 pid i start=$SECONDS

	shift 2
	"$@" >"$TMP/said" 2>&1 &
	pid=$!
	for ((i = 0; i < limit * 10; i++)); do
		kill -0 $pid 2>/dev/null || break
		sleep 0.1
	done
	if ! kill -0 $pid 2>/dev/null; then
		wait $pid
		i=$?
		[ $i -le 1 ] || [ $i -ge 128 ] || { not_ok "$what: $(cat "$TMP/said"), status $i"; return; }
		ok "$what: ends by itself, $((SECONDS - start)) s: $(head -n 1 "$TMP/said")$([ $i = 0 ] || echo " (status $i)")"
		return
	fi
	echo "# $what: still running after $limit s: $(state $pid)"
	kill -9 $pid
	if ended $pid 5 >"$TMP/out"; then
		ok "$what: waits, but can be killed"
	else
		not_ok "$what: cannot be killed"
		sed 's/^/# /' "$TMP/out"
	fi
}

# Processes that no signal reaches, as /proc/PID/status; no kernel threads, but
# for our workers.
unreachable() {
	awk '/^Name:/ { name = $2 } /^State:[[:space:]]*D/ { d = 1 }
		/^State:[[:space:]]*[^D]/ { d = 0 }
		/^PPid:/ && d && ($2 != 2 || name ~ /vmd/) { print FILENAME }' \
		/proc/[0-9]*/status 2>/dev/null
}

# No process is left waiting where no signal reaches it, nor a worker of ours.
nobody_hangs() {
	local p left=0 before

	before=$(unreachable)
	[ -n "$before" ] || return 0
	sleep 3
	for p in $(unreachable); do
		p=${p%/status}
		[[ $before == *"$p/"* ]] || continue
		echo "$(cat "$p/comm") (${p#/proc/}): $(state "${p#/proc/}")"
		left=1
	done
	return $left
}

part_loops() {
	local how type hows

	check "the module loads" reload
	for type in ext4 xfs; do
		new_fs $type 320M || { skip "loops: no $type"; continue; }
		hows=(write same threads)
		[ $type = xfs ] || hows=(write write-direct read read-direct same
			vmsplice sendfile splice threads)
		for how in "${hows[@]}"; do
			rm -f "$dir/file"
			head -c 1M /dev/zero >"$dir/file"
			comes_to_an_end "$type: $how" 30 "$DIR/fileloop" "$how" "$dir/file"
		done
		check "$type: nobody hangs" nobody_hangs
		check "$type: the file system can be unmounted" unmounted "$dir"
	done
	new_loop 1M
	for how in write write-direct read read-direct same; do
		comes_to_an_end "device: $how" 30 "$DIR/fileloop" "$how" "$device"
	done
	check "device: nobody hangs" nobody_hangs
}

# Once the last write-back is through.
unmounted() {
	for _ in {1..100}; do
		umount "$1" 2>"$TMP/umount" && return 0
		sleep 0.1
	done
	cat "$TMP/umount"
	return 1
}

#
# Part fuse: the file is served by a process that uses the space itself
#

# serve THREADS WHAT: start the server; its process is in server.
serve() {
	fusedir=$(mktemp -d "$TMP/fuse.XXXXXX")
	mounts=("$fusedir" "${mounts[@]}")
	"$DIR/fuseself" "$fusedir" "$1" "$2" >"$TMP/server" 2>&1 &
	server=$!
	for _ in {1..100}; do
		! grep -q ready "$TMP/server" || return 0
		kill -0 "$server" 2>/dev/null || break
		sleep 0.1
	done
	cat "$TMP/server"
	return 1
}

server_ends() {
	check "$1: the server is gone" ended "$server" 15
	kill -0 "$server" 2>/dev/null || wait "$server" 2>/dev/null
	check "$1: nobody hangs" nobody_hangs
	check "$1: no space is left" no_space_left
	abort_fuse
	umount -l "$fusedir"
}

# What is left waiting must not hold up all that follows.
abort_fuse() {
	local f

	mountpoint -q /sys/fs/fuse/connections ||
		mount -t fusectl fusectl /sys/fs/fuse/connections
	for f in /sys/fs/fuse/connections/*/abort; do
		[ ! -e "$f" ] || echo 1 >"$f"
	done
}

no_space_left() {
	for _ in {1..150}; do
		[ "$(awk '$1 == "spaces" { print $2 }' /proc/vmdemo/stats)" != 0 ] ||
			return 0
		sleep 0.1
	done
	cat /proc/vmdemo/spaces
	return 1
}

fuse_self() {
	local threads

	for threads in 1 3; do
		check "touching itself, $threads: the server starts" serve $threads touch
		sleep 2
		kill -9 "$server"
		server_ends "touching itself, $threads"
		check "killed, $threads: the server starts" serve $threads dirty
		kill -9 "$server"
		server_ends "killed with dirty pages, $threads"
		check "exits, $threads: the server starts" serve $threads exit
		server_ends "exits with dirty pages, $threads"
	done
}

# Another process has the space.
fuse_others() {
	check "served: the server starts" serve 2 serve
	agent a
	expect "served: a space" a ok open "$fusedir/data" 8
	expect "served: with content" a ok fill 64 1000
	expect "served: comes back" a 0 check 64 1000
	expect "served: fsync" a ok fsync 1
	expect "served: it is in the file" a 0 file 64 1000
	# Closing it would wait for the server, which is FUSE's affair.
	expect "served: the file's own descriptor goes" a ok drop
	kill -STOP "$server"
	sleep 0.5
	echo "read 3" >&"${agent_in[a]}"
	sleep 1
	killed a "the server stands still"
	kill -CONT "$server"
	for _ in {1..100}; do
		grep -q ' file ' /proc/vmdemo/spaces || break
		sleep 0.1
	done
	agent a
	expect "served: another space" a ok open "$fusedir/data" 8
	expect "served: with what the one before wrote" a 0 check 64 1000
	expect "served: dirty pages" a ok fill 4 2000
	kill -9 "$server"
	ended "$server" 10 >/dev/null
	expect "without its server a page is SIGBUS" a SIGBUS read 40
	expect "without its server fsync fails" a "EIO|ENOTCONN|ECONNABORTED" fsync 1
	expect "without its server the resident pages are there" a 0 check 4 2000
	quit a "without its server"
	server_ends served
}

part_fuse() {
	modprobe fuse 2>/dev/null
	[ -c /dev/fuse ] || { skip "fuse: not in this kernel"; return; }
	check "the module loads" reload
	fuse_self
	fuse_others
}

# Part slow: the file is served by a process that takes its time
part_slow() {
	modprobe fuse 2>/dev/null
	check "the module loads" reload
	program slow test_slow
}

#
# Part memory
#

cgroup_limit() {
	local g=/sys/fs/cgroup/vmdemo-files

	mkdir -p $g
	[ -e $g/memory.max ] || { skip "cgroup: no memory controller"; rmdir $g; return; }
	echo 8M >$g/memory.max
	head -c 16M /dev/zero >"$dir/file"
	# More frames than the group may have: reclaim, or its OOM killer.
	comes_to_an_end "cgroup: at its limit" 30 \
		bash -c "echo \$\$ >$g/cgroup.procs && FRAMES=8192 exec $DIR/fileloop same $dir/file"
	echo "# cgroup: $(tr '\n' ' ' <$g/memory.events)"
	check "cgroup: nobody hangs" nobody_hangs
	check "cgroup: no space is left" no_space_left
	# Where it fits: nothing may be killed.
	head -c 2M /dev/zero >"$dir/file"
	is "cgroup: below its limit all is well" ok "$(
		echo "$BASHPID" >$g/cgroup.procs
		FRAMES=1024 "$DIR/fileloop" same "$dir/file" 2>&1)"
	for _ in {1..50}; do
		rmdir $g 2>/dev/null && break
		sleep 0.1
	done
}

# Others want all memory while we write: direct reclaim in our own paths too.
under_pressure() {
	local pid

	head -c 32M /dev/zero >"$dir/file"
	FRAMES=1024 "$DIR/fileloop" churn "$dir/file" >"$TMP/churn" 2>&1 &
	pid=$!
	timeout -s KILL 60 stress-ng --quiet --vm 2 --vm-bytes 80% --vm-keep \
		--timeout 8 --oomable >/dev/null 2>&1
	check "pressure: who writes comes to an end" ended $pid 60
	wait $pid
	is "pressure: and all it wrote was right" ok "$(cat "$TMP/churn")"
	check "pressure: nobody hangs" nobody_hangs
}

part_memory() {
	check "the module loads" reload
	new_fs ext4 128M || { not_ok "memory: no ext4"; return; }
	cgroup_limit
	under_pressure
	check "memory: the file system can be unmounted" unmounted "$dir"
}

#
# Part power: what the medium holds if the power fails when fsync has returned
#

# Every device that log-writes makes is logged from the start; so is the mkfs.
new_logged() {
	local blank

	new_loop 64M || return 1
	blank=$device
	new_loop 256M || return 1
	log=$device
	modprobe dm-mod 2>/dev/null
	modprobe dm-log-writes 2>/dev/null
	dmsetup create logged --table \
		"0 $(blockdev --getsz "$blank") log-writes $blank $log" || return 1
	maps=(logged "${maps[@]}")
}

# power_fails WHAT PATH SYNC: content 3000 is synced, 4000 only written.
power_fails() {
	agent a
	expect "$1: a space" a ok open "$2" 16
	expect "$1: is written" a ok fill 64 3000
	# shellcheck disable=SC2086 # a command and its arguments
	expect "$1: and synced" a ok $3
	dmsetup message logged 0 mark "$1"
	expect "$1: and written once more" a ok fill 64 4000
	expect "$1: all of it goes" a ok evict
	quit a "$1"
	new_loop 64M
	after=$device
	check "$1: what is on the medium" "$DIR/logreplay" "$log" "$after" "$1"
}

part_power() {
	local f

	check "the module loads" reload
	new_logged 2>"$TMP/out" || { skip "power: no dm-log-writes in this kernel"; return; }
	mount_fs ext4 /dev/mapper/logged || { not_ok "power: no ext4"; return; }
	for f in fsync msync; do
		head -c $((64 * 4096)) /dev/zero >"$dir/$f"
	done
	sync
	for f in "fsync 1" msync; do
		power_fails "power-${f% 1}" "$dir/${f% 1}" "$f"
		check "power-${f% 1}: the file system is sound" \
			mount -t ext4 "$after" /mnt
		agent a
		expect "power-${f% 1}: a space" a ok open "/mnt/${f% 1}" 16
		expect "power-${f% 1}: all that was synced is there" a 0 check 64 3000
		quit a "power-${f% 1}"
		check "power-${f% 1}: unmounted" unmounted /mnt
	done
	check "power: the file system can be unmounted" unmounted "$dir"
}
