/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TEST_SELECT_MODEL_H
#define MALLOGRAPH_TEST_SELECT_MODEL_H

/*
 * What a filter selects, the slow way: a random trace is remembered call by call,
 * each block is asked every term, and at a new peak everything is copied.
 * Header only: every unit test is one file.
 */

#include <stdio.h>

#include "analyzer/model/filter.h"
#include "tests/unit/sample_trace.h"

#define MODEL_NODES 64
#define MODEL_CALLS 32768

struct model_call {
	size_t block;
	uint64_t tick, age_allocations;
	int is_free;
};

struct model_block {
	int freed;
	uint64_t freed_tick;
};

struct model {
	struct sample *sample;
	uint64_t seed;
	uint32_t parent[MODEL_NODES + 1], module[MODEL_NODES + 1];
	int64_t offset[MODEL_NODES + 1];
	uint32_t class_node[SAMPLE_CLASSES];
	struct model_call calls[MODEL_CALLS];
	size_t call_count;
	struct model_block blocks[SAMPLE_BLOCKS];
	uint64_t end; /* tick of the last thing in the trace */
};

/* By class and thread; thread 0: of all. */
struct model_figures {
	uint64_t allocations, deallocations, temporary, live, peak_live;
};

struct model_result {
	struct model_figures figures[SAMPLE_CLASSES][SAMPLE_THREADS];
	uint64_t live_bytes, live_blocks, peak_bytes, peak_blocks, peak_tick, reallocations;
};

static inline uint32_t model_random(struct model *model, uint32_t limit)
{
	model->seed ^= model->seed << 13;
	model->seed ^= model->seed >> 7;
	model->seed ^= model->seed << 17;
	return (uint32_t)(model->seed >> 11) % limit;
}

static const char *const model_module_paths[] = {"", "/bin/app", "/lib/libone.so", "/lib/two"};
static const char *const model_thread_names[] = {"main", "worker", "worker", "io"};

/* Offsets below 12 have a symbol, those below 6 an inlined frame besides. */
static inline void model_function(char text[32], int64_t offset, int inlined)
{
	snprintf(text, 32, "%s%jd", inlined ? "small" : "fn", (intmax_t)offset);
}

static inline void model_file(char text[32], int64_t offset, int inlined)
{
	snprintf(text, 32, "%s%jd.c", inlined ? "head" : "src", (intmax_t)offset % 4);
}

static inline void model_define_symbols(struct model *model)
{
	struct trace_writer *writer = model->sample->writer;

	for (uint32_t module = 1; module <= 3; module++)
		for (int64_t offset = 0; offset < 12; offset++) {
			struct trace_frame frames[2] = {{.line = 7}, {.line = 9}};
			uint32_t count = offset < 6 ? 2 : 1;

			for (uint32_t i = 0; i < count; i++) {
				char text[32];

				model_function(text, offset, i + 1 < count);
				frames[i].function = sample_string(model->sample, text);
				model_file(text, offset, i + 1 < count);
				frames[i].file = sample_string(model->sample, text);
			}
			trace_writer_symbol(writer, module, offset, frames, count);
		}
}

static inline void model_define(struct model *model, uint32_t classes, uint32_t threads)
{
	for (uint32_t i = 1; i <= 3; i++)
		sample_module(model->sample, 0x100000 * i, model_module_paths[i]);
	for (uint32_t i = 1; i <= MODEL_NODES; i++) {
		model->parent[i] = model_random(model, i);
		model->module[i] = model_random(model, 4);
		model->offset[i] = model_random(model, 16);
		sample_node(model->sample, model->parent[i], model->module[i], model->offset[i],
			    model_random(model, 8) ? 0 : TRACE_NODE_GUESSED);
	}
	for (uint32_t i = 1; i <= classes; i++) {
		model->class_node[i] = model_random(model, MODEL_NODES + 1);
		sample_class(model->sample, model->class_node[i],
			     (uint64_t)model_random(model, 6) * model_random(model, 100));
	}
	for (uint32_t i = 0; i < threads; i++)
		sample_thread(model->sample, model_thread_names[i % 4]);
	model_define_symbols(model);
}

static inline size_t model_allocate(struct model *model, uint32_t class_id)
{
	struct sample *sample = model->sample;
	size_t block = sample_allocate(sample, class_id);

	assert(model->call_count < MODEL_CALLS);
	model->calls[model->call_count++] =
	    (struct model_call){.block = block, .tick = sample->tick};
	model->end = sample->tick;
	return block;
}

