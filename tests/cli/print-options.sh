# SPDX-License-Identifier: LGPL-2.1-or-later
# Each option of print, those of heaptrack_print first. docs/heaptrack-print.md names them all.
. "$TESTS/lib.sh"

page=$TESTS/../docs/heaptrack-print.md
manual=$TESTS/../docs/mallograph-print.1
"$MALLOGRAPH" print --help >help || fail "--help: $?"
if command -v heaptrack_print >/dev/null; then
	heaptrack_print --help | grep -oE '(^  |\[ )--[a-z-]+' | grep -oE '[a-z][a-z-]+' >theirs
	at_least "options of heaptrack_print" "$(wc -l <theirs)" 20
	while read -r option; do
		grep -qE "^ .*--${option}( |\[|$)" help || fail "print has no --$option"
		grep -qE "^\| \`.*--${option}[ ,\`]" "$page" || fail "$page does not name --$option"
	done <theirs
fi
# the manual has every option of the help, and each test that the page names is there
grep -oE '^ +(-[A-Za-z], )?--[a-z-]+' help | grep -oE '[a-z][a-z-]+$' >ours
while read -r option; do
	grep -qE "Fl -$option( |\$)" "$manual" || fail "the manual does not name --$option"
done <ours
for test in $(grep -oE '(cli|unit|victims)/[a-z_-]+' "$page" | sort -u); do
	ls "$TESTS/$test".* >/dev/null 2>&1 || fail "$page names $test, which is not there"
done

record -o t.mlg "$VICTIMS/leaks" >/dev/null
record -o paths.mlg "$VICTIMS/temporary" >/dev/null
headings() { # OPTION...: the first letters of the sections shown
	"$MALLOGRAPH" print "$@" t.mlg >out 2>err || fail "print $*: $?, $(cat err)"
	sed -n 's/^MOST CALLS TO ALLOCATION FUNCTIONS$/a/p; s/^PEAK MEMORY CONSUMERS$/p/p
		s/^MEMORY LEAKS$/l/p; s/^MOST TEMPORARY ALLOCATIONS$/t/p; s/^total runtime: .*/s/p
		s/^CALL TREE.*/T/p; s/^CALLERS OF .*/C/p; s/^CALLEES OF .*/c/p' out | tr -d '\n'
}
shows() { # SECTIONS OPTION...
	local expected=$1 found
	shift
	found=$(headings "$@")
	equal "sections of '$*'" "$found" "$expected"
}
shows apts
for on in -l -l1 -l=1 '-l 1' '-l on' --print-leaks --print-leaks=yes '--print-leaks true'; do
	# shellcheck disable=SC2086
	shows aplts $on
done
shows pts -a0
shows ats -p0
shows aps -T0
shows apts -T
shows apts -a -p -T
shows s -a0 -p 0 --print-temporary=no
shows pl --only peak,leaks
shows s --only summary -l
shows Ts --tree top-down
shows aTs --tree bottom-up -a
shows lT --only leaks --tree top-down
shows Cs --callers main
shows cs --callees main
shows tTCc --only temporary --callers main --callees main --tree top-down -T0

lines() { # PATTERN TRACE OPTION...
	local pattern=$1 trace=$2
	shift 2
	"$MALLOGRAPH" print "$@" "$trace" >out 2>err || fail "print $*: $?, $(cat err)"
	grep -cE "$pattern" out
}
calls='^[0-9]+ calls to allocation functions with'
stacks='^[0-9]+ calls with'
equal "entries" "$(lines "$calls" paths.mlg)" 3
equal "entries, -n 2" "$(lines "$calls" paths.mlg -n 2)" 2
equal "entries, -n1" "$(lines "$calls" paths.mlg -n1)" 1
equal "entries, --peak-limit=0" "$(lines "$calls" paths.mlg --peak-limit=0)" 0
equal "stacks" "$(lines "$stacks" paths.mlg)" 7
equal "stacks, -s 1" "$(lines "$stacks" paths.mlg -s 1)" 3
equal "stacks, -s 0" "$(lines "$stacks" paths.mlg --sub-peak-limit 0)" 0
lines "$stacks" paths.mlg -s 2 >/dev/null
grep -qx '  and 600 from 6 other places' out || fail "the rest of 8 stacks: $(cat out)"
equal "stacks, -m0" "$(lines "$calls" paths.mlg -m0)" 10
equal "filtered by function" "$(lines "$calls" paths.mlg --filter-bt-function block_of)" 1
grep -qE '^calls to allocation functions: 800 ' out || fail "the totals are not filtered: $(cat out)"
grep -qx 'selected: function=block_of' out || fail "the filter is not told: $(cat out)"
grep -qE '^  800 of 1000 allocations \(80\.00%\), ' out || fail "the share is not told: $(cat out)"

