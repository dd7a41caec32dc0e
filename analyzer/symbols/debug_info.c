/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/symbols/debug_info.h"

#include <dwarf.h>
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <libgen.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyzer/symbols/debug_image.h"
#include "formats/error.h"

struct debug_info {
	const struct elf_file *module;
	struct names *names;
	struct debug_limits limits;
	struct elf_file image, alternate_image; /* where the sections are compressed */
	Dwarf *dwarf;
	struct elf_file alternate_file; /* dwz moves what several files share into it */
	Dwarf *alternate;
	struct debug_unit *units;
	size_t unit_count, unit_allocated;
	struct range_table ranges; /* values: indices of units */
	int limited;
};

int debug_limits_reached(const struct debug_limits *limits)
{
	if (limits->deadline) {
		struct timespec now;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if ((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec >= limits->deadline)
			return 1;
	}
	if (limits->memory) {
		struct mallinfo2 heap = mallinfo2();
		if (heap.uordblks + heap.hblkhd > limits->memory)
			return 1;
	}
	return 0;
}

/*
 * Uncompressed sections are read in place, from the page cache; each compressed one
 * is copied to memory. To that comes what is built from it.
 */
static uint64_t expected_memory(Elf *elf)
{
	uint64_t bytes = 0;
	size_t names;
	if (elf_getshdrstrndx(elf, &names) != 0)
		return 0;
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;) {
		GElf_Shdr header;
		GElf_Chdr compressed;
		if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS)
			continue;
		const char *name = elf_strptr(elf, names, header.sh_name);
		if (!name)
			continue;
		if (strncmp(name, ".zdebug_", 8) == 0)
			bytes += header.sh_size * 8; /* its own header is not worth trusting */
		else if (strncmp(name, ".debug_", 7) == 0 && gelf_getchdr(section, &compressed))
			bytes += compressed.ch_size;
	}
	return bytes;
}

static Dwarf *open_dwarf(const struct elf_file *file, struct elf_file *image)
{
	Elf *elf = debug_image_open(image, file) == 0 ? image->elf : file->elf;

	return dwarf_begin_elf(elf, DWARF_C_READ, NULL);
}

static void open_alternate(struct debug_info *info, const struct elf_file *file,
			   const char *sysroot)
{
	const char *name;
	const void *build_id;
	ssize_t bytes = dwelf_dwarf_gnu_debugaltlink(info->dwarf, &name, &build_id);
	if (bytes <= 0)
		return;
	struct elf_file *found = &info->alternate_file;
	if (debug_file_open_by_build_id(found, build_id, (size_t)bytes, sysroot) < 0) {
		char *copy = strdup(file->path), *path = NULL;
		int relative = *name != '/';
		int made = copy ? asprintf(&path, "%s%s%s",
					   relative ? dirname(copy) : (sysroot ? sysroot : ""),
					   relative ? "/" : "", name)
				: -1;
		int status = made < 0 ? ERROR_MEMORY : elf_file_open(found, path, -1);
		if (made >= 0)
			free(path);
		free(copy);
		if (status < 0)
			return;
		if (!elf_file_has_build_id(found, build_id, (size_t)bytes)) {
			elf_file_close(found);
			return;
		}
	}
	info->alternate = open_dwarf(found, &info->alternate_image);
	if (info->alternate)
		dwarf_setalt(info->dwarf, info->alternate);
}

/* Returns how many ranges were added, or an error. */
static int add_ranges(struct debug_info *info, Dwarf_Die *die, uint32_t unit)
{
	Dwarf_Addr base, start, end;
	int added = 0;
	for (ptrdiff_t at = 0; (at = dwarf_ranges(die, at, &base, &start, &end)) > 0;) {
		if (!elf_file_is_code(info->module, start))
			continue;
		if (range_table_add(&info->ranges, start, end, 0, unit) < 0)
			return ERROR_MEMORY;
		added = 1;
	}
	return added;
}

