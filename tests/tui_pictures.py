# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pictures of `mallograph tui` against slow models of them, on traces made up here.

    tui_pictures.py timeline|flame|source     with MALLOGRAPH in the environment, in an empty folder

A trace is a text as heaptrack writes it, of stacks, sizes and times that chance gives (SEED). What
the screens must show is worked out from the same list of events, without any of the code.
"""
import json
import os
import random
import subprocess
import sys

MALLOGRAPH = os.environ["MALLOGRAPH"]
seed = int(os.environ.get("SEED") or random.randrange(1 << 30))
dice = random.Random(seed)
print("SEED=%d" % seed)
LINES = 60  # of app.c


def fail(text):
    sys.exit("FAIL: " + text)


def run(*words):
    done = subprocess.run([MALLOGRAPH, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, timeout=1000)
    if done.returncode:
        fail("%s: status %d: %s" % (" ".join(words), done.returncode, done.stderr.decode()))
    return done.stdout.decode()


def screens(file, script, *words):
    """Runs a script, in which `save -` is written as `save`; a list of lists of lines."""
    text = ""
    for line in script:
        text += line.replace("save", "save SCREEN") + "\n"
    names = []
    while "SCREEN" in text:
        names.append("screen%d" % len(names))
        text = text.replace("SCREEN", names[-1], 1)
        if os.path.exists(names[-1]):
            os.remove(names[-1])
    with open("script", "w") as out:
        out.write(text)
    run("tui", "--script", "script", *words, file)
    return [open(name).read().split("\n") for name in names]


def number_bytes(value):
    """As docs say: the unit is chosen before rounding, halves away from zero."""
    if value <= 1000:
        return "%dB" % value
    divisor = 1000
    unit = 0
    while value > 1000 * divisor and unit < 3:
        divisor *= 1000
        unit += 1
    hundredths = (2 * value * 100 + divisor) // (2 * divisor)
    return "%d.%02d%s" % (hundredths // 100, hundredths % 100, "KMGT"[unit])


class Trace:
    """names, lines and parents of frames (0 is none); classes are (size, frame)."""

    def __init__(self, frames, classes):
        self.frames = frames  # [(name, line, parent)], from 1 on
        self.classes = classes
        self.events = []  # (tick, class, +1 or -1)

    def write(self, path, source):
        names = ["/bin/app", source] + sorted({name for name, _, _ in self.frames})
        out = ["v 10400 3", "X ./app", "I 1000 fffff"]
        out += ["s %x %s" % (len(name), name) for name in names]
        for i, (name, line, parent) in enumerate(self.frames):
            out.append("i %x 1 %x 2 %x" % (0x400000 + 16 * i, 1 + names.index(name), line))
            out.append("t %x %x" % (i + 1, parent))
        out += ["a %x %x" % (size, frame) for size, frame in self.classes]
        now = -1
        for tick, which, step in self.events:
            if tick != now:
                out.append("c %x" % tick)
                now = tick
            out.append("%s %x" % ("+" if step > 0 else "-", which))
        out.append("c %x" % (now + 2))
        out += ["", "# strings: %d" % len(names), "# ips: %d" % len(self.frames)]
        with open(path, "w") as file:
            file.write("\n".join(out) + "\n")

    def stack(self, frame):
        """From the innermost outward."""
        while frame:
            name, line, parent = self.frames[frame - 1]
            yield name, line
            frame = parent

    def peak(self):
        """By class, live at the first maximum; and at the end."""
        live = [0] * len(self.classes)
        best, total, most = list(live), 0, 0
        for _, which, step in self.events:
            live[which] += step
            total += step * self.classes[which][0]
            if total > most:
                best, most = list(live), total
        return best, live


def random_trace(count, ticks):
    frames = [("main", 1 + dice.randrange(LINES), 0)]
    for _ in range(count):
        parent = dice.randrange(len(frames)) + 1
        name = dice.choice(["parse", "build", "ns::read(int)", "ns::pool<int>::grow(unsigned long)",
                            "emit", "fold", "x"])
        frames.append((name, 1 + dice.randrange(LINES), parent))
    classes = [(dice.choice([8, 100, 1000, 40000]) + dice.randrange(99), 1 + dice.randrange(len(frames)))
               for _ in range(count)]
    trace = Trace(frames, classes)
    live, tick = [], 0
    for _ in range(count * 20):
        if dice.randrange(6) == 0:
            tick += dice.randrange(ticks)
        if live and dice.randrange(100) < 40:
            trace.events.append((tick, live.pop(dice.randrange(len(live))), -1))
        else:
            live.append(dice.randrange(len(classes)))
            trace.events.append((tick, live[-1], 1))
    return trace


# ---- timeline


def column_tick(end, i, count):
    return -(-end * i // count)


def column_maxima(trace, end, count):
    """The most at any instant of each column; what it begins with counts. Where a tick is wider
    than a column, columns that no tick begins in go on with the one before."""
    highs, at, total = [0] * count, 0, 0
    for tick, which, step in trace.events:
        while at + 1 < count and column_tick(end, at + 1, count) <= tick:
            at += 1
            highs[at] = total
        total += step * trace.classes[which][0]
        highs[at] = max(highs[at], total)
    while at + 1 < count:
        at += 1
        highs[at] = total
    for i in range(1, count):
        if column_tick(end, i, count) == column_tick(end, i + 1, count):
            highs[i] = highs[i - 1]
    return highs


def expected_graph(maxima, rows, ascii_only):
    """maxima: two for each column."""
    top, lines = max(maxima), []
    dots = rows * 4
    heights = [0 if not high else max(1, (2 * high * dots + top) // (2 * top)) for high in maxima]
    bits = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]]  # from the lowest dot up
    for row in reversed(range(rows)):
        line = ""
        for column in range(len(maxima) // 2):
            cell = 0
            for side in range(2):
                for dot in range(4):
                    if heights[2 * column + side] > row * 4 + dot:
                        cell |= bits[side][dot]
            if ascii_only:
                line += " ..:::###"[bin(cell).count("1")]
            else:
                line += chr(0x2800 + cell) if cell else " "
        lines.append(line)
    return lines


def check_graph(screen, trace, end, rows, columns, ascii_only):
    left, height = 10, rows - 2 - 3
    if columns < 20:
        left = 0
    if rows - 2 < 6:
        height = rows - 2 - 1 - (1 if rows - 2 >= 4 else 0)
    width = columns - left
    want = expected_graph(column_maxima(trace, end, 2 * width), height, ascii_only)
    bar = "|" if ascii_only else "│"
    cursor = None
    for i, line in enumerate(want):
        got = screen[2 + i][left:].ljust(width)
        for at, (is_, should) in enumerate(zip(got, line)):
            if is_ == should:
                continue
            if is_ != bar or should != " " or cursor not in (None, at):
                fail("%dx%d: row %d is\n%s\n, and should be\n%s" % (columns, rows, i, got, line))
            cursor = at


def reading(screen):
    """The time as typed for --at, the heap and the blocks of the cursor."""
    words = screen[1].split()
    if "s  " not in screen[1]:
        fail("no reading:\n%s" % "\n".join(screen))
    if words[0] == "peak":
        words = words[1:]
    return words[0], words[1], int(words[3])


def check_reading(file, screen):
    time, heap, blocks = reading(screen)
    at = "peak" if screen[1].startswith("peak ") else time
    totals = json.loads(run("print", "--json", "--at", at, file))["totals"]
    if number_bytes(totals["leaked_bytes"]) != heap or totals["leaked_blocks"] != blocks:
        fail("%s: %s in %d blocks, print --at says %s in %d" % (
            time, heap, blocks, number_bytes(totals["leaked_bytes"]), totals["leaked_blocks"]))
    return time


def check_two(file, base, screen):
    """Of a diff both sides at the same time; where theirs differ base's is told."""
    time, heap, blocks = reading(screen)
    words = screen[1].split("  base ")[1].split()
    sides = []
    for name, at in ((file, "peak" if screen[1].startswith("peak ") else time),
                     (base, words[4] if words[3] == "at" else time)):
        totals = json.loads(run("print", "--json", "--at", at, name))["totals"]
        sides.append((totals["leaked_bytes"], totals["leaked_blocks"]))
    if (heap, blocks) != (number_bytes(sides[0][0]), sides[0][1]):
        fail("new at %s: %s, expected %s" % (time, (heap, blocks), sides[0]))
    if (words[0], int(words[2])) != (number_bytes(sides[1][0]), sides[1][1]):
        fail("base at %s: %s, expected %s" % (time, words, sides[1]))
    difference = sides[0][0] - sides[1][0]
    if words[3] == "difference" and words[4] != "-" * (difference < 0) + number_bytes(abs(difference)):
        fail("difference at %s: %s, expected %d" % (time, words, difference))


