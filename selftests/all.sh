#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Several sets of tests, some jobs at a time; the last line adds them up.
#
# usage: all.sh SET...
#
# Sets and their jobs, each of which is a run of check.sh:
#   check    all its parts: those in a VM on 6.1, and the rest
#   debug    parts kernel, smp and leaks on a kernel with KASAN, UBSAN, lockdep and
#            kmemleak; kernel on another with KCSAN
#   matrix   parts kernel and smp on 6.1, 6.12 and 7.2; what check has run already is
#            not run again
#
# A job's output is kept in build/all/JOB.log; its failures are shown when it
# ends.
#
# environment:
#   VMD_JOBS       jobs at a time (default: CPUs and one, as guests wait a lot;
#                  at most 3)
#   VMD_BUILT_ONLY sanitizing kernels are not built for this: what the cache
#                  does not have is left out, and that is said
#   VMDEMO_CACHE   where downloads and images are kept (default ~/.cache/vmdemo)
set -uo pipefail

TESTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LOGS=$(dirname "$TESTS_DIR")/build/all
SUMMARY='^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$'
unset MAKEFLAGS MAKELEVEL MFLAGS

# shellcheck source=vm/lib.sh
. "$TESTS_DIR/vm/lib.sh"

jobs=()		# in the order in which they begin: long ones first
passed=0
failed=0
skipped=0

usage() {
	sed -n '3,/^set /s/^# \{0,1\}//p' "$0" | sed '/^set /d' >&2
	exit 2
}

add_jobs() {
	local set all=" $* "

	for set; do
		[[ $set == check || $set == debug || $set == matrix ]] || usage
	done
	[[ $all != *" check "* && $all != *" matrix "* ]] || jobs+=(6.1)
	[[ $all != *" debug "* ]] || add_sanitizing kasan KASAN
	[[ $all != *" check "* ]] || jobs+=(rest)
	[[ $all != *" matrix "* ]] || jobs+=(7.2)
	[[ $all != *" matrix "* ]] || jobs+=(6.12)
	[[ $all != *" debug "* ]] || add_sanitizing leaks KASAN
	[[ $all != *" debug "* ]] || add_sanitizing kcsan KCSAN
}

# add_sanitizing JOB OPTION: the job on the kernel that has this option.
add_sanitizing() {
	if [ -z "${VMD_BUILT_ONLY:-}" ] || is_built "$2"; then
		jobs+=("$1")
	else
		echo "== $1: not run: its kernel is not in the cache; make check-debug builds it"
	fi
}

is_built() {
	grep -qs "^CONFIG_$1=y" "${VMDEMO_CACHE:-$HOME/.cache/vmdemo}"/kernel-debug-*/build/.config
}

# run_shared KERNEL PART...: the exerciser and the fuzzer do on each version their
# part of what make check does on one.
run_shared() {
	local parts=

	[[ " ${jobs[*]} " != *" 6.12 "* ]] || parts=3
	VMDEMO_KERNEL=$1 VMD_PARTS=$parts "$TESTS_DIR/check.sh" "${@:2}"
}

run_job() {
	case $1 in
	6.1) run_shared "$1" kernel smp levels durable ;;
	rest)
		VMDEMO_KERNEL=6.1 "$TESTS_DIR/check.sh" \
			scanner policy tools bench style lab debian packaging
		;;
	kasan) VMDEMO_KERNEL=kasan "$TESTS_DIR/check.sh" kernel ;;
	leaks) VMDEMO_KERNEL=kasan "$TESTS_DIR/check.sh" leaks smp ;;
	7.2 | 6.12) run_shared "$1" kernel smp ;;
	*) VMDEMO_KERNEL=$1 "$TESTS_DIR/check.sh" kernel ;;
	esac
}

# A job says at the end how long it took; without that line it has died.
job() {
	local start=$SECONDS status=0 me=$BASHPID

	# The one that is alone in having two CPUs has the right of way.
	[ "$1" = 6.1 ] || renice -n 4 -p "$me" >/dev/null
	run_job "$1" || status=$?
	echo "# exit status $status, $((SECONDS - start)) s, $(cpu_seconds "$me") s of CPU"
}

start() {
	echo "== $1: begins"
	job "$1" >"$LOGS/$1.log" 2>&1 </dev/null &
	running[$!]=$1
}

# Tests that failed, with what they said before, and what is said of them then.
failures() {
	awk '/^(ok |#  RUN )/ { n = after = 0; next }
		/^not ok/ {
			for (i = n > 10 ? n - 10 : 0; i < n; i++)
				print said[i]
			print
			n = 0
			after = 10
			next
		}
		/^#/ && after > 0 { print; after--; next }
		/^#/ { said[n++] = $0; next }
		/^== .* failed|Bail out|splat/'
}

# What a job that has ended has to say: its failures and its sum.
finish() {
	local log=$LOGS/$1.log sum end p f s

	sum=$(grep -E "$SUMMARY" "$log" | tail -n 1)
	end=$(tail -n 1 "$log")
	read -r p _ f _ s _ <<<"${sum:-0 passed, 1 failed}"
	[[ $f != 0 || $end == "# exit status 0,"* ]] || f=1
	if [ "$f" != 0 ]; then
		echo "== $1: failed: $log"
		failures <"$log" | head -n 60
		tail -n 15 "$log"
	fi
	echo "== $1: $p passed, $f failed${s:+, $s skipped} (${end#\# })"
	passed=$((passed + p))
	failed=$((failed + f))
	skipped=$((skipped + ${s:-0}))
}

default_jobs() {
	local n

	n=$(nproc)
	echo $((n < 2 ? 2 : 3))
}

[ $# -gt 0 ] || usage
add_jobs "$@"
most=${VMD_JOBS:-$(default_jobs)}
mkdir -p "$LOGS"
declare -A running=()
for name in "${jobs[@]}" ""; do
	# The last, empty one waits for all.
	while [ "${#running[@]}" -gt 0 ] &&
	      { [ -z "$name" ] || [ "${#running[@]}" -ge "$most" ]; }; do
		wait -n -p pid "${!running[@]}"
		finish "${running[$pid]}"
		unset "running[$pid]"
	done
	[ -z "$name" ] || start "$name"
done
echo
echo "$passed passed, $failed failed$([ "$skipped" = 0 ] || echo ", $skipped skipped")"
[ "$failed" = 0 ]
