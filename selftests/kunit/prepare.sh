#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Put the sources of vmdemo_policy_kunit.ko together, for vm/build-module.sh:
# the module's own policies, the engine in miniature, the vectors as an array.
#
# usage: prepare.sh DIR [VECTORS]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
dir=${1:?usage: prepare.sh DIR [VECTORS]}
vectors=${2:-$top/selftests/policy/vectors.txt}

rm -rf "$dir"
mkdir -p "$dir"/{module/policy,engine,kunit,uapi}
cp "$here/Kbuild" "$dir/"
cp "$top"/module/policy/*.[ch] "$dir/module/policy/"
cp "$top"/tools/sim.[ch] "$dir/engine/"
cp "$top"/uapi/vmdemo_{why,queues}.h "$dir/uapi/"
cp "$here"/*.[ch] "$dir/kunit/"
awk -f "$here/vectors.awk" "$vectors" >"$dir/kunit/vectors.h"
