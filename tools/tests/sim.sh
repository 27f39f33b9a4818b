#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Test what vmdemoctl makes of reference strings: simulate, compare, mrc, convert.
# Usage: sim.sh [VMDEMOCTL]. Needs no device.
# shellcheck disable=SC2016 # what is in single quotes is for awk
set -u

tool=${1:-$(dirname "$0")/../vmdemoctl}

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

textbook='7 0 1 2 0 3 0 4 2 3 0 3 2 1 2 0 1 7 0 1'
belady='1 2 3 4 1 2 5 1 2 3 4 5'
formats='text csv lackey oracle vmd'

# A random string in $tmp/NAME: a page a line, one in four written, and some
# pages used far more often than others.
random_string() {	# NAME SEED REFERENCES PAGES
	awk -v seed="$2" -v nr="$3" -v pages="$4" 'BEGIN {
		srand(seed)
		for (i = 0; i < nr; i++) {
			r = rand()
			print int(r * r * pages) (rand() < 0.25 ? "w" : "")
		}
	}' > "$tmp/$1"
}

# The fields COLUMNS (awk: $1 "," $2) of what is CSV in $tmp/out.
column() {	# EXPRESSION
	awk -F, "NR > 1 { print $1 }" "$tmp/out"
}

# Misses, evictions and pages written are these.
counts() {	# POLICY FRAMES "MISSES EVICTIONS WRITTEN" REFERENCE...
	local policy=$1 frames=$2 want=$3
	shift 3
	echo "$@" > "$tmp/refs"
	run simulate --csv -p "$policy" -f "$frames" "$tmp/refs"
	[ "$status" -eq 0 ] && [ "$(column '$5 " " $7 " " $8')" = "$want" ]
	report $? "$policy, $frames frames: $want"
}

test_textbook() {
	# shellcheck disable=SC2086 # a reference a word
	{
		counts fifo 3 '15 12 0' $textbook
		counts lru 3 '12 9 0' $textbook
		counts opt 3 '9 6 0' $textbook
		counts fifo 3 '9 6 0' $belady
		counts fifo 4 '10 6 0' $belady
		counts lru 3 '10 7 0' $belady
		counts lru 4 '8 4 0' $belady
		counts opt 3 '7 4 0' $belady
		counts opt 4 '6 2 0' $belady
	}
	counts lru 1 '3 2 1' 1w 1 2 3 w 3r
	counts fifo 2 '4 2 1' 0x1 2w 1 3 4
	# 1 and 2 are of no more use: the clean one goes, and nothing is written.
	counts opt 2 '4 2 0' 1w 2 3 4
	counts opt 1 '2 1 1' 1w 2
	counts opt 1000000 '3 0 0' 1 2 3 1
	prints '^fifo,3,20,5,15,0.75000000,12,0,' simulate -c -p fifo -f 3 <(echo "$textbook")
}

# Sets of frames as the definition has them, with LRU in each: misses, then the
# compulsory, capacity and conflict ones.
plain_sets() {	# FRAMES WAYS
	awk -v frames="$1" -v ways="$2" '{
		page = $1 + 0
		set = page % (frames / ways)
		split("", seen)
		others = 0
		for (i = NR - 1; i && ref[i] != page; i--)
			if (!(ref[i] in seen)) {
				seen[ref[i]] = 1
				others++
			}
		ref[NR] = page
		if (!(page in used)) {
			misses++
			if (!i)
				compulsory++
			else if (others >= frames)
				capacity++
			else
				conflict++
			if (count[set] == ways) {
				oldest = -1
				for (p in used)
					if (p % (frames / ways) == set && (oldest < 0 || used[p] < used[oldest]))
						oldest = p
				delete used[oldest]
			} else
				count[set]++
		}
		used[page] = NR
	}
	END { print misses, compulsory + 0, capacity + 0, conflict + 0 }' "$tmp/string"
}

