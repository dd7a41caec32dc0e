# SPDX-License-Identifier: LGPL-2.1-or-later
# Signal handlers that allocate ten thousand times a second; and more at once than the collector can
# keep while a handler has interrupted it: what is missing is counted, and everybody says so.
. "$TESTS/lib.sh"

storm() { # NAME MICROSECONDS PAIRS ROUNDS
	"$MALLOGRAPH" record -o "$1.mlg" "$VICTIMS/handler_storm" "$2" "$3" "$4" >"$1.out" 2>"$1.err"
	equal "status of $1" $? 0
	made=$(sed -n 's/^allocations=//p' "$1.out")
	at_least "handlers of $1" "$(sed -n 's/^handlers=//p' "$1.out")" 10
	lost=$(figure lost "$1.mlg")
	equal "unknown frees of $1" "$(figure unknown_frees "$1.mlg")" 0
}

storm fits 100 1 400000
equal "lost of 10,000 a second" "$lost" 0
equal "allocations of 10,000 a second" "$(figure allocations fits.mlg)" "$made"
whole fits.mlg

storm floods 300 400 1000000
at_least "lost of a flood" "$lost" 1
# Each pair that was lost is two events.
equal "allocations and half of the lost" $(($(figure allocations floods.mlg) + lost / 2)) "$made"
equal "blocks left" "$(figure leaked_blocks floods.mlg)" "$(figure leaked_blocks fits.mlg)"
grep -qE "^  lost +$lost  \(events" floods.err || fail "the summary: $(cat floods.err)"
"$MALLOGRAPH" print floods.mlg 2>&1 | grep -q "^lost events: $lost (in signal handlers)" ||
	fail "print does not say what is lost"
"$MALLOGRAPH" info floods.mlg | grep -q "lost events: $lost (in signal handlers)" ||
	fail "info does not say what is lost"
