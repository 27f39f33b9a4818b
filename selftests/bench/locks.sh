#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# How often threads that fault at the same time want the same lock: "make
# bench-locks".
set -euo pipefail

BENCH_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TESTS_DIR=$(dirname "$BENCH_DIR")
TOP=$(dirname "$TESTS_DIR")
KERNEL=${VMDEMO_KERNEL:-6.1}
OUT=$TOP/build/bench
PAYLOAD=$TOP/build/payload-locks-$KERNEL
unset MAKEFLAGS MAKELEVEL MFLAGS

usage() {
	cat <<'END'
usage: locks.sh [OPTION...]

In a VM with 8 CPUs and a RAM disk, have 1, 2, 4 and 8 threads fault at the same
time on one space: soft faults on pages that are resident, random reads for which
clean pages leave, random writes for which dirty ones do. Print the locks that
were not free when they were wanted, for each 1000 faults, and faults per
second. The raw counts, with call stacks, are in build/bench/locks-KERNEL.txt.

"module" are the module's own locks, "called" the kernel's where the module calls
it, "fault" those of the kernel's own part in a fault or in madvise(), "other" the
rest of the kernel (timers, the scheduler). Stalls are faults, of 1000, that had
to evict; "mm lock" are those that took the lock of the whole address space
instead of the mapping's own; "ipis" is how often a CPU was interrupted by another
that made it forget translations, each of those interrupted counted.

  --json        print that as JSON
  --check N     fail if 1000 faults at the most threads find N locks or more taken
  --loads L     some of soft,read,write
  --threads T   which numbers of threads (default 1,2,4,8)
  --rounds N    how often; medians are printed (default 3)
  --ms N        how long each time (default 2000)
  --instructions  likewise, and the clock counts the instructions of all CPUs
                together: "faults/s" are then faults for each 10^9 instructions.
                That does not depend on the host: where they do not get fewer with
                more threads, CPUs that really run at the same time do not wait
                for each other, but for what the hardware has them wait for
  --peers       also the same by the kernel's own, each with as much memory: soft
                faults on a file in tmpfs, reads and writes of memory with swap. A
                machine on which these do not get faster with more threads either
                tells nothing of ours
  --turns       CPUs take turns on one of the host's: where that has few, or is
                busy, it takes far less time, as each page that is evicted has all
                of them forget a translation, and waits until each has run. Locks
                that are held while their owner waits are found taken as they are
                otherwise; those that are held for an instant only, less often

environment: VMDEMO_KERNEL (6.1, 6.12 or 7.2), VMDEMO_CACHE
END
}

die() {
	echo "locks.sh: $*" >&2
	exit 2
}

# need NAME VALUE PATTERN WHAT
need() {
	[[ $2 =~ ^$3$ ]] || die "$1 '$2': must be $4"
}

form=table
most=
loads=soft,read,write
threads=1,2,4,8
rounds=3
ms=2000
parallel=(--parallel)
peers=()
while [ $# -gt 0 ]; do
	case $1 in
	--json) form=json ;;
	--turns) parallel=() ;;
	--instructions) parallel=(--icount) ;;
	--peers) peers=(--peers) ;;
	-h | --help) usage && exit 0 ;;
	--check | --loads | --threads | --rounds | --ms)
		[ $# -gt 1 ] || die "$1 needs a value (see --help)"
		case $1 in
		--check) most=$2 ;;
		--loads) loads=$2 ;;
		--threads) threads=$2 ;;
		--rounds) rounds=$2 ;;
		--ms) ms=$2 ;;
		esac
		shift
		;;
	*) die "unknown option '$1' (see --help)" ;;
	esac
	shift
done
need --check "$most" '[0-9]*' "a number"
need --loads "$loads" '(soft|read|write)(,(soft|read|write))*' "some of soft,read,write"
need --threads "$threads" '([1-9]|1[0-6])(,([1-9]|1[0-6]))*' "numbers from 1 to 16"
need --rounds "$rounds" '[1-9][0-9]*' "a positive number"
need --ms "$ms" '[1-9][0-9]*' "a positive number"

# Of a clock that counts, run.sh knows machines with one CPU only; it takes the
# first qemu of PATH.
counting_qemu() {
	local dir=$1 qemu

	qemu=$(command -v qemu-system-x86_64)
	mkdir -p "$dir"
	cat >"$dir/qemu-system-x86_64" <<-END
	#!/bin/bash
	args=("\$@")
	for ((i = 1; i < \$#; i++)); do
		[ "\${args[i - 1]}" != -smp ] || args[i]=8
	done
	exec $(printf %q "$qemu") "\${args[@]}"
	END
	chmod +x "$dir/qemu-system-x86_64"
}

"$TESTS_DIR/vm/setup.sh" --bench --kernel "$KERNEL"
"$TESTS_DIR/payload.sh" --kernel "$KERNEL" --bench "$PAYLOAD"
mkdir -p "$OUT"
echo "Measuring on Linux $KERNEL; this takes some minutes ..." >&2
if [ "${parallel[*]-}" = --icount ]; then
	counting_qemu "$OUT/counting"
	PATH=$OUT/counting:$PATH
fi
IFS=, read -ra loads <<<"$loads"
IFS=, read -ra threads <<<"$threads"
"$TESTS_DIR/vm/run.sh" --kernel "$KERNEL" --cpus 8 --mem 1536 --timeout 2400 \
	${parallel[@]+"${parallel[@]}"} --payload "$PAYLOAD" -- ./bench_locks.sh \
	${peers[@]+"${peers[@]}"} "$rounds" "$ms" "${loads[@]}" -- "${threads[@]}" >"$OUT/locks-$KERNEL.txt"
awk -v form="$form" -v kernel="$KERNEL" -v most="$most" -f "$BENCH_DIR/locks.awk" \
	"$OUT/locks-$KERNEL.txt"
