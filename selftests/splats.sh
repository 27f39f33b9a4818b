#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Find what a kernel prints when something is wrong with it.
#
# usage: splats.sh [LOG]
#
# Shows every such line of a kernel's log (default: standard input) with what
# follows it. Exit status 1 if there is one, 0 if there is none. Boot messages
# of a healthy kernel have none.
#
# Of KCSAN's reports only those count where one of the two accesses was made by
# the module, or by what it called for that: a frame of it, vmd_* or [vmdemo], is
# among the first three of a stack. The core kernel has races of its own,
# harmless ones among them, that are no business of ours, also where a file
# system that works for us is in one; KCSAN's maintainers do not report them all
# either.

pattern() {
	local p=(
		# Anything: BUG(), WARN(), oopses
		'BUG:' 'WARNING:' 'cut here' 'Oops' 'general protection'
		'Call Trace' 'kernel BUG at' 'Kernel panic' 'Unable to handle'
		'double fault' 'divide error' 'invalid opcode'
		# Memory errors; SLUB says "BUG kmalloc-64 (Not tainted): ..."
		'KASAN:' 'KFENCE:' 'UBSAN:' 'BUG [a-zA-Z0-9_:-]+ \('
		'Bad (page|rss-counter) ' 'page_owner tracks' 'pagealloc: '
		'page allocation failure' 'Objects remaining' 'ODEBUG:'
		'refcount_t' '(list|plist)_(add|del) corruption' 'usercopy: '
		'new suspected memory leaks' 'unreferenced object'
		# Races
		'KCSAN:'
		# Locks; "trying to register non-static key" switches lockdep off
		'possible (circular|recursive|irq|deadlock)'
		'inconsistent lock state' 'suspicious RCU' 'bad unlock balance'
		'held lock freed' 'lock held when returning' 'still held'
		'non-static key' 'locking correctness validator'
		'DEBUG_LOCKS_WARN' 'MAX_LOCK.* too low' 'Invalid wait context'
		# Sleeping where one must not, and hanging
		'sleeping function called from invalid'
		'scheduling while atomic' 'INFO: task .* blocked'
		'blocked for more than' 'hung_task:' 'soft lockup'
		'hard LOCKUP' 'workqueue lockup' 'detected stalls?'
		'self-detected stall'
	)
	local IFS='|'
	echo "${p[*]}"
}

# Take the heads of KCSAN's reports out if neither access is ours. A report lies
# between two lines of "="; what else got in between stays. A stack begins after
# "read to ... by task ... on cpu N:".
without_foreign_races() {
	awk '
	function flush_report(i) {
		for (i = 1; i <= n; i++)
			if (ours || line[i] !~ /KCSAN:/)
				print line[i]
		n = 0
		ours = 0
		inside = 0
		frames = 0
	}
	/=================================/ {
		if (inside)
			flush_report()
		print
		next
	}
	/BUG: KCSAN:/ && !inside {
		inside = 1
	}
	!inside {
		print
		next
	}
	{
		line[++n] = $0
		if ($0 ~ /(read|write|race).* by (task|interrupt).*:$/)
			frames = 0
		is_frame = $0 ~ /\+0x[0-9a-f]+\/0x/ && ++frames <= 3
		if (is_frame && $0 ~ /\[vmdemo\]|[^a-zA-Z0-9_]vmd_[a-z]/)
			ours = 1
		if (n >= 200)
			flush_report()
	}
	END {
		flush_report()
	}'
}

# Somebody out of memory is no splat, though the kernel shows where.
without_oom() {
	awk '/invoked oom-killer/ { n = 12 } n && n-- && /Call Trace/ { n = 0; next } { print }'
}

! cat -- "$@" | tr -d '\r' | without_oom | without_foreign_races |
	grep -a -E -A 40 "$(pattern)" | head -n 200 | grep ''
