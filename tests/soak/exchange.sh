# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 1800
# 8 threads exchange 4 million blocks, 20 times: not one event without its partner.
. "$TESTS/lib.sh"

for run in $(seq 20); do
	record -o exchange.mlg "$VICTIMS/exchange" 8 4000000 >out
	equal "status of run $run" $status 0
	equal "unknown frees of run $run" "$(figure unknown_frees exchange.mlg)" 0
	equal "lost events of run $run" "$(figure lost exchange.mlg)" 0
	equal "unmatched events of run $run" "$(figure unmatched exchange.mlg)" 0
	at_least "deallocations of run $run" "$(figure deallocations exchange.mlg)" 4000000
	[ "$(figure leaked_blocks exchange.mlg)" -le 8 ] || fail "leaks in run $run"
	echo "run $run: $(figure allocations exchange.mlg) allocations"
done
