# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
# Observer "accessed" against the simulator: part of cli.sh, which has the
# functions that report, and of future.sh. SC2154: tool, tmp, status are there.
#
# Why these two are exact there, with one thread and a budget that evicts one page
# at a time (below 256 frames): they have one bit a page, set by any number of
# references and by the one that brought the page; so that is all a hardware's
# accessed bit has to tell, and they do not look at it before the page's turn has
# come, which is when it is read, by unmapping the page. Policies that go by how
# often or in which order pages were used cannot be.

accessed_counts() {	# POLICY FRAMES: misses, evictions and dirty ones
	run play --quiet --json --observer accessed --policy "$1" --frames "$2" \
		--trace "$tmp/string"
	[ "$status" -eq 0 ] && echo "$(value_of misses "$tmp/out") $(
		value_of evictions "$tmp/out") $(value_of evictions_dirty "$tmp/out")"
}

test_accessed_device() {
	local policy frames want got
	future_string string 3000 90
	for policy in clock-a sieve-a; do
		for frames in 1 5 20 60 89; do
			run simulate --csv --policy $policy --frames $frames "$tmp/string"
			want=$(awk -F, 'NR == 2 { print $5, $7, $8 }' "$tmp/out")
			got=$(accessed_counts $policy $frames)
			[ -n "$want" ] && [ "$got" = "$want" ]
			report $? "$policy, observer accessed, $frames frames: $got (simulated: $want)"
		done
	done
}
