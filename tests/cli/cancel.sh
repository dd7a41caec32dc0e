# SPDX-License-Identifier: LGPL-2.1-or-later
# A C++ plugin cancelled by pthread_cancel in a C program runs its destructors; plugins
# that come and go harm nobody.
. "$TESTS/lib.sh"

record -o c.mlg "$VICTIMS/cancel" "$VICTIMS/plugin_guard.so" >out
equal "status" $status 0
equal "output" "$(cat out)" fine
whole c.mlg

record -o r.mlg "$VICTIMS/reload" "$VICTIMS/plugin_allocates.so" >out
equal "status of reload" $status 0
whole r.mlg
"$MALLOGRAPH" print --bytes -a0 -p0 -T0 -l1 -n 1000 r.mlg >report || fail "print"
leaked=$(awk '/plugin_allocate/ && last ~ /leaked/ {split(last, w, "[ B]"); sum += w[1]} {last = $0}
	END {print sum + 0}' report)
equal "leaked by plugin_allocate" "$leaked" $((60 * 20 * 1111))

record -o f.mlg "$VICTIMS/reload" "$VICTIMS/plugin_allocates.so" fork >out
equal "status of reload with forks" $status 0
equal "output" "$(cat out)" fine
equal "traces" "$(ls f.*mlg f.mlg | sort -u | wc -l)" 61

# a plugin's constructor waits for a thread that allocates
record -o l.mlg timeout 20 "$VICTIMS/loader" "$VICTIMS/plugin_starts_thread.so" >out
equal "status of loader" $status 0
equal "output of loader" "$(cat out)" fine
