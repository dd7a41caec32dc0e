/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/symbols/elf_file.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "formats/error.h"

#define DEBUG_FOLDER "/usr/lib/debug"
#define BUILD_ID_MAX 64

/* "/usr/lib/debug/.build-id/ab/cdef.debug" under sysroot; NULL when out of memory. */
static char *build_id_path(const unsigned char *id, size_t bytes, const char *sysroot)
{
	char hex[2 * BUILD_ID_MAX + 1];
	for (size_t i = 0; i < bytes; i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
	char *path;
	if (asprintf(&path, "%s" DEBUG_FOLDER "/.build-id/%.2s/%s.debug", sysroot ? sysroot : "",
		     hex, hex + 2) < 0)
		return NULL;
	return path;
}

int debug_file_open_by_build_id(struct elf_file *debug, const void *build_id, size_t bytes,
				const char *sysroot)
{
	memset(debug, 0, sizeof(*debug));
	debug->fd = -1;
	if (bytes < 2 || bytes > BUILD_ID_MAX) {
		errno = ENOENT;
		return ERROR_SYSTEM;
	}
	char *path = build_id_path(build_id, bytes, sysroot);
	if (!path)
		return ERROR_MEMORY;
	int status = elf_file_open(debug, path, -1);
	free(path);
	if (status == 0 && !elf_file_has_build_id(debug, build_id, bytes)) {
		elf_file_close(debug);
		status = ERROR_FOREIGN;
	}
	return status;
}

static int has_crc(const struct elf_file *file, uint32_t expected)
{
	unsigned char buffer[32768];
	uLong crc = crc32(0, NULL, 0);
	off_t offset = 0;
	ssize_t got;
	while ((got = pread(file->fd, buffer, sizeof(buffer), offset)) > 0) {
		crc = crc32(crc, buffer, (uInt)got);
		offset += got;
	}
	return got == 0 && crc == expected;
}

/* The module's build-id decides where both have one: it costs nothing. */
static int belongs_to(const struct elf_file *debug, const struct elf_file *module, uint32_t crc)
{
	if (module->build_id_bytes > 0 && debug->build_id_bytes > 0)
		return elf_file_has_build_id(debug, module->build_id, module->build_id_bytes);
	return has_crc(debug, crc);
}

static int try_link(struct elf_file *debug, const struct elf_file *module, uint32_t crc,
		    const char *const parts[4])
{
	char *path;
	if (asprintf(&path, "%s%s%s/%s", parts[0], parts[1], parts[2], parts[3]) < 0)
		return ERROR_MEMORY;
	int status = elf_file_open(debug, path, -1);
	free(path);
	if (status == 0 && !belongs_to(debug, module, crc)) {
		elf_file_close(debug);
		status = ERROR_FOREIGN;
	}
	return status;
}

/* folder: where the module lies, seen from inside the sysroot. */
static int open_beside(struct elf_file *debug, const struct elf_file *module, const char *root,
		       const char *folder)
{
	GElf_Word crc = 0;
	const char *name = dwelf_elf_gnu_debuglink(module->elf, &crc);
	/* the name comes from the file: it must not lead elsewhere */
	if (!name || !*name || strchr(name, '/'))
		return ERROR_SYSTEM;
	const char *const places[][4] = {
	    {root, folder, "", name},
	    {root, folder, "/.debug", name},
	    {root, DEBUG_FOLDER, folder, name},
	};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (try_link(debug, module, crc, places[i]) == 0)
			return 0;
	return ERROR_SYSTEM;
}

int debug_file_open(struct elf_file *debug, const struct elf_file *module, const char *sysroot)
{
	if (debug_file_open_by_build_id(debug, module->build_id, module->build_id_bytes, sysroot) ==
	    0)
		return 0;

	const char *root = sysroot ? sysroot : "";
	size_t root_bytes = strlen(root);
	const char *inside = module->path;
	if (root_bytes > 0 && strncmp(inside, root, root_bytes) == 0)
		inside += root_bytes;
	int status = ERROR_MEMORY;
	char *folder = strdup(inside);
	if (folder)
		status = open_beside(debug, module, root, dirname(folder));
	free(folder);
	if (status == 0 || sysroot)
		return status;

	/* /lib64 may be a link to /usr/lib64, and the debug file lie under either */
	char *real = realpath(module->path, NULL);
	if (real && strcmp(real, module->path) != 0)
		status = open_beside(debug, module, "", dirname(real));
	free(real);
	return status;
}
