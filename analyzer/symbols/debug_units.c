/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which unit an address is in. .debug_aranges tells it for a file in one go, where the
 * compiler wrote it; some do not, and a file may be made of the objects of several. So what
 * is not found there is looked for in the units themselves, which costs a look at each.
 */
#include "analyzer/symbols/debug_units.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "formats/error.h"

/* Less than any unit's header has: an offset in the unit. */
#define INTO_UNIT            8
#define UNITS_BETWEEN_CHECKS 64

static int add_unit(struct debug_units *units, Dwarf_Off offset, const Dwarf_Die *die)
{
	if (units->count == units->allocated) {
		size_t allocated = units->allocated ? units->allocated * 2 : 64;
		struct debug_unit *grown = reallocarray(units->units, allocated, sizeof(*grown));
		if (!grown)
			return ERROR_MEMORY;
		units->units = grown;
		units->allocated = allocated;
	}
	struct debug_unit *unit = &units->units[units->count++];
	memset(unit, 0, sizeof(*unit));
	unit->offset = offset;
	if (die)
		unit->die = *die;
	range_table_init(&unit->ranges);
	return 0;
}

static int holds_code(uint8_t type)
{
	return type == DW_UT_compile || type == DW_UT_skeleton;
}

/* ---- .debug_aranges ---- */

struct cursor {
	const unsigned char *at, *end;
	int damaged;
};

static uint64_t take(struct cursor *cursor, size_t bytes)
{
	uint64_t value = 0;

	if ((size_t)(cursor->end - cursor->at) < bytes) {
		cursor->damaged = 1;
		cursor->at = cursor->end;
		return 0;
	}
	memcpy(&value, cursor->at, bytes);
	cursor->at += bytes;
	return value;
}

/* DWARF 5, 6.1.2; so since version 2. */
static int add_set(struct debug_units *units, const struct elf_file *module, struct cursor *section)
{
	uint64_t length = take(section, 4);
	size_t offset_bytes = length == UINT32_MAX ? 8 : 4;
	struct cursor set;
	uint64_t version, offset, address_bytes, segment_bytes;
	int status;

	if (offset_bytes == 8)
		length = take(section, 8);
	if (section->damaged || length > (size_t)(section->end - section->at))
		return ERROR_DAMAGED;
	set = (struct cursor){.at = section->at, .end = section->at + length};
	section->at = set.end;
	version = take(&set, 2);
	offset = take(&set, offset_bytes);
	address_bytes = take(&set, 1);
	segment_bytes = take(&set, 1);
	if (set.damaged || version != 2 || address_bytes != 8 || segment_bytes != 0)
		return ERROR_DAMAGED;
	status = add_unit(units, offset, NULL);
	/* up to a multiple of a pair's 16 bytes, from the set's start */
	take(&set, offset_bytes);
	while (status == 0 && set.at < set.end) {
		uint64_t address = take(&set, 8), size = take(&set, 8);

		if (set.damaged)
			return ERROR_DAMAGED;
		if (elf_file_is_code(module, address) && size <= UINT64_MAX - address)
			status = range_table_add(&units->ranges, address, address + size, 0,
						 (uint32_t)(units->count - 1));
	}
	return status;
}

static Elf_Data *find_aranges(Elf *elf)
{
	size_t names;

	if (gelf_getclass(elf) != ELFCLASS64 || elf_getident(elf, NULL)[EI_DATA] != ELFDATA2LSB ||
	    elf_getshdrstrndx(elf, &names) != 0)
		return NULL;
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;) {
		GElf_Shdr header;
		const char *name;

		if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS ||
		    (header.sh_flags & SHF_COMPRESSED))
			continue;
		name = elf_strptr(elf, names, header.sh_name);
		if (name && strcmp(name, ".debug_aranges") == 0)
			return elf_rawdata(section, NULL);
	}
	return NULL;
}

