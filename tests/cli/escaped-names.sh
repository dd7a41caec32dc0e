# SPDX-License-Identifier: LGPL-2.1-or-later
# Names that would command a terminal, or turn the direction of its text, wherever names come
# from: no command, summary or error line lets them through, JSON stays JSON.
. "$TESTS/lib.sh"
need gcc objcopy python3

# an escape sequence, a C1 control, a right-to-left override and isolate, a mark, not UTF-8, a new line
evil=$'E\e[2J\xc2\x9b31m\xe2\x80\xae\xe2\x81\xa6\xd8\x9c\xff\nV'
cat >evil.c <<END
#include <stdlib.h>
#include <unistd.h>
__attribute__((noinline)) void *hostile(void)
{
	return malloc(100);
}
#line 1 "line$(printf 'E\033[2J\302\23331m\342\200\256')V.c"
__attribute__((noinline)) void *of_file(void)
{
	return malloc(200);
}
int main(int argc, char **argv)
{
	void *all[20];
	for (int i = 0; i < 20; i++)
		all[i] = i % 2 ? hostile() : of_file();
	free(all[0]);
	usleep(200000); /* the recorder looks for the thread's name */
	return 0;
}
END
gcc -O0 -g -D_GNU_SOURCE -w -c evil.c && objcopy --redefine-sym hostile="$evil" evil.o &&
	gcc -o "$evil" evil.o || fail "gcc"
objcopy --strip-debug evil.o plain.o && gcc -o "$evil.plain" plain.o || fail "gcc plain"

cat >safe.py <<'END'
import re, sys
text = sys.stdin.buffer.read()
bad = re.search(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]", text)
text.decode()
if bad:
    sys.exit("lets %r through: %r" % (bad[0], text[max(0, bad.start() - 60):bad.end() + 20]))
for want in sys.argv[1:]:
    if not re.search(want.encode(), text):
        sys.exit("does not say %s: %r" % (want, text[:2000]))
END
safe() { # WHAT FILE PATTERN...
	local what=$1 file=$2
	shift 2
	python3 safe.py "$@" <"$file" 2>safe.err || fail "$what: $(tail -n 1 safe.err)"
}
masked='E\\x1b\[2J\\xc2\\x9b31m\\xe2\\x80\\xae\\xe2\\x81\\xa6\\xd8\\x9c\\xff\\x0aV'
turned='\\xe2\\x80\\xae'

trace=$evil.mlg
"$MALLOGRAPH" record -o "$trace" "./$evil" "$evil" 2>err
equal "status" $? 0
safe "the summary of record" err "$masked finished" "$masked\\.mlg"
"$MALLOGRAPH" record -o plain.mlg sh -c '"./$0.plain" "$0"; exit 0' "$evil" 2>err
safe "the summary of a child" err "also: $masked\\.plain"
for name in "$trace" plain.2.mlg; do
	for command in info 'print -n1000 -l -a -T -p1 -s1 -H-' 'print --tree=top-down' \
		'print --json' 'print --only=timeline' 'export --format=folded -o -' \
		'export --format=massif -o -'; do
		# shellcheck disable=SC2086 # words
		"$MALLOGRAPH" $command "$name" >out 2>err || fail "$command: $(cat err)"
		safe "$command" out
		safe "stderr of $command" err
	done
done
# the thread has the first bytes of the program's name
"$MALLOGRAPH" info "$trace" >out && safe info out "$masked" 'temporary  E\\x1b\[2J\\xc2\\x9b31m'
"$MALLOGRAPH" print -l "$trace" >out && safe print out "line\\S*$turned" "in .*$masked"
"$MALLOGRAPH" print -l plain.2.mlg >out && safe "print without lines" out "$masked"
"$MALLOGRAPH" print --json "$trace" >out || fail "print --json"
python3 - "$evil" out <<'END' || fail "JSON"
import json, os, sys
evil = os.fsencode(sys.argv[1]).decode("utf-8", "backslashreplace")
data = json.load(open(sys.argv[2]))
assert data["trace"]["program"].endswith("/" + evil), data["trace"]
assert evil in json.dumps(data["trace"]["command"], ensure_ascii=False).replace("\\n", "\n").replace(
    "\\u001b", "\x1b").replace("\\\\", "\\"), data["trace"]
END

# error lines
for command in print info 'export --format=folded -o x' tui record \
	'print plain.2.mlg --suppressions' 'print plain.2.mlg -d'; do
	# shellcheck disable=SC2086
	"$MALLOGRAPH" $command "$evil.missing" >out 2>err </dev/null
	[ $? != 0 ] || fail "$command of nothing"
	safe "the error of $command" err '^mallograph: .*E\\x1b\[2J'
	equal "lines of the error of $command" "$(wc -l <err)" 1
done
"$MALLOGRAPH" record -o "/nowhere/$evil" "./$evil" >out 2>err
equal "status" $? 125
safe "the error of record -o" err "$masked"
for option in --filter --sort --at "--$evil"; do
	"$MALLOGRAPH" print "$option" "$evil" plain.2.mlg >out 2>err
	equal "status of print $option" $? 2
	safe "the error of print $option" err '^mallograph: .*E\\x1b\[2J'
done
"$MALLOGRAPH" "$evil" >out 2>err
safe "the error of no command" err '^mallograph: .*E\\x1b\[2J'
line=${evil%%$'\n'*}
printf 'leak:%s\nnonsense %s\n' "$line" "$line" >rules
"$MALLOGRAPH" print --suppressions rules plain.2.mlg >out 2>err
safe "the error of suppressions" err '^mallograph: .*E\\x1b\[2J'
printf 'leak:%s\n' "$line" >rules
"$MALLOGRAPH" print --suppressions rules plain.2.mlg >out 2>err
safe "print with suppressions" out
safe "its errors" err

# every view of the terminal UI
for key in 1 2 3 4 5 6 7 8; do
	printf 'size 160x30\nkeys %s<Enter>\nsave screen\n' $key | "$MALLOGRAPH" tui --script - "$trace" >out 2>err
	safe "tui $key" out
	[ ! -s screen ] || cat screen >>screens
done
safe "screens" screens 'E\\x1b\[2J'
