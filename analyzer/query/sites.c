/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/query/sites.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/model/id_table.h"
#include "analyzer/query/places.h"
#include "formats/error.h"

struct gatherer {
	const struct profile *profile;
	struct sites *sites;
	struct places places;
	struct id_table stack_ids, site_ids; /* index + 1 in sites->stacks, sites->sites */
	size_t stack_room, site_room;
};

static const struct profile_location *location_of(const struct profile *profile, uint32_t node)
{
	return &profile->locations[profile->nodes[node].location];
}

/* Marks of the walk ("deeper frames cut") are no addresses: their own sites. */
static unsigned mark_of(const struct profile *profile, uint32_t node)
{
	return profile->nodes[node].flags & (TRACE_NODE_CUT | TRACE_NODE_INCOMPLETE);
}

static int same_site(const void *context, const void *key, uint32_t id)
{
	const struct gatherer *all = context;
	const struct profile *profile = all->profile;
	const struct place_leaf *leaf = key;
	const struct site *site = &all->sites->sites[id - 1];
	const struct profile_location *a = location_of(profile, leaf->node);
	const struct profile_location *b = location_of(profile, site->node);

	if (!leaf->node != !site->node ||
	    mark_of(profile, leaf->node) != mark_of(profile, site->node) ||
	    all->places.module[a->module] != all->places.module[b->module] ||
	    !a->frame_count != !b->frame_count)
		return 0;
	if (!a->frame_count)
		return a->offset == b->offset;
	return places_same_frame(&profile->frames[a->frame + leaf->frame],
				 &profile->frames[b->frame + site->frame]);
}

static uint64_t hash_site(const struct gatherer *all, const struct place_leaf *leaf)
{
	const struct profile_location *location = location_of(all->profile, leaf->node);
	uint64_t hash =
	    id_table_hash(mark_of(all->profile, leaf->node), all->places.module[location->module]);

	if (!location->frame_count)
		return id_table_hash(hash, (uint64_t)location->offset);
	return places_hash_frame(hash, &all->profile->frames[location->frame + leaf->frame]);
}

static void share_frames(const struct gatherer *all, struct site *site,
			 const struct place_leaf *leaf)
{
	const struct profile *profile = all->profile;
	const struct profile_location *a = location_of(profile, site->node);
	const struct profile_location *b = location_of(profile, leaf->node);
	uint32_t same = 0;

	while (same < site->shared_frames && leaf->frame + same < b->frame_count &&
	       places_same_frame(&profile->frames[a->frame + site->frame + same],
				 &profile->frames[b->frame + leaf->frame + same]))
		same++;
	site->shared_frames = same;
}

static int find_site(struct gatherer *all, const struct place_leaf *leaf, uint32_t *index)
{
	struct sites *sites = all->sites;
	uint64_t hash = hash_site(all, leaf);
	uint32_t id = id_table_find(&all->site_ids, hash, same_site, all, leaf);

	if (!id) {
		if (sites->site_count == all->site_room) {
			size_t room = all->site_room ? all->site_room * 2 : 64;
			struct site *larger = reallocarray(sites->sites, room, sizeof(*larger));

			if (!larger)
				return ERROR_MEMORY;
			sites->sites = larger;
			all->site_room = room;
		}
		sites->sites[sites->site_count++] = (struct site){
		    .node = leaf->node,
		    .frame = leaf->frame,
		    .shared_frames =
			location_of(all->profile, leaf->node)->frame_count - leaf->frame,
		};
		id = (uint32_t)sites->site_count;
		if (id_table_add(&all->site_ids, hash, id))
			return ERROR_MEMORY;
	}
	share_frames(all, &sites->sites[id - 1], leaf);
	*index = id - 1;
	return 0;
}

static int same_stack(const void *context, const void *key, uint32_t id)
{
	const struct gatherer *all = context;
	const struct place_leaf *leaf = key;
	const struct site_stack *stack = &all->sites->stacks[id - 1];

	return all->places.node[stack->node] == all->places.node[leaf->node] &&
	       stack->frame == leaf->frame;
}

