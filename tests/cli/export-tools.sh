# SPDX-License-Identifier: LGPL-2.1-or-later
# Folded stacks, massif files and histograms: flamegraph.pl and ms_print take them without a
# warning, whatever is in the names, and what is in them adds up to the totals.
# timeout: 120
. "$TESTS/lib.sh"

flamegraph=/usr/share/perl5/Devel/NYTProf/flamegraph.pl
need ms_print perl python3 objcopy
[ -e $flamegraph ] || skip "flamegraph.pl is not there (libdevel-nytprof-perl)"

export_as() { # FORMAT ARG...
	local format=$1
	shift
	"$MALLOGRAPH" export --format="$format" "$@" 2>export.err || fail "export $format $*: $(cat export.err)" >&2
	! grep -v ': the traces are of different programs: ' export.err ||
		fail "export $format $*: says $(cat export.err)"
}
sum() { # FILE: of the last column
	awk '{ sum += $NF } END { print sum + 0 }' "$1"
}
total() { # COST: the figure that its stacks add up to
	case $1 in
	allocations) figure allocations "$2" ;;
	temporary) figure temporary "$2" ;;
	leaked) figure leaked_bytes "$2" ;;
	peak) figure peak_bytes "$2" ;;
	esac
}
silent() { # COMMAND...: its stdout goes to tool.out
	"$@" >tool.out 2>tool.err || fail "$*: $?, $(cat tool.err)"
	[ ! -s tool.err ] || fail "$* says: $(head -n 3 tool.err)"
}
check_folded() { # TRACE
	local cost
	for cost in allocations temporary leaked peak; do
		export_as folded --flamegraph-cost-type=$cost --disable-builtin-suppressions "$1" >folded
		equal "sum of $cost in $1" "$(sum folded)" "$(total $cost "$1")"
		! grep -nvE '^[^;].* [1-9][0-9]*$' folded || fail "no stack and cost ($cost)"
		! grep -nE '(^|;)(;| *[0-9]+$)|;$| [0-9]+ [0-9]+$' folded || fail "odd frames ($cost)"
		equal "stacks that are there twice" "$(sed 's/ [0-9]*$//' folded | sort | uniq -d | wc -l)" 0
		[ -s folded ] || continue # nothing to draw is an error of flamegraph.pl
		silent perl $flamegraph folded
		equal "bars of flamegraph.pl" "$(grep -c '<svg' tool.out)" 1
	done
}
check_massif() { # TRACE ARG...
	local trace=$1 name
	shift
	export_as massif "$@" "$trace" >massif.out
	python3 "$TESTS/massif_check.py" massif.out 1 >massif.figures || fail "massif of $trace $*"
	for name in peak_bytes leaked_bytes; do
		equal "$name in the massif file" "$(sed -n "s/^$name=//p" massif.figures)" \
			"$(figure $name "$trace")"
	done
	silent ms_print massif.out
	cp tool.out ms_print.txt
	# n, time, total, useful heap ...: the largest one is the peak
	equal "ms_print's peak" "$(awk '$1 ~ /^[0-9]+$/ && NF == 6 { gsub(",", ""); if ($4 > most) most = $4 }
		END { print most + 0 }' ms_print.txt)" "$(figure peak_bytes "$trace")"
}

# Names that mean something to the formats. Without debug information the symbol is the name.
"${CXX:-g++}" -std=gnu++17 -D_GNU_SOURCE -O0 -fno-builtin -c -o odd.o "$TESTS/victims/odd_names.cc" ||
	fail "compile"
objcopy --redefine-sym 'plain_symbol=a;b #c "d" <e> % 12' odd.o && "${CXX:-g++}" -o odd odd.o || fail "link"
record -o odd.mlg ./odd '#;1' >/dev/null
check_folded odd.mlg
check_massif odd.mlg
check_massif odd.mlg --time-unit=bytes --massif-detailed-freq=1
export_as folded -t0 odd.mlg >folded
# shellcheck disable=SC2016
for line in 'main;a:b #c "d" <e> %_12 30' 'main 20' \
	'main;table<std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >, unsigned long>::fill(std::map<std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >, unsigned long, std::less<std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> > >, std::allocator<std::pair<std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> > const, unsigned long> > > const*) 50'; do
	grep -qxF "$line" folded || { cat folded; fail "no line: $line"; }
