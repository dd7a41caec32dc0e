# SPDX-License-Identifier: LGPL-2.1-or-later
# What changed between two builds of a program, and nothing else: rebuilt in another
# folder, lines moved, one function allocates more, one is new, one is gone.
. "$TESTS/lib.sh"
need gcc g++ python3

mkdir old new
cat >old/program.c <<'END'
#include <stdlib.h>
static void times(int n, void (*f)(void)) { for (int i = 0; i < n; i++) f(); }
static void grow(void) { free(malloc(100)); }
static void keep(void) { free(malloc(30)); }
static void gone(void) { free(malloc(50)); }
int main(void)
{
	times(1000, grow);
	times(300, keep);
	times(100, gone);
	return malloc(7) == NULL;
}
END
cat >new/program.c <<'END'
/* two lines more at the top,
 * so every line is another one */
#include <stdlib.h>
static void times(int n, void (*f)(void)) { for (int i = 0; i < n; i++) f(); }
static void fresh(void) { free(malloc(60)); }
static void keep(void) { free(malloc(30)); }
static void grow(void) { free(malloc(100)); }

int main(void)
{
	times(1500, grow);
	times(300, keep);
	times(250, fresh);
	return malloc(7) == NULL;
}
END
for build in old new; do
	(cd $build && gcc -g -O0 -o program program.c) || fail "gcc"
	record -o $build.mlg ./$build/program
	equal "status of $build" "$status" 0
done

diff_of() { # OUT BASE FILE [OPTION...]
	local out=$1 base=$2 file=$3
	shift 3
	"$MALLOGRAPH" print "$@" -d "$base" "$file" >"$out" 2>err || fail "print -d: $?, $(cat err)"
	[ ! -s err ] || fail "print -d says $(cat err)"
}
entries() {
	python3 "$TESTS/report_text.py" entries "$1" || fail "entries of $1"
}

diff_of out old.mlg new.mlg -p0
entries out >found
cat >expected <<'END'
allocations 500 grow
allocations 250 fresh
allocations -100 gone
temporary 500 grow
temporary 250 fresh
temporary -100 gone
END
cmp expected found || fail "$(cat found out)"
grep -qxF '500 calls to allocation functions with 0B peak consumption from [base 1000, new 1500, +50.00%]' out ||
	fail "$(cat out)"
grep -qxF '250 calls to allocation functions with 0B peak consumption from [base 0, new 250, only in new]' out ||
	fail "$(cat out)"
grep -qF -- '-100 calls to allocation functions with ' out || fail "no -100"
grep -qF '[base 100, new 0, only in base]' out || fail "gone is not only in base"
grep -qE '^calls to allocation functions: 650 \(-?[0-9]+/s\) \[base 1401, new 2051, \+46\.40%\]$' out ||
	fail "totals: $(grep ^calls out)"
grep -qxF 'total memory leaked: 0B [base 7B, new 7B, 0.00%]' out || fail "$(cat out)"

diff_of swapped new.mlg old.mlg -p0
python3 "$TESTS/report_text.py" negated out swapped || fail "the other way round"

# a file against itself
diff_of same old.mlg old.mlg -l
equal "entries of nothing" "$(entries same)" ""
grep -qE '^calls to allocation functions: 0 \(0/s\) \[base 1401, new 1401, 0\.00%\]$' same || fail "$(cat same)"
grep -qxF 'total runtime: 0.000s.' <(sed 's/ \[base .*//' same) || fail "$(cat same)"

# lines are other ones: without functions everything is new or gone
diff_of lines old.mlg new.mlg -p0 -T0 --diff-by line
entries lines | cut -d' ' -f2- | sort >found
sort >expected <<'END'
1 main
-1 main
1500 grow
-1000 grow
300 keep
-300 keep
250 fresh
-100 gone
END
cmp expected found || fail "--diff-by line: $(cat found)"

diff_of out old.mlg new.mlg -p0 -T0 --min-change 200
equal "entries from 200" "$(entries out | cut -d' ' -f2- | tr '\n' ' ')" "500 grow 250 fresh "
grep -qE '^1 smaller changes are left out' out || fail "one is left out without a word"
diff_of out old.mlg new.mlg -p0 -T0 --per 10
equal "per 10" "$(entries out | cut -d' ' -f2- | tr '\n' ' ')" "50.00 grow 25.00 fresh -10.00 gone "
diff_of out old.mlg new.mlg --only allocations --per 10 --min-change 20
equal "per 10, from 20" "$(entries out | cut -d' ' -f2- | tr '\n' ' ')" "50.00 grow 25.00 fresh "

