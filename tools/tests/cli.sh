#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Test vmdemoctl: bad input and output formats, and, where there is a device, all
# verbs on it. Usage: cli.sh [--device] [VMDEMOCTL]; the device is $VMDEMO_DEVICE,
# else /dev/vmdemo. With --device only what needs one: the rest is the same on
# every machine.
set -u

only_device=
[ "${1:-}" != --device ] || { only_device=1 && shift; }
tool=${1:-$(dirname "$0")/../vmdemoctl}
device=${VMDEMO_DEVICE:-/dev/vmdemo}

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

fake_proc() {
	export VMDEMO_PROC=$tmp/proc
	mkdir -p "$VMDEMO_PROC"
	printf '%s%b\n' '3 uid=1000 pid=77 size=67108864 budget=4 resident=2 dirty=1 ' \
		'policy=random:seed=7 observer=trap store=swap comm=a b=\033[31m"\0377' \
		> "$VMDEMO_PROC/spaces"
	printf 'spaces 1\nreferences 12\nmisses 9\nnewer 5\nlatency_ns_512 3\n' \
		> "$VMDEMO_PROC/stats"
	printf 'lru least recently used\nnewer a policy of tomorrow\n' \
		> "$VMDEMO_PROC/policies"
}

# shellcheck source=exec.sh
. "$(dirname "$0")/exec.sh"
# shellcheck source=run.sh
. "$(dirname "$0")/run.sh"
# shellcheck source=record.sh
. "$(dirname "$0")/record.sh"
# shellcheck source=future.sh
. "$(dirname "$0")/future.sh"
# shellcheck source=accessed.sh
. "$(dirname "$0")/accessed.sh"
# shellcheck source=walk.sh
. "$(dirname "$0")/walk.sh"
# shellcheck source=step.sh
. "$(dirname "$0")/step.sh"
# shellcheck source=top.sh
. "$(dirname "$0")/top.sh"
# shellcheck source=swap.sh
. "$(dirname "$0")/swap.sh"
# shellcheck source=pages.sh
. "$(dirname "$0")/pages.sh"

# Everything below works on no device at all.

test_help() {
	local verb
	prints 'Usage: vmdemoctl' --help
	prints '^vmdemoctl [0-9]' --version
	prints 'Usage: vmdemoctl set' help set
	for verb in list info stats top set shadow policies pages advise punch sync swapout swapin play future exec record step watch simulate quiz \
		heatmap report compare mrc convert walk tables tlb slots; do
		prints "Usage: vmdemoctl $verb" "$verb" --help
	done
}

test_usage() {
	refused 2 'a verb is missing'
	refused 2 "unknown verb 'nope': one of" nope
	refused 2 "unknown verb ''" ''
	refused 2 'unrecognized option' --nope
	refused 2 'unrecognized option' list --nope
	refused 2 "'x' is one argument too many" list x
	refused 2 "'4' is one argument too many" info 3 4
	refused 2 "space 'x': not an id" info x
	refused 2 "space '0': not an id" info 0
	refused 2 "space '18446744073709551616': not an id" info 18446744073709551616
	refused 2 "space '3 ': not an id" stats '3 '
	refused 2 'needs a SPACE' stats --reset
	refused 2 'SPACE is missing' pages
	refused 2 'ADVICE is missing' advise 3
	refused 2 "unknown advice 'burn': one of willneed, .*unmap" advise 3 burn
	refused 2 'give it or --json' pages 3 --map --json
}

test_ranges() {
	refused 2 'ends before it begins' pages 3 9-1
	refused 2 'has no pages' pages 3 9+0
	refused 2 'not a number' pages 3 1-x
	refused 2 'not a range' pages 3 1:2
	refused 2 'not a number' sync 3 x
	refused 2 'too large' sync 3 99999999999999999999
	refused 2 'too large' advise 3 pin 18446744073709551615+2
}

test_keys() {
	refused 2 'SPACE is missing' set
	refused 2 'nothing to set' set 3
	refused 2 "unknown key 'polcy': one of policy, budget, observer, size, encrypt" set 3 polcy=lru
	refused 2 "unknown policy 'nope': one of .*lru" set 3 policy=nope
	refused 2 "unknown policy ''" set 3 policy=
	refused 2 'longer than 63' set 3 "policy=$(printf '%080d' 1)"
	refused 2 'lru takes no parameters' set 3 policy=lru:seed=1
	refused 2 "'sed=1' is wrong: random takes seed=" set 3 policy=random:sed=1
	refused 2 "unknown observer 'x': one of fault, accessed, trap" set 3 observer=x
	refused 2 'at least 1 frame' set 3 budget=0
	refused 2 'K, M, G or T' set 3 budget=1Q
	refused 2 'not a number' set 3 budget=-1
	refused 2 'too large' set 3 size=99999999999T
	refused 2 "'budget' is given twice" set 3 budget=1 budget=2
	refused 2 "encrypt 'yes': on or off" set 3 encrypt=yes
	refused 2 "encrypt '': on or off" set 3 --encrypt=
	refused 2 "'encrypt' is given twice" set 3 --encrypt=on encrypt=off
	refused 2 'requires an argument' set 3 --encrypt
	refused 2 'not key=value' set 3 lru
	refused 2 'not key=value' set 3 =lru
}

