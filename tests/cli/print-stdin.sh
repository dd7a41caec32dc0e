# SPDX-License-Identifier: LGPL-2.1-or-later
# "-" is standard input for everything, what needs the events again included; what is kept
# of it has no name and is gone afterwards.
. "$TESTS/lib.sh"

record -o t.mlg "$VICTIMS/temporary" >/dev/null
record -o base.mlg "$VICTIMS/leaks" >/dev/null
mkdir spool
export TMPDIR=$PWD/spool
same() { # OPTION...
	"$MALLOGRAPH" print "$@" t.mlg >by-name || fail "print $*: $?"
	"$MALLOGRAPH" print "$@" - <t.mlg >from-file || fail "print $* - <: $?"
	cat t.mlg | "$MALLOGRAPH" print "$@" - >from-pipe || fail "print $* - |: $?"
	for one in from-file from-pipe; do
		diff <(grep -v '^reading file' by-name) <(grep -v '^reading file' $one) ||
			fail "$*: $one differs"
	done
	equal "left in TMPDIR" "$(ls spool)" ""
}
same -l
same --filter size=32..65
same --at 50%
same --details
same --by thread
same -d base.mlg
"$MALLOGRAPH" print -d t.mlg base.mlg >by-name || fail "print -d: $?"
cat t.mlg | "$MALLOGRAPH" print -d - base.mlg >from-pipe || fail "print -d -: $?"
diff <(grep -v '^reading' by-name) <(grep -v '^reading' from-pipe) || fail "-d - differs"
cat t.mlg | "$MALLOGRAPH" info - >out || fail "info -: $?"
grep -q '^trace *standard input' out || fail "$(cat out)"

"$MALLOGRAPH" print --by thread --details t.mlg >by-name || fail "print"
"$MALLOGRAPH" print --by thread --details <(cat t.mlg) >from-pipe || fail "a pipe with a name: $?"
diff <(grep -v '^reading' by-name) <(grep -v '^reading' from-pipe) || fail "a pipe with a name differs"
"$MALLOGRAPH" print -d <(cat base.mlg) --filter size=..33 <(cat t.mlg) >from-pipe || fail "two pipes: $?"
"$MALLOGRAPH" print -d base.mlg --filter size=..33 t.mlg >by-name || fail "print"
diff <(grep -v '^reading' by-name) <(grep -v '^reading' from-pipe) || fail "two pipes differ"

# a program that ends in the middle, nothing at all, something else
head -c 700 t.mlg | "$MALLOGRAPH" print - >out 2>err
equal "status of half a trace" $? 1
grep -q '^mallograph: standard input: cut off' err || fail "$(cat err)"
: | "$MALLOGRAPH" print - >out 2>err
equal "status of nothing" $? 1
grep -q '^mallograph: standard input: ' err || fail "$(cat err)"
echo hello | "$MALLOGRAPH" print - >out 2>err
equal "status of something else" $? 1
cat t.mlg | TMPDIR=/nonexistent "$MALLOGRAPH" print - >out 2>err
equal "status without a place" $? 1
grep -q "^mallograph: standard input: it cannot be kept in '/nonexistent': .*TMPDIR" err || fail "$(cat err)"
equal "lines" "$(wc -l <err)" 1
"$MALLOGRAPH" print - <&- >out 2>err
equal "status of a closed input" $? 1
equal "lines" "$(wc -l <err)" 1

# who forgot the "-" is told, and not shown another trace
for command in print info; do
	"$MALLOGRAPH" $command <t.mlg >out 2>err
	equal "status of $command without -" $? 2
	equal "$command without -" "$(cat err)" \
		"mallograph: $command: standard input is a trace: to read it type mallograph $command -"
	equal "standard output" "$(wc -c <out)" 0
	"$MALLOGRAPH" $command </dev/null >out 2>err
	equal "status of $command without a trace" $? 2
	grep -q '^mallograph: .*: name a trace, or - for standard input' err || fail "$(cat err)"
done

# a file there is read in place; what is left of one that was begun is kept
TMPDIR=/nonexistent "$MALLOGRAPH" print -l - <t.mlg >out || fail "a file: $?"
cat <(head -c 100 t.mlg) t.mlg >behind
{ dd bs=100 count=1 of=skipped status=none && "$MALLOGRAPH" print -l -; } <behind >rest || fail "a rest of a file: $?"
"$MALLOGRAPH" print -l t.mlg >by-name || fail "print"
diff <(grep -v '^reading' by-name) <(grep -v '^reading' rest) || fail "the rest of a file differs"
