/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RANGE_TABLE_H
#define MALLOGRAPH_RANGE_TABLE_H

/*
 * Address ranges that may nest and overlap, made into one sorted list of
 * pieces, so that "which range is this address in" is a binary search.
 *
 * Where ranges overlap, the higher rank wins, then the later start, then the
 * earlier end, then the one that was added first. Symbols, DWARF units and
 * scopes of a unit all use this.
 *
 * Usage: range_table_init, range_table_add..., range_table_finish once,
 * range_table_find..., range_table_release.
 */

#include <stddef.h>
#include <stdint.h>

#define RANGE_NONE UINT32_MAX

struct range {
	uint64_t start, end;
	uint32_t rank, value;
};

/* An address belongs to the last piece that starts at or below it. */
struct range_piece {
	uint64_t start;
	uint32_t value; /* RANGE_NONE: a gap */
};

struct range_table {
	struct range *ranges; /* until finish */
	size_t range_count, range_allocated;
	struct range_piece *pieces; /* after finish */
	size_t piece_count, piece_allocated;
};

void range_table_init(struct range_table *table);
void range_table_release(struct range_table *table);

/* Empty ranges (end <= start) are ignored. Returns 0 or ERROR_MEMORY. */
int range_table_add(struct range_table *table, uint64_t start, uint64_t end, uint32_t rank,
		    uint32_t value);
/* Returns 0 or ERROR_MEMORY; the table is then empty. */
int range_table_finish(struct range_table *table);

/* The value of the winning range at the address, or RANGE_NONE. */
uint32_t range_table_find(const struct range_table *table, uint64_t address);

#endif
