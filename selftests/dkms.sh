#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Install the module with DKMS, use it, and take it away again: on the host this
# boots a guest with compiler and headers, in the guest it does the work.
#
# usage: dkms.sh [--guest]
set -uo pipefail

TESTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(dirname "$TESTS_DIR")

on_host() {
	local dir=$TOP/build/payload-dkms

	rm -rf "$dir"
	mkdir -p "$dir/source"
	(cd "$TOP" && cp -r Kbuild Makefile dkms.conf module uapi "$dir/source/")
	find "$dir/source" -type f \( -name '*.[od]' -o -name '*.ko' -o -name '.*.cmd' \) -delete
	cp "$TESTS_DIR/dkms.sh" "$dir/"
	exec "$TESTS_DIR/vm/run.sh" --kernel 6.1 --rootfs dkms --mem 2048 \
		--timeout 2400 --payload "$dir" -- ./dkms.sh --guest
}

passed=0
failed=0

# check NAME COMMAND...
check() {
	local name=$1

	shift
	if "$@" >/tmp/out 2>&1; then
		passed=$((passed + 1))
		echo "ok - $name"
	else
		failed=$((failed + 1))
		echo "not ok - $name"
		sed 's/^/#   /' /tmp/out
		tail -n 40 /var/lib/dkms/vmdemo/*/build/make.log 2>/dev/null
	fi
}

status_is() {
	dkms status vmdemo | grep ".*: $1"
}

# shellcheck disable=SC2317 # called by check
no_deprecated() {
	! grep -iE 'deprecated|warning' /tmp/out.build
}

# shellcheck disable=SC2317
build() {
	dkms build "vmdemo/$version" -k "$release" >/tmp/out.build 2>&1
	local status=$?

	cat /tmp/out.build
	return $status
}

# shellcheck disable=SC2317
module_from_dkms() {
	modinfo -F filename vmdemo | grep "/lib/modules/$release/updates/dkms/vmdemo.ko"
}

# shellcheck disable=SC2317
nothing_left() {
	[ -z "$(dkms status vmdemo)" ] && ! modinfo vmdemo 2>/dev/null
}

in_guest() {
	cp -r /payload/source /tmp/source
	version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' /tmp/source/dkms.conf)
	release=$(uname -r)
	check "dkms add" dkms add /tmp/source
	check "it is known" status_is added
	check "dkms build" build
	check "without complaint about dkms.conf" no_deprecated
	check "it is built" status_is "built"
	check "dkms install" dkms install "vmdemo/$version" -k "$release"
	check "it is where modprobe looks first" module_from_dkms
	check "modprobe vmdemo" modprobe vmdemo
	check "the device is there" test -c /dev/vmdemo
	check "modprobe -r vmdemo" modprobe -r vmdemo
	check "dkms uninstall" dkms uninstall "vmdemo/$version" -k "$release"
	check "dkms remove" dkms remove "vmdemo/$version" --all
	check "nothing is left" nothing_left
	echo "$passed passed, $failed failed"
	[ $failed = 0 ]
}

case ${1:-} in
--guest) in_guest ;;
"") on_host ;;
*) sed -n '3,/^$/s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac
