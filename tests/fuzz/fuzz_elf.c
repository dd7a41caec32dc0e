/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program's file: symbols, debug information, compressed sections, the code of a function that
 * returns a literal. In practice a process of its own does this (cli/cmd_symbolize.c). */
#include <stdlib.h>

#include "analyzer/symbols/symbolize.h"
#include "tests/fuzz/fuzz.h"

enum { FRAMES_MOST = 64, ADDRESSES = 256, MEGABYTE = 1000000 };

void fuzz_elf(const uint8_t *bytes, size_t size)
{
	const struct symbol_options options = {.debug_info = 1, .memory = 200 * MEGABYTE};
	struct symbol_frame frames[FRAMES_MOST];
	struct symbol_module *module;
	char *text = NULL;

	if (symbol_module_open(&module, fuzz_file(0, bytes, size), -1, NULL, 0, &options))
		return;
	symbol_module_suppressions(module, &text);
	free(text);
	for (uint64_t address = 0x1000; address < 0x1000 + ADDRESSES; address++)
		symbol_module_find(module, address, frames, FRAMES_MOST);
	symbol_module_find(module, UINT64_MAX, frames, FRAMES_MOST);
	symbol_module_close(module);
}
