# SPDX-License-Identifier: LGPL-2.1-or-later
# Each row of docs/robustness.md says what both do, and names tests that exist.
. "$TESTS/lib.sh"

page=$TESTS/../docs/robustness.md
python3 - "$page" "$TESTS" <<'END' || fail "docs/robustness.md"
import os, re, sys

page, tests = sys.argv[1:]
rows = bad = 0
for number, line in enumerate(open(page), 1):
    if not line.startswith("|") or line.startswith(("| case", "|---")):
        continue
    rows += 1
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
    named = re.findall(r"`((?:cli|victims|unit|soak)/[\w.-]+)`", cells[-1])
    missing = [name for name in named
               if not any(os.path.exists("%s/%s%s" % (tests, name, end)) for end in (".sh", ".c", ".cc"))]
    if len(cells) != 4 or not all(cells) or not named or missing:
        bad = 1
        print("line %d: %d cells, tests %s, which don't exist: %s" % (number, len(cells), named, missing))
print("%d rows" % rows)
sys.exit(bad)
END
