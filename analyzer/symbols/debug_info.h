/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_DEBUG_INFO_H
#define MALLOGRAPH_DEBUG_INFO_H

/*
 * The DWARF of one file. Opening it starts to unpack what is compressed, and goes on behind
 * the caller's back; reading it takes what the file tells of its units' addresses. A unit's
 * scopes and lines are read when the first address falls in it.
 */

#include <elfutils/libdw.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/symbols/elf_file.h"
#include "analyzer/symbols/names.h"
#include "analyzer/symbols/range_table.h"
#include "analyzer/symbols/symbolize.h"

/* What may be spent. Shared by everything that is opened for one purpose. */
struct debug_limits {
	uint64_t deadline; /* nanoseconds of CLOCK_MONOTONIC, 0: none */
	uint64_t memory;   /* bytes of the process' heap, 0: any */
};
int debug_limits_reached(const struct debug_limits *limits);

/* ---- a file ---- */

struct debug_info;

/*
 * file holds the DWARF, module the code; both stay open as long as *info. Names
 * come from, and live in, names. Returns 0; ERROR_UNSUPPORTED: file has no DWARF;
 * ERROR_LIMIT: it is too large to be read within limits; ERROR_MEMORY,
 * ERROR_DAMAGED.
 */
int debug_info_open(struct debug_info **info, const struct elf_file *file,
		    const struct elf_file *module, const struct debug_limits *limits,
		    struct names *names);
/* To be called once, before anything is asked. Returns 0, ERROR_MEMORY, ERROR_DAMAGED. */
int debug_info_read(struct debug_info *info, const char *sysroot);
void debug_info_close(struct debug_info *info);

/* As symbol_module_find(). *mangled tells whether the last frame's function is
 * named in full; a name from a symbol table may be better when it isn't. */
size_t debug_info_find(struct debug_info *info, uint64_t address, struct symbol_frame *frames,
		       size_t max, int *mangled);
/* Another limit for what is still to be read. */
void debug_info_allow(struct debug_info *info, uint64_t memory);
/* True when a unit had to be left out because a limit was reached. */
int debug_info_limited(const struct debug_info *info);

/* ---- one unit ---- */

/* A function, or a function inlined into another. Its DIE is (address, unit's cu). */
struct debug_scope {
	void *address;
	uint32_t parent; /* inlined: into which scope; RANGE_NONE: unknown */
	int inlined;
	const char *function; /* made when asked for */
	int named, mangled;
};

struct debug_unit {
	Dwarf_Off offset;   /* in .debug_info; of use while there is no die */
	Dwarf_Die die;      /* of the skeleton where the unit is split */
	Dwarf_Die code_die; /* where the scopes are */
	int built;
	struct debug_scope *scopes;
	size_t scope_count, scope_allocated;
	struct range_table ranges; /* values: indices of scopes */
	Dwarf_Lines *lines;
	size_t line_count;
};

/* Returns 0, ERROR_MEMORY, ERROR_LIMIT; the unit can be asked in every case. */
int debug_unit_build(struct debug_unit *unit, const struct elf_file *module,
		     const struct debug_limits *limits);
void debug_unit_release(struct debug_unit *unit);
size_t debug_unit_find(struct debug_unit *unit, uint64_t address, struct names *names,
		       struct symbol_frame *frames, size_t max, int *mangled);

/* ---- a name ---- */

/* The name of a subprogram or inlined subroutine, or NULL. */
const char *debug_function_name(Dwarf_Die *die, struct names *names, int *mangled);

#endif
