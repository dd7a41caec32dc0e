/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_DEBUG_IMAGE_H
#define MALLOGRAPH_DEBUG_IMAGE_H

#include "analyzer/symbols/elf_file.h"

/*
 * The compressed debug sections of a file, unpacked: an ELF file in memory that
 * holds them and nothing else. libdw would unpack them with zlib, those that
 * nobody asks for too, which is most of what symbolizing a small program costs.
 *
 * Returns 0 with *image open; elf_file_close() it, file may be closed before. Otherwise
 * file itself is to be read: ERROR_UNSUPPORTED (nothing is compressed, or in a
 * way that is not ours), ERROR_DAMAGED, ERROR_MEMORY.
 */
int debug_image_open(struct elf_file *image, const struct elf_file *file);

#endif
