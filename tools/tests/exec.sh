# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2016
# exec, punch and spaces on files: part of cli.sh, which has the functions that
# report. SC2154: tool, tmp, status are there. SC2016: what is in single quotes
# is for the shell that is run.

# The verb works and has nothing to say.
silent() {	# ARGUMENTS...
	run "$@"
	[ "$status" -eq 0 ] && [ ! -s "$tmp/err" ] && [ ! -s "$tmp/out" ]
	report $? "works, silently: $*"
}

# Without a device.

test_exec_usage() {
	refused 125 'PROGRAM is missing' exec
	refused 125 'PROGRAM is missing' exec --stdin --
	refused 125 'unrecognized option' exec --nope true
	refused 125 'unknown policy' exec --policy nope true
	refused 125 'at least 1 frame' exec --budget 0 true
	refused 125 'unknown observer' exec --observer eye true
	refused 125 "size '1x': " exec --size 1x true
	refused 125 "'size' is given twice" exec --size 1 --size 2 true
	refused 125 "descriptor '2': 3 and up" exec --fd 2 true
	refused 125 "descriptor 'x': not a number" exec --fd x true
	refused 125 'there are only 0 to' exec --fd 99999999 true
	refused 125 'give --file PATH' exec --read-only true
	refused 125 'not with --file' exec --file "$tmp/out" --encrypt true
	refused 125 "page-size '8K': one of 4K, 64K, 2M" exec --page-size 8K true
	refused 125 "page-size 'x': one of 4K, 64K, 2M" exec -P x true
	refused 125 "'page-size' is given twice" exec -P 2M --page-size=2M true
	refused 2 'is chosen when a space is made' set 3 page-size=2M
	refused 125 'not with --file' exec --file "$tmp/out" --private true
	refused 125 'not with --read-only' exec --file "$tmp/out" -R --stdout true
	refused 125 'not with --read-only' exec --file "$tmp/out" -R --size 1M true
	refused 125 'given twice' exec --file a --file b true
	refused 127 'no-such: no such program in PATH' exec no-such
	refused 127 'No such file' exec ./no-such
	refused 127 'no such program' exec ''
	refused 126 'Permission denied' exec /etc/passwd
	refused 126 'Permission denied' exec -- /etc --stdin
	refused 125 'report .*: No such file' exec --report "$tmp/none/x" true
}

test_file_usage() {
	local verb
	mkfifo "$tmp/fifo"
	for verb in 'exec 125 true' 'play 1 1'; do
		# shellcheck disable=SC2086 # three words
		set -- $verb
		refused "$2" 'no such file: make it first' "$1" --file "$tmp/none" "$3"
		refused "$2" 'but a directory' "$1" --file "$tmp" "$3"
		refused "$2" 'but a character device' "$1" --file /dev/null "$3"
		refused "$2" 'but a pipe' "$1" --file "$tmp/fifo" "$3"
	done
	refused 2 'give --file PATH' play -R 1
	refused 2 'cannot go with --read-only' play -R --file "$tmp/out" 1 2w
	refused 2 'not with --file' play --encrypt --file "$tmp/out" 1
	rm "$tmp/fifo"
}

test_punch_usage() {
	refused 2 'OFFSET is missing' punch 3
	refused 2 'LENGTH is missing' punch 3 0
	refused 2 "offset 'x': not a number" punch 3 x 4K
	refused 2 "length '4Q': " punch 3 0 4Q
	refused 2 "length '0': nothing to drop" punch 3 0 0
	refused 2 'too large' punch 3 4K 18446744073709551615
	refused 2 "space 'x': not an id" punch x 0 4K
}

# On the device.

# What wait(2) tells of a program: "exit status:signal".
wait_status() {	# ARGUMENTS...
	perl -e 'system { $ARGV[0] } @ARGV; printf "%d:%d\n", $? >> 8, $? & 127' \
		"$tool" exec "$@" 2> "$tmp/err"
}

# Some of all kinds, or those that mean something to somebody.
exit_statuses() {
	if [ -n "${VMD_SHORT:-}" ]; then
		echo 0 1 2 125 126 127 128 137 143 255
	else
		seq 0 5 255
		echo 1 2 126 127 128 137 143
	fi
}