test_shadow_words() {
	refused 2 'SPACE is missing' shadow
	refused 2 "space 'x': not an id" shadow x
	refused 2 "unknown policy 'nope': one of .*lru" shadow 3 lru,nope
	refused 2 "unknown policy ''" shadow 3 lru,
	refused 2 "policy 'opt' has to know the future" shadow 3 fifo,opt
	refused 2 "policy 'auto:of=lru': a shadow is a policy" shadow 3 lru,auto:of=lru
	refused 2 "'x=1' is wrong: random takes seed=" shadow 3 lru,random:x=1,arc
	refused 2 "'sieve': at most 8 shadows" shadow 3 lru,fifo,clock,mru,lfu,arc,car,nru,sieve
	refused 2 "sample '1/3': want 1/N, N a power of two up to 65536" shadow 3 lru -s 1/3
	refused 2 "sample '1/131072': want" shadow 3 lru -s 1/131072
	refused 2 "sample '0': want" shadow 3 lru -s 0
	refused 2 '--sample needs POLICIES' shadow 3 -s 1/2
	refused 2 'one of POLICIES, --off and --auto' shadow 3 lru --off
	refused 2 'one of POLICIES, --off and --auto' shadow 3 --auto --off
	refused 2 "interval '0': want seconds" shadow 3 -i 0
	refused 2 "policy 'auto:of=lru': 'lru' is wrong: want auto" set 3 policy=auto:of=lru
	refused 2 "'opt' has to know the future: only a" set 3 policy=auto:of=lru+opt
	refused 2 "no policy at 'nope,margin=5'" set 3 policy=auto:of=lru+nope,margin=5
	refused 2 "'91' is out of bounds: want auto.*margin=0..90" set 3 policy=auto:margin=91
	refused 2 "'speed=1' is wrong: want auto.*interval=" set 3 policy=auto:speed=1
}

test_references() {
	refused 2 'no pages to touch' play
	refused 2 "'2x': want a page number" play 1 2x
	refused 2 "'w': want a page number" play w
	refused 2 'too large' play 99999999999999999999
	refused 2 'unknown policy' play --policy nope 1
	refused 2 'at least 1 frame' play --frames 0 1
	refused 2 'unknown observer' play --observer eye 1
	refused 2 "doesn't allow an argument" play --encrypt=on 1
	refused 2 'not both' play --trace "$tmp/none" 1
	refused 1 'No such file' play --trace "$tmp/none"
	refused 1 'Is a directory' play --trace "$tmp"
	refused 2 'give --format' play --trace /dev/zero
	refused 2 'not text' play --trace /dev/zero --format text
	refused 2 'give --trace FILE' play --renumber 1 2
	refused 2 'give --trace FILE' play --format vmd 1 2
}

bad_trace() {	# PATTERN TEXT
	printf '%b' "$2" > "$tmp/trace"
	refused 2 "$1" play --trace "$tmp/trace"
}

test_traces() {
	bad_trace 'no references in it' ''
	bad_trace 'no references in it' '# nothing\n\n'
	bad_trace "trace:3: 'x': want" '1\n2 w # written\n7 x\n'
	bad_trace "trace:2: '1y': want" '0x1f\n1y 2\n'
	bad_trace 'trace: reference 2: the number of a page is too large' '1\n0x7fffffffffffffff\n'
	bad_trace "trace:1: '-1': want" '-1\n'
	bad_trace 'trace: .*cut off' '1\n2\x003\n'
	refused 2 'trace:2: not text' play --trace "$tmp/trace" --format text
	stdin=$tmp/trace
	refused 2 "standard input:2: not text" play --trace - --format text
	unset stdin
}

test_no_device() {
	local VMDEMO_DEVICE=$tmp/none
	export VMDEMO_DEVICE
	refused 1 'none: no such file: is the module loaded (modprobe vmdemo)?' info
	refused 1 'is the module loaded' play 1 2w 0x3 '4,5w 6'
	refused 1 'not a character device' info --device /etc/passwd
	refused 1 'not a character device' --device / info
	refused 1 'not the vmdemo device' info -D /dev/null
	printf '\n  1 # one\n0x2w\r\n3\tw' > "$tmp/trace"
	refused 1 'is the module loaded' play --trace "$tmp/trace"
}