def timeline():
    for ticks in (3, 40, 4000):
        trace = random_trace(30, ticks)
        trace.write("made", "app.c")
        end = trace.events[-1][0] + 4  # two quiet ticks, one that heaptrack adds, and the last itself
        for ascii_only in (False, True):
            for rows, columns in ((24, 80), (50, 160), (8, 21)):
                script = ["ascii"] if ascii_only else []
                script += ["size %dx%d" % (columns, rows), "keys 2", "save"]
                # finer than a dot, or each its own tick: no interval lies on a border
                if end <= 32768:
                    check_graph(screens("made", script)[0], trace, end, rows, columns, ascii_only)
        script = ["keys 2", "save"]
        for keys in ("<Left>", "<Left><Left><Left>", "<Home>", "<Right>", "<PgDn>", "<End>",
                     "x", "+", "+<Right>", "++++++++", "<Left>", "-", "0", "<PgUp>"):
            script += ["keys " + keys, "save"]
        for screen in screens("made", script):
            check_reading("made", screen)
        random_trace(30, ticks).write("base", "app.c")
        script = ["keys 2", "save"]
        for keys in ("<Left>", "<Home>", "<PgDn>", "+++", "<Right>", "0<PgUp>"):
            script += ["keys " + keys, "save"]
        for screen in screens("made", script, "-d", "base"):
            check_two("made", "base", screen)
        # what is alive there, in the other views
        first, second, third = screens("made", ["keys 2<Left><Left><Left>", "save", "keys i7",
                                                "keys c", "save", "keys 2<Enter>", "save"])
        _, heap, _ = reading(first)
        if second[1].split()[0] != heap and heap != "0B":
            fail("the flame of that instant: %s, and not %s" % (second[1], heap))
        if not any("at " in line for line in third[-3:]):
            fail("nothing tells of the instant:\n%s" % "\n".join(third))


