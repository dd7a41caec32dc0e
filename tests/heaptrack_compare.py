#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""heaptrack_compare.py FILE...: what heaptrack_print and mallograph print say of heaptrack's files
must be the same: totals, histogram, and in each section every entry and every backtrace with its
figures, the ten largest in front.

These differences are expected and worked out here (docs/heaptrack.md says why):
- the allocation info 0 is "none" to heaptrack, so a deallocation of it that follows no
  allocation counts as temporary; how often is counted from the file itself;
- all addresses without a name in one module are one entry to heaptrack;
- heaptrack does not end a backtrace in a main that something was inlined into;
- heaptrack prints a line that is not known as 0;
- one printed backtrace may stand several times in heaptrack's lists; here it is one.
"""
import collections
import gzip
import os
import re
import subprocess
import sys
import tempfile

TITLES = {
    "MOST CALLS TO ALLOCATION FUNCTIONS": r"(\d+) calls (?:to .*)?with (\S+) peak .*from:?",
    "PEAK MEMORY CONSUMERS": r"(\S+) (?:peak memory )?consumed over (\d+) calls from:?",
    "MEMORY LEAKS": r"(\S+) leaked over (\d+) calls from:?",
    "MOST TEMPORARY ALLOCATIONS": r"(\d+) temporary allocations of (\d+) allocations .* from:?",
}
CALLS, TEMPORARY = list(TITLES)[0], list(TITLES)[3]
ENDS = ("main", "__libc_start_main", "__static_initialization_and_destruction_0")
UNITS = {"B": 0, "K": 1, "M": 2, "G": 3, "T": 4}
failures = []


def fail(*words):
    failures.append(" ".join(str(word) for word in words))


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          encoding="utf-8").stdout


def text_of(path):
    with open(path, "rb") as file:
        data = file.read()
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data).decode()
    if data[:4] == b"\x28\xb5\x2f\xfd":
        return run("zstd", "-dc", path)
    return data.decode()


def false_temporaries(path):
    false, last = 0, 0
    for line in text_of(path).splitlines():
        if line.startswith("+ "):
            last = None
        elif line.startswith("- "):
            false += last == 0 and int(line[2:], 16) == 0
            last = 0
    return false


class Figure:
    """A number as printed, and how far it may be from the exact one."""

    def __init__(self, value=0.0, error=0.0):
        self.value, self.error = value, error

    @classmethod
    def parse(cls, text):
        if text[-1] not in UNITS:
            return cls(int(text))
        scale = 1000 ** UNITS[text[-1]]
        return cls(float(text[:-1]) * scale, 0.005001 * scale if scale > 1 else 0)

    def __add__(self, other):
        return Figure(self.value + other.value, self.error + other.error)

    def same(self, other):
        return abs(self.value - other.value) <= self.error + other.error + 1e-6

    def __repr__(self):
        return "%.0f" % self.value


class Report:
    def __init__(self, text):
        self.totals = {}
        # {title: {lines of the place: [the section's figure, the other one]}}
        self.entries = {title: {} for title in TITLES}
        self.costs = {title: [] for title in TITLES}
        title, place, figures = None, [], None

        def close():
            if figures:
                key = self.key(place)
                known = self.entries[title].get(key, [Figure(), Figure()])
                self.entries[title][key] = [a + b for a, b in zip(known, figures)]

        for line in text.splitlines() + ["total end: "]:
            headline = title and re.fullmatch(TITLES[title], line)
            if line in TITLES or re.match(r"[a-zR ]+(\(.*\))?: ", line) and not headline:
                close()
                figures = None
                if line in TITLES:
                    title = line
                else:
                    name, value = re.split(r": ", line, maxsplit=1)
                    self.totals.setdefault(name, value)
            elif headline and line.endswith("from"):
                close()
                figures, place = [Figure.parse(text) for text in headline.groups()], []
                self.costs[title].append(figures[0])
            elif headline:
                close()  # a backtrace of a merged entry: they are compared unmerged
                figures = None
            elif figures and line and not re.fullmatch(r"  and \S+ from \d+ other places", line):
                place.append(re.sub(r"^( *at .*):0$", r"\1", line))
        # sorted as they would stand with the entries that are one here
        self.largest = {title: sorted((pair[0].value for pair in self.entries[title].values()),
                                      reverse=True)[:10] for title in TITLES}

    @staticmethod
    def key(place):
        """What identifies an entry: its first frame, or its whole backtrace."""
        if not place[0].startswith(" "):
            if re.fullmatch(r"0x[0-9a-f]+|\S+\+0x[0-9a-f]+", place[0]):
                return "nameless " + place[-1]
            lines = [place[0]] + [line for line in place[1:3] if line.startswith("  ")]
            return "\n".join(lines[: 3 if lines[1].startswith("  at") else 2])
        for i, line in enumerate(place):
            if line[2:] in ENDS:
                end = i + 1
                while end < len(place) and place[end].startswith("    "):
                    end += 1
                return "\n".join(place[:end])
        return "\n".join(place)


def compare_section(what, title, theirs, ours, false):
    a, b = theirs.entries[title], ours.entries[title]
    for key in a.keys() | b.keys():
        pairs = list(zip(a.get(key, [Figure()] * 2), b.get(key, [Figure()] * 2)))
        if all(his.same(mine) for his, mine in pairs):
            continue
        # where entries are one here or one there, those without a cost are left out by the other
        fewer, more = pairs[1] if what.startswith("-m0") else reversed(pairs[1])
        if title != CALLS and (nameless(key) or what.startswith("-m0")) and \
                fewer.value < more.value and pairs[0][0].same(pairs[0][1]):
            continue
        if title == TEMPORARY and pairs[0][0].value - pairs[0][1].value == false > 0:
            false = 0  # all of them are of one class, and so of one place
            continue
        fail(what, title, "\n" + key, "\ntheirs", a.get(key), "ours", b.get(key))
    if title == TEMPORARY and false:
        fail(what, title, "does not have the", false, "false ones too many")
    values = [cost.value for cost in ours.costs[title]]
    if values != sorted(values, reverse=True):
        fail(what, title, "is not in order")
    if a.keys() == b.keys() and not any(map(nameless, a)) and title != TEMPORARY:
        for his, mine in zip(theirs.costs[title][:10], ours.costs[title][:10]):
            if len(theirs.costs[title]) == len(ours.costs[title]) and not his.same(mine):
                fail(what, title, "has another top ten:", theirs.costs[title][:10],
                     ours.costs[title][:10])
                break


def nameless(key):
    return key.startswith("nameless")


def compare_totals(theirs, ours, false):
    for name, value in theirs.totals.items():
        mine = ours.totals.get(name, "none")
        if name in ("total end", "Debuggee command was"):
            same = True
        elif name == "total runtime":  # digits differ
            same = abs(float(mine[:-2]) - float(value[:-2])) < 0.0051
        elif name == "temporary memory allocations":
            same = int(mine.split()[0]) == int(value.split()[0]) - false
        elif name.startswith("calls"):
            same = mine == value
        else:  # heaptrack's halves are rounded down as often as up
            same = Figure.parse(mine).same(Figure.parse(value))
        if not same:
            fail(name + ": theirs", value, "ours", mine)
    if len(theirs.totals) < 6:
        fail("theirs has no totals:", theirs.totals)


def compare_histograms(path):
    ours = collections.Counter()
    for line in run(os.environ["BUILD"] + "/tests/figures", path, "classes").splitlines():
        size, count = line.split()
        ours[int(size)] += int(count)
    with tempfile.NamedTemporaryFile() as file:
        run("heaptrack_print", "-a0", "-p0", "-T0", "-H", file.name, path)
        theirs = dict(map(int, line.split()) for line in file.read().decode().splitlines())
    if theirs != dict(+ours):
        fail("the histogram differs")
    return len(theirs)


def compare(path):
    false = false_temporaries(path)
    common = ["-a1", "-p1", "-T1", "-l1", "-n", "10000000", "-s", "0"]
    unsuppressed = ["--disable-builtin-suppressions", "--disable-embedded-suppressions"]
    told = run(os.environ["MALLOGRAPH"], "print", "--help")
    for options in (["-m1", "-t1"], ["-m1", "-t0"], ["-m0", "-t0"]):
        theirs = Report(run("heaptrack_print", *common, *options, *unsuppressed, path))
        ours = Report(run(os.environ["MALLOGRAPH"], "print", *common, *options,
                          *(unsuppressed if "builtin-suppressions" in told else []), path))
        compare_totals(theirs, ours, false)
        for title in TITLES:
            compare_section(" ".join(options), title, theirs, ours, false)
    print("%s: %d sizes, %d false temporaries, entries and backtraces:" % (
        path, compare_histograms(path), false), [len(ours.entries[title]) for title in TITLES])


for name in sys.argv[1:]:
    compare(name)
print("\n".join(failures))
sys.exit(bool(failures))
