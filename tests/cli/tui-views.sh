# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: test
# timeout: 120
# Every view on every kind of trace at every size: what a screen shows is what the view writes as
# text, which tui-numbers compares with print. The screens that are known by heart are in tui-screens;
# timeline, flame and source are drawn by models in tui-flame and tui-timeline, 100,000 classes are
# in tui-wide, names of 2,000 characters in tui-keys.
. "$TESTS/lib.sh"
need gcc
need python3

cat >app.c <<'END_OF_APP'
#include <stdlib.h>

static void *kept[100];

__attribute__((noinline)) static void leaf(int i)
{
	kept[i] = malloc(100 + (size_t)i);
}
__attribute__((noinline)) static void middle(int i)
{
	leaf(i);
	free(malloc(3000));
}
__attribute__((noinline)) static void other(int i)
{
	kept[i] = malloc(64);
}
int main(void)
{
	for (int i = 0; i < 50; i++)
		middle(i);
	for (int i = 50; i < 100; i++)
		other(i);
	for (int i = 0; i < 20; i++)
		free(kept[i]);
	return 0;
}
END_OF_APP
gcc -g -O0 -o app app.c || fail "gcc"
sed 's/malloc(64)/malloc(640)/; s/i < 20/i < 40/' app.c >before.c
gcc -g -O0 -o before before.c || fail "gcc"
printf '#include <stdlib.h>\nint main(void) { return !malloc(77); }\n' >one.c
gcc -g -O0 -o one one.c || fail "gcc"
for program in ./app ./before ./one "$VICTIMS/empty"; do
	record -o "$(basename "$program").mlg" "$program" >/dev/null
	equal "status of $program" $status 0
done

cat >views.py <<'END'
import collections, os, re, subprocess, sys

TOOL = sys.argv[1]
# what leads to a view, its tab, and the rows above its list
LISTS = [("3", "Sites"), ("vv", "Sites"), ("4x", "Top-down"), ("5jl", "Bottom-up"), ("6", "Callers"),
         ("8", "Leaks"), ("9", "Temporary"), ("z", "Sizes"), ("T", "Threads")]
DRAWN = [("1", "Summary"), ("2", "Timeline"), ("7", "Flame"), ("3S", "Source")]
checked = 0


def run(script, words):
    subprocess.run([TOOL, "tui", "--script", "-", *words], input=script.encode(), check=True)


def screens(words, before, sizes):
    """Each view as it is saved and as it is written, once the screen has had all of these sizes."""
    script, saved = before, []
    for size in sizes:
        script += "size %dx%d\nkeys 1G<Home>\n" % size
    for i, (keys, _) in enumerate(LISTS + DRAWN):
        script += "keys %s\nkeys g\nsave screen%d\n" % (keys, i)
        script += "keys etext%d<Enter>\n" % i
        saved.append(i)
    for i in saved:
        for kind in "screen", "text":
            if os.path.exists("%s%d" % (kind, i)):
                os.remove("%s%d" % (kind, i))
    run(script, words)
    return [(open("screen%d" % i).read().split("\n")[:-1],
             open("text%d" % i).read().split("\n")[:-1] if os.path.exists("text%d" % i) else [])
            for i in saved]


def parts(line):
    """The figures that a row begins with, and its name."""
    words, figures = re.sub("[\u2588-\u258f\u25b8\u25be]", " ", line).split(), []
    while words and re.fullmatch(r"[-+]?[0-9][0-9.]*[%BKMGT]?", words[0]):
        figures.append(words.pop(0).lstrip("+"))
    return figures, " ".join(words)


def is_part(few, many):
    """The text has its own cost first."""
    return not collections.Counter(few) - collections.Counter(many)


def same_name(shown, name):
    if shown.endswith("\u2026"):
        return name.startswith(shown[:-1].rstrip())
    return shown == name or name.startswith(shown + " (") or name.startswith(shown + " in ")


def check_list(where, screen, text, columns, rows):
    global checked
    first = 2 if rows > 2 else 1
    shown, written = screen[first:-1], text[1:]
    if len(written) == 0:
        assert "nothing" in screen[2] or not "".join(shown).strip(), (where, screen)
        return
    assert len([line for line in shown if line.strip()]) >= min(len(shown), len(written)) - 1, (where, screen)
    for line, other in zip(shown, written):
        figures, name = parts(line)
        all_figures, whole = parts(other)
        if not line.strip() and not other.strip():
            continue
        assert figures and is_part(figures, all_figures), (where, line, other)
        # sizes have numbers in their names, and bars behind
        if "Sizes" not in where:
            assert same_name(name, whole), (where, line, other)
        checked += 1


for words in (["app.mlg"], ["--filter", "size=..110", "app.mlg"], ["-d", "before.mlg", "app.mlg"],
              ["empty.mlg"], ["one.mlg"], ["-d", "empty.mlg", "app.mlg"], ["-d", "app.mlg", "empty.mlg"]):
    for before in "", "keys f0..3600<Enter>\n", "ascii\n":
        for sizes in [(80, 24)], [(160, 50)], [(20, 5)], [(250, 70)]:
            columns, rows = sizes[-1]
            views = screens(words, before, sizes)
            for (screen, text), (keys, name) in zip(views, LISTS + DRAWN):
                where = "%s %s %s %s" % (name, sizes, words, before)
                assert len(screen) == rows and max(map(len, screen)) <= columns, (where, screen)
                assert name in screen[0], (where, screen)
                if before.startswith("ascii"):
                    assert all(line.isascii() for line in screen), (where, screen)
                elif "keys" in before:
                    assert screen[-1].startswith("only ") and (columns < 80 or "time=..1h" in screen[-1]), (where, screen)
                if (keys, name) in LISTS and not before.startswith("ascii"):
                    check_list(where, screen, text, columns, rows)
        # a resize in the middle leaves nothing behind
        there = screens(words, before, [(80, 24)])
        back = screens(words, before, [(80, 24), (20, 5), (1, 1), (160, 50), (80, 24)])
        assert there == back, [pair for pair in zip(there, back) if pair[0] != pair[1]][0]
assert checked > 500, checked
END
python3 views.py "$MALLOGRAPH" || fail "see above"