test_placement() {
	local frames ways want kind

	random_string string 5 3000 60
	for ways in 1 2 4; do
		for frames in 4 8 16 28; do
			want=$(plain_sets $frames $ways)
			run simulate -c -p lru -f $frames --placement set:$ways "$tmp/string"
			[ "$status" -eq 0 ] && [ "$(column '$5 " " $11 " " $12 " " $13')" = "$want" ]
			report $? "lru, $frames frames, $ways ways: $want"
		done
	done
	# One set of all frames is what full is; opt in it is the optimum.
	for kind in lru fifo clock opt; do
		run simulate -c -p $kind -f 16 "$tmp/string"
		want=$(column '$5 " " $7 " " $8')
		run simulate -c -p $kind -f 16 --placement set:16 "$tmp/string"
		[ "$status" -eq 0 ] && [ "$(column '$5 " " $7')" = "${want% *}" ]
		report $? "$kind in one set: $want"
	done
	# opt in sets is the optimum of each set's own references.
	cp "$tmp/string" "$tmp/all"
	want=0
	for kind in 0 1 2 3; do
		awk -v set=$kind '($1 + 0) % 4 == set' "$tmp/all" > "$tmp/string"
		want=$((want + $(plain_min 4)))
	done
	cp "$tmp/all" "$tmp/string"
	run simulate -c -p opt -f 16 --placement set:4 "$tmp/string"
	[ "$status" -eq 0 ] && [ "$(column '$5')" = $want ]
	report $? "opt in sets: $want misses"
	# Budgets that nobody has named are made multiples.
	run simulate -c -p lru -f 1-9,50% --placement set:4 "$tmp/string"
	[ "$(column '$2' | tr '\n' ' ')" = '4 8 28 ' ]
	report $? 'ranges and percentages are whole sets'
	prints '^placement direct' simulate -p lru -f 8 --placement direct "$tmp/string"
	prints '"misses_conflict":' simulate -j -p lru -f 8 --placement set:2 "$tmp/string"
	prints '"placement": *"full"' simulate -j -p lru -f 8 "$tmp/string"
	prints 'conflict' compare -p lru -f 8 --placement set:2 "$tmp/string"
	prints '^lru,6,' mrc -T curves -p lru --placement set:2 -f 4-8 "$tmp/string"
	refused 2 "frames '6': not a multiple of 4, the frames of a set: 4 or 8 is" \
		simulate -p lru -f 6 --placement set:4 "$tmp/string"
	refused 2 "frames '2': fewer than the 4" simulate -f 2 --placement set:4 "$tmp/string"
	for kind in set: set:0 set:x Direct 4 ''; do
		refused 2 "placement '$kind': want full, direct or set:N" \
			simulate -f 4 --placement "$kind" "$tmp/string"
		refused 2 "placement '$kind': want full, direct or set:N" play --placement "$kind" 1
		refused 2 "placement '$kind': want full, direct or set:N" set 1 "placement=$kind"
	done
}

# Every set of pages that may be resident, and the fewest misses to get there:
# what the optimum is by definition, with no rule about whom to evict.
fewest_misses() {	# FRAMES
	awk -v frames="$1" 'function has(mask, page) { return int(mask / 2 ^ page) % 2 }
	function size(mask, n) { for (n = 0; mask; mask = int(mask / 2)) n += mask % 2; return n }
	function reach(mask, cost) { if (!(mask in next_) || cost < next_[mask]) next_[mask] = cost }
	BEGIN { best[0] = 0 }
	{
		page = $1 + 0
		split("", next_)
		for (mask in best) {
			with = mask + 2 ^ page
			if (has(mask, page))
				reach(mask + 0, best[mask])
			else if (size(mask) < frames)
				reach(with, best[mask] + 1)
			else
				for (p = 0; p < 8; p++)
					if (has(mask, p))
						reach(with - 2 ^ p, best[mask] + 1)
		}
		split("", best)
		for (mask in next_)
			best[mask] = next_[mask]
	}
	END {
		for (mask in best)
			if (fewest == "" || best[mask] < fewest)
				fewest = best[mask]
		print fewest
	}' "$tmp/string"
}

# The rule, without a heap: look ahead for each resident page.
plain_min() {	# FRAMES
	awk -v frames="$1" '{ page[NR] = $1 + 0 }
	END {
		for (i = NR; i; i--) {
			after[i] = page[i] in seen ? seen[page[i]] : NR + 1
			seen[page[i]] = i
		}
		for (i = 1; i <= NR; i++) {
			if (!(page[i] in use)) {
				misses++
				if (n == frames) {
					worst = -1
					for (p in use)
						if (worst == -1 || use[p] > use[worst])
							worst = p
					delete use[worst]
				} else {
					n++
				}
			}
			use[page[i]] = after[i]
		}
		print misses
	}' "$tmp/string"
}

