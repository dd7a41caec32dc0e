/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/model/combine.h"

#include <stdlib.h>
#include <string.h>

#include "formats/error.h"

/* Both arrays, without the second's placeholder where there is one. NULL and *error
 * (ERROR_MEMORY or ERROR_LIMIT), or as *error was. */
static void *join(int *error, size_t *count, const void *first, size_t first_count,
		  const void *second, size_t second_count, size_t size, size_t placeholder)
{
	const char *rest = second;
	char *both;

	if (second_count < placeholder)
		placeholder = second_count;
	*count = first_count + second_count - placeholder;
	if (*count >= UINT32_MAX) {
		*error = ERROR_LIMIT;
		return NULL;
	}
	both = calloc(*count + 1, size);
	if (!both) {
		*error = ERROR_MEMORY;
		return NULL;
	}
	if (first_count)
		memcpy(both, first, first_count * size);
	if (second_count > placeholder)
		memcpy(both + first_count * size, rest + placeholder * size,
		       (second_count - placeholder) * size);
	return both;
}

#define JOIN(array, count, placeholder)                                                            \
	both->array = join(&error, &both->count, fresh->array, fresh->count, base->array,          \
			   base->count, sizeof(*both->array), placeholder)

static uint32_t moved(uint32_t id, size_t fresh_count)
{
	return id ? id + (uint32_t)fresh_count - 1 : 0;
}

static int join_all(struct profile *both, const struct profile *fresh, const struct profile *base)
{
	int error = 0;

	JOIN(modules, module_count, 1);
	JOIN(threads, thread_count, 1);
	JOIN(nodes, node_count, 1);
	JOIN(locations, location_count, 1);
	JOIN(frames, frame_count, 0);
	JOIN(classes, class_count, 1);
	return error;
}

/* What base's entries refer to lies behind fresh's. */
static void move_base(struct profile *both, const struct profile *fresh)
{
	for (size_t i = fresh->location_count; i < both->location_count; i++) {
		both->locations[i].module = moved(both->locations[i].module, fresh->module_count);
		both->locations[i].frame += (uint32_t)fresh->frame_count;
	}
	for (size_t i = fresh->node_count; i < both->node_count; i++) {
		both->nodes[i].parent = moved(both->nodes[i].parent, fresh->node_count);
		both->nodes[i].location = moved(both->nodes[i].location, fresh->location_count);
	}
	for (size_t i = fresh->class_count; i < both->class_count; i++) {
		both->classes[i].node = moved(both->classes[i].node, fresh->node_count);
		both->classes[i].thread = moved(both->classes[i].thread, fresh->thread_count);
		both->classes[i].base = 1;
	}
}

int profile_combine(struct profile **combined, const struct profile *fresh,
		    const struct profile *base)
{
	struct profile *both = malloc(sizeof(*both));
	int error;

	*combined = NULL;
	if (!both)
		return ERROR_MEMORY;
	*both = *fresh;
	both->path = NULL;
	both->points = NULL;
	both->point_count = 0;
	both->strings = NULL;
	both->string_count = 0;
	both->whole = NULL;
	both->fresh = fresh;
	both->base = base;
	both->base_totals = base->totals;
	error = join_all(both, fresh, base);
	if (error) {
		profile_free(both);
		return error;
	}
	move_base(both, fresh);
	*combined = both;
	return 0;
}
