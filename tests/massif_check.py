# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads a massif file strictly, by the format alone, and prints its figures as NAME=NUMBER.

Fails where numbers, order, the sums of trees or the threshold are not as massif has them.
Usage: massif_check.py FILE THRESHOLD-PERCENT
"""

import re
import sys
from fractions import Fraction

lines = open(sys.argv[1], encoding="utf-8").read().split("\n")
threshold = Fraction(sys.argv[2]) / 100
at = 0


def fail(what):
    sys.exit(f"{sys.argv[1]}:{at}: {what}")


def take(pattern):
    global at
    found = re.fullmatch(pattern, lines[at])
    at += 1
    if not found:
        fail(f"not /{pattern}/: {lines[at - 1]!r}")
    return found


def tree(depth, total):
    """One node and what is below it; returns its bytes and whether it is a rest."""
    found = take(r"( *)n(\d+): (\d+) (.*)")
    children, size, label = int(found[2]), int(found[3]), found[4]
    rest = re.fullmatch(
        r"in (?:1 place, |(\d+) places, all )below massif's threshold \((\d+\.\d\d)%\)", label
    )
    if len(found[1]) != depth:
        fail(f"depth {len(found[1])}, expected {depth}")
    if "#" in label:
        fail("a comment in a name")
    if rest:
        if children or Fraction(rest[2]) / 100 != threshold:
            fail("a rest with children, or of another threshold")
        return size, True
    if depth and not re.fullmatch(r"0x[0-9A-F]+: .+ \(.+\)|0x[0-9A-F]+: .+", label):
        fail(f"no frame: {label!r}")
    if depth and size < total * threshold:
        fail(f"{size} of {total} is below the threshold")
    below = [tree(depth + 1, total) for _ in range(children)]
    sizes = [child[0] for child in below]
    if below and sum(sizes) != size:
        fail(f"children are {sum(sizes)} of {size} bytes")
    if sizes != sorted(sizes, reverse=True):
        fail("children not sorted")
    if sum(child[1] for child in below) > 1:
        fail("more than one rest")
    return size, False


take(r"desc: .*")
take(r"cmd: [^#]*")
unit = take(r"time_unit: (ms|B)")[1]
number = peaks = detailed = 0
peak_heap = peak_extra = most = last = 0
time_before = 0
while lines[at]:
    take("#-----------")
    if int(take(r"snapshot=(\d+)")[1]) != number:
        fail("snapshots are not counted from 0")
    take("#-----------")
    time = int(take(r"time=(\d+)")[1])
    heap = int(take(r"mem_heap_B=(\d+)")[1])
    extra = int(take(r"mem_heap_extra_B=(\d+)")[1])
    take("mem_stacks_B=0")
    kind = take("heap_tree=(empty|detailed|peak)")[1]
    if time < time_before:
        fail("time goes back")
    if kind != "empty":
        detailed += 1
        if tree(0, heap + extra)[0] != heap:
            fail(f"the tree's root is not {heap}")
    if kind == "peak":
        peaks += 1
        peak_heap, peak_extra = heap, extra
    most = max(most, heap)
    number, time_before, last = number + 1, time, heap
if peaks > 1 or most != peak_heap:
    fail(f"{peaks} peaks; the largest heap is {most}, the peak's {peak_heap}")
print(f"snapshots={number}\ndetailed={detailed}\npeak_bytes={peak_heap}\npeak_extra={peak_extra}")
print(f"leaked_bytes={last}\nend={time_before}\nunit={unit}")
