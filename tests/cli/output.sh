# SPDX-License-Identifier: LGPL-2.1-or-later
# Where the trace goes: names, placeholders, mode; and what record says at the end.
. "$TESTS/lib.sh"

"$MALLOGRAPH" record "$VICTIMS/die" exit 10 >out 2>err
equal "status" $? 42
[ ! -s out ] || fail "record writes on stdout: $(cat out)"
trace=$(ls mallograph.die.*.mlg) || fail "no trace under the default name"
pid=${trace#mallograph.die.}
"$MALLOGRAPH" info "$trace" | grep -qw "${pid%.mlg}" || fail "not the program's pid in $trace"
equal "mode" "$(stat -c %a "$trace")" 600
grep -qE '^mallograph: .*die finished, exit status 42, ' err || fail "summary: $(cat err)"
# one time of the program, wherever it is told (reports have whole milliseconds)
told=$(sed -n 's/^mallograph: .* finished, .*, \([0-9.]*\) s$/\1/p' err)
shown=$("$MALLOGRAPH" print --only summary "$trace" | sed -n 's/^total runtime: \([0-9.]*\)s\.$/\1/p')
awk "BEGIN { d = $told - $shown; most = $told < 1 ? 0.0015 : 0.011; exit !(-most < d && d < most) }" ||
	fail "record says '$told' s, print '$shown'"
grep -qE '^  allocations +10  \(' err || fail "summary: $(cat err)"
grep -qE '^  leaked +10  \(160B in use at exit\)' err || fail "summary: $(cat err)"
grep -qE "^  trace +$trace  \(" err || fail "summary: $(cat err)"
grep -qE "^next: (.*/)?mallograph print $trace" err || fail "summary: $(cat err)"
! grep -q 'lost' err || fail "summary: $(cat err)"

"$MALLOGRAPH" record "$VICTIMS/die" term 10 2>err
grep -qE 'live when killed by SIGTERM' err || fail "summary of a killed one: $(cat err)"
"$MALLOGRAPH" record -q "$VICTIMS/die" exit 10 2>err
[ ! -s err ] || fail "-q says $(cat err)"

mkdir named && cd named || exit 1
record -o 'x.%p.%n.%h.%%.mlg' "$VICTIMS/die" exit 3
name=$(ls x.*)
echo "$name" | grep -qE "^x\.[0-9]+\.die\.$(uname -n)\.%\.mlg$" || fail "name is $name"
record --output=y.mlg "$VICTIMS/die" exit 3
record -oz.mlg -- "$VICTIMS/die" exit 4
equal "-o attached" "$(figure allocations z.mlg)" 4
record -o z.mlg "$VICTIMS/die" exit 5
equal "a replaced file" "$(figure allocations z.mlg)" 5
! ls z.2.mlg 2>/dev/null || fail "z.mlg was not replaced"
record -o w.mlg "$VICTIMS/fork_chain" 2
equal "names of children" "$(ls w*)" "$(printf '%s\n' w.2.mlg w.3.mlg w.mlg)"
record -o other/none.mlg "$VICTIMS/die" exit 5
equal "folder that is not there" $status 125
for codec in none zlib zlib:1 zlib:9 zstd zstd:3; do
	record --compress $codec -o c.mlg "$VICTIMS/die" exit 1234
	[ $status = 125 ] && grep -q zstd record.err && continue
	equal "status with $codec" $status 42
	equal "allocations with $codec" "$(figure allocations c.mlg)" 1234
	whole c.mlg
done
record --no-symbols -o n.mlg "$VICTIMS/die" exit 77
equal "allocations without symbols" "$(figure allocations n.mlg)" 77
record --max-depth 3 -o m.mlg "$VICTIMS/deep" >/dev/null
equal "allocations with --max-depth" "$(figure allocations m.mlg)" 5000
exit 0

# Folders whose path nobody can tell: they are gone, or too deep.
in_folder='import os, sys
for folder in [sys.argv[1]] * int(sys.argv[2]):
    os.mkdir(folder)
    os.chdir(folder)
if int(sys.argv[2]) == 1:
    os.rmdir("../" + sys.argv[1])
os.execv(sys.argv[3], sys.argv[3:])'
for case in '1 is gone' '30 has too long a path'; do
	expect_error 2 "the current directory ${case#* }: change to another" python3 -c "$in_folder" \
		"$(printf 'f%.0s' {1..200})" "${case%% *}" "$MALLOGRAPH" record "$VICTIMS/die" exit 1
done

# A forked child's trace has the name that its parent's has: that of the link, not of its file.
mkdir linked && ln -s "$VICTIMS/fork_chain" linked/link
(cd linked && "$MALLOGRAPH" record -q ./link 1 >out) || fail "record of a link: $?"
equal "traces named by the link" "$(find linked -name 'mallograph.link.*.mlg' | wc -l)" 2
