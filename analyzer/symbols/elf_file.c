/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/symbols/elf_file.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/error.h"

#define VDSO_MAX (1u << 20)

/* A path may name anything: a fifo would block, a device may do worse. */
static int open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -1;
	struct stat status;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		return fd;
	close(fd);
	errno = ENOENT;
	return -1;
}

static void read_code_spans(struct elf_file *file)
{
	size_t count = 0;
	if (elf_getphdrnum(file->elf, &count) != 0)
		return;
	for (size_t i = 0; i < count && file->code_count < ELF_SPANS_MAX; i++) {
		GElf_Phdr header;
		if (!gelf_getphdr(file->elf, (int)i, &header))
			return;
		if (header.p_type != PT_LOAD || !(header.p_flags & PF_X))
			continue;
		file->code[file->code_count++] =
		    (struct elf_span){header.p_vaddr, header.p_vaddr + header.p_memsz};
	}
}

/* Takes over what is in file; closes it on failure. */
static int examine(struct elf_file *file)
{
	GElf_Ehdr header;
	if (!file->elf || elf_kind(file->elf) != ELF_K_ELF || !gelf_getehdr(file->elf, &header) ||
	    (header.e_type != ET_EXEC && header.e_type != ET_DYN)) {
		elf_file_close(file);
		return ERROR_DAMAGED;
	}
	ssize_t bytes = dwelf_elf_gnu_build_id(file->elf, &file->build_id);
	file->build_id_bytes = bytes > 0 ? (size_t)bytes : 0;
	read_code_spans(file);
	return 0;
}

int elf_file_open(struct elf_file *file, const char *path, int fd)
{
	memset(file, 0, sizeof(*file));
	file->fd = -1;
	if (elf_version(EV_CURRENT) == EV_NONE)
		return ERROR_MEMORY;
	if (fd < 0) {
		fd = file->fd = open_regular(path);
		if (fd < 0)
			return ERROR_SYSTEM;
	}
	file->path = strdup(path);
	if (!file->path) {
		elf_file_close(file);
		return ERROR_MEMORY;
	}
	file->elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	return examine(file);
}

int elf_file_open_vdso(struct elf_file *file)
{
	memset(file, 0, sizeof(*file));
	file->fd = -1;
	const unsigned char *image = (const void *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);
	if (!image || elf_version(EV_CURRENT) == EV_NONE) {
		errno = ENOENT;
		return ERROR_SYSTEM;
	}
	/* the section headers are what comes last in it */
	const ElfW(Ehdr) *header = (const void *)image;
	size_t size = header->e_shoff + (size_t)header->e_shnum * header->e_shentsize;
	if (size < sizeof(*header) || size > VDSO_MAX)
		return ERROR_DAMAGED;
	file->memory = malloc(size);
	file->path = strdup("linux-vdso.so.1");
	if (!file->memory || !file->path) {
		elf_file_close(file);
		return ERROR_MEMORY;
	}
	memcpy(file->memory, image, size);
	file->elf = elf_memory(file->memory, size);
	return examine(file);
}

void elf_file_close(struct elf_file *file)
{
	if (!file->path && !file->elf && !file->memory && file->fd <= 0)
		return;
	if (file->elf)
		elf_end(file->elf);
	if (file->fd >= 0)
		close(file->fd);
	free(file->memory);
	free(file->path);
	memset(file, 0, sizeof(*file));
	file->fd = -1;
}

int elf_file_is_open(const struct elf_file *file)
{
	return file->elf != NULL;
}

int elf_file_has_build_id(const struct elf_file *file, const void *build_id, size_t bytes)
{
	return bytes > 0 && file->build_id_bytes == bytes &&
	       memcmp(file->build_id, build_id, bytes) == 0;
}

int elf_file_is_code(const struct elf_file *file, uint64_t address)
{
	for (size_t i = 0; i < file->code_count; i++)
		if (address >= file->code[i].start && address < file->code[i].end)
			return 1;
	return 0;
}

int elf_file_has_section(const struct elf_file *file, const char *name)
{
	size_t names;
	if (elf_getshdrstrndx(file->elf, &names) != 0)
		return 0;
	for (Elf_Scn *section = NULL; (section = elf_nextscn(file->elf, section)) != NULL;) {
		GElf_Shdr header;
		if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS)
			continue;
		const char *found = elf_strptr(file->elf, names, header.sh_name);
		if (found && strcmp(found, name) == 0)
			return 1;
	}
	return 0;
}
