#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Run one command in a throw-away virtual machine and check the kernel's log.
set -euo pipefail

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$VM_DIR/lib.sh"

STATUS_TIMEOUT=124
STATUS_DIED=125
CONSOLE_TAIL=60
KVM_PROBE_SECONDS=15

usage() {
	cat <<'END'
usage: run.sh [options] --payload DIR -- COMMAND [ARGS]
       run.sh [options] [--payload DIR] --interactive

Boot a VM, run COMMAND in it as root with DIR (read-only) mounted at /payload
and as working directory, pass its output on, and check the kernel's log.

  --kernel V         kernel series: 6.1 (default), 6.12 or 7.2
  --kernel-dir DIR   any other kernel: DIR/vmlinuz, bzImage, arch/x86/boot/bzImage
                     or boot/vmlinuz-*, and its modules (if any) in DIR/lib/modules
                     or DIR/modules/lib/modules
  --cpus N           (default 2)
  --mem MIB          (default 1024)
  --accel A          auto (default: KVM if a kernel really boots with it), kvm, tcg
  --parallel         the emulated CPUs run at the same time, each in a thread of its
                     own, as those of KVM do; without it they take turns. Where
                     CPUs wait for one another, that costs several times less
  --low-res          the guest's timers expire with its ticks, which go on when it is
                     idle: a fifth less work for an emulated CPU that is busy
  --levels N         of page tables of emulated CPUs: 4 (default) or 5; not with
                     --kernel-dir
  --icount           the guest's clock counts its instructions; one CPU, TCG
  --disk SIZE        a blank disk, for example 512M; repeatable. In the guest they
                     are /dev/vmdisk0, /dev/vmdisk1 and so on
  --disk FILE        a disk whose content stays in FILE, which is there and has a
                     slash in its name; it has a cache that can be flushed
  --rootfs NAME      base (default) or dkms
  --udev             start udevd in the guest before COMMAND
  --timeout SECONDS  for all of it, boot included (default 600)
  --append WORDS     more words for the kernel's command line; repeatable
  --log FILE         where the kernel's console goes (default: a temporary file,
                     kept only if something went wrong)
  --splats MODE      what to do about BUG, WARNING and the like in the kernel's
                     log: fail (default) or ignore
  --interactive      a shell on the VM's console instead of COMMAND, with no time
                     limit; leave it with "exit". It is DIR/shell, if that is there

exit status: COMMAND's; 124 if the time was up; 125 if the VM died, or the
kernel's log has a splat; 2 for wrong usage.
environment: VMDEMO_CACHE, see setup.sh.
END
}

kernel=6.1
kernel_src=
cpus=2
levels=4
mem=1024
accel=auto
parallel=
low_res=
icount=
disks=()
rootfs=base
udev=
limit=600
append=
log=
splats=fail
interactive=
payload=
command=()

parse_args() {
	while [ $# -gt 0 ]; do
		case $1 in
		--parallel) parallel=1 && shift && continue ;;
		--low-res) low_res=1 && shift && continue ;;
		--icount) icount=1 && shift && continue ;;
		--udev) udev=1 && shift && continue ;;
		--interactive) interactive=1 && shift && continue ;;
		-h | --help) usage && exit 0 ;;
		--) shift && command=("$@") && break ;;
		--*) need_value "$1" $# ;;
		*) die "unexpected argument '$1': put the command after -- (see --help)" ;;
		esac
		case $1 in
		--kernel) check_kernel_name "$2" && kernel=$2 ;;
		--kernel-dir) kernel_src=$2 ;;
		--cpus) cpus=$2 ;;
		--mem) mem=$2 ;;
		--levels) levels=$2 ;;
		--accel) accel=$2 ;;
		--disk) disks+=("$2") ;;
		--rootfs) rootfs=$2 ;;
		--timeout) limit=$2 ;;
		--append) append+=" $2" ;;
		--log) log=$2 ;;
		--splats) splats=$2 ;;
		--payload) payload=$2 ;;
		*) die "unknown option '$1' (see --help)" ;;
		esac
		shift 2
	done
}

# check_count OPTION VALUE: a positive whole number.
check_count() {
	[[ $2 =~ ^[1-9][0-9]*$ ]] || die "$1 $2: must be a positive whole number"
}

