#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Run the commands in the pages of docs/lab and compare what they print with
# what the pages say: "make lab". The last line is "N passed, N failed".
#
# What is run is the blocks that begin with a fence "```console": a line "$ ..."
# is a command, lines "> ..." after it are more of it, other lines are what it
# prints, on stdout and stderr. The commands of a page are run one after the
# other in an empty directory of its own. One that fails has one line of output
# more, "[exit status N]". Two things are not compared: blanks at the end of a
# line, and the last column of simulate and compare, the rate, which the pages
# leave out.
#
# Behind "console" may be what a block needs: "device" is /dev/vmdemo, anything
# else a program.
set -uo pipefail

TESTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(dirname "$TESTS_DIR")
KERNEL=${VMDEMO_KERNEL:-6.1}
unset MAKEFLAGS MAKELEVEL MFLAGS
export LC_ALL=C

usage() {
	cat <<'END'
usage: lab.sh [--device | --vm | --all] [PAGE.md...]

Run the experiments of the pages (default: all of docs/lab) and compare.

  --device  those that need the device, instead of those that do not; as root
  --vm      those that need the device, in a virtual machine
  --all     those that do not, then those that do, in a virtual machine

environment: VMDEMO_KERNEL (6.1, 6.12 or 7.2), VMDEMO_CACHE
END
}

passed=0
failed=0
skipped=0
tmp=

cleanup() {
	[ -z "$tmp" ] || rm -rf "$tmp"
	[ -z "${loaded:-}" ] || rmmod vmdemo
}

# In a guest all is beside this script.
find_programs() {
	pages=$TESTS_DIR/lab
	[ ! -d "$pages" ] || { export PATH=$TESTS_DIR:$PATH LAB=$TESTS_DIR && return; }
	pages=$TOP/docs/lab
	mkdir -p "$TOP/build/lab"
	# Payloads are made of the same objects, perhaps just now.
	flock "$TOP/build/.payload.lock" make -s -C "$TOP/tools" || exit 1
	"${CC:-gcc}" -std=gnu11 -O2 -Wall -Wextra -Werror -o "$TOP/build/lab/refs" "$pages/refs.c" &&
		"${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -pthread \
			-I "$TOP/uapi" -o "$TOP/build/lab/steps" "$pages/steps.c" &&
		"${CC:-gcc}" -std=gnu11 -O2 -Wall -Wextra -Werror -shared -fPIC -I "$TOP/uapi" \
			-o "$TOP/build/lab/paged.so" "$TESTS_DIR/demo/paged.c" || exit 1
	export PATH=$TOP/build/lab:$TOP/tools:$PATH LAB=$TOP/build/lab
}

# What is different each time, or cannot be seen.
stable() {
	sed -E 's/ +rate$//; s/ +[0-9.]+[kMG]?\/s$//; s/[[:blank:]]+$//'
}

# verdict PAGE:LINE COMMAND: what it should have printed is in $tmp/want.
verdict() {
	local status

	(cd "$tmp/here" && timeout 120 bash -o pipefail -c "$2") >"$tmp/raw" 2>&1 </dev/null
	status=$?
	[ $status = 0 ] || echo "[exit status $status]" >>"$tmp/raw"
	if diff -u --label "the page" --label "now" <(stable <"$tmp/want") <(stable <"$tmp/raw") >"$tmp/diff"; then
		passed=$((passed + 1))
		echo "ok $((passed + failed)) - $1 ${2%%$'\n'*}"
	else
		failed=$((failed + 1))
		echo "not ok $((passed + failed)) - $1 ${2%%$'\n'*}"
		sed 's/^/#   /' "$tmp/diff"
	fi
}

# wanted NEED: is a block run that needs this? A block that cannot be is skipped.
wanted() {
	case $1 in
	device) [ $mode = device ] ;;
	"") [ $mode = user ] ;;
	*)
		[ $mode = user ] || return 1
		! command -v "$1" >/dev/null || return 0
		skipped=$((skipped + 1))
		echo "# a block is skipped: no $1 here"
		return 1
		;;
	esac
}

# Run the command there is, if there is one.
flush() {
	[ -z "$command" ] || verdict "$name:$at" "$command"
	command=
	: >"$tmp/want"
}

run_page() {
	local name line number=0 at=0 inside='' command=''

	name=$(basename "$1" .md)
	rm -rf "$tmp/here"
	mkdir "$tmp/here"
	while IFS= read -r line; do
		number=$((number + 1))
		case $inside$line in
		'```console'*)
			line=${line#\`\`\`console}
			! wanted "${line# }" || inside=in:
			;;
		'in:```') flush && inside= ;;
		'in:$ '*) flush && command=${line#\$ } at=$number ;;
		'in:> '*) command+=$'\n'${line#> } ;;
		in:*) printf '%s\n' "$line" >>"$tmp/want" ;;
		esac
	done <"$1"
	[ -z "$inside" ] || { echo "not ok - $name: a block without an end" && failed=$((failed + 1)); }
}

load() {
	[ ! -e /dev/vmdemo ] || return 0
	[ -e "$TESTS_DIR/vmdemo.ko" ] || { echo "lab.sh: no /dev/vmdemo: load the module first" >&2 && exit 2; }
	modprobe brd rd_nr=1 rd_size=65536 && insmod "$TESTS_DIR/vmdemo.ko" backing=/dev/ram0 || exit 1
	loaded=1
}

run_pages() {
	local page

	find_programs
	[ $mode = user ] || load
	tmp=$(mktemp -d "${TMPDIR:-/tmp}/vmdemo-lab.XXXXXX")
	: >"$tmp/want"
	[ $# -gt 0 ] || set -- "$pages"/[0-9]*.md
	for page; do
		[ -r "$page" ] || { echo "lab.sh: cannot read '$page'" >&2 && exit 2; }
		run_page "$page"
	done
}

in_vm() {
	local dir=$TOP/build/payload-lab

	"$TESTS_DIR/vm/setup.sh" --demo --kernel "$KERNEL" &&
		"$TESTS_DIR/payload.sh" --kernel "$KERNEL" --lab "$dir" &&
		"$TESTS_DIR/vm/run.sh" --kernel "$KERNEL" --payload "$dir" -- ./lab.sh --device
}

# The VM's own last line is added to what there was before.
add_vm() {
	local status counts

	in_vm | tee "$tmp/vm" | grep -vE '^[0-9]+ passed, '
	status=${PIPESTATUS[0]}
	counts=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed.*/\1 \2/p' "$tmp/vm" | tail -n 1)
	[ "${counts:-0 0}" != "0 0" ] || counts="0 1"
	passed=$((passed + ${counts% *}))
	failed=$((failed + ${counts#* }))
	[ "$status" = 0 ] || [ "${counts#* }" != 0 ] || failed=$((failed + 1))
}

trap cleanup EXIT
mode=user
vm=
case ${1:-} in
--device) mode=device && shift ;;
--vm) mode=vm vm=1 && shift ;;
--all) vm=1 && shift ;;
-h | --help) usage && exit 0 ;;
-*) usage >&2 && exit 2 ;;
esac
[ -z "$vm" ] || [ $# = 0 ] || { echo "lab.sh: --vm and --all run all pages, not '$1'" >&2 && exit 2; }
if [ $mode = vm ]; then
	tmp=$(mktemp -d "${TMPDIR:-/tmp}/vmdemo-lab.XXXXXX")
else
	run_pages "$@"
fi
[ -z "$vm" ] || add_vm
more=
[ $skipped = 0 ] || more=", $skipped skipped"
echo "$passed passed, $failed failed$more"
[ $failed = 0 ] && [ $passed -gt 0 ]
