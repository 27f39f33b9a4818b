#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The tests on the device, on every kernel there is support for: "make
# check-matrix". The last line adds them up.
set -uo pipefail

cd "$(dirname "$0")" || exit 1
log=$(mktemp "${TMPDIR:-/tmp}/vmdemo-matrix.XXXXXX")
trap 'rm -f "$log"' EXIT
passed=0 failed=0

for kernel in 6.1 6.12 7.2; do
	VMDEMO_KERNEL=$kernel ./check.sh kernel | tee "$log"
	# Its own last line; without one it has died.
	read -r p _ f _ < <(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
	if [ -z "${f-}" ]; then
		p=0 f=1
	fi
	passed=$((passed + p))
	failed=$((failed + f))
	unset p f
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
