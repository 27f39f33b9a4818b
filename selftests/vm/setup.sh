#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Make a fresh Debian 12 machine ready to build, test and check vmdemo.
set -euo pipefail

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$VM_DIR/lib.sh"

usage() {
	cat <<'END'
usage: setup.sh [--kernel V]... [--demo] [--bench] [--style] [--check]

Install what is missing (with apt-get) and fill the cache with bootable kernels
and guest root file systems. Does nothing, quickly, when all is there already.
Runs as root, or as a user who may use sudo.

  --kernel V   make kernel series V ready: 6.1 (default), 6.12 or 7.2; repeatable
  --demo       only what building the module and booting a VM need
  --bench      the same (the programs to compare with are in the guest's image)
  --style      only what compiling and the style checks need, no VM
  --check      also what make check needs beside that, to build and test the Debian
               packages, and to look at what vmdemoctl draws

Without --demo, --bench and --style all of it is made ready.

environment:
  VMDEMO_CACHE            where to keep everything (default ~/.cache/vmdemo)
  VMDEMO_MIRROR           Debian mirror (default http://deb.debian.org/debian)
  VMDEMO_SECURITY_MIRROR  (default http://deb.debian.org/debian-security)
END
}

kernels=()
want_vm=
want_style=
want_check=

parse_args() {
	while [ $# -gt 0 ]; do
		case $1 in
		--kernel) need_value "$1" $# && check_kernel_name "$2" && kernels+=("$2") && shift ;;
		--demo | --bench) want_vm=1 ;;
		--style) want_style=1 ;;
		--check) want_check=1 ;;
		-h | --help) usage && exit 0 ;;
		*) die "unknown argument '$1' (see --help)" ;;
		esac
		shift
	done
	[ ${#kernels[@]} -gt 0 ] || kernels=(6.1)
	[ -n "$want_vm$want_style" ] || { want_vm=1 && want_style=1; }
	[ -z "$want_check" ] || want_vm=1
}

check_host() {
	local id version arch
	# shellcheck disable=SC1091 # the host's file
	id=$(. /etc/os-release && echo "${ID:-?}")
	# shellcheck disable=SC1091
	version=$(. /etc/os-release && echo "${VERSION_ID:-?}")
	[ "$id $version" = "debian 12" ] ||
		die "this is '$id $version': setup needs Debian 12 (bookworm)"
	arch=$(dpkg --print-architecture)
	[ "$arch" = amd64 ] || die "this machine is '$arch': setup needs amd64"
}

check_privilege() {
	[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
		die "packages are missing and there is no sudo: run as root, or install sudo"
}

#
# Packages of the host
#

apt_updated=

apt_update() {
	[ -z "$apt_updated" ] || return 0
	check_privilege
	say "apt-get update"
	as_root apt-get -qq -o DPkg::Lock::Timeout=600 update ||
		die "apt-get update failed: check the network and /etc/apt/sources.list*"
	apt_updated=1
}

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null)" = "ii " ]
}

# install PACKAGE...: those that are missing; no call of apt if none is.
install() {
	local p missing=()
	for p in "$@"; do
		is_installed "$p" || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	apt_update
	say "installing ${missing[*]}"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
		-o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 \
		--no-install-recommends install "${missing[@]}" >&2 ||
		die "could not install: ${missing[*]}"
}

host_packages() {
	echo ccache gcc make git pkg-config libc6-dev libjson-c-dev libncurses-dev xz-utils zstd
	[ -z "$want_style" ] || echo sparse shellcheck mandoc perl linux-source-6.1
	[ -z "$want_vm" ] || echo qemu-system-x86 mmdebstrap debian-archive-keyring \
		cpio kmod e2fsprogs g++ libmimalloc2.0
	[ -z "$want_check" ] || echo debhelper dh-dkms dkms dpkg-dev lintian \
		gnuplot-nox chromium python3
}

#
# The cache
#

