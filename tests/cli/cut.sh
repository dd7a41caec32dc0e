# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: test
# timeout: 120
# A trace cut off anywhere prints what precedes the cut, says so, and exits 1. More bytes
# never make fewer figures.
. "$TESTS/lib.sh"

record -o t.mlg "$VICTIMS/temporary_threads" >/dev/null
record -o u.mlg "$VICTIMS/ticker" 2.5 >/dev/null
equal "status" $status 0

cut() { # FILE BYTES: allocations in what is left, or - where nothing can be used
	head -c "$2" "$1" >cut.mlg
	timeout 20 "$MALLOGRAPH" print --bytes cut.mlg >out 2>err
	status=$?
	[ $status = 1 ] || {
		cat out err
		fail "$1 cut at $2: status $status"
	}
	grep -qhE 'cut off|empty|not a mallograph trace' out err ||
		fail "$1 cut at $2: does not say it: $(cat err)"
	grep -q '^mallograph: ' err || fail "$1 cut at $2: nothing on stderr"
	left=$(sed -n 's/^calls to allocation functions: \([0-9]*\).*/\1/p' out)
	left=${left:--}
}

for trace in t.mlg u.mlg; do
	size=$(stat -c %s $trace)
	step=$((size / 60 + 1))
	last=0
	for at in $(seq 1 17) $(seq 31 $step $((size - 1))) $((size - 2)) $((size - 1)); do
		cut $trace "$at"
		[ "$left" = - ] && left=0
		[ "$left" -ge "$last" ] || fail "$trace cut at $at: $left allocations, before $last"
		last=$left
	done
	echo "$trace: $size bytes, $last allocations without the last byte"
	at_least "allocations without the last byte of $trace" "$last" \
		"$(figure allocations $trace)"
done

# Damage is no cut, but as plain: in the first block (offset 48 is its payload), and in
# each further one that the report is made of.
size=$(stat -c %s u.mlg)
for at in 50 $((size - 5)); do
	cp u.mlg damaged.mlg
	printf '\123\132\145' | dd of=damaged.mlg bs=1 seek=$at conv=notrunc 2>/dev/null
	"$MALLOGRAPH" print damaged.mlg >out 2>err
	equal "status of a trace damaged at $at" $? 1
	grep -qhE 'damaged' out err || fail "damaged at $at: does not say it: $(cat err)"
done
