# SPDX-License-Identifier: LGPL-2.1-or-later
# Each pattern that is looked through stands in docs/wrappers.md, and nothing else does;
# glibc's functions are, by whatever name its debug file calls them.
. "$TESTS/lib.sh"
need gcc

# names with a space in them may be broken over two lines
tr '\n' ' ' <"$TESTS/../docs/wrappers.md" | sed 's/.*the figures are the same\.//' |
	grep -oE '`[^`]+`' | tr -d '`' | sort >documented
# (titles of groups have one tab before them)
grep -vE '^(#|	")' "$TESTS/../analyzer/query/wrapper_groups.c" |
	grep -oE '"[^"]+"' | tr -d '"' | sort >built_in
[ "$(wc -l <built_in)" -gt 200 ] || fail "only $(wc -l <built_in) patterns were found"
diff built_in documented || fail "docs/wrappers.md and wrapper_groups.c differ"

cat >copies.c <<'END'
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
static void give(void *block) { free(block); }
static char *text;
void by_strdup(void) { give(strdup("some words")); }
void by_strndup(void) { give(strndup("some words", 4)); }
void by_wcsdup(void) { give(wcsdup(L"some words")); }
void by_reallocarray(void) { give(reallocarray(NULL, 3, 5)); }
void by_asprintf(void)
{
	if (asprintf(&text, "%d words", 3) > 0)
		give(text);
}
int main(void)
{
	by_strdup();
	by_strndup();
	by_wcsdup();
	by_reallocarray();
	by_asprintf();
	return 0;
}
END
for options in -O0 '-O2 -fno-inline -D_FORTIFY_SOURCE=2'; do
	# shellcheck disable=SC2086
	gcc -g $options -fno-builtin -o copies copies.c || fail "gcc $options"
	record -o copies.mlg ./copies
	"$MALLOGRAPH" print --only allocations -n100 -s0 copies.mlg >out || fail "print: $?"
	equal "who copies, $options" \
		"$(grep -A1 'calls to allocation functions' out | grep -v -e calls -e -- | sort | tr '\n' ' ')" \
		'by_asprintf by_reallocarray by_strdup by_strndup by_wcsdup '
done