# ---- flame


class Node:
    def __init__(self, name):
        self.name, self.cost, self.own, self.sign, self.children = name, 0, 0, "", {}


def make_tree(trace, count_of, by_line=True):
    root = Node("everything")
    for which, (size, frame) in enumerate(trace.classes):
        count, node = count_of(which), root
        calls = sum(1 for _, other, step in trace.events if other == which and step > 0)
        if not calls:
            continue
        root.cost += count * size
        for name, line in reversed(list(trace.stack(frame))):
            node = node.children.setdefault((name, line if by_line else 0), Node(name))
            node.cost += count * size
        node.own += count * size
    return root


def expected_boxes(root, width, rows):
    """(row, column, width, node or how many others), and no two costs may be equal."""
    boxes, level = [], [(root, 0)]
    if not root.cost:
        return boxes
    place = lambda cost: cost * width // root.cost
    for row in range(rows):
        below = []
        for node, start in level:
            boxes.append((row, place(start), place(start + node.cost) - place(start), node))
            at, others, rest = start, 0, 0
            for child in sorted(node.children.values(), key=lambda child: -child.cost):
                if child.cost * width < root.cost:
                    others += child.cost > 0
                    rest += child.cost
                    continue
                below.append((child, at))
                at += child.cost
            if place(at + rest) > place(at) and row + 1 < rows:
                boxes.append((row + 1, place(at), place(at + rest) - place(at), others))
        level = below
    return boxes


def box_text(name, width, sign=""):
    room = width - 1 - len(sign)
    if room < 3:
        return (sign + " " * width)[:width - 1]
    shown = name.replace("<int>", "<>")
    if len(shown) > room and name != "everything":
        shown = name.split("(")[0].replace("<int>", "")
        while len(shown) > room and "::" in shown:
            shown = shown.split("::", 1)[1]
    if len(shown) > room:
        shown = shown[: room - 1] + "~"
    return sign + shown.ljust(room)


