#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Are the instruction counts of a run what they were?
#
# usage: compare.sh RUN.json COMMITTED.json
#
# Both are files that bench.sh wrote. What vmdemo costs in each row of COMMITTED
# may be up to 3 % more in RUN. A row that is 3 % cheaper, or is new, is told: it
# is time to commit RUN. What looks at accessed bits ("harvest") may take a quarter
# more: a round more or less in the background is that much. The peers' figures
# are the kernel's matter; where they differ by as much, that is told, too, since
# it says that the runs do not compare.
set -uo pipefail

LIMIT=3				# per cent

[ $# -eq 2 ] || { echo "usage: compare.sh RUN.json COMMITTED.json" >&2 && exit 2; }
for file; do
	[ -r "$file" ] || { echo "compare.sh: $file: no such file; 'make bench' writes one" >&2 && exit 2; }
	grep -q '"name": ".*"ours": [0-9]' "$file" ||
		{ echo "compare.sh: $file: no rows in it: not one that bench.sh wrote" >&2 && exit 2; }
done

# NAME OURS PEER of each row.
rows() {
	sed -nE 's/.*"name": "([^"]*)".*"ours": ([0-9]+), "peer": ([0-9]+).*/\1 \2 \3/p' "$1"
}

release() {
	sed -nE 's/.*"release": "([^"]*)".*/\1/p' "$1"
}

[ "$(release "$1")" = "$(release "$2")" ] ||
	echo "note: $1 is of Linux $(release "$1"), $2 of Linux $(release "$2")"

awk -v limit="$LIMIT" '
	function more(a, b) {
		return b ? 100 * (a - b) / b : 0
	}
	function limit_of(name) {
		return name ~ /^harvest_/ ? 25 : limit
	}
	FNR == NR { was[$1] = $2; peer[$1] = $3; left[$1] = 1; next }
	!($1 in was) {
		printf "new: %s: %d; not committed yet\n", $1, $2
		next
	}
	{
		delete left[$1]
		n++
		m = more($2, was[$1])
		if (m > limit_of($1)) {
			bad++
			printf "FAIL: %s: %d instructions, committed are %d: %.1f %% more\n", $1, $2, was[$1], m
		} else if (m < -limit_of($1)) {
			printf "better: %s: %d instructions, committed are %d: %.1f %% less\n", $1, $2, was[$1], -m
		}
		m = more($3, peer[$1])
		if (m > limit || m < -limit)
			printf "note: %s: the peer takes %d, committed are %d\n", $1, $3, peer[$1]
	}
	END {
		for (name in left) {
			bad++
			printf "FAIL: %s: not in the run; committed are %d\n", name, was[name]
		}
		printf "%d rows compared, %d worse by more than %d %%, or missing\n", n, bad, limit
		exit bad > 0
	}' <(rows "$2") <(rows "$1")