int debug_units_index(struct debug_units *units, Dwarf *dwarf, const struct elf_file *module,
		      const struct debug_limits *limits)
{
	Elf_Data *data = find_aranges(dwarf_getelf(dwarf));
	struct cursor section = {0};
	int status = 0;

	if (!data || !data->d_buf)
		return 0;
	section.at = data->d_buf;
	section.end = section.at + data->d_size;
	for (unsigned sets = 1; status == 0 && section.at < section.end; sets++) {
		status = add_set(units, module, &section);
		if (status == 0 && sets % UNITS_BETWEEN_CHECKS == 0 && debug_limits_reached(limits))
			status = ERROR_LIMIT;
	}
	if (status == 0)
		return range_table_finish(&units->ranges);
	debug_units_release(units);
	return status == ERROR_MEMORY ? status : 0;
}

/* ---- unit by unit ---- */

/* Returns how many ranges were added, or an error. */
static int add_ranges(struct debug_units *units, const struct elf_file *module, Dwarf_Die *die,
		      uint32_t unit)
{
	Dwarf_Addr base, start, end;
	int added = 0;
	for (ptrdiff_t at = 0; (at = dwarf_ranges(die, at, &base, &start, &end)) > 0;) {
		if (!elf_file_is_code(module, start))
			continue;
		if (range_table_add(&units->ranges, start, end, 0, unit) < 0)
			return ERROR_MEMORY;
		added = 1;
	}
	return added;
}

/* For a unit that doesn't say where its code is: its functions do. */
static int add_ranges_of_children(struct debug_units *units, const struct elf_file *module,
				  Dwarf_Die *unit_die, uint32_t unit)
{
	Dwarf_Die die, next;
	if (dwarf_child(unit_die, &die) != 0)
		return 0;
	for (;;) {
		if (dwarf_tag(&die) == DW_TAG_subprogram &&
		    add_ranges(units, module, &die, unit) < 0)
			return ERROR_MEMORY;
		if (dwarf_siblingof(&die, &next) != 0 || next.addr <= die.addr)
			return 0;
		die = next;
	}
}

int debug_units_walk(struct debug_units *units, Dwarf *dwarf, const struct elf_file *module,
		     const struct debug_limits *limits)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Half version;
	uint8_t type;
	Dwarf_Die die;
	unsigned steps = 0;
	int limited = 0;

	while (dwarf_get_units(dwarf, cu, &cu, &version, &type, &die, NULL) == 0) {
		if (++steps % UNITS_BETWEEN_CHECKS == 0 && debug_limits_reached(limits)) {
			limited = ERROR_LIMIT;
			break;
		}
		if (!holds_code(type))
			continue;
		uint32_t index = (uint32_t)units->count;
		int added = add_ranges(units, module, &die, index);
		if (added == 0)
			added = add_ranges_of_children(units, module, &die, index);
		if (added < 0 || add_unit(units, 0, &die) < 0)
			return ERROR_MEMORY;
	}
	int status = range_table_finish(&units->ranges);
	return status < 0 ? status : limited;
}

/* The offset comes from the file: it may lead anywhere, also to a unit that has its code
 * elsewhere. The unit is asked once. */
static int find_die(struct debug_unit *unit, Dwarf *dwarf, uint64_t address)
{
	Dwarf_Die inside, die;
	uint8_t type;

	if (unit->die.addr)
		return 0;
	if (unit->offset > UINT64_MAX - INTO_UNIT ||
	    !dwarf_offdie(dwarf, unit->offset + INTO_UNIT, &inside) ||
	    dwarf_cu_info(inside.cu, NULL, &type, &die, NULL, NULL, NULL, NULL) != 0 ||
	    !holds_code(type) || !die.addr || dwarf_haspc(&die, address) != 1)
		return ERROR_DAMAGED;
	unit->die = die;
	return 0;
}

struct debug_unit *debug_units_find(struct debug_units *units, Dwarf *dwarf, uint64_t address)
{
	uint32_t index = range_table_find(&units->ranges, address);

	if (index == RANGE_NONE || find_die(&units->units[index], dwarf, address) < 0)
		return NULL;
	return &units->units[index];
}

void debug_units_release(struct debug_units *units)
{
	for (size_t i = 0; i < units->count; i++)
		debug_unit_release(&units->units[i]);
	free(units->units);
	range_table_release(&units->ranges);
	memset(units, 0, sizeof(*units));
}
