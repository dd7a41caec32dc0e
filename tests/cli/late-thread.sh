# SPDX-License-Identifier: LGPL-2.1-or-later
# A second thread records events while the first is at it, which was alone for a while: its events
# had no stamps until then, and now blocks go to and fro. While a thread records nothing, there are none.
. "$TESTS/lib.sh"

as_announced() { # VICTIM ARGUMENT...
	record -o late.mlg "$VICTIMS/$1" "${@:2}" >out
	equal "status of $*" $status 0
	figures late.mlg >figures
	while IFS='=' read -r name expected; do
		equal "$name of $*" "$(sed -n "s/^$name=//p" figures)" "$expected"
	done < <(sed -n 's/^expect //p' out)
}

# Each thread gets what the other gave back, at once.
export GLIBC_TUNABLES=glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1
for start in 1 2 3 3001 12000; do
	as_announced late_thread "$start"
done

# The second one's first event lies within a call of the first, or the other way round.
for how in realloc zero delete; do
	as_announced late_return $how
	as_announced late_return $how quiet
	as_announced late_return $how other
	as_announced late_return $how alone
	as_announced late_return $how handler
done

"$BUILD/bench/driver" --count -o driven "$VICTIMS/late_thread" 0 >out
count() { # NAME
	sed -n "1s/.* $1=\([0-9]*\).*/\1/p" driven
}
at_least 'allocations of one thread of two' "$(count alloc)" 640000
# (a reallocation's first half, where the time is due, has one)
at_least 'times, and stamps beside them' $((2 * $(count time))) "$(count stamped)"
"$BUILD/bench/driver" --count -o driven.both "$VICTIMS/late_thread" 8000 >out
mv driven.both driven
at_least 'stamps of two threads' "$(count stamped)" $(($(count time) + 40))
