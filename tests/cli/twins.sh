# SPDX-License-Identifier: LGPL-2.1-or-later
# A plugin unloaded and another loaded at its address: what each allocates is its own.
. "$TESTS/lib.sh"

record -o twins.mlg "$VICTIMS/twins" "$VICTIMS/plugin_twin_first.so" \
	"$VICTIMS/plugin_twin_other.so" >out
equal "status" $status 0
grep -q '^same address: [1-9]' out || skip "the plugins get addresses of their own: $(cat out)"
whole twins.mlg

"$MALLOGRAPH" print -n 1000 -s 1000 -p0 -T0 twins.mlg >report || fail "print: $?"
# 30 rounds of 10 blocks: of the plugin's own function, and of malloc called from it; ours,
# called from either, are one place
for name in first_twin other_twin; do
	grep -A1 '^300 calls to allocation functions' report | grep -qx $name ||
		fail "$name does not have 300 calls"
done
equal "places with 300 calls in a twin_call" \
	"$(grep -A1 '^300 calls to allocation functions' report | grep -cx twin_call)" 2
grep -A1 '^600 calls to allocation functions' report | grep -qx ask || fail "ask: not 600 calls"

# Below the allocating function no stack has frames of both, and each goes to its end.
python3 - report <<'END' || fail "stacks of one plugin go through the other, or nowhere"
import re, sys
report = open(sys.argv[1]).read().split("MOST CALLS TO ALLOCATION FUNCTIONS\n")[1]
stacks = re.split(r"(?m)^\d+ calls .*\n|\n\n", report)
twins = [stack for stack in stacks if re.search(r"(?m)^    twin_call$", stack)]
bad = [stack for stack in twins if "first" in stack and "other" in stack
       or not re.search(r"(?m)^    main$", stack)]
print(len(twins), "stacks through twin_call,", len(bad), "bad")
print("\n".join(bad))
sys.exit(len(bad) > 0 or len(twins) != 40 or "not walked to its end" in report)
END
