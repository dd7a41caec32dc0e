/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_DEBUG_IMAGE_H
#define MALLOGRAPH_DEBUG_IMAGE_H

#include "analyzer/symbols/elf_file.h"

struct debug_image;

/*
 * The compressed debug sections of a file, unpacked: an ELF file in memory that
 * holds them and nothing else. libdw would unpack them with zlib, those that
 * nobody asks for too, which is most of what symbolizing a small program costs.
 *
 * start: unpacking goes on in a thread where that pays, while the caller has other things to
 * do; file stays open until it is finished or abandoned. Returns 0 with *image, or with NULL in
 * it what says that file itself is to be read: ERROR_UNSUPPORTED (nothing is compressed, or in a
 * way that is not ours), ERROR_DAMAGED, ERROR_MEMORY.
 * finish: takes its share of the rest. Returns 0 with *unpacked open, which elf_file_close()
 * closes; otherwise as start. image is gone in every case.
 */
int debug_image_start(struct debug_image **image, const struct elf_file *file);
int debug_image_finish(struct debug_image *image, struct elf_file *unpacked);
/* Without a result; NULL is ignored. */
void debug_image_abandon(struct debug_image *image);

#endif