def equal_siblings(root):
    nodes = [root]
    while nodes:
        node = nodes.pop()
        costs = [child.cost for child in node.children.values() if child.cost]
        if len(costs) != len(set(costs)):
            return True
        nodes += node.children.values()
    return False


def put_together(name, new, old):
    """As wide as both; a sign for what has more, or less, than it had."""
    new, old = new or Node(name), old or Node(name)
    both = Node(name)
    both.cost = new.cost + old.cost
    both.sign = "+" if new.cost > old.cost else "-" if new.cost < old.cost else ""
    for key in {**new.children, **old.children}:
        both.children[key] = put_together(key[0], new.children.get(key), old.children.get(key))
    return both


def check_boxes(screen, root, width, rows):
    for row, column, wide, what in expected_boxes(root, width, rows - 4):
        got = screen[3 + row][column:column + wide].ljust(wide)
        want = "|" + (box_text(what.name, wide, what.sign) if isinstance(what, Node)
                      else ("%d others" % what)[:wide - 1].ljust(wide - 1))
        if not isinstance(what, Node) and ("~" in got or wide <= 3):
            continue
        if got != want:
            fail("row %d, column %d: '%s', expected '%s'\n%s" % (
                row, column, got, want, "\n".join(screen)))


def flame():
    checked = 0
    while checked < 12:
        trace = random_trace(40, 3)
        best, last = trace.peak()
        peak, leaked = make_tree(trace, lambda i: best[i]), make_tree(trace, lambda i: last[i])
        if equal_siblings(peak) or equal_siblings(leaked):
            continue
        checked += 1
        trace.write("made", "app.c")
        for rows, columns in ((24, 80), (50, 160), (8, 40)):
            script = ["ascii", "size %dx%d" % (columns, rows), "keys 7", "save", "keys c", "save",
                      "keys cccc<Down><Down><Enter>", "save"]
            first, second, third = screens("made", script)
            check_boxes(first, peak, columns, rows)
            check_boxes(second, leaked, columns, rows)
            inner = zoomed(peak, columns)
            if inner:
                check_boxes(third, inner, columns, rows)
            for screen, root in ((first, peak), (second, leaked)):
                if not screen[1].startswith("%s 100.00%%" % number_bytes(root.cost)):
                    fail("the head is %s" % screen[1])
        check_search(trace, peak)
        check_diff(trace)


def check_diff(trace):
    """By function, whatever the line."""
    base = random_trace(40, 3)
    (best, _), (other, _) = trace.peak(), base.peak()
    new, old = make_tree(trace, lambda i: best[i], False), make_tree(base, lambda i: other[i], False)
    both = put_together("everything", new, old)
    both.sign = ""
    if equal_siblings(both):
        return
    base.write("base", "app.c")
    screen = screens("made", ["ascii", "size 160x50", "keys 7", "save"], "-d", "base")[0]
    check_boxes(screen, both, 160, 50)


def zoomed(root, width):
    """Twice into the largest child, where that is wide enough."""
    node = root
    for _ in range(2):
        children = [child for child in node.children.values() if child.cost * width >= root.cost]
        if not children:
            return None
        node = max(children, key=lambda child: child.cost)
    return node


