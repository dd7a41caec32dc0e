# SPDX-License-Identifier: LGPL-2.1-or-later
# A second thread records its first event while the first is at it: events have had no stamps
# until then, and from then on blocks go to and fro. While a thread records nothing, none has a stamp.
. "$TESTS/lib.sh"

# Each thread gets what the other gave back, at once.
export GLIBC_TUNABLES=glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1
for start in 1 2 3 {100..3900..190}; do
	record -o late.mlg "$VICTIMS/late_thread" "$start" >out
	equal "status from $start on" $status 0
	figures late.mlg >figures
	while IFS='=' read -r name expected; do
		equal "$name from $start on" "$(sed -n "s/^$name=//p" figures)" "$expected"
	done < <(sed -n 's/^expect //p' out)
done

"$BUILD/bench/driver" --count -o driven "$VICTIMS/late_thread" 0 >out
count() { # NAME
	sed -n "1s/.* $1=\([0-9]*\).*/\1/p" driven
}
at_least 'allocations of one thread of two' "$(count alloc)" 4000
equal 'stamps beside those of times' "$(count stamped)" "$(count time)"
"$BUILD/bench/driver" --count -o driven.both "$VICTIMS/late_thread" 1 >out
mv driven.both driven
at_least 'stamps of two threads' "$(count stamped)" 8000
