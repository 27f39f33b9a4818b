# SPDX-License-Identifier: GPL-2.0-only
# From rows.txt and what guest.sh printed, the figures of a run as JSON, a row a
# line (compare.sh counts on that), or as a table.
#
#	awk -v kernel=6.1 -v form=json|table -f report.awk rows.txt raw.txt

function quoted(s) {
	gsub(/["\\]/, "\\\\&", s)
	return "\"" s "\""
}

# "policy_lru" is a row by "policy_*".
function add_row(name, of) {
	row[++rows] = name
	must[name] = must_of[of]
	aim[name] = aim_of[of]
	peer[name] = peer_of[of]
	what[name] = what_of[of] substr(name, length(of) + (of in starred ? 1 : 9999))
}

function find_row(name,   i) {
	for (i = 1; i <= names; i++)
		if (name == order[i] ||
		    ((order[i] in starred) && index(name, order[i]) == 1))
			return order[i]
	return ""
}

function verdict(name,   ratio) {
	ratio = value[name, "ours"] / value[name, "peer"]
	if (must[name] == "-")
		return "-"
	return ratio <= aim[name] ? "aim" : ratio <= must[name] ? "must" : "missed"
}

function print_json(   i, n, name) {
	printf "{\n  \"kernel\": %s,\n  \"release\": %s,\n  \"rows\": [\n",
		quoted(kernel), quoted(value["release", "-"])
	for (i = 1; i <= rows; i++) {
		name = row[i]
		printf "    { \"name\": %s, \"what\": %s, \"ours\": %d, \"peer\": %d, " \
			"\"peer_name\": %s, \"ratio\": %.3f, \"must\": %s, \"aim\": %s, " \
			"\"verdict\": %s }%s\n",
			quoted(name), quoted(what[name]), value[name, "ours"],
			value[name, "peer"], quoted(peer[name]),
			value[name, "ours"] / value[name, "peer"],
			must[name] == "-" ? "null" : must[name],
			aim[name] == "-" ? "null" : aim[name],
			quoted(verdict(name)), i < rows ? "," : ""
	}
	printf "  ]"
	for (i = 1; i <= others; i++)
		printf ",\n  %s: %d", quoted(other[i]), value[other[i], "-"]
	print "\n}"
}

function print_table(   i, name) {
	printf "Linux %s (%s), instructions per access, where the row says no other; the aims are ratios\n\n",
		kernel, value["release", "-"]
	printf "%-30s %8s %8s %-6s %5s %5s %5s  %s\n", "", "ours", "peer", "",
		"ratio", "must", "aim", "verdict"
	for (i = 1; i <= rows; i++) {
		name = row[i]
		printf "%-30s %8d %8d %-6s %5.2f %5s %5s  %s\n", what[name],
			value[name, "ours"], value[name, "peer"], peer[name],
			value[name, "ours"] / value[name, "peer"], must[name],
			aim[name], verdict(name)
	}
	print ""
	for (i = 1; i <= others; i++)
		printf "%-30s %8d\n", other[i], value[other[i], "-"]
}

BEGIN { FS = "[ \t]+" }

/^#/ || !NF { next }

FILENAME ~ /rows\.txt$/ {
	name = $1
	if (sub(/\*$/, "", name))
		starred[name] = 1
	order[++names] = name
	must_of[name] = $2
	aim_of[name] = $3
	peer_of[name] = $4
	sub(/^[^ \t]+[ \t]+[^ ]+ [^ ]+ [^ \t]+[ \t]+/, "")
	what_of[name] = $0 (name in starred ? " " : "")
	next
}

$2 == "ours" || $2 == "peer" || $2 == "-" {
	value[$1, $2] = $3
	if ($2 == "-" && $1 != "release")
		other[++others] = $1
	if ($2 == "ours" || $2 == "peer")
		if (!(($1, "seen") in value) && (($1, "ours") in value) &&
		    value[$1, "peer"] > 0 && find_row($1) != "") {
			value[$1, "seen"] = 1
			add_row($1, find_row($1))
		}
}

END {
	if (form == "json")
		print_json()
	else
		print_table()
}
