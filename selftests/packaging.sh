#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Building, installing and cleaning, in a copy of the tree. The last line is
# "N passed, N failed".
# shellcheck disable=SC2317 # most functions are called through check
set -uo pipefail

TESTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(dirname "$TESTS_DIR")
# shellcheck source=vm/lib.sh
. "$TESTS_DIR/vm/lib.sh"
passed=0
failed=0
work_dir packaging
tmp=$REPLY
trap 'rm -rf "$tmp"' EXIT
tree=$tmp/tree
unset KDIR KERNELRELEASE DESTDIR PREFIX INSTALL_MOD_PATH MAKEFLAGS MAKELEVEL MFLAGS
use_ccache

# check NAME COMMAND...
check() {
	local name=$1

	shift
	if "$@" >"$tmp/out" 2>&1; then
		passed=$((passed + 1))
		echo "ok - $name"
	else
		failed=$((failed + 1))
		echo "not ok - $name"
		tail -n 30 "$tmp/out" | sed 's/^/#   /'
	fi
}

copy_tree() {
	mkdir "$tree"
	(cd "$TOP" && git ls-files -co --exclude-standard |
		while read -r f; do [ ! -e "$f" ] || echo "$f"; done |
		tar -c -T -) | tar -x -C "$tree"
	git -C "$tree" init -q
	git -C "$tree" add -A
	git -C "$tree" -c user.name=test -c user.email=test@localhost commit -q -m test
}

# The headers of kernel 6.1 that the set-up installed.
find_headers() {
	local d

	for d in /usr/src/linux-headers-6.1.0-*-amd64; do
		[ ! -e "$d/Makefile" ] || echo "$d"
	done | sort -V | tail -n 1
}

run_make() {
	make -C "$tree" "$@"
}

refuses_without_headers() {
	! run_make modules KERNELRELEASE=0.0.0-none >"$tmp/said" 2>&1 &&
		grep 'apt-get install linux-headers-0.0.0-none' "$tmp/said" &&
		! run_make modules KDIR=/nonexistent
}

# KERNELRELEASE alone is enough where /lib/modules has the link.
builds_by_release() {
	[ -e "/lib/modules/$release/build/Makefile" ] || return 0
	KERNELRELEASE=$release run_make modules && [ -e "$tree/vmdemo.ko" ]
}

built_for() {
	[ "$(modinfo -F vermagic "$tree/vmdemo.ko" | cut -d ' ' -f 1)" = "$release" ]
}

installed() {
	local f

	for f; do
		[ -e "$tmp/root/$f" ] || { echo "not there: $f" && find "$tmp/root" && return 1; }
	done
}

nothing_installed() {
	[ -z "$(find "$tmp/root" -type f -path '*/usr/*')" ] || { find "$tmp/root" && false; }
}

one_module_installed() {
	[ "$(find "$tmp/root" -name 'vmdemo.ko*' | wc -l)" = 1 ] || { find "$tmp/root" && false; }
}

clean_status() {
	local left

	left=$(git -C "$tree" status --porcelain --ignored)
	echo "$left"
	[ -z "$left" ]
}

same_version() {
	local v

	v=$(sed -n 's/.*VMD_VERSION.*"\(.*\)"/\1/p' "$tree/module/version.h")
	echo "module/version.h: $v"
	grep "^PACKAGE_VERSION=\"$v\"" "$tree/dkms.conf" &&
		[ "$("$tree/tools/vmdemoctl" --version)" = "vmdemoctl $v" ]
}

copy_tree || exit 1
headers=$(find_headers)
release=${headers#/usr/src/linux-headers-}
check "make help" run_make help
check "no headers: says what to install" refuses_without_headers
check "make KDIR=" run_make KDIR="$headers"
check "it is for that kernel" built_for
check "one version everywhere" same_version
check "make install" run_make install DESTDIR="$tmp/root" PREFIX=/usr
check "all is in its place" installed usr/sbin/vmdemoctl usr/include/vmdemo.h usr/include/vmdemo_trace.h usr/share/man/man4/vmdemo.4 \
	usr/lib/vmdemo/libvmdemo-preload.so \
	usr/share/man/man8/vmdemoctl.8 usr/share/man/man8/vmdemoctl-convert.8 usr/lib/udev/rules.d/60-vmdemo.rules \
	usr/share/bash-completion/completions/vmdemoctl
check "make modules_install" run_make modules_install KDIR="$headers" DESTDIR="$tmp/root"
check "the module is in its place, once" one_module_installed
check "make uninstall" run_make uninstall DESTDIR="$tmp/root" PREFIX=/usr
check "nothing of it is left" nothing_installed
check "make clean" run_make clean
check "nothing is left of the build" clean_status
check "make modules, KERNELRELEASE in the environment" builds_by_release
check "make clean again" run_make clean
check "make -C KDIR M= modules" make -C "$headers" M="$tree" modules
check "it is for that kernel" built_for
check "make -C KDIR M= clean" make -C "$headers" M="$tree" clean
check "make clean without headers" run_make clean KDIR=/nonexistent
check "nothing is left of that either" clean_status
echo "$passed passed, $failed failed"
[ $failed = 0 ]
