# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the tests of vmdemoctl share: run it and report. $tool is the program and
# $tmp a directory; what it said is in $tmp/out and $tmp/err.
# shellcheck disable=SC2154 # tool is theirs

passed=0
failed=0
status=0
json_pid=
tmp=$(mktemp -d)

clean_up() {
	[ -z "$json_pid" ] || kill "$json_pid"
	rm -rf "$tmp"
}

trap clean_up EXIT

report() {	# 0|1 TEXT
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
		echo "ok $((passed + failed)) - $2"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $((passed + failed)) - $2"
	sed 's/^/#   /' "$tmp/out" "$tmp/err"
}

run() {	# ARGUMENTS...
	"$tool" "$@" > "$tmp/out" 2> "$tmp/err" < "${stdin:-/dev/null}"
	status=$?
}

# The verb fails with this status, says this on stderr and nothing on stdout.
refused() {	# STATUS PATTERN ARGUMENTS...
	local want=$1 pattern=$2
	shift 2
	run "$@"
	[ "$status" -eq "$want" ] && [ ! -s "$tmp/out" ] && grep -q -e "$pattern" "$tmp/err"
	report $? "refused ($want): $*"
}

# The verb works, says nothing on stderr, and this on stdout.
prints() {	# PATTERN ARGUMENTS...
	local pattern=$1
	shift
	run "$@"
	[ "$status" -eq 0 ] && [ ! -s "$tmp/err" ] && grep -q -e "$pattern" "$tmp/out"
	report $? "works: $*"
}

# The verb works, and its output is JSON.
json() {	# ARGUMENTS...
	run "$@"
	[ "$status" -eq 0 ] && [ ! -s "$tmp/err" ] && is_json "$tmp/out"
	report $? "JSON: $*"
}

# One Python is asked about all files: its start takes half a second in a guest. No
# descriptor of it is left to the programs that are tested.
start_json() {
	rm -f "$tmp/json-asked" "$tmp/json-told"
	mkfifo "$tmp/json-asked" "$tmp/json-told"
	python3 -c '
import json, sys
for name in sys.stdin:
    try:
        json.load(open(name.rstrip("\n")))
        print("yes", flush=True)
    except Exception:
        print("no", flush=True)
' <> "$tmp/json-asked" 1<> "$tmp/json-told" &
	json_pid=$!
}

is_json() {	# FILE
	local said=

	if ! command -v python3 > /dev/null; then
		head -c 1 "$1" | grep -q '[[{]' && tail -n 1 "$1" | grep -q '[]}]$'
		return
	fi
	[ -n "$json_pid" ] || start_json
	# Without it the first word would wait for a reader for ever.
	kill -0 "$json_pid" || return
	echo "$1" > "$tmp/json-asked"
	read -r said < "$tmp/json-told"
	[ "$said" = yes ]
}

finish() {
	echo "1..$((passed + failed))"
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ]
}
