# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads the text of `mallograph print` without knowing how it is made.

    report_text.py entries TEXT          SECTION FIGURE FUNCTION of each entry
    report_text.py stacks TEXT           COUNT;FRAME;... as a stack-diffing script reads it
    report_text.py negated TEXT TEXT     the second diff is the first with the files swapped
    report_text.py same TEXT JSON        both say the same (TEXT with --bytes)
"""
import json
import re
import sys

SECTIONS = {
    "MOST CALLS TO ALLOCATION FUNCTIONS": "allocations",
    "PEAK MEMORY CONSUMERS": "peak",
    "MEMORY LEAKS": "leaks",
    "MOST TEMPORARY ALLOCATIONS": "temporary",
}
NUMBER = r"(-?[0-9.]+[BKMGT]?)"
SIDES = r"(?: \[base %s, new %s(?:, (only in new|only in base|[-+]?[0-9.]+%%))?(?:, [a-z ]+)?\])?" % (
    NUMBER, NUMBER)
ENTRY = {
    "allocations": NUMBER + " calls to allocation functions with " + NUMBER + " peak consumption from",
    "peak": NUMBER + " peak memory consumed over " + NUMBER + " calls from",
    "leaks": NUMBER + " leaked over " + NUMBER + " calls from",
    "temporary": NUMBER + " temporary allocations of " + NUMBER + r" allocations in total \((-?[0-9.]+%)\) from",
}
STACK = dict(ENTRY, allocations=NUMBER + " calls with " + NUMBER + " peak consumption from",
             peak=NUMBER + " consumed over " + NUMBER + " calls from")
TOTALS = {
    "calls to allocation functions": "allocations",
    "temporary memory allocations": "temporary",
    "peak heap memory consumption": "peak_bytes",
    "total memory leaked": "leaked_bytes",
    "suppressed leaks": "suppressed_bytes",
}


def read(path):
    """Sections with their entries, each {first, second, sides, place, stacks}; totals."""
    report = {name: [] for name in SECTIONS.values()}
    totals, section, entry = {}, None, None
    for line in open(path, encoding="utf-8").read().split("\n"):
        if line in SECTIONS:
            section, entry = SECTIONS[line], None
            continue
        total = re.fullmatch(r"([a-z ]+): " + NUMBER + r"(?: \(-?[0-9.]+/s\))?" + SIDES, line)
        if total and total.group(1) in TOTALS:
            totals[TOTALS[total.group(1)]] = (total.group(2), total.group(3), total.group(4))
            continue
        if section is None:
            continue
        match = re.fullmatch(ENTRY[section] + SIDES, line)
        if match:
            figures = match.groups()
            entry = {"first": figures[0], "second": figures[1], "sides": figures[-3:],
                     "place": [], "stacks": []}
            report[section].append(entry)
            continue
        match = re.fullmatch(STACK[section] + ":" + SIDES, line)
        if match:
            figures = match.groups()
            entry["stacks"].append({"first": figures[0], "second": figures[1],
                                    "sides": figures[-3:], "frames": []})
            continue
        if not line:
            entry = None
        elif entry is not None and entry["stacks"] and line.startswith("    "):
            entry["stacks"][-1]["frames"].append(line)
        elif entry is not None and not entry["stacks"]:
            entry["place"].append(line)
    return report, totals


def stacks(path):
    """The contract of the stack-diffing scripts, to the letter."""
    stack, count = None, 0
    for line in open(path, encoding="utf-8").read().split("\n"):
        start = re.match(r"(\d+) calls with", line)
        if stack is not None and not line.startswith("    "):
            yield count, stack
            stack = None
        if start:
            stack, count = [], int(start.group(1))
        elif stack is not None and not any(mark in line for mark in ("      in", "      at", "    0x")):
            stack.append(line.strip())
    if stack is not None:
        yield count, stack


def negative(text):
    return text[1:] if text.startswith("-") else text if re.fullmatch(r"0(\.0+)?[B]?", text) else "-" + text


def negated(first, second):
    swap = {"only in new": "only in base", "only in base": "only in new"}
    (a, a_totals), (b, b_totals) = read(first), read(second)
    for section in SECTIONS.values():
        turned = sorted((negative(e["first"]), negative(e["second"]), e["sides"][1], e["sides"][0],
                         swap.get(e["sides"][2]), e["place"][0]) for e in a[section])
        found = sorted((e["first"], e["second"], e["sides"][0], e["sides"][1],
                        e["sides"][2] if e["sides"][2] in swap else None, e["place"][0])
                       for e in b[section])
        if turned != found or not a_totals:
            sys.exit("%s: %s\nis not the negative of\n%s" % (section, turned, found))
    for name, (figure, base, new) in a_totals.items():
        if b_totals[name] != (negative(figure), new, base):
            sys.exit("%s: %s, swapped %s" % (name, a_totals[name], b_totals[name]))


KEYS = {"allocations": ("allocations", "peak_bytes"), "peak": ("peak_bytes", "allocations"),
        "leaks": ("leaked_bytes", "allocations"), "temporary": ("temporary", "allocations")}


def check_cost(what, text, cost, section):
    side = cost.get("difference", cost)
    for figure, key in zip((text["first"], text["second"]), KEYS[section]):
        if int(figure) != side[key]:
            sys.exit("%s: %s is %s in the text, %s in JSON" % (what, key, figure, side[key]))
    if "difference" in cost:
        key = KEYS[section][0]
        if (int(text["sides"][0]), int(text["sides"][1])) != (cost["base"][key], cost["new"][key]):
            sys.exit("%s: sides %s, in JSON %s" % (what, text["sides"], cost))
    else:
        assert text["sides"] == (None, None, None), text


def function_of(frame):
    return frame.get("function") or frame.get("mark") or frame["address"]


def same(text_path, json_path):
    report, totals = read(text_path)
    data = json.load(open(json_path, encoding="utf-8"))
    assert data["schema"] == 1
    compared = 0
    for section, entries in report.items():
        if section not in data:
            assert not entries, section
            continue
        listed = data[section]["entries"]
        if len(listed) != len(entries):
            sys.exit("%s: %d entries in the text, %d in JSON" % (section, len(entries), len(listed)))
        for text, other in zip(entries, listed):
            what = section + " " + text["place"][0]
            check_cost(what, text, other["cost"], section)
            assert function_of(other["place"]["frames"][0]) in text["place"][0], (text, other)
            assert len(text["stacks"]) == len(other["stacks"]), what
            for one, two in zip(text["stacks"], other["stacks"]):
                check_cost(what, one, two["cost"], section)
                names = [line[4:] for line in one["frames"] if not line.startswith("      ")]
                functions = [function_of(frame) for frame in two["frames"]]
                shown = len(other["place"]["frames"])
                assert len(names) == len(functions) - shown, (names, functions)
                compared += 1
            compared += 1
    for name, (figure, base, new) in totals.items():
        side = data["totals"].get("difference", data["totals"])
        if int(figure) != side[name]:
            sys.exit("%s: %s in the text, %s in JSON" % (name, figure, side[name]))
        if base is not None:
            assert (int(base), int(new)) == (data["totals"]["base"][name], data["totals"]["new"][name])
        compared += 1
    print(compared)


def main():
    command, paths = sys.argv[1], sys.argv[2:]
    if command == "entries":
        for section, entries in read(paths[0])[0].items():
            for entry in entries:
                print(section, entry["first"], entry["place"][0].strip())
    elif command == "stacks":
        for count, stack in stacks(paths[0]):
            print(";".join([str(count)] + stack))
    elif command == "negated":
        negated(*paths)
    else:
        same(*paths)


main()
