#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Does lab.sh notice it when a page is wrong? It gets the pages with each figure
# changed, and some made for the purpose. The last line is "N passed, N failed".
# shellcheck disable=SC2016 # what is in single quotes is for lab.sh
set -uo pipefail

TESTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PAGES=$(dirname "$TESTS_DIR")/docs/lab
tmp=$(mktemp -d "${TMPDIR:-/tmp}/vmdemo-lab-test.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
passed=0
failed=0

report() {	# 0|1 TEXT
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
		echo "ok - $2"
	else
		failed=$((failed + 1))
		echo "not ok - $2"
		tail -n 20 "$tmp/out" | sed 's/^/#   /'
	fi
}

# gives STATUS LAST-LINE TEXT: what lab.sh makes of $tmp/page.md
gives() {
	local status

	"$TESTS_DIR/lab.sh" "$tmp/page.md" >"$tmp/out" 2>&1
	status=$?
	[ $status = "$1" ] && [ "$(tail -n 1 "$tmp/out")" = "$2" ]
	report $? "$3"
}

# Only blocks that need nothing. Each line of output has its first digit changed,
# or a word more; after each command $tmp/wrong has its line if it has output.
change() {
	awk -v list="$tmp/wrong" '
		!inside && /^```console$/ { inside = 1; at = 0; print; next }
		!inside && /^```/ { inside = 2; print "text"; next }
		inside && /^```$/ { print inside == 1 ? $0 : "text"; inside = 0; next }
		inside == 1 && /^\$ / { at = NR; print; next }
		inside != 1 || /^> / { print; next }
		{
			if (at) print name ":" at >list
			at = 0
			if (match($0, /[0-9]/))
				print substr($0, 1, RSTART - 1) (substr($0, RSTART, 1) + 1) % 10 substr($0, RSTART + 1)
			else
				print $0 " or not"
		}' name="$(basename "$1" .md)" "$1"
}

test_figures() {
	local page name

	for page in "$PAGES"/[0-9]*.md; do
		name=$(basename "$page")
		: >"$tmp/wrong"
		change "$page" >"$tmp/$name"
		[ -s "$tmp/wrong" ] || continue
		"$TESTS_DIR/lab.sh" "$tmp/$name" >"$tmp/out" 2>&1
		sed -nE 's/^not ok [0-9]+ - ([^ ]+) .*/\1/p' "$tmp/out" | cmp -s - "$tmp/wrong"
		report $? "$name with other figures: all of its $(wc -l <"$tmp/wrong") outputs are wrong"
	done
}

page() {
	printf '%s\n' '```console' "$@" '```' >"$tmp/page.md"
}

page '$ echo 1; echo 2' 1 2
gives 0 "1 passed, 0 failed" "a page that is right"
page '$ echo 1; echo 2' 1
gives 1 "0 passed, 1 failed" "a line more than on the page"
page '$ echo 1' 1 2
gives 1 "0 passed, 1 failed" "a line less than on the page"
page '$ echo 1; exit 3' 1
gives 1 "0 passed, 1 failed" "a command that fails"
page '$ echo 1; exit 3' 1 '[exit status 3]'
gives 0 "1 passed, 0 failed" "a command that should fail"
page '$ false | echo 1' 1
gives 1 "0 passed, 1 failed" "a command that fails in a pipeline"
page '$ echo 1 >&2' 1
gives 0 "1 passed, 0 failed" "stderr"
page '$ echo a >file' '$ cat file' a
gives 0 "2 passed, 0 failed" "commands of one page share a directory"
page '$ for i in 1 2' '> do echo $i; done' 1 2
gives 0 "1 passed, 0 failed" "a command of two lines"
page '$ echo 1'
gives 1 "0 passed, 1 failed" "output of which the page knows nothing"
printf '%s\n' '```console' '$ echo 1' 1 >"$tmp/page.md"
gives 1 "0 passed, 1 failed" "a block without an end"
printf '%s\n' '```console no-such-program' '$ echo 1' 2 '```' '```console' '$ echo 1' 1 '```' >"$tmp/page.md"
gives 0 "1 passed, 0 failed, 1 skipped" "a block that needs what there is not"
echo text >"$tmp/page.md"
gives 1 "0 passed, 0 failed" "a page without experiments"
test_figures
echo "$passed passed, $failed failed"
[ $failed = 0 ]