static inline uint64_t model_age(const struct sample *sample, size_t index)
{
	const struct sample_block *block = &sample->blocks[index];

	return sample->thread_counters[block->thread].allocations - block->number;
}

/* Of older blocks a trace does not tell which one it was, when they are alike: the first. */
static inline size_t model_first_alike(const struct sample *sample, size_t index)
{
	const struct sample_block *block = &sample->blocks[index];

	for (size_t i = 0; i < index && model_age(sample, index) >= TRACE_RECENT; i++)
		if (sample->blocks[i].live && sample->blocks[i].class_id == block->class_id &&
		    sample->blocks[i].thread == block->thread &&
		    sample->blocks[i].tick == block->tick)
			return i;
	return index;
}

static inline void model_free(struct model *model, size_t given)
{
	struct sample *sample = model->sample;
	size_t index = model_first_alike(sample, given);

	assert(model->call_count < MODEL_CALLS);
	model->calls[model->call_count++] = (struct model_call){
	    .block = index,
	    .tick = sample->tick,
	    .age_allocations = model_age(sample, index),
	    .is_free = 1,
	};
	model->end = sample->tick;
	model->blocks[index] = (struct model_block){.freed = 1, .freed_tick = sample->tick};
	sample_deallocate(sample, index);
}

static inline void model_calls(struct model *model, unsigned count)
{
	struct sample *sample = model->sample;

	for (unsigned i = 0; i < count; i++) {
		uint32_t what = model_random(model, 100);
		size_t block =
		    sample->block_count ? model_random(model, (uint32_t)sample->block_count) : 0;

		if (what < 8)
			sample->tick += model_random(model, 30);
		else if (what < 16)
			sample->thread = 1 + model_random(model, sample->threads);
		else if (what < 55 || !sample->block_count)
			model_allocate(model, 1 + model_random(model, sample->class_count));
		else if (what < 70 && sample->blocks[sample->block_count - 1].live)
			model_free(model, sample->block_count - 1);
		else if (sample->blocks[block].live)
			model_free(model, block);
		if (model_random(model, 50))
			continue;
		model->end = sample->tick;
		trace_writer_timeline(sample->writer, sample->tick, sample->live_bytes,
				      sample->live_blocks, 4096 * sample->tick);
	}
}

/* --- which blocks --------------------------------------------------------------------- */

static inline int model_stack_has(const struct model *model, uint32_t node,
				  const struct filter_term *term)
{
	for (; node; node = model->parent[node]) {
		char text[32];

		if (term->key == FILTER_MODULE) {
			if (strstr(model_module_paths[model->module[node]], term->text))
				return 1;
			continue;
		}
		if (!model->module[node] || model->offset[node] >= 12)
			continue;
		for (int inlined = 0; inlined <= (model->offset[node] < 6); inlined++) {
			if (term->key == FILTER_FUNCTION)
				model_function(text, model->offset[node], inlined);
			else
				model_file(text, model->offset[node], inlined);
			if (strstr(text, term->text))
				return 1;
		}
	}
	return 0;
}

static inline int model_term(const struct model *model, size_t index, uint64_t tick,
			     const struct filter_term *term)
{
	const struct sample_block *block = &model->sample->blocks[index];
	const struct model_block *life = &model->blocks[index];
	uint64_t end = life->freed ? life->freed_tick : model->end;
	uint64_t value = tick;
	char tid[16];

	switch (term->key) {
	case FILTER_THREAD:
		snprintf(tid, sizeof(tid), "%u", 1000 + block->thread);
		return !strcmp(term->text, tid) ||
		       !strcmp(term->text, model_thread_names[(block->thread - 1) % 4]);
	case FILTER_FUNCTION:
	case FILTER_FILE:
	case FILTER_MODULE:
		return model_stack_has(model, model->class_node[block->class_id], term);
	case FILTER_SIZE:
		value = model->sample->class_size[block->class_id];
		break;
	case FILTER_LIFETIME:
		value = end - block->tick;
		break;
	case FILTER_TIME:
		break;
	}
	return term->from <= value && value < term->to;
}

