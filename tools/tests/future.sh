# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2016
# future, and policy opt in the kernel: part of cli.sh, which has the functions
# that report. SC2154: tool, tmp, status are there. SC2016: what is in single
# quotes is for the shell or the awk that is run.

# Without a device.

test_future_usage() {
	refused 2 'SPACE is missing' future
	refused 2 "'x' is one argument too many" future 3 y x
	refused 2 "space 'x': not an id" future x
	refused 2 'not both' future --drop 3 "$tmp/trace"
	refused 2 'give TRACE' future --format text 3
	refused 1 'No such file' future 3 "$tmp/none"
	printf '1 2\n3y\n' > "$tmp/trace"
	refused 2 "trace:2: '3y': want" future 3 "$tmp/trace"
	printf '# nothing\n' > "$tmp/trace"
	refused 2 'no references in it' future 3 "$tmp/trace"
	printf '1 4294967296\n' > "$tmp/trace"
	refused 2 'reference 2: the number of a page is too large' future 3 "$tmp/trace"
	refused 125 'has to know the future: give --future TRACE' exec --policy opt -- true
	refused 2 'has to know the future: give --future TRACE' record -o "$tmp/x.vmd" \
		--policy opt -- true
	prints '"needs_future": *true' policies --json
}

# On the device.

# The verb works and says nothing.
silent() {	# ARGUMENTS...
	run "$@"
	[ "$status" -eq 0 ] && [ ! -s "$tmp/out" ] && [ ! -s "$tmp/err" ]
	report $? "works: $*"
}

future_string() {	# FILE REFERENCES PAGES
	awk -v n="$2" -v pages="$3" 'BEGIN {
		x = 7
		for (i = 0; i < n; i++) {
			x = x * 16807 % 2147483647
			r = x / 2147483647
			printf "%d%s\n", int(r * r * pages), x % 3 ? "" : "w"
		}
	}' > "$tmp/$1"
}

# "name": value in JSON
value_of() {	# NAME FILE
	sed -n "s/.*\"$1\": *\"*\([0-9.]*\)\"*,*\$/\1/p" "$2" | head -n 1
}

# The kernel's counts are the simulator's: misses, evictions, dirty ones.
test_future_exact() {
	local frames want got
	future_string string 3000 90
	for frames in 1 3 10 40 89 200; do
		run simulate --csv --policy opt --frames $frames "$tmp/string"
		want=$(awk -F, 'NR == 2 { print $5, $7, $8 }' "$tmp/out")
		run play --quiet --json --policy opt --frames $frames --trace "$tmp/string"
		got="$(value_of misses "$tmp/out") $(value_of evictions "$tmp/out") $(
			value_of evictions_dirty "$tmp/out")"
		[ "$status" -eq 0 ] && [ -n "$want" ] && [ "$got" = "$want" ]
		report $? "play --policy opt, $frames frames: $got (simulated: $want)"
		[ "$(value_of followed "$tmp/out")" = 3000 ] &&
			[ "$(value_of departures "$tmp/out")" = 0 ]
		report $? "play --policy opt, $frames frames: no departure"
	done
}

# What was recorded of a program is its future when it runs again.
test_future_program() {
	local misses
	record_walk -o "$tmp/walk.vmd" --policy lru --budget 5
	misses=$(number_of misses "$tmp/report")
	run simulate --csv --policy opt --frames 5 "$tmp/walk.vmd"
	awk -F, 'NR == 2 { print $5 }' "$tmp/out" > "$tmp/fewest"
	run exec --file "$tmp/walked" --report "$tmp/report" --policy opt --budget 5 \
		--observer trap --future "$tmp/walk.vmd" -- perl -e \
		'open F, "<&=3" or die;
		for (0, 1, 2, 3, 9, 8, 7, 1, 30, 31, 2, 0, 39, 5, 1, 2) {
			sysseek F, $_ * 4096, 0;
			sysread(F, $b, 12288) == 12288 or die;
		}'
	[ "$status" -eq 0 ] && [ "$(number_of misses "$tmp/report")" = "$(cat "$tmp/fewest")" ] &&
		[ "$(number_of departures "$tmp/report")" = 0 ]
	report $? "exec --future: $(number_of misses "$tmp/report") misses, under lru $misses"
}

test_future_space() {
	local id
	exec 8<> "$device"
	id=$(run list; awk 'NR > 1 { print $1 }' "$tmp/out" | sort -n | tail -n 1)
	printf '1 2 3\n4w 5\n' > "$tmp/trace"
	prints '^future  *none$' future "$id"
	refused 1 "load it first: 'vmdemoctl future" set "$id" policy=opt
	prints '"length": *5' future --json "$id" "$tmp/trace"
	prints '^position  *0$' future "$id"
	silent set "$id" policy=opt observer=trap
	prints '^departures  *0$' info "$id"
	prints '"departures": *0' stats --json "$id"
	refused 1 'goes by the string' future --drop "$id"
	silent set "$id" policy=lru
	silent future --drop "$id"
	prints '^future  *none$' future "$id"
	exec 8>&-
}

test_future_device() {
	test_future_exact
	test_future_program
	test_future_space
}
