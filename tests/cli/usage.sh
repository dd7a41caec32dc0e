# SPDX-License-Identifier: LGPL-2.1-or-later
# The command line's manners: help, version, mistakes.
. "$TESTS/lib.sh"

"$MALLOGRAPH" --version >out || fail "--version: $?"
grep -qE '^mallograph [0-9]+\.[0-9]+' out || fail "--version says $(cat out)"
"$MALLOGRAPH" help >out || fail "help: $?"
for command in record print export info help; do
	grep -qw $command out || fail "help does not list $command"
	"$MALLOGRAPH" $command --help >one || fail "$command --help: $?"
	[ -s one ] || fail "$command --help says nothing"
	"$MALLOGRAPH" help $command >two || fail "help $command: $?"
	! grep -E '.{81}' one || fail "$command --help is wider than 80 columns"
	cmp one two || fail "help $command is not $command --help"
done
expect_error 2 'nonsense' "$MALLOGRAPH" print --nonsense x.mlg
expect_error 2 'outptu.*--output|--output' "$MALLOGRAPH" record --outptu x.mlg true
expect_error 2 'record|PROGRAM|program' "$MALLOGRAPH" record
expect_error 2 'prnt.*print' "$MALLOGRAPH" prnt x.mlg
expect_error 2 'limit|number|many' "$MALLOGRAPH" print -n many x.mlg
expect_error 2 'print -d a\.mlg b\.mlg' "$MALLOGRAPH" print a.mlg b.mlg
expect_error 2 'print -d a\.mlg b\.mlg' "$MALLOGRAPH" print -f a.mlg b.mlg
# as a script's unset variable is
expect_error 1 "^mallograph: '': No such file" "$MALLOGRAPH" print ''
expect_error 127 "^mallograph: '': no such program" "$MALLOGRAPH" record ''
cp "$VICTIMS/leaks" leaks-here || exit 1
expect_error 127 'record \./leaks-here' "$MALLOGRAPH" record leaks-here
for pattern in '%z.mlg' 'a%' '%p.%x.mlg'; do
	expect_error 2 "'%.?' stands for nothing" "$MALLOGRAPH" record -o "$pattern" true
done
expect_error 2 'max-depth: 1 to' "$MALLOGRAPH" record --max-depth 0 true
! "$MALLOGRAPH" version --help | grep ' $' || fail "a blank at the end of a line of help"
"$MALLOGRAPH" >out 2>err
equal "status without arguments" $? 2
[ -s err ] && [ ! -s out ] || fail "without arguments: $(cat out)"

record -o t.mlg "$VICTIMS/leaks" >/dev/null
"$MALLOGRAPH" print t.mlg >/dev/full 2>err
equal "status when stdout is full" $? 1
[ -s err ] || fail "says nothing when stdout is full"
"$MALLOGRAPH" print - <t.mlg >from-stdin || fail "print -: $?"
"$MALLOGRAPH" print -f t.mlg >by-option || fail "print -f: $?"
"$MALLOGRAPH" print t.mlg >by-word || fail "print: $?"
diff <(grep -v '^reading file' by-option) <(grep -v '^reading file' by-word) ||
	fail "-f FILE and FILE differ"
diff <(grep -v '^reading file' from-stdin) <(grep -v '^reading file' by-word) ||
	fail "- and FILE differ"

"$MALLOGRAPH" info t.mlg >out || fail "info: $?"
grep -qE '^ended +exit status 0, after (0\.[0-9]{3}|[1-9][0-9]*\.[0-9]{2}) s$' out || fail "info: $(cat out)"
"$MALLOGRAPH" info --bytes t.mlg >out || fail "info --bytes: $?"
grep -qE "^requested +$(figure bytes t.mlg) \\(" out || fail "info --bytes: $(cat out)"
grep -qE "^leaked +$(figure leaked_bytes t.mlg) in " out || fail "info --bytes: $(cat out)"
