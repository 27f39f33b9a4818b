#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Style checks: "make style". The last line is "N passed, N failed".
#
# usage: style.sh [--setup]
#   --setup   first install what is missing (make check has done that already)
#
# What a tool that sees nothing but some files has found to be right is kept in
# the cache, by the content of the tool and of the files, and not asked again.
set -uo pipefail

TESTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(dirname "$TESTS_DIR")
CACHE=${VMDEMO_CACHE:-$HOME/.cache/vmdemo}
CHECKPATCH=$CACHE/linux-source-6.1/scripts/checkpatch.pl
KERNEL=${VMDEMO_KERNEL:-6.1}

# What checkpatch is not asked, and nothing else is: FILES, TYPES, and why.
exceptions() {
	cat <<'END'
module/compat.h LINUX_VERSION_CODE,CONSTANT_COMPARISON
	a module out of the tree serves several kernels; only here
module/trace.h OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT
	TRACE_EVENT is written this way in all of include/trace/events
tools/preload/new.c CAMELCASE,AVOID_EXTERNS
	what C++ makes of its names, and no header of C has
tools/run_look.c CAMELCASE
	elf.h names its types so
uapi/vmdemo.h COMPLEX_MACRO,MACRO_ARG_REUSE,TRAILING_SEMICOLON,CAMELCASE
	the list of counters is an X macro; _Static_assert is the language's name
END
}

passed=0
failed=0
tmp=$(mktemp -d "${TMPDIR:-/tmp}/vmdemo-style.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

# report NAME STATUS: what was found is in $tmp/out.
report() {
	if [ "$2" = 0 ]; then
		passed=$((passed + 1))
		[ -t 1 ] || echo "ok - $1"
	else
		failed=$((failed + 1))
		echo "not ok - $1"
		sed 's/^/#   /' "$tmp/out"
	fi
}

# check NAME COMMAND...: it succeeds and says nothing.
check() {
	local name=$1 status=0

	shift
	"$@" >"$tmp/out" 2>&1 || status=1
	[ ! -s "$tmp/out" ] || status=1
	report "$name" $status
}

# check_same NAME FILES COMMAND...: check it, unless these very FILES (one word,
# blanks between them) have passed the same COMMAND before. From $TOP, so that
# it is the same in another clone.
check_same() {
	local name=$1 before=$failed key known

	# shellcheck disable=SC2086 # a list of files
	key=$({ cat $2 && printf '%s\n' "$name" "${@:3}" && type "$3"; } | sha256sum)
	known=$CACHE/style/${key%% *}
	if [ -e "$known" ]; then
		touch "$known"
		report "$name" 0
		return
	fi
	check "$name" "${@:3}"
	[ "$failed" != "$before" ] || : >"$known"
}

# What nobody has asked for in a month goes.
same_begin() {
	mkdir -p "$CACHE/style" && find "$CACHE/style" -type f -mtime +30 -delete
}

# Files of the project with one of these endings; not what was built.
sources() {
	git -C "$TOP" ls-files -co --exclude-standard -- "$@" 2>/dev/null | LC_ALL=C sort -u |
		while read -r f; do
			[ ! -e "$TOP/$f" ] || echo "$f"
		done
}

# Where the file would be in a kernel's tree: the rules differ by place.
place_in_kernel() {
	case $1 in
	module/*) echo "drivers/misc/vmdemo/${1#module/}" ;;
	uapi/*) echo "include/uapi/linux/${1#uapi/}" ;;
	selftests/*) echo "tools/testing/selftests/vmdemo/${1#selftests/}" ;;
	*) echo "tools/vmdemo/$1" ;;
	esac
}

excepted() {
	local pattern types

	exceptions | grep -v '^[[:space:]]' | while read -r pattern types; do
		# shellcheck disable=SC2254 # it is a pattern
		case $1 in
		$pattern) printf '%s,' "$types" ;;
		esac
	done
}

checkpatch() {
	local place types

	place=$(place_in_kernel "$1")
	types=$2
	# It looks for names like these in include, when it finds one.
	mkdir -p "$tmp/tree/$(dirname "$place")" "$tmp/tree/include"
	cp "$TOP/$1" "$tmp/tree/$place"
	(cd "$tmp/tree" && perl "$CHECKPATCH" --no-tree --root . --strict --quiet --terse \
		--show-types --no-summary ${types:+--ignore "${types%,}"} --file "$place")
}

check_c() {
	local f

	[ -e "$CHECKPATCH" ] || {
		echo "no checkpatch.pl in $CACHE" >"$tmp/out"
		report "checkpatch" 1
		return
	}
	while read -r f; do
		check_same "checkpatch $f" "$f $CHECKPATCH" \
			checkpatch "$f" "$(excepted "$f")"
	done < <(sources '*.c' '*.h')
}

# The kernel's own headers are not ours to mend: only lines that name our files.
our_warnings() {
	grep -E "(warning|error):" | grep -E "(^|/)(module|uapi)/[a-z_/0-9]+\.[ch]:" |
		sed "s,$CACHE/build/[^/]*/,," | LC_ALL=C sort -u
}

# A copy of the sources keeps the normal build's objects from being made anew.
sparse_and_warnings() {
	local status=0

	mkdir -p "$TOP/build/style" &&
		cp -r "$TOP/module" "$TOP/uapi" "$TOP/Kbuild" "$TOP/build/style/" || return 1
	"$TESTS_DIR/vm/build-module.sh" --kernel "$KERNEL" --src "$TOP/build/style" \
		--out "$tmp" --fresh W=1 C=2 KCFLAGS="-Wall -Wextra -Wno-unused-parameter" \
		>"$tmp/build.log" 2>&1 || status=1
	our_warnings <"$tmp/build.log"
	[ $status = 0 ] || tail -n 20 "$tmp/build.log"
	return $status
}

user_space_warnings() {
	make -s -C "$TESTS_DIR" O="$tmp/selftests" CFLAGS="-O2 -Werror"
}

# Scripts by what they begin with, whatever their names.
scripts() {
	local f

	sources '*.sh' '.ci/*' 'selftests/vm/guest/*' 'tools/completion/*' | LC_ALL=C sort -u
}

# with_sourced FILE: it, and what it and what that sources, a line each.
with_sourced() {
	local sourced

	echo "$1"
	sed -nE 's/^[[:space:]]*# shellcheck source=//p' "$TOP/$1" | sort -u |
		while read -r sourced; do
			sourced=$(dirname "$1")/$sourced
			[ ! -f "$TOP/$sourced" ] || with_sourced "$sourced"
		done
}

check_scripts() {
	local f

	while read -r f; do
		check_same "shellcheck $f" "$(with_sourced "$f") $(command -v shellcheck)" \
			shellcheck -x -P SCRIPTDIR "$f"
	done < <(scripts)
}

# Pages that are not installed here are no mistake.
lint_page() {
	if command -v mandoc >/dev/null; then
		mandoc -T lint -W warning "$1"
	else
		LC_ALL=C.UTF-8 groff -ww -b -z -mandoc -T utf8 "$1"
	fi
}

check_pages() {
	local f

	while read -r f; do
		check "manual page $f" lint_page "$TOP/$f"
	done < <(sources 'tools/man/*.[0-9]')
	check "manual pages of the verbs" "$TOP/tools/man/verbs.sh" "$TOP/tools/man/vmdemoctl.8" \
		"$TOP/tools/vmdemoctl.c" "$tmp/verbs"
	for f in "$tmp"/verbs/*.8; do
		check "manual page ${f##*/}" lint_page "$f"
	done
}

