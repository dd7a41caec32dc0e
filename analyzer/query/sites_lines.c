/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/query/sites_lines.h"

#include <stdlib.h>

#include "analyzer/model/id_table.h"
#include "formats/error.h"

struct line {
	uint32_t site, file, number;
	uint32_t node, frame;
	struct cost cost, base;
};

static int same_line(const void *context, const void *key, uint32_t id)
{
	const struct line *a = key, *b = (const struct line *)context + id - 1;

	return a->site == b->site && a->file == b->file && a->number == b->number;
}

static uint64_t magnitude(const struct line *line, enum cost_kind kind)
{
	int64_t difference = cost_difference(&line->cost, &line->base, kind);

	return difference < 0 ? -(uint64_t)difference : (uint64_t)difference;
}

/* Three sums below 2^63 may pass 2^64: halves don't. */
static uint64_t weight(const struct line *line)
{
	return magnitude(line, COST_LEAKED) / 4 + magnitude(line, COST_PEAK) / 4 +
	       magnitude(line, COST_BYTES) / 4;
}

static int changed_more(const struct line *line, const struct line *than)
{
	uint64_t a = weight(line), b = weight(than);

	if (a != b)
		return a > b;
	return magnitude(line, COST_ALLOCATIONS) > magnitude(than, COST_ALLOCATIONS);
}

/* lines has room for one a class. */
static int gather_lines(struct line *lines, size_t *count, const struct sites *sites,
			const struct profile *profile, const struct places *places,
			const struct lens *lens)
{
	struct id_table ids = {0};
	int error = 0;

	for (uint32_t i = 1; i < profile->class_count && !error; i++) {
		const struct profile_class *class_ = &profile->classes[i];
		struct place_leaf leaf = places_leaf(places, profile, class_->node);
		struct place_names names = places_names(places, profile, leaf.node, leaf.frame);
		struct line key = {
		    .site = sites->stacks[sites->stack_of_class[i]].site,
		    .file = names.file,
		    .number = names.line,
		    .node = leaf.node,
		    .frame = leaf.frame,
		};
		uint64_t hash =
		    id_table_hash(id_table_hash(id_table_hash(0, key.site), key.file), key.number);
		uint32_t id = id_table_find(&ids, hash, same_line, lines, &key);
		struct cost cost = cost_of_class(profile, lens, i);

		if (!id) {
			lines[(*count)++] = key;
			id = (uint32_t)*count;
			error = id_table_add(&ids, hash, id);
		}
		cost_add(class_->base ? &lines[id - 1].base : &lines[id - 1].cost, &cost);
	}
	id_table_release(&ids);
	return error;
}

int sites_choose_lines(struct sites *sites, const struct profile *profile,
		       const struct places *places, const struct lens *lens)
{
	struct line *lines = calloc(profile->class_count, sizeof(*lines));
	const struct line **most = calloc(sites->site_count + 1, sizeof(const struct line *));
	size_t count = 0;
	int error = lines && most ? gather_lines(lines, &count, sites, profile, places, lens)
				  : ERROR_MEMORY;

	for (size_t i = 0; i < count && !error; i++)
		if (!most[lines[i].site] || changed_more(&lines[i], most[lines[i].site]))
			most[lines[i].site] = &lines[i];
	for (size_t i = 0; i < sites->site_count && !error; i++)
		if (most[i]) {
			sites->sites[i].node = most[i]->node;
			sites->sites[i].frame = most[i]->frame;
		}
	free(lines);
	free(most);
	return error;
}
