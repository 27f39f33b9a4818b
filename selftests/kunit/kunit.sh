#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Load the KUnit module, as root in a guest whose kernel has KUnit, and count
# its results: one for each line of the vectors.
#
# usage: kunit.sh MODULE.ko VECTORS
set -u

ko=${1:?usage: kunit.sh MODULE.ko VECTORS}
vectors=${2:?usage: kunit.sh MODULE.ko VECTORS}
results=/sys/kernel/debug/kunit/vmdemo_policy/results
text=

want=$(grep -cvE '^(#|$)' "$vectors")
if insmod "$ko"; then
	text=$(cat $results)
	rmmod "$(basename "$ko" .ko)"
fi

# The vectors are the innermost results: a level below the one test there is.
passed=$(grep -cE '^ {8}ok ' <<<"$text")
failed=$(grep -cE '^ {8}not ok ' <<<"$text")
grep -E '^ {8}(not )?ok |^ +#' <<<"$text" | sed 's/^ *//'
if [ $((passed + failed)) != "$want" ]; then
	echo "not ok - $((passed + failed)) results of $want vectors"
	failed=$((failed + 1))
elif ! grep -q '^ok ' <<<"$text" && [ "$failed" = 0 ]; then
	echo "not ok - the suite failed, but no vector did"
	failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
