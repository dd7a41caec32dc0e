/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_LITERAL_H
#define MALLOGRAPH_LITERAL_H

/*
 * What a function returns, when it is nothing but `return "literal";`: read from the file, never
 * run. x86-64 alone.
 */

#include <stdint.h>

#include "analyzer/symbols/elf_file.h"

/* Bytes of the longest text. */
#define LITERAL_MAX 65535

/* function: its address in the file's own numbering. 0 with *text, which the caller frees ("" for a
 * null pointer); ERROR_UNSUPPORTED: the code is something else, or what it returns is no
 * constant text of the file; ERROR_MEMORY. */
int literal_returned(const struct elf_file *file, uint64_t function, char **text);

#endif
