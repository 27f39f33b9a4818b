#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a fault costs, counted in instructions: "make bench", "make bench-check".
set -euo pipefail

BENCH_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TESTS_DIR=$(dirname "$BENCH_DIR")
TOP=$(dirname "$TESTS_DIR")
KERNEL=${VMDEMO_KERNEL:-6.1}
OUT=$TOP/build/bench
PAYLOAD=$TOP/build/payload-bench-$KERNEL
unset MAKEFLAGS MAKELEVEL MFLAGS

usage() {
	cat <<'END'
usage: bench.sh [--json | --check | --threads | --profile]
       bench.sh --part PART [--json]
       bench.sh --calls [[soft] WHAT ORDER ACCESS [BUDGET [POLICY]]]

In one boot of a VM whose clock counts instructions, measure soft faults against
tmpfs, memory against anonymous memory with swap, files on ext4 against mmap in
a memory cgroup, larger pages against those of 4 KiB, each policy against fifo,
and in two more boots what looks at accessed bits takes. A table is printed, with
what each ratio has to reach; the same figures go to build/bench/KERNEL.json.

  --json       print that instead of the table
  --check      compare with the figures that are committed, and fail if vmdemo
               takes over 3 % more instructions in some row
  --threads    something else: 1 to 8 threads on several CPUs and a virtio disk,
               and how long faults take, by the clock on the wall
  --profile    something else: where the instructions of a random write go
  --calls      something else: what each function of the kernel takes in that, or in
               another pass (vmdemo or vmdemo:/mnt/file, in random, sequential or
               uniform order, read or write), counted instruction by instruction; with
               soft, in the last of three passes over 8192 resident pages
  --part PART  only soft, anon, file, huge, policies, harvest or floor; to be
               looked at, not kept. And one that is not among those above:
               programs, pages that sort, sqlite3 and python3 have to read again,
               with their heap in a space and by the kernel's own replacement
               (MGLRU, and the classic one) in as much memory; and the instructions
               of all of the program, in millions

environment: VMDEMO_KERNEL (6.1, 6.12 or 7.2), VMDEMO_CACHE
END
}

prepare() {
	"$TESTS_DIR/vm/setup.sh" --bench --kernel "$KERNEL"
	"$TESTS_DIR/payload.sh" --kernel "$KERNEL" --bench "$PAYLOAD"
	mkdir -p "$OUT"
}

# run RAW OPTIONS -- COMMAND: in a VM; its output is kept in RAW.
run() {
	local raw=$1

	shift
	prepare
	echo "Measuring on Linux $KERNEL; this takes some minutes ..." >&2
	"$TESTS_DIR/vm/run.sh" --kernel "$KERNEL" --mem 2048 --timeout 2400 \
		--payload "$PAYLOAD" "$@" >"$raw"
	! grep '^failed' "$raw" >&2
}

# A qemu that has the plugin: run.sh takes the first one of PATH.
watched_qemu() {
	local dir=$1 qemu

	qemu=$(command -v qemu-system-x86_64)
	mkdir -p "$dir"
	gcc -std=gnu11 -O2 -Wall -Wextra -shared -fPIC -o "$dir/calls.so" "$BENCH_DIR/calls.c"
	printf '#!/bin/sh\nexec %q "$@" -plugin %q\n' "$qemu" "$dir/calls.so" \
		>"$dir/qemu-system-x86_64"
	chmod +x "$dir/qemu-system-x86_64"
}

# Symbols have to be where they are in the image, or modules' may not be found.
calls() {
	local accesses=32768

	watched_qemu "$OUT/watched"
	CALLS_OUT=$OUT/calls-$KERNEL.raw PATH=$OUT/watched:$PATH \
		run "$OUT/calls-$KERNEL.syms" --icount --append nokaslr -- ./bench_calls.sh "$@"
	[ "$1" != soft ] || accesses=8192
	awk -v accesses="$accesses" -f "$BENCH_DIR/calls.awk" "$OUT/calls-$KERNEL.syms" \
		"$OUT/calls-$KERNEL.raw" | tee "$OUT/calls-$KERNEL.txt"
}

