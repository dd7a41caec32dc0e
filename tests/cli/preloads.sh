# SPDX-License-Identifier: LGPL-2.1-or-later
# Other libraries in LD_PRELOAD, before ours and behind it: wrappers of malloc, allocators, and
# those that have nothing to do with memory. And allocators inside the program itself, whose
# calls nobody sees: then it is said.
. "$TESTS/lib.sh"
not_sanitized 'a sanitized tool cannot have other libraries preloaded'
need gcc fakeroot stdbuf

wrapper=$VICTIMS/plugin_wrapping_malloc.so
libraries=/usr/lib/x86_64-linux-gnu
for library in libeatmydata.so libjemalloc.so.2 libjemalloc.a; do
	[ -e $libraries/$library ] || skip "$library is not installed"
done
wrong=0

# Each figure that the victim promises; its bytes with so many more for each block. What
# a library allocates for itself comes on top: the figures of a program that allocates nothing.
compare() { # WHAT TRACE OUTPUT MORE-BYTES [BASE-TRACE]
	local name expected
	figures "$2" >figures || fail "$1: no figures"
	: >base
	[ $# -lt 5 ] || figures "$5" | grep -E '^(allocations|bytes|leaked_blocks|peak_blocks)=' >base
	for name in allocations deallocations bytes reallocations temporary leaked_blocks \
		peak_blocks unknown_frees lost; do
		expected=$(sed -n "s/^expect $name=//p" "$3")
		[ $name != bytes ] ||
			expected=$((expected + $4 * $(sed -n 's/^expect allocations=//p' "$3")))
		expected=$((expected + $(sed -n "s/^$name=//p" base) + 0))
		[ "$(sed -n "s/^$name=//p" figures)" = "$expected" ] || {
			echo "$1: $name: $(sed -n "s/^$name=//p" figures), expected $expected"
			wrong=1
		}
	done
}

# Started by LD_PRELOAD alone, the trace is whole a moment later.
preload_only() { # TRACE PRELOAD COMMAND...
	local trace=$1 preload=$2
	shift 2
	LD_PRELOAD=$preload MALLOGRAPH_OPTIONS="-o $trace" "$@" >out 2>err
	status=$?
}

is_whole() { # TRACE
	"$MALLOGRAPH" print "$1" >is_whole.out 2>&1 && ! grep -q 'still recording' is_whole.out
}

# --- a wrapper of malloc --------------------------------------------------------
# Behind us it gets our calls: the figures are the program's, though its calloc calls malloc
# once more and its realloc calls free.
for victim in malloc_free calloc realloc_grow realloc_shrink realloc_null realloc_zero \
	reallocarray strdup; do
	LD_PRELOAD=$wrapper record -o "$victim.mlg" "$VICTIMS/$victim" >out
	equal "status of $victim, wrapper behind" "$status" 0
	compare "$victim, wrapper behind" "$victim.mlg" out 0
	[ $victim != calloc ] || whole $victim.mlg
done
# Before us it makes the calls that we see, with its header of 32 bytes.
for victim in malloc_free strdup; do
	preload_only "w.$victim.mlg" "$wrapper $LIB" "$VICTIMS/$victim"
	equal "status of $victim, wrapper before" "$status" 0
	[ ! -s err ] || fail "$victim, wrapper before: $(cat err)"
	wait_for is_whole "w.$victim.mlg"
	compare "$victim, wrapper before" "w.$victim.mlg" out 32
done
# What a script puts before us comes behind us.
record -o 's.%n.mlg' sh -c "LD_PRELOAD=\"$wrapper \$LD_PRELOAD\" $VICTIMS/realloc_grow" >out
equal "status in a script" "$status" 0
compare "realloc_grow in a script" s.realloc_grow.mlg out 0

# --- an allocator before us -----------------------------------------------------
record -o 'j.%n.mlg' \
	sh -c "LD_PRELOAD=\"$libraries/libjemalloc.so.2 \$LD_PRELOAD\" $VICTIMS/realloc_null" >out
equal "status with jemalloc in a script" "$status" 0
LD_PRELOAD=$libraries/libjemalloc.so.2 record -o empty.mlg "$VICTIMS/empty" >/dev/null
compare "realloc_null with jemalloc in a script" j.realloc_null.mlg out 0 empty.mlg

told() { # WHAT PATTERN
	equal "status of $1" "$status" 0
	cmp out native.out || fail "$1: other output"
	equal "lines of $1" "$(wc -l <err)" 1
	grep -qE "^mallograph: .*$2.*runs unprofiled" err || fail "$1 is told: $(cat err)"
}
"$VICTIMS/malloc_free" >native.out
preload_only x.mlg "$libraries/libjemalloc.so.2 $LIB" "$VICTIMS/malloc_free"
told "jemalloc before us" 'libjemalloc\.so\.2 keeps malloc to itself'
[ ! -e x.mlg ] || fail "a trace of nothing"

# --- an allocator in the program ------------------------------------------------
for archive in libjemalloc.a libjemalloc_pic.a; do
	gcc -std=gnu11 -D_GNU_SOURCE -O0 -fno-builtin -w -o inside "$TESTS/victims/malloc_free.c" \
		$libraries/$archive -lm -lpthread -lstdc++ || fail "gcc"
	expect_error 125 'inside: defines malloc inside its own executable' \
		"$MALLOGRAPH" record -o x.mlg ./inside
	preload_only x.mlg "$LIB" ./inside
	told "$archive by LD_PRELOAD" 'defines malloc itself'
	[ ! -e x.mlg ] || fail "a trace of nothing"
	"$MALLOGRAPH" record -o c.mlg sh -c './inside; exit 7' >out 2>err
	equal "status of its parent" $? 7
	cmp out native.out || fail "$archive as a child: other output"
	grep -qE '^  unrecorded +1 ' err || fail "$archive as a child is not counted: $(cat err)"
done
# without a GNU hash table it is not found beforehand, but when it runs
gcc -std=gnu11 -D_GNU_SOURCE -O0 -fno-builtin -w -Wl,--hash-style=sysv -o inside \
	"$TESTS/victims/malloc_free.c" $libraries/libjemalloc.a -lm -lpthread -lstdc++ || fail "gcc"
"$MALLOGRAPH" record -o x.mlg ./inside >out 2>err
equal "status of the one with the old table" $? 0
cmp out native.out || fail "other output"
grep -q 'defines malloc itself' err && grep -q 'nothing was recorded' err ||
	fail "the one with the old table is not told: $(cat err)"

# --- others ---------------------------------------------------------------------
LD_PRELOAD=libeatmydata.so record -o e.mlg "$VICTIMS/malloc_free" >out
compare "libeatmydata behind us" e.mlg out 0
preload_only f.mlg "libeatmydata.so $LIB" "$VICTIMS/malloc_free"
wait_for is_whole f.mlg
compare "libeatmydata before us" f.mlg out 0
record -o 'o.%n.mlg' stdbuf -o L "$VICTIMS/malloc_free" >out
equal "status under stdbuf" "$status" 0
compare "stdbuf" o.malloc_free.mlg out 0
fakeroot "$MALLOGRAPH" record -q -o r.mlg id -u >out || fail "id under fakeroot"
equal "user under fakeroot" "$(cat out)" 0
whole r.mlg
record -o 'k.%n.mlg' fakeroot "$VICTIMS/malloc_free" >out
equal "status under a recorded fakeroot" "$status" 0
compare "fakeroot" k.malloc_free.mlg out 0
[ $wrong = 0 ] || fail "figures differ"
