# SPDX-License-Identifier: GPL-2.0-only
# What each function takes, of what calls.c has counted; by the guest's symbols.
#
#	awk -v accesses=32768 -f calls.awk KALLSYMS COUNTS

# The symbol that an address belongs to: the last one not behind it.
function name_of(address,	low, high, middle) {
	if (address !~ /^ffff/)
		return "-"
	if (address in known)
		return known[address]
	low = 1
	high = symbols
	while (low < high) {
		middle = int((low + high + 1) / 2)
		if (at[middle] <= address)
			low = middle
		else
			high = middle - 1
	}
	return known[address] = name[low]
}

# Sorted by address, all of the same length.
FNR == NR {
	if (length($1) == 16 && $2 ~ /[tTwW]/) {
		at[++symbols] = $1
		name[symbols] = $3
	}
	next
}
$1 == "total" { total = $2 }
$1 == "block" { self[name_of($2)] += $3 }
$1 == "call" {
	f = name_of($3)
	calls[f] += $4
	all[f] += $5
}

END {
	printf "total: %.0f instructions an access\n", total / accesses
	print "with what it calls   itself    calls  function"
	sort = "sort -rn | head -n 150"
	for (f in all)
		printf "%18.0f %8.0f %8.3f  %s\n", all[f] / accesses,
			self[f] / accesses, calls[f] / accesses, f | sort
	close(sort)
}
