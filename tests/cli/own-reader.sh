# SPDX-License-Identifier: LGPL-2.1-or-later
# A program that is the only reader of what record writes to its standard error (a pipe, a terminal,
# a socket), and programs that rename or remove the folder with the trace in it.
. "$TESTS/lib.sh"
need python3

cat >reader.py <<'END'
"""reader.py MODE COMMAND...: runs record with a standard error whose other end only the program has;
when it has ended, nobody reads the summary."""
import os, pty, socket, subprocess, sys

mode, command = sys.argv[1], sys.argv[2:]
if mode == "pipe":
    read, write = os.pipe()
elif mode == "terminal":
    read, write = pty.openpty()
else:
    read, write = (end.detach() for end in socket.socketpair())
program = [sys.executable, "-c", """
import os, sys
os.write(2, b'to myself')
os._exit(7 if b'to myself' in os.read(int(sys.argv[1]), 100) else 8)
""", str(read)]
process = subprocess.Popen(command + program, stderr=write, pass_fds=[read], stdin=subprocess.DEVNULL)
os.close(read)
os.close(write)
sys.exit(process.wait(20) % 256)
END
for mode in pipe terminal socket; do
	python3 reader.py $mode env >out
	equal "status of $mode alone" $? 7
	timeout 30 python3 reader.py $mode "$MALLOGRAPH" record -o $mode.mlg >out
	equal "status of $mode" $? 7
	[ ! -s out ] || fail "$mode: output: $(cat out)"
	whole $mode.mlg
	at_least "allocations of $mode" "$(figure allocations $mode.mlg)" 100
done

# The folder gets another name; the trace is whole there, and record says where.
mkdir before
"$MALLOGRAPH" record -o before/t.mlg "$VICTIMS/folder" before after 2>err
equal "status with a renamed folder" $? 42
grep -q "^next: .* print $PWD/after/t.mlg" err || fail "no word of the new place: $(cat err)"
whole after/t.mlg
"$MALLOGRAPH" print -n 10 -s0 -a0 -p0 -T0 -l1 after/t.mlg >out || fail "print"
grep -A1 '^6.40K leaked over 100 calls' out | grep -qx allocate || fail "not 100 blocks: $(cat out)"

# It is removed, the one that record and the program stand in.
mkdir gone
(cd gone && "$MALLOGRAPH" record -o t.mlg "$VICTIMS/folder" ../gone 2>../err)
equal "status with a removed folder" $? 42
grep -q "'t.mlg' was removed or replaced while it was written" err || fail "not said: $(cat err)"
[ ! -e gone ] || fail "the folder came back"
