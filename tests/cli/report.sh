# SPDX-License-Identifier: LGPL-2.1-or-later
# The report's words and shape, in a program whose figures are known.
. "$TESTS/lib.sh"

record -o t.mlg "$VICTIMS/leaks" >/dev/null
report() {
	"$MALLOGRAPH" print "$@" t.mlg >out 2>err || fail "print $*: $?, $(cat err)"
}
has() {
	grep -qE -- "$1" out || {
		cat out
		fail "no line like /$1/"
	}
}
has_not() {
	! grep -qE -- "$1" out || {
		cat out
		fail "a line like /$1/"
	}
}
report
has '^MOST CALLS TO ALLOCATION FUNCTIONS$'
has '^PEAK MEMORY CONSUMERS$'
has '^MOST TEMPORARY ALLOCATIONS$'
has_not '^MEMORY LEAKS$'
has '^3000 calls to allocation functions with 48\.05K peak consumption from$'
has '^keep_or_free$'
has '^  at .*leaks\.c:[0-9]+$'
has '^  in .*victims/leaks$'
has '^3000 calls with 48\.05K peak consumption from:$'
has '^    main$'
has '^48\.05K peak memory consumed over [0-9]+ calls from$'
has '^48\.05K consumed over [0-9]+ calls from:$'
has '^2000 temporary allocations of 3000 allocations in total \(66\.67%\) from$'
has '^total runtime: [0-9.]+s\.$'
has '^calls to allocation functions: 3000 \([0-9]+/s\)$'
has '^temporary memory allocations: 2000 \([0-9]+/s\)$'
has '^peak heap memory consumption: 48\.05K$'
# (a program may be gone before anybody can look)
has '^peak RSS \(including mallograph overhead\): ([0-9.]+[BKMG]|unknown)$'
has '^total memory leaked: 48\.00K$'
has '1000 blocks leaked; --only leaks lists them'
report -l
has '^MEMORY LEAKS$'
has '^48\.00K leaked over [0-9]+ calls from$'
has_not 'lists them'
report -a0 -p0 -T0 -l1
has_not '^(MOST|PEAK)'
has '^MEMORY LEAKS$'
report --bytes
has '^3000 calls to allocation functions with 48048B? peak consumption from$'
has '^peak heap memory consumption: 48048B?$'
report -m0
has '^3000 calls'
report -n 0
has '^calls to allocation functions: 3000 '

record -o t.mlg "$VICTIMS/ticker" 0.3 >/dev/null
report
has '^peak RSS \(including mallograph overhead\): [0-9.]+[BKMG]$'
has '^total runtime: 0\.[23][0-9]{2}s\.$'
