# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 120
# The terminal is left as it was: quit, killed, suspended, closed. It runs where TERM, locale and
# colours are poor, answers keys and the window's size, and nothing of a file reaches the terminal
# but text.
. "$TESTS/lib.sh"
need python3

"$MALLOGRAPH" record -q -o t.mlg "$VICTIMS/leaks" >/dev/null || fail "record"

cat >drive.py <<'END'
import fcntl, os, pty, re, select, signal, struct, sys, termios, time

TUI = [sys.argv[1], "tui", "t.mlg"]

class Terminal:
    """mallograph tui as the foreground job of a terminal of its own."""
    def __init__(self, rows=24, columns=80, command=TUI, **environment):
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(slave)
        self.text = b""
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(slave, fd)
            os.closerange(3, 100)
            known = {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
            known.update(environment)
            os.environ.update(known)
            os.execv(command[0], command)
        self.slave = slave

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds):
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            self.text += os.read(self.master, 65536)
        return bool(ready)

    def expect(self, text):
        end = time.time() + 30
        while text not in self.text:
            if time.time() > end:
                sys.exit("waited in vain for %r in %r" % (text, self.text[-3000:]))
            self.read(0.1)
        self.text = self.text[self.text.index(text) + len(text):]

    def type(self, keys):
        os.write(self.master, keys)

    def status(self):
        end = time.time() + 30
        while time.time() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while self.read(0.05):
                    pass
                return os.waitstatus_to_exitcode(status)
            self.read(0.02)
        os.kill(self.pid, signal.SIGKILL)
        sys.exit("it does not end")

    def is_sane(self):
        after = termios.tcgetattr(self.slave)
        # ncurses leaves the speeds and control characters as they were, too
        return after == self.before

def check(what, condition):
    if not condition:
        sys.exit("FAIL: " + what)

def leaves(what, terminal, status, screen=True):
    check("status: " + what, terminal.status() == status)
    check("the terminal is not as it was: " + what, terminal.is_sane())
    # the other screen was left, and the cursor is there again
    check("still on the other screen: " + what, not screen or b"\x1b[?1049l" in terminal.text)

t = Terminal()
t.expect(b"Summary")
t.type(b"3")
t.expect(b"keep_or_free")
t.type(b"q")
leaves("q", t, 0)

t = Terminal()
t.expect(b"Summary")
t.type(b"\x03")
leaves("Ctrl-C", t, 0)

# the trace comes by a pipe: keys still come from the terminal
t = Terminal(command=["/bin/sh", "-c", "cat t.mlg | %s tui -f -" % sys.argv[1]])
t.expect(b"Summary")
t.type(b"3")
t.expect(b"keep_or_free")
t.type(b"q")
leaves("trace from a pipe", t, 0)

for number in signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT:
    t = Terminal()
    t.expect(b"Summary")
    os.kill(t.pid, number)
    leaves("signal %d" % number, t, -number)

# the terminal is closed: by then nothing can be restored, but it must not go on
t = Terminal()
t.expect(b"Summary")
os.close(t.slave)
os.close(t.master)
end = time.time() + 30
status = None
while time.time() < end and status is None:
    pid, got = os.waitpid(t.pid, os.WNOHANG)
    status = got if pid else None
    time.sleep(0.02)
check("it goes on without a terminal", status is not None)

# the window gets larger, and smaller than anything
t = Terminal()
t.expect(b"Summary")
t.resize(40, 150)
t.expect(b"Threads")
t.resize(1, 2)
os.kill(t.pid, signal.SIGWINCH)
t.resize(24, 80)
os.kill(t.pid, signal.SIGWINCH)
t.expect(b"total runtime")
t.type(b"?")
t.expect(b"Help")
t.type(b"qq")
leaves("resized", t, 0)

# Escape sequences of keys, and a mouse: the wheel, a click on a tab
t = Terminal()
t.expect(b"Summary")
t.type(b"\x1bOB\x1b[6~\x1b[B\t")
t.expect(b"keep_or_free")
t.type(b"\x1b[<64;10;10M\x1b[<0;3;1M")
t.expect(b"total runtime")
t.type(b"q")
leaves("keys", t, 0)

