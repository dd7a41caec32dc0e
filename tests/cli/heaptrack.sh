# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: test
# timeout: 120
# heaptrack's own recordings: the same figures as heaptrack_print gives, and as our recording.
. "$TESTS/lib.sh"

need heaptrack heaptrack_print zstd python3

theirs() { # NAME COMMAND...
	local name=$1
	shift
	heaptrack -o "$name" "$@" >"$name.out" 2>&1 || fail "heaptrack $*: $(cat "$name.out")"
	[ -e "$name.zst" ] || fail "heaptrack wrote no $name.zst"
}

theirs empty "$VICTIMS/empty"
record -o empty.mlg "$VICTIMS/empty"
for victim in leaks temporary two_paths peak realloc_grow deep random_walk; do
	theirs $victim "$VICTIMS/$victim"
	python3 "$TESTS/heaptrack_compare.py" $victim.zst || fail "$victim"
	# heaptrack's library allocates, too: that much more in every program
	record -o $victim.mlg "$VICTIMS/$victim" >/dev/null
	for name in allocations bytes leaked_blocks leaked_bytes; do
		equal "$name of $victim by both" \
			$(($(figure $name $victim.zst) - $(figure $name empty.zst))) \
			$(($(figure $name $victim.mlg) - $(figure $name empty.mlg)))
	done
done

# The wrappers of libstdc++ are looked through, which heaptrack does for two of them.
theirs new_delete "$VICTIMS/new_delete"
heaptrack_print new_delete.zst | grep -q '^operator new' || fail "heaptrack_print: no operator new"
"$MALLOGRAPH" print new_delete.zst >out || fail "print: $?"
! grep '^operator new' out || fail "operator new is an entry"

# From standard input, plain and gzip; kinds are told by content, not by name.
"$MALLOGRAPH" print leaks.zst >expected || fail "print: $?"
zstd -qdc leaks.zst >plain.mlg
gzip -c plain.mlg >leaks.zst.txt
for file in leaks.zst plain.mlg leaks.zst.txt; do
	"$MALLOGRAPH" print $file >out || fail "print $file: $?"
	diff <(sed 1d expected) <(sed 1d out) || fail "$file"
	"$MALLOGRAPH" print - <$file >out || fail "print - <$file: $?"
	diff <(sed 1d expected) <(sed 1d out) || fail "- <$file"
	# shellcheck disable=SC2002
	cat $file | "$MALLOGRAPH" print - >out || fail "cat $file: $?"
	diff <(sed 1d expected) <(sed 1d out) || fail "cat $file"
done
grep -q 'peak RSS (including heaptrack overhead)' expected || fail "whose overhead is it"
"$MALLOGRAPH" info leaks.zst >out || fail "info: $?"
grep -q "heaptrack's files hold no threads" out || fail "info does not say what is missing"
! grep -qE '^(threads|reallocations|process|origin)' out || fail "info shows what is not there"

expect_error 1 'leaks.zst: .* no threads' "$MALLOGRAPH" print --filter thread=1 leaks.zst
for selection in '--filter lifetime=..1s' '--filter time=..1s' '--temporary-allocation-threshold 2'; do
	# shellcheck disable=SC2086
	expect_error 1 'leaks.zst: .* no lifetimes, which filters by time ' \
		"$MALLOGRAPH" print $selection leaks.zst
done
"$MALLOGRAPH" print --at 50% leaks.zst >out || fail "--at: $?"

for option in '--sysroot .' --debuginfod; do
	# shellcheck disable=SC2086
	"$MALLOGRAPH" print $option leaks.zst >/dev/null 2>err || fail "$option: $?"
	grep -qx "mallograph: leaks.zst: option '${option% .}': heaptrack named .*" err ||
		fail "$option is of no use, which is not told: $(cat err)"
done

# What the file does not hold is no 0 to a program, either.
"$MALLOGRAPH" print --json --details --only allocations,summary leaks.zst >out || fail "print --json: $?"
for key in pid start_ns reallocations lifetime_count lifetime_sum_ms lifetime_most_ms threads; do
	grep -q "\"$key\": null" out || fail "$key is not null: $(grep "\"$key\"" out)"
	! grep -q "\"$key\": [0-9]" out || fail "$key is a number"
done

# Who came late to the program says so, on either side of a diff, too.
sed '1a A' plain.mlg >attached
late='heaptrack was attached to the running program: what it held before is missing'
"$MALLOGRAPH" print attached >out || fail "print attached: $?"
grep -qxF "$late" out || fail "an attached heaptrack is not told"
"$MALLOGRAPH" print -d attached plain.mlg >out || fail "print -d attached: $?"
grep -qxF "base: $late" out || fail "an attached heaptrack is not told of a base"
! grep -qF "new: $late" out || fail "told of the wrong side"
"$MALLOGRAPH" print --json --only summary attached >out || fail "print --json attached: $?"
grep -qF "\"text\": \"$late\"" out || fail "an attached heaptrack is not told in JSON"

# What is cut off is used, and said.
head -c $(($(stat -c %s plain.mlg) / 2)) plain.mlg >half
head -c $(($(stat -c %s leaks.zst) - 1)) leaks.zst >cut.zst
for file in half cut.zst; do
	"$MALLOGRAPH" print $file >out 2>err
	equal "status of $file" $? 1
	grep -q "^mallograph: $file: cut off: figures up to" err || fail "$(cat err)"
	grep -q "cut off: figures up to" out || fail "the report of $file does not say so"
done
grep -qE '^calls to allocation functions: [1-9]' out || fail "nothing of cut.zst is used"

# A raw one is not for us.
heaptrack -r -o raw "$VICTIMS/leaks" >/dev/null 2>&1 || fail "heaptrack -r"
expect_error 1 'raw\.raw\.zst: a raw file of heaptrack: type: heaptrack --interpret "raw.raw.zst"$' \
	"$MALLOGRAPH" print raw.raw.zst
sed '1s/.*/v 20000 4/' plain.mlg >newer
expect_error 1 'newer: in a newer format than this mallograph knows: read it with a newer version$' \
	"$MALLOGRAPH" print newer
