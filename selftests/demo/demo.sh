#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# See the module at work: "make demo".
set -euo pipefail

DEMO_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TESTS_DIR=$(dirname "$DEMO_DIR")
TOP=$(dirname "$TESTS_DIR")
KERNEL=${VMDEMO_KERNEL:-6.1}
unset MAKEFLAGS MAKELEVEL MFLAGS

usage() {
	cat <<'END'
usage: demo.sh [--native]

Build the module, boot a throw-away VM, load the module there and run sort,
sqlite3 and fio on it under several policies. Installs what is missing at first.

  --native   no VM: build for the running kernel, load the module into it, run
             the same, unload it. Needs root, sqlite3, fio and kernel headers.

environment: VMDEMO_KERNEL (6.1, 6.12 or 7.2), VMDEMO_CACHE
END
}

in_vm() {
	local dir=$TOP/build/payload-demo

	echo "Setting up (downloads are kept in ${VMDEMO_CACHE:-~/.cache/vmdemo}) and building ..."
	"$TESTS_DIR/vm/setup.sh" --demo --kernel "$KERNEL"
	"$TESTS_DIR/payload.sh" --kernel "$KERNEL" --demo "$dir"
	echo "Booting a virtual machine with Linux $KERNEL; nothing is loaded on this one."
	exec "$TESTS_DIR/vm/run.sh" --kernel "$KERNEL" --payload "$dir" -- ./show.sh --ram-disk
}

native() {
	local dir=$TOP/build/payload-native tool shim

	[ "$(id -u)" -eq 0 ] || { echo "demo.sh: --native loads a module: run as root" >&2 && exit 2; }
	for tool in gcc make sqlite3 fio; do
		command -v $tool >/dev/null ||
			{ echo "demo.sh: --native needs $tool: install it first" >&2 && exit 2; }
	done
	[ ! -d /sys/module/vmdemo ] ||
		{ echo "demo.sh: vmdemo is loaded already: rmmod vmdemo first" >&2 && exit 2; }
	echo "This loads vmdemo.ko into the running kernel ($(uname -r)), with its pages in"
	echo "a file without a name in /var/tmp, and unloads it at the end. No file is left."
	make -s -C "$TOP" modules tools
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$TOP/vmdemo.ko" "$TOP/tools/vmdemoctl" "$DEMO_DIR/show.sh" "$dir/"
	for shim in paged oneopen; do
		gcc -std=gnu11 -O2 -Wall -Wextra -shared -fPIC -I "$TOP/uapi" \
			-o "$dir/$shim.so" "$DEMO_DIR/$shim.c"
	done
	exec "$dir/show.sh"
}

case ${1:-} in
--native) native ;;
"") in_vm ;;
-h | --help) usage ;;
*) usage >&2 && exit 2 ;;
esac
