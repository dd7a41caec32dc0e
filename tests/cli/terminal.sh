# SPDX-License-Identifier: LGPL-2.1-or-later
# Ctrl-C typed on a terminal ends the program, and its trace is whole; Ctrl-Z stops it and
# fg goes on. (The byte is written into a pty, as a keyboard does.)
. "$TESTS/lib.sh"
need python3

cat >pty.py <<'END'
import os, pty, select, signal, sys, time

def run(argv, on_output):
    """Runs argv in a session on a pty of its own; on_output(fd, pid, text) as it writes."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(argv[0], argv)
    text, end = b"", time.time() + 30
    while time.time() < end:
        ready, _, _ = select.select([fd], [], [], 0.1)
        if ready:
            try:
                data = os.read(fd, 4096)
            except OSError:
                break
            if not data:
                break
            text += data
        on_output(fd, pid, text)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), text

typed = []
def type_interrupt(fd, pid, text):
    if text.count(b"\n") >= 3 and not typed:
        typed.append(True)
        os.write(fd, b"\x03")

status, text = run(sys.argv[1:], type_interrupt)
print(status)
END
status=$(timeout 40 python3 pty.py "$MALLOGRAPH" record -q -o c.mlg "$VICTIMS/ticker" 20)
equal "status after Ctrl-C" "$status" 130
whole c.mlg
"$MALLOGRAPH" info c.mlg | grep -q SIGINT || fail "info does not say SIGINT"
at_least "allocations before Ctrl-C" "$(figure allocations c.mlg)" 100

# The summary says what it was as well.
status=$(timeout 40 python3 pty.py "$MALLOGRAPH" record -o d.mlg "$VICTIMS/ticker" 20)
equal "status after Ctrl-C" "$status" 130
whole d.mlg
