#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Build for a guest's kernel, and gather what a run in the guest needs.
set -euo pipefail

TESTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(dirname "$TESTS_DIR")

usage() {
	cat <<'END'
usage: payload.sh [--kernel V] [--tests] [--demo] [--bench] DIR

Build the module for a kernel series and vmdemoctl, and put them in DIR, which
is made anew and may then be the payload of vm/run.sh.

  --kernel V   6.1 (default), 6.12, 7.2, or kasan for the sanitizing kernel
  --tests      also the kselftest programs and those of the tool
  --demo       also the demonstration
  --bench      also the benchmark
END
}

kernel=6.1
parts=()
dir=
while [ $# -gt 0 ]; do
	case $1 in
	--kernel) kernel=${2:?--kernel needs a value} && shift ;;
	--tests | --demo | --bench) parts+=("${1#--}") ;;
	-h | --help) usage && exit 0 ;;
	-*) usage >&2 && exit 2 ;;
	*) dir=$1 ;;
	esac
	shift
done
[ -n "$dir" ] || { usage >&2 && exit 2; }

build_module() {
	if [ "$kernel" = kasan ]; then
		local tree
		tree=$("$TESTS_DIR/vm/debug-kernel.sh" --flavour kasan)
		"$TESTS_DIR/vm/build-module.sh" --kdir "$tree/build" --out "$dir"
	else
		"$TESTS_DIR/vm/build-module.sh" --kernel "$kernel" --out "$dir"
	fi >/dev/null
}

compile() {
	local out=$1
	shift
	"${CC:-gcc}" -std=gnu11 -O2 -g -Wall -Wextra -Werror -I "$TOP/uapi" -o "$dir/$out" "$@"
}

add_tests() {
	local objects=$TOP/build/selftests t
	make -s -C "$TESTS_DIR" O="$objects"
	for t in $(make -s -C "$TESTS_DIR" list) churn compat32; do
		[ ! -x "$objects/$t" ] || cp "$objects/$t" "$dir/"
	done
	cp "$TESTS_DIR"/{life,run_tests,guest_tests,tracers}.sh "$dir/"
	cp "$TESTS_DIR/policy/vectors.txt" "$dir/"
	cp -r "$TOP/tools/tests" "$dir/tool-tests"
}

add_demo() {
	cp "$TESTS_DIR"/demo/*.sh "$dir/"
	compile paged.so -shared -fPIC "$TESTS_DIR/demo/paged.c"
	compile oneopen.so -shared -fPIC "$TESTS_DIR/demo/oneopen.c"
}

add_bench() {
	cp "$TESTS_DIR/bench/guest.sh" "$dir/bench_guest.sh"
	compile bench -pthread "$TESTS_DIR/bench/bench.c"
}

rm -rf "$dir"
mkdir -p "$dir"
build_module
make -s -C "$TOP/tools"
cp "$TOP/tools/vmdemoctl" "$dir/"
for part in ${parts[@]+"${parts[@]}"}; do
	"add_$part"
done
