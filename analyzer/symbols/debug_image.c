/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/symbols/debug_image.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#if HAVE_ZSTD
#include <zstd.h>
#endif

#include "formats/error.h"

#define SECTIONS_MAX 12
/* elf.h knows it since glibc 2.36 */
#define COMPRESS_ZSTD 2
/* What a byte of deflate can stand for; zstd has no such limit, its frame says. */
#define DEFLATE_RATIO 1032
#define ZSTD_RATIO    65536

struct section {
	const char *name;
	const unsigned char *bytes; /* in the file */
	size_t packed;
	uint32_t compression; /* 0: none */
	size_t offset, size;  /* in the image */
	size_t name_offset;
};

struct plan {
	struct section sections[SECTIONS_MAX];
	size_t count, names_offset, names_size, headers_offset, size;
	int compressed;
};

/* What is read of a file's DWARF: units, scopes, lines, names. Locations are not. */
static int is_wanted(const char *name)
{
	static const char *const wanted[] = {
	    ".debug_info",   ".debug_types",    ".debug_abbrev",
	    ".debug_line",   ".debug_str",      ".debug_line_str",
	    ".debug_ranges", ".debug_rnglists", ".gnu_debugaltlink",
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		if (!strcmp(name, wanted[i]))
			return 1;
	return 0;
}

static int add_section(struct plan *plan, Elf_Scn *scn, const GElf_Shdr *header, const char *name)
{
	struct section *section = &plan->sections[plan->count];
	Elf_Data *data = elf_rawdata(scn, NULL);
	GElf_Chdr packed;

	if (plan->count == SECTIONS_MAX)
		return ERROR_UNSUPPORTED;
	if (!data || !data->d_buf)
		return ERROR_DAMAGED;
	*section = (struct section){
	    .name = name, .bytes = data->d_buf, .packed = data->d_size, .size = data->d_size};
	if (header->sh_flags & SHF_COMPRESSED) {
		size_t most;

		if (!gelf_getchdr(scn, &packed) || section->packed < sizeof(Elf64_Chdr))
			return ERROR_DAMAGED;
		section->bytes += sizeof(Elf64_Chdr);
		section->packed -= sizeof(Elf64_Chdr);
		section->compression = packed.ch_type;
		if (packed.ch_type == ELFCOMPRESS_ZLIB)
			most = section->packed * DEFLATE_RATIO;
		else if (HAVE_ZSTD && packed.ch_type == COMPRESS_ZSTD)
			most = section->packed * ZSTD_RATIO;
		else
			return ERROR_UNSUPPORTED;
		if (packed.ch_size > most)
			return ERROR_DAMAGED;
		section->size = packed.ch_size;
		plan->compressed = 1;
	}
	plan->count++;
	return 0;
}

/* Split DWARF is found by the place of its file, which memory has not; sections compressed in
 * the old way are for libdw. */
static int is_refused(const char *name)
{
	return !strcmp(name, ".debug_addr") || !strncmp(name, ".zdebug_", 8);
}

static int find_sections(struct plan *plan, Elf *elf)
{
	size_t names;

	if (gelf_getclass(elf) != ELFCLASS64 || elf_getident(elf, NULL)[EI_DATA] != ELFDATA2LSB)
		return ERROR_UNSUPPORTED;
	if (elf_getshdrstrndx(elf, &names) != 0)
		return ERROR_DAMAGED;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn)) != NULL;) {
		GElf_Shdr header;
		const char *name;
		int error;

		if (!gelf_getshdr(scn, &header) || header.sh_type == SHT_NOBITS)
			continue;
		name = elf_strptr(elf, names, header.sh_name);
		if (name && is_refused(name))
			return ERROR_UNSUPPORTED;
		if (!name || !is_wanted(name))
			continue;
		error = add_section(plan, scn, &header, name);
		if (error)
			return error;
	}
	return plan->compressed ? 0 : ERROR_UNSUPPORTED;
}

