/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/query/places.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/model/id_table.h"
#include "analyzer/query/names.h"
#include "analyzer/query/steps.h"
#include "formats/error.h"

#define COLLECTOR_NAME "libmallograph.so"
#define MAIN_PROGRAM   "/" /* no base name of a file */
#define UNKNOWN        (UINT32_MAX - 1)

/* What makes a place; what the lens does not look at is 0. */
struct place_key {
	uint32_t module, function, file, line;
	int64_t offset;
};

struct context {
	const struct profile *profile;
	enum lens_identity identity;
	struct place_key *keys; /* by place, from 1 */
	size_t key_count, key_room;
	struct id_table key_ids;
};

static void file_comparable(char *out, const char *path)
{
	strcpy(out, name_base(path));
}

/* A program that was built under another name is still the program. */
static int is_program(const struct profile *profile, size_t module)
{
	const struct profile *side =
	    module < profile->fresh->module_count ? profile->fresh : profile->base;
	const char *path = profile->modules[module].path;

	if (!profile->fresh->program || !profile->base->program)
		return 0;
	return !*path || !strcmp(path, side->program);
}

static int number_names(struct places *places, const struct profile *profile)
{
	int error = 0;

	if (profile->fresh) {
		places->module_names.comparable = module_comparable;
		places->function_names.comparable = name_comparable;
		places->file_names.comparable = file_comparable;
	}
	for (size_t i = 1; i < profile->module_count && !error; i++) {
		const char *path = profile->modules[i].path;

		if (profile->fresh && is_program(profile, i))
			path = MAIN_PROGRAM;
		error = name_number(&places->module_names, path, &places->module[i]);
	}
	for (size_t i = 0; i < profile->frame_count && !error; i++) {
		const struct profile_frame *frame = &profile->frames[i];

		error = name_number(&places->function_names, frame->function, &places->function[i]);
		if (!error)
			error = name_number(&places->file_names, frame->file, &places->file[i]);
	}
	return error;
}

/* --- places ---------------------------------------------------------------- */

static int same_key(const void *context, const void *key, uint32_t id)
{
	const struct context *all = context;
	const struct place_key *a = key, *b = &all->keys[id];

	return a->module == b->module && a->function == b->function && a->file == b->file &&
	       a->line == b->line && a->offset == b->offset;
}

static int number_key(struct context *all, const struct place_key *key, uint32_t *place)
{
	uint64_t hash = id_table_hash(id_table_hash(0, key->module), key->function);

	hash = id_table_hash(id_table_hash(hash, key->file), key->line);
	hash = id_table_hash(hash, (uint64_t)key->offset);
	*place = id_table_find(&all->key_ids, hash, same_key, all, key);
	if (*place)
		return 0;
	if (all->key_count + 1 >= all->key_room) {
		size_t room = all->key_room ? all->key_room * 2 : 256;
		struct place_key *larger = reallocarray(all->keys, room, sizeof(*larger));

		if (!larger)
			return ERROR_MEMORY;
		all->keys = larger;
		all->key_room = room;
	}
	*place = (uint32_t)++all->key_count;
	all->keys[*place] = *key;
	return id_table_add(&all->key_ids, hash, *place);
}

static struct place_key make_key(const struct context *all, const struct places *places,
				 const struct profile_location *location, uint32_t index)
{
	struct place_key key = {.module = places->module[location->module]};
	uint32_t frame = location->frame + index;

	if (all->identity == LENS_ADDRESS || !location->frame_count ||
	    (!places->function[frame] && !places->file[frame])) {
		key.offset = location->offset;
		/* inlined functions have the address of their caller */
		key.line = index;
		if (all->profile->fresh && !location->module)
			key.offset = 0;
		return key;
	}
	key.function = places->function[frame];
	if (all->identity == LENS_LINE || !key.function)
		key.file = places->file[frame];
	if (all->identity == LENS_LINE)
		key.line = all->profile->frames[frame].line;
	return key;
}

static int number_places(struct context *all, struct places *places)
{
	const struct profile *profile = all->profile;
	size_t count = 0;
	int error = 0;

	for (size_t i = 0; i < profile->location_count; i++) {
		places->first_place[i] = (uint32_t)count;
		count += profile->locations[i].frame_count ? profile->locations[i].frame_count : 1;
		if (count >= UINT32_MAX)
			return ERROR_LIMIT;
	}
	places->place = calloc(count + 1, sizeof(*places->place));
	if (!places->place)
		return ERROR_MEMORY;
	for (size_t i = 0; i < profile->location_count && !error; i++) {
		const struct profile_location *location = &profile->locations[i];
		uint32_t at = 0;

		do {
			struct place_key key = make_key(all, places, location, at);

			error = number_key(all, &key, &places->place[places->first_place[i] + at]);
		} while (!error && ++at < location->frame_count);
	}
	return error;
}

/* --- who allocates --------------------------------------------------------- */

