# SPDX-License-Identifier: LGPL-2.1-or-later
# Leaks that are not wanted: by rules of a file, of the program, of mallograph. What is
# suppressed and what is not are together what was recorded.
. "$TESTS/lib.sh"
need gcc python3

cat >program.c <<'END'
#include <stdlib.h>
void *cache_fill(void) { return malloc(100); }
void *really_lost(void) { return malloc(30); }
void *tzset_internal(void) { return malloc(7); }
int main(void)
{
	for (int i = 0; i < 5; i++)
		cache_fill();
	for (int i = 0; i < 3; i++)
		really_lost();
	return tzset_internal() == NULL;
}
END
gcc -g -O0 -fno-builtin -o program program.c || fail "gcc"
record -o t.mlg ./program
leaked=$(figure leaked_bytes t.mlg)
equal "leaked in all" "$leaked" $((500 + 90 + 7))

leaks() { # LEAKED SUPPRESSED BLOCKS OPTION...: of the totals, and the line about -l
	local bytes=$1 suppressed=$2 blocks=$3
	shift 3
	"$MALLOGRAPH" print --bytes "$@" t.mlg >out 2>err || fail "print $*: $?, $(cat err)"
	grep -qx "total memory leaked: $bytes" out || fail "$*: $(grep leaked out), expected $bytes"
	if [ "$suppressed" = 0 ]; then
		! grep -q '^suppressed' out || fail "$*: $(grep ^suppressed out)"
	else
		grep -qx "suppressed leaks: $suppressed" out || fail "$*: $(cat out)"
	fi
	equal "sum of $*" $((bytes + suppressed)) "$leaked"
	grep -qx "$blocks blocks leaked; --only leaks lists them" out || fail "$*: $(tail -n 1 out)"
	"$MALLOGRAPH" print --bytes -l "$@" t.mlg >out || fail "print -l $*"
	"$MALLOGRAPH" print --json -l "$@" t.mlg >json || fail "print --json $*"
	python3 "$TESTS/report_text.py" same out json >count || fail "$*: $(cat count)"
}
leaks 590 7 8
leaks 597 0 9 --disable-builtin-suppressions
cat >rules <<'END'
# what is known

leak:cache_*
END
leaks 90 507 3 --suppressions rules
leaks 97 500 4 --suppressions rules --disable-builtin-suppressions
grep -q '^really_lost$' out || fail "the other leak is gone: $(cat out)"
! grep -q '^cache_fill$' <(sed -n '/^MEMORY LEAKS/,/^MOST/p' out) || fail "a suppressed leak is listed: $(cat out)"
# only leaks are suppressed
grep -qE '^5 calls to allocation functions with 500 ' out || fail "calls are suppressed: $(cat out)"
echo 'leak:^really_lost$' >more-rules
"$MALLOGRAPH" print --bytes -l --suppressions rules --suppressions more-rules --print-suppressions t.mlg >out || fail "two files"
grep -qx 'total memory leaked: 0' out || fail "two files: $(cat out)"
sed -n '/^Suppressions used:/,$p' out | sed 's/  */ /g' | head -n 5 >found
cat >expected <<'END'
Suppressions used:
 matches leaked pattern
 5 500 cache_*
 3 90 ^really_lost$
 1 7 tzset_internal
END
diff <(sort expected) <(sort found) || fail "--print-suppressions: $(cat out)"
"$MALLOGRAPH" print -d t.mlg t.mlg --suppressions rules >out || fail "print -d"
grep -qx 'suppressed leaks: 0B \[base 507B, new 507B, 0.00%\]' out || fail "a diff: $(cat out)"

expect_error 1 "^mallograph: nowhere: " "$MALLOGRAPH" print --suppressions nowhere t.mlg
printf '{\n   name\n   Memcheck:Leak\n   fun:malloc\n}\n' >valgrind
expect_error 1 '^mallograph: valgrind: .*leak:' "$MALLOGRAPH" print --suppressions valgrind t.mlg
echo 'leak cache' >wrong
expect_error 1 '^mallograph: wrong: .*line 1' "$MALLOGRAPH" print --suppressions wrong t.mlg

# embedded rules, as a file of heaptrack's has them
printf 'v 10600 3\nX ./app\nI 1000 100\nS b leak:foobar\ns 6 foobar\ns 4 main\ns 5 other\ns 3 app\ni 10 4 1\ni 20 4 3\nt 1 0\nt 2 0\na 10 1\na 20 2\n+ 0\n+ 1\nc 5\nR 10\n# strings: 4\n# ips: 2\n' >h.txt
"$MALLOGRAPH" print --bytes h.txt >out || fail "heaptrack's file: $?"
grep -qx 'total memory leaked: 32' out || fail "embedded: $(cat out)"
grep -qx 'suppressed leaks: 16' out || fail "embedded: $(cat out)"
"$MALLOGRAPH" print --bytes --disable-embedded-suppressions h.txt >out || fail "print"
grep -qx 'total memory leaked: 48' out || fail "--disable-embedded-suppressions: $(cat out)"

# a wrapper of one's own
"$MALLOGRAPH" print --only leaks --wrapper 'cache_*' t.mlg >out || fail "--wrapper"
! grep -qx cache_fill out || fail "--wrapper: $(cat out)"
grep -qx main out || fail "--wrapper: $(cat out)"

# What a plugin's constructor leaks is its own, though the loader called it. Where the loader's
# debug symbols are missing no built-in rule finds its functions at all.
cat >plugin.c <<'END'
#include <stdlib.h>
void *plugin_keep(void) { return malloc(100000); }
__attribute__((constructor)) static void plugin_begin(void)
{
	for (int i = 0; i < 10; i++)
		plugin_keep();
}
END
gcc -g -O0 -fno-builtin -shared -fPIC -o plugin.so plugin.c || fail "gcc"
record -o p.mlg "$VICTIMS/loader" "$PWD/plugin.so"
equal "status of the loader" "$status" 0
"$MALLOGRAPH" print --bytes --only leaks p.mlg >out || fail "print: $?"
grep -qx '1000000 leaked over 10 calls from' out || fail "the constructor's leaks: $(cat out)"
grep -qx plugin_keep out || fail "the constructor's leaks: $(cat out)"
"$MALLOGRAPH" print --only summary --fail-above leaked-bytes=500k p.mlg >out 2>err
equal "status of --fail-above" $? 3
echo leak:plugin_begin >of-plugin
"$MALLOGRAPH" print --only summary --suppressions of-plugin --fail-above leaked-bytes=500k p.mlg \
	>out 2>err || fail "a rule of one's own: $?, $(cat out err)"
