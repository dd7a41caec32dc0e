# SPDX-License-Identifier: LGPL-2.1-or-later
# The flame graph and the source view of the terminal UI against slow models of them, and against
# print's figures.
. "$TESTS/lib.sh"

need python3

python3 "$TESTS/tui_pictures.py" flame || fail "see above"
python3 "$TESTS/tui_pictures.py" source || fail "see above"

# Stacks as deep as the collector keeps them: to the end and back.
record -o deep.mlg "$VICTIMS/deep" >/dev/null
cat >script <<'END'
keys 7x
save deep
keys <Up><Up><Enter>
save zoomed
keys <Backspace>g
save back
keys /main<Enter>
save found
END
timeout 20 "$MALLOGRAPH" tui --script script deep.mlg || fail "tui: $?"
grep -q '^│down' deep || fail "no boxes: $(cat deep)"
grep -q '^below down' zoomed || fail "not zoomed: $(head -n 3 zoomed)"
grep -q '100.00%' back || fail "not back: $(head -n 3 back)"

# Of a diff with itself no box grew, and one of another run did.
record -o one.mlg "$VICTIMS/leaks" >/dev/null
printf 'ascii\nkeys 7\nsave same\n' >script
timeout 20 "$MALLOGRAPH" tui --script script -d one.mlg one.mlg || fail "tui -d: $?"
! grep -q '^|[-+]' same || fail "a box differs from itself: $(cat same)"
printf 'ascii\nkeys 7\nsave other\n' >script
timeout 20 "$MALLOGRAPH" tui --script script -d one.mlg deep.mlg || fail "tui -d: $?"
grep -q '|+down' other || fail "no box grew: $(cat other)"
grep -q '^|-main *|+' other || fail "what is gone is no box: $(cat other)"
