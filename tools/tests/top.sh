# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# vmdemoctl top: frames as text, and on a pseudo-terminal. Sourced by cli.sh.
# shellcheck disable=SC2154 # its variables

# on_terminal NAME SIZE STEP... -- ARGUMENTS...: works, and is left with status 0.
on_terminal() {
	local name=$1

	shift
	TERM=${term:-xterm} "$(dirname "$0")/terminal.py" "$@" > "$tmp/out" 2> "$tmp/err"
	report $? "$name"
}

test_top() {
	local VMDEMO_PROC VMDEMO_DEVICE=$tmp/none
	export VMDEMO_DEVICE
	fake_proc
	refused 2 'this is no terminal: give --once' top
	refused 2 "json goes with --once" top --json
	refused 2 "delay 'x': want 0.05 to 3600" top -d x
	refused 2 "delay '0': want 0.05 to 3600" top --delay=0
	refused 2 "space 'x': not an id" top --once x
	refused 1 'space 4: there is no such space' top --once -d 0.05 4
	prints '^> *3 random:seed trap *64M *2 *4  *-' top --once -d 0.05
	prints 'none: No such file or directory' top --once -d 0.05 3
	run top --once -d 0.05
	[ "$(wc -l < "$tmp/out")" -eq 22 ] && ! grep -q "$(printf '\033')" "$tmp/out" &&
		[ "$(awk '{ if (length > n) n = length } END { print n }' "$tmp/out")" -le 80 ]
	report $? 'a frame is text of 80 columns, without escape codes'
	mkdir -p "$tmp/debug/spaces/3"
	printf 'policy random:seed=7\n77\n5\n' > "$tmp/debug/spaces/3/policy"
	VMDEMO_DEBUGFS=$tmp/debug prints '^next to go  *77 5$' top --once -d 0.05
	VMDEMO_DEBUGFS=$tmp/none prints '^next to go  *(only root' top --once -d 0.05
	LINES=23 prints 'at least 80x24 are needed' top --once -d 0.05
	json top --once -d 0.05 --json
	VMDEMO_PROC=$tmp/none refused 1 'is the module loaded' top --once
	test_top_terminal
}

test_top_terminal() {
	if ! command -v python3 > /dev/null; then
		echo '# SKIP top on a pseudo-terminal: no python3'
		return
	fi
	printf '8 uid=0 pid=2 size=8192 budget=9 resident=2 dirty=1 policy=%s\n' \
		'fifo observer=fault store=swap comm=other' >> "$VMDEMO_PROC/spaces"
	on_terminal 'top draws, moves, refuses, resizes, ends' 80x24 see:random:seed=7, \
		key:j see:fifo, 'key:pnope\n' see:unknown key:b 'key:1\e' \
		size:120x40 see:vmdemo: 'key:d0.1\n' size:60x10 see:80x24 key:q -- "$tool" top
	grep -qF "$(printf '\033[39;49m')" "$tmp/out"
	report $? 'top has colours'
	term=vt100 NO_COLOR='' on_terminal 'top without colours' 80x24 see:random:seed=7, key:q \
		'never:\e[39;49m' -- "$tool" top
	NO_COLOR=1 on_terminal 'top with NO_COLOR' 80x24 see:random:seed=7, key:q \
		'never:\e[39;49m' -- "$tool" top
	on_terminal 'top ends by an interrupt' 80x24 see:random:seed=7, 'key:\x03' -- "$tool" top
	term=nope on_terminal 'an unknown terminal is refused' 80x24 -- \
		bash -c "'$tool' top; [ \$? -eq 2 ]"
}

