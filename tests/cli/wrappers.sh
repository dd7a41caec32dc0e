# SPDX-License-Identifier: LGPL-2.1-or-later
# Each pattern that is looked through stands in docs/wrappers.md, and nothing else does.
. "$TESTS/lib.sh"

# names with a space in them may be broken over two lines
tr '\n' ' ' <"$TESTS/../docs/wrappers.md" | sed 's/.*the figures are the same\.//' |
	grep -oE '`[^`]+`' | tr -d '`' | sort >documented
# (titles of groups have one tab before them)
grep -vE '^(#|	")' "$TESTS/../analyzer/query/wrapper_groups.c" |
	grep -oE '"[^"]+"' | tr -d '"' | sort >built_in
[ "$(wc -l <built_in)" -gt 200 ] || fail "only $(wc -l <built_in) patterns were found"
diff built_in documented || fail "docs/wrappers.md and wrapper_groups.c differ"
