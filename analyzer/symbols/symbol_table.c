/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A symbol with a size is where it says it is. One without (bare assembly)
 * reaches to the next symbol, and counts only where no sized one is. Of several
 * names for one address the best known is taken: functions before untyped
 * labels, sized before unsized, global before weak before local, then the
 * name that looks least like an implementation's own.
 */
#include "analyzer/symbols/symbol_table.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "formats/error.h"

#define DEFAULT_SUPPRESSIONS "__lsan_default_suppressions"

struct symbol_entry {
	uint64_t address, size;
	uint64_t limit; /* end of the section: nothing reaches further */
	const char *name;
	int quality;
};

enum quality { QUALITY_GLOBAL = 2, QUALITY_WEAK = 1, QUALITY_SIZED = 4, QUALITY_FUNCTION = 8 };
enum rank { RANK_UNSIZED = 0, RANK_SIZED = 1 };

void symbol_table_init(struct symbol_table *table)
{
	memset(table, 0, sizeof(*table));
	range_table_init(&table->ranges);
}

void symbol_table_release(struct symbol_table *table)
{
	free(table->entries);
	range_table_release(&table->ranges);
	symbol_table_init(table);
}

static int append(struct symbol_table *table, const struct symbol_entry *entry)
{
	if (table->count == table->allocated) {
		size_t allocated = table->allocated ? table->allocated * 2 : 1024;
		struct symbol_entry *grown =
		    reallocarray(table->entries, allocated, sizeof(*grown));
		if (!grown)
			return ERROR_MEMORY;
		table->entries = grown;
		table->allocated = allocated;
	}
	table->entries[table->count++] = *entry;
	return 0;
}

/* The symbol's worth as a name for code, or -1 when it isn't one. */
static int judge(const GElf_Sym *symbol)
{
	int quality = 0;
	switch (GELF_ST_TYPE(symbol->st_info)) {
	case STT_FUNC:
	case STT_GNU_IFUNC:
		quality = QUALITY_FUNCTION;
		break;
	case STT_NOTYPE:
		break;
	default:
		return -1;
	}
	if (symbol->st_size > 0)
		quality |= QUALITY_SIZED;
	if (GELF_ST_BIND(symbol->st_info) == STB_WEAK)
		quality |= QUALITY_WEAK;
	else if (GELF_ST_BIND(symbol->st_info) != STB_LOCAL)
		quality |= QUALITY_GLOBAL;
	return quality;
}

/* Where the symbol's section of code ends, or 0 when it has none. */
static uint64_t section_end(Elf *elf, const GElf_Sym *symbol)
{
	if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx >= SHN_LORESERVE)
		return 0;
	GElf_Shdr header;
	Elf_Scn *section = elf_getscn(elf, symbol->st_shndx);
	if (!section || !gelf_getshdr(section, &header) || !(header.sh_flags & SHF_EXECINSTR))
		return 0;
	if (symbol->st_value < header.sh_addr ||
	    symbol->st_value - header.sh_addr >= header.sh_size)
		return 0;
	return header.sh_addr + header.sh_size;
}

static int add_section(struct symbol_table *table, const struct elf_file *file, Elf_Scn *section,
		       const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t entry_bytes = gelf_fsize(file->elf, ELF_T_SYM, 1, EV_CURRENT);
	if (!data || entry_bytes == 0)
		return 0;
	size_t count = data->d_size / entry_bytes;
	for (size_t i = 1; i < count && i < INT_MAX; i++) {
		GElf_Sym symbol;
		if (!gelf_getsym(data, (int)i, &symbol))
			break;
		int quality = judge(&symbol);
		uint64_t limit = quality < 0 ? 0 : section_end(file->elf, &symbol);
		if (limit <= symbol.st_value)
			continue;
		const char *name = elf_strptr(file->elf, header->sh_link, symbol.st_name);
		/* "$x" and the like mark data in code, for disassemblers */
		if (!name || !*name || *name == '$')
			continue;
		if (!table->default_suppressions && !strcmp(name, DEFAULT_SUPPRESSIONS))
			table->default_suppressions = symbol.st_value;
		struct symbol_entry entry = {symbol.st_value, symbol.st_size, limit, name, quality};
		if (append(table, &entry) < 0)
			return ERROR_MEMORY;
	}
	return 0;
}

int symbol_table_add(struct symbol_table *table, const struct elf_file *file)
{
	for (Elf_Scn *section = NULL; (section = elf_nextscn(file->elf, section)) != NULL;) {
		GElf_Shdr header;
		if (!gelf_getshdr(section, &header))
			continue;
		if (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM)
			continue;
		if (add_section(table, file, section, &header) < 0)
			return ERROR_MEMORY;
	}
	return 0;
}

static int compare_entries(const void *left, const void *right)
{
	const struct symbol_entry *a = left, *b = right;
	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	if (a->quality != b->quality)
		return b->quality - a->quality;
	size_t a_marks = strspn(a->name, "_"), b_marks = strspn(b->name, "_");
	if (a_marks != b_marks)
		return a_marks < b_marks ? -1 : 1;
	size_t a_bytes = strlen(a->name), b_bytes = strlen(b->name);
	if (a_bytes != b_bytes)
		return a_bytes < b_bytes ? -1 : 1;
	return strcmp(a->name, b->name);
}

static void keep_best(struct symbol_table *table)
{
	size_t kept = 0;
	for (size_t i = 0; i < table->count; i++)
		if (kept == 0 || table->entries[i].address != table->entries[kept - 1].address)
			table->entries[kept++] = table->entries[i];
	table->count = kept;
}

int symbol_table_finish(struct symbol_table *table)
{
	if (table->count == 0)
		return 0;
	qsort(table->entries, table->count, sizeof(*table->entries), compare_entries);
	keep_best(table);
	for (size_t i = 0; i < table->count && i < RANGE_NONE; i++) {
		const struct symbol_entry *entry = &table->entries[i];
		uint64_t end = entry->limit;
		if (entry->size > 0 && entry->size < end - entry->address)
			end = entry->address + entry->size;
		else if (entry->size == 0 && i + 1 < table->count && entry[1].address < end)
			end = entry[1].address;
		if (range_table_add(&table->ranges, entry->address, end,
				    entry->size > 0 ? RANK_SIZED : RANK_UNSIZED, (uint32_t)i) < 0)
			return ERROR_MEMORY;
	}
	return range_table_finish(&table->ranges);
}

const char *symbol_table_find(const struct symbol_table *table, uint64_t address)
{
	uint32_t found = range_table_find(&table->ranges, address);
	return found == RANGE_NONE ? NULL : table->entries[found].name;
}
