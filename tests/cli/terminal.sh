# SPDX-License-Identifier: LGPL-2.1-or-later
# Ctrl-C typed on a terminal ends the program, and its trace is whole; Ctrl-Z stops it and
# fg goes on. (The byte is written into a pty, as a keyboard does.)
. "$TESTS/lib.sh"
need python3

cat >keyboard.py <<'END'
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
status=$(timeout 40 python3 keyboard.py "$MALLOGRAPH" record -q -o c.mlg "$VICTIMS/ticker" 20)
equal "status after Ctrl-C" "$status" 130
whole c.mlg
"$MALLOGRAPH" info c.mlg | grep -q SIGINT || fail "info does not say SIGINT"
at_least "allocations before Ctrl-C" "$(figure allocations c.mlg)" 100

# The summary says what it was as well.
status=$(timeout 40 python3 keyboard.py "$MALLOGRAPH" record -o d.mlg "$VICTIMS/ticker" 20)
equal "status after Ctrl-C" "$status" 130
whole d.mlg

# Ctrl-Z: record stops with the program, as a shell wants to see, and goes on with it.
cat >job.py <<'END'
import fcntl, os, pty, signal, sys, termios, time

def shell(slave, argv):
    """What an interactive shell does for a foreground job."""
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(slave, fd)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.execv(argv[0], argv)
    _, status = os.waitpid(job, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        os.write(1, b"not stopped\n")
        os._exit(1)
    os.write(1, b"stopped\n")
    time.sleep(0.3)
    os.kill(-job, signal.SIGCONT)
    _, status = os.waitpid(job, os.WUNTRACED)
    os._exit(os.waitstatus_to_exitcode(status))

master, slave = pty.openpty()
pid = os.fork()
if pid == 0:
    os.close(master)
    shell(slave, sys.argv[1:])
os.close(slave)
text, typed = b"", False
while True:
    try:
        data = os.read(master, 4096)
    except OSError:
        break
    if not data:
        break
    text += data
    if not typed and text.count(b"\n") >= 3:
        typed = True
        os.write(master, b"\x1a")
_, status = os.waitpid(pid, 0)
print(os.waitstatus_to_exitcode(status), "stopped" if b"stopped\r\n" in text else "",
      "done" if b"done" in text else "")
END
answer=$(timeout 30 python3 job.py "$MALLOGRAPH" record -q -o z.mlg "$VICTIMS/ticker" 1.5)
equal "stopped and continued" "$answer" "0 stopped done"
whole z.mlg