# finish TMP NAME: the new entry appears under its name in one step.
finish() {
	[ ! -e "$2" ] || as_root rm -rf "$2"
	mv -T "$1" "$2"
}

# point LINK TARGET: replace a symbolic link in one step.
point() {
	ln -sfn "$(basename "$2")" "$1.new"
	mv -T "$1.new" "$1"
}

# Only one set-up at a time, so whatever is unfinished now was left by a dead one.
lock_cache() {
	mkdir -p "$VMDEMO_CACHE"
	exec 9>"$VMDEMO_CACHE/setup.lock"
	flock -n 9 || { say "waiting for another setup.sh" && flock 9; }
	compgen -G "$VMDEMO_CACHE/.tmp.setup.*" >/dev/null || return 0
	as_root rm -rf "$VMDEMO_CACHE"/.tmp.setup.*
}

new_tmp() {
	mktemp -d "$VMDEMO_CACHE/.tmp.setup.XXXXXX"
}

# download_deb DIR PACKAGE[=VERSION]: into DIR, without installing it.
download_deb() {
	local opt=()
	# apt drops its privileges to a user who may not write to DIR.
	[ "$(id -u)" -ne 0 ] || opt=(-o APT::Sandbox::User=root)
	(cd "$1" && apt-get -qq "${opt[@]}" download "$2" >&2)
}

# The guest's first program; downloaded only, as installing it would remove a
# busybox of another kind.
setup_busybox() {
	local tmp
	[ ! -x "$VMDEMO_CACHE/busybox/bin/busybox" ] || return 0
	apt_update
	tmp=$(new_tmp)
	download_deb "$tmp" busybox-static || die "could not download busybox-static"
	dpkg-deb -x "$tmp"/busybox-static_*.deb "$tmp"
	rm "$tmp"/*.deb
	finish "$tmp" "$VMDEMO_CACHE/busybox"
}

#
# Kernels
#

# series_pattern V: the release numbers Debian gives to kernels of series V.
series_pattern() {
	case $1 in
	6.1) echo '6\.1\.0-[0-9]+-amd64' ;;
	6.12) echo '6\.12\.[0-9]+\+deb12-amd64' ;;
	7.2) echo '7\.2\.[0-9]+(\+[a-z0-9.]+)?-amd64' ;;
	esac
}

# newest_release V [APT-CACHE COMMAND...]: of those that apt knows headers for.
newest_release() {
	local v=$1
	shift
	[ $# -gt 0 ] || set -- apt-cache
	"$@" pkgnames "linux-headers-$v." |
		grep -E "^linux-headers-$(series_pattern "$v")\$" |
		sed 's/^linux-headers-//' | sort -V | tail -n 1
}

# Already unpacked, and the matching headers are still there?
kernel_ready() {
	local dir root=
	dir=$(kernel_link "$1")
	[ "$1" != 7.2 ] || root=$(chroot_path)
	[ -e "$dir/complete" ] && [ "$(cat "$dir/format")" = "$VM_IMAGE_FORMAT" ] &&
		[ -e "$root$(headers_path "$1" "$(cat "$dir/release")")/Makefile" ]
}

# unpack_kernel V DIR: DIR holds the image's .debs; make it an entry of the cache.
unpack_kernel() {
	local v=$1 dir=$2 release deb image
	for deb in "$dir"/*.deb; do
		dpkg-deb -x "$deb" "$dir"
		rm "$deb"
	done
	[ -e "$dir/lib" ] || ln -s usr/lib "$dir/lib"
	chmod 755 "$dir"
	say "making kernel $v bootable"
	echo "$VM_IMAGE_FORMAT" >"$dir/format"
	image=$(compgen -G "$dir/boot/vmlinuz-*" || compgen -G "$dir/lib/modules/*/vmlinuz") ||
		die "the packages of kernel $v contain no vmlinuz"
	make_bootable "$image" "$dir" "$dir"
	release=$(cat "$dir/release")
	finish "$dir" "$VMDEMO_CACHE/kernel-$release"
	point "$(kernel_link "$v")" "$VMDEMO_CACHE/kernel-$release"
}