report() {
	awk -v kernel="$KERNEL" -v form="$1" -f "$BENCH_DIR/report.awk" "$BENCH_DIR/rows.txt" "$2"
}

# What looks at accessed bits takes, of all that the program and the kernel do: where
# pages are evicted, and in the background for policies that want to know it earlier.
# By counting: a tracer takes as much again as what it looks at here.
harvest() {
	local policy

	for policy in clock lru; do
		calls vmdemo uniform read 12288 $policy >/dev/null
		awk -v policy=$policy '
		$1 == "total:" { total = $2 }
		$4 == "vmd_harvest_frames" { evicting = $1 }
		$4 == "vmd_harvest_work" || $4 == "harvest_all" {
			background = $1 > background ? $1 : background
		}
		END {
			printf "harvest_%s ours %d\n", policy, evicting + background
			printf "harvest_%s peer %d\n", policy, total
		}' "$OUT/calls-$KERNEL.txt"
	done
}

measure() {
	run "$OUT/$KERNEL.txt" --icount -- ./bench_guest.sh
	harvest >>"$OUT/$KERNEL.txt"
	report json "$OUT/$KERNEL.txt" >"$OUT/$KERNEL.json"
}

case ${1:-} in
"")
	measure
	report table "$OUT/$KERNEL.txt"
	;;
--json)
	measure
	cat "$OUT/$KERNEL.json"
	;;
--check)
	[ -e "$BENCH_DIR/committed-$KERNEL.json" ] || {
		echo "bench.sh: there are no figures of Linux $KERNEL to compare with: run" \
			"'make bench VMDEMO_KERNEL=$KERNEL' and commit build/bench/$KERNEL.json as" \
			"selftests/bench/committed-$KERNEL.json" >&2
		exit 1
	}
	measure
	"$BENCH_DIR/compare.sh" "$OUT/$KERNEL.json" "$BENCH_DIR/committed-$KERNEL.json"
	;;
--part)
	case ${2:-} in
	soft | anon | file | huge | policies | harvest | floor | programs) ;;
	*) echo "bench.sh: --part '${2:-}': no such part (see --help)" >&2 && exit 2 ;;
	esac
	case ${3:-} in
	"") form=table ;;
	--json) form=json ;;
	*) echo "bench.sh: unknown option '$3' (see --help)" >&2 && exit 2 ;;
	esac
	if [ "$2" = harvest ]; then
		{ echo "release - $KERNEL"; harvest; } >"$OUT/part-$KERNEL.txt"
	else
		run "$OUT/part-$KERNEL.txt" --icount -- ./bench_guest.sh "$2"
	fi
	report "$form" "$OUT/part-$KERNEL.txt"
	;;
--threads)
	run "$OUT/threads-$KERNEL.txt" --cpus 4 --parallel --disk 512M -- ./bench_threads.sh
	awk '
	$2 == "-" { print $1 ": " substr($0, length($1) + 4); next }
	{ v[$1, $2] = $3 }
	$2 == "ours" {
		printf "%s: a random read takes %s us of all, file mmap %s us: %.2f\n",
			$1, v[$1, "ours"], v[$1, "peer"], v[$1, "ours"] / v[$1, "peer"]
	}' "$OUT/threads-$KERNEL.txt"
	;;
--profile)
	run "$OUT/profile-$KERNEL.txt" --icount -- ./bench_profile.sh
	cat "$OUT/profile-$KERNEL.txt"
	;;
--calls)
	shift
	[ $# -gt 0 ] || set -- vmdemo random write 12288
	calls "$@"
	;;
-h | --help) usage ;;
*) usage >&2 && exit 2 ;;
esac