static int find_stack(struct gatherer *all, const struct place_leaf *leaf, uint32_t *index)
{
	struct sites *sites = all->sites;
	uint64_t hash = id_table_hash(leaf->frame, all->places.node[leaf->node]);
	uint32_t id = id_table_find(&all->stack_ids, hash, same_stack, all, leaf);

	if (!id) {
		uint32_t site = 0;

		if (find_site(all, leaf, &site))
			return ERROR_MEMORY;
		if (sites->stack_count == all->stack_room) {
			size_t room = all->stack_room ? all->stack_room * 2 : 64;
			struct site_stack *larger =
			    reallocarray(sites->stacks, room, sizeof(*larger));

			if (!larger)
				return ERROR_MEMORY;
			sites->stacks = larger;
			all->stack_room = room;
		}
		sites->stacks[sites->stack_count++] =
		    (struct site_stack){.site = site, .node = leaf->node, .frame = leaf->frame};
		id = (uint32_t)sites->stack_count;
		if (id_table_add(&all->stack_ids, hash, id))
			return ERROR_MEMORY;
	}
	*index = id - 1;
	return 0;
}

/* Puts the stacks of a site side by side, in the order they had. */
static int group_stacks(struct sites *sites, size_t class_count)
{
	struct site_stack *grouped = calloc(sites->stack_count + 1, sizeof(*grouped));
	uint32_t *moved = calloc(sites->stack_count + 1, sizeof(*moved));
	uint32_t first = 0;

	if (!grouped || !moved) {
		free(grouped);
		free(moved);
		return ERROR_MEMORY;
	}
	for (size_t i = 0; i < sites->stack_count; i++)
		sites->sites[sites->stacks[i].site].stack_count++;
	for (size_t i = 0; i < sites->site_count; i++) {
		sites->sites[i].first_stack = first;
		first += sites->sites[i].stack_count;
		sites->sites[i].stack_count = 0;
	}
	for (size_t i = 0; i < sites->stack_count; i++) {
		struct site *site = &sites->sites[sites->stacks[i].site];

		moved[i] = site->first_stack + site->stack_count++;
		grouped[moved[i]] = sites->stacks[i];
		cost_add(&site->cost, &sites->stacks[i].cost);
		cost_add(&site->base, &sites->stacks[i].base);
	}
	for (size_t i = 1; i < class_count; i++)
		sites->stack_of_class[i] = moved[sites->stack_of_class[i]];
	free(moved);
	free(sites->stacks);
	sites->stacks = grouped;
	return 0;
}

int sites_init(struct sites *sites, const struct profile *profile, const struct lens *lens)
{
	struct gatherer all = {.profile = profile, .sites = sites};
	int error;

	(void)lens;
	*sites = (struct sites){0};
	sites->stack_of_class = calloc(profile->class_count, sizeof(*sites->stack_of_class));
	error = places_init(&all.places, profile);
	if (sites->stack_of_class)
		sites->stack_of_class[0] = UINT32_MAX;
	else
		error = ERROR_MEMORY;
	for (size_t i = 1; i < profile->class_count && !error; i++) {
		const struct profile_class *class_ = &profile->classes[i];
		struct place_leaf leaf = places_leaf(&all.places, profile, class_->node);
		uint32_t stack = 0;

		error = find_stack(&all, &leaf, &stack);
		if (!error)
			cost_add_class(class_->base ? &sites->stacks[stack].base
						    : &sites->stacks[stack].cost,
				       class_);
		sites->stack_of_class[i] = stack;
	}
	if (!error)
		error = group_stacks(sites, profile->class_count);
	id_table_release(&all.stack_ids);
	id_table_release(&all.site_ids);
	places_release(&all.places);
	return error;
}

void sites_release(struct sites *sites)
{
	free(sites->sites);
	free(sites->stacks);
	free(sites->stack_of_class);
	*sites = (struct sites){0};
}

uint32_t *sites_sorted(const struct sites *sites, const struct ordering *ordering, size_t *found)
{
	struct cost_rank *ranks = calloc(sites->site_count + 1, sizeof(*ranks));

	*found = 0;
	if (!ranks)
		return NULL;
	for (size_t i = 0; i < sites->site_count; i++)
		*found += cost_rank(&ranks[*found], &sites->sites[i].cost, &sites->sites[i].base,
				    ordering, (uint32_t)i) != 0;
	return cost_sort(ranks, *found);
}

uint32_t *sites_sorted_stacks(const struct sites *sites, size_t first, size_t count,
			      const struct ordering *ordering, size_t *found)
{
	struct cost_rank *ranks = calloc(count + 1, sizeof(*ranks));

	*found = 0;
	if (!ranks)
		return NULL;
	for (size_t i = first; i < first + count; i++)
		*found += cost_rank(&ranks[*found], &sites->stacks[i].cost, &sites->stacks[i].base,
				    ordering, (uint32_t)i) != 0;
	return cost_sort(ranks, *found);
}
