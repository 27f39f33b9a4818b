#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a fault costs, counted in instructions: "make bench".
set -euo pipefail

BENCH_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TESTS_DIR=$(dirname "$BENCH_DIR")
TOP=$(dirname "$TESTS_DIR")
KERNEL=${VMDEMO_KERNEL:-6.1}
unset MAKEFLAGS MAKELEVEL MFLAGS

usage() {
	cat <<'END'
usage: bench.sh [--json]

Measure, in one boot of a VM whose clock counts instructions,
  a soft fault on a resident page against tmpfs, and
  a miss that evicts a page against anonymous memory with swap,
and print a table. The numbers also go to build/bench-KERNEL.json.

  --json   print that instead of the table

environment: VMDEMO_KERNEL (6.1, 6.12 or 7.2), VMDEMO_CACHE
END
}

json=
case ${1:-} in
"") ;;
--json) json=1 ;;
-h | --help) usage && exit 0 ;;
*) usage >&2 && exit 2 ;;
esac

run() {
	"$TESTS_DIR/vm/setup.sh" --bench --kernel "$KERNEL"
	"$TESTS_DIR/payload.sh" --kernel "$KERNEL" --bench "$TOP/build/payload-bench"
	echo "Measuring on Linux $KERNEL; this takes some minutes ..." >&2
	"$TESTS_DIR/vm/run.sh" --kernel "$KERNEL" --icount --mem 2048 --timeout 1800 \
		--payload "$TOP/build/payload-bench" -- ./bench_guest.sh >"$raw"
}

table() {
	awk -v kernel="$KERNEL" '
	$2 == "warm-up" || NF != 4 || $3 ~ /^bytes/ { next }
	{ v[$1, $2, $3] = $4 }
	!(($1, $3) in seen) { seen[$1, $3] = 1; size[++n] = $1; name[n] = $3 }
	END {
		printf "Instructions per access, Linux %s, 4 KiB pages\n\n", kernel
		printf "%-50s %8s %8s %7s\n", "", "vmdemo", "peer", "ratio"
		for (i = 1; i <= n; i++) {
			peer = size[i] == "-" ? "tmpfs" : "anon"
			a = v[size[i], "vmdemo", name[i]]
			b = v[size[i], peer, name[i]]
			split(name[i], w, "_")
			if (peer == "tmpfs")
				text = "soft fault, " w[2] " " w[3] " / tmpfs"
			else
				text = "miss, 128 MiB over " size[i] ", " w[2] " " w[3] " / swap"
			printf "%-50s %8d %8d %7s\n", text, a, b, b ? sprintf("%.2f", a / b) : "-"
		}
	}' "$raw"
	awk '$3 ~ /^bytes/ && !seen[$3]++ { gsub("_", " ", $3); printf "%s: %d\n", $3, $4 }' "$raw" |
		sed 's/^/metadata, /'
	echo
	echo "tmpfs maps up to 16 neighbours at a fault of its own (fault-around), too."
	echo "swap: anonymous memory under memory.max, swapping to a RAM disk like the one"
	echo "vmdemo writes to. Every access is a miss for both. A write evicts a dirty page, a"
	echo "read one that the store has already."
}

make_json() {
	awk -v kernel="$KERNEL" '
	$2 == "warm-up" || NF != 4 { next }
	{
		size = $1 == "-" ? "" : "_" $1 "mib"
		line[++n] = sprintf("  \"%s_%s%s\": %d", $2, $3, size, $4)
	}
	END {
		printf "{\n  \"kernel\": \"%s\"", kernel
		for (i = 1; i <= n; i++)
			printf ",\n%s", line[i]
		print "\n}"
	}' "$raw"
}

mkdir -p "$TOP/build"
raw=$TOP/build/bench-$KERNEL.txt
run
make_json >"$TOP/build/bench-$KERNEL.json"
if grep -q '^failed' "$raw"; then
	cat "$raw" >&2
	exit 1
fi
if [ -n "$json" ]; then
	cat "$TOP/build/bench-$KERNEL.json"
else
	table
fi
