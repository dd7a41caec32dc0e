/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/query/cost.h"

#include <stdlib.h>

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
	case COST_BYTES:
		return cost->bytes;
	}
	return 0;
}

const char *cost_name(enum cost_kind kind)
{
	static const char *const names[] = {
	    [COST_ALLOCATIONS] = "allocations",
	    [COST_TEMPORARY] = "temporary",
	    [COST_PEAK] = "peak",
	    [COST_LEAKED] = "leaked",
	    [COST_BYTES] = "bytes",
	};

	return names[kind];
}

int cost_present(const struct cost *cost, enum cost_kind kind)
{
	return kind == COST_LEAKED ? cost->leaked_blocks != 0 : cost_of(cost, kind) != 0;
}

int64_t cost_difference(const struct cost *cost, const struct cost *base, enum cost_kind kind)
{
	return (int64_t)cost_of(cost, kind) - (int64_t)cost_of(base, kind);
}

void cost_add(struct cost *cost, const struct cost *more)
{
	cost->allocations += more->allocations;
	cost->temporary += more->temporary;
	cost->bytes += more->bytes;
	cost->peak_blocks += more->peak_blocks;
	cost->peak_bytes += more->peak_bytes;
	cost->leaked_blocks += more->leaked_blocks;
	cost->leaked_bytes += more->leaked_bytes;
}

void cost_subtract(struct cost *cost, const struct cost *less)
{
	cost->allocations -= less->allocations;
	cost->temporary -= less->temporary;
	cost->bytes -= less->bytes;
	cost->peak_blocks -= less->peak_blocks;
	cost->peak_bytes -= less->peak_bytes;
	cost->leaked_blocks -= less->leaked_blocks;
	cost->leaked_bytes -= less->leaked_bytes;
}

static int is_suppressed(const struct lens *lens, uint32_t class_id)
{
	const struct suppressions *suppressions = lens ? lens->suppressions : NULL;

	return suppressions && class_id < suppressions->class_count &&
	       suppressions->of_class[class_id];
}

/* No sum overflows: the profile's totals don't. */
struct cost cost_of_class(const struct profile *profile, const struct lens *lens, uint32_t class_id)
{
	const struct profile_class *class_ = &profile->classes[class_id];
	uint64_t leaked =
	    is_suppressed(lens, class_id) ? 0 : class_->allocations - class_->deallocations;

	return (struct cost){
	    .allocations = class_->allocations,
	    .temporary = class_->temporary,
	    .bytes = class_->allocations * class_->size,
	    .peak_blocks = class_->peak_live,
	    .peak_bytes = class_->peak_live * class_->size,
	    .leaked_blocks = leaked,
	    .leaked_bytes = leaked * class_->size,
	};
}