for environment in ({"TERM": "screen"}, {"TERM": "tmux-256color"}, {"TERM": "linux"}, {"TERM": "vt100"},
                    {"NO_COLOR": "1"}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX", "TERM": "vt220"}):
    if not any(os.path.exists("%s/%s/%s" % (place, environment.get("TERM", "xterm")[0],
                                            environment.get("TERM", "xterm")))
               for place in ("/lib/terminfo", "/usr/share/terminfo", "/etc/terminfo")):
        continue
    t = Terminal(**environment)
    t.expect(b"Summary")
    # PgDn, Home and End as nearly all send them; each goes nowhere but to the view's own lines
    t.type(b"3\x1b[6~\x1b[1~\x1b[4~\x1b[5~\x1b[B\x1b[F")
    t.expect(b"keep_or_free")
    t.type(b"?")
    t.expect(b"Help")
    t.type(b"qq")
    leaves(str(environment), t, 0, False)
    if environment.get("LC_ALL", "C.UTF-8") != "C.UTF-8":
        check("bytes beyond ASCII: %s" % environment, all(byte < 128 for byte in t.text))
    if "NO_COLOR" in environment:
        check("colours with NO_COLOR", not re.search(rb"\x1b\[([0-9;]*;)?[349][0-8][;m]", t.text))
END
timeout 100 python3 drive.py "$MALLOGRAPH" || fail "drive.py: $?"

# Ctrl-Z: stopped with the terminal as it was; fg: on the screen again
cat >job.py <<'END'
import fcntl, os, pty, select, signal, sys, termios, time

master, slave = pty.openpty()
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
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
        os.environ.update({"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"})
        os.execv(sys.argv[1], [sys.argv[1], "tui", "t.mlg"])
    _, status = os.waitpid(job, os.WUNTRACED)
    stopped = os.WIFSTOPPED(status)
    same = termios.tcgetattr(0) == before
    os.tcsetpgrp(0, os.getpid())
    os.write(1, b"STOPPED %d %d\n" % (stopped, same))
    os.tcsetpgrp(0, job)
    os.kill(-job, signal.SIGCONT)
    _, status = os.waitpid(job, os.WUNTRACED)
    os.tcsetpgrp(0, os.getpid())
    os._exit(os.waitstatus_to_exitcode(status))
text = b""

def expect(wanted):
    global text
    end = time.time() + 30
    while wanted not in text:
        if time.time() > end:
            sys.exit("waited in vain for %r in %r" % (wanted, text[-2000:]))
        if select.select([master], [], [], 0.1)[0]:
            text += os.read(master, 65536)
    text = text[text.index(wanted) + len(wanted):]

expect(b"Summary")
os.write(master, b"\x1a")
expect(b"STOPPED 1 1")
expect(b"Summary")
os.write(master, b"q")
end = time.time() + 30
while time.time() < end:
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        sys.exit(0 if status == 0 and termios.tcgetattr(slave) == before else "not as it was")
    if select.select([master], [], [], 0.05)[0]:
        os.read(master, 65536)
sys.exit("it does not end")
END
timeout 100 python3 job.py "$MALLOGRAPH" || fail "job.py: $?"

# where it can't run it says so, in one line
timeout 20 script -qec "TERM=dumb $MALLOGRAPH tui t.mlg" /dev/null </dev/null >out 2>&1
grep -q "the terminal 'dumb' can't move its cursor: set TERM" out || fail "TERM=dumb: $(cat out)"
expect_error 1 'standard input is no terminal: take print' "$MALLOGRAPH" tui t.mlg
timeout 20 script -qec "TERM=nothing $MALLOGRAPH tui t.mlg" /dev/null </dev/null >out 2>&1
grep -q "the terminal 'nothing' is not known here: set TERM" out || fail "TERM=nothing: $(cat out)"
