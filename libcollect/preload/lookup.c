/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/preload/lookup.h"

#include <dlfcn.h>
#include <elf.h>
#include <stdint.h>

#include "libcollect/preload/rawio.h"

#include "libcollect/preload/banned.h"

struct tables {
	const ElfW(Sym) * symbols;
	const char *strings;
	const uint32_t *hash; /* DT_GNU_HASH */
};

/* glibc has relocated what the dynamic section points to, the vdso's excepted. */
static const void *pointer(const struct link_map *map, uintptr_t value)
{
	return (const void *)(value < map->l_addr ? value + map->l_addr : value);
}

static int find_tables(const struct link_map *map, struct tables *tables)
{
	*tables = (struct tables){NULL, NULL, NULL};
	for (const ElfW(Dyn) *d = map->l_ld; d != NULL && d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_SYMTAB)
			tables->symbols = pointer(map, d->d_un.d_ptr);
		else if (d->d_tag == DT_STRTAB)
			tables->strings = pointer(map, d->d_un.d_ptr);
		else if (d->d_tag == DT_GNU_HASH)
			tables->hash = pointer(map, d->d_un.d_ptr);
	}
	return tables->symbols != NULL && tables->strings != NULL && tables->hash != NULL;
}

void *lookup_in(const struct link_map *map, const char *name, size_t *bytes)
{
	struct tables tables;
	const uint32_t *buckets, *chain;
	uint32_t hash = 5381, first, i;

	if (!find_tables(map, &tables) || tables.hash[0] == 0)
		return NULL;
	for (const char *c = name; *c != '\0'; c++)
		hash = hash * 33 + (unsigned char)*c;
	first = tables.hash[1];
	buckets = tables.hash + 4 + tables.hash[2] * (sizeof(ElfW(Addr)) / 4);
	chain = buckets + tables.hash[0];
	i = buckets[hash % tables.hash[0]];
	if (i < first)
		return NULL;
	for (;; i++) {
		uint32_t value = chain[i - first];
		const ElfW(Sym) *symbol = &tables.symbols[i];

		if ((value | 1) == (hash | 1) && symbol->st_shndx != SHN_UNDEF &&
		    ELF64_ST_TYPE(symbol->st_info) == STT_FUNC &&
		    raw_equal(tables.strings + symbol->st_name, name)) {
			*bytes = symbol->st_size;
			return (void *)(map->l_addr + symbol->st_value);
		}
		if ((value & 1) != 0)
			return NULL;
	}
}

void *lookup_anywhere(const struct link_map *near, const char *name, size_t *bytes,
		      const struct link_map **where)
{
	const struct link_map *map = near;
	struct dl_find_object ours;

	if (_dl_find_object((void *)lookup_in, &ours) != 0)
		return NULL;
	while (map->l_prev != NULL)
		map = map->l_prev;
	for (; map != NULL; map = map->l_next) {
		void *function = map != ours.dlfo_link_map ? lookup_in(map, name, bytes) : NULL;

		if (function != NULL) {
			*where = map;
			return function;
		}
	}
	return NULL;
}
