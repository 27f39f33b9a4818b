#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# "make lab-shell" with commands piped into it: is all there that is promised, and
# do the experiments of docs/lab that need the device give what the pages say?
# Lines "N passed, N failed": the pages', then this test's own.
# shellcheck disable=SC2016,SC2317 # what is in single quotes is for the shell there
set -uo pipefail

TESTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=checks.sh
. "$TESTS_DIR/checks.sh"
out=$(mktemp "${TMPDIR:-/tmp}/vmdemo-labshell.XXXXXX")
trap 'rm -f "$out" "$said"' EXIT

# The console shows what is typed as well: what is looked for is not in that.
commands() {
	cat <<'END'
vmdemoctl policies | awk '$1 == "sieve" { print "policy: " $1 }'
ls README.md 01-locality.md 20-demand.md | wc -l | sed 's/^/pages: /'
vmdemoctl play -q -p fifo -f 3 1 2 3 4 1 2 5 1 2 3 4 5 | awk '$1 == "misses" { print "misses: " $2 }'
_completion_loader vmdemoctl; complete -p vmdemoctl | sed 's/^/completion: /'
type -P vmdemoctl | sed 's/^/tool: /'
ls /usr/share/man/man8/vmdemoctl-play.8 | sed 's/^/page: /'
/payload/lab.sh --device; :
END
}

# shows TEXT: the end of a line that the machine said; what is typed meanwhile may
# stand before it.
shows() {
	grep -e "$1\$" "$out"
}

commands | timeout 1200 make -s -C "$(dirname "$TESTS_DIR")" lab-shell 2>&1 | tr -d '\r' >"$out"
status=${PIPESTATUS[1]}
grep -E '^((not )?ok |#|[0-9]+ passed, )' "$out"
check "the machine ran to its end" [ "$status" = 0 ] || tail -n 30 "$out"
check "the module is loaded, and has policies" shows 'policy: sieve'
check "the pages are there" shows 'pages: 3'
check "the device counts Belady's misses" shows 'misses: 9'
check "completion" shows 'completion: complete -F _vmdemoctl vmdemoctl'
check "the tool is installed" shows 'tool: /usr/sbin/vmdemoctl'
check "its manual pages, too" shows 'page: /usr/share/man/man8/vmdemoctl-play.8'
check "the pages' commands were run" grep -qE '^[1-9][0-9]* passed, [0-9]+ failed' "$out"
sum_up
