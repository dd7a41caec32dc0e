# SPDX-License-Identifier: LGPL-2.1-or-later
# Fingers from elsewhere get one line with what to type.
. "$TESTS/lib.sh"

cp "$VICTIMS/leaks" app
record -o t.mlg ./app >/dev/null
cp t.mlg named-otherwise
says() { # WHAT-TO-TYPE COMMAND...
	local words=$1
	shift
	expect_error 2 "$(printf '%s' "$words" | sed 's/[.?]/\\&/g')\$" "$MALLOGRAPH" "$@"
}
says 'mallograph record ./app' ./app
says 'mallograph print t.mlg' t.mlg
says 'mallograph print gone.mlg' gone.mlg
says 'mallograph print named-otherwise' named-otherwise
says 'mallograph print heaptrack.app.1.zst' heaptrack.app.1.zst
says 'mallograph print -d a.mlg b.mlg' diff a.mlg b.mlg
says 'mallograph print -d BASE FILE' diff
says 'restart it with mallograph record PROGRAM' record -p 123
says 'restart it with mallograph record PROGRAM' record --pid=123
says 'did you mean mallograph print?' pritn t.mlg

# print alone: the newest mallograph.*.mlg here
expect_error 2 'there is no mallograph\.\*\.mlg here' "$MALLOGRAPH" print
"$MALLOGRAPH" record -q -o mallograph.old.1.mlg "$VICTIMS/temporary" >/dev/null
touch -d '1 hour ago' mallograph.old.1.mlg
mv t.mlg mallograph.app.2.mlg
"$MALLOGRAPH" print >out 2>err || fail "print alone: $?"
equal "what print alone says" "$(cat err)" 'mallograph: reading mallograph.app.2.mlg, the newest trace here'
grep -q '^calls to allocation functions: 3000 ' out || fail "another trace: $(cat out)"
"$MALLOGRAPH" print -d mallograph.old.1.mlg >out 2>err || fail "print -d alone: $?"
grep -qF 'new 3000' out || fail "another trace: $(cat out)"

# Of a process tree that of the first process, though a child's is newer; after an exec what
# `next:` named; and the newest file where none was launched.
mkdir tree && cd tree || exit 1
first_is() { # WHAT TRACE WORDS
	"$MALLOGRAPH" print --only summary >out 2>err || fail "$1: $?, $(cat err)"
	equal "$1" "$(cat err)" "mallograph: reading $2, $3 here"
}
"$MALLOGRAPH" record "$VICTIMS/fork_chain" 5 2>summary
next=$(sed -n 's/^next: .* //p' summary)
touch -d '2 seconds' "$(printf '%s\n' mallograph.*.mlg | grep -vxF "$next" | head -n 1)"
equal "traces of a tree" "$(printf '%s\n' ./*.mlg | wc -l)" 6
first_is "a tree" "$next" 'the first process of the newest run'
"$MALLOGRAPH" record bash -c "'$VICTIMS/temporary'; exec '$VICTIMS/leaks'" >/dev/null 2>summary
executed=$(sed -n 's/^next: .* //p' summary)
touch -d '4 seconds' mallograph.temporary.*.mlg
first_is "an exec" "$executed" 'the first process of the newest run'
"$MALLOGRAPH" print --only summary 2>err | grep -q '^calls to allocation functions: 3000 ' || fail "not that of leaks"
for trace in mallograph.bash.*.mlg; do
	"$MALLOGRAPH" info "$trace"
done | grep -q '^origin *started by mallograph record$' || fail "bash was not the first"
rm "$next" mallograph.bash.*.mlg
first_is "no first process" "$(echo mallograph.temporary.*.mlg)" 'the newest trace'
