# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Tests of walk, tables and tlb; cli.sh takes them in.
# shellcheck disable=SC2154 # device, status and tmp are its

test_walk_usage() {
	refused 2 'PID is missing' walk
	refused 2 'ADDRESS is missing' walk self
	refused 2 "process 'x': want a number" walk x 0
	refused 2 "process '0': want a number" walk 0 0
	refused 2 "process '4194305': want" walk 4194305 0
	refused 2 "address 'x': not a number" walk self x
	refused 2 "address '0xffffffff81000000': in the kernel's half" walk self 0xffffffff81000000
	refused 2 "'2' is one argument too many" walk self 1 2
	refused 2 'SPACE is missing' slots
	refused 2 "space 'x': not an id" slots x
}

# Of the table in $tmp/out.
column() {	# NAME COLUMN
	awk -v name="$1" -v column="$2" '$1 == name { print $column }' "$tmp/out"
}

value_is() {	# TEXT WANTED GOT
	[ "$2" = "$3" ]
	report $? "$1: $2, found $3"
}

# 512 pages that fill a table, and one far away: all can be counted by hand.
test_tables() {
	refused 2 'SPACE|TRACE is missing' tables
	refused 2 "bits '4': out of bounds: want 5 to 52" tables -b 4 x
	refused 2 "levels '6': out of bounds" tables -l 6 x
	refused 1 'No such file' tables "$tmp/none"
	{ seq 512 1023 && echo 134217728; } > "$tmp/pages"
	refused 2 "bits '27': page 134217728 needs 28" tables -b 27 "$tmp/pages"
	refused 2 "frames '512': there are 513 pages" tables -f 512 "$tmp/pages"
	prints 'pages: 513 pages, from 512 to 134217728; ' tables -f 1024 "$tmp/pages"
	value_is 'bytes of flat' 1073741888 "$(column flat 4)"
	value_is 'loads of flat' - "$(column flat 6)"
	# The root, and at each level below a table for the many and one for the far one.
	value_is 'tables of radix-4' 7 "$(column radix-4 3)"
	value_is 'bytes of radix-4' $((7 * 4096)) "$(column radix-4 4)"
	value_is 'loads of radix-4' 4.00 "$(column radix-4 6)"
	value_is 'tables of radix-2' 3 "$(column radix-2 3)"
	value_is 'bits of radix-5' 8+7+7+7+7 "$(column radix-5 2)"
	value_is 'bytes of hashed' $((1024 * 4 + 513 * 32 + 32)) "$(column hashed 4)"
	value_is 'bytes of inverted' $((1024 * 4 + 1024 * 16)) "$(column inverted 4)"
	grep -q '^  0x200  *|@\{64\}|$' "$tmp/out"
	report $? 'a full table is drawn full'
	json tables --json "$tmp/pages"
	# Trees of a bit a level: every table is as small as it gets.
	seq 0 31 > "$tmp/small"
	run tables -b 5 "$tmp/small"
	value_is 'tables of a bit a level' 31 "$(column radix-5 3)"
	value_is 'bytes of a bit a level' $((31 * 64)) "$(column radix-5 4)"
}

# A cache of two sets of two ways, and strings whose hits are known.
hits() {	# WANTED OPTIONS STRING
	local want=$1 string=$2
	shift 2
	echo "$string" > "$tmp/string"
	run tlb "$@" "$tmp/string"
	value_is "hits of tlb $* on $string" "$want" "$(column L1 6)"
}

test_tlb() {
	refused 2 'SPACE|TRACE is missing' tlb
	refused 2 "entries '0': out of bounds" tlb -e 0 x
	refused 2 '6 entries in 4 ways: want' tlb -e 6 x
	refused 2 '12 entries in 4 ways: want' tlb -e 12 x
	refused 2 "page size '3000': not a power" tlb -P 3000 x
	refused 2 "'x': not the id of a space, before 'y'" tlb x y
	hits 0 '0 2 4 0 2 4' -e 4 -w 2
	hits 3 '0 1 2 0 1 2' -e 4 -w 2
	hits 1 '0 2 0 4 2' -e 4 -w 2
	hits 3 '0 2 4 0 2 4' -e 4 -w 4
	hits 4 '0 1 511 512 0 513' -e 4 -w 4 -P 2M
	hits 1 '7 7' -e 1
	run tlb -e 2 -w 1 -s 4:4 "$tmp/string"
	value_is 'lookups of the second' 1 "$(column L2 5)"
	prints '^walks of the page tables: 1$' tlb -e 2 -w 1 -s 4:4 "$tmp/string"
	json tlb --json -s 16 "$tmp/string"
}

# A page of the shell itself, and of the space it has open.
test_walk_device() {
	local space start
	start=0x$(sed -n 's/-.*//; 1p' "/proc/$$/maps")
	prints '^PTE .*present user accessed' walk $$ "$start"
	prints '^the walk arrives at a page of 4 KiB, frame 0x' walk $$ "$start"
	prints '^space: none$' walk $$ "$start"
	prints '^mapping: none$' walk self 0
	json walk --json $$ "$start"
	refused 1 'no memory of its own' walk 2 "$start"
	refused 1 'there is no such process' walk 4194304 "$start"
	open_space
	"$tool" set "$space" size=1M budget=16 policy=lru observer=fault
	refused 1 'no page is resident' tables "$space"
	head -c 40960 /dev/zero >&9
	prints "^$space: 10 pages, from 0 to 9; " tables "$space"
	json tables --json "$space"
	prints '^resident: 10 pages; flushes by the kernel' tlb "$space"
	echo 7 7 > "$tmp/sevens"
	prints '^of 4K each they are 1 pages' tlb "$space" "$tmp/sevens"
	json tlb --json "$space"
	"$tool" advise "$space" evict 2> /dev/null
	prints '^own  *10$' slots "$space"
	prints '^ *[0-9]*  [o.]*#' slots "$space"
	prints '^allocator  *clustered$' slots --all "$space"
	json slots --json "$space"
	exec 9>&-
}