static uint64_t magnitude(int64_t value)
{
	return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

static int differs(const struct cost *cost, const struct cost *base, enum cost_kind kind)
{
	return cost_of(cost, kind) != cost_of(base, kind) ||
	       (kind == COST_LEAKED && cost->leaked_blocks != base->leaked_blocks);
}

/* The second decides among equals. */
static uint64_t second_of(const struct cost *cost, enum cost_kind kind)
{
	return kind == COST_LEAKED ? cost->leaked_blocks : cost->allocations;
}

int cost_rank(struct cost_rank *rank, const struct cost *cost, const struct cost *base,
	      const struct ordering *ordering, uint32_t index)
{
	enum cost_kind kind = ordering->kind;
	enum cost_kind by = ordering->sort_by < 0 ? kind : (enum cost_kind)ordering->sort_by;
	int64_t first, second;

	if (!ordering->difference) {
		*rank = (struct cost_rank){cost_of(cost, by), second_of(cost, by), 0, index};
		return cost_present(cost, kind) && cost_of(cost, kind) >= ordering->least;
	}
	first = cost_difference(cost, base, by);
	second = (int64_t)second_of(cost, by) - (int64_t)second_of(base, by);
	*rank = (struct cost_rank){
	    .first = magnitude(first),
	    .second = magnitude(second),
	    .group = first > 0 ? -1 : first < 0,
	    .index = index,
	};
	return differs(cost, base, kind) &&
	       magnitude(cost_difference(cost, base, kind)) >= ordering->least;
}

static int compare_ranks(const void *a, const void *b)
{
	const struct cost_rank *left = a, *right = b;

	if (left->group != right->group)
		return left->group < right->group ? -1 : 1;
	if (left->first != right->first)
		return left->first < right->first ? 1 : -1;
	if (left->second != right->second)
		return left->second < right->second ? 1 : -1;
	return left->index < right->index ? -1 : left->index > right->index;
}

/* Where many are sorted: by one digit after the other, the last that decides first, what is equal
 * stays as it was. Digits that all have in common, which are most of them, are passed over. */
enum { DIGITS = 17, DIGIT_VALUES = 256, FEW = 256 };

static unsigned digit_of(const struct cost_rank *rank, int digit)
{
	if (digit < 8)
		return ~(unsigned)(rank->second >> 8 * digit) & 255;
	if (digit < 16)
		return ~(unsigned)(rank->first >> 8 * (digit - 8)) & 255;
	return (unsigned)(rank->group + 1);
}

static void sort_by_digit(const struct cost_rank *ranks, struct cost_rank *sorted, size_t count,
			  int digit)
{
	size_t starts[DIGIT_VALUES] = {0}, start = 0;

	for (size_t i = 0; i < count; i++)
		starts[digit_of(&ranks[i], digit)]++;
	for (int i = 0; i < DIGIT_VALUES; i++) {
		size_t these = starts[i];

		starts[i] = start;
		start += these;
	}
	for (size_t i = 0; i < count; i++)
		sorted[starts[digit_of(&ranks[i], digit)]++] = ranks[i];
}

/* The indices ascend. Returns which of the two arrays is sorted. */
static struct cost_rank *sort_by_digits(struct cost_rank *ranks, struct cost_rank *other,
					size_t count)
{
	struct cost_rank differ = {0};

	for (size_t i = 0; i < count; i++) {
		differ.first |= ranks[i].first ^ ranks[0].first;
		differ.second |= ranks[i].second ^ ranks[0].second;
		differ.group |= ranks[i].group ^ ranks[0].group;
	}
	for (int digit = 0; digit < DIGITS; digit++) {
		struct cost_rank *unsorted = ranks;

		if (digit < 8    ? !(differ.second >> 8 * digit & 255)
		    : digit < 16 ? !(differ.first >> 8 * (digit - 8) & 255)
				 : !differ.group)
			continue;
		sort_by_digit(unsorted, other, count, digit);
		ranks = other;
		other = unsorted;
	}
	return ranks;
}

/* As trees have their nodes: the last first. */
static void turn_round(struct cost_rank *ranks, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		struct cost_rank rank = ranks[i];

		ranks[i] = ranks[count - 1 - i];
		ranks[count - 1 - i] = rank;
	}
}

static int ascends(const struct cost_rank *ranks, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (ranks[i].index < ranks[i - 1].index)
			return 0;
	return 1;
}

uint32_t *cost_sort(struct cost_rank *ranks, size_t count)
{
	uint32_t *indices = calloc(count + 1, sizeof(*indices));
	struct cost_rank *other = count < FEW ? NULL : calloc(count, sizeof(*other));
	const struct cost_rank *sorted = ranks;

	if (other && ranks[0].index > ranks[count - 1].index)
		turn_round(ranks, count);
	if (other && ascends(ranks, count))
		sorted = sort_by_digits(ranks, other, count);
	else if (count)
		qsort(ranks, count, sizeof(*ranks), compare_ranks);
	for (size_t i = 0; indices && i < count; i++)
		indices[i] = sorted[i].index;
	free(ranks);
	free(other);
	return indices;
}

/* The first `most` so far in order; what is behind them all is passed over. */
size_t cost_keep_first(struct cost_rank *first, size_t count, size_t most,
		       const struct cost_rank *rank)
{
	size_t at = count < most ? count : most;

	if (!most || (count >= most && compare_ranks(rank, &first[most - 1]) > 0))
		return count;
	if (at == most)
		at--;
	for (; at && compare_ranks(rank, &first[at - 1]) < 0; at--)
		first[at] = first[at - 1];
	first[at] = *rank;
	return count < most ? count + 1 : count;
}
