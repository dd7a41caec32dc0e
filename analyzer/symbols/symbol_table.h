/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_SYMBOL_TABLE_H
#define MALLOGRAPH_SYMBOL_TABLE_H

/* The functions of ELF symbol tables, sorted once. */

#include <stdint.h>

#include "analyzer/symbols/elf_file.h"
#include "analyzer/symbols/range_table.h"

struct symbol_entry;

struct symbol_table {
	struct symbol_entry *entries;
	size_t count, allocated;
	struct range_table ranges;
	uint64_t default_suppressions; /* where __lsan_default_suppressions is; 0: nowhere */
};

void symbol_table_init(struct symbol_table *table);
void symbol_table_release(struct symbol_table *table);

/* Adds the symbols of file's .symtab and .dynsym. The file must stay open as
 * long as the table is used. Returns 0 or ERROR_MEMORY. */
int symbol_table_add(struct symbol_table *table, const struct elf_file *file);
/* After the last add. Returns 0 or ERROR_MEMORY. */
int symbol_table_finish(struct symbol_table *table);

/* The mangled name, with the symbol version if it has one, or NULL. */
const char *symbol_table_find(const struct symbol_table *table, uint64_t address);

#endif
