# SPDX-License-Identifier: LGPL-2.1-or-later
# A library and a recorder of different versions: said once, and the program and its children
# run on unprofiled. Traces of each format version are read, with every figure.
. "$TESTS/lib.sh"

# --- library and recorder -------------------------------------------------------
mkdir -p bin lib/mallograph
ln "$MALLOGRAPH" bin/mallograph 2>/dev/null || cp "$MALLOGRAPH" bin/mallograph || fail "cp"
cp "$BUILD/other/libmallograph.so" lib/mallograph/ || fail "cp"

told() { # STATUS EXPECTED
	equal "status" "$1" "$2"
	equal "times that it is told" "$(grep -c 'of different versions' err)" 1
	grep -q '^mallograph: library and recorder are of different versions: .*unprofiled' err ||
		fail "told: $(cat err)"
}
"$VICTIMS/malloc_free" >native.out
bin/mallograph record -o x.mlg "$VICTIMS/malloc_free" >out 2>err
told $? 0
cmp out native.out || fail "other output"
grep -q 'nothing was recorded' err || fail "the summary says nothing: $(cat err)"
"$MALLOGRAPH" print x.mlg >print.out 2>print.err || fail "print: $(cat print.err)"

# children by fork, by exec and by libc's own posix_spawn
bin/mallograph record -o y.mlg sh -c 'sh -c "exit 3"; (exit 4); env true
	python3 -c "import os; os.system(\"true; true\")"; exit 6' >out 2>err
told $? 6

LD_PRELOAD=$PWD/lib/mallograph/libmallograph.so MALLOGRAPH_OPTIONS="-o z.mlg" \
	sh -c 'sh -c "exit 3"; exit 8' >out 2>err
told $? 8

# --- traces ---------------------------------------------------------------------
# format-VERSION.txt makes a trace of that version; its figures stand beside it, worked out by
# hand from the text.
for text in "$TESTS"/corpus/format-*.txt; do
	name=$(basename "$text" .txt)
	"$BUILD/tests/unit/test_trace_corpus" --make "$text" "$name.mlg" || fail "$name: no trace"
	sed -n 's/^# figure //p' "$text" | sort >expected
	[ -s expected ] || fail "$name: no figures"
	figures "$name.mlg" >all || fail "$name: no figures"
	grep -E "^($(cut -d= -f1 expected | paste -sd '|'))=" all | sort | diff expected - ||
		fail "$name: < expected, > read"
	whole "$name.mlg"
	"$MALLOGRAPH" print --bytes -s 5 -l "$name.mlg" >report || fail "print $name"
	sed -n 's/^# report //p' "$text" | while read -r line; do
		grep -qF -- "$line" report || {
			cat report
			fail "$name: no line '$line'"
		}
	done || exit 1
done
grep -q "^header $(od -An -tu2 -j 8 -N 4 x.mlg | sed 's/  */ /g; s/^ //')$" \
	"$TESTS"/corpus/format-*.txt || fail "no text of the version that is written today"
