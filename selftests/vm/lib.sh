# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What setup.sh, run.sh and build-module.sh share: names of things in the cache
# and how a kernel is made bootable. Sourced, never run.

# Everything that is downloaded or built lives here and can be deleted at will.
VMDEMO_CACHE=${VMDEMO_CACHE:-$HOME/.cache/vmdemo}
VMDEMO_MIRROR=${VMDEMO_MIRROR:-http://deb.debian.org/debian}
VMDEMO_SECURITY_MIRROR=${VMDEMO_SECURITY_MIRROR:-http://deb.debian.org/debian-security}

# shellcheck disable=SC2034 # used by the scripts that source this file
VM_KERNELS="6.1 6.12 7.2"

# Increase when images made by an older version of these scripts must not be used.
VM_IMAGE_FORMAT=2

# mke2fs, modprobe and depmod live where an ordinary user's PATH does not reach.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# A command that fails where nobody expected it must not end a script in silence.
trap_errors() {
	set -E
	trap 'echo "${0##*/}: line $LINENO: failed: $BASH_COMMAND" >&2' ERR
}

# cpu_seconds PID: what it and its children, as far as they have ended, have used.
cpu_seconds() {
	awk -v hz="$(getconf CLK_TCK)" '{
		sub(/.*\) /, "")
		printf "%d\n", ($12 + $13 + $14 + $15) / hz
	}' "/proc/$1/stat"
}

# What was compiled once need not be again, in whatever clone: warnings are kept,
# too. Without ccache everything is compiled.
use_ccache() {
	[ -d /usr/lib/ccache ] || return 0
	export CCACHE_DIR=$VMDEMO_CACHE/ccache CCACHE_MAXSIZE=2G CCACHE_NOHASHDIR=1
	export PATH=/usr/lib/ccache:${PATH#/usr/lib/ccache:}
}

# An empty directory whose name is always the same, as ccache looks at names, until
# this script ends. Opens file 7.
work_dir() {
	local dir=$VMDEMO_CACHE/build/$1

	mkdir -p "$dir"
	exec 7>"$VMDEMO_CACHE/build/.$1.lock"
	flock 7
	rm -rf "$dir"
	mkdir -p "$dir"
	REPLY=$dir
}

die() {
	echo "${0##*/}: $*" >&2
	exit 2
}

say() {
	echo "${0##*/}: $*" >&2
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

need_tool() {
	command -v "$1" >/dev/null ||
		die "'$1' is not installed: run selftests/vm/setup.sh first"
}

# need_value OPTION NARGS: the option's value must be there.
need_value() {
	[ "$2" -ge 2 ] || die "$1 needs a value (see --help)"
}

check_kernel_name() {
	local k
	for k in $VM_KERNELS; do
		[ "$k" != "$1" ] || return 0
	done
	die "unknown kernel '$1': choose one of: $VM_KERNELS"
}

# Where setup.sh leaves the pointer to the newest unpacked kernel of a series.
kernel_link() {
	echo "$VMDEMO_CACHE/kernel-$1"
}

# The directory of an installed kernel series, or an error that tells what to do.
kernel_dir() {
	local link
	check_kernel_name "$1"
	link=$(kernel_link "$1")
	[ -e "$link/complete" ] ||
		die "kernel $1 is not set up: run selftests/vm/setup.sh --kernel $1"
	readlink -f "$link"
}

# The trixie tree in which modules for kernel 7.2 are built.
chroot_path() {
	echo "$VMDEMO_CACHE/chroot-7.2"
}

# headers_path V RELEASE: what modules are built against; for 7.2 seen from the
# inside of the trixie tree.
headers_path() {
	case $1 in
	6.12) echo "$VMDEMO_CACHE/headers-$2" ;;
	*) echo "/usr/src/linux-headers-$2" ;;
	esac
}

# The release ("uname -r") a bzImage announces in its boot header: the 16-bit
# number at 0x20e is the offset of the string, less 0x200.
bzimage_release() {
	local off
	[ "$(od -An -c -j 514 -N 4 "$1" | tr -d ' ')" = HdrS ] ||
		die "'$1' is not a bootable x86 kernel (bzImage)"
	off=$(od -An -tu2 -j 526 -N 2 "$1" | tr -d ' ')
	head -c "$((off + 712))" "$1" | tail -c 200 | tr '\0 ' '\n' | sed -n 1p
}

#
# Guest root file systems
#

# The packages of a root file system: "base" for tests, "dkms" for our packages: what
# these depend on, but no kernel headers, as compiling there takes ten minutes.
rootfs_packages() {
	local p
	p=(util-linux kmod procps psmisc iproute2 udev bash-completion
		sqlite3 fio gdb strace trace-cmd bpftrace linux-perf stress-ng
		socat bc e2fsprogs xfsprogs btrfs-progs nbd-client nbdkit fuse3
		python3-minimal libjson-c5 libasan8 libubsan1 libcap2-bin acl
		libmimalloc2.0 redis-server)
	case $1 in
	base) ;;
	dkms) p=(util-linux kmod procps udev bash-completion libjson-c5 libmimalloc2.0
		dkms systemd-standalone-sysusers) ;;
	*) die "unknown root file system '$1': choose base or dkms" ;;
	esac
	echo "${p[@]}"
}

# The image's name carries a hash of its recipe: another recipe, another image.
rootfs_path() {
	local packages
	packages=$(rootfs_packages "$1") || exit
	printf '%s/rootfs-%s-%s.ext4\n' "$VMDEMO_CACHE" "$1" \
		"$(printf '%s\n' "$VM_IMAGE_FORMAT" bookworm "$packages" |
			sha256sum | cut -c 1-12)"
}

