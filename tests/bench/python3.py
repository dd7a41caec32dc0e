# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nested dictionaries to JSON and back, then counting words: strings, lists and
dictionaries of many sizes, from stacks of many depths. With PYTHONMALLOC=malloc every
object is an allocation."""

import json


def tree(depth, seed):
    if depth == 0:
        return {"name": "leaf-%d" % seed, "weight": seed * 0.37, "tags": [str(seed + i) for i in range(3)]}
    return {"node-%d" % (seed + i): tree(depth - 1, seed * 5 + i) for i in range(5)}


def count_words(text):
    counts = {}
    for word in text.replace('"', " ").replace(",", " ").split():
        counts[word] = counts.get(word, 0) + 1
    return counts


def main():
    for depth in range(4, 7):
        text = json.dumps(tree(depth, depth), sort_keys=True, indent=1)
        again = json.loads(text)
        counts = count_words(text)
        top = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:3]
        print(depth, len(text), len(again), len(counts), top)


main()
