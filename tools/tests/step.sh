# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What cli.sh tests of vmdemoctl step, watch and simulate --explain.
# shellcheck disable=SC2154 # tool, tmp and status are theirs

test_step_usage() {
	local verb
	for verb in step watch; do
		refused 2 'SPACE is missing' $verb
		refused 2 "space 'x': not an id" $verb x
		refused 2 "'4' is one argument too many" $verb 3 4
		refused 2 "count '0': want 1 or more" $verb --count 0 3
		refused 2 "count 'x': not a number" $verb --count x 3
	done
	refused 2 'unrecognized option' step --drop 3
}

test_explain() {
	echo 1 2 3 1 4w 5 > "$tmp/refs"
	prints '^R 3: miss; 1 goes: first in, first out' simulate --policy fifo --frames 2 \
		--explain "$tmp/refs"
	prints '^W 4: miss; 2 goes: the hand passed 1 page ' simulate --policy clock \
		--frames 3 --explain "$tmp/refs"
	grep -q '^R 1: hit$' "$tmp/out"
	report $? 'simulate --explain: a hit'
	prints 'goes: never used again' simulate --policy opt --frames 3 --explain "$tmp/refs"
	json simulate --policy lru --frames 3 --explain --json "$tmp/refs"
	grep -q '"text": *"least recently used"' "$tmp/out"
	report $? 'simulate --explain --json: the phrase'
	refused 2 'for one --policy' simulate --frames 3 --explain "$tmp/refs"
	refused 2 'for one --policy' simulate --policy lru,fifo --frames 3 --explain "$tmp/refs"
	refused 2 'for one number of --frames' simulate --policy lru --frames 3,4 --explain \
		"$tmp/refs"
	refused 2 'makes no CSV' simulate --policy lru --frames 3 --csv --explain "$tmp/refs"
}

# On the device. A program that faults when it is to: it is stopped until step_run
# has begun to step or to watch. Where keys are pressed it needs more to do: it goes
# on while nobody presses one.

step_program() {	# OBSERVER REFERENCES
	awk -v n="$2" 'BEGIN { for (i = 0; i < n; i++) print i % 7 (i % 3 ? "w" : "") }' > "$tmp/refs"
	coproc PROGRAM { exec "$tool" play --policy lru --frames 3 --observer "$1" \
		--trace "$tmp/refs" 2>&1; }
	# bash forgets both when it is through.
	program=$PROGRAM_PID
	exec {program_out}<&"${PROGRAM[0]}"
	read -r _ space _ <&"$program_out"
	space=${space%:}
	# It would run until the pipe is full: that is too long, or too short.
	kill -STOP "$program"
}

# The verb begins, then the program goes on; both are waited for.
step_run() {	# OPTIONS...
	local child drain
	"$tool" "$@" "$space" > "$tmp/out" 2> "$tmp/err" &
	child=$!
	for _ in {1..300}; do
		find /proc/$child/fd -lname "*vmdemo-*" 2>/dev/null | grep -q . && break
		sleep 0.1
	done
	[ "$1" != step ] || "$tool" step --count 1 "$space" > /dev/null 2> "$tmp/second"
	cat <&"$program_out" > /dev/null &
	drain=$!
	kill -CONT "$program"
	wait $child
	status=$?
	wait $drain
	wait "$program" 2>/dev/null
	program=$?
	exec {program_out}<&-
}

# Each line is JSON of its own.
step_lines() {
	local line
	while read -r line; do
		echo "$line" > "$tmp/line"
		is_json "$tmp/line" || return 1
	done < "$tmp/out"
	[ -s "$tmp/out" ]
}

