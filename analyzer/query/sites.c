/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/query/sites.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/model/id_table.h"
#include "analyzer/query/places.h"
#include "analyzer/query/similar.h"
#include "analyzer/query/sites_lines.h"
#include "formats/error.h"

/* What the classes of a site have in common, by the lens; compared by content. */
struct site_key {
	uint64_t first, second;
};

struct gatherer {
	const struct profile *profile;
	const struct lens *lens;
	struct sites *sites;
	struct places places;
	struct site_key *keys; /* by site */
	uint32_t *steps;       /* by stack: where it ends */
	/* Index + 1 of the first stack that ends in a step, and of the first site of a slot: most
	 * have no other, so that only others are in the tables. */
	uint32_t *stack_of_step, *site_of_slot;
	size_t slot_count;
	struct id_table stack_ids, site_ids; /* index + 1 in sites->stacks, sites->sites */
	struct name_numbers thread_names;
};

/* Apart for what is known in different ways, so that numbers of different kinds
 * never meet. */
enum key_kind { KEY_PLACE, KEY_MARK, KEY_FUNCTION, KEY_LINE, KEY_FILE, KEY_MODULE, KEY_OTHER };

static struct site_key make_key(enum key_kind kind, uint32_t number, uint64_t second)
{
	return (struct site_key){(uint64_t)kind << 32 | number, second};
}

/* The address without what its frames are called. */
static struct site_key address_key(const struct gatherer *all, uint32_t node)
{
	const struct profile_location *location =
	    &all->profile->locations[all->profile->nodes[node].location];
	uint32_t module = all->places.module[location->module];

	if (all->profile->fresh && !location->module)
		return make_key(KEY_OTHER, module, 0);
	return make_key(KEY_OTHER, module, (uint64_t)location->offset);
}

/* Marks of the walk ("deeper frames cut") are no addresses: their own sites. */
static struct site_key place_key(const struct gatherer *all, const struct place_leaf *leaf)
{
	const struct profile_node *node = &all->profile->nodes[leaf->node];
	unsigned marks = node->flags & (TRACE_NODE_CUT | TRACE_NODE_INCOMPLETE);

	if (!leaf->node || marks)
		return make_key(KEY_MARK, marks, 0);
	if (all->lens->by == LENS_BY_ADDRESS)
		return address_key(all, leaf->node);
	return make_key(
	    KEY_PLACE, all->places.place[all->places.first_place[node->location] + leaf->frame], 0);
}

static struct site_key leaf_key(const struct gatherer *all, const struct place_leaf *leaf)
{
	struct place_names names =
	    places_names(&all->places, all->profile, leaf->node, leaf->frame);

	switch (all->lens->by) {
	case LENS_BY_FUNCTION:
		if (names.function)
			return make_key(KEY_FUNCTION, names.function, names.module);
		break;
	case LENS_BY_LINE:
		if (names.file)
			return make_key(KEY_LINE, names.file, names.line);
		break;
	case LENS_BY_FILE:
		return names.file ? make_key(KEY_FILE, names.file, 0)
				  : make_key(KEY_MODULE, names.module, 0);
	case LENS_BY_MODULE:
		return make_key(KEY_MODULE, names.module, 0);
	default:
		break;
	}
	return place_key(all, leaf);
}

/* Of two traces the threads of one name are the same, for their ids can't be. */
static int thread_key(struct gatherer *all, uint32_t thread, struct site_key *key)
{
	const char *name = all->profile->threads[thread].name;
	uint32_t number = 0;
	int error = 0;

	*key = make_key(KEY_OTHER, thread, 0);
	if (all->profile->fresh && thread && name) {
		error = name_number(&all->thread_names, name, &number);
		*key = make_key(KEY_OTHER, number, 1);
	}
	return error;
}

const char *site_nameless_threads(const struct profile *profile, const struct site *site)
{
	const char *name = profile->threads[site->thread].name;

	return profile->fresh && site->thread && name && !*name ? "threads without a name" : NULL;
}

