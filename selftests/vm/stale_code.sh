#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Did an emulated CPU execute an int3 that is not in memory?
#
# usage: stale_code.sh LOG
#
# Exit status 0 if a kernel's log says so. It happens to CPUs that qemu emulates
# in parallel (7.2, threads of TCG): for a store that changes code, qemu first
# throws away what it made of that code and then does the store. Another CPU that
# comes there in between makes the same again, of the old bytes, and that stays.
# The kernel's own patching of jump labels writes an int3 for a moment; to meet it
# later is its end. The bytes that the kernel shows tell this apart from an int3
# that is there: the one before the marked byte is another.
set -euo pipefail

awk '/int3: [0-9a-f]+ \[#/ && !oops { oops = 1; next }
     oops && / Code: / {
	stale = /[0-9a-f][0-9a-f] <[0-9a-f][0-9a-f]>/ && !/cc <[0-9a-f][0-9a-f]>/
	exit
     }
     END { exit !stale }' "$@"
