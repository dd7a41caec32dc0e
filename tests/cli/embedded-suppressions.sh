# SPDX-License-Identifier: LGPL-2.1-or-later
# A program that defines __lsan_default_suppressions brings rules: they are read out of its machine
# code, as compilers make it of `return "literal";`, and the function is never called.
# timeout: 180
. "$TESTS/lib.sh"
need gcc python3 strip

cat >program.c <<'END'
#include <stdlib.h>
void *cache_fill(void) { return malloc(100); }
void *table(void) { return malloc(40); }
void *really_lost(void) { return malloc(7); }
void *in_library(void) __attribute__((weak));
int main(void) { return !cache_fill() + !table() + !really_lost() + (in_library && !in_library()); }
END
cat >rules.c <<'END'
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "# what is known\nleak:cache_*\n\n  leak:^table$\n";
}
END

build() { # COMPILER FLAG... -- RULES.c LINKER-FLAG...
	local compiler=$1 flags=()
	shift
	while [ "$1" != -- ]; do
		flags+=("$1")
		shift
	done
	shift
	"$compiler" "${flags[@]}" -c -o rules.o "$1" && shift &&
		gcc -g -O0 -fno-builtin -o program program.c rules.o "$@" || fail "$compiler ${flags[*]}"
}

leaks() { # LEAKED SUPPRESSED OPTION...
	local bytes=$1 suppressed=$2
	shift 2
	"$MALLOGRAPH" print --bytes "$@" t.mlg >out 2>err || fail "print: $?, $(cat err)"
	grep -qx "total memory leaked: $bytes" out || fail "$what: $(grep leaked out), expected $bytes"
	if [ "$suppressed" = 0 ]; then
		! grep -q '^suppressed' out || fail "$what: $(grep ^suppressed out)"
	else
		grep -qx "suppressed leaks: $suppressed" out || fail "$what: $(cat out)"
	fi
}

run() { # WHAT LEAKED SUPPRESSED: names from the recorder, and from the report
	what="$1, symbols recorded"
	record -o t.mlg ./program
	whole t.mlg
	leaks "$2" "$3"
	what="$1, --no-symbols"
	record --no-symbols -o t.mlg ./program
	leaks "$2" "$3"
	[ ! -e called ] || fail "$1: the function was called"
}

told='^embedded suppressions not read: 1 \(.*__lsan_default_suppressions'
untold() {
	! grep -q '^embedded suppressions' out || fail "$what: $(cat out)"
}

for compiler in gcc clang; do
	command -v $compiler >/dev/null || continue
	for flags in -O0 -O2 '-O2 -fno-omit-frame-pointer' '-O0 -fcf-protection -fPIC'; do
		# shellcheck disable=SC2086
		build $compiler $flags -- rules.c
		run "$compiler $flags" 7 140
		untold
	done
	for flags in -O0 -O2 '-O1 -mcmodel=large'; do
		# shellcheck disable=SC2086
		build $compiler $flags -fno-pie -- rules.c -no-pie
		run "$compiler -no-pie $flags" 7 140
		untold
	done
done
what=options
leaks 147 0 --disable-embedded-suppressions
"$MALLOGRAPH" print --json --print-suppressions t.mlg >json || fail "print --json: $?"
python3 - <<'END' || fail "JSON: $(cat json)"
import json
rules = json.load(open("json"))["suppressions"]
found = {(rule["pattern"], rule["origin"], rule["leaked_bytes"]) for rule in rules}
assert found == {("cache_*", "embedded", 100), ("^table$", "embedded", 40)}, found
END

# .dynsym does; a file without symbols has no such function as far as anybody can see
build gcc -O2 -- rules.c -rdynamic
strip program || fail "strip"
run "stripped, -rdynamic" 7 140
build gcc -O2 -- rules.c
strip program || fail "strip"
run stripped 147 0
untold