/* For a unit that doesn't say where its code is: its functions do. */
static int add_ranges_of_children(struct debug_info *info, Dwarf_Die *unit_die, uint32_t unit)
{
	Dwarf_Die die, next;
	if (dwarf_child(unit_die, &die) != 0)
		return 0;
	for (;;) {
		if (dwarf_tag(&die) == DW_TAG_subprogram && add_ranges(info, &die, unit) < 0)
			return ERROR_MEMORY;
		if (dwarf_siblingof(&die, &next) != 0 || next.addr <= die.addr)
			return 0;
		die = next;
	}
}

static int add_unit(struct debug_info *info, const Dwarf_Die *die)
{
	if (info->unit_count == info->unit_allocated) {
		size_t allocated = info->unit_allocated ? info->unit_allocated * 2 : 64;
		struct debug_unit *grown = reallocarray(info->units, allocated, sizeof(*grown));
		if (!grown)
			return ERROR_MEMORY;
		info->units = grown;
		info->unit_allocated = allocated;
	}
	struct debug_unit *unit = &info->units[info->unit_count++];
	memset(unit, 0, sizeof(*unit));
	unit->die = *die;
	range_table_init(&unit->ranges);
	return 0;
}

static int read_units(struct debug_info *info)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Half version;
	uint8_t type;
	Dwarf_Die die;
	unsigned steps = 0;

	while (dwarf_get_units(info->dwarf, cu, &cu, &version, &type, &die, NULL) == 0) {
		if (++steps % 64 == 0 && debug_limits_reached(&info->limits)) {
			info->limited = 1;
			break;
		}
		if (type != DW_UT_compile && type != DW_UT_skeleton)
			continue;
		uint32_t index = (uint32_t)info->unit_count;
		int added = add_ranges(info, &die, index);
		if (added == 0)
			added = add_ranges_of_children(info, &die, index);
		if (added < 0 || add_unit(info, &die) < 0)
			return ERROR_MEMORY;
	}
	return range_table_finish(&info->ranges);
}

int debug_info_open(struct debug_info **opened, const struct elf_file *file,
		    const struct elf_file *module, const char *sysroot,
		    const struct debug_limits *limits, struct names *names)
{
	if (!elf_file_has_section(file, ".debug_info") &&
	    !elf_file_has_section(file, ".zdebug_info"))
		return ERROR_UNSUPPORTED;
	if (limits->memory && expected_memory(file->elf) > limits->memory)
		return ERROR_LIMIT;
	struct debug_info *info = calloc(1, sizeof(*info));
	if (!info)
		return ERROR_MEMORY;
	info->module = module;
	info->names = names;
	info->limits = *limits;
	info->alternate_file.fd = -1;
	range_table_init(&info->ranges);
	info->dwarf = open_dwarf(file, &info->image);
	int status = info->dwarf ? 0 : ERROR_DAMAGED;
	if (status == 0) {
		open_alternate(info, file, sysroot);
		status = read_units(info);
	}
	if (status < 0) {
		debug_info_close(info);
		return status;
	}
	*opened = info;
	return 0;
}

void debug_info_close(struct debug_info *info)
{
	if (!info)
		return;
	for (size_t i = 0; i < info->unit_count; i++)
		debug_unit_release(&info->units[i]);
	free(info->units);
	range_table_release(&info->ranges);
	dwarf_end(info->dwarf);
	dwarf_end(info->alternate);
	elf_file_close(&info->image);
	elf_file_close(&info->alternate_image);
	elf_file_close(&info->alternate_file);
	free(info);
}

int debug_info_limited(const struct debug_info *info)
{
	return info->limited;
}

size_t debug_info_find(struct debug_info *info, uint64_t address, struct symbol_frame *frames,
		       size_t max, int *mangled)
{
	uint32_t index = range_table_find(&info->ranges, address);
	*mangled = 0;
	if (index == RANGE_NONE)
		return 0;
	struct debug_unit *unit = &info->units[index];
	if (!unit->built) {
		if (debug_limits_reached(&info->limits)) {
			info->limited = 1;
			return 0;
		}
		if (debug_unit_build(unit, info->module, &info->limits) < 0)
			info->limited = 1;
	}
	return debug_unit_find(unit, address, info->names, frames, max, mangled);
}
