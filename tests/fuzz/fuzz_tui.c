/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The views of a terminal, which draw what the reports print: keys at random on a screen of no
 * terminal. The first byte says which; blocks follow, as in fuzz_blocks.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/model/profile.h"
#include "tests/fuzz/fuzz.h"
#include "tui/tui.h"

enum { KEYS = 40 };

static void browse(const struct profile *profile, unsigned seed)
{
	struct filter everything = {0};
	char keys[64], complaint[512];
	struct tui_options options = {
	    .fresh = profile,
	    .path = "a",
	    .filters = {&everything, &everything},
	};

	snprintf(keys, sizeof(keys), "random %u %d\n", seed, KEYS);
	options.script = fuzz_file(1, (const uint8_t *)keys, strlen(keys));
	tui_run(&options, complaint, sizeof(complaint));
}

void fuzz_tui(const uint8_t *bytes, size_t size)
{
	struct profile *profile;
	size_t made;
	uint8_t *file;

	if (size == 0)
		return;
	file = fuzz_make_trace(bytes + 1, size - 1, &made);
	if (!profile_load(&profile, fuzz_file(0, file, made))) {
		browse(profile, bytes[0]);
		profile_free(profile);
	}
	free(file);
}
