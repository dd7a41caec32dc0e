/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_SYMCACHE_H
#define MALLOGRAPH_SYMCACHE_H

/*
 * What is known of addresses, for all recordings of a run: the processes of a
 * tree run the same files, and to look into one costs a tenth of a second or
 * three. The symbolizer is asked for what is missing only, by a trace made for
 * it that has nothing but modules and nodes; its answer is read back as part of that
 * trace.
 *
 * A place is a file, known by its build-id, and an offset from the start of
 * its mapping. Files without a build-id are known to one recording only.
 */

#include <stddef.h>
#include <stdint.h>

#include "libcollect/recorder/stacks.h"

struct symcache {                /* all zero: empty */
	struct area places;      /* struct symcache_place, from 1 */
	struct area place_index; /* their numbers by hash */
	struct area frames;      /* struct trace_frame, with our string ids */
	struct area texts;       /* bytes of all strings */
	struct area strings;     /* struct symcache_string, from 1 */
	struct area string_index;
	uint32_t place_count, place_bits;
	uint32_t string_count, string_bits;
	uint32_t frame_count;
	struct area suppressions; /* struct symcache_suppressions, of the files that have some */
	uint32_t suppressions_count;
	size_t text_bytes;
	uint32_t generation; /* of the last walk over a recording's places */
	uint32_t questions;

	/* of the recording at hand */
	uint32_t *files; /* string ids of the identities of its modules, by the trace's id */
	uint32_t file_count;
};

void symcache_release(struct symcache *cache);

/* Turns to a recording; epoch tells it from others. 0 or a negative error. */
int symcache_begin(struct symcache *cache, const struct stacks *stacks, uint32_t epoch);
/* How many places nothing is known of. */
uint32_t symcache_missing(struct symcache *cache, const struct stacks *stacks);
/* Makes a trace of them in an empty file, but for those that the question with the number
 * `before` was about. 0: none. Returns its number, or a negative error. */
int64_t symcache_question(struct symcache *cache, const struct stacks *stacks, uint32_t before,
			  int fd);
/* Takes the symbolizer's blocks. trace_fd is the question, which they are
 * appended to. complete: what it says nothing of has no name. */
int symcache_answer(struct symcache *cache, const struct stacks *stacks, int trace_fd,
		    const void *blocks, size_t size, int complete);
/* Writes the symbols of the recording at hand into its trace. ERROR_MEMORY: not all. */
int symcache_write(struct symcache *cache, const struct stacks *stacks,
		   struct trace_writer *writer);

#endif
