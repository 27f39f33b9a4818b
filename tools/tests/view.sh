#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Test what vmdemoctl shows of reference strings: quiz, heatmap, report.
# Usage: view.sh [VMDEMOCTL]. Needs no device.
# shellcheck disable=SC2016 # what is in single quotes is for awk
set -u

tool=${1:-$(dirname "$0")/../vmdemoctl}

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

textbook='7 0 1 2 0 3 0 4 2 3 0 3 2 1 2 0 1 7 0 1'

# What follows the name in each of the answers, in one line.
answers() {	# NAME
	sed -n "s/^ *\"$1\"://p" "$tmp/out" | tr -d ' ,' | paste -sd ' '
}

test_quiz_usage() {
	refused 2 "policy 'nope': 'nope' is wrong" quiz -p nope
	refused 2 "frames '0': out of bounds: want 1 to 64" quiz -f 0
	refused 2 "frames '65': out of bounds: want 1 to 64" quiz -f 65
	refused 2 "questions 'x': not a number.*want 1 to 1000" quiz -n x
	refused 2 "seed '-1': .*want 0 to" quiz --seed=-1
	refused 2 "unknown question 'why': one of hit, victim, frames" quiz -a hit,why
	refused 2 "'2x': want a page number" quiz 1 2x
	refused 2 'not both' quiz -t "$tmp/none" 1
	refused 2 'json goes with --answers' quiz --json
	refused 1 'No such file' quiz -t "$tmp/none"
	refused 2 'nothing to ask' quiz --answers 1
	refused 2 'nothing to ask' quiz --answers -a victim 1 2 3
}

# Which pages LRU, FIFO and the optimum let go is in every textbook.
quiz_victims() {	# POLICY "PAGES"
	# shellcheck disable=SC2086 # a reference a word
	json quiz --json --answers -p "$1" -f 3 -n 100 -a victim $textbook
	[ "$(answers evicted)" = "$2" ]
	report $? "quiz: $1 lets go $2"
}

test_quiz() {
	quiz_victims fifo '7 0 1 2 3 0 4 2 3 0 1 2'
	quiz_victims lru '7 1 2 3 0 4 0 3 2'
	quiz_victims opt '7 1 0 4 3 2'
	# shellcheck disable=SC2086
	json quiz --json --answers -p opt -f 3 -n 100 -a hit $textbook
	[ "$(answers hit | grep -o true | wc -l)" -eq 11 ]
	report $? 'quiz: the optimum hits 11 times'
	prints 'page 1 goes, fifo: first in, first out.* (1: came at 1, last used at 3, 2 uses' \
		quiz --answers -p fifo -f 2 -a victim 1 2 1 3
	prints 'page 2 goes, lru: least recently used (1: .*2: came at 2, last used at 2, 1 use' \
		quiz --answers -p lru -f 2 -a victim 1 2 1 3
	prints 'page 2 goes, opt: used again later .* after 4 references.*2: .*next at 5' \
		quiz --answers -p opt -f 2 -a victim 1 2 3 1 2
	prints 'page 1 is in a frame since reference 1' quiz --answers -f 2 -a hit 1 1
}

# Each policy has a reason of its own, the one that simulate gives for it.
test_quiz_reasons() {
	local policy wrong=0 nr=0

	for policy in $("$tool" policies | awk '{ print $1 }'); do
		[ "$policy" = auto ] && continue
		# shellcheck disable=SC2086
		run quiz --answers -p "$policy" -f 3 -n 100 -a victim $textbook
		sed -n 's/^.*; page \([0-9]*\) goes, [a-z0-9-]*: \(.*\) ([0-9]*: came .*/\1 \2/p' \
			"$tmp/out" > "$tmp/quiz"
		# shellcheck disable=SC2086
		printf '%s ' $textbook | "$tool" simulate -p "$policy" -f 3 --explain - |
			sed -n 's/^.*; \([0-9]*\) goes: /\1 /p' > "$tmp/simulated"
		nr=$((nr + 1))
		if [ ! -s "$tmp/quiz" ] || grep -q 'does not say' "$tmp/quiz" ||
			! cmp -s "$tmp/quiz" "$tmp/simulated"; then
			echo "# $policy: $(head -n 1 "$tmp/quiz")"
			wrong=$((wrong + 1))
		fi
	done
	[ "$wrong" -eq 0 ] && [ "$nr" -ge 27 ]
	report $? "quiz: reasons of $nr policies are the ones they give themselves"
}

test_quiz_answers() {
	printf 'hit\nmiss\nmaybe\nhit\n2 1\n' > "$tmp/in"
	stdin=$tmp/in
	run quiz -f 2 -a hit 1 2 2 1 3
	[ "$status" -eq 0 ] && grep -q '^   > *No: miss' "$tmp/out" && grep -q 'No: hit' "$tmp/out" &&
		grep -q 'want hit or miss' "$tmp/out" && grep -q '^1 of 3 right' "$tmp/out"
	report $? 'quiz: answers are counted, and what is none is asked again'
	printf '2, 1\n1 1\n1 2\n' > "$tmp/in"
	run quiz -f 2 -a frames 1 2 2 1
	[ "$status" -eq 0 ] && grep -q '^2 of 3 right' "$tmp/out"
	report $? 'quiz: frames in any order, each page once'
	: > "$tmp/in"
	run quiz -f 2 1 2 3 4
	[ "$status" -eq 0 ] && grep -q '^0 of 0 right' "$tmp/out"
	report $? 'quiz: ends with its input'
	unset stdin
}