test_opt() {
	local seed frames bad=0
	for seed in $(seq 1 40); do
		random_string string "$seed" 40 8
		for frames in 1 2 3 5; do
			run simulate -c -p opt -f "$frames" "$tmp/string"
			[ "$(column '$5')" = "$(fewest_misses "$frames")" ] || bad=$((bad + 1))
		done
	done
	[ "$bad" -eq 0 ]
	report $? "opt has the fewest misses that are possible, on 40 strings ($bad have not)"
	random_string string 77 5000 300
	for frames in 1 2 7 50 150 299 300 400; do
		run simulate -c -p opt -f "$frames" "$tmp/string"
		[ "$(column '$5')" = "$(plain_min "$frames")" ]
		report $? "opt with $frames frames is what a search for the victim finds"
	done
}

test_opt_is_best() {
	local seed
	for seed in 5 6; do
		random_string string "$seed" 20000 500
		run compare -c -f '1-30,50-500:50' "$tmp/string"
		[ "$status" -eq 0 ] && awk -F, '
			NR == 1 { next }
			$2 == "opt" { opt[$1] = $3 }
			{ frames[NR] = $1; misses[NR] = $3; regret[NR] = $5; n = NR }
			END {
				for (i = 2; i <= n; i++) {
					bad += misses[i] < opt[frames[i]]
					want = 100 * (misses[i] / opt[frames[i]] - 1)
					bad += regret[i] - want > 0.001 || want - regret[i] > 0.001
				}
				exit n < 300 || bad
			}' "$tmp/out"
		report $? "no policy misses less often than opt, and the regret is right (seed $seed)"
	done
}

test_lru_by_stack() {
	local seed pages
	for seed in 11 12 13; do
		pages=$((seed * seed - 100))
		random_string string "$seed" 30000 "$pages"
		run simulate -c -p lru -f "all,$((pages + 10))" "$tmp/string"
		column '$2 "," $5' > "$tmp/want"
		run mrc -c -p lru -f "all,$((pages + 10))" "$tmp/string"
		column '$2 "," $3' > "$tmp/got"
		[ -s "$tmp/got" ] && cmp -s "$tmp/want" "$tmp/got"
		report $? "lru in one pass is lru simulated, at each of $(wc -l < "$tmp/got") sizes"
	done
}

# The working set and reuse distances, from their definitions.
test_mrc_tables() {
	random_string string 21 400 30
	awk '{ page[NR] = $1 + 0 } END {
		for (i = 1; i <= NR; i++) {
			split("", in_)
			n = 0
			for (k = i > 25 ? i - 24 : 1; k <= i; k++)
				if (!(page[k] in in_)) { in_[page[k]]; n++ }
			print i "," n
		}
	}' "$tmp/string" > "$tmp/want"
	run mrc -p lru -w 25 -s 400 -T ws "$tmp/string"
	column '$0' > "$tmp/got"
	cmp -s "$tmp/want" "$tmp/got"
	report $? 'the working set over time is what counting finds'
	awk '{ page[NR] = $1 + 0 } END {
		for (i = 1; i <= NR; i++) {
			split("", in_)
			n = 0
			for (k = i - 1; k && page[k] != page[i]; k--)
				if (!(page[k] in in_)) { in_[page[k]]; n++ }
			if (!k) { first++; continue }
			for (b = 0; n >= 1; n /= 2) b++
			count[b]++
			if (b > last) last = b
		}
		for (b = 0; b <= last; b++)
			print (b ? 2 ^ (b - 1) : 0) "," (b ? 2 ^ b - 1 : 0) "," count[b] + 0
		print ",," first
	}' "$tmp/string" > "$tmp/want"
	run mrc -p lru -T reuse "$tmp/string"
	column '$0' > "$tmp/got"
	cmp -s "$tmp/want" "$tmp/got"
	report $? 'reuse distances are what counting finds'
}

