#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build the sanitizing kernel the tests boot in QEMU, once, into the cache.

set -euo pipefail
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin	# depmod
unset MAKEFLAGS MFLAGS MAKELEVEL ARCH CROSS_COMPILE KBUILD_OUTPUT KBUILD_EXTMOD

readonly SOURCE=linux-source-6.12
readonly PACKAGES=("$SOURCE" gcc make flex bison bc libc6-dev libelf-dev libssl-dev
	xz-utils lz4 cpio kmod)
# Parts of the source no guest of ours compiles: two thirds of its bulk. Only code
# stays out: kconfig and make read files of every driver and architecture.
readonly LEAVE_OUT=('arch/[a-wyz]*/*.[chS]' 'arch/xtensa/*.[chS]' 'arch/*.dts*' 'Documentation/*/*' tools/perf
	'drivers/gpu/*.[ch]' 'drivers/media/*.[ch]' 'drivers/net/*/*.[ch]' 'drivers/staging/*.[ch]'
	'drivers/usb/*.[ch]' 'drivers/infiniband/*.[ch]' 'sound/*.[ch]')

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
cache=${VMDEMO_CACHE:-$HOME/.cache/vmdemo}
flavour=kasan
work=

usage() {
	cat <<-END
	usage: ${0##*/} [--flavour kasan|kcsan]

	Builds a small x86-64 kernel from Debian's $SOURCE with everything that
	finds mistakes, unless the cache has it already, and prints its directory:

	  vmlinuz   bzImage; build/vmlinux boots too (PVH) and needs no decompression
	  modules/  lib/modules/<release>; nearly all is built in, the exceptions
	            are brd, null_blk, nbd and zram, for their load-time parameters
	  build/    for external modules: make -C .../build M=\$PWD modules
	  release   the version string

	  kasan     KASAN, UBSAN, lockdep, kmemleak, page table check, page poisoning,
	            object debugging, fault injection, KUnit (the default)
	  kcsan     KCSAN for data races instead of all that, kmemleak off

	What is missing is installed with apt (as root or through sudo). The first
	build takes minutes; its log stays next to the directory when it fails.

	The kernel's built-in command line holds page_poison=1 and generous watchdogs;
	what QEMU appends comes after it and wins. Worth appending:

	  preempt=full           more places to be preempted at
	  panic_on_warn=1        stop at the first report
	  kasan_multi_shot       report every bad access (KASAN stops after one)
	  page_owner=on          who allocated each page
	  debug_pagealloc=on     freed pages are unmapped from the kernel (slow)

	kmemleak is on but scans only when asked: echo scan >/sys/kernel/debug/kmemleak

	VMDEMO_CACHE names another cache (now $cache).
	END
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

say() {
	printf '%s\n' "$*" >&2
}

parse_arguments() {
	while (($#)); do
		case $1 in
		--flavour) flavour=${2:?--flavour needs a name}; shift ;;
		--flavour=*) flavour=${1#*=} ;;
		-h | --help) usage; exit ;;
		*) usage >&2; exit 2 ;;
		esac
		shift
	done
	[[ $flavour == kasan || $flavour == kcsan ]] || die "no flavour '$flavour': kasan or kcsan"
}

fragments() {
	echo "$here/debug.config"
	[[ $flavour == kasan ]] || echo "$here/$flavour.config"
}

as_root() {
	if ((EUID)); then sudo "$@"; else "$@"; fi
}

apt_install() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=600 \
		--no-install-recommends install "$@" >&2
}

install_packages() {
	local missing
	missing=$(comm -13 <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${PACKAGES[@]}" 2>/dev/null |
		sed -n 's/^installed //p' | sort -u) <(printf '%s\n' "${PACKAGES[@]}" | sort))
	[[ $missing ]] || return 0
	say "installing ${missing//$'\n'/ }"
	# shellcheck disable=SC2086 # one word a package
	apt_install $missing || { as_root apt-get update -q >&2 && apt_install $missing; }
}

source_version() {
	dpkg-query -W -f '${Version}' "$SOURCE"
}

digest() {
	sha256sum | cut -c1-12
}

# All that decides what comes out; the compiler's version is part of a kernel,
# for modules must be built with the same.
key() {
	local files
	mapfile -t files < <(fragments)
	{
		echo "$flavour" "$(source_key)" "$(gcc -dumpfullversion)"
		cat "${files[@]}" "${BASH_SOURCE[0]}"
	} | digest
}

# What the unpacked source is made from.
source_key() {
	echo "$(source_version)" "${LEAVE_OUT[@]}" | cat - "$here/sanitize.mk" | digest
}

