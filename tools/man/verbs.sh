#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A manual page for each verb, made from the one of them all: vmdemoctl-VERB.8
# has the verb's lines of the synopsis, its section, and what every verb takes.
#
# usage: verbs.sh VMDEMOCTL.8 VMDEMOCTL.C DIRECTORY
#
# Which verbs there are, and what each does in a few words, is in the table in
# VMDEMOCTL.C. A verb without synopsis or section in VMDEMOCTL.8 is an error.
set -eu

[ $# = 3 ] || { sed -n '/^# usage/s/^# //p' "$0" >&2 && exit 2; }
page=$1
source=$2
out=$3

# "VERB TEXT" a line: the table's rows, which may go on in a second line.
verbs() {
	{ tr '\n' ' ' <"$source" && echo; } |
		sed 's/.*ctl_verbs\[\] = {//; s/};.*//; s/{/\n/g' |
		sed -n 's/^ *"\([a-z0-9-]*\)",[[:blank:]]*"\([^"]*\)".*/\1 \2/p'
}

# The page's lines from a section's heading to the next one, without either.
section() {
	awk -v name="$1" '
		/^\.Sh / { inside = ($0 == ".Sh " name); next }
		inside' "$page"
}

# The synopses of a verb: each begins with a line ".Nm".
synopsis() {
	section SYNOPSIS | awk -v verb="$1" '
		function show() { if (mine) printf "%s", text }
		$0 == ".Nm" { show(); text = ""; mine = 0 }
		$0 == ".Cm " verb { mine = 1 }
		{ text = text $0 "\n" }
		END { show() }'
}

# The text under the verb's headings; a second heading is one more synopsis.
description() {
	section DESCRIPTION | awk -v verb="$1" '
		/^\.Ss / { inside = ($2 == verb); next }
		inside'
}

# What all verbs take: the list of options.
common_options() {
	section DESCRIPTION | awk '
		/^\.Ss / { exit }
		/^Every verb takes these options/ { inside = 1 }
		inside'
}

# A name alone means the tool, not this page; sections are those of its page.
elsewhere() {
	sed -E 's/^\.Nm$/.Nm vmdemoctl/
		s/^\.Sx ([A-Z ]*[A-Z])( [^A-Z].*)?$/section\n.Em \1\nof\n.Xr vmdemoctl 8\2/'
}

# make_page VERB TEXT
make_page() {
	synopsis=$(synopsis "$1" | elsewhere)
	text=$(description "$1" | elsewhere)
	[ -n "$synopsis" ] || { echo "verbs.sh: '$1' has no synopsis in $page" >&2 && return 1; }
	[ -n "$text" ] || { echo "verbs.sh: '$1' has no section in $page" >&2 && return 1; }
	cat <<-END
		.\\" SPDX-License-Identifier: GPL-2.0-only
		.\\" Made from vmdemoctl.8.
		$(sed -n '/^\.Dd /p' "$page")
		.Dt VMDEMOCTL-$(echo "$1" | tr '[:lower:]' '[:upper:]') 8
		.Os
		.Sh NAME
		.Nm vmdemoctl-$1
		.Nd $2
		.Sh SYNOPSIS
		$synopsis
		.Sh DESCRIPTION
		$text
		.Ss Options of every verb
		$(common_options | elsewhere)
		.Pp
		How spaces, ranges of pages, numbers and sizes are written, what exit statuses
		mean, and examples:
		.Xr vmdemoctl 8 .
		.Sh SEE ALSO
		.Xr vmdemo 4 ,
		.Xr vmdemoctl 8
	END
}

mkdir -p "$out"
rm -f "$out"/vmdemoctl-*.8
verbs >"$out/.verbs"
[ -s "$out/.verbs" ] || { echo "verbs.sh: no table of verbs in $source" >&2 && exit 1; }
while read -r verb text; do
	make_page "$verb" "$text" >"$out/vmdemoctl-$verb.8"
done <"$out/.verbs"
rm -f "$out/.verbs"
