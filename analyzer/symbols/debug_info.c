/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/symbols/debug_info.h"

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
#include "analyzer/symbols/debug_units.h"
#include "formats/error.h"

/* What sections may unpack to: so much, and so many times the file's size. */
#define UNPACKED_ANYWAY (UINT64_C(32) << 20)
#define UNPACKED_RATIO  64

struct debug_info {
	const struct elf_file *file, *module;
	struct names *names;
	struct debug_limits limits;
	struct debug_image *unpacking;
	struct elf_file image, alternate_image; /* where the sections are compressed */
	Dwarf *dwarf;
	struct elf_file alternate_file; /* dwz moves what several files share into it */
	Dwarf *alternate;
	struct debug_units indexed; /* what .debug_aranges knows */
	struct debug_units walked;  /* all of them, where that was not enough */
	int is_walked, limited;
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

/* NULL: damaged. unpacking may be NULL, and is gone afterwards. */
static Dwarf *open_dwarf(const struct elf_file *file, struct debug_image *unpacking,
			 struct elf_file *image)
{
	int is_unpacked = unpacking && debug_image_finish(unpacking, image) == 0;

	return dwarf_begin_elf(is_unpacked ? image->elf : file->elf, DWARF_C_READ, NULL);
}

static void open_alternate(struct debug_info *info, const char *sysroot)
{
	const char *name;
	const void *build_id;
	ssize_t bytes = dwelf_dwarf_gnu_debugaltlink(info->dwarf, &name, &build_id);
	if (bytes <= 0)
		return;
	struct elf_file *found = &info->alternate_file;
	struct debug_image *unpacking;
	int status;
	if (debug_file_open_by_build_id(found, build_id, (size_t)bytes, sysroot) < 0) {
		char *copy = strdup(info->file->path), *path = NULL;
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
	if (check_memory(found->elf, info->limits.memory) < 0)
		return;
	debug_image_start(&unpacking, found);
	info->alternate = open_dwarf(found, unpacking, &info->alternate_image);
	if (info->alternate)
		dwarf_setalt(info->dwarf, info->alternate);
}

int debug_info_open(struct debug_info **opened, const struct elf_file *file,
		    const struct elf_file *module, const struct debug_limits *limits,
		    struct names *names)
{
	if (!elf_file_has_section(file, ".debug_info") &&
	    !elf_file_has_section(file, ".zdebug_info"))
		return ERROR_UNSUPPORTED;
	int status = check_memory(file->elf, limits->memory);
	if (status < 0)
		return status;
	struct debug_info *info = calloc(1, sizeof(*info));
	if (!info)
		return ERROR_MEMORY;
	info->file = file;
	info->module = module;
	info->names = names;
	info->limits = *limits;
	info->alternate_file.fd = -1;
	debug_image_start(&info->unpacking, file);
	*opened = info;
	return 0;
}

int debug_info_read(struct debug_info *info, const char *sysroot)
{
	struct debug_image *unpacking = info->unpacking;

	info->unpacking = NULL;
	info->dwarf = open_dwarf(info->file, unpacking, &info->image);
	if (!info->dwarf)
		return ERROR_DAMAGED;
	open_alternate(info, sysroot);
	return debug_units_index(&info->indexed, info->dwarf, info->module, &info->limits);
}

void debug_info_close(struct debug_info *info)
{
	if (!info)
		return;
	debug_image_abandon(info->unpacking);
	debug_units_release(&info->indexed);
	debug_units_release(&info->walked);
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

void debug_info_allow(struct debug_info *info, uint64_t memory)
{
	info->limits.memory = memory;
}

static struct debug_unit *find_unit(struct debug_info *info, uint64_t address)
{
	struct debug_unit *unit = debug_units_find(&info->indexed, info->dwarf, address);

	if (unit)
		return unit;
	if (!info->is_walked) {
		info->is_walked = 1;
		if (debug_units_walk(&info->walked, info->dwarf, info->module, &info->limits) < 0)
			info->limited = 1;
	}
	return debug_units_find(&info->walked, info->dwarf, address);
}

size_t debug_info_find(struct debug_info *info, uint64_t address, struct symbol_frame *frames,
		       size_t max, int *mangled)
{
	struct debug_unit *unit = find_unit(info, address);
	*mangled = 0;
	if (!unit)
		return 0;
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