static int class_key(struct gatherer *all, const struct profile_class *class_,
		     const struct place_leaf *leaf, struct site_key *key)
{
	switch (all->lens->by) {
	case LENS_BY_THREAD:
		return thread_key(all, class_->thread, key);
	case LENS_BY_SIZE:
		*key = make_key(KEY_OTHER, 0, class_->size);
		return 0;
	default:
		*key = leaf_key(all, leaf);
		return 0;
	}
}

/* How many frames from the site's on the leaf's location reads the same. */
static void share_frames(const struct gatherer *all, struct site *site,
			 const struct place_leaf *leaf)
{
	const struct profile *profile = all->profile;
	const struct places *places = &all->places;
	uint32_t a = profile->nodes[site->node].location, b = profile->nodes[leaf->node].location;
	uint32_t same = 0;

	if (site->node == leaf->node && site->frame == leaf->frame)
		return;
	while (same < site->shared_frames &&
	       leaf->frame + same < profile->locations[b].frame_count &&
	       places->place[places->first_place[a] + site->frame + same] ==
		   places->place[places->first_place[b] + leaf->frame + same])
		same++;
	site->shared_frames = same;
}

static int same_site(const void *context, const void *key, uint32_t id)
{
	const struct gatherer *all = context;
	const struct site_key *a = key, *b = &all->keys[id - 1];

	return a->first == b->first && a->second == b->second;
}

/* Neighbours for keys whose numbers are near each other, as those of neighbours in a trace are. */
static size_t slot_of(const struct gatherer *all, const struct site_key *key)
{
	return ((uint32_t)key->first + key->second) % all->slot_count;
}

static uint32_t add_site(struct gatherer *all, const struct place_leaf *leaf,
			 const struct profile_class *class_, const struct site_key *key)
{
	const struct profile *profile = all->profile;
	struct sites *sites = all->sites;
	uint32_t location = profile->nodes[leaf->node].location;

	all->keys[sites->site_count] = *key;
	sites->sites[sites->site_count++] = (struct site){
	    .node = leaf->node,
	    .frame = leaf->frame,
	    .shared_frames = profile->locations[location].frame_count - leaf->frame,
	    .thread = class_->thread,
	    .size = class_->size,
	};
	return (uint32_t)sites->site_count;
}

static int find_site(struct gatherer *all, const struct profile_class *class_,
		     const struct place_leaf *leaf, uint32_t *index)
{
	struct site_key key;
	int error = class_key(all, class_, leaf, &key);
	uint32_t *slot = &all->site_of_slot[slot_of(all, &key)], id = *slot;
	uint64_t hash;

	if (error)
		return error;
	if (!id) {
		id = add_site(all, leaf, class_, &key);
		*slot = id;
	} else if (!same_site(all, &key, id)) {
		hash = id_table_hash(id_table_hash(0, key.first), key.second);
		id = id_table_find(&all->site_ids, hash, same_site, all, &key);
		if (!id) {
			id = add_site(all, leaf, class_, &key);
			error = id_table_add(&all->site_ids, hash, id);
		}
	}
	*index = id - 1;
	return error;
}

struct stack_key {
	uint32_t step, site;
};

static int same_stack(const void *context, const void *key, uint32_t id)
{
	const struct gatherer *all = context;
	const struct stack_key *wanted = key;

	return all->steps[id - 1] == wanted->step &&
	       all->sites->stacks[id - 1].site == wanted->site;
}

static uint32_t add_stack(struct gatherer *all, const struct place_leaf *leaf,
			  const struct stack_key *key)
{
	struct sites *sites = all->sites;

	all->steps[sites->stack_count] = key->step;
	sites->stacks[sites->stack_count++] =
	    (struct site_stack){.site = key->site, .node = leaf->node, .frame = leaf->frame};
	return (uint32_t)sites->stack_count;
}

