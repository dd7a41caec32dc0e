/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_ELF_FILE_H
#define MALLOGRAPH_ELF_FILE_H

/*
 * One opened ELF file: a module, its separate debug file, or the vdso of this
 * process. And the search for separate debug files.
 */

#include <gelf.h>
#include <libelf.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_SPANS_MAX 8

struct elf_file {
	Elf *elf;
	int fd;       /* -1: none, or the caller's */
	void *memory; /* the vdso's copy */
	char *path;
	/* points into the file's notes */
	const void *build_id;
	size_t build_id_bytes;
	/* where code lies, from the program headers */
	struct elf_span {
		uint64_t start, end;
	} code[ELF_SPANS_MAX];
	size_t code_count;
};

/*
 * Opens path, or reads the caller's descriptor fd when it is not -1 (and leaves
 * it open). Only regular files are touched. Returns 0; ERROR_SYSTEM,
 * ERROR_DAMAGED (no ELF executable or library), ERROR_MEMORY. On failure there
 * is nothing to close.
 */
int elf_file_open(struct elf_file *file, const char *path, int fd);
/* The vdso that the kernel gave this process. */
int elf_file_open_vdso(struct elf_file *file);
/* Does nothing on a file that is zeroed or already closed. */
void elf_file_close(struct elf_file *file);

int elf_file_is_open(const struct elf_file *file);
/* True when the build-id is exactly this one. */
int elf_file_has_build_id(const struct elf_file *file, const void *build_id, size_t bytes);
/* True when code lies at the file's own address. */
int elf_file_is_code(const struct elf_file *file, uint64_t address);
/* True when there is a section with that name and content of its own. */
int elf_file_has_section(const struct elf_file *file, const char *name);

/* ---- separate debug files, all under sysroot when it is not NULL ---- */

/* usr/lib/debug/.build-id/xx/yyyy.debug. Returns as elf_file_open(), and
 * ERROR_FOREIGN when the file found has another build-id. */
int debug_file_open_by_build_id(struct elf_file *debug, const void *build_id, size_t bytes,
				const char *sysroot);
/* By build-id, else by .gnu_debuglink beside the module, in .debug beside it, and
 * under usr/lib/debug. Returns 0 or ERROR_SYSTEM (none). */
int debug_file_open(struct elf_file *debug, const struct elf_file *module, const char *sysroot);

#endif
