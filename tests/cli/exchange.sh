# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 100
# Blocks handed between threads: each free finds its allocation, whatever the order of
# arrival.
. "$TESTS/lib.sh"

for threads in 2 8 16; do
	record -o exchange.mlg "$VICTIMS/exchange" $threads 800000 >out
	equal "status with $threads threads" $status 0
	equal "frees of unknown blocks" "$(figure unknown_frees exchange.mlg)" 0
	equal "lost events" "$(figure lost exchange.mlg)" 0
	equal "deallocations" "$(figure deallocations exchange.mlg)" \
		$(($(sed -n 's/^expect deallocations=//p' out) + $(figure allocations exchange.mlg) - \
			$(figure leaked_blocks exchange.mlg) - 800000))
	at_least "allocations" "$(figure allocations exchange.mlg)" 800001
	[ "$(figure leaked_blocks exchange.mlg)" -le $threads ] ||
		fail "$(figure leaked_blocks exchange.mlg) blocks leaked with $threads threads"
	second_reader exchange.mlg
done