test_files() {
	local VMDEMO_PROC
	export VMDEMO_PROC=$tmp/none
	refused 1 'spaces: no such file: is the module loaded' list
	prints '^clock-a ' policies
	prints '^    seed=' policies -v
	json policies --json
	prints '^opt ' policies
	fake_proc
	prints '64M .*random:seed=7.*a b=\\x1b\[31m"\\xff$' list
	json list --json
	printf '%s\n' '4 uid=0 pid=7 size=5 budget=4 resident=0 dirty=0 policy=lru observer=trap store=file flags=encrypt,readonly comm=x' \
		>> "$VMDEMO_PROC/spaces"
	prints 'file  *encrypt,readonly  x$' list
	prints '"readonly"' list --json
	json list --json
	prints '^misses  *9$' stats
	json --json stats
	prints '^newer .*tomorrow$' policies
	prints '^fifo .*not in the loaded module' policies
	refused 2 "unknown policy 'x': one of lru, newer" set 3 policy=x
	printf '%s\n' '5 uid=0 pid=7 size=5 budget=4 resident=0 dirty=0 policy=auto observer=trap store=file flags=- live=mru comm=x' \
		>> "$VMDEMO_PROC/spaces"
	prints ' auto\[mru\] ' list
	prints '"live": *"mru"' list --json
	echo nonsense >> "$VMDEMO_PROC/spaces"
	refused 1 "'nonsense' is not what" list --json
}

test_output() {
	"$tool" policies > /dev/full 2> "$tmp/err"
	[ $? -eq 1 ] && grep -q 'writing the output: No space' "$tmp/err"
	report $? 'a full disk is a failure'
}

# What follows needs the device.

counter() {	# NAME
	awk -v name="$1" '$1 == name { print $2 }' "$tmp/out"
}

