# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # some are set by files_lib.sh
# Parts of files.sh: stores that fail, that are full, that go away.

FRAMES=8
PAGES=32

# Reads fail and work again: SIGBUS, EIO, then the content as ever.
# reads_fail WHAT NAME DEVICE [START LENGTH]: agent a has a full space there.
reads_fail() {
	local what=$1

	shift
	expect "$what: all is written and goes" a ok evict
	dm_break "$1" "$2" all "$3" "$4"
	expect "$what: a failed read is SIGBUS at that address" a SIGBUS read 3
	expect "$what: and once more" a SIGBUS read 3
	expect "$what: the last page too" a SIGBUS read $((PAGES - 1))
	expect "$what: read(2) says EIO" a EIO pread 4 1004
	is "$what: failures are counted" yes \
		"$([ "$(ask a stat io_errors)" -ge 4 ] && echo yes)"
	dm_mend "$1" "$2"
	expect "$what: the next try reads" a ok read 3
	expect "$what: what was there" a yes is 3 1003
	expect "$what: read(2) as well" a ok pread 4 1004
	expect "$what: nothing was lost" a 0 check $PAGES 1000
	expect "$what: no write has failed" a ok fsync 1
}

# Writes fail while pages must go: nothing is lost, each descriptor hears once.
# The file, if there is one, has page i's content 2000 + i in the end.
evictions_fail() {
	local what=$1

	shift
	expect "$what: a second descriptor" a ok second
	expect "$what: everything goes to the medium" a ok evict
	expect "$what: every frame gets dirty" a ok fill $FRAMES 2000
	dm_break "$1" "$2" writes "$3" "$4"
	expect "$what: a page that needs a frame: SIGBUS, or it can be killed" a \
		"SIGBUS|waits" try $((PAGES - 1))
	expect "$what: another space lives on" b ok fill 64 5000
	expect "$what: with its content" b 0 check 64 5000
	expect "$what: all pages are still there" a 0 check $FRAMES 2000
	expect "$what: and resident" a $FRAMES stat resident
	dm_mend "$1" "$2"
	expect "$what: poll tells of it" a error poll 1
	expect "$what: fsync says it" a EIO fsync 1
	expect "$what: once" a ok fsync 1
	expect "$what: poll is quiet then" a ready poll 1
	expect "$what: not for the other descriptor" a error poll 2
	expect "$what: fsync says it there too" a EIO fsync 2
	expect "$what: once" a ok fsync 2
	expect "$what: poll is quiet there" a ready poll 2
	expect "$what: nothing was lost" a 0 check $FRAMES 2000
	expect "$what: the rest is as it was" a yes is $((PAGES - 1)) $((1000 + PAGES - 1))
}

# Writes fail while somebody waits for them.
syncs_fail() {
	local what=$1

	shift
	expect "$what: everything goes to the medium again" a ok evict
	expect "$what: every frame gets dirty again" a ok fill $FRAMES 3000
	dm_break "$1" "$2" writes "$3" "$4"
	expect "$what: fsync fails" a EIO fsync 1
	expect "$what: msync fails" a EIO msync
	expect "$what: eviction fails" a EIO evict
	expect "$what: a smaller budget is refused" a EIO budget 2
	expect "$what: all pages are still there" a 0 check $FRAMES 3000
	dm_mend "$1" "$2"
	ask a fsync 1 >/dev/null
	ask a fsync 2 >/dev/null
	expect "$what: in the end fsync succeeds" a ok fsync 1
	expect "$what: nothing was lost" a 0 check $FRAMES 3000
}

# The three, on agent a's space; agent b has one that is well.
all_failures() {
	expect "$1: pages are written" a ok fill $PAGES 1000
	reads_fail "$@"
	evictions_fail "$@"
	syncs_fail "$@"
}

errors_on_device() {
	new_dm bad 16M ||
		{ not_ok "device: no device-mapper"; return; }
	agent a
	expect "device: a space on it" a ok open /dev/mapper/bad $FRAMES
	all_failures device bad "$device"
	expect "device: it is in the device" a 0 file $FRAMES 3000
	quit a device
}

errors_on_ext4() {
	local disk where

	new_dm badfs 64M ||
		{ not_ok "ext4: no device-mapper"; return; }
	disk=$device
	mount_fs ext4 /dev/mapper/badfs || { not_ok "ext4: none"; return; }
	dd if=/dev/zero of="$dir/file" bs=4096 count=$PAGES conv=fsync 2>/dev/null
	read -ra where <<<"$(extent "$dir/file")"
	echo "# the file's sectors: ${where[*]}"
	agent a
	expect "ext4: a space on a file" a ok open "$dir/file" $FRAMES
	all_failures ext4 badfs "$disk" "${where[@]}"
	expect "ext4: it is in the file" a 0 file $FRAMES 3000
	quit a ext4
	check "ext4: the file system can be unmounted" umount "$dir"
}

