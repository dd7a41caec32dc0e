/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/query/places.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/model/id_table.h"
#include "analyzer/query/names.h"
#include "analyzer/query/wrappers.h"
#include "formats/error.h"

#define COLLECTOR_NAME "libmallograph.so"

static int same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; text && *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return id_table_hash(hash, 0);
}

int places_same_frame(const struct profile_frame *a, const struct profile_frame *b)
{
	return a->line == b->line && same_text(a->function, b->function) &&
	       same_text(a->file, b->file);
}

uint64_t places_hash_frame(uint64_t hash, const struct profile_frame *frame)
{
	return id_table_hash(hash_text(hash_text(hash, frame->function), frame->file), frame->line);
}

struct context {
	const struct profile *profile;
	const struct places *places;
};

static int same_module(const void *context, const void *key, uint32_t id)
{
	const struct context *all = context;

	return !strcmp(all->profile->modules[id].path, key);
}

static int number_modules(struct context *all, struct places *places)
{
	const struct profile *profile = all->profile;
	struct id_table table = {0};
	int error = 0;

	for (size_t i = 1; i < profile->module_count && !error; i++) {
		const char *path = profile->modules[i].path;
		uint64_t hash = hash_text(0, path);

		places->module[i] = id_table_find(&table, hash, same_module, all, path);
		if (!places->module[i]) {
			places->module[i] = (uint32_t)i;
			error = id_table_add(&table, hash, (uint32_t)i);
		}
	}
	id_table_release(&table);
	return error;
}

static int same_location(const void *context, const void *key, uint32_t id)
{
	const struct context *all = context;
	const struct profile_location *a = key, *b = &all->profile->locations[id];

	if (all->places->module[a->module] != all->places->module[b->module] ||
	    a->frame_count != b->frame_count)
		return 0;
	for (uint32_t i = 0; i < a->frame_count; i++)
		if (!places_same_frame(&all->profile->frames[a->frame + i],
				       &all->profile->frames[b->frame + i]))
			return 0;
	return a->frame_count != 0 || a->offset == b->offset;
}

static uint64_t hash_location(const struct context *all, const struct profile_location *location)
{
	uint64_t hash = id_table_hash(0, all->places->module[location->module]);

	if (!location->frame_count)
		return id_table_hash(hash, (uint64_t)location->offset);
	for (uint32_t i = 0; i < location->frame_count; i++)
		hash = places_hash_frame(hash, &all->profile->frames[location->frame + i]);
	return hash;
}

static uint32_t count_wrappers(const struct profile *profile,
			       const struct profile_location *location)
{
	uint32_t count = 0;

	if (!strcmp(name_base(profile->modules[location->module].path), COLLECTOR_NAME))
		return PLACES_ALL;
	while (count < location->frame_count &&
	       wrappers_match(NULL, profile->frames[location->frame + count].function))
		count++;
	return count && count == location->frame_count ? PLACES_ALL : count;
}

static int number_locations(struct context *all, struct places *places)
{
	const struct profile *profile = all->profile;
	struct id_table table = {0};
	int error = 0;

	for (size_t i = 1; i < profile->location_count && !error; i++) {
		const struct profile_location *location = &profile->locations[i];
		uint64_t hash = hash_location(all, location);

		places->wrappers[i] = count_wrappers(profile, location);
		places->location[i] = id_table_find(&table, hash, same_location, all, location);
		if (!places->location[i]) {
			places->location[i] = (uint32_t)i;
			error = id_table_add(&table, hash, (uint32_t)i);
		}
	}
	id_table_release(&table);
	return error;
}

static int same_node(const void *context, const void *key, uint32_t id)
{
	const struct context *all = context;
	const struct profile_node *a = key, *b = &all->profile->nodes[id];

	return all->places->node[a->parent] == all->places->node[b->parent] &&
	       all->places->location[a->location] == all->places->location[b->location] &&
	       a->flags == b->flags;
}

static int number_nodes(struct context *all, struct places *places)
{
	const struct profile *profile = all->profile;
	struct id_table table = {0};
	int error = 0;

	/* parents come first, so theirs are known */
	for (size_t i = 1; i < profile->node_count && !error; i++) {
		const struct profile_node *node = &profile->nodes[i];
		uint64_t hash = id_table_hash(places->node[node->parent], node->flags);

		hash = id_table_hash(hash, places->location[node->location]);
		places->node[i] = id_table_find(&table, hash, same_node, all, node);
		places->leaf[i] = places->wrappers[node->location] != PLACES_ALL
				      ? (uint32_t)i
				      : places->leaf[node->parent];
		if (!places->node[i]) {
			places->node[i] = (uint32_t)i;
			error = id_table_add(&table, hash, (uint32_t)i);
		}
	}
	id_table_release(&table);
	return error;
}

int places_init(struct places *places, const struct profile *profile)
{
	struct context all = {.profile = profile, .places = places};
	int error;

	places->location = calloc(profile->location_count, sizeof(*places->location));
	places->wrappers = calloc(profile->location_count, sizeof(*places->wrappers));
	places->node = calloc(profile->node_count, sizeof(*places->node));
	places->leaf = calloc(profile->node_count, sizeof(*places->leaf));
	places->module = calloc(profile->module_count, sizeof(*places->module));
	if (!places->location || !places->wrappers || !places->node || !places->leaf ||
	    !places->module)
		return ERROR_MEMORY;
	error = number_modules(&all, places);
	if (!error)
		error = number_locations(&all, places);
	if (!error)
		error = number_nodes(&all, places);
	return error;
}

void places_release(struct places *places)
{
	free(places->location);
	free(places->wrappers);
	free(places->node);
	free(places->leaf);
	free(places->module);
	*places = (struct places){0};
}

struct place_leaf places_leaf(const struct places *places, const struct profile *profile,
			      uint32_t node)
{
	uint32_t at = places->leaf[node];

	if (at == 0)
		return (struct place_leaf){node, 0};
	return (struct place_leaf){at, places->wrappers[profile->nodes[at].location]};
}
