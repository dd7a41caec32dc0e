/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A unit is walked once. Each function and each inlined function that has
 * code becomes a scope; its address ranges go into one table, ranked by depth,
 * so that an address finds the innermost scope by binary search. The inlined
 * chain is then followed through the parents, which is what DWARF says, not
 * what the nesting of addresses suggests.
 */
#include "analyzer/symbols/debug_info.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "formats/error.h"

#define DEPTH_MAX            256
#define STEPS_BETWEEN_CHECKS 4096

struct walk {
	struct debug_unit *unit;
	const struct elf_file *module;
	const struct debug_limits *limits;
	unsigned steps;
};

static int check_limits(struct walk *walk)
{
	if (++walk->steps % STEPS_BETWEEN_CHECKS)
		return 0;
	return debug_limits_reached(walk->limits) ? ERROR_LIMIT : 0;
}

static int add_scope(struct debug_unit *unit, const struct debug_scope *scope)
{
	if (unit->scope_count == unit->scope_allocated) {
		size_t allocated = unit->scope_allocated ? unit->scope_allocated * 2 : 64;
		struct debug_scope *grown =
		    reallocarray(unit->scopes, allocated, sizeof(*unit->scopes));
		if (!grown)
			return ERROR_MEMORY;
		unit->scopes = grown;
		unit->scope_allocated = allocated;
	}
	unit->scopes[unit->scope_count++] = *scope;
	return 0;
}

/*
 * Makes a scope of the DIE if it has code, and tells its index in *scope
 * (RANGE_NONE otherwise). Code that the linker threw away has ranges too, at
 * addresses where nothing is.
 */
static int enter_function(struct walk *walk, Dwarf_Die *die, unsigned depth, uint32_t *scope)
{
	struct debug_unit *unit = walk->unit;
	uint32_t index = (uint32_t)unit->scope_count;
	uint32_t outer = *scope;
	int status = 0, has_code = 0;
	Dwarf_Addr base, start, end;

	for (ptrdiff_t at = 0; (at = dwarf_ranges(die, at, &base, &start, &end)) > 0;) {
		status = check_limits(walk);
		if (status < 0)
			return status;
		if (!elf_file_is_code(walk->module, start))
			continue;
		has_code = 1;
		status = range_table_add(&unit->ranges, start, end, depth, index);
		if (status < 0)
			return status;
	}
	*scope = RANGE_NONE;
	if (!has_code)
		return 0;
	struct debug_scope entry = {.address = die->addr, .parent = RANGE_NONE};
	if (dwarf_tag(die) == DW_TAG_inlined_subroutine) {
		entry.inlined = 1;
		entry.parent = outer;
	}
	*scope = index;
	return add_scope(unit, &entry);
}

static int walk_children(struct walk *walk, Dwarf_Die *parent, unsigned depth, uint32_t scope)
{
	Dwarf_Die die;
	if (depth > DEPTH_MAX || dwarf_child(parent, &die) != 0)
		return 0;
	for (;;) {
		uint32_t inner = RANGE_NONE;
		int status = check_limits(walk), descend = 1;
		switch (dwarf_tag(&die)) {
		case DW_TAG_subprogram:
		case DW_TAG_inlined_subroutine:
			inner = scope;
			if (status == 0)
				status = enter_function(walk, &die, depth, &inner);
			break;
		case DW_TAG_lexical_block:
		case DW_TAG_try_block:
		case DW_TAG_catch_block:
		case DW_TAG_with_stmt:
			inner = scope;
			break;
		case DW_TAG_namespace:
		case DW_TAG_module:
		case DW_TAG_class_type:
		case DW_TAG_structure_type:
		case DW_TAG_union_type:
		case DW_TAG_enumeration_type:
		case DW_TAG_interface_type:
			break;
		default:
			descend = 0;
		}
		if (status == 0 && descend && dwarf_haschildren(&die) == 1)
			status = walk_children(walk, &die, depth + 1, inner);
		if (status < 0)
			return status;
		Dwarf_Die next;
		if (dwarf_siblingof(&die, &next) != 0 || next.addr <= die.addr)
			return 0;
		die = next;
	}
}