test_mrc() {
	echo "$belady" > "$tmp/belady"
	prints 'anomaly: fifo misses 9 times with 3 frames, but 10 with 4$' mrc "$tmp/belady"
	prints '^ *4  0.8333  0.6667' mrc -p fifo,lru -f 3,4 "$tmp/belady"
	run mrc -p lru,opt "$tmp/belady"
	! grep -q anomaly "$tmp/out"
	report $? 'stack algorithms have no anomaly'
	run mrc --csv -p fifo "$tmp/belady"
	grep -q anomaly "$tmp/err" && ! grep -q anomaly "$tmp/out"
	report $? 'with CSV the warning is on standard error'
	json mrc --json "$tmp/belady"
	grep -q '"more_misses": *10' "$tmp/out"
	report $? 'the anomaly is in JSON'
	refused 2 'ends with .svg or .png' mrc -o "$tmp/x.jpg" "$tmp/belady"
	refused 2 'window .0.: out of bounds' mrc -w 0 "$tmp/belady"
	refused 2 "unknown table 'x': one of curves" mrc -T x "$tmp/belady"
}

test_pictures() {
	local it="$tmp/it's a picture"
	PATH=$tmp run mrc -o "$it.svg" "$tmp/belady"
	[ "$status" -eq 1 ] && grep -q 'gnuplot is not installed' "$tmp/err"
	report $? 'no picture without gnuplot'
	if ! command -v gnuplot > /dev/null; then
		echo '# SKIP pictures: no gnuplot'
		return
	fi
	run mrc -o "$it.svg" "$tmp/belady"
	[ "$status" -eq 0 ] && [ ! -s "$tmp/err" ] && grep -q 'Miss-ratio curves' "$it.svg" &&
		grep -q '>clock-a<' "$it.svg" && grep -q 'misses per reference' "$it.svg"
	report $? 'a picture in SVG, labelled'
	run mrc -o "$it.png" "$tmp/belady"
	[ "$status" -eq 0 ] && [ ! -s "$tmp/err" ] &&
		[ "$(head -c 4 "$it.png" | tail -c 3)" = PNG ]
	report $? 'a picture in PNG'
	run mrc -o "$tmp/none/x.png" "$tmp/belady"
	[ "$status" -eq 1 ] && grep -q 'gnuplot failed' "$tmp/err"
	report $? 'a picture that cannot be written is a failure'
}

# The policies see true numbers of pages, whatever the order of their first use.
test_many() {
	random_string string 31 20000 200
	run simulate -c -J 1 -f 3,10,100 "$tmp/string"
	column '$1 $2 "," $5 "," $7 "," $8' > "$tmp/want"
	run simulate -c -J 8 --progress -f 10,100,3,10 -p all "$tmp/string"
	column '$1 $2 "," $5 "," $7 "," $8' > "$tmp/got"
	[ "$status" -eq 0 ] && [ "$(wc -l < "$tmp/got")" -ge 24 ] && cmp -s "$tmp/want" "$tmp/got"
	report $? 'eight at a time count as one at a time does'
	run simulate -c -p random:seed=7,lru,random:seed=8,lru -f 10 "$tmp/string"
	[ "$(column '$1' | tr '\n' ' ')" = 'random:seed=7 lru random:seed=8 ' ]
	report $? 'lists of policies with parameters'
	run simulate -c -p lru -f '10%,1-5:2,0x10,250%' "$tmp/string"
	[ "$(column '$2' | tr '\n' ' ')" = '1 3 5 16 20 500 ' ]
	report $? 'lists of budgets'
	json simulate --json -f 3 "$tmp/string"
	json compare --json "$tmp/string"
	prints '^opt .* 0.00 ' compare -p lru -f 10 "$tmp/string"
}

