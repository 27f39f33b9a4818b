#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# After fsync() has returned 0 the data is on the medium: a VM writes through
# spaces on files, says that it has synced, and is killed at that moment; a
# second one looks. Prints TAP and a last line "N passed, N failed".
#
# usage: durable.sh [--kernel V] PAYLOAD
#
# PAYLOAD is what payload.sh --tests has made. That a flush of the disk's cache
# was asked for is counted in the first VM: a host's page cache outlives a VM.
set -uo pipefail

TESTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kernel=(--kernel 6.1)
[ "${1:-}" != --kernel ] || { kernel=(--kernel "$2") && shift 2; }
[ "${1:-}" != --kernel-dir ] || { kernel=(--kernel-dir "$2") && shift 2; }
PAYLOAD=${1:?usage: durable.sh [--kernel V] PAYLOAD}
TMP=$(mktemp -d "${TMPDIR:-/tmp}/vmdemo-durable.XXXXXX")
LIMIT=${VMD_DURABLE_LIMIT:-300}
n=0
failed=0
vm=
trap '[ -z "$vm" ] || kill "$vm" 2>/dev/null; rm -rf "$TMP"' EXIT

# The guest's results are counted with ours.
count_results() {
	n=$((n + $(grep -cE '^(not )?ok ' "$1")))
	failed=$((failed + $(grep -c '^not ok ' "$1")))
	sed 's/^ok [0-9]*/ok -/; s/^not ok [0-9]*/not ok -/' "$1"
}

result() {
	n=$((n + 1))
	if [ "$2" = 0 ]; then
		echo "ok - $1"
	else
		failed=$((failed + 1))
		echo "not ok - $1"
	fi
}

# in_vm OUTPUT COMMAND...: in the background; its process is $vm.
in_vm() {
	local out=$1

	shift
	"$TESTS_DIR/vm/run.sh" "${kernel[@]}" --mem 1024 --timeout "$LIMIT" \
		--disk "$TMP/disk.img" --log "$TMP/console" --payload "$PAYLOAD" \
		-- "$@" >"$out" 2>"$TMP/err" &
	vm=$!
}

# The emulator: run.sh's child is timeout(1), whose child it is.
emulator() {
	pgrep -P "$(pgrep -P "$vm" -x timeout)"
}

# Wait until the guest has said it, and kill it then and there.
kill_at_marker() {
	local i

	for ((i = 0; i < LIMIT * 20; i++)); do
		if grep -q '^synced' "$TMP/first"; then
			kill -KILL "$(emulator)"
			return
		fi
		kill -0 "$vm" 2>/dev/null || break
		sleep 0.05
	done
	cat "$TMP/err" >&2
	return 1
}

: >"$TMP/first"
truncate -s 192M "$TMP/disk.img"
in_vm "$TMP/first" bash ./durable_guest.sh write
kill_at_marker
result "the first VM has synced and was killed" $?
wait "$vm" 2>/dev/null
count_results "$TMP/first"
in_vm "$TMP/second" bash ./durable_guest.sh check
wait "$vm"
result "the second VM has looked" $?
vm=
count_results "$TMP/second"
echo "$((n - failed)) passed, $failed failed"
[ $failed = 0 ]