# The swap store on a device that fails. All spaces share it: the other one
# keeps to its frames.
errors_on_swap() {
	new_dm badswap 16M ||
		{ not_ok "swap: no device-mapper"; return; }
	check "swap: the module loads with it" reload backing=/dev/mapper/badswap
	agent a
	agent b
	expect "swap: another space" b ok anon 64 100
	expect "swap: a space" a ok anon $PAGES $FRAMES
	all_failures swap badswap "$device"
	quit a swap
	quit b swap
	check "swap: the module can be unloaded" unload
}

part_errors() {
	check "the module loads" reload
	agent b
	expect "another space" b ok anon 64 16
	errors_on_device
	errors_on_ext4
	quit b
	errors_on_swap
}

#
# Part space: no room in the swap store
#

# No room in the backing: SIGBUS before anything is at risk, and on it goes.
swap_in_full_directory() {
	local before

	new_fs ext4 16M || { not_ok "full: no ext4"; return; }
	head -c 8M /dev/zero >"$dir/filler"
	check "full: the module loads" reload "backing=$dir"
	agent a
	expect "full: a space larger than the store" a ok anon 8192 16
	before=$(ask a fill 8192 1000)
	echo "# full: $before pages until SIGBUS"
	is "full: a write fault is SIGBUS in the end" yes \
		"$([[ $before =~ ^[0-9]+$ ]] && [ "$before" -gt 256 ] && echo yes)"
	[[ $before =~ ^[0-9]+$ ]] || before=0
	expect "full: what was written is intact" a 0 check "$before" 1000
	expect "full: fsync has nothing to say" a ok fsync 1
	agent b
	expect "full: another space" b ok anon 64 64
	expect "full: is told so too, or works" b "ok|SIGBUS" write 0 1
	rm "$dir/filler"
	expect "full: with room it goes on" a ok fill $((before + 512)) 1000
	expect "full: and all is right" a 0 check $((before + 512)) 1000
	expect "full: what is punched makes room" a ok punch 0 256
	quit a full
	quit b full
	check "full: the module can be unloaded" unload
	check "full: the file system can be unmounted" umount "$dir"
}

# A sparse file on a file system that fills up: the write fails, is told, and
# nothing is lost.
file_on_full_fs() {
	local before

	new_fs ext4 16M || { not_ok "sparse: no ext4"; return; }
	check "sparse: the module loads" reload
	head -c 8M /dev/zero >"$dir/filler"
	truncate -s 64M "$dir/file"
	agent a
	expect "sparse: a space on it" a ok open "$dir/file" 64
	before=$(ask a fill 16384 1000)
	echo "# sparse: $before pages until SIGBUS"
	is "sparse: dirty pages cannot go: SIGBUS" yes \
		"$([[ $before =~ ^[0-9]+$ ]] && [ "$before" -gt 256 ] && echo yes)"
	[[ $before =~ ^[0-9]+$ ]] || before=0
	expect "sparse: fsync says why" a ENOSPC fsync 1
	expect "sparse: punching makes room" a ok punch 0 512
	ask a fsync 1 >/dev/null
	expect "sparse: then fsync succeeds" a ok fsync 1
	expect "sparse: all that was written is right" a 0 check "$before" 1000 512
	expect "sparse: in the file as well" a 0 file "$before" 1000 512
	quit a sparse
	check "sparse: the file system can be unmounted" umount "$dir"
}

part_space() {
	swap_in_full_directory
	file_on_full_fs
}

#
# Part gone: what is below is cut, made read-only, taken away
#

truncated_under_us() {
	new_fs ext4 64M || { not_ok "cut: no ext4"; return; }
	head -c $((PAGES * 4096)) /dev/zero >"$dir/file"
	agent a
	expect "cut: a space" a ok open "$dir/file" $FRAMES
	expect "cut: with content" a ok fill $PAGES 1000
	expect "cut: which is in the file" a ok fsync 1
	expect "cut: and a dirty page" a ok write 20 1020
	truncate -s 8192 "$dir/file"
	expect "cut: a page past the file's end is SIGBUS" a SIGBUS read 12
	expect "cut: read(2) of it says EIO" a EIO pread 12 0
	expect "cut: fsync of what has no place says EIO" a EIO fsync 1
	is "cut: and the file stays as short" 8192 "$(stat -c %s "$dir/file")"
	expect "cut: what is left of the file is right" a yes is 1 1001
	expect "cut: the space can be made as short" a ok size 8192
	ask a fsync 1 >/dev/null
	expect "cut: and nothing is wrong any more" a ok fsync 1
	quit a cut
	check "cut: the file system can be unmounted" umount "$dir"
}