test_exec_status() {
	local n wrong=
	for n in $(exit_statuses); do
		"$tool" exec -- sh -c 'exit $0' "$n" > "$tmp/out" 2> "$tmp/err"
		[ $? -eq "$n" ] && [ ! -s "$tmp/err" ] || wrong+=" $n"
	done
	[ -z "$wrong" ]
	report $? "exec: exit statuses are passed on${wrong:+, not$wrong}"
	wrong=
	for n in 1 2 3 6 9 10 11 12 13 14 15; do
		[ "$(wait_status -- sh -c 'kill -s $0 $$' "$n")" = "0:$n" ] || wrong+=" $n"
	done
	[ -z "$wrong" ]
	report $? "exec: a fatal signal is passed on${wrong:+, not$wrong}"
	[ "$(wait_status --size 4K -- sh -c 'exit 143')" = 143:0 ]
	report $? 'exec: an exit status that looks like a signal is none'
	printf 'nonsense' > "$tmp/bad"
	printf '#!/no/such/program\n' > "$tmp/worse"
	chmod +x "$tmp/bad" "$tmp/worse"
	run exec "$tmp/worse"
	[ "$status" -eq 127 ] && grep -q 'worse: No such file' "$tmp/err"
	report $? 'exec: a script without its interpreter: 127'
}

# Ready when it says so; then this signal, which it answers with status 7.
handed_on() {	# SIGNAL
	local child
	# Not what the one before said.
	: > "$tmp/out"
	"$tool" exec -- sh -c 'trap "exit 7" $0; echo ready; while :; do sleep 0.1; done' \
		"$1" > "$tmp/out" 2> "$tmp/err" &
	child=$!
	for _ in {1..300}; do
		grep -q ready "$tmp/out" && break
		sleep 0.1
	done
	kill -s "$1" $child
	wait $child
	[ $? -eq 7 ]
	report $? "exec: SIG$1 is handed on"
}

test_exec_signals() {
	local signal
	for signal in TERM HUP USR1 USR2 ALRM; do
		handed_on $signal
	done
	[ "$(trap '' CHLD; wait_status -- sh -c 'exit 5')" = 5:0 ]
	report $? 'exec: with SIGCHLD ignored by whoever started it'
}

# What its program finds.
test_exec_files() {
	prints '^3 [1-9][0-9]*$' exec -- sh -c 'echo $VMDEMO_FD $VMDEMO_SPACE'
	prints '^hello$' exec --size 64K --fd 7 -- sh -c \
		'printf hello >&$VMDEMO_FD; "$0" pages $VMDEMO_SPACE 0 >&2 && echo hello' true
	prints '^65536$' exec --size 64K --stdin -- wc -c
	run exec --size 64K --stdin --stdout -- sh -c 'printf hello; head -c 5 >&2'
	[ "$status" -eq 0 ] && [ ! -s "$tmp/out" ] && [ "$(cat "$tmp/err")" = hello ]
	report $? 'exec: standard input and output have positions of their own'
	prints '^0 1 2 3 4 $' exec --stdin --report "$tmp/report" -- sh -c \
		'ls /proc/self/fd | tr "\n" " "; echo'
	prints '^--stats --$' exec --size 1M -- echo --stats --
	prints '^budget  *7$' exec --budget 7 --policy lru -- sh -c \
		'"$0" info $VMDEMO_SPACE' "$tool"
	prints '^flags  *private$' exec --private --size 64K -- sh -c \
		'"$0" info $VMDEMO_SPACE' "$tool"
	prints '"sharers": *1,' exec --private --size 64K -- sh -c \
		'echo x >&3; "$0" pages --json $VMDEMO_SPACE' "$tool"
	prints '^policy  *random:seed=3$' exec -b 28K -p random:seed=3 -o trap -- sh -c \
		'"$0" info $VMDEMO_SPACE' "$tool"
	json exec -- sh -c '"$0" info $VMDEMO_SPACE --json' "$tool"
	refused 125 'at most' exec --budget 0xffffffff true
	refused 125 'not a multiple' exec --size 1000 true
	run exec < /dev/null -- cat <&-
	[ "$status" -eq 0 ]
	report $? 'exec: with standard input closed'
}

