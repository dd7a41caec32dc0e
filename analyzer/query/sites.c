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

uint64_t cost_of(const struct cost *cost, enum cost_kind kind)
{
	switch (kind) {
	case COST_ALLOCATIONS:
		return cost->allocations;
	case COST_TEMPORARY:
		return cost->temporary;
	case COST_PEAK:
		return cost->peak_bytes;
	case COST_LEAKED:
		return cost->leaked_bytes;
	}
	return 0;
}

int cost_present(const struct cost *cost, enum cost_kind kind)
{
	return kind == COST_LEAKED ? cost->leaked_blocks != 0 : cost_of(cost, kind) != 0;
}

/* No sum overflows: the profile's totals don't. */
static void add_class(struct cost *cost, const struct profile_class *class_)
{
	uint64_t leaked = class_->allocations - class_->deallocations;

	cost->allocations += class_->allocations;
	cost->temporary += class_->temporary;
	cost->bytes += class_->allocations * class_->size;
	cost->peak_blocks += class_->peak_live;
	cost->peak_bytes += class_->peak_live * class_->size;
	cost->leaked_blocks += leaked;
	cost->leaked_bytes += leaked * class_->size;
}

static void add_cost(struct cost *cost, const struct cost *more)
{
	cost->allocations += more->allocations;
	cost->temporary += more->temporary;
	cost->bytes += more->bytes;
	cost->peak_blocks += more->peak_blocks;
	cost->peak_bytes += more->peak_bytes;
	cost->leaked_blocks += more->leaked_blocks;
	cost->leaked_bytes += more->leaked_bytes;
}

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
static int group_stacks(struct sites *sites)
{
	struct site_stack *grouped = calloc(sites->stack_count + 1, sizeof(*grouped));
	uint32_t first = 0;

	if (!grouped)
		return ERROR_MEMORY;
	for (size_t i = 0; i < sites->stack_count; i++)
		sites->sites[sites->stacks[i].site].stack_count++;
	for (size_t i = 0; i < sites->site_count; i++) {
		sites->sites[i].first_stack = first;
		first += sites->sites[i].stack_count;
		sites->sites[i].stack_count = 0;
	}
	for (size_t i = 0; i < sites->stack_count; i++) {
		struct site *site = &sites->sites[sites->stacks[i].site];

		grouped[site->first_stack + site->stack_count++] = sites->stacks[i];
		add_cost(&site->cost, &sites->stacks[i].cost);
	}
	free(sites->stacks);
	sites->stacks = grouped;
	return 0;
}

int sites_init(struct sites *sites, const struct profile *profile)
{
	struct gatherer all = {.profile = profile, .sites = sites};
	int error;

	*sites = (struct sites){0};
	error = places_init(&all.places, profile);
	for (size_t i = 1; i < profile->class_count && !error; i++) {
		const struct profile_class *class_ = &profile->classes[i];
		struct place_leaf leaf = places_leaf(&all.places, profile, class_->node);
		uint32_t stack = 0;

		error = find_stack(&all, &leaf, &stack);
		if (!error)
			add_class(&sites->stacks[stack].cost, class_);
	}
	if (!error)
		error = group_stacks(sites);
	id_table_release(&all.stack_ids);
	id_table_release(&all.site_ids);
	places_release(&all.places);
	return error;
}

void sites_release(struct sites *sites)
{
	free(sites->sites);
	free(sites->stacks);
	*sites = (struct sites){0};
}

struct ranked {
	uint64_t first, second; /* costs: the larger first, the second decides among equals */
	uint32_t index;
};

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *left = a, *right = b;

	if (left->first != right->first)
		return left->first < right->first ? 1 : -1;
	if (left->second != right->second)
		return left->second < right->second ? 1 : -1;
	return left->index < right->index ? -1 : left->index > right->index;
}

static struct ranked rank(const struct cost *cost, enum cost_kind kind, size_t index)
{
	return (struct ranked){
	    .first = cost_of(cost, kind),
	    .second = kind == COST_LEAKED ? cost->leaked_blocks : cost->allocations,
	    .index = (uint32_t)index,
	};
}

static uint32_t *sorted_indices(struct ranked *ranks, size_t count)
{
	uint32_t *indices = calloc(count + 1, sizeof(*indices));

	if (indices) {
		qsort(ranks, count, sizeof(*ranks), compare_ranked);
		for (size_t i = 0; i < count; i++)
			indices[i] = ranks[i].index;
	}
	free(ranks);
	return indices;
}

uint32_t *sites_sorted(const struct sites *sites, enum cost_kind kind, size_t *found)
{
	struct ranked *ranks = calloc(sites->site_count + 1, sizeof(*ranks));

	*found = 0;
	if (!ranks)
		return NULL;
	for (size_t i = 0; i < sites->site_count; i++)
		if (cost_present(&sites->sites[i].cost, kind))
			ranks[(*found)++] = rank(&sites->sites[i].cost, kind, i);
	return sorted_indices(ranks, *found);
}

uint32_t *sites_sorted_stacks(const struct sites *sites, size_t first, size_t count,
			      enum cost_kind kind, size_t *found)
{
	struct ranked *ranks = calloc(count + 1, sizeof(*ranks));

	*found = 0;
	if (!ranks)
		return NULL;
	for (size_t i = first; i < first + count; i++)
		if (cost_present(&sites->stacks[i].cost, kind))
			ranks[(*found)++] = rank(&sites->stacks[i].cost, kind, i);
	return sorted_indices(ranks, *found);
}
