# SPDX-License-Identifier: GPL-2.0-only
# From what locks_guest.sh printed, a table or JSON: for each load and number of
# threads, contended acquisitions for each 1000 faults, by who wanted the lock,
# and faults per second. Of several rounds the median counts.
#
#	awk -v form=json|table -v kernel=6.1 -v most=20 -f locks.awk raw.txt
#
# With "most": fails where 1000 faults at the most threads contend more often; not
# for the kernel's own, whose loads have a "-" in their name.

# The first that is neither tracing nor a lock's own function.
function caller(stack,   f, n, i) {
	n = split(substr(stack, 2), f, "<")
	for (i = 1; i <= n; i++)
		if (f[i] !~ /^(__)?(_raw_|queued_|native_queued_|raw_spin_rq_|_raw_spin_rq_|mutex_|ww_mutex_|rwsem_|down_|percpu_|kprobe_|ftrace_|trace_|event_|rt_)/ &&
		    f[i] !~ /^__(mutex|down|percpu)_/)
			return f[i]
	return n ? f[n] : stack
}

# For whom: the module itself, the core that it called, the core's own handling of
# faults and mappings, or what has nothing to do with it (ticks, the scheduler).
function kind_of(stack, by) {
	if (by ~ /\[vmdemo\]/)
		return "module"
	if (stack ~ /asm_sysvec|handle_softirqs|__do_softirq|do_idle/ &&
	    match(stack, /asm_sysvec|handle_softirqs|__do_softirq|do_idle/) < index(stack "<[vmdemo]", "[vmdemo]"))
		return "other"
	if (stack ~ /\[vmdemo\]/)
		return "called"
	if (stack ~ /exc_page_fault|do_madvise/)
		return "fault"
	return "other"
}

function quoted(s) {
	gsub(/["\\]/, "\\\\&", s)
	return "\"" s "\""
}

function median(list,   v, n, i, j, t) {
	n = split(list, v, " ")
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && v[j] + 0 < v[j - 1] + 0; j--) {
			t = v[j]
			v[j] = v[j - 1]
			v[j - 1] = t
		}
	return v[int((n + 1) / 2)] + 0
}

function end_run(   c, i) {
	if (key == "")
		return
	for (i = 1; i <= 5; i++) {
		c = classes[i]
		figures[key, c] = figures[key, c] " " (faults ? count[c] * 1000 / faults : 0)
		count[c] = 0
	}
}

BEGIN {
	split("module called fault other all", classes, " ")
}
$1 == "release" { release = $2; next }
$1 == "cpus" { cpus = $2; next }
$1 == "failed:" { bad = 1; print > "/dev/stderr"; next }
$1 == "run" {
	end_run()
	key = $2 " " $3
	if (!(key in runs))
		order[++keys] = key
	runs[key]++
	faults = $5 + $6
	all_faults[key] += faults
	rate[key] = rate[key] " " ($4 ? faults * 1000000 / $4 : 0)
	stalls[key] = stalls[key] " " (faults ? $7 * 1000 / faults : 0)
	if ($3 + 0 > top)
		top = $3 + 0
	next
}
$1 == "mmap" {
	mmap[key] = mmap[key] " " (faults ? $2 * 1000 / faults : 0)
	next
}
$1 == "ipis" {
	ipis[key] = ipis[key] " " (faults ? $2 * 1000 / faults : 0)
	next
}
$2 == "spin" || $2 == "sleep" {
	by = caller($3)
	c = kind_of($3, by)
	count[c] += $1
	count["all"] += $1
	who[key, $2 " " by " " c] += $1
	next
}

function biggest(key,   k, part, best) {
	best = ""
	for (k in who) {
		split(k, part, SUBSEP)
		if (part[1] == key && (best == "" || who[k] > who[best]))
			best = k
	}
	return best
}

function print_rows(key, style,   n, k, part, text) {
	for (n = 0; n < 6 && (k = biggest(key)) != ""; n++) {
		split(k, part, SUBSEP)
		split(part[2], text, " ")
		if (style == "json")
			printf "%s\n        { \"lock\": %s, \"by\": %s, \"for\": %s, \"per_1000_faults\": %.2f }",
				(n ? "," : ""), quoted(text[1]), quoted(text[2]), quoted(text[3]),
				who[k] * 1000 / (all_faults[key] + !all_faults[key])
		else
			printf "    %8.2f %-6s%s (%s)\n",
				who[k] * 1000 / (all_faults[key] + !all_faults[key]),
				text[1], text[2], text[3]
		delete who[k]
	}
}

function print_json(   i, j, part) {
	printf "{\n  \"kernel\": %s,\n  \"release\": %s,\n  \"cpus\": %d,\n  \"rows\": [\n",
		quoted(kernel), quoted(release), cpus
	for (i = 1; i <= keys; i++) {
		split(order[i], part, " ")
		printf "    { \"load\": %s, \"threads\": %d, \"faults_per_second\": %.0f, \"stalls_per_1000\": %.1f, \"mmap_lock_per_1000\": %.1f, \"ipis_per_1000\": %.0f,\n      \"contended_per_1000\": {",
			quoted(part[1]), part[2], median(rate[order[i]]),
			median(stalls[order[i]]), median(mmap[order[i]]),
			median(ipis[order[i]])
		for (j = 1; j <= 5; j++)
			printf "%s %s: %.2f", (j > 1 ? "," : ""), quoted(classes[j]),
				median(figures[order[i], classes[j]])
		printf " },\n      \"locks\": ["
		print_rows(order[i], "json")
		printf " ] }%s\n", (i < keys ? "," : "")
	}
	print "  ]\n}"
}

function print_table(   i, j, part) {
	printf "Linux %s, %d CPUs: contended acquisitions for each 1000 faults\n", release, cpus
	printf "%-10s %7s %9s %8s %8s %8s %8s %8s %8s %8s %8s\n", "load", "threads",
		"faults/s", "stalls", "mm lock", "ipis", "module", "called", "fault", "other", "all"
	for (i = 1; i <= keys; i++) {
		split(order[i], part, " ")
		printf "%-10s %7d %9.0f %8.1f %8.1f %8.0f", part[1], part[2],
			median(rate[order[i]]), median(stalls[order[i]]),
			median(mmap[order[i]]), median(ipis[order[i]])
		for (j = 1; j <= 5; j++)
			printf " %8.2f", median(figures[order[i], classes[j]])
		print ""
	}
	for (i = 1; i <= keys; i++) {
		split(order[i], part, " ")
		if (part[2] == top) {
			printf "who wanted the locks, %s, %d threads:\n", part[1], top
			print_rows(order[i], "table")
		}
	}
}

END {
	end_run()
	if (!keys) {
		print "locks.awk: no run in the output" > "/dev/stderr"
		exit 1
	}
	for (i = 1; i <= keys; i++) {
		split(order[i], part, " ")
		if (!all_faults[order[i]]) {
			print "locks.awk: " order[i] " threads: no faults at all" > "/dev/stderr"
			bad = 1
		}
		if (most != "" && part[2] == top && part[1] !~ /-/ && median(figures[order[i], "all"]) >= most) {
			printf "locks.awk: %s threads: %.1f contended acquisitions for each 1000 faults: must be below %s\n",
				order[i], median(figures[order[i], "all"]), most > "/dev/stderr"
			bad = 1
		}
	}
	if (form == "json")
		print_json()
	else
		print_table()
	exit bad
}
