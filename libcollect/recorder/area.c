/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "libcollect/recorder/area.h"

#include <stdint.h>
#include <sys/mman.h>

#include "formats/error.h"

enum { AREA_LEAST = 16 << 10, HUGE_FROM = 4 << 20 };

int area_reserve(struct area *area, size_t bytes)
{
	size_t room = area->bytes != 0 ? area->bytes : AREA_LEAST;
	void *base;

	if (bytes <= area->bytes)
		return 0;
	while (room < bytes) {
		if (room > SIZE_MAX / 4)
			return ERROR_MEMORY;
		room *= 2;
	}
	if (area->base == NULL)
		base = mmap(NULL, room, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	else
		base = mremap(area->base, area->bytes, room, MREMAP_MAYMOVE);
	if (base == MAP_FAILED)
		return ERROR_MEMORY;
	if (room >= HUGE_FROM)
		madvise(base, room, MADV_HUGEPAGE);
	area->base = base;
	area->bytes = room;
	return 0;
}

void area_release(struct area *area)
{
	if (area->base != NULL)
		munmap(area->base, area->bytes);
	*area = (struct area){0};
}