def check_search(trace, root):
    """What passes through a function that is called like that, each stack once."""
    best, _ = trace.peak()
    for word in ("parse", "pool", "fold"):
        found = sum(best[i] * size for i, (size, frame) in enumerate(trace.classes)
                    if any(word in name for name, _ in trace.stack(frame)))
        screen = screens("made", ["keys 7/%s<Enter>" % word, "save"])[0]
        percent = (2 * found * 10000 + root.cost) // (2 * root.cost)
        want = "'%s' in %s %d.%02d%%" % (word, number_bytes(found), percent // 100, percent % 100)
        if not screen[2].startswith(want):
            fail("%s, expected %s" % (screen[2], want))


# ---- source


def line_costs(trace, live):
    """By line what passes through it, and what is allocated there."""
    through, own = {}, {}
    for which, (size, frame) in enumerate(trace.classes):
        lines = [line for _, line in trace.stack(frame)]
        for line in set(lines):
            through[line] = through.get(line, 0) + live[which] * size
        own[lines[0]] = own.get(lines[0], 0) + live[which] * size
    return through, own


def check_lines(screen, first, through, own, text):
    seen = 0
    for row in screen[first:]:
        if not row[22:29].strip().isdigit():
            continue
        line = int(row[22:29])
        want = "%10s %10s " % tuple(number_bytes(costs[line]) if costs.get(line) else ""
                                    for costs in (through, own))
        if row[:22] != want:
            fail("line %d has '%s', expected '%s'" % (line, row[:22], want))
        if row[29:] != text(line)[:len(row) - 29]:
            fail("line %d reads '%s', expected '%s'" % (line, row[29:], text(line)))
        seen += 1
    return seen


def source():
    with open("app.c", "w") as file:
        for line in range(1, LINES + 1):
            file.write("\tline(%d);\n" % line)
    os.utime("app.c", (1, 1))
    for _ in range(5):
        trace = random_trace(40, 3)
        best, _ = trace.peak()
        through, own = line_costs(trace, best)
        trace.write("made", os.path.abspath("app.c"))
        screen = screens("made", ["size 80x70", "keys 3S", "save"])[0]
        seen = check_lines(screen, 3, through, own, lambda line: "        line(%d);" % line)
        if seen != LINES:
            fail("%d lines of %d:\n%s" % (seen, LINES, "\n".join(screen)))
        check_print("made", own)
        # a file that is not here: its lines that cost something
        trace.write("made", "/nowhere/src/lost.c")
        screen = screens("made", ["size 80x70", "keys 3S", "save"])[0]
        if not screen[1].startswith("/nowhere/src/lost.c: not found here"):
            fail("a file that is not there: %s" % screen[1])
        if not check_lines(screen, 3, through, own, lambda line: ""):
            fail("no lines of a file that is not there")
    below()
    hostile(trace)


def check_print(file, own):
    """What print has by line is what lines allocate themselves."""
    report = json.loads(run("print", "--by", "line", "--only", "peak", "-n", "1000", "--json", file))
    printed = {entry["place"]["frames"][0]["line"]: entry["cost"]["peak_bytes"]
               for entry in report["peak"]["entries"]}
    if printed != {line: cost for line, cost in own.items() if cost}:
        fail("print by line: %s, expected %s" % (printed, own))


def below():
    """The longest common end wins; control bytes are masked; a newer file is told."""
    trace = Trace([("main", 2, 0)], [(100, 1)])
    trace.events = [(5, 0, 1)]
    trace.write("made", "/build/tree/src/deep/file.c")
    for path in ("a/file.c", "a/deep/file.c", "b/src/deep/file.c"):
        os.makedirs("sources/" + os.path.dirname(path), exist_ok=True)
        with open("sources/" + path, "w") as file:
            file.write("of %s\n\033[31mred\x07\0end\n" % path)
    screen = screens("made", ["keys 3S", "save"], "--source-dir", "sources")[0]
    if not screen[1].startswith("sources/b/src/deep/file.c: changed since it was recorded"):
        fail("not the longest end, or not told that it is newer: %s" % screen[1])
    if "\\x1b[31mred\\x07\\x00end" not in screen[4]:
        fail("control bytes are not masked: %r" % screen[4])
    os.makedirs("sources/src/deep", exist_ok=True)
    os.replace("sources/a/file.c", "sources/src/deep/file.c")
    screen = screens("made", ["keys 3S", "save"], "--source-dir", "sources")[0]
    if not screen[1].startswith("sources/src/deep/file.c"):
        fail("not the straight way: %s" % screen[1])


def hostile(trace):
    """No file to read: a folder, a pipe that nobody writes to, a name with control bytes."""
    os.mkfifo("pipe")
    for name, want in (("/", "no regular file"), (os.path.abspath("pipe"), "no regular file"),
                       ("/x\033]0;y\007.c", "not found here")):
        trace.write("made", name)
        screen = screens("made", ["size 160x24", "keys 3S", "save"])[0]
        if want not in screen[1] or "\033" in "".join(screen):
            fail("%r: %r" % (name, screen[1]))


{"timeline": timeline, "flame": flame, "source": source}[sys.argv[1]]()
