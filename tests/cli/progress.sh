# SPDX-License-Identifier: LGPL-2.1-or-later
# A long reading says on a terminal how far it is, in a line that is gone afterwards; nowhere else.
# What is long is made so: the process is stopped for a while in the middle.
# timeout: 180
# tier: test
. "$TESTS/lib.sh"
need gcc python3

cat >churn.c <<'END'
#include <stdlib.h>
int main(void)
{
	static void *live[4096];
	unsigned long state = 1;
	for (unsigned long i = 0; i < 3000000; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		void **slot = &live[state >> 52];
		free(*slot);
		*slot = malloc(state >> 33 & 1023);
	}
	return 0;
}
END
gcc -O1 -fno-builtin -o churn churn.c || fail "gcc"
record -o t.mlg ./churn
head -c $(($(stat -c %s t.mlg) * 9 / 10)) t.mlg >cut.mlg
python3 - <<'END' >h.txt
print("v 10600 3\nX ./app\nI 1000 100\ns 4 main\ns 3 app\ni 10 2 1\nt 1 0\na 10 1")
for i in range(1000000):
    print("+ 0\n- 0")
print("c 5\nR 10\n# strings: 2\n# ips: 1")
END

cat >watch.py <<'END'
"""watch.py TERM STDERR shown|hidden WORDS COMMAND...: runs it on a terminal, its stderr there or
in a file, stopped in the middle; says what is wrong."""
import os, pty, re, signal, subprocess, sys, time

term, stderr, expected, words, *command = sys.argv[1:]

def run(delay):
    master, slave = pty.openpty()
    errors = slave if stderr == "-" else os.open(stderr, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=slave, stderr=errors,
                               env={**os.environ, "TERM": term})
    os.close(slave)
    if delay:
        time.sleep(delay)
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.7)
        process.send_signal(signal.SIGCONT)
    text = b""
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:
            break
        if not data:
            break
        text += data
    os.close(master)
    process.wait()
    return text.decode()

def screen(text):
    """What is left on a terminal."""
    lines, column = [""], 0
    for part in re.findall(r"\x1b\[K|[\r\n]|[^\r\n\x1b]+|\x1b", text):
        if part == "\r":
            column = 0
        elif part == "\n":
            lines.append("")
        elif part == "\x1b[K":
            lines[-1] = lines[-1][:column]
        else:
            lines[-1] = lines[-1][:column] + part + lines[-1][column + len(part):]
            column += len(part)
    return "\n".join(lines)

plain = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
plain = (plain.stderr if stderr == "-" else "") + plain.stdout
seen = False
for attempt in range(25 if expected == "shown" else 4):
    text = run(0.02 + 0.02 * attempt)
    said = re.findall(r"\r\x1b\[Kmallograph: reading ([^\r\n]*)(?=\r)", text)
    if screen(text) != plain:
        sys.exit(f"the screen holds {screen(text)!r}, expected {plain!r}: {text!r}")
    for line in said:
        if not re.fullmatch(words, line):
            sys.exit(f"{line!r} is not like {words!r}")
    numbers = [int(line.split()[-1][:-1]) for line in said]
    if any(number > 100 for number in numbers):
        sys.exit(f"{numbers}")
    seen |= bool(said)
    if seen and expected == "shown":
        break
if seen != (expected == "shown"):
    sys.exit(f"{'nothing is' if expected == 'shown' else 'progress is'} shown")
END
watch() {
	timeout 120 python3 watch.py "$@" >watch.out 2>&1 || fail "$*: $(head -c 2000 watch.out)"
}

number='t\.mlg  [ 0-9]{2,3}%'
summary=(print --only summary)
watch xterm - shown "$number" "$MALLOGRAPH" "${summary[@]}" --filter time=0..1h t.mlg
watch xterm - shown "$number" "$MALLOGRAPH" export --format=massif -o massif --filter size=10.. t.mlg
watch xterm - shown "$number" "$MALLOGRAPH" info t.mlg
watch xterm - shown 'cut\.mlg  [ 0-9]{2,3}%' "$MALLOGRAPH" "${summary[@]}" cut.mlg
watch xterm - shown 'h\.txt  [ 0-9]{2,3}%' "$MALLOGRAPH" "${summary[@]}" h.txt

# a long name loses its beginning: no line is longer than the terminal's 80 columns
long=$(printf 'long-%.0s' {1..30})
cp t.mlg "$long.mlg"
watch xterm - shown '[long-]{49}\.mlg  [ 0-9]{2,3}%' "$MALLOGRAPH" "${summary[@]}" --filter time=0..1h "$long.mlg"

watch dumb - hidden '' "$MALLOGRAPH" "${summary[@]}" --filter time=0..1h t.mlg
watch xterm err hidden '' "$MALLOGRAPH" "${summary[@]}" --filter time=0..1h t.mlg
[ ! -s err ] || fail "stderr is no terminal: $(head -c 300 err)"
