# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs built with sanitizers: those that replace malloc are not started, and told why; as
# children, and where the runtime is preloaded, they run unrecorded; the others are recorded.
. "$TESTS/lib.sh"
need gcc

cat >run.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void)
{
	for (int i = 0; i < 100; i++)
		free(malloc(10 + i));
	char *volatile text = strdup("it ran");
	puts(text);
	free(text);
	return 3;
}
END
runtime=$(gcc -print-file-name=libasan.so)
[ -e "$runtime" ] || skip "no libasan.so"

build() { # NAME OPTION...
	local name=$1
	shift
	gcc -g -fno-builtin -o "$name" "$@" run.c || fail "gcc $*"
}
build plain
build asan -fsanitize=address
build asan_static -fsanitize=address -static-libasan
build lsan -fsanitize=leak
build tsan_static -fsanitize=thread -static-libtsan
build tsan -fsanitize=thread
build ubsan -fsanitize=undefined

refused() { # PROGRAM PATTERN
	local native
	expect_error 125 "$2" "$MALLOGRAPH" record -o x.mlg "./$1"
	"./$1" >native.out 2>native.err
	native=$?
	"$MALLOGRAPH" record -o c.mlg sh -c "./$1 2>child.err; exit \$?" >out 2>err
	equal "status of $1 as a child" $? $native
	cmp out native.out || fail "output of $1 as a child: $(cat out)"
	sed -i 's/==[0-9]*==//; s/0x[0-9a-f]*//g' native.err child.err
	cmp native.err child.err || fail "$1 as a child says other things: $(cat child.err)"
	grep -qE '^  unrecorded +1 ' err || fail "$1 as a child is not counted: $(cat err)"
}
refused asan 'AddressSanitizer'
refused asan_static 'defines malloc.*sanitizer'
refused lsan 'LeakSanitizer'
refused tsan_static 'defines malloc.*sanitizer'

# The runtime preloaded into what was built without.
LD_PRELOAD=$runtime ./plain >native.out || [ $? = 3 ] || fail "plain with the runtime"
expect_error 125 'LD_PRELOAD names AddressSanitizer' \
	env LD_PRELOAD="$runtime" "$MALLOGRAPH" record -o x.mlg ./plain
"$MALLOGRAPH" record -o c.mlg sh -c "LD_PRELOAD=$runtime ./plain; exit \$?" >out 2>err
equal "status of a child with the runtime" $? 3
cmp out native.out || fail "output of a child with the runtime: $(cat out)"
grep -qE '^  unrecorded +1 ' err || fail "a child with the runtime is not counted: $(cat err)"

for program in ubsan tsan; do
	record -o $program.mlg ./$program >out
	equal "status of $program" "$status" 3
	equal "output of $program" "$(cat out)" 'it ran'
	equal "what $program says" "$(cat record.err)" ''
	whole $program.mlg
	# 100 of the loop, and one by strdup; the rest is the runtime's
	at_least "allocations of $program" "$(figure allocations $program.mlg)" 101
	"$MALLOGRAPH" print -n 1 -p0 -T0 $program.mlg >report
	sed -n '/^100 calls to allocation functions with/,$p' report | grep -q 'run\.c:7$' ||
		fail "main's 100 allocations in $program: $(cat report)"
done