static uint32_t count_wrappers(const struct profile *profile, const struct lens *lens,
			       const struct profile_location *location)
{
	const struct wrappers *wrappers = lens ? lens->wrappers : NULL;
	uint32_t count = 0;

	if (!strcmp(name_base(profile->modules[location->module].path), COLLECTOR_NAME))
		return PLACES_ALL;
	while (count < location->frame_count &&
	       wrappers_match(wrappers, profile->frames[location->frame + count].function))
		count++;
	return count && count == location->frame_count ? PLACES_ALL : count;
}

/* Only what stacks begin with is looked at. Each node is passed once, however many
 * classes and wrappers there are. */
static void find_leaves(struct places *places, const struct profile *profile,
			const struct lens *lens)
{
	for (size_t i = 0; i < profile->location_count; i++)
		places->wrappers[i] = UNKNOWN;
	for (size_t i = 1; i < profile->node_count; i++)
		places->leaf[i] = UNKNOWN;
	for (size_t i = 1; i < profile->class_count; i++) {
		uint32_t first = profile->classes[i].node, node = first, leaf;

		while (places->leaf[node] == UNKNOWN) {
			uint32_t at = profile->nodes[node].location;

			if (places->wrappers[at] == UNKNOWN)
				places->wrappers[at] =
				    count_wrappers(profile, lens, &profile->locations[at]);
			if (places->wrappers[at] != PLACES_ALL)
				places->leaf[node] = node;
			else
				node = profile->nodes[node].parent;
		}
		leaf = places->leaf[node];
		for (node = first; places->leaf[node] == UNKNOWN;
		     node = profile->nodes[node].parent)
			places->leaf[node] = leaf;
	}
}

struct place_leaf places_leaf(const struct places *places, const struct profile *profile,
			      uint32_t node)
{
	uint32_t at = places->leaf[node];

	if (at == 0)
		return (struct place_leaf){node, 0};
	return (struct place_leaf){at, places->wrappers[profile->nodes[at].location]};
}

uint32_t places_step(const struct places *places, uint32_t node, uint32_t frame)
{
	uint32_t step = places->step[node];

	while (frame-- && step)
		step = places->steps[step].parent;
	return step;
}

struct place_names places_names(const struct places *places, const struct profile *profile,
				uint32_t node, uint32_t frame)
{
	const struct profile_location *location =
	    &profile->locations[profile->nodes[node].location];
	struct place_names names = {.module = places->module[location->module]};

	if (frame < location->frame_count) {
		names.function = places->function[location->frame + frame];
		names.file = places->file[location->frame + frame];
		names.line = profile->frames[location->frame + frame].line;
		names.symbol = 1;
	}
	return names;
}

uint64_t places_hash(const struct places *places, const struct profile *profile, uint32_t node,
		     uint32_t frame)
{
	struct place_names names = places_names(places, profile, node, frame);
	uint64_t hash = name_hash(&places->module_names, names.module);

	if (names.function)
		return id_table_hash(hash, name_hash(&places->function_names, names.function));
	if (names.file)
		return id_table_hash(hash, name_hash(&places->file_names, names.file));
	if (names.module)
		hash = id_table_hash(
		    hash, (uint64_t)profile->locations[profile->nodes[node].location].offset);
	return hash;
}

/* --- all of it ------------------------------------------------------------- */

int places_init(struct places *places, const struct profile *profile, const struct lens *lens)
{
	struct context all = {
	    .profile = profile,
	    .identity = lens ? lens->identity : LENS_LINE,
	};
	int error;

	if (lens && lens->places) {
		*places = *lens->places;
		places->borrowed = 1;
		return 0;
	}
	*places = (struct places){0};
	places->module = calloc(profile->module_count + 1, sizeof(*places->module));
	places->function = calloc(profile->frame_count + 1, sizeof(*places->function));
	places->file = calloc(profile->frame_count + 1, sizeof(*places->file));
	places->first_place = calloc(profile->location_count + 1, sizeof(*places->first_place));
	places->wrappers = calloc(profile->location_count + 1, sizeof(*places->wrappers));
	places->leaf = calloc(profile->node_count + 1, sizeof(*places->leaf));
	places->step = calloc(profile->node_count + 1, sizeof(*places->step));
	if (!places->module || !places->function || !places->file || !places->first_place ||
	    !places->wrappers || !places->leaf || !places->step)
		return ERROR_MEMORY;
	error = number_names(places, profile);
	if (!error)
		error = number_places(&all, places);
	if (!error)
		error = steps_build(places, profile, all.identity, all.key_count + 1);
	if (!error)
		find_leaves(places, profile, lens);
	free(all.keys);
	id_table_release(&all.key_ids);
	name_numbers_settle(&places->module_names);
	name_numbers_settle(&places->function_names);
	name_numbers_settle(&places->file_names);
	return error;
}

void places_release(struct places *places)
{
	if (places->borrowed) {
		*places = (struct places){0};
		return;
	}
	name_numbers_release(&places->module_names);
	name_numbers_release(&places->function_names);
	name_numbers_release(&places->file_names);
	free(places->module);
	free(places->function);
	free(places->file);
	free(places->first_place);
	free(places->place);
	free(places->steps);
	free(places->step);
	free(places->leaf);
	free(places->wrappers);
	*places = (struct places){0};
}
