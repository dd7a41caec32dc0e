# SPDX-License-Identifier: LGPL-2.1-or-later
# The report for programs says what the text says, and both can be read without knowing
# who wrote them.
. "$TESTS/lib.sh"
need python3

compare() { # LEAST OPTION...
	local least=$1
	shift
	"$MALLOGRAPH" print --bytes "$@" >text 2>err || fail "print $*: $?, $(cat err)"
	"$MALLOGRAPH" print --json "$@" >json 2>err || fail "print --json $*: $?, $(cat err)"
	python3 "$TESTS/report_text.py" same text json >count || fail "$*: text and JSON differ: $(cat count)"
	at_least "figures compared for $*" "$(cat count)" "$least"
}
for victim in leaks temporary threads two_paths strdup; do
	record -o $victim.mlg "$VICTIMS/$victim" >/dev/null
	compare 6 -l $victim.mlg
	compare 6 -l -n 1 -s 2 $victim.mlg
	compare 4 -l -d leaks.mlg $victim.mlg
done
compare 4 -l -d leaks.mlg leaks.mlg
compare 8 -l --filter size=32..64 temporary.mlg
compare 8 -l --sort peak threads.mlg
compare 4 --only leaks,summary leaks.mlg
LC_ALL=de_DE.UTF-8 LC_NUMERIC=de_DE.UTF-8 "$MALLOGRAPH" print --json leaks.mlg >german
"$MALLOGRAPH" print --json leaks.mlg | cmp - german || fail "the locale changes a number"

# totals are the trace's
python3 - leaks.mlg <<'END' || fail "totals"
import json, subprocess, os
run = subprocess.run([os.environ["MALLOGRAPH"], "print", "--json", "--details", "-l", "leaks.mlg"],
                     stdout=subprocess.PIPE, check=True)
data = json.loads(run.stdout)
totals = data["totals"]
assert totals["allocations"] == 3000 and totals["leaked_bytes"] == 48000, totals
assert totals["peak_bytes"] == 1001 * 48 and totals["temporary"] == 2000, totals
assert data["trace"]["state"] == "complete" and data["trace"]["kind"] == "mallograph"
entry = data["leaks"]["entries"][0]
assert entry["details"]["own_peak_bytes"] == 1001 * 48, entry
assert entry["details"]["lifetime_count"] == 2000 and entry["details"]["threads"] == 1, entry
assert [frame["function"] for frame in entry["stacks"][0]["frames"]] == ["keep_or_free", "main"]
END

# trees, places, timeline and sizes: what adds up, and what the text says of them
"$MALLOGRAPH" print --json -n 1000 --tree top-down --callers block_of --callees main \
	--only allocations,timeline,histogram --by size temporary.mlg >json || fail "trees"
"$MALLOGRAPH" print --bytes --only histogram temporary.mlg >text || fail "histogram"
python3 - <<'END' || fail "trees"
import json
data = json.load(open("json", encoding="utf-8"))

def add_up(node):
    rest = [child["cost"] for child in node["children"]] + [node["own"]]
    rest += [node["other_cost"]] if "other_cost" in node else []
    for key, figure in node["cost"].items():
        assert figure == sum(cost[key] for cost in rest) or not node["children"], (key, node)
    return 1 + sum(add_up(child) for child in node["children"])

for name in "tree", "callers", "callees":
    assert add_up(data[name]["root"]) >= 2, name
assert data["tree"]["root"]["cost"]["allocations"] == 1000
assert data["callees"]["root"]["cost"]["allocations"] == 1000
assert data["callers"]["root"]["cost"]["allocations"] == 800
assert [child["frames"][0]["function"] for child in data["callers"]["root"]["children"]].count("main") >= 1
sizes = {entry["place"]["size"]: entry["cost"]["allocations"] for entry in data["allocations"]["entries"]}
assert sizes == {entry["size"]: entry["count"] for entry in data["histogram"]} == {32: 900, 64: 100}, sizes
assert "32\t900\n64\t100\n" in open("text").read()
peaks = [s["heap_bytes"] for s in data["timeline"]["snapshots"] if s.get("peak")]
assert peaks == [64], peaks
END
"$MALLOGRAPH" print --json --by thread --only allocations,summary threads.mlg >json || fail "threads"
python3 - <<'END' || fail "threads"
import json
data = json.load(open("json", encoding="utf-8"))
entries = data["allocations"]["entries"]
assert len(entries) == 9 and len({entry["place"]["tid"] for entry in entries}) == 9, entries
assert sum(entry["cost"]["allocations"] for entry in entries) == data["totals"]["allocations"]
END

# names are any bytes
name=$'a "b\\ \xff\x1b\n\xc3\xa9'
cp "$VICTIMS/leaks" "$name"
record -o odd.mlg "./$name" >/dev/null
"$MALLOGRAPH" print --json odd.mlg >json || fail "odd names: $?"
python3 - <<'END' || fail "odd names"
import json
data = json.load(open("json", encoding="utf-8"))
assert data["trace"]["program"].endswith('/a "b\\ \\xff\x1b\n\u00e9'), data["trace"]
END

# the stack-diffing scripts' reading of the text: all calls are in some stack
for trace in leaks temporary threads two_paths strdup; do
	"$MALLOGRAPH" print --bytes -p0 -T0 -n 100000 -s 100000 $trace.mlg >text || fail "print"
	python3 "$TESTS/report_text.py" stacks text >stacks || fail "stacks of $trace"
	sum=$(awk -F';' '{ sum += $1 } END { print sum + 0 }' stacks)
	equal "calls in the stacks of $trace" "$sum" "$(figure allocations $trace.mlg)"
done
"$MALLOGRAPH" print -p0 -T0 leaks.mlg >text || fail "print"
equal "the stack of leaks" "$(python3 "$TESTS/report_text.py" stacks text)" "3000;main"