# tree_to_ext4 TREE IMAGE: a sparse ext4 image for read-only use, without the
# journal and checksums that would only cost time in an emulated guest.
tree_to_ext4() {
	local kib inodes
	kib=$(du -sk --apparent-size "$1" | cut -f 1)
	inodes=$(find "$1" | wc -l)
	# Every file ends in a half-empty block, and directories and inodes need room.
	kib=$((kib + kib / 8 + inodes * 6 + 8192))
	mke2fs -q -F -t ext4 -O ^has_journal,^metadata_csum,^resize_inode \
		-E root_owner=0:0 -m 0 -b 4096 -N "$((inodes + 512))" \
		-d "$1" "$2" "${kib}k" >/dev/null
	debugfs -w -R 'rmdir lost+found' "$2" >/dev/null 2>&1
}

#
# Making a kernel bootable
#

# What the initial RAM disk needs to find the disks and to talk to the host.
VM_BOOT_MODULES="virtio_pci virtio_blk crc32c_generic libcrc32c ext4 overlay
	virtio_console virtio_rng"

# boot_module_files MODULES_ROOT RELEASE: files to insmod, in order, once each.
# A module that the kernel has built in, or does not know, contributes nothing.
boot_module_files() {
	local m
	[ -d "$1/lib/modules/$2" ] || return 0
	for m in $VM_BOOT_MODULES; do
		modprobe -d "$1" -S "$2" --show-depends "$m" 2>/dev/null || true
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# One module, decompressed: the guest's insmod need not know any format.
copy_module() {
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -dcq "$1" ;;
	*.gz) gzip -dc "$1" ;;
	*) cat "$1" ;;
	esac >"$2"
}

# pack_cpio TREE: a cpio archive of it, all owned by root, on stdout.
pack_cpio() {
	(cd "$1" && find . -mindepth 1 | LC_ALL=C sort |
		cpio -o -H newc -R 0:0 --quiet)
}

# make_initrd MODULES_ROOT RELEASE FILE: busybox and the boot modules, but no
# /init: run.sh appends that together with the command of each run.
make_initrd() {
	local stage file n=100
	stage=$(mktemp -d "$VMDEMO_CACHE/.tmp.initrd.XXXXXX")
	mkdir -p "$stage"/{bin,modules,dev,proc,sys,lower,kmods,rw,new}
	cp "$VMDEMO_CACHE/busybox/bin/busybox" "$stage/bin/busybox"
	ln -s busybox "$stage/bin/sh"
	while read -r file; do
		n=$((n + 1))
		copy_module "$file" "$stage/modules/$n-$(basename "$file").ko"
	done < <(boot_module_files "$1" "$2")
	pack_cpio "$stage" >"$3"
	rm -rf "$stage"
}

# make_modules_image MODULES_ROOT RELEASE FILE: laid over the guest's root, so
# modprobe, bpftrace and perf find what they look for at the usual places.
make_modules_image() {
	local stage
	stage=$(mktemp -d "$VMDEMO_CACHE/.tmp.modules.XXXXXX")
	mkdir -p "$stage/usr/lib/modules/$2" "$stage/boot"
	if [ -d "$1/lib/modules/$2" ]; then
		cp -a "$1/lib/modules/$2/." "$stage/usr/lib/modules/$2/"
		# These would point to the tree of the machine that built the kernel.
		rm -f "$stage/usr/lib/modules/$2/build" "$stage/usr/lib/modules/$2/source"
	fi
	cp "$1/boot/config-$2" "$1/boot/System.map-$2" "$stage/boot/" 2>/dev/null || true
	tree_to_ext4 "$stage" "$3"
	rm -rf "$stage"
}

# number FILE OFFSET: the 32-bit number there.
number() {
	od -An -tu4 -j "$2" -N 4 "$1" | tr -d ' '
}

# decompress_kernel BZIMAGE FILE: the ELF file in a bzImage, found by its boot
# header: setup sectors at 0x1f1, offset and length of the payload at 0x248.
decompress_kernel() {
	local sectors start length tool
	sectors=$(od -An -tu1 -j 497 -N 1 "$1" | tr -d ' ')
	start=$(((sectors + 1) * 512 + $(number "$1" 584)))
	length=$(number "$1" 588)
	case $(od -An -tx1 -j "$start" -N 4 "$1" | tr -d ' ') in
	fd377a58) tool=(xz -dc --single-stream) ;;
	28b52ffd) tool=(zstd -dcq) ;;
	1f8b*) tool=(gzip -dcq) ;;
	*) return 1 ;;
	esac
	# The kernel's build appends the size, which the tools take for garbage.
	tail -c "+$((start + 1))" "$1" 2>/dev/null | head -c "$length" |
		"${tool[@]}" >"$2" 2>/dev/null || true
	readelf -n "$2" 2>/dev/null | grep -q 'type: (0x00000012)'
}

# make_kernel BZIMAGE FILE: an emulated CPU takes seconds to decompress a kernel,
# so do it here if the result can be booted by itself (it has a PVH entry point).
make_kernel() {
	decompress_kernel "$1" "$2" || cp -f "$1" "$2"
}

# make_bootable VMLINUZ MODULES_ROOT DIR: leaves kernel, release, initrd.cpio
# and modules.ext4 in DIR, and last of all the mark that DIR is complete.
make_bootable() {
	local release
	release=$(bzimage_release "$1")
	[ ! -d "$2/lib/modules/$release" ] ||
		[ -e "$2/lib/modules/$release/modules.dep" ] ||
		depmod -b "$2" "$release"
	make_kernel "$1" "$3/kernel"
	make_initrd "$2" "$release" "$3/initrd.cpio"
	make_modules_image "$2" "$release" "$3/modules.ext4"
	echo "$release" >"$3/release"
	touch "$3/complete"
}
