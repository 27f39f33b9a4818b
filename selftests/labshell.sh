#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A shell in a throw-away VM in which all is ready for the course: "make lab-shell".
set -euo pipefail

TESTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(dirname "$TESTS_DIR")
KERNEL=${VMDEMO_KERNEL:-6.1}
PROMPT_SECONDS=300
unset MAKEFLAGS MAKELEVEL MFLAGS

usage() {
	cat <<'END'
usage: labshell.sh

Boot a virtual machine and give a shell in it: the module is loaded, vmdemoctl is
installed, the pages of docs/lab and their programs are in the directory where it
begins. Leave it with "exit": nothing of it is kept, and nothing is loaded into,
or installed on, this machine (but for the packages that booting a VM needs).

Commands on standard input are typed there when the shell is ready:

	echo vmdemoctl policies | make lab-shell

environment: VMDEMO_KERNEL (6.1, 6.12 or 7.2), VMDEMO_CACHE
END
}

work=

# shellcheck disable=SC2317 # called by a trap
cleanup() {
	[ -z "$work" ] || rm -rf "$work"
}

# The machine's serial port would lose what comes before somebody reads there.
type_when_ready() {
	local i

	for ((i = 0; i < PROMPT_SECONDS * 2; i++)); do
		! grep -qs '^lab:' "$work/console" || break
		sleep 0.5
	done
	cat
	echo exit
}

in_vm() {
	"$TESTS_DIR/vm/run.sh" --kernel "$KERNEL" --mem 1024 --log "$work/console" \
		--payload "$1" --interactive
}

case ${1:-} in
"") ;;
-h | --help) usage && exit 0 ;;
*) usage >&2 && exit 2 ;;
esac
work=$(mktemp -d "${TMPDIR:-/tmp}/vmdemo-labshell.XXXXXX")
trap cleanup EXIT
payload=$TOP/build/payload-labshell
"$TESTS_DIR/vm/setup.sh" --demo --kernel "$KERNEL"
"$TESTS_DIR/payload.sh" --kernel "$KERNEL" --lab --shell "$payload"
echo "Booting Linux $KERNEL; leave the shell with \"exit\"."
if [ -t 0 ]; then
	in_vm "$payload"
else
	type_when_ready | in_vm "$payload"
fi