test_usage() {
	echo 1 2 3 > "$tmp/refs"
	refused 2 'TRACE is missing' simulate -f 3
	refused 2 'frames is missing' simulate "$tmp/refs"
	refused 2 "frames '0': at least 1" simulate -f 0 "$tmp/refs"
	refused 2 "frames 'x': want numbers of frames: 8, 10%" simulate -f x "$tmp/refs"
	refused 2 "frames '': want" simulate -f 3, "$tmp/refs"
	refused 2 'ends before it begins' simulate -f 9-3 "$tmp/refs"
	refused 2 'step is 0' simulate -f 1-3:0 "$tmp/refs"
	refused 2 'more frames than' simulate -f 1073741825 "$tmp/refs"
	refused 2 "unknown policy 'nope': one of fifo, .*opt, or all" simulate -p nope -f 3 "$tmp/refs"
	refused 2 "unknown policy ''" simulate -p lru, -f 3 "$tmp/refs"
	refused 2 "'sed=1' is wrong" simulate -p random:sed=1 -f 3 "$tmp/refs"
	refused 2 "unknown format 'x': one of text, csv, lackey, oracle, vmd" \
		simulate -F x -f 3 "$tmp/refs"
	refused 2 "page size '3': not a power of two" simulate -P 3 -f 3 "$tmp/refs"
	refused 2 'either --csv or --json' compare --csv --json "$tmp/refs"
	refused 2 "jobs '0': want 1 to" compare -J 0 "$tmp/refs"
	refused 1 'No such file' compare "$tmp/none"
	refused 1 'Is a directory' compare "$tmp"
	refused 2 'give --to text' convert "$tmp/refs" "$tmp/x"
	refused 2 'OUT is missing' convert "$tmp/refs"
	refused 2 'is what is read' convert --to text "$tmp/refs" "$tmp/refs"
	refused 1 'No such file' convert "$tmp/refs" "$tmp/none/x.vmd"
}

# Convert $tmp/a by way of the format, and back to CSV.
round_trip() {	# FORMAT
	run convert "$tmp/a" "$tmp/there" --to "$1"
	[ "$status" -eq 0 ] && [ ! -s "$tmp/err" ] || return 1
	run convert "$tmp/there" "$tmp/back" --to csv
	[ "$status" -eq 0 ] && [ ! -s "$tmp/err" ]
}

# What there is room for in the format, of the CSV file.
kept() {	# FORMAT FILE
	case $1 in
	vmd | csv) cat "$2" ;;
	oracle) awk -F, '{ print $1, int($4 / 1000000000) }' "$2" ;;
	*) cut -d, -f1,2 "$2" ;;
	esac
}

test_formats() {
	local from to page_size
	random_string string 41 3000 100
	awk 'BEGIN { srand(3); print "page,op,thread,time,ip" }
	{
		t += int(rand() * 2000000000)
		printf "%.0f,%s,%d,%.0f,%d\n", $1 + 4000000000 * (NR % 2), \
			$1 ~ /w/ ? "w" : "r", NR % 5, t, int(rand() * 4096) * 8
	}' "$tmp/string" > "$tmp/a"
	for to in $formats; do
		round_trip "$to" && kept "$to" "$tmp/a" | tail -n +2 > "$tmp/want" &&
			kept "$to" "$tmp/back" | tail -n +2 > "$tmp/got" &&
			[ "$(wc -l < "$tmp/got")" -eq 3000 ] && cmp -s "$tmp/want" "$tmp/got"
		report $? "csv to $to and back: nothing that has a place there is lost"
		cp "$tmp/there" "$tmp/in.$to"
	done
	run simulate -c -p lru -f 20 "$tmp/a"
	column '$3 "," $5' > "$tmp/want"
	for from in $formats; do
		for to in $formats; do
			run convert --format "$from" "$tmp/in.$from" "$tmp/x" --to "$to"
			[ "$status" -eq 0 ] && run simulate -c -p lru -f 20 -F "$to" "$tmp/x" &&
				column '$3 "," $5' > "$tmp/got" && [ -s "$tmp/got" ] &&
				cmp -s "$tmp/want" "$tmp/got"
			report $? "$from to $to: the same misses"
		done
	done
	printf 'page\n18446744073709551615\n0\n9223372036854775808\n1\n' > "$tmp/a"
	for to in text csv oracle vmd; do
		round_trip "$to" && [ "$(cut -d, -f1 "$tmp/back")" = "$(cat "$tmp/a")" ]
		report $? "$to: the largest page, and back to the smallest"
	done
	refused 1 'has no address of 64 bits' convert "$tmp/a" "$tmp/x.lackey"
	[ ! -e "$tmp/x.lackey" ]
	report $? 'what could not be converted leaves no file'
	for page_size in 512 4096; do
		printf 'I  000ffe,4\n S 1fff,1\n M 2ffc,8\n L 0,8192\n' |
			"$tool" convert --page-size "$page_size" - - --to text > "$tmp/out"
		[ "$(tr '\n' ' ' < "$tmp/out")" = "$(case $page_size in
		512) echo 7 8 15w 23w 24w 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 '' ;;
		*) echo 0 1 1w 2w 3w 0 1 '' ;;
		esac)" ]
		report $? "lackey: accesses that straddle pages of $page_size"
	done
}