done
grep -qE '^main;.*holder.*;.*\{lambda\(int\)#1\}.* 70$' folded || fail "no lambda"
export_as massif odd.mlg >massif.out
grep -qF ': a;b @c "d" <e> % 12 (in ' massif.out || fail "no plain symbol in the massif file"

# With debug information: source files, and what was inlined on the right of where it was.
record -o lines.mlg "$VICTIMS/odd_names" >/dev/null
check_folded lines.mlg
check_massif lines.mlg
export_as folded lines.mlg >folded
for line in 'main (odd_names.cc);plain_symbol (odd_names.cc) 30' \
	'main (odd_names.cc);inlined_into_main (odd_names.cc) 20'; do
	grep -qxF "$line" folded || { cat folded; fail "no line: $line"; }
done
export_as histogram lines.mlg >histogram
for line in $'100\t70' $'500\t20' $'1000\t50' $'3000\t30'; do
	grep -qxF "$line" histogram || { cat histogram; fail "no size: $line"; }
done
equal "allocations of the histogram" "$(sum histogram)" "$(figure allocations lines.mlg)"
equal "bytes of the histogram" "$(awk '{ sum += $1 * $2 } END { print sum }' histogram)" \
	"$(figure bytes lines.mlg)"
sort -n -c histogram || fail "sizes out of order"

# A differential flame graph: base's cost, then ours.
record -o base.mlg "$VICTIMS/two_paths" >/dev/null
export_as folded --flamegraph-cost-type=peak -d base.mlg lines.mlg >folded
equal "sum of the new costs" "$(sum folded)" "$(figure peak_bytes lines.mlg)"
equal "sum of the base's costs" "$(sed 's/ [0-9]*$//' folded | sum /dev/stdin)" \
	"$(figure peak_bytes base.mlg)"
silent perl $flamegraph folded
equal "bars of flamegraph.pl" "$(grep -c '<svg' tool.out)" 1
export_as histogram -d lines.mlg lines.mlg >histogram
[ ! -s histogram ] || fail "sizes that a trace has more of than itself: $(cat histogram)"

# Stacks beyond what ms_print recurses without a warning (100), and one that never sees main.
for victim in deep bare_assembly random_walk threads; do
	record -o v.mlg "$VICTIMS/$victim" >/dev/null
	check_folded v.mlg
	check_massif v.mlg --massif-detailed-freq=1
done

# The overhead is that of valgrind's massif, where both see the same peak.
need valgrind
valgrind -q --tool=massif --peak-inaccuracy=0 --massif-out-file=v.out "$VICTIMS/leaks" >/dev/null 2>&1 ||
	fail "massif"
record -o leaks.mlg "$VICTIMS/leaks" >/dev/null
check_massif leaks.mlg
equal "extra heap" "$(sed -n 's/^peak_extra=//p' massif.figures)" \
	"$(grep -B 2 'heap_tree=peak' v.out | sed -n 's/^mem_heap_extra_B=//p')"
equal "peak of massif" "$(figure peak_bytes leaks.mlg)" \
	"$(grep -B 3 'heap_tree=peak' v.out | sed -n 's/^mem_heap_B=//p')"