check_args() {
	local size
	check_count --cpus "$cpus"
	[ "$levels" = 4 ] || [ -z "$kernel_src" ] || die "--levels and --kernel-dir exclude each other"
	case $levels in 4 | 5) ;; *) die "--levels $levels: must be 4 or 5" ;; esac
	check_count --mem "$mem"
	check_count --timeout "$limit"
	case $accel in auto | kvm | tcg) ;; *) die "--accel $accel: must be auto, kvm or tcg" ;; esac
	case $splats in fail | ignore) ;; *) die "--splats $splats: must be fail or ignore" ;; esac
	for size in ${disks[@]+"${disks[@]}"}; do
		[[ $size =~ ^[1-9][0-9]*[KMG]?$ ]] || [[ $size == */* && -w $size ]] ||
			die "--disk $size: must be a number of bytes, or one with K, M or G," \
				"or a file that can be written"
	done
	[ -n "$interactive" ] || [ ${#command[@]} -gt 0 ] ||
		die "no command: put it after --, or use --interactive"
	[ -n "$interactive" ] || [ -n "$payload" ] || die "--payload DIR is missing"
	[ -z "$payload" ] || [ -d "$payload" ] || die "--payload $payload: no such directory"
	[ -z "$kernel_src" ] || [ -d "$kernel_src" ] ||
		die "--kernel-dir $kernel_src: no such directory"
	if [ -n "$icount" ]; then
		[ "$accel" != kvm ] || die "--icount works under TCG only: drop --accel kvm"
		accel=tcg
		cpus=1
	fi
}

#
# Starting and ending
#

work=
log_is_temporary=
qemu_pid=

# shellcheck disable=SC2317 # called by a trap
cleanup() {
	if [ -n "$qemu_pid" ]; then
		# This is timeout(1), in a process group of its own with qemu in it.
		kill -KILL -- "-$qemu_pid" || kill -KILL "$qemu_pid" || true
		wait "$qemu_pid" || true
	fi 2>/dev/null
	[ -z "$work" ] || rm -rf "$work"
	[ -z "$log_is_temporary" ] || rm -f "$log"
}

start_work() {
	work=$(mktemp -d "${TMPDIR:-/tmp}/vmdemo-run.XXXXXX")
	trap cleanup EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	[ -n "$log" ] || {
		log=$(mktemp "${TMPDIR:-/tmp}/vmdemo-console.XXXXXX")
		log_is_temporary=1
	}
	: >"$log" || die "--log $log: cannot be written"
}

# Whatever kills this script, even SIGKILL, also ends what it started.
tied() {
	exec setpriv --pdeathsig KILL "$@"
}

#
# Choosing the kernel and the accelerator
#

find_vmlinuz() {
	local f newest=
	for f in "$1"/vmlinuz "$1"/bzImage "$1"/arch/x86/boot/bzImage; do
		[ ! -e "$f" ] || { echo "$f" && return; }
	done
	for f in "$1"/boot/vmlinuz-*; do
		[ ! -e "$f" ] || newest=$f
	done
	[ -n "$newest" ] || die "--kernel-dir $1: no vmlinuz, bzImage," \
		"arch/x86/boot/bzImage or boot/vmlinuz-* in it"
	echo "$newest"
}

foreign_kernel_key() {
	echo "$VM_IMAGE_FORMAT $1"
	stat -Lc '%n %s %y' "$2"
	[ ! -d "$3/lib/modules" ] ||
		find "$3/lib/modules/" -name modules.order -exec stat -c '%s %y' {} +
}

# Like a kernel of setup.sh, in an entry of the cache that goes with the content.
foreign_kernel_dir() {
	local src vmlinuz modules key dir tmp
	src=$(readlink -f "$1")
	vmlinuz=$(find_vmlinuz "$src") || exit
	# debug-kernel.sh installs them below modules.
	modules=$src
	[ ! -d "$src/modules/lib/modules" ] || modules=$src/modules
	key=$(foreign_kernel_key "$src" "$vmlinuz" "$modules" | sha256sum | cut -c 1-12)
	dir=$VMDEMO_CACHE/kernel-dir-$key
	if [ ! -e "$dir/complete" ]; then
		tmp=$(mktemp -d "$VMDEMO_CACHE/.tmp.run.XXXXXX")
		make_bootable "$vmlinuz" "$modules" "$tmp" >&2
		mv -T "$tmp" "$dir" 2>/dev/null || rm -rf "$tmp"
	fi
	echo "$dir"
}

# probe_kvm KERNEL: does a kernel get as far as running a program? That /dev/kvm
# opens says nothing on a nested machine.
probe_kvm() {
	local dir=$work/probe
	[ -w /dev/kvm ] || return 1
	mkdir -p "$dir"/{bin,dev,proc}
	cp "$VMDEMO_CACHE/busybox/bin/busybox" "$dir/bin/"
	cp "$VM_DIR/guest/probe" "$dir/init"
	pack_cpio "$dir" >"$work/probe.cpio"
	timeout -k 1 "$KVM_PROBE_SECONDS" setpriv --pdeathsig KILL \
		qemu-system-x86_64 -machine q35 -accel kvm -cpu host -m 512 -nodefaults \
		-no-user-config -display none -no-reboot -kernel "$1" \
		-initrd "$work/probe.cpio" -append "console=ttyS0 panic=-1" \
		-serial stdio </dev/null 2>/dev/null | grep 'vm-probe: alive' >/dev/null
}

# The answer holds until the host is booted again.
detect_accel() {
	local boot answer=tcg
	boot=$(cat /proc/sys/kernel/random/boot_id)
	exec 8>"$VMDEMO_CACHE/accel.lock"
	flock 8
	if [ "$(cut -d ' ' -f 1 "$VMDEMO_CACHE/accel" 2>/dev/null)" != "$boot" ]; then
		say "trying KVM (at most $KVM_PROBE_SECONDS s, once)"
		! probe_kvm "$1" || answer=kvm
		echo "$boot $answer" >"$VMDEMO_CACHE/accel.new"
		mv "$VMDEMO_CACHE/accel.new" "$VMDEMO_CACHE/accel"
		say "using $answer"
	fi
	exec 8>&-
	cut -d ' ' -f 2 "$VMDEMO_CACHE/accel"
}

#
# What the VM gets
#

# The command travels as a file, one NUL after each argument: nothing to quote.
make_run_cpio() {
	local dir=$work/initrd
	mkdir -p "$dir/vm"
	cp "$VM_DIR/guest/init" "$dir/init"
	cp "$VM_DIR/guest/stage2" "$dir/vm/stage2"
	printf '%s\0' ${command[@]+"${command[@]}"} >"$dir/vm/command"
	[ -z "$interactive" ] || touch "$dir/vm/interactive"
	[ -z "$udev" ] || touch "$dir/vm/udev"
	pack_cpio "$dir"
}

make_payload() {
	local dir=${payload:-$work/empty}
	mkdir -p "$work/empty"
	tree_to_ext4 "$dir" "$work/payload.ext4"
}

accel_options() {
	local threads=single la57=off

	[ "$levels" = 4 ] || la57=on
	[ -z "$parallel" ] || threads=multi
	if [ -n "$icount" ]; then
		# Nothing may depend on the host's clock or randomness.
		qemu+=(-accel "tcg,thread=single" -icount "shift=0,sleep=off" -smp 1
			-cpu qemu64 -rtc "base=2024-01-01,clock=vm" -seed 1
			-object "rng-builtin,id=rng")
		return
	fi
	qemu+=(-smp "$cpus" -object "rng-random,filename=/dev/urandom,id=rng")
	if [ "$accel" = kvm ]; then
		qemu+=(-accel kvm -cpu host)
	else
		# Five-level paging makes every TLB miss of the emulation dearer, and
		# "rep movsb" (erms) goes byte by byte; a CPU that waits for another
		# burns the time that one should have, where the host has fewer.
		qemu+=(-accel "tcg,thread=$threads"
			-cpu "max,la57=$la57,-erms")
	fi
}

# add_disk NAME FILE OPTIONS: the guest finds it by its serial number, NAME.
add_disk() {
	qemu+=(-drive "if=none,id=$1,file=$2,format=raw,$3"
		-device "virtio-blk-pci,drive=$1,serial=$1")
}

disk_options() {
	local i
	add_disk root "$rootfs_image" readonly=on
	add_disk modules "$kdir/modules.ext4" readonly=on
	add_disk payload "$work/payload.ext4" readonly=on
	for i in "${!disks[@]}"; do
		[[ ${disks[i]} != */* ]] ||
			{ add_disk "blank$i" "${disks[i]}" cache=writeback && continue; }
		truncate -s "${disks[i]}" "$work/blank$i"
		add_disk "blank$i" "$work/blank$i" cache=unsafe,discard=unmap
	done
}

