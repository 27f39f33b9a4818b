#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Build the Debian packages, in two versions; look at them with lintian; build
# the module from them with DKMS, here and not as root, as a compiler in an
# emulated machine takes ten minutes; then install, upgrade and purge them in a VM
# (debian_guest.sh). The last line is "N passed, N failed".
# shellcheck disable=SC2317 # most functions are called through check
set -uo pipefail

TESTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(dirname "$TESTS_DIR")
# shellcheck source=vm/lib.sh
. "$TESTS_DIR/vm/lib.sh"
# shellcheck source=checks.sh
. "$TESTS_DIR/checks.sh"
work_dir debian
tmp=$REPLY
use_ccache
trap 'rm -rf "$tmp" "$said"' EXIT
tree=$tmp/build/vmdemo
payload=$TOP/build/payload-debian
unset KDIR KERNELRELEASE DESTDIR PREFIX INSTALL_MOD_PATH MAKEFLAGS MAKELEVEL MFLAGS
export LC_ALL=C.UTF-8

copy_tree() {
	mkdir -p "$tree"
	(cd "$TOP" && git ls-files -co --exclude-standard |
		while read -r f; do [ ! -e "$f" ] || echo "$f"; done |
		tar -c -T -) | tar -x -C "$tree"
}

# build_packages VERSION [OPTION...]: they go to $payload/VERSION.
build_packages() {
	local version=$1

	shift
	(cd "$tree" && DEB_BUILD_OPTIONS="parallel=$(nproc) nocheck noautodbgsym" \
		nice dpkg-buildpackage -b -us -uc "$@") || return 1
	mkdir -p "$payload/$version"
	mv "$tmp/build"/*_"$version"_*.deb "$payload/$version/"
}

# lintian wants the packages beside the list of changes, and not to be root.
lint() {
	cp "$payload/$1"/*.deb "$tmp/build/" &&
		lintian --allow-root --display-info --fail-on error,warning,info \
			"$tmp/build/vmdemo_$1_"*.changes >"$tmp/lintian" 2>&1
	local status=$?

	cat "$tmp/lintian"
	return $status
}

# Whatever lintian finds, even what does not make it fail.
lintian_silent() {
	! grep -E '^[EWIP]: ' "$tmp/lintian"
}

contents() {
	local deb

	for deb in "$payload/$1"/*.deb; do
		dpkg-deb -c "$deb"
	done
}

# Every verb that the tool itself knows has a page, and completion knows it.
documented() {
	local verb missing=0

	contents "$1" >"$tmp/contents"
	for verb in $("$tree/tools/vmdemoctl" --help | awk 'verbs { print $1 } /^Verbs/ { verbs = 1 } /^$/ { verbs = 0 }'); do
		grep -q "/man8/vmdemoctl-$verb.8.gz\$" "$tmp/contents" ||
			{ echo "no page: $verb" && missing=1; }
		grep -qE "^_vmdemoctl_verbs='(.* )?$verb( .*)?'" "$tree/tools/completion/vmdemoctl" ||
			{ echo "no completion: $verb" && missing=1; }
	done
	[ -n "${verb:-}" ] && [ $missing = 0 ]
}

# A next version: nothing else is another than its number.
next_version() {
	local entry=$tmp/entry

	sed -i "s/\"$one\"/\"$two\"/" "$tree/module/version.h" "$tree/dkms.conf"
	{
		printf 'vmdemo (%s) unstable; urgency=medium\n\n  * Next.\n\n' "$two"
		sed -n '/^ -- /{p;q}' "$tree/debian/changelog"
		echo
		cat "$tree/debian/changelog"
	} >"$entry"
	mv "$entry" "$tree/debian/changelog"
	# Not all of it again.
	rm -f "$tree/tools/vmdemoctl.o" "$tree/debian/debhelper-build-stamp"
}

# dkms_here VERSION COMMAND [OPTION...]: on the package's own source.
dkms_here() {
	local version=$1 command=$2

	shift 2
	dkms "$command" --dkmstree "$tmp/dkms-$version" --sourcetree "$tmp/root-$version/usr/src" \
		"vmdemo/$version" "$@"
}

# What the package's installation does where headers are.
dkms_build() {
	mkdir -p "$tmp/dkms-$1" &&
		dpkg-deb -x "$payload/$1"/vmdemo-dkms_*.deb "$tmp/root-$1" &&
		dkms_here "$1" add &&
		dkms_here "$1" build -k "$release" --kernelsourcedir "$headers" >"$tmp/dkms-said" 2>&1
	local status=$?

	cat "$tmp/dkms-said"
	[ $status = 0 ] || cat "$tmp/dkms-$1/vmdemo/$1/build/make.log"
	return $status
}

no_complaint() {
	! grep -iE 'deprecated|warning' "$tmp/dkms-said"
}

dkms_tarball() {
	dkms_here "$1" mktarball -k "$release" --binaries-only \
		--archive "$payload/$1/vmdemo.dkms.tar.gz"
}

release=$(cat "$(kernel_dir 6.1)/release") || exit 1
headers=$(headers_path 6.1 "$release")
rm -rf "$payload"
mkdir -p "$payload"
copy_tree || exit 1
one=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$tree/dkms.conf")
two=${one%.*}.99
check "dpkg-buildpackage" build_packages "$one" || { sum_up; exit; }
check "lintian" lint "$one"
check "lintian has nothing to say" lintian_silent
check "a page, and completion, for each verb" documented "$one"
check "dkms build, from the package" dkms_build "$one"
check "without complaint about dkms.conf" no_complaint
check "dkms mktarball" dkms_tarball "$one"
next_version
check "dpkg-buildpackage, the next version" build_packages "$two" -nc
check "dkms build, the next version" dkms_build "$two"
check "dkms mktarball, the next version" dkms_tarball "$two"
cp "$TESTS_DIR"/{debian_guest,checks}.sh "$payload/"
sum_up || exit
"$TESTS_DIR/vm/run.sh" --kernel 6.1 --cpus 1 --low-res --rootfs dkms --udev --timeout 1500 \
	--payload "$payload" -- ./debian_guest.sh "$one" "$two"
