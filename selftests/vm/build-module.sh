#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Build the module for one kernel, from a private copy of its sources.
set -euo pipefail

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$VM_DIR/lib.sh"

usage() {
	cat <<'END'
usage: build-module.sh --kernel V [--src DIR] [--out DIR] [--fresh]
                       [MAKE-ARGUMENTS...]
       build-module.sh --kdir DIR [--src DIR] [--out DIR] [--fresh]
                       [MAKE-ARGUMENTS...]

Build the module whose Kbuild file is in DIR against the headers of a kernel and
leave the .ko files in the output directory, whose name is printed at the end.

  --kernel V   kernel series set up by setup.sh: 6.1, 6.12 or 7.2
  --kdir DIR   instead: any configured and built kernel tree
  --src DIR    the sources (default: the top of this repository)
  --out DIR    where the .ko files go (default: a directory of the cache)

  --fresh      build all of it again: with MAKE-ARGUMENTS that look for mistakes

What is changed is built again, and builds for several kernels may run at once.
MAKE-ARGUMENTS are passed on, for example W=1 or C=1.
environment: VMDEMO_CACHE, see setup.sh.
END
}

kernel=
kdir=
top=$(cd "$VM_DIR/../.." && pwd)
src=$top
fresh=
out=
make_args=()

parse_args() {
	while [ $# -gt 0 ]; do
		case $1 in
		--kernel) need_value "$1" $# && check_kernel_name "$2" && kernel=$2 && shift ;;
		--kdir) need_value "$1" $# && kdir=$2 && shift ;;
		--src) need_value "$1" $# && src=$2 && shift ;;
		--fresh) fresh=y ;;
		--out) need_value "$1" $# && out=$2 && shift ;;
		-h | --help) usage && exit 0 ;;
		--*) die "unknown option '$1' (see --help)" ;;
		*) make_args+=("$1") ;;
		esac
		shift
	done
}

check_args() {
	[ -n "$kernel$kdir" ] || die "--kernel V is missing: choose one of: $VM_KERNELS"
	[ -z "$kernel" ] || [ -z "$kdir" ] || die "--kernel and --kdir exclude each other"
	[ -z "$kdir" ] || [ -e "$kdir/Module.symvers" ] ||
		die "--kdir $kdir: not a built kernel tree (no Module.symvers in it)"
	[ -e "$src/Kbuild" ] || die "--src $src: no Kbuild file in it"
	src=$(readlink -f "$src")
}

# Sources below the top, but for what belongs to user space or to nobody here.
list_sources() {
	(cd "$1" && find . \( -path ./.git -o -path ./tools -o -path ./selftests \) -prune \
		-o -type f \( -name '*.[chS]' -o -name Kbuild -o -name 'Kbuild.*' \
		-o -name Makefile \) ! -name '*.mod.c' ! -name '.*' -print) | LC_ALL=C sort
}

# Only what differs is copied, and what is gone is removed: make sees the right
# ages whatever happened to those of the originals.
copy_sources() {
	local f
	list_sources "$src" >"$build/.sources"
	while read -r f; do
		cmp -s "$src/$f" "$build/$f" && continue
		mkdir -p "$(dirname "$build/$f")"
		cp "$src/$f" "$build/$f"
	done <"$build/.sources"
	list_sources "$build" | LC_ALL=C comm -13 "$build/.sources" - |
		(cd "$build" && xargs -r -d '\n' rm -f)
}

build_in_chroot() {
	local root
	root=$(chroot_path)
	# Mounts of a namespace of its own vanish with it. As an ordinary user the
	# namespace also makes us root, which mounting needs.
	local ns=(unshare --mount --pid --fork)
	[ "$(id -u)" -eq 0 ] || ns+=(--map-root-user)
	# shellcheck disable=SC2016 # expanded by the inner shell
	"${ns[@]}" sh -c '
		set -e
		root=$1 build=$2
		shift 2
		mount --make-rprivate /
		mount --rbind /dev "$root/dev"
		mount --bind "$build" "$root/build"
		# objtool wants it.
		mount -t proc proc "$root/proc"
		exec chroot "$root" env LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
	' - "$root" "$build" "$@"
}

run_make() {
	local args=(make -s -j "$(nproc)")
	if [ -n "$kdir" ]; then
		"${args[@]}" -C "$kdir" M="$build" modules ${make_args[@]+"${make_args[@]}"}
	elif [ "$kernel" = 7.2 ]; then
		build_in_chroot "${args[@]}" -C "$(headers_path "$kernel" "$release")" \
			M=/build modules ${make_args[@]+"${make_args[@]}"}
	else
		"${args[@]}" -C "$(headers_path "$kernel" "$release")" \
			M="$build" modules ${make_args[@]+"${make_args[@]}"}
	fi
}

# One build directory for each kind of sources and kernel: clones of the project
# take turns, and compile what differs.
choose_build_dir() {
	local id key
	if [ -n "$kernel" ]; then
		release=$(cat "$(kernel_dir "$kernel")/release")
		id=$release
	else
		kdir=$(readlink -f "$kdir")
		id=$(cat "$kdir/include/config/kernel.release")
	fi
	key=$(echo "$(kind_of_source) $kdir ${make_args[*]}" | sha256sum | cut -c 1-8)
	build=$VMDEMO_CACHE/build/$id-$key
	mkdir -p "$build"
	[ -n "$out" ] || out=$build
	mkdir -p "$out"
	out=$(readlink -f "$out")
	[ "$out" != "$src" ] || die "--out $out: must not be the source directory"
}

# The whole, or what was put together under this name for a purpose.
kind_of_source() {
	[ "$src" = "$top" ] || basename "$src"
}

copy_results() {
	local ko
	compgen -G "$build/*.ko" >/dev/null || die "nothing was built: no .ko in $build"
	for ko in "$build"/*.ko; do
		[ "$out" = "$build" ] || cmp -s "$ko" "$out/${ko##*/}" || cp "$ko" "$out/"
	done
}

trap_errors
parse_args "$@"
check_args
need_tool make
choose_build_dir
# Two builds of the same thing would disturb each other.
exec 8>"$build/.lock"
flock 8
[ -z "$fresh" ] || find "$build" -mindepth 1 ! -name .lock -delete
copy_sources
use_ccache
run_make >&2 || die "the build for kernel ${kernel:-$kdir} failed (see above)"
copy_results
echo "$out"
