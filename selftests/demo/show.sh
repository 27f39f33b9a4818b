#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What "make demo" shows: loads the module, runs programs on it, compares their
# results with those without it, unloads it. As root; in the VM or natively.
#
# usage: show.sh [--ram-disk]    pages go to a RAM disk, not to /var/tmp
# shellcheck disable=SC2317 # some functions are called by their names
set -uo pipefail
cd "$(dirname "$0")" || exit 1

POLICIES="fifo lru clock lfu mru random"
PARAMS=/sys/module/vmdemo/parameters
SPACES=/sys/kernel/debug/vmdemo/spaces
LINES=1500
tmp=$(mktemp -d /tmp/vmdemo-show.XXXXXX)
wrong=0
live=1
export LC_ALL=C

cleanup() {
	[ ! -d /sys/module/vmdemo ] || rmmod vmdemo
	rm -rf "$tmp"
}

title() {
	printf '\n=== %s\n\n' "$*"
}

load() {
	local args=()

	if [ "${1:-}" = --ram-disk ]; then
		modprobe brd rd_nr=1 rd_size=65536 && args=(backing=/dev/ram0)
	fi
	insmod ./vmdemo.ko "${args[@]}" || exit 1
	echo "\$ insmod vmdemo.ko ${args[*]}"
	ls -l /dev/vmdemo
}

# Counters of all spaces, past ones included.
value() {
	awk -v name="$1" '$1 == name { print $2 }' /proc/vmdemo/stats
}

set_up() {
	echo "$1" >$PARAMS/policy
	echo "$2" >$PARAMS/budget
}

#
# A textbook's example
#

textbook() {
	local policy frames line

	title "1. A textbook's example, really touched, page by page"
	echo "Twelve touches of five pages, with three frames. A MISS needs a frame; when"
	echo "all are taken, the policy names the page that goes. w: the page is written."
	echo
	echo "\$ vmdemoctl play --policy fifo --frames 3 1 2 3 4 1 2w 5 1 2 3 4 5"
	./vmdemoctl play --policy fifo --frames 3 1 2 3 4 1 2w 5 1 2 3 4 5 | sed '/^$/,$d'
	echo
	echo "Misses of 1 2 3 4 1 2 5 1 2 3 4 5 - with more frames FIFO gets worse, which is"
	echo "known as Belady's anomaly; LRU never does:"
	echo
	printf '%-10s %8s %8s\n' policy "3 frames" "4 frames"
	for policy in fifo lru clock clock-a lfu mru; do
		line=
		for frames in 3 4; do
			line+=" $(./vmdemoctl play -q -p $policy -f $frames 1 2 3 4 1 2 5 1 2 3 4 5 |
				awk '$1 == "misses" { print $2 }')"
		done
		# shellcheck disable=SC2086 # two words
		printf '%-10s %8s %8s\n' "$policy" $line
	done
}

#
# Programs
#

make_input() {
	awk -v n=$LINES 'BEGIN {
		srand(1)
		filler = sprintf("%1300s", "")
		gsub(" ", ".", filler)
		for (i = 0; i < n; i++)
			printf "%08d %08d line %d of a file to be sorted %s\n",
				int(rand() * 1e8), int(rand() * 1e8), i, filler
	}' >"$tmp/input"
}

run_sort() {
	sort --parallel=1 -S 4M "$tmp/input"
}

make_queries() {
	echo 'PRAGMA journal_mode=OFF; CREATE TABLE t(key INTEGER, other INTEGER, text TEXT); BEGIN;'
	awk '{ printf "INSERT INTO t VALUES(%d,%d,\"%s\");\n", $1, $2, substr($0, 19) }' "$tmp/input"
	echo 'COMMIT; CREATE INDEX i ON t(key);'
	echo 'SELECT count(*), sum(key), sum(length(text)) FROM t;'
	awk '{ printf "SELECT key, other, text FROM t WHERE key = %d;\n", $1 }' "$tmp/input" |
		tail -n 500
	echo 'UPDATE t SET other = other + 1 WHERE key % 5 = 0;'
	echo 'SELECT sum(other * (key % 97)) FROM t;'
}

run_sqlite() {
	sqlite3 -batch -pagecache 4608 1000 :memory: <"$tmp/queries" 2>&1
}

# Writes each block once, in a random order, then reads all of them back in that
# order. Its own check of what it reads is the result: nothing to compare it with.
run_fio() {
	LD_PRELOAD=$PWD/oneopen.so fio --name=demo --ioengine=mmap --filename=/dev/vmdemo \
		--size=8M --bs=4k --rw=randwrite --randseed=7 --verify=crc32c \
		--verify_state_save=0 --thread --output-format=terse >"$tmp/fio" 2>&1 ||
		{ cat "$tmp/fio" && return 1; }
	echo "verified by fio"
}

