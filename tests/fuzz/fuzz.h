/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_FUZZ_H
#define MALLOGRAPH_FUZZ_H

/*
 * One function for each way that bytes of others come in. Each takes any bytes, does with them
 * what a command would, and gives back all it took. A file a target; targets.c lists them.
 */

#include <stddef.h>
#include <stdint.h>

struct fuzz_target {
	const char *name; /* of its folder in the corpus, too */
	void (*run)(const uint8_t *bytes, size_t size);
	/* Makes bytes that were changed at random more likely to get far; NULL: they are as they
	 * are. Returns the new size, `most` at most. */
	size_t (*mend)(uint8_t *bytes, size_t size, size_t most);
};

extern const struct fuzz_target fuzz_targets[]; /* ends with name NULL */
const struct fuzz_target *fuzz_find(const char *name);

void fuzz_trace(const uint8_t *bytes, size_t size);
size_t fuzz_trace_mend(uint8_t *bytes, size_t size, size_t most);
void fuzz_blocks(const uint8_t *bytes, size_t size);
void fuzz_heaptrack(const uint8_t *bytes, size_t size);
void fuzz_packed(const uint8_t *bytes, size_t size);
void fuzz_suppressions(const uint8_t *bytes, size_t size);
void fuzz_filter(const uint8_t *bytes, size_t size);
void fuzz_perf_map(const uint8_t *bytes, size_t size);
void fuzz_elf(const uint8_t *bytes, size_t size);
void fuzz_unwind(const uint8_t *bytes, size_t size);
void fuzz_tui(const uint8_t *bytes, size_t size);

/* The bytes as a file without a name; its path, valid until the next call with the same number
 * (0 or 1). Ends the process where that fails. */
const char *fuzz_file(int number, const uint8_t *bytes, size_t size);

/* The bytes as a string, for the caller to free. */
char *fuzz_text(const uint8_t *bytes, size_t size);

/* The trace that fuzz_blocks.c makes of its input; the caller frees it. */
uint8_t *fuzz_make_trace(const uint8_t *bytes, size_t size, size_t *made);

/* Loads the file and shows it in every way there is: reports, trees, timelines, exports,
 * selections, a comparison with itself. */
void fuzz_views(const char *path);

#endif
