# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Pages that are not just one page of 4K of one space: play --page-size, and the
# page map of top. Sourced by cli.sh.
# shellcheck disable=SC2154 # its variables

test_play_pages_usage() {
	refused 2 'page size of 8192 bytes: of a space it is one of 4K, 64K, 2M' \
		play --page-size 8K 1
	refused 2 "page size '3000': not a power of two" play -P 3000 1
}

test_play_pages_device() {
	prints ' observer accessed, 4 pages of 2M$' play -P 2M -f 2 1 1 2w 3
	prints '^misses  *3$' play -q -P 2M -f 2 1 1 2w 3
	prints '^mapped_huge  *[1-9]' play -q -P 2M -f 2 0 1w 2 0
	prints '^ 0 MISS \[0\] evicts 1 (dirty, ' play -P 64K -p fifo -o fault -f 1 0 1w 0
	prints '"page_size": *65536' play -P 64K -f 2 --json 0 1
	prints '"page_size": *4096' play -f 2 --json 0 1
	echo '0 16w 0 32' > "$tmp/refs"
	prints ', 33 pages of 64K$' play -P 64K -f 2 --trace "$tmp/refs"
	prints ', 33 pages$' play -P 8K -f 2 --trace "$tmp/refs"
	refused 2 "observer 'trap': sees pages of 4K only" play -P 2M -o trap 1
	refused 2 'encryption: of pages of 4K only' play -P 64K --encrypt 1
}

# A program that looks at its own space with top, as text and as JSON.
top_program() {	# PROGRAM OPTIONS...
	local program=$1

	shift
	run exec --policy fifo --observer accessed --fd 5 "$@" -- python3 -c '
import json, mmap, os, subprocess, sys
tool, size = sys.argv[1], int(sys.argv[2])
page = int(sys.argv[3])
m = mmap.mmap(5, size)
def touch(first, end):
    for i in range(first, end):
        m[i * page] = 1
def top():
    ask = [tool, "top", "--once", "-d", "0.05", os.environ["VMDEMO_SPACE"]]
    at = json.loads(subprocess.check_output(ask + ["--json"]))["selected"]["map"]
    rows = [r[11:] for r in subprocess.check_output(ask, text=True).split("\n")
            if r.startswith("         0 ")]
    # The same, but that an accessed bit may come to be known meanwhile.
    assert [r.lower() for r in rows] == [at["cells"].lower()], (rows, at["cells"])
    return at["cells"], at["counts"], at["mapped"]
def in_child(work):
    pid = os.fork()
    if not pid:
        work()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
def wants(cells, was):
    import re
    assert re.fullmatch(cells, was[0]), was
'"$program" "$tool" "$size" "$page"
}

# What is one space is shared as memory is: each page is one, and says so.
test_top_two_processes() {
	local size=262144 page=4096

	top_program '
def child():
    sum(m[i * page] for i in range(8))
    seen = top()
    wants("={8}[.]{56}", seen)
    assert seen[1]["shared"] == 8 and seen[2] == 8, seen
touch(0, 8)
wants("[dD]{8}[.]{56}", top())
in_child(child)
wants("[dD]{8}[.]{56}", top())
' --size $size --budget 64
	[ "$status" -eq 0 ]
	report $? 'top: one space in two processes'
}

test_top_private() {
	local size=262144 page=4096

	top_program '
touch(0, 8)
wants("[dD]{8}[.]{56}", top())
r, w = os.pipe()
s, x = os.pipe()
pid = os.fork()
if not pid:
    os.read(r, 1)
    touch(0, 3)
    os.write(x, b"1")
    os.read(r, 1)
    os._exit(0)
seen = top()
wants("={8}[.]{56}", seen)
assert seen[1]["shared"] == 8, seen
os.write(w, b"1")
os.read(s, 1)
# Three of them have a copy now.
seen = top()
wants("[drDR]{3}={5}[.]{56}", seen)
assert seen[1]["shared"] == 5, seen
os.write(w, b"1")
assert os.waitpid(pid, 0)[1] == 0
seen = top()
wants("[drDR]{8}[.]{56}", seen)
' --private --size $size --budget 64
	[ "$status" -eq 0 ]
	report $? 'top: pages shared with a child until one of them writes'
}

test_top_huge() {
	local size=16777216 page=2097152

	top_program '
touch(0, 3)
seen = top()
wants("H{3}[.]{5}", seen)
assert seen[1]["huge"] == 3 and seen[1]["absent"] == 5, seen
' --page-size 2M --size $size --budget 8
	[ "$status" -eq 0 ]
	report $? 'top: pages of 2 MiB'
}

test_pages_device() {
	test_play_pages_device
	if ! command -v python3 > /dev/null; then
		echo "# SKIP top's page map: no python3"
		return
	fi
	test_top_two_processes
	test_top_private
	test_top_huge
}