# The headers of 6.12 depend on the image, which has no business on this host: the
# parts that do not are installed, the rest is unpacked and told where they are.
unpack_headers() {
	local release=$1 tmp kbuild
	kbuild=${release%-amd64}
	install "linux-headers-$kbuild-common" "linux-kbuild-$kbuild"
	tmp=$(new_tmp)
	download_deb "$tmp" "linux-headers-$release" ||
		die "could not download linux-headers-$release"
	dpkg-deb -x "$tmp"/linux-headers-*.deb "$tmp/deb"
	mv "$tmp/deb/usr/src/linux-headers-$release" "$tmp/headers"
	ln -sfn "/usr/lib/linux-kbuild-$kbuild/scripts" "$tmp/headers/scripts"
	ln -sfn "/usr/lib/linux-kbuild-$kbuild/tools" "$tmp/headers/tools"
	finish "$tmp/headers" "$(headers_path 6.12 "$release")"
	dpkg-deb -f "$tmp"/linux-headers-*.deb Version
	rm -rf "$tmp"
}

# install_headers V RELEASE: prints their version.
install_headers() {
	if [ "$1" = 6.12 ]; then
		unpack_headers "$2"
	else
		install "linux-headers-$2"
		dpkg-query -W -f '${Version}' "linux-headers-$2"
	fi
}

# The image must be of the very version of the headers, or modules might not load.
setup_kernel_host() {
	local v=$1 release version tmp
	apt_update
	release=$(newest_release "$v")
	[ -n "$release" ] || die "apt knows no linux-headers for kernel $v:" \
		"bookworm and bookworm-security must be in /etc/apt/sources.list*"
	version=$(install_headers "$v" "$release") || exit
	tmp=$(new_tmp)
	download_deb "$tmp" "linux-image-$release=$version" ||
		download_deb "$tmp" "linux-image-$release-unsigned=$version" ||
		die "no linux-image-$release of version $version to download:" \
			"upgrade linux-headers-$release and try again"
	unpack_kernel "$v" "$tmp"
}

