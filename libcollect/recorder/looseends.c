/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/recorder/looseends.h"

#include <stddef.h>

#include "formats/error.h"

enum { ENDS = 1 << 16, BUCKETS = 1 << 14 };

static struct loose_end *end_at(struct looseends *loose, uint64_t number)
{
	return (struct loose_end *)loose->ends.base + number % ENDS;
}

static uint32_t *bucket_of(struct looseends *loose, uint64_t address)
{
	return (uint32_t *)loose->buckets.base +
	       (address >> 4) * UINT64_C(0x9e3779b97f4a7c15) / (UINT64_MAX / BUCKETS + 1);
}

void looseends_release(struct looseends *loose)
{
	area_release(&loose->ends);
	area_release(&loose->buckets);
	*loose = (struct looseends){0};
}

int looseends_add(struct looseends *loose, const struct loose_end *end)
{
	struct loose_end *at;
	uint32_t *bucket, link;

	if (area_reserve(&loose->ends, ENDS * sizeof(*at)) != 0 ||
	    area_reserve(&loose->buckets, BUCKETS * sizeof(uint32_t)) != 0)
		return ERROR_MEMORY;
	while (loose->first != loose->last && end_at(loose, loose->first)->kind == LOOSE_NONE)
		loose->first++;
	if (loose->last - loose->first == ENDS)
		return ERROR_LIMIT;
	link = (uint32_t)(loose->last % ENDS) + 1;
	at = end_at(loose, loose->last++);
	bucket = bucket_of(loose, end->address);
	*at = *end;
	at->previous = 0;
	at->next = *bucket;
	if (*bucket != 0)
		end_at(loose, *bucket - 1)->previous = link;
	*bucket = link;
	if (end->kind == LOOSE_WAITING_FREE)
		loose->waiting++;
	else
		loose->missing++;
	return 0;
}

struct loose_end *looseends_waiting(struct looseends *loose, uint64_t address, uint64_t from,
				    uint64_t before, uint32_t not_by)
{
	struct loose_end *best = NULL;

	if (loose->waiting == 0)
		return NULL;
	for (uint32_t link = *bucket_of(loose, address); link != 0;) {
		struct loose_end *end = end_at(loose, link - 1);

		if (end->address == address && end->kind == LOOSE_WAITING_FREE &&
		    end->thread != not_by && end->time >= from && end->time < before &&
		    (best == NULL || end->time < best->time))
			best = end;
		link = end->next;
	}
	return best;
}

struct loose_end *looseends_missing(struct looseends *loose, uint64_t address, uint64_t time)
{
	struct loose_end *best = NULL;

	if (loose->missing == 0)
		return NULL;
	for (uint32_t link = *bucket_of(loose, address); link != 0;) {
		struct loose_end *end = end_at(loose, link - 1);

		if (end->address == address && end->kind == LOOSE_MISSING_FREE &&
		    end->time > time && (best == NULL || end->time < best->time))
			best = end;
		link = end->next;
	}
	return best;
}

void looseends_remove(struct looseends *loose, struct loose_end *end)
{
	if (end->kind == LOOSE_WAITING_FREE)
		loose->waiting--;
	else
		loose->missing--;
	end->kind = LOOSE_NONE;
	if (end->next != 0)
		end_at(loose, end->next - 1)->previous = end->previous;
	if (end->previous != 0)
		end_at(loose, end->previous - 1)->next = end->next;
	else
		*bucket_of(loose, end->address) = end->next;
}

struct loose_end *looseends_oldest(struct looseends *loose, uint64_t before)
{
	while (loose->first != loose->last) {
		struct loose_end *end = end_at(loose, loose->first);

		if (end->kind != LOOSE_NONE)
			return end->arrived < before ? end : NULL;
		loose->first++;
	}
	return NULL;
}