has_no_licence() {
	local f

	while read -r f; do
		head -n 3 "$TOP/$f" | grep -q 'SPDX-License-Identifier: GPL-2.0' ||
			echo "$f"
	done < <(sources '*.c' '*.h' '*.sh' '*.conf' '*.rules' 'Makefile' '*/Makefile' \
		Kbuild '.ci/*' 'tools/completion/*' 'selftests/vm/guest/*')
	grep -L 'WITH Linux-syscall-note' "$TOP"/uapi/*.h | sed 's/$/: no syscall note/'
	return 0
}

has_trailing_blanks() {
	(cd "$TOP" && sources '*' | xargs -d '\n' grep -nIE '[[:blank:]]+$')
	return 0
}

if [ "${1:-}" = --setup ]; then
	"$TESTS_DIR/vm/setup.sh" --style >&2 || exit 1
fi
cd "$TOP" || exit 1
same_begin
check "every file has its licence" has_no_licence
check "no blanks at the end of a line" has_trailing_blanks
check_c
check_scripts
check_pages
check "warnings of the programs in user space" user_space_warnings
check_same "sparse and warnings of the module, kernel $KERNEL, $(gcc --version | head -n 1)" \
	"$(sources 'module/*' 'uapi/*' Kbuild selftests/vm/build-module.sh) $(command -v sparse)" \
	sparse_and_warnings
echo "$passed passed, $failed failed"
[ $failed = 0 ]
