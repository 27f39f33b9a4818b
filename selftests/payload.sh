#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Build for a guest's kernel, and gather what a run in the guest needs.
set -euo pipefail

TESTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(dirname "$TESTS_DIR")

usage() {
	cat <<'END'
usage: payload.sh [--kernel V] [--tests] [--sanitize] [--demo] [--bench] [--lab]
                  [--shell] DIR

Build the module for a kernel series and vmdemoctl, and put them in DIR, which
is made anew and may then be the payload of vm/run.sh.

  --kernel V   6.1 (default), 6.12, 7.2, or kasan or kcsan for a sanitizing one
  --tests      also the kselftest programs and those of the tool
  --sanitize   also the policies' vectors as KUnit, and the injection of faults
  --demo       also the demonstration
  --bench      also the benchmark
  --lab        also the experiments of docs/lab
  --shell      also what make install installs, and labshell.sh's part in the guest
END
}

kernel=6.1
parts=()
dir=
while [ $# -gt 0 ]; do
	case $1 in
	--kernel) kernel=${2:?--kernel needs a value} && shift ;;
	--tests | --sanitize | --demo | --bench | --lab | --shell) parts+=("${1#--}") ;;
	-h | --help) usage && exit 0 ;;
	-*) usage >&2 && exit 2 ;;
	*) dir=$1 ;;
	esac
	shift
done
[ -n "$dir" ] || { usage >&2 && exit 2; }

# build_module ARGUMENTS: of vm/build-module.sh, but for the kernel.
build_module() {
	local tree

	case $kernel in
	kasan | kcsan)
		tree=$("$TESTS_DIR/vm/debug-kernel.sh" --flavour "$kernel")
		"$TESTS_DIR/vm/build-module.sh" --kdir "$tree/build" --out "$dir" "$@"
		;;
	*)
		"$TESTS_DIR/vm/build-module.sh" --kernel "$kernel" --out "$dir" "$@"
		;;
	esac >/dev/null
	# All of a module's file is copied each time it is loaded, hundreds of times.
	strip -g "$dir"/*.ko
}

compile() {
	local out=$1
	shift
	"${CC:-gcc}" -std=gnu11 -O2 -g -Wall -Wextra -Werror -I "$TOP/uapi" -o "$dir/$out" "$@"
}

add_tests() {
	local objects=$TOP/build/selftests t
	make -s -C "$TESTS_DIR" O="$objects"
	for t in $(make -s -C "$TESTS_DIR" list) compat32 inject; do
		[ ! -x "$objects/$t" ] || cp "$objects/$t" "$dir/"
	done
	cp "$TESTS_DIR"/{life,run_tests,guest_tests,tracers,stress,splats,durable_guest}.sh \
		"$TESTS_DIR"/files*.sh "$dir/"
	compile oneopen.so -shared -fPIC "$TESTS_DIR/demo/oneopen.c"
	add_run
	case $kernel in
	6.1) ;;
	kcsan) touch "$dir/races" ;;
	*) touch "$dir/short" ;;
	esac
	cp "$TESTS_DIR/policy/vectors.txt" "$dir/"
	cp -r "$TOP/tools/tests" "$dir/tool-tests"
}

# Programs whose heap is in a space.
add_run() {
	cp "$TESTS_DIR/run.sh" "$dir/"
	compile run_prog -pthread "$TESTS_DIR/run_prog.c"
	compile run_static -static -pthread "$TESTS_DIR/run_prog.c"
	"${CXX:-g++}" -std=gnu++17 -O2 -g -Wall -Wextra -Werror -o "$dir/run_cxx" \
		"$TESTS_DIR/run_prog.cpp"
}

# Each kernel has a source directory of its own: builds may run at once.
add_sanitize() {
	local src=$TOP/build/kunit-$kernel

	"$TESTS_DIR/kunit/prepare.sh" "$src"
	build_module --src "$src"
	cp "$TESTS_DIR"/{inject,kunit/kunit}.sh "$dir/"
}

add_demo() {
	cp "$TESTS_DIR"/demo/*.sh "$dir/"
	compile paged.so -shared -fPIC "$TESTS_DIR/demo/paged.c"
	compile oneopen.so -shared -fPIC "$TESTS_DIR/demo/oneopen.c"
}

add_bench() {
	local part

	for part in guest lib programs threads profile calls; do
		cp "$TESTS_DIR/bench/$part.sh" "$dir/bench_$part.sh"
	done
	cp "$TESTS_DIR/bench/locks_guest.sh" "$dir/bench_locks.sh"
	compile bench -pthread "$TESTS_DIR"/bench/{bench,threads,uffd,locks}.c
}

add_lab() {
	cp "$TESTS_DIR/lab.sh" "$dir/"
	mkdir "$dir/lab"
	cp "$TOP"/docs/lab/[0-9]*.md "$dir/lab/"
	compile paged.so -shared -fPIC "$TESTS_DIR/demo/paged.c"
	compile refs "$TOP/docs/lab/refs.c"
	compile steps -D_GNU_SOURCE -pthread "$TOP/docs/lab/steps.c"
}

add_shell() {
	make -s -C "$TOP/tools" install DESTDIR="$(readlink -f "$dir")/root" PREFIX=/usr
	cp "$TOP/docs/lab/README.md" "$dir/lab/"
	cp "$TESTS_DIR/labshell_guest.sh" "$dir/shell"
}

rm -rf "$dir"
mkdir -p "$dir"
build_module
# Programs are built in one place for all payloads.
mkdir -p "$TOP/build"
exec 9>"$TOP/build/.payload.lock"
flock 9
make -s -C "$TOP/tools"
cp "$TOP/tools/vmdemoctl" "$TOP/tools/preload/libvmdemo-preload.so" "$dir/"
for part in ${parts[@]+"${parts[@]}"}; do
	"add_$part"
done