# A space with 4 frames and 64 pages, 8 of which are touched over and over, each of
# them twice while it is there.
test_top_device() {
	local space pid

	if ! command -v python3 > /dev/null; then
		echo '# SKIP top on the device: no python3'
		return
	fi
	"$tool" exec --size 256K --budget 4 --policy fifo --fd 5 -- python3 -c '
import mmap, time
m = mmap.mmap(5, 262144)
end = time.time() + 300
while time.time() < end:
    for i in range(8):
        m[i * 4096] = 1
        m[(i - 1) % 8 * 4096] = 1
    time.sleep(0.01)
' &
	pid=$!
	until space=$(awk '/ size=262144 / { print $1 }' /proc/vmdemo/spaces) && [ -n "$space" ] &&
		"$tool" stats "$space" | grep -q '^evictions  *[1-9]'; do
		sleep 0.2
	done
	run top --once -d 0.5 "$space"
	[ "$status" -eq 0 ] && grep -q "^> *$space fifo " "$tmp/out" &&
		grep -Eq '^         0 [sdDrR<>]{8}\.{56}' "$tmp/out" &&
		grep -Eq '^fault time 50% <[0-9]+ [num]s' "$tmp/out" &&
		grep -Eq '^most missed [0-9] \([0-9]+\)' "$tmp/out"
	report $? 'top: a frame of a space that pages'
	run top --once -d 0.5 --json "$space"
	[ "$status" -eq 0 ] && python3 - "$tmp/out" "$space" <<'END'
import json, sys
frame = json.load(open(sys.argv[1]))
space = [s for s in frame["spaces"] if s["id"] == int(sys.argv[2])][0]
now = frame["selected"]
assert space["per_second"]["misses"] > 0 and space["budget"] == 4
assert now["map"]["pages"] == 64 and now["map"]["cells"][8:] == "." * 56
assert sum(now["map"]["counts"].values()) == 64 and now["fault_ns_below"]["p50"] > 0
assert len(now["most_missed"]) == 8 and not now["stopped"]
assert now["next_to_go"] is None or set(now["next_to_go"]) <= set(range(8))
END
	report $? 'top: the same as JSON, with rates'
	on_terminal 'top: policy and budget changed by keys' 80x24 see:fifo, 'key:plru\n' \
		see:now 'key:b6\n' key:q -- "$tool" top "$space"
	prints '^policy  *lru$' info "$space"
	prints '^budget  *6$' info "$space"
	test_top_queues
	test_top_hold
	test_swap_programs
	test_view_space
	kill "$pid"
	wait "$pid" 2> /dev/null
}

# What the screen says of the policies' queues and hands.
test_top_queues() {
	prints '^recency  *[0-7]' top --once -d 0.1 "$space"
	run set "$space" policy=clock
	prints '^circle  *>[0-7]r\{0,1\} [0-7]' top --once -d 0.1 "$space"
	# By their accessed bits pages are seen twice if the harvest comes at the right time.
	run set "$space" policy=arc observer=trap
	run top --once -d 0.5 "$space"
	[ "$status" -eq 0 ] && grep -Eq '^T1 [0-6]/[0-6]( |$)' "$tmp/out" &&
		grep -Eq '^T2 [0-6]( |$)' "$tmp/out" && grep -Eq '^B[12] [1-8] +\([0-7]\)' "$tmp/out"
	report $? 'top: lists, shares and ghosts of ARC'
	run top --once -d 0.1 --json "$space"
	[ "$status" -eq 0 ] && python3 - "$tmp/out" <<'END'
import json, sys
queues = json.load(open(sys.argv[1]))["selected"]["queues"]
named = {q["name"]: q for q in queues}
assert {"T1", "T2", "B1", "B2"} <= set(named)
assert len(named["T1"]["pages"]) == named["T1"]["nr"] and named["T1"]["share"] <= 6
ghosts = named["B1"]["pages"] + named["B2"]["pages"]
assert ghosts and all(p["ghost"] and p["page"] < 8 for p in ghosts)
END
	report $? 'top: queues as JSON'
	run set "$space" policy=lru observer=accessed
}

# A command: whether there is half a second without misses, or one with, before long.
misses_are() {	# still|going
	local misses="'$tool' stats $space | grep '^misses '" test='='

	[ "$1" = still ] || test='!='
	echo "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do a=\$($misses)"
	echo "sleep 0.5; b=\$($misses); [ -n \"\$a\" ] && [ \"\$a\" $test \"\$b\" ] && exit; done; exit 1"
}

# Faults held by a key go on with the next one, at the end, and after kill -9.
test_top_hold() {
	on_terminal 'top: holds faults' 80x24 see:lru, key:s 'see:[HELD]' \
		"run:$(misses_are still)" key:s see:go "run:$(misses_are going)" \
		key:s 'see:[HELD]' key:q -- "$tool" top -d 0.2 "$space"
	sh -c "$(misses_are going)"
	report $? 'top: the program goes on after the end'
	on_terminal 'top: is killed while it holds faults' 80x24 see:lru, key:s 'see:[HELD]' \
		"run:$(misses_are still)" kill:9 -- "$tool" top -d 0.2 "$space"
	sh -c "$(misses_are going)"
	report $? 'top: kill -9 of it lets the program go on'
}

# Pictures of $space, which a program pages in.
test_view_space() {
	prints "^space $space: [1-9][0-9]* references to 8 rows.*(recorded)" \
		heatmap --space "$space" --seconds 0.5
	prints '^         7 |.*[&fe]' heatmap --space "$space" --seconds 0.5
	run report --space "$space" --seconds 0.5 -o "$tmp/x.html"
	[ "$status" -eq 0 ] && grep -q '"recorded":true' "$tmp/x.html" &&
		grep -q '"policy":"lru","observer":"accessed"' "$tmp/x.html"
	report $? 'report: a page of a space'
	[ -z "$(find /tmp -maxdepth 1 -name 'vmdemoctl-??????')" ]
	report $? 'what was recorded for it is deleted'
}