# constants that are loaded from memory
cat >pointer.c <<'END'
extern const char *const rules __attribute__((visibility("hidden")));
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return rules; }
END
echo 'extern const char *const rules; const char *const rules = "leak:table\n";' >constant.c
gcc -c -O0 -fPIC constant.c || fail "gcc"
build gcc -O0 -- pointer.c constant.o
run "a constant pointer" 107 40
build gcc -O0 -fno-pie -- pointer.c constant.o -no-pie
run "a constant pointer, -no-pie" 107 40

# nothing and an empty text are no rules, and that is known
for value in 0 '""'; do
	sed "s/return .*/return $value;/" rules.c >empty.c
	for flags in -O0 -O2; do
		build gcc $flags -- empty.c
		run "return $value" 147 0
		untold
	done
done

# what would have to be run is told everywhere
not_read() { # WHAT
	run "$1" 147 0
	grep -qE "$told" out || fail "$what: the report does not say so: $(cat out)"
	record -o t.mlg ./program
	whole t.mlg
	"$MALLOGRAPH" info t.mlg >info || fail "info: $?"
	grep -q 'embedded suppressions not read: 1' info || fail "$1: info does not say so: $(cat info)"
	"$MALLOGRAPH" print --bytes --filter time=0..1h t.mlg >out || fail "print --filter: $?"
	grep -qE "$told" out || fail "$1: a part does not say so: $(cat out)"
	"$MALLOGRAPH" print --json t.mlg | grep -q '"embedded suppressions not read: 1 ' || fail "$1: JSON"
}
head='const char *__lsan_default_suppressions(void); const char *__lsan_default_suppressions(void)'
computes() { # WHAT BODY TEXT-BEFORE
	printf '#include <fcntl.h>\n%s\n%s { %s }\n' "$3" "$head" "$2" >computed.c
	build gcc -O2 -- computed.c
	not_read "$1"
}
computes "a function that calls" 'return creat("called", 0600) < 0 ? "leak:a" : "leak:table";' ''
computes "a choice" 'return environ ? "leak:table" : "leak:a";' 'extern char **environ;'
computes "a variable" 'return now;' 'extern const char *now; const char *now = "leak:table";'
computes "a buffer" 'return now;' 'extern char now[20]; char now[20] = "leak:table";'
computes "no text" 'return (const char *)8;' ''
python3 -c 'print("\"" + "#" * 70000 + "\\nleak:table\"")' >long
computes "a text over 64 KiB" "return $(cat long);" ''

# a rule that is wrong is told with its line; the others hold
sed 's/return .*/return "leak:cache_*\\nrace:other\\nleak:table";/' rules.c >wrong.c
build gcc -O2 -- wrong.c
run "a wrong rule" 7 140
grep -q '^mallograph: t.mlg: .*line 2: .*race' err || fail "a wrong rule: $(cat err)"

# a library's counts where the program has none: the first that the dynamic linker finds
sed 's/return .*/return "leak:in_library";/' rules.c >library.c
echo '#include <stdlib.h>
void *in_library(void); void *in_library(void) { return malloc(1000); }' >>library.c
gcc -g -O0 -fPIC -fno-builtin -shared -o liblibrary.so library.c || fail "gcc"
gcc -g -O0 -fno-builtin -o program program.c -Wl,--no-as-needed -L. -llibrary -Wl,-rpath,"$PWD" || fail "gcc"
run "a library's" 147 1000
build gcc -O2 -- rules.c -Wl,--no-as-needed -L. -llibrary -Wl,-rpath,"$PWD"
run "the program's and a library's" 1007 140

# all processes of a tree have them, those whose file was looked into before as well
build gcc -O2 -- rules.c
record -o tree.%p.mlg sh -c './program; ./program; ./program'
found=0
for trace in tree.*.mlg; do
	"$MALLOGRAPH" print --bytes "$trace" >out || fail "print: $?"
	! grep -qx 'suppressed leaks: 140' out || found=$((found + 1))
done
equal "processes with suppressed leaks" "$found" 3
