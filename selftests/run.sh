#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vmdemoctl run on the device: programs with their heap in a space do what they
# do without it. Runs in the guest, the module loaded. The last line is "N
# passed, N failed, N skipped".
#
# usage: run.sh VMDEMOCTL [TEST...]
#
# The programs are run_prog and run_cxx, beside this script, and what Debian has.
# With VMD_SHORT there is little of it.

if [ $# -lt 1 ]; then
	sed -n '3,/^$/s/^# \{0,1\}//p' "$0" >&2
	exit 2
fi

tool=$(readlink -f "$1")
shift
DIR=$(cd "$(dirname "$0")" && pwd)
ALL=(refusals status prog fork exhaust cxx shell live sort python sqlite redis)
SHORT=(refusals status fork)
passed=0
failed=0
skipped=0
tmp=$(mktemp -d "${TMPDIR:-/tmp}/vmdemo-run.XXXXXX")
chmod 755 "$tmp"
trap 'rm -rf "$tmp"' EXIT
: >"$tmp/err"

report() {	# 0|1 TEXT
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
		echo "ok $((passed + failed)) - $2"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $((passed + failed)) - $2"
	tail -n 20 "$tmp/err" | sed 's/^/#   /'
}

# A counter of the last report.
counter() {	# NAME
	sed -n "s/^ *\"$1\": *\([0-9]*\),*\$/\1/p" "$tmp/report" | tail -n 1
}

# The same output and exit status, and the budget was too small for all of it.
same() {	# TEXT [OPTION...] -- PROGRAM...
	local text=$1 options=() native status
	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	"$@" >"$tmp/native" 2>"$tmp/err" <"${stdin:-/dev/null}"
	native=$?
	rm -f "$tmp/report"
	"$tool" run --quiet --report "$tmp/report" "${options[@]}" -- "$@" \
		>"$tmp/out" 2>"$tmp/err" <"${stdin:-/dev/null}"
	status=$?
	[ $status = $native ] && cmp -s "$tmp/native" "$tmp/out" &&
		[ "$(counter evictions)" -gt "${least:-0}" ]
	report $? "$text (exit status $native and $status, $(counter misses) misses, $(counter evictions) evictions)"
}

# It fails before the program is run, with this status, and says this.
refused() {	# STATUS PATTERN ARGUMENTS...
	local want=$1 pattern=$2 status
	shift 2
	"$tool" run "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	[ $status = "$want" ] && grep -q -e "$pattern" "$tmp/err" && [ ! -s "$tmp/out" ]
	report $? "refused ($want, not $status): $*"
}

# shellcheck disable=SC2317 # all tests are called by their names
test_refusals() {
	refused 126 'statically linked' "$DIR/run_static"
	cp "$DIR/run_prog" "$tmp/suid"
	chown daemon "$tmp/suid" && chmod 4755 "$tmp/suid"
	refused 126 'set-user-id' "$tmp/suid" mmap 1
	refused 125 'at least 1 frame' --budget 0 true
	refused 125 'needs 1M at least' --size 64K true
	refused 125 'is the module loaded' --device /dev/none true
	VMDEMO_RUN=1:1:1:1:0:fault:lru LD_PRELOAD=$DIR/libvmdemo-preload.so \
		"$DIR/run_prog" exhaust 1 >"$tmp/out" 2>"$tmp/err" &&
		grep -q 'apt-get install libmimalloc2.0' "$tmp/err"
	report $? 'without mimalloc the package is named'
}

# What perl sees of a child: "exit status:signal".
wait_status() {
	perl -e 'system { $ARGV[0] } @ARGV; printf "%d:%d\n", $? >> 8, $? & 127' \
		"$tool" run --quiet "$@" 2>"$tmp/err"
}

# shellcheck disable=SC2317,SC2016
test_status() {
	local child
	[ "$(wait_status -- sh -c 'exit 7')" = 7:0 ] &&
		[ "$(wait_status -- sh -c 'kill -s SEGV $$')" = 0:11 ]
	report $? 'exit status and signal are passed on'
	"$tool" run -q -- sh -c 'trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done' \
		>"$tmp/out" 2>"$tmp/err" &
	child=$!
	for _ in {1..600}; do
		grep -q ready "$tmp/out" && break
		sleep 0.1
	done
	kill -s TERM $child
	wait $child
	[ $? = 9 ]
	report $? 'SIGTERM is handed on'
	[ "$("$tool" run -q --json -- true 2>&1 | grep -c '"exit_status": *0')" = 1 ]
	report $? '--json: the summary'
}

# shellcheck disable=SC2317
test_prog() {
	same '16 threads' -b 1M -- "$DIR/run_prog" threads "$steps"
	least=-1 same 'mmap and its kin' -b 1M -- "$DIR/run_prog" mmap 4
	same 'mmap with observer trap' -b 1M -o trap -p lru -- "$DIR/run_prog" mmap 2
}

# shellcheck disable=SC2317
test_fork() {
	same 'children, their children, all write' -b 256K -- "$DIR/run_prog" fork 512
	same 'a child whose parent is gone' -b 256K -- "$DIR/run_prog" orphan 512
	same 'forks beside threads that write' -b 512K -- "$DIR/run_prog" threads-fork \
		"$forks"
}

# shellcheck disable=SC2317
test_exhaust() {
	"$tool" run -q -b 1M -s 24M -- "$DIR/run_prog" exhaust 64 >"$tmp/out" 2>"$tmp/err" &&
		grep -qx ENOMEM "$tmp/out"
	report $? 'a full space: malloc() fails with ENOMEM, what there was is good'
	same 'a space that suffices' -b 1M -s 128M -- "$DIR/run_prog" exhaust 16
}

# shellcheck disable=SC2317
test_cxx() {
	same 'C++: new, containers, bad_alloc' -b 1M -- "$DIR/run_cxx" 12000
}

# shellcheck disable=SC2317,SC2016
test_shell() {
	least=-1 same 'a shell, its pipes and their programs' -b 256K -- bash -c \
		'for i in {1..20}; do echo $i; done | sort -n | { read a; (a=x; echo $a); cat; echo $a; }'
	least=-1 same 'a program that becomes another' -b 256K -- env A=1 nice printenv A
}

# shellcheck disable=SC2317
test_live() {
	"$tool" run -i 0.2 -- sleep 1 >"$tmp/out" 2>"$tmp/err"
	[ "$(grep -c 'MiB resident, misses' "$tmp/err")" -ge 2 ]
	report $? '--interval: lines while it runs'
	"$tool" run -q -i 0.2 -- sleep 1 >"$tmp/out" 2>"$tmp/err"
	[ "$(grep -c 'MiB resident, misses' "$tmp/err")" = 0 ] && grep -q 'exit status 0' "$tmp/err"
	report $? '--quiet: the summary alone'
}

# shellcheck disable=SC2317
test_sort() {
	seq 1 30000 | awk '{ print ($1 * 7919) % 30011, $1 }' >"$tmp/lines"
	LC_ALL=C stdin=$tmp/lines same sort -b 1M -- sort -n --parallel=1 -S 16M
}

# shellcheck disable=SC2317
test_python() {
	cat >"$tmp/p.py" <<'END'
d, seed, n = {}, 1, 15000
for i in range(n):
    seed = (seed * 1103515245 + 12345) % 2147483648
    d.setdefault("key %d" % (seed % 9973), []).append(i)
l = [[i, str(i)] for i in range(n)]
l.sort(key=lambda e: e[1])
print(len(d), sum(len(k) * v[-1] for k, v in d.items()), l[n // 2], l[-1])
END
	same 'python3: a large dict, lists' -b 4M -- python3 -S "$tmp/p.py"
	PYTHONMALLOC=malloc same 'python3, every object by malloc' -b 4M -- python3 -S "$tmp/p.py"
}

# shellcheck disable=SC2317
test_sqlite() {
	cat >"$tmp/q.sql" <<'END'
create table t(id integer primary key, a integer, b text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 12000)
insert into t select i, (i * 7919) % 10007, 'row ' || i || hex(zeroblob(20)) from n;
create index ta on t(a);
delete from t where id % 5 = 0;
update t set b = b || a where a < 3000;
select count(*), sum(a), sum(length(b)) from t;
select id, b from t order by a desc, id limit 5;
pragma integrity_check;
END
	stdin=$tmp/q.sql same 'sqlite3 in memory' -b 1M -- sqlite3 :memory:
}

# Answers to the same commands; a copy that a forked child wrote, loaded again.
# shellcheck disable=SC2317
redis_session() {	# DIRECTORY COMMAND-BEFORE-THE-SERVER...
	local dir=$1 pid
	shift
	mkdir -p "$dir"
	"$@" redis-server --port 0 --unixsocket "$dir/s" --dir "$dir" --save '' \
		--enable-debug-command yes --daemonize no >"$dir/log" 2>"$dir/err" &
	pid=$!
	for _ in {1..600}; do
		redis-cli -s "$dir/s" ping >/dev/null 2>&1 && break
		sleep 0.1
	done
	seq 1 4000 | awk '{ print "set key" $1 " value" $1 * 3; print "rpush list" $1 % 50, $1;
		print "hset hash" $1 % 20, "f" $1, $1 }' | redis-cli -s "$dir/s" >"$dir/said"
	redis-cli -s "$dir/s" bgsave >/dev/null
	redis-benchmark -s "$dir/s" -q -n 1000 -c 10 -r 100 -t set,incr,lpush,lrange_100 \
		>"$dir/bench" 2>&1 || echo "the benchmark failed" >>"$dir/said"
	redis-cli -s "$dir/s" del key:__rand_int__ mylist >/dev/null
	redis-cli -s "$dir/s" --scan --pattern '*:*' | xargs redis-cli -s "$dir/s" del >/dev/null
	for _ in {1..600}; do
		redis-cli -s "$dir/s" info persistence | grep -q 'bgsave_in_progress:0' && break
		sleep 0.1
	done
	redis-cli -s "$dir/s" info persistence | grep last_bgsave_status >>"$dir/said"
	redis-cli -s "$dir/s" debug digest >>"$dir/said"
	redis-cli -s "$dir/s" flushall >/dev/null
	redis-cli -s "$dir/s" debug reload nosave >>"$dir/said" 2>&1
	redis-cli -s "$dir/s" shutdown nosave >/dev/null 2>&1
	wait $pid
	echo "exit status $?" >>"$dir/said"
}

# shellcheck disable=SC2317
test_redis() {
	if ! command -v redis-server >/dev/null; then
		skipped=$((skipped + 1))
		echo "# SKIP redis: there is none"
		return
	fi
	redis_session "$tmp/r1"
	redis_session "$tmp/r2" "$tool" run -q -b 1M --report "$tmp/report" --
	cp "$tmp/r2/err" "$tmp/err"
	diff "$tmp/r1/said" "$tmp/r2/said" >>"$tmp/err" 2>&1 &&
		grep -q 'last_bgsave_status:ok' "$tmp/r2/said" && [ "$(counter evictions)" -gt 0 ]
	report $? "redis-server under redis-benchmark, bgsave ($(counter misses) misses, $(counter evictions) evictions)"
}

steps=150 forks=6
[ -z "${VMD_SHORT:-}" ] || { steps=50 && forks=2 && ALL=("${SHORT[@]}"); }
[ $# -gt 0 ] || set -- "${ALL[@]}"
for t; do
	start=$SECONDS
	"test_$t"
	echo "# run.sh: $t took $((SECONDS - start)) s"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
