# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 120
# What real programs wrote into their rings, replayed through the recorder: one, two, four and
# eight hands find the same figures, and write the same trace.
. "$TESTS/lib.sh"

replayed() { # NAME HANDS: the figures of replay's line, without its times
	"$BUILD/bench/replay" -n 1 -t "$2" -o "$1.mlg" "$1" | sed 's/.*B\/allocation; //' >"$1.figures"
}

compare() { # NAME: of a capture
	local hands
	replayed "$1" 1
	grep -q 'bad 0,' "$1.figures" || fail "$1: $(cat "$1.figures")"
	cp "$1.figures" "$1.one" && cp "$1.mlg" "$1.one.mlg"
	for hands in 2 4 8; do
		replayed "$1" $hands
		cmp "$1.figures" "$1.one" || fail "$1: $hands hands find other figures"
		cmp "$1.mlg" "$1.one.mlg" || fail "$1: $hands hands write another trace"
	done
}

"$BUILD/bench/driver" -q --save threads "$VICTIMS/exchange" 4 100000 >out || fail 'exchange'
compare threads
PYTHONMALLOC=malloc "$BUILD/bench/driver" -q --save interpreter python3 -c \
	'print(sum(len(str(i)) for i in list(range(100000))))' >out || fail 'python3'
compare interpreter
