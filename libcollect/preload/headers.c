/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/preload/headers.h"

#include <elf.h>
#include <sys/auxv.h>

#include "libcollect/preload/rawio.h"

#include "libcollect/preload/banned.h"

int segment_holds(const struct dl_find_object *found, const ElfW(Phdr) * segment, uintptr_t from,
		  uintptr_t to)
{
	const uintptr_t start = found->dlfo_link_map->l_addr + segment->p_vaddr;

	return segment->p_type == PT_LOAD && from >= start && to >= from &&
	       to - start <= segment->p_memsz;
}

/* The kernel alone leaves gaps between segments, and tells where the headers are: in one of the
 * program's own. Another file may have its header where the program would have one. */
static const ElfW(Phdr) * headers_of_program(const struct dl_find_object *found, unsigned *count)
{
	const ElfW(Phdr) *segment = (const ElfW(Phdr) *)getauxval(AT_PHDR);
	int is_program = 0, is_segment = 0;

	*count = segment != NULL ? (unsigned)getauxval(AT_PHNUM) : 0;
	for (unsigned i = 0; i < *count; i++) {
		is_program |=
		    segment_holds(found, &segment[i], (uintptr_t)segment, (uintptr_t)segment + 1);
		is_segment |= segment[i].p_type == PT_LOAD &&
			      found->dlfo_link_map->l_addr + segment[i].p_vaddr ==
				  (uintptr_t)found->dlfo_map_start;
	}
	return is_program && is_segment ? segment : NULL;
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
