# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# vmdemoctl swapout, swapin. Sourced by cli.sh.
# shellcheck disable=SC2154 # its variables

test_swap_usage() {
	refused 2 'SPACE is missing' swapout
	refused 2 'SPACE is missing' swapin
	refused 2 "space 'x': not an id" swapout x
	refused 2 "'4' is one argument too many" swapin 3 4
	refused 2 'unrecognized option' swapin 3 --stop
	VMDEMO_DEVICE=$tmp/none refused 1 'is the module loaded' swapout 3
}

# The counter is this.
has_value() {	# NAME VALUE
	"$tool" stats "$space" | grep -q "^$1  *$2\$"
}

# Pages 0-7 written and 8-9 pinned, of 16 frames; nobody uses them.
test_swap_device() {
	local space XDG_RUNTIME_DIR=$tmp

	export XDG_RUNTIME_DIR
	open_space
	run set "$space" size=1M budget=16
	printf '%32768s' x >&9
	run advise "$space" pin 8+2
	prints 'space [0-9]*: 8 pages out in .*: [0-8] written (.*2 resident, 2 of them pinned' \
		swapout "$space"
	has_value resident 2
	report $? 'swapout: only pinned pages are left'
	[ "$(cat "$tmp/vmdemoctl/space-$space")" = '0 8' ]
	report $? 'swapout: what was resident is kept'
	prints ': 0 pages out in .*: 0 written' swapout "$space"
	run advise "$space" willneed 0+2
	json swapin "$space" --json
	grep -q '"pages_in":6' "$tmp/out" && grep -q '"pages_read":6' "$tmp/out" &&
		has_value resident 10 && [ ! -e "$tmp/vmdemoctl/space-$space" ]
	report $? 'swapin: the others are back'
	json swapout "$space" --json
	grep -q '"pages_out":8' "$tmp/out" && grep -q '"pages_written":0' "$tmp/out"
	report $? 'swapout: clean pages are not written again'
	chmod 777 "$tmp/vmdemoctl"
	refused 1 'not a directory of yours alone' swapin "$space"
	chmod 700 "$tmp/vmdemoctl"
	refused 1 'there is no such space' swapout 99999999
	exec 9>&-
}

# Of $space, which a program pages in: it must neither run nor come back.
test_swap_programs() {
	local before XDG_RUNTIME_DIR=$tmp

	export XDG_RUNTIME_DIR
	prints ': [1-9] pages out in .*; 0 resident; 1 process stopped' swapout --stop "$space"
	before=$("$tool" stats "$space" | grep '^misses')
	sleep 0.5
	has_value resident 0 && [ "$("$tool" stats "$space" | grep '^misses')" = "$before" ]
	report $? 'swapout: a program that is stopped stays out'
	prints ': [1-9] pages in in .*: [1-9] read' swapin --continue "$space"
	until [ "$("$tool" stats "$space" | grep '^misses')" != "$before" ]; do
		sleep 0.1
	done
	report 0 'swapin: and goes on when it is back'
}