# other programs are compared, too, and that they are
record -o other.mlg "$VICTIMS/leaks"
"$MALLOGRAPH" print -d old.mlg other.mlg >out 2>err || fail "another program: $?"
equal "remark" "$(cat err)" 'mallograph: the traces are of different programs: base program, new leaks'

# both sides' condition is told
head -c 700 old.mlg >cut.mlg
"$MALLOGRAPH" print -d cut.mlg new.mlg >out 2>err
equal "status of a cut base" $? 1
grep -q '^mallograph: cut.mlg: cut off' err || fail "$(cat err)"
grep -q '^base: trace cut off' out || fail "the report does not tell that base is cut off"

# budgets are of the growth
expect_none() {
	"$MALLOGRAPH" print -d old.mlg new.mlg "$@" >out 2>err || fail "$*: $?, $(cat err)"
	[ ! -s err ] || fail "$*: $(cat err)"
}
expect_none --fail-above allocations=650,temporary=650,leaked=0,leaked-bytes=0,peak=0
"$MALLOGRAPH" print -d old.mlg new.mlg --fail-above allocations=649,leaked=0,temporary=0 >out 2>err
equal "status above" $? 3
equal "lines" "$(wc -l <err)" 2
grep -qxF 'mallograph: new.mlg: 650 more allocations, above the limit of 649' err || fail "$(cat err)"
"$MALLOGRAPH" print -d cut.mlg new.mlg --fail-above allocations=0 >out 2>err
equal "status of a cut base above" $? 1
expect_error 2 'compares two traces' "$MALLOGRAPH" print --min-change 5 new.mlg
expect_error 2 'compares two traces' "$MALLOGRAPH" print --diff-by line new.mlg
expect_error 2 'compares two traces' "$MALLOGRAPH" print --match-similar new.mlg
expect_error 2 'one trace' "$MALLOGRAPH" print -d - -

# a stack that goes another way to the same place is paired when asked for, and says so
for way in straight around; do
	cat >$way.c <<'END'
#include <stdlib.h>
static void leaf(void) { free(malloc(24)); }
static void c(void) { leaf(); }
static void b(void) { c(); }
static void a(void) { b(); }
static void detour(void) { a(); }
int main(void)
{
	for (int i = 0; i < TIMES; i++)
		AROUND ? detour() : a();
	return 0;
}
END
	around=0 times=100
	[ $way = straight ] || around=1 times=150
	gcc -g -O0 -fno-builtin -DAROUND=$around -DTIMES=$times -o way $way.c || fail "gcc"
	record -o $way.mlg ./way
done
diff_of out straight.mlg around.mlg --only allocations -m0
equal "unpaired" "$(entries out | cut -d' ' -f2- | tr '\n' ' ')" "150 leaf -100 leaf "
diff_of out straight.mlg around.mlg --only allocations -m0 --match-similar
equal "paired" "$(entries out | cut -d' ' -f2- | tr '\n' ' ')" "50 leaf "
grep -qF '[base 100, new 150, +50.00%, a similar stack]' out || fail "a pair without a word: $(cat out)"
diff_of out straight.mlg around.mlg --only allocations
grep -qF '50 calls to allocation functions with 0B peak consumption from [base 100, new 150, +50.00%]' out ||
	fail "sites: $(cat out)"
diff_of out straight.mlg straight.mlg
equal "sections in which nothing changed" "$(grep -cx 'nothing changed' out)" 3
diff_of out straight.mlg straight.mlg --only timeline
equal "a timeline in which nothing changed" "$(grep -A2 '^HEAP OVER TIME' out)" \
	$'HEAP OVER TIME\nnothing changed'

# A function stands for all its lines; the one shown is that which changed.
cat >lines.c <<'END'
#include <stdlib.h>
void *volatile keep[2];
__attribute__((noinline)) void open_session(int n)
{
	keep[0] = malloc(100);
	for (int i = 0; i < n; i++)
		keep[1] = malloc(1000); /* line 7 */
}
int main(int argc, char **argv)
{
	(void)argv;
	open_session(argc > 1 ? 200 : 0);
	return 0;
}
END
gcc -g -O1 -o lines lines.c || fail 'cannot build lines.c'
"$MALLOGRAPH" record -q -o lines-more.mlg ./lines more
"$MALLOGRAPH" record -q -o lines-less.mlg ./lines
"$MALLOGRAPH" print --only leaks -d lines-more.mlg lines-less.mlg >out
sed -n '/^-200.00K leaked/,$p' out | sed -n '2,3p' >place
printf 'open_session\n  at %s\n' "$PWD/lines.c:7" >wanted
sed -i 's,  at .*/lines.c,  at '"$PWD"'/lines.c,' place
cmp -s place wanted || fail "the line that changed: $(cat place)"

