# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
# run without a device: part of cli.sh, which has the functions that report. (On
# the device: selftests/run.sh.) SC2154: tool, tmp, status are there.

# A program that the loader has no part in, as far as its head tells.
make_static() {	# FILE CLASS
	# 64 bytes of an ELF head without program headers, that is without PT_INTERP.
	{ printf '\177ELF%b' "\\0$2\\01\\01" && head -c 57 /dev/zero; } > "$1"
	chmod +x "$1"
}

test_run_usage() {
	refused 125 'PROGRAM is missing' run
	refused 125 'PROGRAM is missing' run --quiet --
	refused 125 'unrecognized option' run --nope true
	refused 125 'unknown policy' run --policy nope true
	refused 125 'at least 1 frame' run --budget 0 true
	refused 125 'unknown observer' run --observer eye true
	refused 125 "size '1x': " run --size 1x true
	refused 125 "'budget' is given twice" run -b 1 -b 2 true
	refused 125 "page-size '64K': the heap is in a private space" run --page-size 64K true
	refused 125 "page-size '2M': .* pages of 4K only" run -P 2M true
	refused 125 "page-size '8K': one of 4K, 64K, 2M" run --page-size 8K true
	refused 127 'no-such: no such program in PATH' run -P 4K no-such
	refused 125 "interval '0': seconds from" run --interval 0 true
	refused 125 "interval '1s': seconds from" run -i 1s true
	refused 127 'no-such: no such program in PATH' run no-such
	refused 126 'Permission denied' run /etc/passwd
	make_static "$tmp/static" 2
	refused 126 'statically linked' run "$tmp/static"
	make_static "$tmp/static" 1
	refused 126 'a 32-bit program' run "$tmp/static"
	rm "$tmp/static"
}
