# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Run commands as tests and count them. What the last one said is in $said.

passed=0
failed=0
said=${TMPDIR:-/tmp}/vmdemo-said.$$

# check NAME COMMAND...
check() {
	local name=$1

	shift
	if "$@" >"$said" 2>&1; then
		passed=$((passed + 1))
		echo "ok - $name"
	else
		failed=$((failed + 1))
		echo "not ok - $name"
		tail -n 30 "$said" | sed 's/^/#   /'
		return 1
	fi
}

# The last line of a script, and its exit status.
sum_up() {
	rm -f "$said"
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ]
}
