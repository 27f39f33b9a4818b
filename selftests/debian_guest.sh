#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# In a VM: install the packages, use them, upgrade, purge. The module was built
# by DKMS elsewhere: what it made of it is put where a package's installation
# looks for that before it builds anything.
#
# usage: debian_guest.sh VERSION NEXT-VERSION, beside directories of these names
# shellcheck disable=SC2317 # functions are called through check
set -uo pipefail
cd "$(dirname "$0")" || exit 1
# shellcheck source=checks.sh
. ./checks.sh
one=$1
two=$2
release=$(uname -r)
built=/usr/share/vmdemo-dkms

# The image's own packages were installed without manual pages and such.
install() {
	mkdir -p $built &&
		cp "$1/vmdemo.dkms.tar.gz" "$built/vmdemo-$1.dkms.tar.gz" &&
		dpkg --path-include='/usr/share/man/*' --path-include='/usr/share/doc/*' -i "$1"/*.deb
}

status_is() {
	dkms status vmdemo | grep "^vmdemo/$1.*: $2" && [ "$(dkms status vmdemo | wc -l)" = 1 ]
}

module_is() {
	modinfo -F filename vmdemo | grep -x "/lib/modules/$release/updates/dkms/vmdemo.ko" &&
		modinfo -F version vmdemo | grep -x "$1"
}

not_loaded_by_itself() {
	[ ! -e /sys/module/vmdemo ] && [ ! -e /dev/vmdemo ] &&
		! grep -rs vmdemo /etc/modules /etc/modules-load.d /usr/lib/modules-load.d
}

loads() {
	modprobe vmdemo && udevadm settle && ls -l /dev/vmdemo &&
		[ "$(stat -c '%F %a %U %G' /dev/vmdemo)" = "character special file 660 root vmdemo" ]
}

# A user who is in no group but, perhaps, this one.
as_user() {
	local groups=(--clear-groups)

	[ -z "$1" ] || groups=(--groups "$1")
	shift
	setpriv --reuid nobody --regid nogroup "${groups[@]}" "$@"
}

plays() {
	as_user vmdemo vmdemoctl play --policy fifo --frames 3 1w 2w 3w 4w 1 2 5 1 2 3 4 5 |
		tee "$said.play" && grep -x 'misses  *9' <(tr -s ' ' <"$said.play")
}

others_may_not() {
	! as_user "" vmdemoctl info && as_user "" vmdemoctl list
}

module_said() {
	vmdemoctl info | grep -w "$1"
}

completes() {
	# shellcheck disable=SC1091 # it is in the guest
	. /usr/share/bash-completion/bash_completion
	_completion_loader vmdemoctl
	COMP_WORDS=(vmdemoctl play --policy si) COMP_CWORD=3
	_vmdemoctl vmdemoctl
	echo "${COMPREPLY[@]}"
	[ "${COMPREPLY[*]}" = "sieve sieve-a" ]
}

documented() {
	[ -e /usr/share/man/man8/vmdemoctl.8.gz ] && [ -e /usr/share/man/man4/vmdemo.4.gz ] &&
		[ -e /usr/share/doc/vmdemo-tools/lab/README.md ] &&
		[ -e /usr/share/doc/vmdemo-tools/examples/modules-load.d/vmdemo.conf ]
}

# All files, but those in which others write down what they did; and groups.
everything() {
	find / \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp \
		-o -path /payload -o -path /var/log -o -path /var/cache \) -prune -o -print |
		grep -vxE '/var/lib/dkms/mok\..*|/var/lib/dpkg/.*-old|/etc/g?(group|shadow)-|/lib/modules/.*'
	getent group | sort
	grep -r vmdemo /usr/lib/modules/"$release"/modules.dep /var/lib/dpkg/{status,triggers} \
		/etc --exclude='*-' 2>/dev/null
}

nothing_left() {
	everything | sort >"$said.after"
	diff "$said.before" "$said.after"
}

# A program has the module in use all the time.
keep_busy() {
	vmdemoctl exec --size 1M -- sleep 600 &
	user=$!
	for _ in {1..100}; do
		! grep . /proc/vmdemo/spaces || return 0
		sleep 0.2
	done
	return 1
}

everything | sort >"$said.before"
check "dpkg -i" install "$one"
check "DKMS has installed the module" status_is "$one" installed
check "it is not loaded, nor will be at boot" not_loaded_by_itself
check "the group vmdemo" getent group vmdemo
check "manual pages, the course, examples" documented
check "it is where modprobe looks first" module_is "$one"
check "modprobe; the device is the group's" loads
check "a member of the group can use it" plays
check "others cannot" others_may_not
check "completion" completes
check "a program uses it" keep_busy
check "dpkg -i of the next version" install "$two"
check "DKMS has that, and only that" status_is "$two" installed
check "the module in use is the old one still" module_said "$one"
check "the next module is in its place" module_is "$two"
check "the program ends" kill "${user:-0}"
wait "${user:-}"
check "modprobe -r" modprobe -r vmdemo
check "modprobe of the next one" loads
check "it is the next one" module_said "$two"
check "a member of the group can use that, too" plays
check "dpkg -r of the module, which is loaded" dpkg -r vmdemo-dkms
check "the tool works with it still" plays
check "rmmod: there is no file of it any more" rmmod vmdemo
check "there is no module to load" eval '! modprobe vmdemo'
check "dpkg -P" dpkg -P vmdemo-dkms vmdemo-tools libvmdemo-preload
rm -r $built
check "nothing is left" nothing_left
sum_up
