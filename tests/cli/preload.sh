# SPDX-License-Identifier: LGPL-2.1-or-later
# LD_PRELOAD alone: the library starts the recorder; MALLOGRAPH_OPTIONS has its options.
. "$TESTS/lib.sh"

LD_PRELOAD=$LIB MALLOGRAPH_OPTIONS="-o x.mlg" "$VICTIMS/die" exit 321 >out 2>err
equal "status" $? 42
[ ! -s out ] && [ ! -s err ] || fail "says $(cat out err)"
wait_for "$MALLOGRAPH" print x.mlg
wait_for sh -c '! "$0" print x.mlg 2>&1 | grep -q "still recording"' "$MALLOGRAPH"
equal "allocations" "$(figure allocations x.mlg)" 321
whole x.mlg

# without options: the default name
LD_PRELOAD=$LIB "$VICTIMS/die" kill 99
equal "status" $? 137
wait_for sh -c 'ls mallograph.die.*.mlg'
wait_for sh -c '! "$0" print mallograph.die.*.mlg 2>&1 | grep -q "still recording"' "$MALLOGRAPH"
equal "allocations" "$(figure allocations mallograph.die.*.mlg)" 99

# nothing of ours is seen there either
LD_PRELOAD=$LIB MALLOGRAPH_OPTIONS="-o w.mlg" "$VICTIMS/waiter" >out 2>&1 || {
	cat out
	fail "waiter: status $?"
}
equal "output of waiter" "$(cat out)" fine

# An option that does not exist: one line, and the program runs.
LD_PRELOAD=$LIB MALLOGRAPH_OPTIONS="--no-such-thing" "$VICTIMS/die" exit 5 >out 2>err
equal "status with a wrong option" $? 42
equal "lines" "$(wc -l <err)" 1
grep -q -- --no-such-thing err || fail "does not name the option: $(cat err)"
LD_PRELOAD=$LIB MALLOGRAPH_OPTIONS="-o /nowhere/x.mlg" "$VICTIMS/die" exit 5 >out 2>err
equal "status with a wrong folder" $? 42
equal "lines" "$(wc -l <err)" 1
grep -q /nowhere/x.mlg err || fail "does not name the file: $(cat err)"

# A child subreaper could see the recorder: it runs unprofiled, and says what to do.
python3 - "$LIB" "$VICTIMS/waiter" >out 2>err <<'END'
import ctypes, os, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
os.environ["LD_PRELOAD"] = sys.argv[1]
os.execv(sys.argv[2], sys.argv[2:])
END
equal "status of a subreaper" $? 0
equal "its output" "$(cat out)" fine
grep -q 'mallograph record' err || fail "a subreaper is told nothing: $(cat err)"
equal "lines for a subreaper" "$(wc -l <err)" 1