kernel_command_line() {
	local words="console=ttyS0 panic=-1 printk.devkmsg=on mitigations=off cryptomgr.notests"
	# An emulated CPU of a busy host can stand still for long: also while it
	# counts whether its timer ticks ("IO-APIC + timer doesn't work").
	[ "$accel" != tcg ] ||
		words+=" watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=60 no_timer_check"
	[ -z "$low_res" ] || words+=" highres=off nohz=off"
	# What runs at another address is translated anew: half the time of whatever
	# begins many programs. They have random ones where CPUs run side by side.
	[ "$accel" != tcg ] || [ -n "$icount$parallel" ] || words+=" norandmaps"
	echo "$words$append"
}

# It is what unpacks the kernel that goes over to five levels.
kernel_file() {
	if [ "$levels" = 5 ]; then
		echo "$kdir"/boot/vmlinuz-*
	else
		echo "$kdir/kernel"
	fi
}

# The kernel's console and the command's output are two channels: the first goes
# to the log, the second is a virtio port that ends in a FIFO.
build_qemu() {
	qemu=(qemu-system-x86_64 -machine q35 -nodefaults -no-user-config -display none -no-reboot
		-m "$mem" -kernel "$(kernel_file)" -initrd "$work/initrd.cpio"
		-append "$(kernel_command_line)"
		-device virtio-serial-pci
		-chardev "file,id=status,path=$work/status"
		-device "virtserialport,chardev=status,name=status")
	accel_options
	qemu+=(-device "virtio-rng-pci,rng=rng")
	disk_options
	if [ -n "$interactive" ]; then
		qemu+=(-chardev "stdio,id=con,signal=off,logfile=$log" -serial chardev:con)
	else
		qemu+=(-chardev "file,id=out,path=$work/out"
			-device "virtserialport,chardev=out,name=out" -serial "file:$log")
	fi
}

