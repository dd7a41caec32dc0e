# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 120
# tier: test
# Children of all kinds, each with a trace of its own that is exact: daemons, forks from threads,
# clone(), a thousand at once; and a signal to the whole group.
. "$TESTS/lib.sh"
OWN=50 # offspring.c

# All traces here but the first: so many, of OWN blocks each, and nothing else.
children_are() { # HOW COUNT
	local own="(allocations|leaked_blocks)=$OWN|(lost|unknown_frees)=0" trace count=0
	for trace in "$1".[0-9]*.mlg; do
		[ "$(figures "$trace" | grep -cxE "$own")" = 4 ] || fail "$trace: $(figures "$trace")"
		count=$((count + 1))
	done
	equal "traces of children by $1" $count "$2"
}

has_children() { # HOW BLOCKS CHILDREN
	"$VICTIMS/offspring" "$1" >native || fail "$1 alone: $?"
	record -o "$1.mlg" "$VICTIMS/offspring" "$1" >out
	equal "status of $1" $status 0
	cmp native out || fail "the output of $1 differs"
	[ ! -s record.err ] || fail "$1: says $(cat record.err)"
	whole "$1.mlg"
	equal "allocations of $1" "$(figure allocations "$1.mlg")" "$2"
	children_are "$1" "$3"
}

# A thread has libc's block, and allocates before and behind the fork.
has_children threads $((OWN + 4 * (1 + 2 * OWN))) 4
has_children clone $OWN 10
has_children reaper $OWN 2
# Of 1,000 each other one allocates nothing, and has no trace.
has_children quick $OWN 500

# The daemon outlives record; its trace is finished behind it.
record -o daemon.mlg "$VICTIMS/offspring" daemon "$PWD/fine"
equal "status of the daemon" $status 0
wait_for grep -qx fine fine
whole daemon.mlg
equal "allocations" "$(figure allocations daemon.mlg)" $OWN
wait_for test -e daemon.3.mlg
for trace in daemon.[23].mlg; do
	wait_for sh -c '! "$0" info "$1" 2>&1 | grep -q "still recording"' "$MALLOGRAPH" "$trace"
	whole "$trace"
done
children_are daemon 2

# PID 1 of a namespace of its own.
if unshare -p -f true 2>/dev/null; then
	record -o one.mlg unshare -p -f "$VICTIMS/die" exit 321
	equal "status of PID 1" $status 42
	wait_for sh -c '! "$0" info one.2.mlg 2>&1 | grep -q "still recording"' "$MALLOGRAPH"
	equal "allocations of PID 1" "$(figure allocations one.2.mlg)" 321
	whole one.2.mlg
	# By LD_PRELOAD alone it would see the recorder: it runs, and says why it is not recorded.
	LD_PRELOAD=$LIB MALLOGRAPH_OPTIONS="-o none.mlg" MALLOGRAPH_SESSION=off \
		unshare -p -f env -u MALLOGRAPH_SESSION "$VICTIMS/die" exit 5 >out 2>err
	equal "status of PID 1 by LD_PRELOAD" $? 42
	[ ! -e none.mlg ] || fail "PID 1 has started a recorder"
	grep -q 'PID 1' err || fail "PID 1 is told nothing: $(cat err)"
fi

# kill of the whole group: the program gets the signal once, as without us.
cat >group.py <<'END_PY'
import os, signal, subprocess, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
program = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, start_new_session=True)
program.stdout.readline()
if "HELD" in os.environ:  # the launcher comes when the program has had it: two would not be one
    os.kill(program.pid, signal.SIGSTOP)
os.killpg(program.pid, signal.SIGINT)
if "HELD" in os.environ:
    program.stdout.readline()
    os.kill(program.pid, signal.SIGCONT)
sys.exit(program.wait() & 0xff)
END_PY
python3 group.py "$VICTIMS/interrupted" 77
equal "interrupts alone" $? 41
HELD=1 python3 group.py "$MALLOGRAPH" record -q -o interrupted.mlg "$VICTIMS/interrupted" 77
equal "interrupts of the group, recorded" $? 41
equal "allocations" "$(figure allocations interrupted.mlg)" 77
whole interrupted.mlg
python3 group.py "$MALLOGRAPH" record -q -o killed.mlg "$VICTIMS/die" sleep 78
equal "status after SIGINT to the group" $? 130
equal "allocations" "$(figure allocations killed.mlg)" 78
whole killed.mlg

# A program that has left the group gets it from the launcher; and so does one whose launcher is
# meant by its name or its command line.
python3 group.py "$MALLOGRAPH" record -q -o apart.mlg setsid "$VICTIMS/interrupted" 79
equal "interrupts of another group" $? 41
for way in '-f out=[b]y-name' '-x mallograph'; do
	sed "s/os.killpg.*/os.system('pkill -INT --session %d $way' % program.pid)/" group.py >by.py
	python3 by.py "$MALLOGRAPH" record -q -o out=by-name.mlg "$VICTIMS/interrupted" 80
	equal "interrupts by pkill $way" $? 41
done
