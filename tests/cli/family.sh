# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs started by fork, vfork, posix_spawn, system, popen and every exec: each has its
# own trace; --follow-fork=no keeps to the first.
. "$TESTS/lib.sh"

record -o f.%p.mlg "$VICTIMS/family" "$VICTIMS/die" >out 2>&1
equal "status" $status 0
equal "output" "$(cat out)" fine
for trace in f.*.mlg; do
	whole "$trace"
	figure allocations "$trace"
done | sort -n >counts
for count in 101 102 103 104 105 106 107 108 109 110 111; do
	grep -qx $count counts || {
		cat counts
		fail "no trace with $count allocations"
	}
done
for trace in f.*.mlg; do
	"$MALLOGRAPH" info "$trace" >info
	grep -qE '^command +((.*/)?die return 1..|.*/family .*|sh -c .*)$' info || fail "$trace: $(grep command info)"
done

mkdir alone && cd alone || exit 1
for how in --follow-fork=no --follow-fork=0; do
	[ $how = --follow-fork=0 ] && rm -f ./*.mlg
	record $how -o a.mlg "$VICTIMS/family" "$VICTIMS/die" >out 2>&1
	equal "status with $how" $status 0
	equal "output with $how" "$(cat out)" fine
	equal "traces with $how" "$(ls ./*.mlg)" ./a.mlg
	whole a.mlg
done
rm -f ./*.mlg
record --follow-fork=no -o a.mlg "$VICTIMS/fork_storm" 20 >out 2>&1
equal "status of fork_storm" $status 0
equal "traces of fork_storm" "$(ls ./*.mlg)" ./a.mlg
whole a.mlg