# Lambdas that were inlined have no names of their own; those of two functions are two.
cat >lambdas.cc <<'END'
#include <cstdlib>
void *volatile keep;
struct Reader { void run(int n); };
struct Writer { void run(int n); };
__attribute__((noinline)) void Reader::run(int n)
{
	auto read = [](int k) { for (int i = 0; i < k; i++) keep = malloc(10); };
	read(n);
}
__attribute__((noinline)) void Writer::run(int n)
{
	auto write = [](int k) { for (int i = 0; i < k; i++) keep = malloc(20); };
	write(n);
}
int main(int argc, char **argv)
{
	(void)argv;
	Reader().run(argc > 1 ? 300 : 200);
	Writer().run(argc > 1 ? 100 : 200);
	return 0;
}
END
g++ -g -O1 -o lambdas lambdas.cc || fail 'cannot build lambdas.cc'
record -o lambdas.mlg ./lambdas
record -o lambdas-other.mlg ./lambdas other
diff_of out lambdas.mlg lambdas-other.mlg --only allocations -s0
grep -A1 '\[base' out | sed 's/ calls to .*//; s/::[({].*//' >found
printf '100\nReader::run\n--\n-100\nWriter::run\n' >expected
sed -i 's/(int)$//' found
cmp -s expected found || fail "lambdas of two functions: $(cat found out)"

# A place that is as often called as before, but from elsewhere.
cat >moved.c <<'END'
#include <stdlib.h>
void *volatile keep;
__attribute__((noinline)) void leaf(void) { keep = malloc(10); keep = NULL; }
__attribute__((noinline)) void one(int n) { while (n--) leaf(); }
__attribute__((noinline)) void two(int n) { while (n--) leaf(); }
int main(int argc, char **argv)
{
	(void)argv;
	one(argc > 1 ? 100 : 300);
	two(argc > 1 ? 300 : 100);
	return 0;
}
END
gcc -g -O1 -fno-optimize-sibling-calls -o moved moved.c || fail 'cannot build moved.c'
record -o moved.mlg ./moved
record -o moved-other.mlg ./moved other
diff_of out moved.mlg moved-other.mlg --only allocations
equal "what moved" "$(sed -n '/^MOST/,$p' out)" $'MOST CALLS TO ALLOCATION FUNCTIONS
changed in their backtraces alone: 1 (-m0 lists these)'
diff_of out moved.mlg moved-other.mlg --only allocations -m0
equal "the backtraces" "$(entries out | cut -d' ' -f2- | tr '\n' ' ')" "200 leaf -200 leaf "
! grep -q 'backtraces alone' out || fail "-m0 shows them: $(cat out)"
diff_of out moved.mlg moved-other.mlg --only allocations --json
grep -q '"backtraces_alone": 1,' out || fail "--json: $(cat out)"

# Threads without a name are one entry, which no tid of theirs stands for. (The main one, with
# the block of a thread that it starts, is among them when it ends before its name was read.)
cat >nameless.c <<'END'
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
static void *run(void *unused)
{
	prctl(PR_SET_NAME, "");
	for (int i = 0; i < 100; i++)
		free(malloc(50));
	return unused;
}
int main(int argc, char **argv)
{
	(void)argv;
	for (int i = 0; i < 2 * argc; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, run, NULL) || pthread_join(thread, NULL))
			return 1;
	}
	return 0;
}
END
gcc -O0 -fno-builtin -o nameless nameless.c -lpthread || fail "gcc"
record -o two.mlg ./nameless
record -o six.mlg ./nameless more arguments
diff_of out two.mlg six.mlg --by thread --only allocations -s0
sed -nE '/^(399|40[01]) calls.* \[base 20[01], new 60[01], /{n;p}' out >found
equal "the nameless threads" "$(cat found)" "threads without a name"
diff_of json two.mlg six.mlg --by thread --only allocations --json
python3 - <<'END' || fail "the nameless threads of $(cat json)"
import json
nameless = [entry for entry in json.load(open("json", encoding="utf-8"))["allocations"]["entries"]
            if entry["place"] == {"tid": None, "thread": ""}]
assert len(nameless) == 1 and 399 <= nameless[0]["cost"]["difference"]["allocations"] <= 401
END
printf 'keys T\nsave screen\n' | "$MALLOGRAPH" tui --script - -d two.mlg six.mlg || fail "tui: $?"
grep -q 'threads without a name' screen || fail "the nameless threads: $(cat screen)"
"$MALLOGRAPH" print --by thread --only allocations -s0 six.mlg >out || fail "print --by thread"
at_least "entries of one trace" "$(grep -cE '^thread \([0-9]+\)$' out)" 6
