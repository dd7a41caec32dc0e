# SPDX-License-Identifier: LGPL-2.1-or-later
# The timeline of the terminal UI: the graph against a slow model of it, readings against print --at,
# ranges against print --filter.
. "$TESTS/lib.sh"

need python3

python3 "$TESTS/tui_pictures.py" timeline || fail "see above"

# A range that is marked, and every other view shows it: as print with that filter has it.
record -o deep.mlg "$VICTIMS/deep" >/dev/null
cat >script <<'END'
size 120x30
keys 2<Home><Right>m<Right><Right><Right>m
save marked
keys 7
save flame
keys 1
save summary
END
"$MALLOGRAPH" tui --script script deep.mlg || fail "tui: $?"
range=$(sed -n 's/^only \(time=[^ ]*\).*/\1/p' marked)
[ -n "$range" ] || fail "no range is shown: $(tail -n 2 marked)"
grep -q '\[=*]\|\[=*^' marked || fail "the range is not drawn: $(tail -n 4 marked)"
"$MALLOGRAPH" print --filter "$range" deep.mlg >report || fail "print: $?"
peak=$(sed -n 's/^peak heap memory consumption: //p' report)
case $peak in
0B) grep -q 'nothing: peak is 0 here' flame || fail "the flame is not empty" ;;
*) grep -qF "$peak 100.00%" flame || fail "flame: $(sed -n 2p flame), print: $peak" ;;
esac

# What can't be scanned again has its points: a pipe.
timeout 20 "$MALLOGRAPH" tui --script script - <deep.mlg || fail "tui -: $?"

# Nothing at all, nothing but one function, a screen for ants.
cat >script <<'END'
size 20x5
keys 2<Left><Right>+++-0mx
save small
keys <Enter>27S
size 1x1
keys 27S
size 80x24
save large
END
for victim in empty deep leaks; do
	record -o $victim.mlg "$VICTIMS/$victim" >/dev/null
	rm -f small large
	timeout 20 "$MALLOGRAPH" tui --script script $victim.mlg || fail "tui $victim: $?"
	[ "$(wc -l <small)" = 5 ] || fail "$victim: $(cat small)"
done
