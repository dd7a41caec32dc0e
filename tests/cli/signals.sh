# SPDX-License-Identifier: LGPL-2.1-or-later
# Signals to the launcher reach the program; the death of the recorder frees it.
. "$TESTS/lib.sh"

# kill of the launcher ends the program, not only us
for signal in TERM HUP QUIT USR1 USR2; do
	env --default-signal "$MALLOGRAPH" record -q -o $signal.mlg "$VICTIMS/die" sleep 123 >out 2>err &
	launcher=$!
	wait_for grep -q ready out
	program=$(pgrep -P $launcher -x die) || fail "the program is no child of record"
	ulimit -c 0
	kill -$signal $launcher
	wait $launcher
	equal "status after SIG$signal" $? $((128 + $(kill -l $signal)))
	! kill -0 "$program" 2>/dev/null || fail "the program outlives SIG$signal to record"
	equal "allocations" "$(figure allocations $signal.mlg)" 123
	"$MALLOGRAPH" info $signal.mlg | grep -q SIG$signal || fail "info does not say SIG$signal"
	rm -f out
done

# the recorder: a process in a session of its own, neither the launcher nor the program
recorder_of() { # PROGRAM'S PID: whoever has its shared memory mapped and is not it
	local inode process
	inode=$(awk '/SYSV/ {print $5; exit}' "/proc/$1/maps")
	[ -n "$inode" ] || return 1
	for process in /proc/[0-9]*; do
		process=${process#/proc/}
		[ "$process" = "$1" ] || [ "$process" = "$2" ] && continue
		grep -q "SYSV.*" "/proc/$process/maps" 2>/dev/null || continue
		awk -v inode="$inode" '/SYSV/ && $5 == inode {found = 1} END {exit !found}' \
			"/proc/$process/maps" 2>/dev/null && echo "$process" && return 0
	done
	return 1
}

"$MALLOGRAPH" record -q -o r.mlg "$VICTIMS/ticker" 4 >ticks 2>err &
launcher=$!
wait_for grep -q . ticks
program=$(pgrep -P $launcher -x ticker) || fail "the program is no child of record"
recorder=$(recorder_of "$program" $launcher) || fail "no recorder found"
[ "$(ps -o sid= -p "$recorder" | tr -d ' ')" != "$(ps -o sid= -p "$program" | tr -d ' ')" ] ||
	fail "the recorder is in the program's session"
# what is older than a second must be in the trace

sleep 1.5
before=$(wc -l <ticks)
kill -KILL "$recorder"
wait_for sh -c "test $before -lt \$(wc -l <ticks)"
wait $launcher
result=$?
grep -q '^done' ticks || fail "the program did not go on"
[ $result = 0 ] || [ $result = 125 ] || fail "status $result after the recorder's death"
"$MALLOGRAPH" print r.mlg >out 2>err
equal "status of print of what is left" $? 1
grep -qh 'cut off' out err || fail "print does not say cut off: $(cat err)"
at_least "allocations in what is left" "$(figure allocations r.mlg)" 1000
# no gap of seconds: the program was not held up
python3 - "$(tail -n 1 ticks | tr -dc 0-9)" <<'END' || fail "the program hardly went on"
import sys
sys.exit(0 if int(sys.argv[1]) > 100000 else 1)
END
