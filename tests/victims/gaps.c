/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program whose segments do not adjoin each other (Makefile): its code, unwind information and
 * build-id lie in places of their own. */
#include "expect.h"

#define ROUNDS 500
#define SIZE   48

static int segments_apart(struct dl_phdr_info *info, size_t size, void *apart)
{
	uintptr_t end = 0;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

		if (segment->p_type != PT_LOAD)
			continue;
		*(int *)apart |= end != 0 && segment->p_vaddr > end + 0x10000;
		end = segment->p_vaddr + segment->p_memsz;
	}
	return 1; /* the program comes first */
}

__attribute__((noinline)) static void descend(unsigned depth)
{
	if (depth == 0)
		free(malloc(SIZE));
	else
		descend(depth - 1);
}

int main(void)
{
	int apart = 0;

	dl_iterate_phdr(segments_apart, &apart);
	MUST(apart);
	for (unsigned i = 0; i < ROUNDS; i++)
		descend(i % 10);
	announce(one_by_one(ROUNDS, SIZE));
	return 0;
}
