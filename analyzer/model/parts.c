/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/model/parts.h"

#include <stdlib.h>

#include "formats/error.h"

static uint64_t hash_of(uint32_t class_id, uint32_t thread)
{
	return id_table_hash(id_table_hash(0, class_id), thread);
}

static int is_part(const void *context, const void *key, uint32_t id)
{
	const struct profile *split = context;
	const struct profile_class *part = &split->classes[id], *wanted = key;

	return part->whole == wanted->whole && part->thread == wanted->thread;
}

uint32_t parts_find_other(struct parts *parts, uint32_t class_id, uint32_t thread)
{
	struct profile_class key = {.whole = class_id, .thread = thread};
	uint32_t id = parts->first[class_id];

	if (id && !is_part(parts->split, &key, id))
		id = id_table_find(&parts->ids, hash_of(class_id, thread), is_part, parts->split,
				   &key);
	if (id)
		parts->last[class_id] = (struct part){thread, id};
	return id;
}

int parts_add(struct parts *parts, uint32_t id)
{
	const struct profile_class *part = &parts->split->classes[id];

	if (parts->first[part->whole])
		return id_table_add(&parts->ids, hash_of(part->whole, part->thread), id);
	parts->first[part->whole] = id;
	parts->last[part->whole] = (struct part){part->thread, id};
	return 0;
}

int parts_init(struct parts *parts, const struct profile *split)
{
	int error = 0;

	*parts = (struct parts){.split = split};
	parts->last = calloc(split->whole->class_count, sizeof(*parts->last));
	parts->first = calloc(split->whole->class_count, sizeof(*parts->first));
	if (!parts->last || !parts->first)
		return ERROR_MEMORY;
	for (size_t i = 1; i < split->class_count && !error; i++)
		error = parts_add(parts, (uint32_t)i);
	return error;
}

void parts_release(struct parts *parts)
{
	id_table_release(&parts->ids);
	free(parts->last);
	free(parts->first);
	*parts = (struct parts){0};
}
