#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# In a guest, as root: record the programs of docs/results.md on the device, with
# all their memory resident, and play each recording again under opt. What was
# made of it goes to the disk $1 as a tar archive; results.sh reads it there.
set -euo pipefail

DISK=${1:?give the disk}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export LC_ALL=C

insmod "$HERE/vmdemo.ko" backing=/dev/vmdisk0
tmp=$(mktemp -d)
mkdir "$tmp/results"
cd "$tmp/results"

# record NAME COMMAND...: the command's recording, and what it was.
record() {
	local name=$1
	shift
	echo "$*" >"$name.command"
	"$HERE/vmdemoctl" record --output "$name.vmd" --size 64M --budget 16384 -- \
		env LD_PRELOAD="$HERE/paged.so" "$@" >"$tmp/output" 2>"$name.log"
	cat "$name.log"
	grep -q '; 0 lost' "$name.log"
}

# The kernel's counts under opt, at a quarter of the pages.
play() {
	local pages

	pages=$("$HERE/vmdemoctl" compare --csv --policy opt --frames 25% "$1.vmd" | awk -F, 'NR == 2 { print $1 }')
	"$HERE/vmdemoctl" play --quiet --policy opt --frames "$pages" --trace "$1.vmd" --renumber >"$1.kernel"
	grep -E '^(budget|misses|evictions|evictions_dirty|position|departures) ' "$1.kernel"
}

make_input() {
	awk 'BEGIN {
		x = 1
		for (i = 0; i < 4000; i++) {
			x = x * 16807 % 2147483647
			printf "%08d line %d of a file to be sorted %0120d\n", x % 100000000, i, x
		}
	}'
}

make_queries() {
	echo 'CREATE TABLE t(key INTEGER, text TEXT); BEGIN;'
	awk '{ printf "INSERT INTO t VALUES(%d, \"%s\");\n", $1, $0 }' "$tmp/input"
	echo 'COMMIT; CREATE INDEX i ON t(key);'
	awk 'NR % 5 == 0 { printf "SELECT text FROM t WHERE key = %d;\n", $1 }' "$tmp/input"
	echo 'UPDATE t SET key = key + 1 WHERE key % 3 = 0;'
	echo 'SELECT sum(key), sum(length(text)) FROM t;'
}

make_input >"$tmp/input"
make_queries >"$tmp/queries"
record sort sort --parallel=1 -S 4M "$tmp/input"
sort -c "$tmp/output"
record sqlite3 sqlite3 -batch -pagecache 4608 1000 :memory: ".read $tmp/queries"
record matrix "$HERE/compute" matrix
record search "$HERE/compute" search
for name in sort sqlite3 matrix search; do
	sed -i "s|$tmp/||; s|$HERE/||" "$name.command"
	play "$name"
done
{
	echo "linux $(uname -r)"
	sort --version | head -n 1
	echo "sqlite3 $(sqlite3 --version | cut -d ' ' -f 1,2)"
	"$HERE/vmdemoctl" --version
} >versions
cat versions
tar -C "$tmp" -cf "$DISK" results
rmmod vmdemo
echo "recorded"