# libCacheSim counts records from 1, and -1 is never.
test_oracle_future() {
	printf '5w\n6\n5\n' > "$tmp/a"
	run convert "$tmp/a" "$tmp/x.oracleGeneral"
	[ "$(od -An -v -tu4 -j16 -N8 "$tmp/x.oracleGeneral" | tr -s ' ')" = ' 3 0' ] &&
		[ "$(od -An -v -td8 -j40 -N8 "$tmp/x.oracleGeneral" | tr -d ' ')" = -1 ] &&
		[ "$(od -An -v -tu8 -j52 -N8 "$tmp/x.oracleGeneral" | tr -d ' ')" = 5 ] &&
		[ "$(od -An -v -tu4 -j60 -N4 "$tmp/x.oracleGeneral" | tr -d ' ')" = 4096 ]
	report $? 'oracleGeneral: the next use of an object, its id and size'
}

# The file, read without being told what it is in, is this in text.
taken() {	# WHAT TEXT WANT
	printf '%b' "$2" > "$tmp/guess"
	run convert "$tmp/guess" - --to text
	[ "$status" -eq 0 ] && [ "$(tr '\n' ' ' < "$tmp/out")" = "$3 " ]
	report $? "found out: $1"
}

test_detection() {
	taken text '# x\n1 2w\n3 r 4\tW#c\n0x1f' '1 2w 3 4w 31'
	taken 'text with commas on no line' '12' '12'
	taken 'text, all on a long line' "$(seq -s ' ' 1 30000)" "$(seq -s ' ' 1 30000)"
	taken 'csv without a head' '1,r\n2,w\r\n' '1 2w'
	taken 'csv with a head' '# c\nTime,"op",PAGE,what\n5,w,7,x\n6,,8\n' '7w 8'
	taken 'csv with addresses' 'addr,size,op\n0x1000,4097,w\n4096,,r\n' '1w 2w 1'
	taken lackey '==1== x\nI  1000,4\n==1== y\n L 2fff,2\n' '1 2 3'
	taken 'text behind a comment with a comma' '# a, b\n3\n' 3
	printf 'I  1000,4\n L 2000,2\n' > "$tmp/guess"
	run convert --data "$tmp/guess" - --to text
	[ "$(cat "$tmp/out")" = 2 ]
	report $? 'lackey without instruction fetches'
	stdin=$tmp/guess
	prints '^1$' convert - - --to text
	unset stdin
}

bad() {	# PATTERN TEXT [OPTION...]
	printf '%b' "$2" > "$tmp/bad"
	refused 2 "$1" simulate -f 3 -p lru "$tmp/bad" "${@:3}"
}

test_bad_traces() {
	bad 'no references in it' ''
	bad 'no references in it' '# nothing\n\n'
	bad "bad:3: '7x': want a page number, with w" '1\n2 w # written\n7x\n'
	bad "bad:2: '-1': want a page number" '1 2\n-1\n'
	bad "bad:1: 'w': want a page" 'w\n' -F text
	bad "bad:1: '18446744073709551616': the number is too large" '18446744073709551616\n'
	bad 'bad:2: not text' '1\n2\x003\n' -F text
	bad "bad:3: 'x': want r or w" 'page,op\n1,r\n2,x\n'
	bad "bad:1: 'a,b': want one column named page" 'a,b\n1,2\n'
	bad "bad:1: 'page,id': two columns" 'page,id\n1,2\n'
	bad "bad:2: '': not a number" 'page,op\n,w\n'
	bad "bad:2: 'w': the line has no page" 'op,page\nw\n'
	bad "bad:1: '9': more fields" '1,r,1,2,3,9\n'
	bad "bad:2: ' L 10': want I, L, S or M" 'I  1000,4\n L 10\n'
	bad "bad:2: 'hello': want I, L" 'I  1000,4\nhello\n'
	bad 'an access is 1 byte to 1 MiB' 'I  1000,0\n'
	bad 'past the last address' 'I  ffffffffffffffff,2\n'
	bad "is compressed: use 'gzip -dc" '\x1f\x8b\x08\x00\x00'
	bad "is compressed: use 'zstd -dc" '\x28\xb5\x2f\xfd\x00'
	bad 'record 1, at byte 0: the next access is not after' '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
	bad 'record 1, at byte 0: cut off: a record has 24 bytes' '\0\0\0\0'
	bad 'not in format vmd' 'hello' -F vmd
	head -c 5000 /dev/zero | tr '\0' 1 > "$tmp/long"
	printf '\1\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0' > "$tmp/y.oracleGeneral.bin"
	prints ' 1 references' simulate -f 1 "$tmp/y.oracleGeneral.bin"
	cp "$tmp/y.oracleGeneral.bin" "$tmp/y"
	prints ' 1 references' simulate -f 1 -F oracle "$tmp/y"
	refused 2 'not oracleGeneral; give --format' simulate -f 1 "$tmp/y"
	refused 2 'long:1: not text, or longer than' compare -F csv "$tmp/long"
}