int debug_unit_build(struct debug_unit *unit, const struct elf_file *module,
		     const struct debug_limits *limits)
{
	struct walk walk = {.unit = unit, .module = module, .limits = limits};
	Dwarf_Die split;
	uint8_t type;

	unit->built = 1;
	unit->code_die = unit->die;
	memset(&split, 0, sizeof(split));
	if (dwarf_cu_info(unit->die.cu, NULL, &type, NULL, &split, NULL, NULL, NULL) == 0 &&
	    type == DW_UT_skeleton && split.addr)
		unit->code_die = split;
	if (dwarf_getsrclines(&unit->die, &unit->lines, &unit->line_count) != 0)
		unit->line_count = 0;
	int status = walk_children(&walk, &unit->code_die, 1, RANGE_NONE);
	int finished = range_table_finish(&unit->ranges);
	return status < 0 ? status : finished;
}

void debug_unit_release(struct debug_unit *unit)
{
	free(unit->scopes);
	range_table_release(&unit->ranges);
}

static Dwarf_Addr line_address(const struct debug_unit *unit, size_t index)
{
	Dwarf_Addr address = 0;
	dwarf_lineaddr(dwarf_onesrcline(unit->lines, index), &address);
	return address;
}

static void find_line(struct debug_unit *unit, uint64_t address, struct names *names,
		      struct symbol_frame *frame)
{
	size_t low = 0, high = unit->line_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (line_address(unit, middle) <= address)
			low = middle + 1;
		else
			high = middle;
	}
	Dwarf_Line *line = low > 0 ? dwarf_onesrcline(unit->lines, low - 1) : NULL;
	bool ends = true;
	if (!line || dwarf_lineendsequence(line, &ends) != 0 || ends)
		return;
	int number = 0;
	const char *file = dwarf_linesrc(line, NULL, NULL);
	Dwarf_Attribute folder;
	if (file)
		frame->file = names_path(
		    names, dwarf_formstring(dwarf_attr(&unit->die, DW_AT_comp_dir, &folder)), file);
	if (dwarf_lineno(line, &number) == 0 && number > 0)
		frame->line = (uint32_t)number;
}

static void find_call(struct debug_unit *unit, Dwarf_Die *die, struct names *names,
		      struct symbol_frame *frame)
{
	Dwarf_Attribute attribute;
	Dwarf_Word number;
	Dwarf_Files *files;
	size_t count;

	if (dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attribute), &number) == 0 &&
	    number <= INT32_MAX)
		frame->line = (uint32_t)number;
	if (dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attribute), &number) != 0 ||
	    dwarf_getsrcfiles(&unit->code_die, &files, &count) != 0 || number >= count)
		return;
	const char *file = dwarf_filesrc(files, number, NULL, NULL);
	if (file)
		frame->file = names_path(
		    names, dwarf_formstring(dwarf_attr(&unit->die, DW_AT_comp_dir, &attribute)),
		    file);
}

size_t debug_unit_find(struct debug_unit *unit, uint64_t address, struct names *names,
		       struct symbol_frame *frames, size_t max, int *mangled)
{
	uint32_t index = range_table_find(&unit->ranges, address);
	size_t count = 0;

	*mangled = 0;
	if (max == 0)
		return 0;
	memset(&frames[0], 0, sizeof(frames[0]));
	find_line(unit, address, names, &frames[0]);
	while (index != RANGE_NONE) {
		struct debug_scope *scope = &unit->scopes[index];
		Dwarf_Die die = {.addr = scope->address, .cu = unit->code_die.cu};
		if (!scope->named) {
			scope->function = debug_function_name(&die, names, &scope->mangled);
			scope->named = 1;
		}
		frames[count++].function = scope->function;
		*mangled = scope->mangled;
		if (!scope->inlined || count == max)
			return count;
		memset(&frames[count], 0, sizeof(frames[count]));
		find_call(unit, &die, names, &frames[count]);
		index = scope->parent;
	}
	/* the line table knows a place whose function nobody described */
	*mangled = 0;
	return count > 0 || frames[0].file ? count + 1 : 0;
}
