# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: test
# timeout: 120
# A trace of 100,000 functions, each a class with stacks of its own: what is shown is right, and
# takes no more than a few seconds of the processor, all views together. (What grows with the
# square of functions takes more for one of them.)
. "$TESTS/lib.sh"
need python3

python3 - <<'END'
# function i allocates one block of 16 + i % 5000 bytes; nothing is given back
count = 100000
out = open("wide.heaptrack", "w")
out.write("v 10400 3\nX ./wide\nI 1000 1000\ns 5 a.out\n")
for i in range(count):
    name = "function_%d(int)" % i
    out.write("s %x %s\n" % (len(name), name))
for i in range(count):
    out.write("i %x 1 %x\n" % (0x1000 + i, i + 2))
for i in range(count):
    out.write("t %x %x\n" % (i + 1, 0 if i < 1000 else i * 7919 % i))
for i in range(count):
    out.write("a %x %x\n" % (16 + i % 5000, i + 1))
for i in range(count):
    out.write("+ %x\n" % i)
out.write("c 100\n# strings: %x\n# ips: %x\n" % (count + 1, count))
END
(
	ulimit -t 20
	timeout 100 "$MALLOGRAPH" tui --script - wide.heaptrack <<'END'
keys 3
save sites
keys <End>
save end
keys cc4x
keys 5cccG
keys 6z8v9
keys 3/function_77777(<Enter>
save found
keys b
save backtrace
END
) || fail "tui: $?"
# 20 times all sizes from 16 to 5015: 20 x (5000 x 16 + 4999 x 5000 / 2) = 251,550,000 bytes
sed -n 3p sites | grep -qE '^ +0.00% +5.02K +5.02K +1 +0  function_[0-9]*4999\(int\)' ||
	fail "the first: $(cat sites)"
sed -n 2p sites | grep -q ' site 1/100000$' || fail "how many: $(sed -n 2p sites)"
sed -n 23p end | grep -qE '^ +0.00% +16B +16B +1 +0  function_[0-9]*[05]000\(int\)' ||
	fail "the last: $(cat end)"
grep -q ' function_77777(int)' found || fail "not found: $(cat found)"
sed -n 3p backtrace | grep -q '^  1 function_77777(int)' || fail "backtrace: $(cat backtrace)"
(
	ulimit -t 4
	timeout 100 "$MALLOGRAPH" print --only summary wide.heaptrack >summary
) || fail "print: $?"
grep -qx 'total memory leaked: 251.55M' summary || fail "$(cat summary)"