# What goes is what was to go: one thread, and nobody else in the space.
step_in_phases() {
	awk -F'[:,]' '
	{
		match($0, /"phase":"[a-z]*"/)
		phase = substr($0, RSTART + 9, RLENGTH - 10)
		page = match($0, /"victim":{"page":[0-9]*/) ? substr($0, RSTART, RLENGTH) : ""
	}
	phase == "begin" && was != "" && was != "end" { exit bad = 1 }
	phase == "victim" && (was != "begin" || number != $2) { exit bad = 1 }
	phase == "end" && was == "victim" && (number != $2 || page != chosen) { exit bad = 1 }
	{ was = phase; number = $2; chosen = page; seen[phase]++ }
	END { exit bad || seen["begin"] < 4 || seen["victim"] < 4 || seen["end"] != 5 }' "$tmp/out"
}

test_step_device() {
	local space program program_out
	step_program fault 5000
	step_run step --count 5 --json
	[ "$status" -eq 0 ] && [ ! -s "$tmp/err" ] && step_lines &&
		[ "$(grep -c '"phase":"end"' "$tmp/out")" -eq 5 ]
	report $? 'step --count 5 --json: five faults'
	[ "$program" -eq 0 ]
	report $? 'step: all goes on when it leaves'
	grep -q 'somebody steps this space already' "$tmp/second"
	report $? 'step: one at a time'
	# The first one may be that of a page which was fetched before it was stopped.
	[ "$(grep '"phase":"end"' "$tmp/out" | grep -c '"halted":true')" -eq 5 ] &&
		[ "$(grep '"phase":"victim"' "$tmp/out" |
		grep -c '"victim":{.*"text":"least recently used"')" -ge 4 ]
	report $? 'step --json: halted, and why'
	step_in_phases
	report $? 'step --json: begin, victim and end of one fault after the other'
	step_program fault 5000
	step_run step --count 8
	[ "$status" -eq 0 ] && [ "$(grep -c '^fault ' "$tmp/out")" -eq 8 ] &&
		grep -q '^  victim  *page [0-6] in frame .*lru: least recently used' "$tmp/out" &&
		grep -q '^  dirty  *yes: it has to be written' "$tmp/out" &&
		grep -q '^  evicted  *page [0-6] has left frame' "$tmp/out" &&
		grep -q '^  dirty  *yes: written to slot [0-9]' "$tmp/out" &&
		grep -q '^  content  *read from slot [0-9]' "$tmp/out" &&
		grep -q '^  restart  *the instruction' "$tmp/out"
	report $? 'step: a fault as the textbooks tell it'
}

test_watch_device() {
	local space program program_out
	step_program trap 5000
	step_run watch --count 9
	[ "$status" -eq 0 ] && [ "$(wc -l < "$tmp/out")" -eq 9 ] && [ "$program" -eq 0 ] &&
		grep -q 'writes page [0-6]: miss, a page fault' "$tmp/out" &&
		grep -q 'is evicted, dirty' "$tmp/out"
	report $? 'watch: a line for each event'
	step_program trap 5000
	step_run watch --json
	[ "$status" -eq 0 ] && grep -q '"event":"miss"' "$tmp/out" &&
		[ "$(wc -l < "$tmp/out")" -gt 1000 ] && [ "$program" -eq 0 ]
	report $? 'watch --json: until the space ends'
}

# The policy is another one between two faults; c tells all without a halt.
test_step_policy_key() {
	local space program program_out drain

	if ! command -v python3 > /dev/null; then
		echo '# SKIP the policy key of step: no python3'
		return
	fi
	step_program fault 12000
	cat <&"$program_out" > /dev/null &
	drain=$!
	kill -CONT "$program"
	on_terminal 'step: keys p, e, c and n' 80x24 'see:[n]ext' key:p see:policy: \
		'key:mru\n' 'see:the policy is mru' key:e 'see:mru: most recently used' \
		key:c see:fault see:fault key:n 'see:[n]ext' key:q -- \
		"$tool" step "$space"
	wait $drain
	exec {program_out}<&-
}

# Keys come when they come: at the latest the last one ends it. What the terminal
# is like then, it is told by stty.
test_step_keys() {
	local space program program_out drain key
	if ! command -v script > /dev/null; then
		echo "# SKIP step's keys: there is no script(1)"
		return
	fi
	step_program fault 12000
	cat <&"$program_out" > /dev/null &
	drain=$!
	kill -CONT "$program"
	(for key in n n e e x e n q; do sleep 1; printf %s $key; done) |
		script -qec "$tool step $space; stty -a" /dev/null > "$tmp/out" 2> "$tmp/err"
	status=$?
	wait $drain
	exec {program_out}<&-
	[ "$status" -eq 0 ] && [ "$(grep -c '^fault ' "$tmp/out")" -ge 3 ] &&
		grep -q 'n.ext .c.ontinue' "$tmp/out" && grep -q '^keys: n, Space' "$tmp/out"
	report $? 'step: keys'
	grep -qw icanon "$tmp/out" && grep -qw echo "$tmp/out" &&
		! grep -q -e '-icanon' -e '-echo ' "$tmp/out"
	report $? 'step: the terminal is as it was'
}
