/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file of suppressions, and what its patterns find. */
#include "analyzer/query/pattern.h"
#include "analyzer/query/suppressions.h"
#include "tests/fuzz/fuzz.h"

void fuzz_suppressions(const uint8_t *bytes, size_t size)
{
	static const char *const names[] = {"main", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
					    "a::b<c>(d)"};
	struct suppressions suppressions = {0};
	char complaint[64];

	suppressions_add_text(&suppressions, (const char *)bytes, size, SUPPRESSION_FILE, complaint,
			      sizeof(complaint));
	for (size_t i = 0; i < suppressions.count; i++)
		for (size_t name = 0; name < sizeof(names) / sizeof(*names); name++)
			pattern_finds(suppressions.rules[i].pattern, names[name]);
	suppressions_release(&suppressions);
}
