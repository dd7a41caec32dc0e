# SPDX-License-Identifier: LGPL-2.1-or-later
"""How soon `mallograph tui` answers a key, and how much memory it takes beside print.

    tui_keys.py MALLOGRAPH TRACE

A key is answered when the first byte of the new screen comes: curses writes a screen at once. What
scans events shows its progress by then and goes on; how long that takes is told apart. CPU time
is the main thread's until it rests: the same on a machine that others use.
"""
import fcntl
import os
import pty
import select
import statistics
import struct
import sys
import termios
import time

MALLOGRAPH, TRACE = sys.argv[1:]
QUIET = 0.01
LONGEST = 120
ENTER, BACK, ESCAPE, DOWN, RIGHT, LEFT, PAGE, END, HOME, TAB = (
    "\r", "\x7f", "\x1b", "\x1bOB", "\x1bOC", "\x1bOD", "\x1b[6~", "\x1bOF", "\x1bOH", "\t")
MOVES = [DOWN, DOWN, PAGE, PAGE, END, HOME, RIGHT, LEFT]

# What is typed into a line is one answer: the last key's.
VIEWS = {
    "summary": ["1", *MOVES, "/nowhere" + ENTER, ESCAPE, ENTER, BACK],
    "timeline": ["2", LEFT, LEFT, RIGHT, "+", "+", "-", "0", "s", "x", PAGE, HOME, "m", PAGE, "m", BACK,
                 "i", BACK, ENTER, BACK],
    "sites": ["3", *MOVES, "c", "c", "c", "c", "c", "s", "s", "s", "s", "s", "s", "t1k" + ENTER,
              "t0" + ENTER, *"vvvvvvvv", "/function_77777" + ENTER, "n", "N", "/nowhere" + ENTER, ESCAPE,
              "b", RIGHT, BACK, ENTER, BACK, "C", BACK],
    "top-down": ["4", *MOVES, "x", "c", "c", "c", "c", "c", "s", "s", "s", "s", "s", "s", HOME,
                 "/nowhere" + ENTER, ESCAPE, END, "b", BACK],
    "bottom-up": ["5", *MOVES, DOWN, "x", "c", "c", "c", "c", "c", HOME, "/nowhere" + ENTER, ESCAPE, END],
    "callers": ["3", "/function_0" + ENTER, "C", *MOVES, "x", "c", "c", "c", "c", "c", ESCAPE, BACK],
    "flame": ["7", DOWN, DOWN, DOWN, RIGHT, LEFT, "x", ENTER, BACK, "c", "c", "c", "c", "c",
              "/function_9999" + ENTER, "n", "N", "/nowhere" + ENTER, ESCAPE, "0"],
    "leaks": ["8", *MOVES, "s", "s", "s", "s", "s", "s", "/nowhere" + ENTER, ESCAPE, ENTER, BACK],
    "temporary": ["9", *MOVES],
    "sizes": ["z", *MOVES, "c", "c", "c", "c", "c"],
    "threads": ["T", DOWN, "c", "c", "c", "c", "c"],
    "source": ["3", "S", *MOVES],
    "filters": ["3", "fsize=..1k" + ENTER, "4", "7", "8", "1", "F", "3", "ffunction=function_7" + ENTER, "5",
                BACK, BACK, "F", "?", *MOVES, "q"],
}
NAMES = {ENTER: "<Enter>", BACK: "<Backspace>", ESCAPE: "<Esc>", DOWN: "<Down>", RIGHT: "<Right>",
         LEFT: "<Left>", PAGE: "<PgDn>", END: "<End>", HOME: "<Home>", TAB: "<Tab>"}


class Terminal:
    def __init__(self, rows=50, columns=160):
        self.started = time.monotonic()
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.environ.update({"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"})
            os.execv(MALLOGRAPH, [MALLOGRAPH, "tui", TRACE])

    def read(self, seconds):
        """The bytes that come by then; what is there at once is one."""
        if not select.select([self.master], [], [], seconds)[0]:
            return b""
        return os.read(self.master, 1 << 20)

    def threads(self):
        return len(os.listdir("/proc/%d/task" % self.pid))

    def sleeps(self):
        with open("/proc/%d/task/%d/stat" % (self.pid, self.pid)) as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "S"

    def cpu(self):
        with open("/proc/%d/task/%d/schedstat" % (self.pid, self.pid)) as file:
            return int(file.read().split()[0]) / 1e9

    def settle(self):
        """Until nothing more is counted or drawn; the moment of the last change."""
        end, last = time.monotonic() + LONGEST, time.monotonic()
        while time.monotonic() < end:
            if self.read(QUIET):
                last = time.monotonic()
            elif self.sleeps() and self.threads() == 1:
                return last
        sys.exit("the terminal does not come to rest")

    def hit(self, key):
        """Seconds until it is answered, until everything is counted, and of CPU."""
        typed = [key] if key in NAMES else list(key)
        for letter in typed[:-1]:
            os.write(self.master, letter.encode())
            self.settle()
        cpu, begun = self.cpu(), time.monotonic()
        os.write(self.master, typed[-1].encode())
        while not self.read(0.001):
            if self.sleeps() and not self.read(QUIET):
                break
            if time.monotonic() - begun > LONGEST:
                sys.exit("no answer to %r" % key)
        answered = time.monotonic()
        counted = self.settle()
        return answered - begun, counted - begun, self.cpu() - cpu

    def memory(self):
        with open("/proc/%d/status" % self.pid) as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024


def named(key):
    for code, name in NAMES.items():
        key = key.replace(code, name)
    return key


def printed():
    """print's time and memory."""
    begun = time.monotonic()
    pid = os.fork()
    if pid == 0:
        nowhere = os.open("/dev/null", os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os.execv(MALLOGRAPH, [MALLOGRAPH, "print", TRACE])
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit("print fails: %d" % status)
    return time.monotonic() - begun, usage.ru_maxrss * 1024


def main():
    print_time, print_memory = printed()
    terminal = Terminal()
    while b"Summary" not in terminal.read(LONGEST):
        pass
    first = time.monotonic() - terminal.started
    terminal.settle()
    print("first screen %.3f s, of CPU %.3f s; print %.3f s, %.1f MB" %
          (first, terminal.cpu(), print_time, print_memory / 1e6))
    print("%-10s %5s %10s %11s  %-22s %11s  %-22s %s" %
          ("view", "keys", "median ms", "longest ms", "of", "most CPU ms", "of", "memory"))
    for view, keys in VIEWS.items():
        answers, longest, counted, most = [], (0, ""), (0, ""), (0, "")
        for key in keys:
            answered, done, cpu = terminal.hit(key)
            answers.append(answered)
            longest = max(longest, (answered, key))
            counted = max(counted, (done, key))
            most = max(most, (cpu, key))
        text = ""
        if counted[0] > longest[0] + 0.1:
            text = "  counted for %.2f s: %s" % (counted[0], named(counted[1]))
        print("%-10s %5d %10.1f %11.1f  %-22s %11.1f  %-22s print%+.1f MB%s" %
              (view, len(keys), statistics.median(answers) * 1e3, longest[0] * 1e3, named(longest[1]),
               most[0] * 1e3, named(most[1]), (terminal.memory() - print_memory) / 1e6, text), flush=True)
    os.write(terminal.master, b"q")


main()