# ours: filters are of everything that is shown; --by; --sort; --details
grep -qE '^calls to allocation functions: 200 ' <("$MALLOGRAPH" print --exclude function=block_of paths.mlg) ||
	fail "--exclude"
"$MALLOGRAPH" print --by size --only allocations -s0 t.mlg >out || fail "--by size"
grep -qx 'blocks of 48 bytes' out || fail "--by size: $(cat out)"
"$MALLOGRAPH" print --by module --only allocations -s0 t.mlg >out || fail "--by module"
grep -qE '^/.*/victims/leaks$' out || fail "--by module: $(cat out)"
"$MALLOGRAPH" print --by file --only allocations -s0 t.mlg >out || fail "--by file"
grep -qE '^/.*/leaks\.c$' out || fail "--by file: $(cat out)"
"$MALLOGRAPH" print --by line --only allocations -s0 t.mlg >out || fail "--by line"
grep -qE '^/.*/leaks\.c:[0-9]+$' out || fail "--by line: $(cat out)"
"$MALLOGRAPH" print --by function --only allocations -s0 paths.mlg >out || fail "--by function"
equal "functions" "$(grep -cE "$calls" out)" 2
equal "main and block_of" "$(grep -cxE 'main|block_of' out)" 2
"$MALLOGRAPH" print --by address --only allocations -s0 t.mlg >out || fail "--by address"
grep -qE '^leaks\+0x[0-9a-f]+$' out || fail "--by address: $(cat out)"
"$MALLOGRAPH" print --by thread --only allocations -s0 t.mlg >out || fail "--by thread"
grep -qE '^[a-z]+ \([0-9]+\)$' out || fail "--by thread: $(cat out)"
"$MALLOGRAPH" print --sort bytes --only allocations -s0 --bytes paths.mlg >out || fail "--sort"
at_least "--sort bytes" "$(grep -cE "$calls" out)" 3
"$MALLOGRAPH" print --details --only allocations t.mlg >out || fail "--details"
grep -qxE '  own peak 48\.05K at 0\.[0-9]{3} s, average size 48\.00B' out || fail "--details: $(cat out)"
"$MALLOGRAPH" print --details --bytes --only allocations t.mlg >out || fail "--details --bytes"
grep -qxE '  own peak 48048 at 0\.[0-9]{3} s, average size 48\.00' out || fail "--details --bytes: $(cat out)"
grep -qxE '  lifetime .* of 2000 blocks given back' out || fail "--details: $(cat out)"

# what was alive at a moment is not called a leak without a word
"$MALLOGRAPH" print --only summary --at 50% t.mlg >out || fail "--at"
grep -qx '  leaked: what was alive then' out || fail "--at: $(cat out)"
"$MALLOGRAPH" print --only summary --at 9h t.mlg >/dev/null 2>err || fail "--at 9h"
grep -q 't.mlg: ends before 9h: shown as at its end$' err || fail "--at 9h: $(cat err)"
! "$MALLOGRAPH" print --only summary --at end t.mlg | grep -q 'alive then' || fail "--at end"

# a tree adds up: 3000 calls, 48048 bytes at the peak, all below main
"$MALLOGRAPH" print --bytes --tree top-down t.mlg >out || fail "--tree"
for name in '\[all\]' 'main \(leaks\.c:[0-9]+\)' 'keep_or_free \(leaks\.c:[0-9]+\)'; do
	grep -qE "^ +3000 +2000 +48048 +48000 +100\.00% +$name\$" out || fail "no $name: $(cat out)"
