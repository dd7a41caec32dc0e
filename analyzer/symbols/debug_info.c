/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/symbols/debug_info.h"

#include <dwarf.h>
#include <elfutils/libdwelf.h>
#include <endian.h>
#include <fcntl.h>
#include <libgen.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyzer/symbols/debug_image.h"
#include "formats/error.h"

/* What sections may unpack to: so much, and so many times the file's size. */
#define UNPACKED_ANYWAY (UINT64_C(32) << 20)
#define UNPACKED_RATIO  64

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

/* What a compressed section says it unpacks to, or 0: it is not compressed. */
static uint64_t unpacked_bytes(Elf_Scn *section, const GElf_Shdr *header, const char *name)
{
	static const unsigned char magic[] = {'Z', 'L', 'I', 'B'};
	GElf_Chdr compressed;

	if (header->sh_flags & SHF_COMPRESSED)
		return gelf_getchdr(section, &compressed) ? compressed.ch_size : UINT64_MAX;
	if (name && strstr(name, ".zdebug_")) {
		Elf_Data *data = elf_rawdata(section, NULL);
		uint64_t bytes;

		if (!data || data->d_size < sizeof(magic) + sizeof(bytes) ||
		    memcmp(data->d_buf, magic, sizeof(magic)) != 0)
			return 0;
		memcpy(&bytes, (const char *)data->d_buf + sizeof(magic), sizeof(bytes));
		return be64toh(bytes);
	}
	return 0;
}

/*
 * Uncompressed sections are read in place, from the page cache; each compressed one
 * is copied to memory. To that comes what is built from it. What unpacks to far more than
 * debug information does (to a tenth, at best) is made to fill memory.
 */
static int check_memory(Elf *elf, uint64_t limit)
{
	uint64_t unpacked = 0;
	size_t names, file_bytes;

	if (elf_getshdrstrndx(elf, &names) != 0 || !elf_rawfile(elf, &file_bytes))
		return 0;
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;) {
		GElf_Shdr header;
		uint64_t bytes;

		if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS)
			continue;
		bytes = unpacked_bytes(section, &header, elf_strptr(elf, names, header.sh_name));
		if (__builtin_add_overflow(unpacked, bytes, &unpacked))
			return ERROR_LIMIT;
	}
	if (limit && unpacked > limit)
		return ERROR_LIMIT;
	return unpacked > UNPACKED_ANYWAY &&
		       (unpacked - UNPACKED_ANYWAY) / UNPACKED_RATIO > file_bytes
		   ? ERROR_LIMIT
		   : 0;
}

/* NULL with an error in *status. */
static Dwarf *open_dwarf(const struct elf_file *file, struct elf_file *image, uint64_t limit,
			 int *status)
{
	Dwarf *dwarf;

	*status = check_memory(file->elf, limit);
	if (*status < 0)
		return NULL;
	dwarf = dwarf_begin_elf(debug_image_open(image, file) == 0 ? image->elf : file->elf,
				DWARF_C_READ, NULL);
	*status = dwarf ? 0 : ERROR_DAMAGED;
	return dwarf;
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
	int status;
	if (debug_file_open_by_build_id(found, build_id, (size_t)bytes, sysroot) < 0) {
		char *copy = strdup(file->path), *path = NULL;
		int relative = *name != '/';
		int made = copy ? asprintf(&path, "%s%s%s",
					   relative ? dirname(copy) : (sysroot ? sysroot : ""),
					   relative ? "/" : "", name)
				: -1;
		status = made < 0 ? ERROR_MEMORY : elf_file_open(found, path, -1);
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
	info->alternate = open_dwarf(found, &info->alternate_image, info->limits.memory, &status);
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
	struct debug_info *info = calloc(1, sizeof(*info));
	if (!info)
		return ERROR_MEMORY;
	info->module = module;
	info->names = names;
	info->limits = *limits;
	info->alternate_file.fd = -1;
	range_table_init(&info->ranges);
	int status;
	info->dwarf = open_dwarf(file, &info->image, limits->memory, &status);
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
