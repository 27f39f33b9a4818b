#!/usr/bin/awk -f
# SPDX-License-Identifier: GPL-2.0-only
# A C array of the policy vectors: awk -f vectors.awk vectors.txt >vectors.h
# A line that is no vector becomes one that fails.

BEGIN {
	print "/* Made by vectors.awk: not to be edited. */"
	print "static const struct vector vectors[] = {"
}

/^$/ || /^#/ {
	next
}

{
	at = index($0, " : ")
	split(at ? substr($0, 1, at - 1) : "", part, " ")
	if (!at || part[2] !~ /^[0-9]+$/ || part[3] !~ /^[0-9]+$/ ||
	    part[4] !~ /^[0-9]+$/ || part[5] !~ /^[0-9]+$/ || part[6] != "" ||
	    /["\\]/)
		printf "\t{ .line = %d },\n", FNR
	else
		printf "\t{ %d, \"%s\", %s, %s, %s, %s,\n\t  \"%s\" },\n", FNR,
			part[1], part[2], part[3], part[4], part[5],
			substr($0, at + 3)
}

END {
	print "};"
}
