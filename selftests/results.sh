#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Write docs/results.md: what every policy makes of what real programs refer to.
set -euo pipefail

TESTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(dirname "$TESTS_DIR")
KERNEL=${VMDEMO_KERNEL:-6.1}
OUT=$TOP/docs/results.md
PICTURES=$TOP/docs/results
WORK=$TOP/build/results
FRAMES=10%,25%,50%,75%
unset MAKEFLAGS MAKELEVEL MFLAGS
export LC_ALL=C

usage() {
	cat <<'END'
usage: results.sh [--page]

Boot a throw-away VM, record sort, sqlite3, a matrix product and a graph search
there on the device, play each recording under policy opt, and write
docs/results.md and the pictures in docs/results from the recordings.

  --page   only write the page, from the recordings in build/results

environment: VMDEMO_KERNEL (6.1, 6.12 or 7.2), VMDEMO_CACHE
END
}

record() {
	local dir=$TOP/build/payload-results

	"$TESTS_DIR/vm/setup.sh" --demo --kernel "$KERNEL"
	"$TESTS_DIR/payload.sh" --kernel "$KERNEL" --lab "$dir"
	cp "$TESTS_DIR/results/record.sh" "$dir/"
	"${CC:-gcc}" -std=gnu11 -O2 -Wall -Wextra -Werror -o "$dir/compute" "$TESTS_DIR/results/compute.c"
	rm -rf "$WORK"
	mkdir -p "$WORK"
	truncate -s 256M "$WORK/disk"
	"$TESTS_DIR/vm/run.sh" --kernel "$KERNEL" --mem 1024 --timeout 1800 --disk 256M --disk "$WORK/disk" \
		--payload "$dir" -- ./record.sh /dev/vmdisk1
	tar -C "$WORK" --strip-components 1 -xf "$WORK/disk"
	rm -f "$WORK/disk"
}

# The last column, the rate, is different each time.
stable() {
	sed -E 's/ +rate$//; s/ +[0-9.]+[kMG]?\/s$//; s/[[:blank:]]+$//'
}

# shown COMMAND...: the command and what it prints, as a block.
shown() {
	echo
	echo '```console'
	echo "\$ $*"
	(cd "$WORK" && PATH=$TOP/tools:$PATH "$@") 2>&1 | stable
	echo '```'
}

# A line of a table: the kernel's counts and the simulator's. Fails if they differ.
opt_line() {
	local name=$1 frames kernel simulated

	frames=$(awk '$1 == "budget" { print $2 }' "$WORK/$name.kernel")
	kernel=$(awk '$1 == "misses" { m = $2 } $1 == "evictions" { e = $2 } $1 == "evictions_dirty" { d = $2 }
		$1 == "departures" { p = $2 } END { print m " | " e " | " d " | " p }' "$WORK/$name.kernel")
	simulated=$("$TOP/tools/vmdemoctl" simulate --csv --policy opt --frames "$frames" "$WORK/$name.vmd" |
		awk -F, 'NR == 2 { print $5 " | " $7 " | " $8 }')
	echo "| $name | $frames | $kernel | $simulated |"
	[ "${kernel% | *}" = "$simulated" ]
}

picture() {
	(cd "$WORK" && LC_ALL=C.UTF-8 "$TOP/tools/vmdemoctl" mrc --policy lru,fifo,clock,sieve,arc,lirs,opt \
		--frames 5%,10%,15%,20%,25%,30%,40%,50%,60%,70%,80%,90%,100% \
		--output "$PICTURES/$1.svg" "$1.vmd" >/dev/null)
	# gnuplot leaves blanks at the ends of lines.
	sed -i 's/[[:blank:]]*$//' "$PICTURES/$1.svg"
}

program() {
	local name=$1
	shift
	echo
	echo "## $name"
	echo
	echo "$*"
	shown vmdemoctl compare --frames $FRAMES "$name.vmd"
	picture "$name"
	echo
	echo "![Misses of $name by number of frames](results/$name.svg)"
}

page() {
	cat <<END
# Results

What each policy misses on the references of real programs, recorded on the device by \`vmdemoctl record\` with observer
\`trap\` and all of their memory resident. *miss %* is by references, *regret %* how many percent more misses than the
optimum, *written* how many of the pages that were evicted had to be written back. The sizes are parts of the pages that
the program uses.

\`make results\` (selftests/results.sh) makes the recordings anew, in a virtual machine, and writes this page and its
pictures. It was written with:

\`\`\`
$(cat "$WORK/versions")
\`\`\`

A reference is a change of page by a thread: uses of one page in a row count once. Programs' memory is what \`malloc()\`
gives for 1 MiB or more (selftests/demo/paged.c). Each was recorded by
\`vmdemoctl record --output NAME.vmd --size 64M --budget 16384 -- env LD_PRELOAD=paged.so COMMAND\`:

| name | command |
| --- | --- |
$(cd "$WORK" && for name in sort sqlite3 matrix search; do echo "| $name | \`$(cat "$name.command")\` |"; done)

## The optimum in the kernel

The recordings were played again on the device under policy \`opt\`, which followed them, with a quarter of the frames:
\`vmdemoctl play --quiet --policy opt --frames N --trace NAME.vmd --renumber\`. The kernel's misses, evictions and dirty
evictions, and departures from the string; and the simulator's counts.

| name | frames | misses | evictions | dirty | departures | simulated misses | evictions | dirty |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
$(for name in sort sqlite3 matrix search; do opt_line $name; done)
END
	program sort "Debian's sort(1) of 4000 lines, by the lines' first column."
	program sqlite3 "Debian's sqlite3: a table of 4000 rows is made and indexed, 800 rows looked up, a third updated."
	program matrix "The product of two matrices of 384 by 384 numbers, tile by tile (selftests/results/compute.c)."
	program search "Breadth-first search through a graph of 20000 nodes with 4 edges each, at random but for one" \
		"(selftests/results/compute.c)."
}

case ${1:-} in
--page) ;;
"") record ;;
-h | --help) usage && exit 0 ;;
*) usage >&2 && exit 2 ;;
esac
make -s -C "$TOP/tools"
for name in sort sqlite3 matrix search; do
	line=$(opt_line $name) || { echo "results.sh: the kernel and the simulator differ: $line" >&2 && exit 1; }
done
mkdir -p "$PICTURES"
page >"$WORK/page.md"
mv "$WORK/page.md" "$OUT"
echo "results.sh: wrote $OUT"
