#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What `vmdemoctl top` shows of two programs, on a terminal of 100x32: as root, where
# the module is loaded. Prints what was sent to the terminal; screen.py draws it:
#
#	docs/pictures/top.sh > bytes; docs/pictures/screen.py 100x32 < bytes > top.svg
#	chromium --headless --screenshot=top.png --window-size=856,560 top.svg
#
# usage: top.sh [VMDEMOCTL [TERMINAL.PY]]
set -u

here=$(cd "$(dirname "$0")" && pwd)
tool=${1:-$here/../../tools/vmdemoctl}
terminal=${2:-$here/../../tools/tests/terminal.py}

# Some pages often, most seldom, and one after the other on the way.
"$tool" exec --size 4M --budget 256 --policy arc --fd 5 -- python3 -c '
import mmap, random, time
m = mmap.mmap(5, 4 << 20)
random.seed(5)
end = time.time() + 120
scan = 0
while time.time() < end:
    for i in range(60):
        p = min(int(random.paretovariate(0.9) * 6), 700)
        if random.random() < 0.4:
            m[p * 4096] = 1
        else:
            x = m[p * 4096]
    scan = (scan + 7) % 1024
    x = m[scan * 4096]
    time.sleep(random.random() * 0.02)
' &
first=$!
"$tool" exec --size 1M --budget 64 --policy clock --fd 5 -- python3 -c '
import mmap, time
m = mmap.mmap(5, 1 << 20)
end = time.time() + 120
while time.time() < end:
    for i in range(80):
        m[i * 4096] = 1
    time.sleep(0.05)
' &
second=$!
until space=$(awk '/ size=4194304 / { print $1 }' /proc/vmdemo/spaces) && [ -n "$space" ]; do
	sleep 0.2
done
sleep 5
# Killed, so that what it showed stays.
TERM=linux "$terminal" 100x32 see:misses/s 'run:sleep 30' kill:9 -- "$tool" top "$space"
kill $first $second
wait $first $second 2> /dev/null
