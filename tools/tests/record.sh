# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2016
# record, and replaying what it recorded: part of cli.sh, which has the functions
# that report. SC2154: tool, tmp, status are there. SC2016: what is in single
# quotes is for the shell that is run.

# Without a device.

test_record_usage() {
	refused 2 'give -o FILE' record 3
	refused 2 'give SPACE or -- PROGRAM' record -o "$tmp/x.vmd"
	refused 2 'not both' record -o "$tmp/x.vmd" 3 -- true
	refused 2 'a program comes behind --' record -o "$tmp/x.vmd" 3 true
	refused 2 'not for a SPACE' record -o "$tmp/x.vmd" --budget 3 3
	refused 2 "output is PROGRAM's" record -o - -- true
	refused 2 'not a power of two' record -o "$tmp/x.vmd" --ring 5000 3
	refused 2 'not a power of two' record -o "$tmp/x.vmd" --ring 32M 3
	refused 2 "ring 'x': " record -o "$tmp/x.vmd" --ring x 3
	refused 2 'is of format csv' record -o "$tmp/x.csv" 3
	refused 2 'unknown policy' record -o "$tmp/x.vmd" --policy nope -- true
	refused 2 'not accessed' record -o "$tmp/x.vmd" --observer accessed -- true
	refused 2 "space 'x': not an id" record -o "$tmp/x.vmd" x
	refused 127 'no such program' record -o "$tmp/x.vmd" -- no-such
	refused 2 'that PROGRAM works on' record -o "$tmp/out" --file "$tmp/out" -- true
	[ ! -e "$tmp/x.vmd" ] && [ ! -e "$tmp/x.csv" ]
	report $? 'what was refused has made no file'
}

# On the device.

# The number behind a word on standard error or in a file
number_of() {	# WORD FILE
	awk -v name="$1" '$1 == name { print $2; exit }' "$2"
}

# Reads three pages each from here and there in a file, always the same way.
record_walk() {	# OPTIONS...
	run record --file "$tmp/walked" --report "$tmp/report" "$@" -- perl -e \
		'open F, "<&=3" or die;
		for (0, 1, 2, 3, 9, 8, 7, 1, 30, 31, 2, 0, 39, 5, 1, 2) {
			sysseek F, $_ * 4096, 0;
			sysread(F, $b, 12288) == 12288 or die;
		}'
}

# To the last miss: the kernel's count, and the simulator's of what was recorded.
test_record_exact() {
	local frames misses
	head -c 180000 /dev/urandom > "$tmp/walked"
	for frames in 3 5 16 64; do
		record_walk -o "$tmp/walk.vmd" --policy lru --budget $frames
		[ "$status" -eq 0 ] && grep -q '^recorded .*; 0 lost' "$tmp/err"
		report $? "record -- PROGRAM, $frames frames"
		sed -n 's/^recorded/# &/p' "$tmp/err"
		misses=$(number_of misses "$tmp/report")
		run simulate --policy lru --frames $frames --json "$tmp/walk.vmd"
		[ "$status" -eq 0 ] && [ -n "$misses" ] && [ "$misses" -gt 0 ] &&
			grep -q "\"misses\": *${misses},*\$" "$tmp/out"
		report $? "simulate has the kernel's misses, $frames frames: $misses"
		prints "^misses  *$misses\$" play --quiet --policy lru --frames $frames \
			--trace "$tmp/walk.vmd"
	done
	prints "^[0-9]" convert "$tmp/walk.vmd" - --to csv
}

test_record_events() {
	record_walk -o "$tmp/walk.vmd" --events --policy fifo --budget 5
	[ "$status" -eq 0 ] && grep -q '^recorded .* faults and evictions' "$tmp/err"
	report $? 'record --events'
	run convert "$tmp/walk.vmd" "$tmp/walk.csv"
	[ "$status" -eq 0 ] && [ "$(grep -cE '^[0-9]+,ew?,' "$tmp/walk.csv")" = \
		"$(number_of evictions "$tmp/report")" ]
	report $? 'record --events: the evictions are those counted'
	run play --quiet --policy fifo --frames 5 --observer fault --trace "$tmp/walk.vmd"
	[ "$status" -eq 0 ] && grep -q "^misses  *$(number_of misses "$tmp/report")\$" "$tmp/out"
	report $? 'play: the faults of a recording'
}

test_record_status() {
	run record -o "$tmp/x.vmd" --size 64K -- sh -c 'exit 7'
	[ "$status" -eq 7 ]
	report $? 'record: the exit status is passed on'
	run record -o /dev/full --size 64K -- sh -c 'head -c 64K /dev/zero >&3'
	[ "$status" -eq 125 ] && grep -q 'No space left' "$tmp/err"
	report $? 'record: a full disk is a failure, and the program ends'
	run record --json -o "$tmp/x.vmd" --ring 4K --size 1M --budget 4 -- sh -c \
		'head -c 1M /dev/zero >&3; head -c 1M <&3 | cat > /dev/null'
	[ "$status" -eq 0 ] && is_json "$tmp/err" && grep -q '"lost": *0' "$tmp/err"
	report $? 'record: a small ring loses nothing'
}

# A space there is, until a signal comes and until it ends.
test_record_space() {
	local child space page
	coproc PROGRAM { exec "$tool" exec --size 1M -o trap -- sh -c \
		'echo $VMDEMO_SPACE; while read -r n; do perl -e "open F, q(+<&=3);
			sysseek F, 4096 * $n, 0; syswrite F, q(x)"; echo; done'; }
	read -r space <&"${PROGRAM[0]}"
	"$tool" record -o "$tmp/one.vmd" --json "$space" > "$tmp/out" 2> "$tmp/err" &
	child=$!
	for _ in {1..100}; do
		[ -s "$tmp/one.vmd" ] && break
		sleep 0.1
	done
	for page in 5 9 5; do
		echo $page >&"${PROGRAM[1]}"
		read -r _ <&"${PROGRAM[0]}"
	done
	refused 1 'records this space already' record -o "$tmp/two.vmd" "$space"
	kill -INT $child
	wait $child
	status=$?
	[ $status -eq 0 ] && is_json "$tmp/out" && grep -q '"records": *3' "$tmp/out"
	report $? 'record SPACE: until a signal'
	"$tool" record -o - "$space" > "$tmp/two.vmd" 2> "$tmp/err" &
	child=$!
	sleep 1
	page=${PROGRAM[1]}
	exec {page}>&-
	wait $child && grep -q '^recorded' "$tmp/err" && "$tool" convert "$tmp/two.vmd" - --to text \
		> "$tmp/out" 2>> "$tmp/err"
	report $? 'record SPACE: until it ends, to standard output'
}

test_record_device() {
	test_record_exact
	test_record_events
	test_record_status
	test_record_space
}
