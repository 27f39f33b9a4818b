#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test the VM runner itself: statuses, output, splats, time limits. TAP output.
set -euo pipefail

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$VM_DIR/lib.sh"

usage() {
	cat <<'END'
usage: test-run.sh [--kernel V]

Test run.sh and build-module.sh with kernel series V (default 6.1), which
setup.sh must have made ready.
END
}

kernel=6.1
case ${1:-} in
--kernel) need_value "$1" $# && check_kernel_name "$2" && kernel=$2 ;;
-h | --help) usage && exit 0 ;;
"") ;;
*) die "unknown argument '$1' (see --help)" ;;
esac

tmp=$(mktemp -d "${TMPDIR:-/tmp}/vmdemo-test.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
n=0
failed=0

# report NAME CONDITION...
report() {
	local name=$1
	shift
	n=$((n + 1))
	if "$@"; then
		echo "ok $n $name"
	else
		echo "not ok $n $name"
		sed 's/^/# /' "$tmp/out" "$tmp/err" | tail -n 40
		failed=1
	fi
}

# vm OPTIONS...: its status is left in $status, its output in two files.
vm() {
	status=0
	"$VM_DIR/run.sh" --kernel "$kernel" --timeout 120 --payload "$tmp/payload" "$@" \
		>"$tmp/out" 2>"$tmp/err" </dev/null || status=$?
}

# shellcheck disable=SC2317 # called by report
status_is() {
	[ "$status" -eq "$1" ]
}

# said STATUS TEXT out|err
# shellcheck disable=SC2317 # called by report
said() {
	[ "$status" -eq "$1" ] && grep -q -- "$2" "$tmp/$3"
}

make_module() {
	mkdir -p "$tmp/src" "$tmp/payload"
	echo 'obj-m := vmsplat.o' >"$tmp/src/Kbuild"
	cat >"$tmp/src/vmsplat.c" <<'END'
// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
static int __init vmsplat_init(void)
{
	WARN(1, "vmsplat: on purpose\n");
	return 0;
}
static void __exit vmsplat_exit(void)
{
}
module_init(vmsplat_init);
module_exit(vmsplat_exit);
MODULE_DESCRIPTION("A kernel warning on purpose");
MODULE_LICENSE("GPL");
END
	"$VM_DIR/build-module.sh" --kernel "$kernel" --src "$tmp/src" \
		--out "$tmp/payload" >"$tmp/out" 2>"$tmp/err"
}

# Much output, file systems, blank disks, quoting, reopened /dev/stderr: one VM.
make_script() {
	cat >"$tmp/payload/everything" <<'END'
#!/bin/bash
set -e
[ "$1" = 'two words' ] && [ -z "$2" ] && [ "$PWD" = /payload ]
echo to stderr >/dev/stderr
for m in brd xfs btrfs zram nbd fuse loop; do modprobe "$m"; done
mkfs.ext4 -q /dev/vmdisk0 && mount /dev/vmdisk0 /mnt && echo data >/mnt/file
[ "$(blockdev --getsize64 /dev/vmdisk1)" = 8388608 ]
[ -d /sys/kernel/debug/tracing ] && [ -e /sys/fs/cgroup/cgroup.procs ]
seq 100000
exit 42
END
	chmod +x "$tmp/payload/everything"
}

test_everything() {
	vm --disk 64M --disk 8M -- ./everything 'two words' ''
	report "a script that uses the guest returns its status" status_is 42
	report "all output arrives in order" \
		cmp -s <(echo to stderr && seq 100000) "$tmp/out"
}

test_splat() {
	vm -- insmod vmsplat.ko
	report "a WARN fails the run" said "$STATUS_DIED" 'vmsplat: on purpose' err
	vm --splats ignore -- sh -c 'insmod vmsplat.ko && exit 3'
	report "--splats ignore returns the command's status" status_is 3
}

test_death() {
	vm --timeout 20 -- sh -c 'echo started; sleep 1000'
	report "the time limit ends a hang" said "$STATUS_TIMEOUT" started out
	vm -- sh -c 'echo c >/proc/sysrq-trigger; sleep 100'
	report "a panic is noticed" said "$STATUS_DIED" 'Kernel panic' err
}

test_usage() {
	vm --disk many -- true
	report "a wrong --disk is refused" said 2 'disk many' err
	vm --nonsense 1 -- true
	report "a wrong option is refused" said 2 nonsense err
}

STATUS_TIMEOUT=124
STATUS_DIED=125
# Consoles that run.sh keeps after a failure end with the test.
export TMPDIR=$tmp
make_module || { cat "$tmp/err" >&2 && die "cannot build the test's module"; }
make_script
test_usage
test_everything
test_splat
test_death
echo "1..$n"
exit "$failed"