test_quiz_seed() {
	run quiz --answers --seed 5
	cp "$tmp/out" "$tmp/first"
	run quiz --answers --seed 5
	cmp -s "$tmp/out" "$tmp/first"
	report $? 'quiz: a seed chooses the same again'
	run quiz --answers --seed 6 -n 3
	! cmp -s "$tmp/out" "$tmp/first" && [ "$(grep -c '^   Answer' "$tmp/out")" -eq 3 ]
	report $? 'quiz: and another one others'
	echo "0x10 17w 16 18" > "$tmp/refs"
	prints 'page 18' quiz -t "$tmp/refs" -f 2 --answers -a hit
}

test_heatmap_usage() {
	echo "$textbook" > "$tmp/tb"
	refused 2 'give either TRACE or --space' heatmap
	refused 2 'give either TRACE or --space' heatmap --space 3 "$tmp/tb"
	refused 2 'one argument too many' heatmap "$tmp/tb" x
	refused 2 "size '0x5': want COLUMNSxROWS" heatmap --size 0x5 "$tmp/tb"
	refused 2 "size '5': want COLUMNSxROWS" heatmap --size 5 "$tmp/tb"
	refused 2 "seconds '0': want" heatmap --space 3 --seconds 0
	refused 2 "frames '0': want 1 to" heatmap -f 0 "$tmp/tb"
	refused 2 "frames 'x': want a number, or N%" heatmap -f x "$tmp/tb"
	refused 2 "policy 'nope'" heatmap -p nope "$tmp/tb"
	refused 2 "show 'x': one of references" heatmap --show x "$tmp/tb"
	refused 2 'ends with .svg or .png' heatmap -o x.gif "$tmp/tb"
	refused 1 'No such file' heatmap "$tmp/none"
	VMDEMO_DEVICE=$tmp/none refused 1 'is the module loaded' heatmap --space 3
}

# A line of the map: what stands for the page.
row_of() {	# PAGE
	sed -n "s/^ *$1 |//p" "$tmp/out"
}

test_heatmap() {
	run heatmap -p lru -f 3 "$tmp/tb"
	[ "$status" -eq 0 ] && [ ! -s "$tmp/err" ] &&
		grep -q 'faults 12, evictions 9 (simulated: lru, 3 frames)' "$tmp/out" &&
		[ "$(row_of 7)" = 'f  e             f  ' ] &&
		[ "$(row_of 4)" = '       f  e         ' ]
	report $? 'heatmap: faults and evictions where they were'
	run heatmap -p lru -f 3 --show evictions --size 4x2 "$tmp/tb"
	[ "$status" -eq 0 ] && [ "$(row_of 4)" = '. . ' ] && [ "$(row_of 0)" = ' #.:' ]
	report $? 'heatmap: cells of several pages and references'
	printf '1\n1000000\n' > "$tmp/far"
	prints '2 references to 2 rows' heatmap "$tmp/far"
	prints '^   1000000 | f$' heatmap -p opt "$tmp/far"
	json heatmap -p opt -f 3 --json "$tmp/tb"
	grep -q '"faults":9' "$tmp/out" && grep -q '"evictions":6' "$tmp/out"
	report $? 'heatmap: the optimum as JSON'
	# FAULT of 1, a write; EVICT of 1; FAULT of 2; END of 3: recorded, not simulated.
	printf 'VMDTRACE\1\0\x20\0\0\x10\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' > "$tmp/e.vmd"
	printf '\x09\2\2\0\1\2\4\3' >> "$tmp/e.vmd"
	prints 'faults 2, evictions 1 (recorded)' heatmap "$tmp/e.vmd"
	refused 2 'nothing is simulated' heatmap -f 3 "$tmp/e.vmd"
}

test_heatmap_pictures() {
	if ! command -v gnuplot > /dev/null; then
		echo '# SKIP heat maps as pictures: no gnuplot'
		return
	fi
	run heatmap -p lru -f 3 -o "$tmp/it's.svg" "$tmp/tb"
	[ "$status" -eq 0 ] && [ ! -s "$tmp/out" ] && [ ! -s "$tmp/err" ] &&
		grep -q '>eviction<' "$tmp/it's.svg" && grep -q 'lru, 3 frames' "$tmp/it's.svg"
	report $? 'heatmap: a picture in SVG'
	run heatmap -p lru -f 100 -o "$tmp/x.png" "$tmp/tb"
	[ "$status" -eq 0 ] && [ ! -s "$tmp/err" ] && [ "$(head -c 4 "$tmp/x.png" | tail -c 3)" = PNG ]
	report $? 'heatmap: a picture in PNG, of no evictions'
}