# While a program runs: what anybody may see, then what root may see.
watch() {
	local seen=0 line counters

	while [ $seen -lt 3 ] && kill -0 "$1" 2>/dev/null; do
		sleep 0.2
		line=$(cat /proc/vmdemo/spaces)
		counters=$(cat $SPACES/*/stats 2>/dev/null |
			grep -E '^(misses|evictions|pages_read|pages_written|resident) ' | tr '\n' ' ')
		[ -n "$counters" ] || continue
		seen=$((seen + 1))
		[ $seen != 1 ] || echo "While it runs, /proc/vmdemo/spaces and $SPACES/ID/stats say:"
		printf '  %s\n    %s\n' "$line" "$counters"
	done
	echo
}

NAMES="misses faults_major faults_soft evictions_clean evictions_dirty pages_written"

snapshot() {
	local n

	for n in $NAMES; do
		value "$n"
	done | tr '\n' ' '
}

# one_policy POLICY BUDGET WANTED PROGRAM: a line of the table.
one_policy() {
	local policy=$1 budget=$2 wanted=$3 program=$4 before after start ms got same=same

	set_up "$policy" "$budget"
	before=$(snapshot)
	start=$(date +%s%N)
	paged "$program" >"$tmp/out" &
	[ -z "$live" ] || watch $!
	wait $!
	ms=$((($(date +%s%N) - start) / 1000000))
	after=$(snapshot)
	got=$(cksum <"$tmp/out")
	[ "$got" = "$wanted" ] || { same=DIFFERENT && wrong=1 && tail -n 5 "$tmp/out"; }
	[ -z "$live" ] || table_head
	live=
	echo "$policy $before $after $ms $same" | awk '{
		printf "%-8s", $1
		for (i = 2; i <= 7; i++)
			printf " %10d", $(i + 6) - $i
		printf " %7.1f s  %s\n", $14 / 1000, $15
	}'
}

# fio opens the device itself; the others do not know of it.
paged() {
	if [ "$1" = run_fio ]; then
		run_fio
	else
		LD_PRELOAD=$PWD/paged.so "$1"
	fi
}

table_head() {
	printf '%-8s %10s %10s %10s %10s %10s %10s %9s  %s\n' policy misses "of them" soft evicted evicted pages "" result
	printf '%-8s %10s %10s %10s %10s %10s %10s %9s\n' "" "" "read back" faults clean dirty written time
}

# Pages the program touches when it may have them all: its misses then.
working_set() {
	local before

	set_up fifo 8192
	before=$(value misses)
	paged "$1" >/dev/null
	echo $(($(value misses) - before))
}

# program PROGRAM: with its own memory, then under each policy.
program() {
	local set budget wanted policy

	if [ "$1" = run_fio ]; then
		wanted=$(echo "verified by fio" | cksum)
	else
		wanted=$("$1" | cksum)
		echo "Without the module: checksum of the output ${wanted% *}."
	fi
	set=$(working_set "$1")
	[ "$set" -gt 100 ] || { echo "it did not use the device: $set pages" && wrong=1 && return; }
	budget=$((set / 4))
	echo "It touches $set pages ($((set * 4)) KiB); it gets $budget frames ($((budget * 4)) KiB)."
	echo
	live=1
	for policy in $POLICIES; do
		one_policy "$policy" "$budget" "$wanted" "$1"
	done
}

trap cleanup EXIT
title "vmdemo on Linux $(uname -r)"
echo "/dev/vmdemo is memory that you page yourself. A program maps it; the module gives"
echo "it only so many frames. Touching another page then evicts one: which one, the"
echo "policy says. If that page was written to, it goes to the store first."
echo
load "$@"
textbook
make_input
title "2. sort: $LINES lines, in memory that is a quarter of what it needs"
echo "Debian's sort, unmodified; its buffer is taken from the device (LD_PRELOAD)."
program run_sort
make_queries >"$tmp/queries"
title "3. sqlite3: a database in memory, indexed, searched and updated"
echo "Debian's sqlite3, unmodified; its page cache is taken from the device."
program run_sqlite
title "4. fio: writes all pages in a random order, then reads them in the same order"
echo "Debian's fio maps the device itself: --ioengine=mmap --filename=/dev/vmdemo. It"
echo "checks all it reads. Going round and round is the one thing mru is good at."
program run_fio
title "5. All of it, and away again"
echo "Totals from /sys/kernel/debug/vmdemo/stats:"
grep -E '^(misses|faults_|evictions|pages_|io_errors|resident|spaces)' /sys/kernel/debug/vmdemo/stats |
	sed 's/^/  /'
echo "\$ rmmod vmdemo"
rmmod vmdemo || wrong=1
if [ $wrong = 0 ]; then
	echo "Every result was the same as without the module."
else
	echo "SOMETHING WENT WRONG, see above."
fi
exit $wrong
