# SPDX-License-Identifier: LGPL-2.1-or-later
# What the loader can do to a preloaded library: libraries that find another malloc, a libc of their
# own, plugins found as their caller says, deleted files, modules of libc's own.
. "$TESTS/lib.sh"
need valgrind

plugin=plugin_allocates.so
for how in deep namespace plain; do
	# Without a slash: found by load_past's own RUNPATH, so the hook is no caller.
	"$VICTIMS/load_past" $how $plugin >native || fail "load_past $how alone: $?"
	"$MALLOGRAPH" record -o $how.mlg "$VICTIMS/load_past" $how $plugin >out 2>$how.err
	equal "status of $how" $? 0
	cmp native out || fail "$how: the output differs"
	"$MALLOGRAPH" print -n 1000 -s0 -p0 -T0 $how.mlg >$how.out || fail "print of $how"
	grep -A1 '^50 calls' $how.out | grep -qx main || fail "$how: not 50 calls of main itself"
	case $how in
	plain) said=0 ;;
	*) said=1 ;;
	esac
	equal "$how: the summary says so" "$(grep -c 'RTLD_DEEPBIND or dlmopen' $how.err)" $said
	equal "$how: info says so" "$("$MALLOGRAPH" info $how.mlg |
		grep -c 'libraries not recorded: 1')" $said
done
# what it allocated where we could not see, freed where we could
equal "unknown frees of deep" "$(figure unknown_frees deep.mlg)" 100
equal "unknown frees of namespace" "$(figure unknown_frees namespace.mlg)" 0
equal "unknown frees of plain" "$(figure unknown_frees plain.mlg)" 0
grep -A1 '^100 calls' plain.out | grep -qx plugin_allocate || fail "plain: not 100 of the plugin"

# A file that is gone when its symbols are read: it was opened while it was mapped.
cp "$VICTIMS/$plugin" gone.so
mkfifo answer
"$MALLOGRAPH" record -q -o gone.mlg "$VICTIMS/deleted_plugin" ./gone.so <answer >out 2>err &
launcher=$!
exec 7>answer
wait_for grep -q ready out
sleep 0.1
echo >&7
wait $launcher
equal "status of deleted_plugin" $? 0
whole gone.mlg
"$MALLOGRAPH" print -n 10 -s0 -p0 -T0 gone.mlg >out || fail "print"
grep -A1 '^100 calls' out | grep -qx plugin_allocate || fail "no name: $(cat out)"
equal "leaked bytes of the plugin" "$("$MALLOGRAPH" print --bytes -n 10 -s0 -a0 -p0 -T0 -l1 gone.mlg |
	grep -B1 -x plugin_allocate | sed -n 's/B\? leaked.*//p')" $((100 * 1111))

# libc's own modules: what ten rounds more allocate, free and ask for is memcheck's.
ours() { # ROUNDS: allocations, deallocations, bytes
	record -o "l$1.mlg" "$VICTIMS/lookups" "$1" >out
	equal "status of lookups" $status 0
	equal "output" "$(cat out)" fine
	whole "l$1.mlg"
	echo "$(figure allocations "l$1.mlg") $(figure deallocations "l$1.mlg") $(figure bytes "l$1.mlg")"
}
theirs() { # ROUNDS
	valgrind --run-libc-freeres=no --undef-value-errors=no "$VICTIMS/lookups" "$1" 2>&1 |
		sed -n 's/,//g; s/.*usage: \([0-9]*\) allocs \([0-9]*\) frees \([0-9]*\) bytes.*/\1 \2 \3/p'
}
minus() {
	awk '{for (i = 1; i <= 3; i++) printf "%d ", $(i + 3) - $i}' <<<"$1 $2"
}
more=$(minus "$(ours 1)" "$(ours 11)")
equal "ten rounds of lookups" "$more" "$(minus "$(theirs 1)" "$(theirs 11)")"
at_least "allocations of ten rounds" "${more%% *}" 100