test_report_usage() {
	echo "$textbook" > "$tmp/tb"
	refused 2 'where to? give -o FILE.html' report "$tmp/tb"
	refused 2 'either -o FILE.html or --json' report --json -o "$tmp/x.html" "$tmp/tb"
	refused 2 'give either TRACE or --space' report -o "$tmp/x.html"
	refused 2 'TRACE is read twice' report -o "$tmp/x.html" -
	refused 2 'give it or --stats' report -o "$tmp/x.html" --space 3 --stats "$tmp/tb"
	refused 2 'none: No such file' report -o "$tmp/x.html" --stats "$tmp/none" "$tmp/tb"
	echo '{ "latency": [ 1,' > "$tmp/s.json"
	refused 2 'not JSON: make it with' report -o "$tmp/x.html" --stats "$tmp/s.json" "$tmp/tb"
	echo '{ "misses": 3 }' > "$tmp/s.json"
	refused 2 'no latencies in it' report -o "$tmp/x.html" --stats "$tmp/s.json" "$tmp/tb"
	refused 1 'No such file' report -o "$tmp/none/x.html" "$tmp/tb"
	VMDEMO_DEVICE=$tmp/none refused 1 'is the module loaded' report -o "$tmp/x.html" --space 3
	[ ! -e "$tmp/x.html" ]
	report $? 'report: no page where something is wrong'
}

test_report() {
	json report --json -p fifo -f 3 "$tmp/tb"
	[ "$(answers misses | tr ' ' '\n' | sort -n | head -n 1)" = 9 ] &&
		grep -q '"source":"simulated: fifo, 3 frames"' "$tmp/out" &&
		grep -q '"faults":15,' "$tmp/out"
	report $? 'report: the optimum, and what was simulated, as JSON'
	grep -A 3 '"time":20' "$tmp/out" | grep -q '"map":"rrss...r"'
	report $? 'report: the page map at the end'
	printf '{ "latency": [ 0, 3, 5 ], "policy": "</script><b>" }' > "$tmp/s.json"
	echo 0w > "$tmp/<b>.txt"
	run report -o "$tmp/x.html" -f 1 --stats "$tmp/s.json" "$tmp/<b>.txt"
	[ "$status" -eq 0 ] && [ ! -s "$tmp/out" ] && [ ! -s "$tmp/err" ] &&
		[ "$(grep -c '</script>' "$tmp/x.html")" -eq 2 ] && ! grep -q '<b>' "$tmp/x.html" &&
		! grep -qE '(src|href)=|@import|url\(|fetch\(' "$tmp/x.html"
	report $? 'report: a page by itself, in which names are no tags'
	run report -o - -f 3 "$tmp/tb"
	cp "$tmp/out" "$tmp/first"
	run report -o - -f 3 "$tmp/tb"
	cmp -s "$tmp/out" "$tmp/first"
	report $? 'report: the same page of the same string'
	test_report_browser
}

# in_browser WIDTH OPTION...: the page as it is after drawing, in $tmp/dom.
in_browser() {
	local width=$1

	shift
	HOME=$tmp timeout 120 chromium --headless --no-sandbox --disable-gpu --window-size="$width,3000" \
		"$@" "file://$tmp/page.html" 2> "$tmp/err"
}

# Drawn in all its parts, without an error, and not wider than the window.
test_report_browser() {
	local width dark

	if ! command -v chromium > /dev/null; then
		echo '# SKIP the report in a browser: no chromium'
		return
	fi
	run report -f 3 --stats "$tmp/s.json" -o "$tmp/page.html" "$tmp/tb"
	{
		echo '<script>addEventListener("error", () => { document.title = "broken"; });</script>'
		cat "$tmp/page.html"
		echo '<script>document.title += " " + (document.documentElement.scrollWidth <= innerWidth)</script>'
	} > "$tmp/with.html"
	mv "$tmp/with.html" "$tmp/page.html"
	for width in 1280 420; do
		for dark in 0 1; do
			in_browser "$width" --blink-settings=preferredColorScheme="$((1 - dark))" \
				--dump-dom > "$tmp/out"
			grep -q "<title>vmdemo: .*/tb true</title>" "$tmp/out" &&
				[ "$(grep -o '<svg ' "$tmp/out" | wc -l)" -eq 3 ] &&
				grep -q '<td>opt</td><td>9</td>' "$tmp/out"
			report $? "report: drawn, $width wide, dark $dark"
			in_browser "$width" --blink-settings=preferredColorScheme="$((1 - dark))" \
				--screenshot="$tmp/$width-$dark.png" > "$tmp/out"
		done
		[ -s "$tmp/$width-0.png" ] && ! cmp -s "$tmp/$width-0.png" "$tmp/$width-1.png"
		report $? "report: looks otherwise in the dark, $width wide"
	done
}

test_quiz_usage
test_quiz
test_quiz_reasons
test_quiz_answers
test_quiz_seed
test_heatmap_usage
test_heatmap
test_heatmap_pictures
test_report_usage
test_report
finish