test_exec_page_size() {
	prints '^page_size  *2097152$' exec -P 2M -- sh -c '"$0" info $VMDEMO_SPACE' "$tool"
	prints '^budget  *64$' exec -b 4M --page-size 64K -- sh -c '"$0" info $VMDEMO_SPACE' "$tool"
	run exec -P 2M -b 4M -s 8M -o fault --stats -- sh -c 'head -c 8M /dev/zero >&3'
	[ "$status" -eq 0 ] && grep -q '^misses  *4$' "$tmp/err" && grep -q '^budget  *2$' "$tmp/err"
	report $? 'exec --page-size: frames and misses are of 2 MiB'
	refused 125 "observer 'trap': sees pages of 4K only" exec -P 64K -o trap true
	refused 125 'encryption: of pages of 4K only' exec -P 64K --encrypt true
	refused 125 'not a multiple of the page size, 2097152' exec -P 2M -s 1M true
	json exec -P 2M -- sh -c '"$0" info $VMDEMO_SPACE --json' "$tool"
}

test_exec_stats() {
	run exec --stats --budget 4 --size 64K -- sh -c \
		'head -c 64K /dev/urandom >&3; echo said'
	[ "$status" -eq 0 ] && [ "$(cat "$tmp/out")" = said ] &&
		grep -q '^misses  *16$' "$tmp/err" && grep -q '^budget  *4$' "$tmp/err"
	report $? 'exec --stats: on standard error'
	run exec --stats --json --size 64K -- sh -c 'echo said; exit 3'
	[ "$status" -eq 3 ] && [ "$(cat "$tmp/out")" = said ] && is_json "$tmp/err" &&
		grep -q '"exit_status": *3' "$tmp/err"
	report $? 'exec --stats --json: on standard error, and the status is passed on'
	printf '%099999d' 1 > "$tmp/report"
	[ "$(wait_status --report "$tmp/report" --json -- sh -c 'kill -9 $$')" = 0:9 ] &&
		is_json "$tmp/report" &&
		grep -q '"signal": *9' "$tmp/report"
	report $? 'exec --report --json: over an older, longer file'
	run exec --report /dev/full -- true
	[ "$status" -eq 125 ] && grep -q 'No space left' "$tmp/err"
	report $? 'exec --report: a full disk is a failure'
}

same() {	# TEXT FILE FILE
	cmp "$2" "$3" >> "$tmp/err" 2>&1
	report $? "$1"
}

# Unmodified programs on a file many times the budget, which ends within a page.
test_file_programs() {
	local sum size
	head -c 3000123 /dev/urandom > "$tmp/data"
	sum=$(sha256sum < "$tmp/data")
	size=$(stat -c %s "$tmp/data")
	prints "^${sum%% *} " exec --file "$tmp/data" -R --budget 16 --stdin -- sha256sum
	prints "^$size$" exec --file "$tmp/data" -R --budget 16 --stdin -- wc -c
	silent exec --file "$tmp/data" --budget 16 --stdin -- cmp - "$tmp/data"
	run exec --file "$tmp/data" --read-only -b 16 --policy lru --stdin -- cat
	mv "$tmp/out" "$tmp/copy" && : > "$tmp/out"
	same 'exec --file: cat' "$tmp/copy" "$tmp/data"
	: > "$tmp/copy"
	run exec --file "$tmp/copy" --size "$size" -b 16 --stdout -- \
		dd if="$tmp/data" bs=100000 status=none
	[ "$status" -eq 0 ] && cmp "$tmp/copy" "$tmp/data" >> "$tmp/out"
	report $? 'exec --file --size --stdout: dd'
	printf 'in the middle' > "$tmp/patch"
	run exec --file "$tmp/copy" --stdout -- dd if="$tmp/patch" seek=8190 bs=1 conv=notrunc
	dd if="$tmp/patch" of="$tmp/data" seek=8190 bs=1 conv=notrunc status=none
	[ "$status" -eq 0 ] && cmp "$tmp/copy" "$tmp/data" >> "$tmp/out"
	report $? 'exec --file --stdout: dd seek= changes what it is to change'
	run exec --file "$tmp/copy" -b 16 --stdin --stdout -- tr '\0-\377' '\1-\377\0'
	tr '\0-\377' '\1-\377\0' < "$tmp/data" > "$tmp/wanted"
	[ "$status" -eq 0 ] && cmp "$tmp/copy" "$tmp/wanted" >> "$tmp/out"
	report $? 'exec --file --stdin --stdout: a filter in place'
	run exec --file "$tmp/patch" --stdout -- cat "$tmp/data"
	[ "$status" -eq 1 ] && grep -q 'No space left' "$tmp/err" &&
		[ "$(stat -c %s "$tmp/patch")" = 13 ] && cmp -n 13 "$tmp/patch" "$tmp/data"
	report $? 'exec --file: writing does not make the file longer'
}

