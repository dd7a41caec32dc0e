# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 120
# Any keys at any size of the screen, on traces that are odd: nothing crashes or hangs, and
# nothing that is no text comes to the screen.
. "$TESTS/lib.sh"
need python3

# Names of 2,000 characters, of escape sequences, wide, combining, no UTF-8; a deep stack, a
# wide tree.
python3 - <<'END'
names = [b"", b"a.out", b"f.c", b"long_" + b"x" * 2000, b"\x1b[2J\x1b]0;title\x07evil\x1b[31m",
         "\u6f22\u5b57\u95a2\u6570::\u547c\u3073\u51fa\u3057".encode() * 20,
         "e\u0301\u0327\u0302\u0303\u0304a\u030a".encode() * 30, b"\xff\xfe\xc3(\x80" * 9,
         "\u202eabc\u200b\x85".encode(), b"<<<((( %s%n \\", b"\ttab\nline\r"]
out = open("odd.heaptrack", "wb")
out.write(b"v 10400 3\nX ./odd\nI 1000 1000\n")
for name in names[1:]:
    if b"\n" in name:
        name = name.replace(b"\n", b" ")
    out.write(b"s %x %s\n" % (len(name), name))
for i in range(2, 11):
    out.write(b"i %x 1 %x 2 %x\n" % (0x1000 + i, i, i * 7))
nodes = 0
parent = 0
for i in range(300):  # deep
    nodes += 1
    out.write(b"t %x %x\n" % (1 + i % 9, parent))
    parent = nodes
for i in range(300):  # wide
    nodes += 1
    out.write(b"t %x %x\n" % (1 + i % 9, i % 20))
for i in range(1, nodes + 1):
    out.write(b"a %x %x\n" % (i * 37 % 100000, i))
for i in range(nodes):
    if i % 10 == 0:
        out.write(b"c %x\n" % (i * 10))
    out.write(b"+ %x\n" % i)
    if i % 3 == 0:
        out.write(b"- %x\n" % i)
out.write(b"R 100\n# strings: %x\n# ips: 9\n" % (len(names) - 1))
END

"$MALLOGRAPH" print odd.heaptrack >/dev/null || fail "print: $?"
for size in 80x24 160x50 20x5 3x3; do
	timeout 60 "$MALLOGRAPH" tui --script - odd.heaptrack <<-END >screen || fail "tui: $?"
		size $size
		keys 1
		save -
		keys 3
		save -
		keys v
		save -
		keys <Enter>
		save -
		keys <Backspace>4x
		save -
		keys 5jlx
		save -
		keys 6
		save -
		keys 8b
		save -
		keys fthread=1<Enter>
		save -
	END
	python3 - "${size%x*}" <<-'END' || fail "what is on the screen at $size"
		import sys, unicodedata
		columns = int(sys.argv[1])
		for line in open("screen", encoding="utf-8"):
		    line = line.rstrip("\n")
		    width = 0
		    for letter in line:
		        assert letter >= " " and not "\x7f" <= letter < "\xa0", ascii(line)
		        if not unicodedata.combining(letter) and letter not in "\u200b\u202e":
		            width += 1 + (unicodedata.east_asian_width(letter) in "WF")
		    assert width <= columns, (width, ascii(line))
	END
done
grep -q 'x1b\[2J' <("$MALLOGRAPH" tui --script - odd.heaptrack <<'END'
size 200x50
keys 3
save -
END
) || fail "an escape sequence is not shown masked"
for text in 'x07evil' '\x07evil' '07evil' 'title\x07' 'xfe\xc3'; do
	"$MALLOGRAPH" tui --script - odd.heaptrack >screen <<-END
		size 200x50
		keys 3
		keys /$text<Enter>
		save -
	END
	! grep -q 'not found' screen || fail "$text is shown, and not found"
done

"$MALLOGRAPH" record -q -o threads.mlg "$VICTIMS/threads" >/dev/null || fail "record"
"$MALLOGRAPH" record -q -o empty.mlg "$VICTIMS/empty" >/dev/null || fail "record"
head -c $(($(stat -c %s threads.mlg) * 2 / 3)) threads.mlg >cut.mlg

# KEYS=100000 SEED=7 tests/run cli/tui-keys: more of them
seed=${SEED:-$RANDOM}
keys=${KEYS:-2500}
echo "SEED=$seed KEYS=$keys"
any() { # STATUS OPTION...
	local expected=$1
	shift
	printf 'random %s %s\nsave last\n' "$seed" "$keys" >any.script
	timeout $((60 + keys / 20)) "$MALLOGRAPH" tui --script any.script "$@" >out 2>err
	equal "status of random keys $seed on $*" $? "$expected"
	seed=$((seed + 1))
}
any 0 odd.heaptrack
any 0 threads.mlg
any 0 empty.mlg
any 0 -d empty.mlg threads.mlg
any 0 -d threads.mlg odd.heaptrack
any 1 cut.mlg
equal "files that random keys wrote" "$(ls | tr '\n' ' ')" \
	"any.script cut.mlg empty.mlg err home last odd.heaptrack out screen threads.mlg "
