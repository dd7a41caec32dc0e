# SPDX-License-Identifier: LGPL-2.1-or-later
# The screens of docs/tui.md are those of the program that stands there.
. "$TESTS/lib.sh"
need gcc
need python3

page=$TESTS/../docs/tui.md
sed -n '/^```c$/,/^```$/p' "$page" | sed '1d;$d' >server.c
gcc -g -O0 -o server server.c || fail "gcc"
record -o server.mlg ./server
equal "status" $status 0

cat >page.py <<'END'
import re, subprocess, sys

def plain(screen):
    """Without what another run, another folder or a busy machine changes."""
    screen = re.sub(r"RSS [0-9.]+M", "RSS", screen)
    screen = re.sub(r"\([0-9]+/s\)", "rate", screen)
    screen = re.sub(r" +[0-9]\.[0-9]+s", " time", screen)
    screen = re.sub(r" at \S*/", " at ", screen)
    screen = re.sub(r" in \S*/", " in ", screen)
    screen = re.sub("[\u2800-\u28ff \u2500\u252c^]+", " ", screen)
    # those below the graph depend on how long it took
    screen = re.sub(r"^ *0s[0-9.s ]*( time)?$", "times", screen, flags=re.M)
    return [line.strip() for line in screen.strip().split("\n")]

tool, page = sys.argv[1:]
shots = re.findall(r"<!-- keys (.*?) -->\n```\n(.*?)\n```\n", open(page).read(), re.S)
assert len(shots) >= 5, "screens on the page: %d" % len(shots)
script = "size 80x14\n" + "".join(
    "keys %s\nsave shot-%d\n" % (keys, i) for i, (keys, _) in enumerate(shots))
subprocess.run([tool, "tui", "--script", "-", "server.mlg"], input=script.encode(), check=True)
for i, (keys, expected) in enumerate(shots):
    shown = plain(open("shot-%d" % i).read())
    if shown != plain(expected):
        sys.exit("behind the keys %s the page has\n%s\nand the screen\n%s" %
                 (keys, "\n".join(plain(expected)), "\n".join(shown)))
END
python3 page.py "$MALLOGRAPH" "$page" || fail "docs/tui.md is not what is shown"