test_file_refusals() {
	printf '%05000d' 7 > "$tmp/file"
	cp "$tmp/file" "$tmp/wanted"
	run exec --file "$tmp/file" -R -- sh -c 'cat "$0" >&3' "$tmp/wanted"
	[ "$status" -eq 1 ] && grep -q 'Read-only file system' "$tmp/err" &&
		cmp "$tmp/file" "$tmp/wanted"
	report $? 'exec --read-only: nothing is written'
	refused 125 'the file is in use' exec --file "$tmp/file" -- "$tool" exec --file "$tmp/file" true
	refused 125 'the file is in use' exec --file "$tmp/file" -R -- "$tool" exec --file "$tmp/file" true
	silent exec --file "$tmp/file" -R -- "$tool" exec --file "$tmp/file" -R true
	refused 1 'the file is in use' exec --file "$tmp/file" -- "$tool" play --file "$tmp/file" 0
	refused 125 'to make it shorter use truncate' exec --file "$tmp/file" --size 1K true
	refused 125 'at most' exec --file "$tmp/file" --size 15000000T true
	refused 1 'opened for reading only' exec --file "$tmp/file" -R -- sh -c \
		'"$0" punch $VMDEMO_SPACE 0 4K' "$tool"
	refused 1 'opened for reading only' exec --file "$tmp/file" -R -- sh -c \
		'"$0" set $VMDEMO_SPACE size=9000' "$tool"
	: > "$tmp/empty"
	refused 1 'the file is empty' play --file "$tmp/empty" 0
	prints '^0$' exec --file "$tmp/empty" --stdin -- wc -c
	refused 1 'page 2: .* has 2 pages' play --file "$tmp/file" 2
	cmp "$tmp/file" "$tmp/wanted" > "$tmp/out"
	report $? 'what was refused has left the file alone'
	truncate -s 2000000T "$tmp/empty" 2> /dev/null || truncate -s 8T "$tmp/empty"
	refused 125 'longer than a space may be' exec --file "$tmp/empty" true
}

test_file_play() {
	head -c 20480 /dev/urandom > "$tmp/file"
	cp "$tmp/file" "$tmp/wanted"
	prints '^misses  *5$' play --file "$tmp/file" -R -q -p lru -f 3 0 1 2 0 4 1
	same 'play --read-only leaves the file alone' "$tmp/file" "$tmp/wanted"
	prints '^ *4 MISS \[4\] evicts 1 (dirty, written)$' play --file "$tmp/file" -f 1 1w 4
	json play --json --file "$tmp/file" -f 2 0 3w 1 3 2w 3
	cmp -l "$tmp/file" "$tmp/wanted" | awk '{ printf "%s ", $1 }' > "$tmp/out"
	[ "$(cat "$tmp/out")" = '4097 8193 12289 ' ]
	report $? 'play --file changes the first byte of the pages written to, no other'
	printf '%05000d' 7 > "$tmp/file"
	prints '^misses  *2$' play --file "$tmp/file" -q 0 1w
	[ "$(stat -c %s "$tmp/file")" = 5000 ]
	report $? 'play --file on the last, incomplete page: the file is as long as before'
}