# What sanitizers leave out; and of the stacks that KASAN keeps of each allocation,
# which are a sixth of its time, what is enough to know the caller.
adjust_source() {
	cp "$here/sanitize.mk" "$1/scripts/Makefile.vmdemo"
	sed -i "1a include \$(srctree)/scripts/Makefile.vmdemo" "$1/scripts/Makefile.lib"
	sed -i 's/^#define KASAN_STACK_DEPTH 64$/#define KASAN_STACK_DEPTH 12/' "$1/mm/kasan/kasan.h"
	grep -q '^#define KASAN_STACK_DEPTH 12$' "$1/mm/kasan/kasan.h" ||
		die "no KASAN_STACK_DEPTH of 64 in mm/kasan/kasan.h of $SOURCE"
}

unpack_source() {
	local dir=$1
	[[ ! -d $dir ]] || return 0
	say "unpacking $SOURCE $(source_version)"
	mkdir "$work/source"
	tar -xf "/usr/src/$SOURCE.tar.xz" -C "$work/source" --strip-components=1 \
		"${LEAVE_OUT[@]/#/--exclude=$SOURCE/}"
	adjust_source "$work/source"
	mv -T "$work/source" "$dir"
}

# The fragments as one, a later line for a symbol replacing the earlier
merge_fragments() {
	awk '/^(CONFIG_[A-Za-z0-9_]+=|# CONFIG_[A-Za-z0-9_]+ is not set$)/ {
			match($0, /CONFIG_[A-Za-z0-9_]+/)
			symbol = substr($0, RSTART, RLENGTH)
			if (!(symbol in line))
				order[++n] = symbol
			line[symbol] = $0
		}
		END { for (i = 1; i <= n; i++) print line[order[i]] }' "$@"
}

# The lines of $1 that the configuration $2 does not honour
broken_wishes() {
	awk 'NR == FNR { if (/^CONFIG_/) { split($0, part, "="); has[part[1]] = $0 } ; next }
		/^CONFIG_/ { split($0, part, "="); if (has[part[1]] != $0) print }
		/^#/ && $2 in has' "$2" "$1"
}

kmake() {
	nice -n 10 make -C "$source" O="$tree/build" -j"$(nproc)" \
		KBUILD_BUILD_USER=vmdemo KBUILD_BUILD_HOST=vmdemo LOCALVERSION= "$@"
}

configure() {
	local files broken
	mapfile -t files < <(fragments)
	merge_fragments "${files[@]}" >"$work/wanted"
	kmake -s KCONFIG_ALLCONFIG="$work/wanted" allnoconfig
	kmake -s olddefconfig
	broken=$(broken_wishes "$work/wanted" "$tree/build/.config")
	[[ ! $broken ]] || die "the configuration did not honour:"$'\n'"$broken"
}

install_kernel() {
	local release
	release=$(kmake -s kernelrelease)
	cp "$tree/build/arch/x86/boot/bzImage" "$tree/vmlinuz"
	kmake -s INSTALL_MOD_PATH="$tree/modules" INSTALL_MOD_STRIP=1 modules_install
	ln -sfn ../../../../build "$tree/modules/lib/modules/$release/build"
	echo "$release" >"$tree/release"
}

# Objects are of no use to external modules; the tools in scripts/ and tools/ are
prune_build() {
	find "$tree/build" \( -path "$tree/build/scripts" -o -path "$tree/build/tools" \) -prune -o -type f \
		\( -name '*.[oa]' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' \
		-o -name '.tmp_*' -o -name '.vmlinux*' \) -exec rm -f {} +
	rm -rf "$tree/build/arch/x86/boot"
}

check_module_build() {
	mkdir "$work/module"
	echo 'obj-m := probe.o' >"$work/module/Kbuild"
	printf '#include <linux/module.h>\nMODULE_DESCRIPTION("probe");\nMODULE_LICENSE("GPL");\n' \
		>"$work/module/probe.c"
	make -s -C "$tree/build" M="$work/module" modules
}

build() {
	configure
	kmake bzImage modules
	install_kernel
	prune_build
	check_module_build
}

logged_build() {
	local log=$1 status
	say "building the $flavour kernel: some minutes; log in $log"
	# Not "(build) ||": that would switch errexit off inside
	set +e
	(set -e; build) >"$log" 2>&1
	status=$?
	set -e
	if ((status)); then
		tail -n 30 "$log" >&2
		die "the build failed: $log"
	fi
	rm -f "$log"
}

build_into() {
	local dir=$1
	source=$cache/debug-source-$(source_key)
	rm -rf "$cache"/.debug-kernel.*	# left by killed builds: the lock is ours
	work=$(mktemp -d "$cache/.debug-kernel.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	tree=$work/tree
	mkdir -p "$tree/build"
	unpack_source "$source"
	logged_build "$dir.log"
	mv -T "$tree" "$dir"
}

main() {
	local dir
	parse_arguments "$@"
	[[ $(uname -m) == x86_64 ]] || die "only x86-64 hosts"
	install_packages
	dir=$cache/kernel-debug-$(key)
	if [[ ! -d $dir ]]; then
		mkdir -p "$cache"
		exec {lock}>"$cache/debug-kernel.lock"
		flock "$lock"
		# Another may have built it while we waited
		[[ -d $dir ]] || build_into "$dir"
	fi
	echo "$dir"
}

main "$@"