done
grep -qE '^CALL TREE, TOP DOWN, by peak;' out || fail "the tree does not tell its cost: $(cat out)"
"$MALLOGRAPH" print --tree top-down --sort leaked t.mlg >out || fail "--tree --sort"
grep -qE '^CALL TREE, TOP DOWN, by leaked;' out || fail "--tree --sort leaked: $(cat out)"
expect_error 1 "no stack has a function 'nobody'" "$MALLOGRAPH" print --callers nobody t.mlg
allocates="allocation functions are not among the callers shown; --tree bottom-up begins"
for function in malloc 'operator new' 'operator new[](unsigned long)'; do
	expect_error 1 "$allocates" "$MALLOGRAPH" print --callers "$function" t.mlg
done
expect_error 1 "'no<>::body'$" "$MALLOGRAPH" print --callers 'no<>::body' t.mlg
expect_error 2 "did you mean 'function'" "$MALLOGRAPH" print --by functon t.mlg
expect_error 2 "did you mean 'size'" "$MALLOGRAPH" print --filter sze=3 t.mlg
expect_error 2 'takes a number' "$MALLOGRAPH" print --per many t.mlg
expect_error 2 "'--wrapper' takes a function's name" "$MALLOGRAPH" print --wrapper '' t.mlg
expect_error 2 "'--callers' takes a function's name" "$MALLOGRAPH" print --callers= t.mlg
expect_error 2 "'--callees' takes a function's name" "$MALLOGRAPH" print --callees '' t.mlg
expect_error 1 'no-such: ' "$MALLOGRAPH" print --sysroot no-such t.mlg
expect_error 1 't.mlg: it is no directory' "$MALLOGRAPH" export --format=folded --sysroot t.mlg t.mlg
expect_error 2 '1 or more' "$MALLOGRAPH" print --per 0 t.mlg
expect_error 2 "takes 0 or 1" "$MALLOGRAPH" print --print-leaks=maybe t.mlg
expect_error 2 'use one of them' "$MALLOGRAPH" print -m0 --by size t.mlg
for tree in --tree=top-down --tree=bottom-up --callers=main --callees=main; do
	expect_error 2 "'--by' gathers entries, and a tree has none: .* --only allocations$" "$MALLOGRAPH" print $tree --by module t.mlg
	"$MALLOGRAPH" print $tree --by module --only allocations t.mlg >out || fail "$tree --by module --only allocations"
done
equal "print -v" "$("$MALLOGRAPH" print -v)" "$("$MALLOGRAPH" --version)"

# budgets
"$MALLOGRAPH" print --only summary --fail-above allocations=3000,leaked=1000,leaked-bytes=48k,peak=1M t.mlg \
	>out 2>err || fail "within budget: $?, $(cat err)"
[ ! -s err ] || fail "within budget: $(cat err)"
"$MALLOGRAPH" print --only summary --fail-above allocations=2999,temporary=0,leaked=1000,peak=48047 t.mlg >out 2>err
equal "status above the budget" $? 3
cat >expected <<'END'
mallograph: t.mlg: 3000 allocations, above the limit of 2999
mallograph: t.mlg: 2000 temporary allocations, above the limit of 0
mallograph: t.mlg: 48048 bytes at the peak, above the limit of 48047
END
cmp expected err || fail "$(cat err)"
"$MALLOGRAPH" print --only summary --per 1000 --fail-above allocations=3 t.mlg >out 2>err || fail "3 for each: $?"
"$MALLOGRAPH" print --only summary --per 1000 --fail-above allocations=2 t.mlg >out 2>err
equal "status of 3 for each, above 2" $? 3
head -c 700 t.mlg >cut.mlg
"$MALLOGRAPH" print --fail-above allocations=0 cut.mlg >out 2>err
equal "status of a cut-off trace above" $? 1
expect_error 2 "did you mean 'peak'" "$MALLOGRAPH" print --fail-above peek=1 t.mlg
expect_error 2 'METRIC=N' "$MALLOGRAPH" print --fail-above leaked t.mlg
