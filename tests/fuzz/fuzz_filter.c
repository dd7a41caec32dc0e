/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said to --filter, --at, --wrapper and in patterns of names: a line each. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/model/filter.h"
#include "analyzer/query/names.h"
#include "analyzer/query/wrappers.h"
#include "tests/fuzz/fuzz.h"

static void use(struct filter *filter, struct wrappers *wrappers, const char *line)
{
	char complaint[64], text[64];

	filter_add(filter, line, 0, complaint, sizeof(complaint));
	filter_add(filter, line, 1, NULL, 0);
	filter_set_instant(filter, line, 1000, complaint, sizeof(complaint));
	filter_text(filter, text, sizeof(text));
	if (*line)
		wrappers_add(wrappers, line);
	wrappers_match(wrappers, line);
}

void fuzz_filter(const uint8_t *bytes, size_t size)
{
	struct wrappers *wrappers = wrappers_new(0);
	char *text = fuzz_text(bytes, size), *rest = text, *line;
	struct filter filter = {0};

	if (!wrappers)
		exit(2);
	while ((line = strsep(&rest, "\n")) != NULL)
		use(&filter, wrappers, line);
	wrappers_free(wrappers);
	filter_release(&filter);
	free(text);
}
