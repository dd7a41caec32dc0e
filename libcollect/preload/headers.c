/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/preload/headers.h"

#include <elf.h>
#include <stdint.h>
#include <sys/auxv.h>

#include "libcollect/preload/rawio.h"

#include "libcollect/preload/banned.h"

/* The kernel alone leaves gaps between segments, and tells where the headers are. */
static const ElfW(Phdr) * headers_of_program(const struct dl_find_object *found, unsigned *count)
{
	const ElfW(Phdr) *segment = (const ElfW(Phdr) *)getauxval(AT_PHDR);

	*count = segment != NULL ? (unsigned)getauxval(AT_PHNUM) : 0;
	for (unsigned i = 0; i < *count; i++)
		if (segment[i].p_type == PT_LOAD &&
		    found->dlfo_link_map->l_addr + segment[i].p_vaddr ==
			(uintptr_t)found->dlfo_map_start)
			return segment;
	return NULL;
}

const ElfW(Phdr) * program_headers(const struct dl_find_object *found, unsigned *count)
{
	enum { PAGE_LEAST = 4096 };
	const ElfW(Ehdr) *header = found->dlfo_map_start;
	const uintptr_t start = (uintptr_t)header, end = (uintptr_t)found->dlfo_map_end;
	const ElfW(Phdr) * segment;

	if (found->dlfo_link_map == NULL)
		return NULL;
	if (end - start < sizeof(*header) || !raw_begins((const char *)header->e_ident, ELFMAG) ||
	    header->e_phentsize != sizeof(*segment) ||
	    header->e_phoff > PAGE_LEAST - sizeof(*segment) ||
	    header->e_phoff + header->e_phnum * sizeof(*segment) > PAGE_LEAST)
		return headers_of_program(found, count);
	*count = header->e_phnum;
	return (const ElfW(Phdr) *)(start + header->e_phoff);
}