# An ext4 that has lost its journal's device goes read-only.
read_only_under_us() {
	local disk

	new_dm gone 64M || { not_ok "read-only: no device-mapper"; return; }
	disk=$device
	mount_fs ext4 /dev/mapper/gone -E lazy_itable_init=0 ||
		{ not_ok "read-only: no ext4"; return; }
	mount -o remount,errors=remount-ro "$dir"
	head -c $((PAGES * 4096)) /dev/zero >"$dir/file"
	sync
	agent a
	expect "read-only: a space" a ok open "$dir/file" $FRAMES
	expect "read-only: with content" a ok fill $FRAMES 1000
	dm_break gone "$disk" all
	touch "$dir/other" 2>/dev/null
	sync "$dir" 2>/dev/null
	expect "read-only: fsync fails" a "EIO|EROFS" fsync 1
	expect "read-only: what is resident can be read" a 0 check $FRAMES 1000
	expect "read-only: what is not is SIGBUS" a SIGBUS read 30
	quit a read-only
	dm_mend gone "$disk"
	check "read-only: the file system can be unmounted" umount "$dir"
}

# Nothing is lost while the disk is away for a while, even if it says so.
removed_by_force() {
	new_dm forced 16M ||
		{ not_ok "forced: no device-mapper"; return; }
	agent a
	expect "forced: a space" a ok open /dev/mapper/forced $FRAMES
	expect "forced: with content" a ok fill $PAGES 1000
	dmsetup remove --force forced >/dev/null 2>&1
	expect "forced: a page in the store is SIGBUS" a SIGBUS read 0
	expect "forced: fsync fails" a EIO fsync 1
	expect "forced: what is resident is there" a yes is $((PAGES - 1)) \
		$((1000 + PAGES - 1))
	killed a forced
}

# Without a timeout the kernel waits for ever for the answer to a request that the
# server took with it.
nbd_is_cut() {
	nbd_start -timeout 10 >"$TMP/out" 2>&1 ||
		{ skip "nbd: not in this kernel"; return; }
	agent a
	expect "nbd: a space" a ok open /dev/nbd0 $FRAMES
	expect "nbd: with content" a ok fill $PAGES 1000
	# It hangs at first: what is under way then has no answer.
	kill -STOP "$(cat "$TMP/nbdkit.pid")"
	expect "nbd: a server that hangs: a page can be waited for" a "SIGBUS|waits" try 0
	kill -9 "$(cat "$TMP/nbdkit.pid")"
	expect "nbd: without its server a page is SIGBUS" a "SIGBUS|waits" try 0
	expect "nbd: and fsync fails" a EIO fsync 1
	quit a nbd
	nbd_stop
}

# A SCSI disk that is unplugged.
unplugged() {
	local disk=

	modprobe sd_mod 2>/dev/null
	modprobe scsi_debug dev_size_mb=16 delay=0 2>/dev/null ||
		{ skip "unplugged: no scsi_debug in this kernel"; return; }
	for _ in {1..50}; do
		for disk in /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*; do
			[ ! -b "/dev/${disk##*/}" ] || break 2
		done
		sleep 0.1
	done
	agent a
	expect "unplugged: a space" a ok open "/dev/${disk##*/}" $FRAMES
	expect "unplugged: with content" a ok fill $PAGES 1000
	echo 1 >"$disk/device/delete"
	expect "unplugged: a page in the store is SIGBUS" a SIGBUS read 0
	expect "unplugged: fsync fails" a "EIO|ENODEV|ENXIO" fsync 1
	expect "unplugged: what is resident is there" a yes is $((PAGES - 1)) \
		$((1000 + PAGES - 1))
	quit a unplugged
	rmmod scsi_debug
}

# The kernel may swap to a file or have it as our swap store: not for spaces.
taken_files() {
	new_fs ext4 64M || { not_ok "taken: no ext4"; return; }
	head -c 8M /dev/zero >"$dir/swap"
	chmod 600 "$dir/swap"
	mkswap "$dir/swap" >/dev/null 2>&1
	agent a
	if swapon "$dir/swap"; then
		expect "taken: a file that the kernel swaps to" a ETXTBSY \
			open "$dir/swap" $FRAMES
		swapoff "$dir/swap"
		expect "taken: but not any more" a ok open "$dir/swap" $FRAMES
	else
		skip "taken: no swap in this kernel"
	fi
	quit a taken
	head -c 8M /dev/zero >"$dir/backing"
	check "taken: the module loads" reload "backing=$dir/backing"
	agent a
	expect "taken: a file that is the swap store's" a EBUSY \
		open "$dir/backing" $FRAMES once
	quit a taken
	new_loop 8M
	check "taken: the module loads on a device" reload "backing=$device"
	agent a
	expect "taken: a device that is the swap store's" a EBUSY \
		open "$device" $FRAMES once
	quit a taken
	check "taken: the module can be unloaded" unload
}

part_gone() {
	check "the module loads" reload
	truncated_under_us
	read_only_under_us
	removed_by_force
	nbd_is_cut
	unplugged
	taken_files
}