static int find_stack(struct gatherer *all, const struct profile_class *class_, uint32_t *index)
{
	struct place_leaf leaf = places_leaf(&all->places, all->profile, class_->node);
	struct stack_key key = {places_step(&all->places, leaf.node, leaf.frame), 0};
	int error = find_site(all, class_, &leaf, &key.site);
	uint64_t hash;
	uint32_t id;

	if (error)
		return error;
	id = all->stack_of_step[key.step];
	if (!id) {
		id = add_stack(all, &leaf, &key);
		all->stack_of_step[key.step] = id;
	} else if (!same_stack(all, &key, id)) {
		hash = id_table_hash(id_table_hash(0, key.step), key.site);
		id = id_table_find(&all->stack_ids, hash, same_stack, all, &key);
		if (!id) {
			id = add_stack(all, &leaf, &key);
			error = id_table_add(&all->stack_ids, hash, id);
		}
	}
	share_frames(all, &all->sites->sites[key.site], &leaf);
	*index = id - 1;
	return error;
}

/* There are no more stacks than classes, and no more sites than stacks. What is not used of the
 * room is never touched. */
static int make_room(struct gatherer *all)
{
	const struct profile *profile = all->profile;
	struct sites *sites = all->sites;
	size_t classes = profile->class_count + 1;

	all->slot_count = profile->frame_count + profile->location_count + 1;
	sites->sites = reallocarray(NULL, classes, sizeof(*sites->sites));
	sites->stacks = reallocarray(NULL, classes, sizeof(*sites->stacks));
	sites->stack_of_class = calloc(classes, sizeof(*sites->stack_of_class));
	all->keys = reallocarray(NULL, classes, sizeof(*all->keys));
	all->steps = reallocarray(NULL, classes, sizeof(*all->steps));
	all->stack_of_step = calloc(all->places.step_count + 1, sizeof(*all->stack_of_step));
	all->site_of_slot = calloc(all->slot_count, sizeof(*all->site_of_slot));
	if (!sites->sites || !sites->stacks || !sites->stack_of_class || !all->keys ||
	    !all->steps || !all->stack_of_step || !all->site_of_slot)
		return ERROR_MEMORY;
	sites->stack_of_class[0] = UINT32_MAX;
	return 0;
}

/* Gives back what was not needed. */
static void fit(struct sites *sites)
{
	struct site *smaller =
	    reallocarray(sites->sites, sites->site_count + 1, sizeof(*sites->sites));
	struct site_stack *fewer =
	    reallocarray(sites->stacks, sites->stack_count + 1, sizeof(*sites->stacks));

	if (smaller)
		sites->sites = smaller;
	if (fewer)
		sites->stacks = fewer;
}

static int gather(struct gatherer *all)
{
	struct sites *sites = all->sites;
	const struct profile *profile = all->profile;
	int error = 0;

	for (size_t i = 1; i < profile->class_count && !error; i++) {
		const struct profile_class *class_ = &profile->classes[i];
		struct cost cost;
		uint32_t stack = 0;

		error = find_stack(all, class_, &stack);
		if (error)
			return error;
		sites->stack_of_class[i] = stack;
		cost = cost_of_class(profile, all->lens, (uint32_t)i);
		cost_add(class_->base ? &sites->stacks[stack].base : &sites->stacks[stack].cost,
			 &cost);
	}
	return error;
}

/* Where the stacks of a site lie side by side, in the order they had. into[] names the stack that
 * each is taken for, itself or one before it, and then where it comes to be. 1: some are not there
 * yet. */
static int place_stacks(struct sites *sites, uint32_t *into)
{
	uint32_t first = 0;
	int move = 0;

	for (size_t i = 0; i < sites->stack_count; i++)
		sites->sites[sites->stacks[i].site].stack_count += into[i] == i;
	for (size_t i = 0; i < sites->site_count; i++) {
		sites->sites[i].first_stack = first;
		first += sites->sites[i].stack_count;
		sites->sites[i].stack_count = 0;
	}
	for (size_t i = 0; i < sites->stack_count; i++) {
		struct site *site = &sites->sites[sites->stacks[i].site];

		if (into[i] < i) {
			into[i] = into[into[i]];
			move = 1;
			continue;
		}
		into[i] = site->first_stack + site->stack_count++;
		move |= into[i] != i;
		cost_add(&site->cost, &sites->stacks[i].cost);
		cost_add(&site->base, &sites->stacks[i].base);
	}
	return move;
}