prepare() {
	need_tool qemu-system-x86_64
	need_tool mke2fs
	need_tool cpio
	if [ -n "$kernel_src" ]; then
		kdir=$(foreign_kernel_dir "$kernel_src") || exit
	else
		kdir=$(kernel_dir "$kernel") || exit
	fi
	rootfs_image=$(rootfs_path "$rootfs") || exit
	[ -e "$rootfs_image" ] || die "no root file system '$rootfs':" \
		"run selftests/vm/setup.sh$([ "$rootfs" = base ] || echo " --$rootfs")"
	[ "$accel" != auto ] || accel=$(detect_accel "$kdir/kernel")
	{ cat "$kdir/initrd.cpio" && make_run_cpio; } >"$work/initrd.cpio"
	make_payload
	build_qemu
}

# What a run has left behind is gone, what blank disks hold above all.
prepare_again() {
	rm -f "$work/out" "$work/status" "$work"/blank*
	build_qemu
}

#
# Running, and judging what happened
#

# qemu makes its output non-blocking, which must not happen to a file or terminal
# that others share: hence the FIFO and cat. That qemu's standard output is the
# FIFO too makes sure that cat comes to an end, even if qemu does not start.
run_qemu() {
	local copier rc=0
	mkfifo "$work/out"
	cat "$work/out" &
	copier=$!
	tied timeout -k 2 "$limit" setpriv --pdeathsig KILL "${qemu[@]}" \
		>"$work/out" 2>"$work/qemu.err" </dev/null &
	qemu_pid=$!
	wait "$qemu_pid" || rc=$?
	qemu_pid=
	wait "$copier" || true
	return "$rc"
}

run_interactive() {
	local rc=0 tty=
	tty=$(stty -g 2>/dev/null) || true
	setpriv --pdeathsig KILL "${qemu[@]}" 2>"$work/qemu.err" || rc=$?
	[ -z "$tty" ] || stty "$tty"
	return "$rc"
}


show_console() {
	[ ! -s "$work/qemu.err" ] || sed 's/^/qemu: /' "$work/qemu.err" >&2
	say "the last $CONSOLE_TAIL lines of the console:"
	tail -n "$CONSOLE_TAIL" "$log" | tr -d '\r' >&2
	log_is_temporary=
	say "the whole console: $log"
}

# fail_vm STATUS MESSAGE
fail_vm() {
	say "$2"
	show_console
	exit "$1"
}

emulation_failed() {
	[ -n "$parallel" ] && [ "$accel" = tcg ] && "$VM_DIR/stale_code.sh" "$log"
}

# Once more, at most twice, where the emulation has failed and not the kernel.
run_emulated() {
	local rc=0 more

	for more in 2 1 0; do
		rc=0
		run_qemu || rc=$?
		if [ "$more" = 0 ] || ! emulation_failed; then
			break
		fi
		say "qemu executed code that is not in memory (see stale_code.sh," \
			"$log.stale): once more"
		mv "$log" "$log.stale"
		prepare_again
	done
	return "$rc"
}

judge() {
	local rc=$1 status found
	# timeout(1) says 124, or 137 when it had to use SIGKILL.
	if [ "$rc" -eq 124 ] || [ "$rc" -eq 137 ]; then
		fail_vm "$STATUS_TIMEOUT" "the time limit of $limit s was reached"
	fi
	status=$(sed -n 's/^exit //p' "$work/status" 2>/dev/null || true)
	if [ "$splats" = fail ] && ! found=$("$VM_DIR/../splats.sh" "$log"); then
		say "the kernel's log has a splat (the command's exit status: ${status:-none}):"
		printf '%s\n' "$found" >&2
		fail_vm "$STATUS_DIED" "failed because of the splat above"
	fi
	[ -n "$status" ] ||
		fail_vm "$STATUS_DIED" "the VM ended before the command did (qemu's exit status: $rc)"
	exit "$status"
}

parse_args "$@"
check_args
start_work
prepare
rc=0
if [ -n "$interactive" ]; then
	run_interactive || rc=$?
else
	run_emulated || rc=$?
fi
judge "$rc"
