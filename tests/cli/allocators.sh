# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: test
# Programs that bring another malloc as a shared library, preloaded or linked: the figures
# are still the program's. (What the library itself allocates at its start is measured
# with a program that allocates nothing.)
. "$TESTS/lib.sh"
need gcc
not_sanitized 'a sanitized tool cannot have another allocator preloaded'

folder=/usr/lib/x86_64-linux-gnu
wrong=0

compare() { # WHAT BASE-TRACE TRACE OUTPUT
	local name expected
	figures "$2" >base && figures "$3" >figures || fail "$1: no figures"
	for name in allocations deallocations bytes reallocations leaked_blocks leaked_bytes; do
		expected=$(sed -n "s/^expect $name=//p" "$4")
		[ -n "$expected" ] || continue
		expected=$((expected + $(sed -n "s/^$name=//p" base)))
		[ "$(sed -n "s/^$name=//p" figures)" = $expected ] || {
			echo "$1: $name: $(sed -n "s/^$name=//p" figures), expected $expected"
			wrong=1
		}
	done
	echo "$1: $(sed -n 's/^allocations=//p' figures) allocations"
	equal "$1: unknown frees" "$(sed -n 's/^unknown_frees=//p' figures)" 0
}

for library in libjemalloc.so.2 libtcmalloc_minimal.so.4 libmimalloc.so.2.0; do
	[ -e $folder/$library ] || skip "$library is not installed"
	for victim in malloc_free calloc realloc_grow realloc_null aligned temporary strdup \
		new_delete new_zero; do
		base=empty
		[[ $victim != new_* ]] || base=empty_cc
		LD_PRELOAD=$folder/$library record -o base.mlg "$VICTIMS/$base" >/dev/null
		LD_PRELOAD=$folder/$library record -o v.mlg "$VICTIMS/$victim" >out
		equal "status of $victim with $library preloaded" $status 0
		compare "$victim, $library preloaded" base.mlg v.mlg out
	done
	for victim in empty malloc_free realloc_shrink reallocarray threads; do
		gcc -std=gnu11 -D_GNU_SOURCE -O0 -fno-builtin -w -pthread -o $victim \
			"$TESTS/victims/$victim.c" -Wl,--no-as-needed $folder/$library || fail "gcc"
		record -o $victim.mlg ./$victim >$victim.out
		equal "status of $victim linked with $library" $status 0
		compare "$victim, $library linked" empty.mlg $victim.mlg $victim.out
	done
done
[ $wrong = 0 ] || fail "figures differ"