static int match_similar(struct gatherer *all, uint32_t *into)
{
	struct sites *sites = all->sites;
	int error =
	    similar_stacks(all->profile, &all->places, sites, all->steps,
			   all->lens->by == LENS_BY_THREAD || all->lens->by == LENS_BY_SIZE, into);

	for (size_t i = 0; i < sites->stack_count && !error; i++) {
		if (into[i] == i)
			continue;
		sites->stacks[into[i]].base = sites->stacks[i].base;
		sites->stacks[into[i]].similar = sites->stacks[i].node;
	}
	return error;
}

static int move_stacks(struct sites *sites, const uint32_t *into)
{
	struct site_stack *grouped = calloc(sites->stack_count + 1, sizeof(*grouped));

	if (!grouped)
		return ERROR_MEMORY;
	/* backwards: of those that are taken together the first one stays */
	for (size_t i = sites->stack_count; i-- > 0;)
		grouped[into[i]] = sites->stacks[i];
	free(sites->stacks);
	sites->stacks = grouped;
	return 0;
}

static int arrange(struct gatherer *all)
{
	struct sites *sites = all->sites;
	uint32_t *into = calloc(sites->stack_count + 1, sizeof(*into));
	int error = into ? 0 : ERROR_MEMORY;

	for (size_t i = 0; i < sites->stack_count && !error; i++)
		into[i] = (uint32_t)i;
	if (!error && all->profile->fresh && all->lens->match_similar)
		error = match_similar(all, into);
	if (!error && place_stacks(sites, into)) {
		error = move_stacks(sites, into);
		for (size_t i = 1; i < all->profile->class_count; i++)
			sites->stack_of_class[i] = into[sites->stack_of_class[i]];
	}
	if (!error) {
		sites->stack_count = 0;
		for (size_t i = 0; i < sites->site_count; i++)
			sites->stack_count += sites->sites[i].stack_count;
	}
	free(into);
	return error;
}

static void release_gatherer(struct gatherer *all)
{
	free(all->keys);
	free(all->steps);
	free(all->stack_of_step);
	free(all->site_of_slot);
	id_table_release(&all->stack_ids);
	id_table_release(&all->site_ids);
	name_numbers_release(&all->thread_names);
	places_release(&all->places);
}

int sites_init(struct sites *sites, const struct profile *profile, const struct lens *lens)
{
	static const struct lens defaults = {0};
	struct gatherer all = {
	    .profile = profile,
	    .lens = lens ? lens : &defaults,
	    .sites = sites,
	};
	int error;

	*sites = (struct sites){0};
	error = places_init(&all.places, profile, lens);
	if (!error)
		error = make_room(&all);
	if (!error)
		error = gather(&all);
	if (!error)
		error = arrange(&all);
	if (!error && profile->fresh && all.lens->identity == LENS_FUNCTION)
		error = sites_choose_lines(sites, profile, &all.places, all.lens);
	if (!error)
		fit(sites);
	release_gatherer(&all);
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

uint32_t *sites_first(const struct sites *sites, const struct ordering *ordering, size_t most,
		      size_t *found)
{
	struct cost_rank *ranks = calloc(most + 1, sizeof(*ranks)), rank;

	*found = 0;
	if (!ranks)
		return NULL;
	for (size_t i = 0; i < sites->site_count; i++)
		if (cost_rank(&rank, &sites->sites[i].cost, &sites->sites[i].base, ordering,
			      (uint32_t)i))
			*found = cost_keep_first(ranks, *found, most, &rank);
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