test_file_set() {
	printf '%020480d' 7 > "$tmp/file"
	cp "$tmp/file" "$tmp/wanted"
	prints '^store  *file$' exec --file "$tmp/file" -- sh -c '"$0" info $VMDEMO_SPACE' "$tool"
	prints '^size  *5000$' exec --file "$tmp/file" -- sh -c \
		'"$0" set $VMDEMO_SPACE size=5000 && "$0" info $VMDEMO_SPACE' "$tool"
	truncate -s 5000 "$tmp/wanted"
	same 'set size= on a file: any number of bytes' "$tmp/file" "$tmp/wanted"
	prints '^flags  *readonly$' exec --file "$tmp/file" -R -- sh -c \
		'"$0" info $VMDEMO_SPACE' "$tool"
	json exec --file "$tmp/file" -R -- sh -c '"$0" info --json $VMDEMO_SPACE' "$tool"
	prints 'file  *readonly  vmdemoctl$' exec --file "$tmp/file" -R -- "$tool" list
	json exec --file "$tmp/file" -- "$tool" list --json
	prints 'file' info
	run exec --file "$tmp/file" --size 70000 -- true
	truncate -s 70000 "$tmp/wanted"
	[ "$status" -eq 0 ] && cmp "$tmp/file" "$tmp/wanted"
	report $? 'exec --file --size makes the file longer'
}

test_punch() {
	head -c 20000 /dev/urandom > "$tmp/file"
	cp "$tmp/file" "$tmp/wanted"
	json exec --file "$tmp/file" -- sh -c '"$0" punch $VMDEMO_SPACE 4K 8K --json' "$tool"
	dd if=/dev/zero of="$tmp/wanted" bs=4096 seek=1 count=2 conv=notrunc status=none
	same 'punch drops what it is to drop' "$tmp/file" "$tmp/wanted"
	silent exec --file "$tmp/file" -- sh -c '"$0" punch $VMDEMO_SPACE 16K end' "$tool"
	dd if=/dev/zero of="$tmp/wanted" bs=1 seek=16384 count=3616 conv=notrunc status=none
	same 'punch up to the end: the file is as long as before' "$tmp/file" "$tmp/wanted"
	prints '^punched  *2$' exec --size 64K -- sh -c \
		'head -c 64K /dev/urandom >&3; "$0" punch $VMDEMO_SPACE 8K 8K &&
		"$0" stats $VMDEMO_SPACE' "$tool"
	prints '^0000000  *\\0  *\\0  *x' exec --size 8K --stdin -- sh -c \
		'printf %08192d 1 | tr 01 xy >&3; "$0" punch $VMDEMO_SPACE 0 4K; tail -c +4095 | od -c -N 16' \
		"$tool"
	refused 1 'multiple of the page size, 4096 (but 4096, 8192)' exec -- sh -c \
		'"$0" punch $VMDEMO_SPACE 0 5000' "$tool"
	refused 1 'byte 69631 is past the end: the space has 65536' exec --size 64K -- sh -c \
		'"$0" punch $VMDEMO_SPACE 60K 8K' "$tool"
	refused 1 'a page is pinned: nothing' exec --size 64K -- sh -c \
		'"$0" advise $VMDEMO_SPACE pin 1 && "$0" punch $VMDEMO_SPACE 0 8K' "$tool"
}

test_block_device() {
	local loop
	head -c 1048576 /dev/urandom > "$tmp/image"
	modprobe loop 2> /dev/null
	loop=$(losetup -f --show "$tmp/image" 2> "$tmp/err")
	if [ -z "$loop" ]; then
		echo "# SKIP spaces on block devices: no loop device: $(cat "$tmp/err")"
		return
	fi
	run exec --file "$loop" -R -b 16 --stdin -- cat
	mv "$tmp/out" "$tmp/copy" && : > "$tmp/out"
	same 'exec --file on a block device: cat' "$tmp/copy" "$tmp/image"
	silent exec --file "$loop" -b 16 --stdout -- dd if=/dev/zero bs=4K count=3 status=none
	refused 125 'a block device keeps its size' exec --file "$loop" --size 2M true
	losetup -d "$loop"
	[ "$(head -c 12288 "$tmp/image" | tr -d '\0' | wc -c)" = 0 ]
	report $? 'exec --file on a block device: dd'
}

test_exec_device() {
	test_exec_status
	test_exec_signals
	test_exec_files
	test_exec_page_size
	test_exec_stats
	test_file_programs
	test_file_refusals
	test_file_play
	test_file_set
	test_punch
	test_block_device
}
