/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/model/filter_judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/names.h"
#include "formats/error.h"
#include "formats/numbers.h"

/*
 * What the frames of a stack match is the union of what its node and its parents
 * do. Parents have smaller ids: one pass over the nodes, a byte each.
 */
enum {
	MATCHES_FUNCTION = 1, /* one of the terms that select */
	MATCHES_FILE = 2,
	MATCHES_MODULE = 4,
	MATCHES_EXCLUSION = 8 /* any that excludes */
};

static uint8_t bit_of(enum filter_key key)
{
	switch (key) {
	case FILTER_FUNCTION:
		return MATCHES_FUNCTION;
	case FILTER_FILE:
		return MATCHES_FILE;
	case FILTER_MODULE:
		return MATCHES_MODULE;
	default:
		return 0;
	}
}

int filter_holds(const struct filter *filter, enum filter_key key, uint64_t value)
{
	int wanted = 0, included = 0;

	for (size_t i = 0; i < filter->count; i++) {
		const struct filter_term *term = &filter->terms[i];
		int inside = value >= term->from && value < term->to;

		if (term->key != key)
			continue;
		if (term->exclude && inside)
			return 0;
		wanted |= !term->exclude;
		included |= !term->exclude && inside;
	}
	return included || !wanted;
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

/* Between two bounds that are neighbours all values pass, or none does. */
static int init_ranges(struct ranges *ranges, const struct filter *filter, enum filter_key key,
		       int *present)
{
	uint64_t *bounds = calloc(2 * filter->count + 2, sizeof(*bounds));
	size_t count = 1;

	ranges->list = calloc(2 * filter->count + 1, sizeof(*ranges->list));
	if (!bounds || !ranges->list) {
		free(bounds);
		return ERROR_MEMORY;
	}
	for (size_t i = 0; i < filter->count; i++)
		if (filter->terms[i].key == key) {
			bounds[count++] = filter->terms[i].from;
			bounds[count++] = filter->terms[i].to;
		}
	*present = count > 1;
	bounds[count++] = UINT64_MAX;
	qsort(bounds, count, sizeof(*bounds), compare_numbers);
	for (size_t i = 0; i + 1 < count; i++) {
		struct range *last = ranges->list + ranges->count;

		if (bounds[i] == bounds[i + 1] || !filter_holds(filter, key, bounds[i]))
			continue;
		if (ranges->count && last[-1].from + last[-1].length == bounds[i]) {
			last[-1].length = bounds[i + 1] - last[-1].from;
			continue;
		}
		last->from = bounds[i];
		last->length = bounds[i + 1] - bounds[i];
		ranges->count++;
	}
	free(bounds);
	return 0;
}

static int location_has(const struct profile *profile, const struct profile_location *location,
			const struct filter_term *term)
{
	if (term->key == FILTER_MODULE)
		return strstr(profile->modules[location->module].path, term->text) != NULL;
	for (uint32_t i = 0; i < location->frame_count; i++) {
		const struct profile_frame *frame = &profile->frames[location->frame + i];

		if (term->key == FILTER_FILE
			? frame->file && strstr(frame->file, term->text)
			: frame->function && name_has(frame->function, term->text))
			return 1;
	}
	return 0;
}

/* found[term]: set for those that match anything. */
static uint8_t *match_locations(const struct profile *profile, const struct filter *filter,
				uint8_t *found)
{
	uint8_t *matches = calloc(profile->location_count, 1);

	for (size_t i = 0; matches && i < filter->count; i++) {
		const struct filter_term *term = &filter->terms[i];
		uint8_t bit = bit_of(term->key);

		for (size_t j = 0; bit && j < profile->location_count; j++)
			if (location_has(profile, &profile->locations[j], term)) {
				matches[j] |= term->exclude ? MATCHES_EXCLUSION : bit;
				found[i] = 1;
			}
	}
	return matches;
}

/* By node: what its frames match. */
static uint8_t *match_nodes(const struct profile *profile, const struct filter *filter,
			    uint8_t *found)
{
	uint8_t *locations = match_locations(profile, filter, found);
	uint8_t *nodes = locations ? calloc(profile->node_count, 1) : NULL;

	for (size_t i = 1; nodes && i < profile->node_count; i++)
		nodes[i] = nodes[profile->nodes[i].parent] | locations[profile->nodes[i].location];
	free(locations);
	return nodes;
}

static int judge_classes(struct judgement *judgement, const struct profile *profile,
			 const struct filter *filter, uint8_t *found)
{
	uint8_t *nodes = NULL;
	uint8_t needed = 0, asked = 0;
	int error = ERROR_MEMORY;

	for (size_t i = 0; i < filter->count; i++) {
		asked |= bit_of(filter->terms[i].key);
		if (!filter->terms[i].exclude)
			needed |= bit_of(filter->terms[i].key);
	}
	judgement->classes = calloc(profile->class_count, 1);
	if (asked)
		nodes = match_nodes(profile, filter, found);
	if (!judgement->classes || (asked && !nodes))
		goto out;
	for (size_t i = 1; i < profile->class_count; i++) {
		const struct profile_class *class_ = &profile->classes[i];
		uint8_t matches = nodes ? nodes[class_->node] : 0;

		judgement->classes[i] = !(needed & ~matches) && !(matches & MATCHES_EXCLUSION) &&
					filter_holds(filter, FILTER_SIZE, class_->size);
	}
	error = 0;
out:
	free(nodes);
	return error;
}

static int is_thread(const struct profile_thread *thread, const char *text)
{
	char tid[24];

	snprintf(tid, sizeof(tid), "%" PRIu64, thread->tid);
	return !strcmp(thread->name, text) || !strcmp(tid, text);
}

static int judge_threads(struct judgement *judgement, const struct profile *profile,
			 const struct filter *filter, uint8_t *found)
{
	int wanted = 0;

	judgement->threads = calloc(profile->thread_count, 1);
	if (!judgement->threads)
		return ERROR_MEMORY;
	for (size_t i = 0; i < filter->count; i++)
		wanted |= filter->terms[i].key == FILTER_THREAD && !filter->terms[i].exclude;
	for (size_t i = 0; i < profile->thread_count; i++) {
		int included = !wanted, excluded = 0;

		for (size_t j = 0; j < filter->count; j++) {
			const struct filter_term *term = &filter->terms[j];

			if (term->key != FILTER_THREAD ||
			    !is_thread(&profile->threads[i], term->text))
				continue;
			found[j] |= i != 0; /* the placeholder is no thread */
			included |= !term->exclude;
			excluded |= term->exclude;
		}
		judgement->threads[i] = included && !excluded;
	}
	return 0;
}

static void remark_unmatched(const struct filter *filter, const uint8_t *found, char *remark,
			     size_t remark_bytes)
{
	static const char *const kinds[] = {
	    [FILTER_THREAD] = "thread is called",
	    [FILTER_FUNCTION] = "function of the trace has a name with",
	    [FILTER_FILE] = "source file of the trace has a name with",
	    [FILTER_MODULE] = "module of the trace has a name with"};
	char name[256];

	for (size_t i = 0; i < filter->count; i++)
		if (filter->terms[i].text && !found[i]) {
			text_escape(name, sizeof(name), filter->terms[i].text,
				    strlen(filter->terms[i].text));
			snprintf(remark, remark_bytes, "no %s '%s'", kinds[filter->terms[i].key],
				 name);
			return;
		}
}

int judgement_init(struct judgement *judgement, const struct profile *profile,
		   const struct filter *filter, char *remark, size_t remark_bytes)
{
	uint8_t *found = calloc(filter->count + 1, 1);
	int error = found ? 0 : ERROR_MEMORY;

	*judgement = (struct judgement){0};
	if (!error)
		error = judge_classes(judgement, profile, filter, found);
	if (!error)
		error = judge_threads(judgement, profile, filter, found);
	if (!error)
		error = init_ranges(&judgement->time, filter, FILTER_TIME, &judgement->timed);
	if (!error)
		error =
		    init_ranges(&judgement->lifetime, filter, FILTER_LIFETIME, &judgement->lived);
	if (!error && remark_bytes)
		remark_unmatched(filter, found, remark, remark_bytes);
	free(found);
	return error;
}

void judgement_release(struct judgement *judgement)
{
	free(judgement->classes);
	free(judgement->threads);
	free(judgement->time.list);
	free(judgement->lifetime.list);
}