/* header, sections, their names, their headers: of none, of each, of the names */
static int lay_out(struct plan *plan)
{
	size_t at = sizeof(Elf64_Ehdr);

	plan->names_size = 1 + sizeof(".shstrtab");
	for (size_t i = 0; i < plan->count; i++) {
		struct section *section = &plan->sections[i];

		section->offset = at;
		if (section->size > SIZE_MAX / 2 / SECTIONS_MAX)
			return ERROR_DAMAGED;
		at = (at + section->size + 7) & ~(size_t)7;
		section->name_offset = plan->names_size;
		plan->names_size += strlen(section->name) + 1;
	}
	plan->names_offset = at;
	plan->headers_offset = (at + plan->names_size + 7) & ~(size_t)7;
	plan->size = plan->headers_offset + (plan->count + 2) * sizeof(Elf64_Shdr);
	return 0;
}

static int unpack(struct libdeflate_decompressor *inflater, const struct section *section, void *to)
{
	if (!section->compression) {
		memcpy(to, section->bytes, section->size);
		return 0;
	}
#if HAVE_ZSTD
	if (section->compression == COMPRESS_ZSTD)
		return ZSTD_decompress(to, section->size, section->bytes, section->packed) ==
			       section->size
			   ? 0
			   : ERROR_DAMAGED;
#endif
	return libdeflate_zlib_decompress(inflater, section->bytes, section->packed, to,
					  section->size, NULL) == LIBDEFLATE_SUCCESS
		   ? 0
		   : ERROR_DAMAGED;
}

static void write_headers(const struct plan *plan, unsigned char *image, const GElf_Ehdr *like)
{
	Elf64_Ehdr header = {
	    .e_type = like->e_type,
	    .e_machine = like->e_machine,
	    .e_version = EV_CURRENT,
	    .e_shoff = plan->headers_offset,
	    .e_ehsize = sizeof(Elf64_Ehdr),
	    .e_shentsize = sizeof(Elf64_Shdr),
	    .e_shnum = (Elf64_Half)(plan->count + 2),
	    .e_shstrndx = (Elf64_Half)(plan->count + 1),
	};
	Elf64_Shdr headers[SECTIONS_MAX + 2] = {{0}};
	char *names = (char *)image + plan->names_offset;

	memcpy(header.e_ident, like->e_ident, EI_NIDENT);
	memcpy(image, &header, sizeof(header));
	names[0] = '\0';
	memcpy(names + 1, ".shstrtab", sizeof(".shstrtab"));
	for (size_t i = 0; i < plan->count; i++) {
		const struct section *section = &plan->sections[i];

		strcpy(names + section->name_offset, section->name);
		headers[i + 1] = (Elf64_Shdr){
		    .sh_name = (Elf64_Word)section->name_offset,
		    .sh_type = SHT_PROGBITS,
		    .sh_offset = section->offset,
		    .sh_size = section->size,
		    .sh_addralign = 1,
		};
	}
	headers[plan->count + 1] = (Elf64_Shdr){
	    .sh_name = 1,
	    .sh_type = SHT_STRTAB,
	    .sh_offset = plan->names_offset,
	    .sh_size = plan->names_size,
	    .sh_addralign = 1,
	};
	memcpy(image + plan->headers_offset, headers, (plan->count + 2) * sizeof(*headers));
}

static int fill(const struct plan *plan, unsigned char *image, Elf *elf)
{
	struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
	GElf_Ehdr header;
	int error = !inflater ? ERROR_MEMORY : gelf_getehdr(elf, &header) ? 0 : ERROR_DAMAGED;

	for (size_t i = 0; i < plan->count && !error; i++)
		error = unpack(inflater, &plan->sections[i], image + plan->sections[i].offset);
	if (!error)
		write_headers(plan, image, &header);
	libdeflate_free_decompressor(inflater);
	return error;
}

int debug_image_open(struct elf_file *image, const struct elf_file *file)
{
	struct plan plan = {0};
	int error = find_sections(&plan, file->elf);

	memset(image, 0, sizeof(*image));
	image->fd = -1;
	if (!error)
		error = lay_out(&plan);
	if (error)
		return error;
	image->memory = malloc(plan.size);
	image->path = strdup(file->path);
	error = image->memory && image->path ? fill(&plan, image->memory, file->elf) : ERROR_MEMORY;
	if (!error) {
		image->elf = elf_memory(image->memory, plan.size);
		error = image->elf ? 0 : ERROR_DAMAGED;
	}
	if (error)
		elf_file_close(image);
	return error;
}