# Runs on the new trixie tree, before its package lists are removed. The headers
# depend on the image, whose installation would make an initrd: unpack them. The
# image itself only depends on the three packages that its parts are in.
chroot_hook() {
	cat <<END
set -e
release=\$(chroot "\$1" apt-cache pkgnames linux-headers-7.2. |
	grep -E '^linux-headers-$(series_pattern 7.2)\$' |
	sed s/^linux-headers-// | sort -V | tail -n 1)
[ "\$release" ] || { echo "trixie-backports has no kernel 7.2" >&2; exit 1; }
kbuild=\${release%-amd64}
mkdir -p "\$1/image" "\$1/build"
chroot "\$1" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
	install "linux-headers-\$kbuild-common" "linux-kbuild-\$kbuild" >/dev/null
chroot "\$1" sh -c "cd /image && apt-get -qq -o APT::Sandbox::User=root \
	download linux-base-\$release linux-binary-\$release \
		linux-modules-\$release linux-headers-\$release &&
	dpkg-deb -x linux-headers-\${release}_*.deb / &&
	rm linux-headers-*.deb"
END
}

make_chroot() {
	say "making a trixie tree to build modules for 7.2 (a minute or two)"
	check_privilege
	as_root nice mmdebstrap --quiet --mode=root --variant=minbase --format=directory \
		--include=gcc,make,libc6-dev,kmod \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--customize-hook="$(chroot_hook)" trixie "$1" \
		"deb $VMDEMO_MIRROR trixie main" \
		"deb $VMDEMO_MIRROR trixie-backports main" >&2 ||
		die "mmdebstrap could not make the trixie tree (see above)"
	as_root chmod 755 "$1"
}

# Headers from trixie-backports need trixie's compiler, hence a tree of its own.
setup_kernel_chroot() {
	local tmp
	if [ ! -e "$(chroot_path)" ]; then
		tmp=$(new_tmp)
		make_chroot "$tmp"
		finish "$tmp" "$(chroot_path)"
	fi
	tmp=$(new_tmp)
	cp "$(chroot_path)"/image/*.deb "$tmp/"
	unpack_kernel 7.2 "$tmp"
}

setup_kernel() {
	kernel_ready "$1" && return
	if [ "$1" = 7.2 ]; then
		setup_kernel_chroot
	else
		setup_kernel_host "$1"
	fi
}

#
# Guest root file systems
#

setup_rootfs() {
	local image packages tmp
	image=$(rootfs_path "$1")
	[ ! -e "$image" ] || return 0
	check_privilege
	packages=$(rootfs_packages "$1")
	say "making the guest's root file system '$1' (a minute or two)"
	tmp=$(new_tmp)
	as_root nice mmdebstrap --quiet --mode=root --variant=minbase --format=directory \
		--include="${packages// /,}" \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		bookworm "$tmp/tree" "deb $VMDEMO_MIRROR bookworm main" \
		"deb $VMDEMO_SECURITY_MIRROR bookworm-security main" >&2 ||
		die "mmdebstrap could not make the root file system (see above)"
	# Only root can read all of the tree.
	# shellcheck disable=SC2016 # expanded by the inner shell
	as_root bash -c 'set -e; . "$1/lib.sh"; tree_to_ext4 "$2/tree" "$2/image"' \
		- "$VM_DIR" "$tmp"
	as_root chown "$(id -u):$(id -g)" "$tmp/image"
	mv "$tmp/image" "$image"
	as_root rm -rf "$tmp"
}

#
# Files of the kernel's source
#

# kselftest's header and the style checker are in no package but the source's.
setup_kernel_source() {
	local version dir tmp
	version=$(dpkg-query -W -f '${Version}' linux-source-6.1)
	dir=$VMDEMO_CACHE/linux-source-6.1-$version
	if [ ! -d "$dir" ]; then
		say "extracting kselftest and checkpatch from linux-source-6.1"
		tmp=$(new_tmp)
		tar -C "$tmp" --strip-components=1 -xJf /usr/src/linux-source-6.1.tar.xz \
			--wildcards \
			'*/tools/testing/selftests/kselftest*' \
			'*/scripts/checkpatch.pl' '*/scripts/spelling.txt' \
			'*/scripts/const_structs.checkpatch' \
			'*/scripts/kernel-doc' '*/Documentation/dev-tools/checkpatch.rst' \
			'linux-source-6.1/.clang-format'
		finish "$tmp" "$dir"
	fi
	point "$VMDEMO_CACHE/linux-source-6.1" "$dir"
}

#
# All of it
#

setup_vm() {
	local k
	setup_busybox
	for k in "${kernels[@]}"; do
		setup_kernel "$k"
	done
	setup_rootfs base
	[ -z "$want_check" ] || { setup_kernel 6.1 && setup_rootfs dkms; }
}

# Style checks compile the module, so they need the headers, but no image.
setup_style() {
	local release
	setup_kernel_source
	[ -z "$want_vm" ] || return 0
	compgen -G '/usr/src/linux-headers-6.1.0-*-amd64/Makefile' >/dev/null && return
	apt_update
	release=$(newest_release 6.1)
	[ -n "$release" ] || die "apt knows no linux-headers for kernel 6.1"
	install "linux-headers-$release"
}

trap_errors
parse_args "$@"
check_host
lock_cache
read -ra packages <<<"$(host_packages | tr '\n' ' ')"
install "${packages[@]}"
[ -z "$want_vm" ] || setup_vm
[ -z "$want_style" ] || setup_style
say "ready: kernels ${kernels[*]}, cache $VMDEMO_CACHE"