# heaptrack's file: heaptrack_print finds the same sizes and stacks, but writes a ';' behind the
# last frame, and what was inlined into main on the wrong side of it, behind where a stack starts.
need heaptrack heaptrack_print
heaptrack -o ht "$VICTIMS/odd_names" >ht.out 2>&1 || fail "heaptrack: $(tail -n 3 ht.out)"
heaptrack_print -a0 -p0 -T0 -H ht.sizes -F ht.folded ht.zst >ht.out 2>&1 || fail "heaptrack_print"
export_as histogram ht.zst | cmp - ht.sizes || fail "not heaptrack's histogram"
export_as folded ht.zst | sort >folded
sed 's/; \([0-9]*\)$/ \1/; s/^.*;inlined_into_main (\(.*\));main (\(.*\)) /main (\2);inlined_into_main (\1) /' \
	ht.folded | sort | diff - folded || fail "< heaptrack's stacks, > ours"
export_as massif ht.zst >massif.out
python3 "$TESTS/massif_check.py" massif.out 1 >/dev/null || fail "massif of heaptrack's file"
silent ms_print massif.out

# A selection: everything is of it alone.
export_as histogram --filter size=1000 lines.mlg >histogram
equal "histogram of a size" "$(cat histogram)" $'1000\t50'
export_as folded --filter function=plain_symbol lines.mlg >folded
equal "stacks of a function" "$(cat folded)" 'main (odd_names.cc);plain_symbol (odd_names.cc) 30'
export_as massif --filter size=3000 lines.mlg >massif.out
python3 "$TESTS/massif_check.py" massif.out 1 >massif.figures || fail "massif of a size"
# 3 blocks stay of 30, and with the last ten but one 11 live at once
grep -qx 'leaked_bytes=9000' massif.figures || fail "left of a size: $(cat massif.figures)"
grep -qx 'peak_bytes=33000' massif.figures || fail "peak of a size: $(cat massif.figures)"

# Files: replaced, never the trace itself; a full disk is told.
cp lines.mlg keep.mlg
export_as histogram -o out.txt lines.mlg
cp out.txt first.txt
head -c 100000 /dev/zero >out.txt
export_as histogram -o out.txt lines.mlg
cmp out.txt first.txt || fail "a file that was there is not replaced"
export_as histogram -o - lines.mlg | cmp - first.txt || fail "-o -"
expect_error 2 'lines.mlg: this is the trace' "$MALLOGRAPH" export --format=folded -o lines.mlg lines.mlg
expect_error 2 'lines.mlg: this is the trace' bash -c '"$MALLOGRAPH" export --format=folded -o lines.mlg - <lines.mlg'
cmp lines.mlg keep.mlg || fail "the trace was written to"
expect_error 1 'no-such/out: ' "$MALLOGRAPH" export --format=folded -o no-such/out lines.mlg
expect_error 1 '/dev/full: .*space' "$MALLOGRAPH" export --format=massif -o /dev/full lines.mlg
expect_error 2 "name a format" "$MALLOGRAPH" export lines.mlg
expect_error 2 "did you mean 'folded'" "$MALLOGRAPH" export --format=foldet lines.mlg
expect_error 2 "massif-threshold.*no percentage" "$MALLOGRAPH" export --format=massif --massif-threshold=2x lines.mlg
expect_error 2 "massif-threshold.*no percentage" "$MALLOGRAPH" export --format=massif --massif-threshold=101 lines.mlg
expect_error 2 "time unit" "$MALLOGRAPH" export --format=massif --time-unit=allocations lines.mlg
expect_error 2 "one run" "$MALLOGRAPH" export --format=massif -d odd.mlg lines.mlg

# print's -H, -F and -M are the same; with - they take the place of the report.
"$MALLOGRAPH" print -H h -F f -M m lines.mlg >report || fail "print -H -F -M"
grep -q '^total runtime' report || fail "no report beside the files"
for pair in histogram:h:-H folded:f:-F massif:m:-M; do
	IFS=: read -r format file letter <<<"$pair"
	export_as "$format" lines.mlg | cmp - "$file" || fail "print $letter is not export's"
	"$MALLOGRAPH" print "$letter" - lines.mlg | cmp - "$file" || fail "print $letter -"
done
expect_error 2 "only one of" "$MALLOGRAPH" print -H - -F - lines.mlg
