/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_VICTIMS_TEXT_H
#define TESTS_VICTIMS_TEXT_H

#include <link.h>
#include <stdint.h>
#include <string.h>

/* Where the code of a loaded file lies. */
struct text {
	const char *name; /* a part of the file's; "": the program itself */
	uintptr_t start, end;
};

static int text_take(struct dl_phdr_info *info, size_t size, void *wanted)
{
	struct text *text = (struct text *)wanted;

	(void)size;
	if (text->name[0] ? !strstr(info->dlpi_name, text->name) : info->dlpi_name[0] != '\0')
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

		if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
			continue;
		text->start = info->dlpi_addr + segment->p_vaddr;
		text->end = text->start + segment->p_memsz;
	}
	return 1;
}

/* start and end stay 0 where no such file is loaded. */
static inline void text_find(struct text *text)
{
	dl_iterate_phdr(text_take, text);
}

static inline int text_holds(const struct text *text, uintptr_t pc)
{
	return pc >= text->start && pc < text->end;
}

#endif
