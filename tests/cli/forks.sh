# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 120
# Processes that fork: none hangs, each has a trace, and blocks stay with whom allocated
# them.
. "$TESTS/lib.sh"

mkdir storm && cd storm || exit 1
record -o s.mlg "$VICTIMS/fork_storm" 200 >out 2>&1
equal "status" $status 0
equal "output" "$(cat out)" fine
equal "number of traces" "$(ls ./*.mlg | wc -l)" 201
whole s.mlg
equal "the parent's unknown frees" "$(figure unknown_frees s.mlg)" 0
equal "the parent's inherited frees" "$(figure inherited_frees s.mlg)" 0
children=0
for trace in s.*.mlg; do
	figures "$trace" >figures || fail "figures of $trace"
	grep -qx inherited_frees=100 figures || {
		cat figures
		fail "$trace: not 100 inherited frees"
	}
	grep -qx unknown_frees=0 figures || fail "$trace: unknown frees"
	grep -qx leaked_blocks=30 figures || {
		cat figures
		fail "$trace: not 30 blocks of its own"
	}
	children=$((children + 1))
done
equal "children" $children 200

mkdir ../chain && cd ../chain || exit 1
record -o c.mlg "$VICTIMS/fork_chain" 20
equal "status of the chain" $status 3
equal "traces of the chain" "$(ls ./*.mlg | wc -l)" 21
for trace in c.*.mlg; do
	[ "$trace" = c.mlg ] && continue
	equal "own blocks in $trace" "$(figure allocations "$trace")" 5
	equal "inherited frees in $trace" "$(figure inherited_frees "$trace")" 1
	equal "leaked in $trace" "$(figure leaked_blocks "$trace")" 5
done
equal "own blocks in c.mlg" "$(figure leaked_blocks c.mlg)" 5
# nothing is missing where a child frees what it has from its parent
trace=$(printf '%s\n' c.*.mlg | grep -vx c.mlg | head -n 1)
"$MALLOGRAPH" info "$trace" >info || fail "info: $?"
grep -qx 'missing         nothing' info || fail "$trace: $(cat info)"
grep -qx 'note            frees of inherited blocks: 1' info || fail "$trace: $(cat info)"
! "$MALLOGRAPH" print "$trace" | grep inherited || fail "print warns of inherited blocks"

# A handler forks within a hook, and the child goes on when its parent has done everything: what
# it still writes must not be where its parent's events wait for the recorder.
mkdir ../late && cd ../late || exit 1
# shellcheck disable=SC2016
"$MALLOGRAPH" record --no-symbols -o l.mlg sh -c 'until [ -s recorder ]; do :; done
	read -r recorder <recorder
	for instruction; do "$0" "$instruction" "$recorder"; echo "status=$?"; done' \
	"$VICTIMS/fork_stepped" $(seq 0 8 720) >out 2>err &
launcher=$!
wait_for recorder_of $launcher
echo "$recorder" >recorder
wait $launcher || fail "status $? of the late children's parents: $(cat err)"
pairs=$(sed -n 's/^expect allocations=//p' out | sort -u)
forked=$(grep -c '^status=0$' out)
[ "$forked" -ge 50 ] || fail "forked within $forked of the hooks' instructions"
equal "those that went wrong" "$(grep '^status=' out | grep -cv '=[03]$')" 0
for trace in l.*.mlg; do
	figure allocations "$trace"
done >all
equal "parents whose allocations are all told" "$(grep -cx "$pairs" all)" \
	"$(grep -c '^status=' out)"
