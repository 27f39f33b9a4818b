# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2317 # sourced by guest.sh; called by name
# Misses of three programs: the default policy against the kernel's own two, with
# equal memory.
#
# Equal is meant of all that the program takes. Ours runs in a memory cgroup without
# a limit, its heap with frames for half of its pages; the most that this group has
# at any time (heap, stack, page tables, what the module allocates) is the peer's
# memory.max. Both have mimalloc. What is read of the program's files was read
# before, and is charged to nobody here; what it writes goes to a pipe.
#
# A miss is a page that was there and is read again from the device, by a fault or
# ahead of one. The kernel's readahead of swap is off (page-cluster 0): it would be
# counted against it.

LRU_GEN=/sys/kernel/mm/lru_gen/enabled
MIMALLOC=/usr/lib/x86_64-linux-gnu/libmimalloc.so.2
PROGRAMS=${BENCH_PROGRAMS:-sort sqlite python}
work=/dev/shm/programs

# set_command NAME: the command, and what it reads.
set_command() {
	input=/dev/null
	case $1 in
	sort) command=(sort -n --parallel=1 -S 24M "$work/lines") ;;
	sqlite) command=(sqlite3 :memory:) && input=$work/queries ;;
	python) command=(python3 -S "$work/objects.py") ;;
	esac
}

# A heap of 10 to 20 MiB each. Each comes back to what it had before.
make_inputs() {
	mkdir -p $work
	seq 1 120000 | awk '{ print ($1 * 7919) % 120011, $1, "a line to be sorted" }' >$work/lines
	cat >$work/queries <<-'END'
	create table t(id integer primary key, a integer, b text);
	with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000)
	insert into t select i, (i * 7919) % 60013, 'row ' || i || hex(zeroblob(40)) from n;
	create index ta on t(a);
	select sum(length(b)) from (select b from t where a between 100 and 20000 order by a);
	update t set b = b || a where a % 7 = 0;
	select count(*), sum(a), sum(length(b)) from t;
	select sum(length(b)) from t where id in (select a * 3 from t where a < 9000);
	END
	cat >$work/objects.py <<-'END'
	d, seed, n = {}, 1, 60000
	for i in range(n):
	    seed = (seed * 1103515245 + 12345) % 2147483648
	    d.setdefault("key %d" % (seed % 29989), []).append(i)
	l = [[i, str(i)] for i in range(n)]
	l.sort(key=lambda e: e[1])
	print(len(d), sum(len(k) * v[-1] for k, v in d.items()), l[n // 2], l[-1])
	END
}

# A counter of the last report.
counter() {
	sed -n "s/^ *\"$1\": *\([0-9]*\),*\$/\1/p" $work/report | tail -n 1
}

# ours FRAMES: the command with its heap in a space, alone in the group.
# shellcheck disable=SC2016 # expanded by the inner shell
ours() {
	./vmdemoctl run --quiet --report $work/report --budget "$1" -- \
		sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$CGROUP" "${command[@]}" \
		2>$work/errors <"$input"
}

theirs() {
	MIMALLOC_LARGE_OS_PAGES=0 MIMALLOC_RESERVE_HUGE_OS_PAGES=0 MIMALLOC_RESERVE_OS_MEMORY=0 \
		LD_PRELOAD=$MIMALLOC in_group "$1" "${command[@]}" 2>$work/errors <"$input"
}

from_swap() {
	awk '$1 == "pswpin" { print $2 }' /proc/vmstat
}

now() {
	date +%s%N
}

# measured WHO COMMAND...: takes the time; the output has to be what it always is.
measured() {
	local who=$1 begin

	shift
	settle
	begin=$(now)
	if ! "$@" | cksum >$work/out || ! cmp $work/wanted $work/out; then
		echo "failed: $program: $who"
		tail -n 3 $work/errors >&2
		return 1
	fi
	instructions=$((($(now) - begin) / 1000000))
}

# Sets "misses" and "instructions", and "memory" to the most that it took.
measure_ours() {
	local pages

	mkdir -p "$CGROUP"
	ours 100000 | cksum >$work/wanted || return
	pages=$(counter zero_fills)
	rmdir "$CGROUP" && mkdir "$CGROUP" && measured vmdemo ours $((pages / 2)) || return
	memory=$(cat "$CGROUP/memory.peak")
	rmdir "$CGROUP"
	misses=$(counter pages_read)
	echo "program_${program}_pages - $pages"
	echo "program_${program}_bytes - $memory"
	echo "program_${program}_faults_major - $(counter faults_major)"
	echo "program_${program}_prefetched - $(counter prefetched)"
	echo "program_${program}_prefetch_hits - $(counter prefetch_hits)"
}

# measure_theirs NAME ENABLED: of lru_gen.
measure_theirs() {
	local before

	echo "$2" >$LRU_GEN || return
	before=$(from_swap)
	measured "$1" theirs "$memory" || return
	echo "misses_$1_$program ours $our_misses"
	echo "misses_$1_$program peer $(($(from_swap) - before))"
	echo "whole_$1_$program ours $our_instructions"
	echo "whole_$1_$program peer $instructions"
}

part_programs() {
	local program command input misses instructions memory our_misses our_instructions

	[ -e $LRU_GEN ] || { echo "failed: this kernel has no MGLRU" && return; }
	export LC_ALL=C PYTHONMALLOC=malloc
	set -o pipefail
	echo 0 >/proc/sys/vm/page-cluster
	echo never >/sys/kernel/mm/transparent_hugepage/enabled
	make_inputs
	for program in $PROGRAMS; do
		set_command "$program"
		load_vmdemo
		measure_ours || { echo "failed: $program" && continue; }
		our_misses=$misses our_instructions=$instructions
		use_swap
		measure_theirs mglru y
		measure_theirs classic n
	done
	rm -r $work
}