misses() {	# POLICY FRAMES MISSES REFERENCES...
	local policy=$1 frames=$2 want=$3
	shift 3
	run play --quiet --policy "$policy" --frames "$frames" "$@"
	[ "$status" -eq 0 ] && [ "$(counter misses)" = "$want" ] &&
		[ "$(counter references)" = $# ]
	report $? "$policy, $frames frames: $want misses"
}

test_vectors() {
	local belady='1 2 3 4 1 2 5 1 2 3 4 5'
	local textbook='7 0 1 2 0 3 0 4 2 3 0 3 2 1 2 0 1 7 0 1'
	# shellcheck disable=SC2086 # a reference an argument
	{
		misses fifo 3 9 $belady
		misses lru 3 10 $belady
		misses fifo 4 10 $belady
		misses lru 4 8 $belady
		misses fifo 3 15 $textbook
		misses lru 3 12 $textbook
	}
	misses fifo 3 7 0 1 2 0 1 3 0 3 1 2 1
	misses lru 3 5 0 1 2 0 1 3 0 3 1 2 1
	misses lru 1 2 1 1 1 2 2
}

test_lines() {
	prints '^ *3 MISS \[0 1 3\] evicts 2 (dirty, written)$' \
		play --policy lru --frames 3 0 1 2w 0 1 3
	prints '^1 hit  \[0 1\]$' play --policy lru --frames 3 0 1 1
	prints '^ 2 MISS \[2\] evicts 10 (clean)$' play --policy fifo --frames 1 10 2
	json play --json --policy lru --frames 3 0 1 2w 0 1 3
	json play --json --quiet --frames 3 0 1 2w 0 1 3
	prints '^misses  *3$' play -q -o fault -f 2 1 1 2w 3
	prints ' 4 pages, encrypted$' play --encrypt -f 2 1 1w 2w 3w 1
	json play --json --encrypt -f 2 1 1w 2w 3w 1
	prints '^misses  *3$' play -q -o accessed -f 8 1 1 2w 3
}

test_limits() {
	refused 1 'a space has at most' play 0x3fffffffffffffff
	refused 1 'the module allows at most' play --frames 0xffffffff 1
	refused 1 'not a multiple of the page size' play --frames 5K 1
	refused 1 'there is no such space' info 18446744073709551615
}

# A space to work on: another process holds it.
open_space() {
	exec 9<> "$device"
	sleep 0.1
	space=$(awk -v pid=pid=$$ '$3 == pid { id = $1 } END { print id }' /proc/vmdemo/spaces)
}

test_space() {
	local space
	open_space
	prints "^ *$space " list
	json list --json
	prints "^id  *$space$" info "$space"
	json info "$space" --json
	json set "$space" size=1M budget=10 policy=random:seed=7 observer=trap --json
	prints '^policy  *random:seed=7$' info "$space"
	prints '^size  *1M$' info "$space"
	prints '^placement  *full$' info "$space"
	json set "$space" placement=set:5 --json
	prints '^placement  *set:5$' info "$space"
	prints ' set:5 ' list
	refused 2 'budget of 12 frames: placement set:5 needs a multiple: 10 or 15' \
		set "$space" budget=12
	refused 2 'budget of 10 frames: placement set:11 needs 11 at least' \
		set "$space" placement=set:11
	refused 2 "placement 'sets': want full, direct or set:N" set "$space" placement=sets
	json set "$space" budget=20 placement=direct --json
	prints '^placement  *direct$' info "$space"
	json set "$space" placement=full budget=10 --json
	prints '^misses_conflict  *6$' play -q -p lru -f 8 --placement direct 0 8 0 8 0 8 0 8 1
	json play -p lru -f 8 --placement set:2 --json 0 8 0 8 1
	# A space on a file has what was set before there was the file.
	head -c 20000 /dev/zero > "$tmp/placed"
	prints '"placement": *"set:2"' play --file "$tmp/placed" -f 4 --placement set:2 --json 0 2 4
	refused 1 'not a multiple' set "$space" policy=lru size=1000
	refused 1 'at most' set "$space" policy=lru size=15000000T
	prints '^policy  *random:seed=7$' info "$space"
	prints '^flags  *-$' info "$space"
	json set "$space" --encrypt=on --json
	prints '^flags  *encrypt$' info "$space"
	json set "$space" encrypt=off --json
	prints '^flags  *-$' info "$space"
	prints '^ *0  absent' pages "$space" --all 0-3
	prints '^ *0  \.\.\.\.$' pages "$space" --map 0-3
	json pages "$space" --all 0+2 --json
	refused 1 'page 256 is past the end: there are 256' pages "$space" 0-256
	json advise "$space" willneed 0-3 --json
	json advise "$space" pin 0-3 --json
	prints '^resident  *4$' stats "$space"
	refused 1 'too many pages to pin' advise "$space" pin 0-9
	refused 1 'pinned' advise "$space" evict 0-3
	json advise "$space" unpin --json
	json advise "$space" evict --json
	prints '^resident  *0$' stats "$space"
	json sync "$space" --json
	json stats "$space" --reset --json
	exec 9>&-
}

test_shadow_device() {
	local space

	exec 9<> "$device"
	space=$(awk 'END { print $1 }' /proc/vmdemo/spaces)
	prints '; no shadows$' shadow "$space"
	json shadow "$space" --json
	run set "$space" policy=lru observer=trap budget=4
	run shadow "$space" lru,mru,random:seed=7
	report "$status" 'shadow: begins'
	# The open file stands for the space.
	dd if=/dev/zero bs=4096 count=60 2> /dev/null >&9
	prints '^live lru; [0-9]* references since; shadows of 4 frames, 1/1 of the pages' \
		shadow "$space"
	prints '^(live) ' shadow "$space"
	prints '^random:seed=7 ' shadow "$space"
	json shadow "$space" --json
	prints '"sampled_misses"' shadow "$space" --json
	run shadow "$space" arc --sample 1/2
	prints 'shadows of 2 frames, 1/2 of the pages' shadow "$space"
	run shadow "$space" --off
	prints '; no shadows$' shadow "$space"
	run set "$space" policy=auto:of=lru+mru
	prints '^live lru, after 0 switches; ' shadow "$space" --auto
	prints '^policy  *auto:of=lru+mru$' info "$space"
	prints '^live  *lru$' info "$space"
	prints 'auto:of=lru+mru\[lru\]' list
	prints '"live": *"lru"' list --json
	json info "$space" --json
	refused 2 'has to know the future' shadow "$space" opt
	exec 9>&-
}

test_device() {
	test_vectors
	test_lines
	test_limits
	json info --json
	json stats --json
	prints '^lru ' policies
	test_space
	test_shadow_device
	test_exec_device
	test_record_device
	test_future_device
	test_accessed_device
	test_walk_device
	test_step_device
	test_step_keys
	test_step_policy_key
	test_watch_device
	test_top_device
	test_swap_device
	test_pages_device
}

test_anywhere() {
	test_help
	test_usage
	test_ranges
	test_keys
	test_shadow_words
	test_references
	test_traces
	test_no_device
	test_files
	test_output
	test_exec_usage
	test_file_usage
	test_punch_usage
	test_run_usage
	test_record_usage
	test_future_usage
	test_walk_usage
	test_tables
	test_tlb
	test_step_usage
	test_play_pages_usage
	test_explain
	test_top
	test_swap_usage
}

[ -n "$only_device" ] || test_anywhere
unset VMDEMO_PROC
if [ -c "$device" ]; then
	test_device
else
	echo "# SKIP the rest: no device $device"
fi
finish
