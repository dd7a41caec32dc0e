/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "formats/nearest.h"

#include <string.h>

/* Edit distance where swapping two neighbours counts once: that is how fingers
 * slip. Both words are shorter than NEAREST_MAX_BYTES. */
static unsigned distance(const char *a, const char *b)
{
	unsigned rows[3][NEAREST_MAX_BYTES + 1];
	size_t length_a = strlen(a), length_b = strlen(b);

	for (size_t j = 0; j <= length_b; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= length_a; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= length_b; j++) {
			unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);

			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    rows[(i + 1) % 3][j - 2] + 1 < best)
				best = rows[(i + 1) % 3][j - 2] + 1;
			row[j] = best;
		}
	}
	return rows[length_a % 3][length_b];
}

const char *nearest_name(const char *word, const char *const *names, size_t count)
{
	size_t length = strlen(word);
	unsigned best = length < 5 ? 2 : (unsigned)length / 2;
	const char *nearest = NULL;

	if (!length || length >= NEAREST_MAX_BYTES)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		unsigned far;

		if (strlen(names[i]) >= NEAREST_MAX_BYTES)
			continue;
		/* a word typed half is the name, whatever is missing */
		far =
		    length >= 3 && !strncmp(word, names[i], length) ? 0 : distance(word, names[i]);
		if (far < best) {
			best = far;
			nearest = names[i];
		}
	}
	return nearest;
}
