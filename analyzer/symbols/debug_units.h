/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_DEBUG_UNITS_H
#define MALLOGRAPH_DEBUG_UNITS_H

#include "analyzer/symbols/debug_info.h"

/* The units of a file by address. All zeros: none. */
struct debug_units {
	struct debug_unit *units;
	size_t count, allocated;
	struct range_table ranges; /* values: indices of units */
};

/*
 * Either fills *units, which is all zeros. index: from .debug_aranges; nothing where that is
 * missing, damaged or too long for the limits. walk: from each unit's own ranges; ERROR_LIMIT: not
 * to the end. Addresses are those in the module's code. Return 0, ERROR_MEMORY.
 */
int debug_units_index(struct debug_units *units, Dwarf *dwarf, const struct elf_file *module,
		      const struct debug_limits *limits);
int debug_units_walk(struct debug_units *units, Dwarf *dwarf, const struct elf_file *module,
		     const struct debug_limits *limits);
void debug_units_release(struct debug_units *units);

/* NULL: none there. dwarf is the one that it was filled from. */
struct debug_unit *debug_units_find(struct debug_units *units, Dwarf *dwarf, uint64_t address);

#endif
