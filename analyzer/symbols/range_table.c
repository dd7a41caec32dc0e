/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/symbols/range_table.h"

#include <stdlib.h>
#include <string.h>

#include "formats/error.h"

/*
 * finish() sweeps over the sorted starts with a heap of the ranges that are
 * open at the moment. The top of the heap is the winner; ranges that have
 * ended stay in the heap until they come to the top. Any input, however badly
 * nested, costs O(n log n) and gives at most 2n pieces.
 */
struct heap {
	const struct range **items;
	size_t count;
};

static int beats(const struct range *a, const struct range *b)
{
	if (a->rank != b->rank)
		return a->rank > b->rank;
	if (a->start != b->start)
		return a->start > b->start;
	if (a->end != b->end)
		return a->end < b->end;
	return a < b;
}

static void heap_push(struct heap *heap, const struct range *range)
{
	size_t i = heap->count++;
	while (i > 0 && beats(range, heap->items[(i - 1) / 2])) {
		heap->items[i] = heap->items[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap->items[i] = range;
}

static void heap_pop(struct heap *heap)
{
	const struct range *last = heap->items[--heap->count];
	size_t i = 0;
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= heap->count)
			break;
		if (child + 1 < heap->count && beats(heap->items[child + 1], heap->items[child]))
			child++;
		if (!beats(heap->items[child], last))
			break;
		heap->items[i] = heap->items[child];
		i = child;
	}
	heap->items[i] = last;
}

void range_table_init(struct range_table *table)
{
	memset(table, 0, sizeof(*table));
}

void range_table_release(struct range_table *table)
{
	free(table->ranges);
	free(table->pieces);
	memset(table, 0, sizeof(*table));
}

int range_table_add(struct range_table *table, uint64_t start, uint64_t end, uint32_t rank,
		    uint32_t value)
{
	if (end <= start)
		return 0;
	if (table->range_count == table->range_allocated) {
		size_t allocated = table->range_allocated ? table->range_allocated * 2 : 64;
		struct range *grown =
		    reallocarray(table->ranges, allocated, sizeof(*table->ranges));
		if (!grown)
			return ERROR_MEMORY;
		table->ranges = grown;
		table->range_allocated = allocated;
	}
	table->ranges[table->range_count++] = (struct range){start, end, rank, value};
	return 0;
}

static int compare_starts(const void *left, const void *right)
{
	const struct range *a = left, *b = right;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	/* values grow in the order of adding: keeps the sort stable */
	return (a->value > b->value) - (a->value < b->value);
}

static int add_piece(struct range_table *table, uint64_t start, uint32_t value)
{
	if (table->piece_count > 0 && table->pieces[table->piece_count - 1].value == value)
		return 0;
	if (table->piece_count == table->piece_allocated) {
		size_t allocated = table->piece_allocated ? table->piece_allocated * 2 : 64;
		struct range_piece *grown =
		    reallocarray(table->pieces, allocated, sizeof(*table->pieces));
		if (!grown)
			return ERROR_MEMORY;
		table->pieces = grown;
		table->piece_allocated = allocated;
	}
	table->pieces[table->piece_count++] = (struct range_piece){start, value};
	return 0;
}

static int sweep(struct range_table *table, struct heap *heap)
{
	const struct range *next = table->ranges;
	const struct range *stop = next + table->range_count;
	uint64_t position = 0;

	while (next < stop || heap->count > 0) {
		if (heap->count == 0) {
			if (next->start > position && add_piece(table, position, RANGE_NONE) < 0)
				return ERROR_MEMORY;
			position = next->start;
		}
		while (next < stop && next->start == position)
			heap_push(heap, next++);
		const struct range *top = heap->items[0];
		if (top->end <= position) {
			heap_pop(heap);
			continue;
		}
		if (add_piece(table, position, top->value) < 0)
			return ERROR_MEMORY;
		position = next < stop && next->start < top->end ? next->start : top->end;
	}
	return add_piece(table, position, RANGE_NONE);
}

int range_table_finish(struct range_table *table)
{
	if (table->range_count == 0)
		return 0;
	struct heap heap = {NULL, 0};
	int status = ERROR_MEMORY;
	heap.items = reallocarray(NULL, table->range_count, sizeof(*heap.items));
	if (heap.items) {
		qsort(table->ranges, table->range_count, sizeof(*table->ranges), compare_starts);
		status = sweep(table, &heap);
	}
	free(heap.items);
	free(table->ranges);
	table->ranges = NULL;
	table->range_count = table->range_allocated = 0;
	if (status < 0)
		range_table_release(table);
	return status;
}

uint32_t range_table_find(const struct range_table *table, uint64_t address)
{
	size_t low = 0, high = table->piece_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (table->pieces[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? table->pieces[low - 1].value : RANGE_NONE;
}