# A recording by hand: the header, then the records.
recording() {	# RECORDS
	printf 'VMDTRACE\1\0\x20\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0%b' "$1" > "$tmp/hand.vmd"
}

test_recordings() {
	# 3; 2w by thread 7 at 100 ns, ip 64; END 2
	recording '\0\6\x38\1\xc8\1\7\4\2'
	run convert "$tmp/hand.vmd" - --to csv
	[ "$(column '$0' | tr '\n' ' ')" = '3,r,0,0,0 2,w,7,100,0 ' ]
	report $? 'a recording as the format is documented'
	recording '\0\6\1\2\x0a\1\4\3'
	run simulate -c -p lru -f 1 "$tmp/hand.vmd"
	[ "$status" -eq 0 ] && [ "$(column '$3')" = 2 ] && grep -q 'faults were recorded' "$tmp/err"
	report $? 'faults are references, evictions are none, and a warning'
	run convert "$tmp/hand.vmd" - --to csv
	[ "$(column '$1 $2' | tr '\n' ' ')" = '3r 4fr 3ew ' ]
	report $? 'csv has faults and evictions'
	run convert "$tmp/hand.vmd" - --to text
	[ "$(tr '\n' ' ' < "$tmp/out")" = '3 4 ' ] && grep -q '1 evictions left out' "$tmp/err"
	report $? 'text has no evictions, and that is told'
	recording '\0\6\3\x05\4\1'
	run simulate -c -p lru -f 1 "$tmp/hand.vmd"
	[ "$status" -eq 0 ] && grep -q '5 references were lost' "$tmp/err"
	report $? 'losses are told'
	recording '\0\6'
	refused 2 'record 2, at byte 34: cut off: there is no END' compare "$tmp/hand.vmd"
	run simulate -c --partial -p lru -f 1 "$tmp/hand.vmd"
	[ "$status" -eq 0 ] && [ "$(column '$3')" = 1 ]
	report $? 'a recording that was cut off, taken for what it is'
	recording '\0\6\4\2'
	refused 2 '1 records where its END tells of 2' compare "$tmp/hand.vmd"
	recording '\0\6\4\1\0'
	refused 2 'something follows the END' compare "$tmp/hand.vmd"
	recording '\x07\0'
	refused 2 'record 1, at byte 32: not a record' compare "$tmp/hand.vmd"
	recording '\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\4\1'
	refused 2 'record 1, at byte 32: not a record' compare "$tmp/hand.vmd"
	printf 'VMDTRACE\2\0\x20\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' > "$tmp/hand.vmd"
	refused 2 'version 2 of format vmd: this tool knows 1' compare "$tmp/hand.vmd"
	printf 'VMDTRACE\1\0' > "$tmp/hand.vmd"
	refused 2 'does not begin with its header' compare "$tmp/hand.vmd"
}

test_play_reads_it() {
	printf '1\n0x2w\n3 r\n' > "$tmp/a"
	run convert "$tmp/a" "$tmp/x.txt"
	VMDEMO_DEVICE=$tmp/none refused 1 'is the module loaded' play --trace "$tmp/x.txt"
}

test_textbook
test_opt
test_opt_is_best
test_placement
test_lru_by_stack
test_mrc_tables
test_mrc
test_pictures
test_many
test_usage
test_formats
test_oracle_future
test_detection
test_bad_traces
test_recordings
test_play_reads_it
finish
