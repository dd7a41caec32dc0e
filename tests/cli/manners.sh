# SPDX-License-Identifier: LGPL-2.1-or-later
# The program's surroundings are as without us: input, output, environment, process group,
# limits; and record is gone when the program is.
. "$TESTS/lib.sh"

equal "input and output" "$(echo 'a line' | "$MALLOGRAPH" record -q -o i.mlg cat 2>&1)" 'a line'
"$MALLOGRAPH" record -q -o o.mlg sh -c 'echo out; echo err >&2; exit 3' >out 2>err
equal "status" $? 3
equal "stdout" "$(cat out)" out
equal "stderr" "$(cat err)" err

env | sort >native.env
"$MALLOGRAPH" record -q -o e.mlg env | sort >recorded.env
diff native.env recorded.env | grep '^[<>]' | grep -vE '^[<>] (LD_PRELOAD|MALLOGRAPH_[A-Z]+|_)=' &&
	fail "the environment differs"

# group, session, mask of new files, working folder, niceness, blocked signals
show='ps -o pgid=,sid=,ni= -p $$; umask; pwd; ulimit -a; grep -E "Sig(Blk|Ign|Cgt)" /proc/self/status'
(umask 027 && sh -c "$show") >native.out
(umask 027 && "$MALLOGRAPH" record -q -o g.mlg sh -c "$show") >recorded.out
diff native.out recorded.out || fail "the surroundings differ"

# A child that lives on holds neither record nor the pipe of whoever reads its output.
start=$SECONDS
text=$("$MALLOGRAPH" record -o 'b.%p.mlg' sh -c 'sleep 8 >/dev/null 2>&1 & echo hello' 2>summary)
equal "text" "$text" hello
[ $((SECONDS - start)) -lt 6 ] || fail "record waits for a child that lives on"
last=$(grep -l . b.*.mlg | while read -r trace; do
	"$MALLOGRAPH" info "$trace" 2>&1 | grep -q 'still recording' && echo "$trace"
done)
[ -n "$last" ] || fail "no trace is still being recorded"
grep -q '1 more process still running: its trace is finished in the background$' summary || fail "$(cat summary)"
wait_for sh -c "! '$MALLOGRAPH' info '$last' 2>&1 | grep -q 'still recording'"
whole "$last"