/* Of one key, or of all (key < 0), as if the block had been allocated at that tick. */
static inline int model_passes(const struct model *model, size_t block, uint64_t tick,
			       const struct filter *filter, int only)
{
	for (int key = FILTER_TIME; key <= FILTER_MODULE; key++) {
		int asked = 0, alternative = 0;

		if (only >= 0 && key != only)
			continue;
		for (size_t i = 0; i < filter->count; i++) {
			const struct filter_term *term = &filter->terms[i];
			int holds = (int)term->key == key && model_term(model, block, tick, term);

			if (term->exclude && holds)
				return 0;
			if ((int)term->key == key && !term->exclude) {
				asked = 1;
				alternative |= holds;
			}
		}
		if (asked && !alternative)
			return 0;
	}
	return 1;
}

static inline int model_selects(const struct model *model, size_t block,
				const struct filter *filter)
{
	return model_passes(model, block, model->sample->blocks[block].tick, filter, -1);
}

/* The first tick behind the last that can be in range; no trace here is longer. */
static inline uint64_t model_range_end(const struct model *model, const struct filter *filter)
{
	uint64_t tick = 1000000;

	if (model_passes(model, 0, tick, filter, FILTER_TIME))
		return UINT64_MAX;
	while (tick && !model_passes(model, 0, tick - 1, filter, FILTER_TIME))
		tick--;
	return tick;
}

/* How many of the calls count. */
static inline size_t model_calls_until(const struct model *model, const struct filter *filter)
{
	const struct sample *sample = model->sample;
	uint64_t live = 0;

	if (filter->instant == FILTER_AT_PEAK && !sample->peak_bytes)
		return 0;
	for (size_t i = 0; i < model->call_count; i++) {
		const struct model_call *call = &model->calls[i];
		uint64_t size = sample->class_size[sample->blocks[call->block].class_id];

		live = call->is_free ? live - size : live + size;
		if (filter->instant == FILTER_AT_PEAK && live == sample->peak_bytes)
			return i + 1;
		if (filter->instant == FILTER_AT_TICK && call->tick > filter->tick)
			return i;
	}
	return model->call_count;
}

/* --- figures -------------------------------------------------------------------------- */

static inline void model_take_peak(struct model_result *result, uint64_t tick)
{
	result->peak_bytes = result->live_bytes;
	result->peak_blocks = result->live_blocks;
	result->peak_tick = tick;
	for (size_t i = 0; i < SAMPLE_CLASSES; i++)
		for (size_t j = 0; j < SAMPLE_THREADS; j++)
			result->figures[i][j].peak_live = result->figures[i][j].live;
}

static inline void model_count(struct model_result *result, const struct model *model,
			       const struct filter *filter, const struct model_call *call,
			       uint64_t range_end)
{
	const struct sample *sample = model->sample;
	const struct sample_block *block = &sample->blocks[call->block];
	uint64_t size = sample->class_size[block->class_id];
	int alive = call->is_free && call->tick >= range_end;

	for (uint32_t i = 0; i < 2; i++) {
		struct model_figures *figures =
		    &result->figures[block->class_id][i ? block->thread : 0];

		figures->allocations += !call->is_free;
		figures->temporary +=
		    call->is_free && call->age_allocations <= filter->temporary_threshold;
		figures->deallocations += call->is_free && !alive;
		figures->live = figures->allocations - figures->deallocations;
	}
	if (!call->is_free) {
		result->live_bytes += size;
		result->live_blocks++;
	} else if (!alive) {
		result->live_bytes -= size;
		result->live_blocks--;
	}
	if (result->live_bytes > result->peak_bytes)
		model_take_peak(result, call->tick);
}

/* The calls up to a tick, for points; UINT64_MAX: all. */
static inline struct model_result *model_select(const struct model *model,
						const struct filter *filter, uint64_t tick)
{
	struct model_result *result = calloc(1, sizeof(*result));
	uint64_t range_end = model_range_end(model, filter);
	size_t count = model_calls_until(model, filter);

	assert(result);
	for (size_t i = 0; i < count; i++)
		if (model->calls[i].tick <= tick &&
		    model_selects(model, model->calls[i].block, filter))
			model_count(result, model, filter, &model->calls[i], range_end);
	return result;
}

static inline void model_finish(struct model *model)
{
	model->end = model->sample->tick;
	sample_finish(model->sample);
}

static inline struct model *model_new(uint64_t seed, enum trace_codec codec)
{
	struct model *model = calloc(1, sizeof(*model));

	assert(model);
	model->sample = sample_new(codec);
	model->seed = seed;
	return model;
}

static inline void model_free_all(struct model *model)
{
	sample_free_all(model->sample);
	free(model);
}

#endif
