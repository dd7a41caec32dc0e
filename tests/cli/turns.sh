# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs that go on as something else in odd ways: exec in a signal handler or without an
# environment, fork at exit, scripts in scripts, record in what is recorded, storms of processes.
. "$TESTS/lib.sh"
BEFORE=100 IN_HANDLER=7 AT_EXIT=15 LEAF=33 # turns.c

turns() { # HOW STATUS BLOCKS-OF-THE-FIRST
	record -o "$1.mlg" "$VICTIMS/turns" "$1"
	equal "status of $1" $status "$2"
	[ ! -s record.err ] || fail "$1: says $(cat record.err)"
	equal "traces of $1" "$(ls "$1"*.mlg | wc -l)" 2
	whole "$1.mlg"
	whole "$1.2.mlg"
	equal "allocations before $1" "$(figure allocations "$1.mlg")" "$3"
	equal "allocations behind $1" "$(figure allocations "$1.2.mlg")" $LEAF
}
turns handler 4 $((BEFORE + IN_HANDLER))
turns fault 4 $((BEFORE + IN_HANDLER))
turns atexit 3 $((BEFORE + AT_EXIT))
for how in no_environment cleared emptied; do
	turns $how 4 $BEFORE
done

# Ten scripts, each started by the one before.
for ((i = 1; i < 10; i++)); do
	printf '#!/bin/sh\n./script%d\nexit $?\n' $((i + 1)) >script$i
done
printf '#!/bin/sh\n%s exit 321\nexit $?\n' "$VICTIMS/die" >script10
chmod +x script*
record -o deep.mlg ./script1
equal "status of ten scripts" $status 42
equal "traces of ten scripts" "$(ls deep*.mlg | wc -l)" 11
for trace in deep*.mlg; do
	read_through "$trace"
	figure allocations "$trace"
done | sort | uniq -c >counts
grep -qE '^ *1 321$' counts || fail "not one with 321 blocks: $(cat counts)"

# The program of a record that is recorded itself is that one's, whose library it is, too.
mkdir other
cp "$LIB" "$MALLOGRAPH" other/ || fail "cp"
outers=("$LIB" "$PWD/other/libmallograph.so")
[ -z "${SAN-}" ] || outers=() # nothing can be preloaded into the tool
for outer in "${outers[@]}"; do
	LD_PRELOAD=$outer MALLOGRAPH_OPTIONS="-o outer.mlg" "$MALLOGRAPH" record -q -o inner.mlg \
		"$VICTIMS/die" exec 77 >out 2>err
	equal "status inside of a recorded record" $? 42
	[ ! -s err ] || fail "a recorded record says $(cat err)"
	equal "allocations in it" "$(figure allocations inner.mlg)" 77
	equal "allocations behind its exec" "$(figure allocations inner.2.mlg)" 7
	whole inner.mlg
	whole inner.2.mlg
done
[ -n "${SAN-}" ] || {
	record -o outer.mlg "$MALLOGRAPH" record -q -o inner.mlg "$VICTIMS/die" exit 78
	equal "status of record inside of record" $status 42
	equal "allocations" "$(figure allocations inner.mlg)" 78
	at_least "allocations of the record" "$(figure allocations outer.mlg)" 1
}

# 500 short processes, 16 at a time, of which each allocates as much as only it does.
seq 500 >numbers
record -o storm.mlg xargs -P 16 -n 1 "$VICTIMS/die" exit <numbers
equal "status of the storm" $status 123
for trace in storm.[0-9]*.mlg; do
	figures "$trace"
done >all || fail "figures of the storm"
# (xargs' own first child allocates, once)
sed -n 's/^allocations=//p' all | sort -n | sed 1d | cmp - numbers || fail "not from 1 to 500"
equal "traces without a lost event" "$(grep -c '^lost=0$' all)" 501
