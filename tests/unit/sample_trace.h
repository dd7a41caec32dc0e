/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TEST_SAMPLE_TRACE_H
#define MALLOGRAPH_TEST_SAMPLE_TRACE_H

/*
 * Traces that a test writes, with a second, slow count of everything beside
 * them: each block is remembered, and at a new peak all classes are copied.
 * Header only: every unit test is one file.
 */

#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/trace/writer.h"

#define SAMPLE_CLASSES 512
#define SAMPLE_THREADS 16
#define SAMPLE_BLOCKS  65536

struct sample_block {
	uint32_t class_id, thread;
	uint64_t tick, number; /* of the thread's allocations, this one included */
	int live;
};

struct sample {
	struct trace_writer *writer;
	char path[64];
	uint64_t tick;
	uint32_t thread;
	uint32_t modules, nodes, class_count, threads, strings;
	uint64_t class_size[SAMPLE_CLASSES];
	struct trace_class_counters classes[SAMPLE_CLASSES];
	struct trace_thread_counters thread_counters[SAMPLE_THREADS];
	struct sample_block blocks[SAMPLE_BLOCKS];
	size_t block_count;
	uint64_t allocations, deallocations, reallocations, temporary, bytes;
	uint64_t live_bytes, live_blocks, peak_bytes, peak_blocks, peak_tick;
};

static inline struct sample *sample_new(enum trace_codec codec)
{
	struct sample *sample = calloc(1, sizeof(*sample));
	int fd;

	assert(sample);
	strcpy(sample->path, "/tmp/mallograph-test-XXXXXX");
	fd = mkstemp(sample->path);
	assert(fd >= 0);
	sample->writer = trace_writer_new(fd, codec, 0);
	assert(sample->writer);
	trace_writer_meta_bytes(sample->writer, TRACE_META_PROGRAM, "/bin/app", 8);
	trace_writer_meta_bytes(sample->writer, TRACE_META_ARGUMENT, "./app", 5);
	trace_writer_meta_bytes(sample->writer, TRACE_META_ARGUMENT, "a b", 3);
	trace_writer_meta_number(sample->writer, TRACE_META_PID, 77);
	return sample;
}

/* The trace's file stays for the test to read; sample_free_all() removes it. */
static inline void sample_free_all(struct sample *sample)
{
	unlink(sample->path);
	trace_writer_free(sample->writer);
	free(sample);
}

static inline uint32_t sample_module(struct sample *sample, uint64_t start, const char *path)
{
	trace_writer_module(sample->writer, start, start + 0x100000, start, path, strlen(path), "",
			    0);
	return ++sample->modules;
}

static inline uint32_t sample_node(struct sample *sample, uint32_t parent, uint32_t module,
				   int64_t offset, unsigned flags)
{
	trace_writer_node(sample->writer, parent, module, offset, flags);
	return ++sample->nodes;
}

static inline uint32_t sample_class(struct sample *sample, uint32_t node, uint64_t size)
{
	trace_writer_class(sample->writer, node, size, TRACE_FUNCTION_MALLOC);
	sample->class_size[++sample->class_count] = size;
	assert(sample->class_count < SAMPLE_CLASSES);
	return sample->class_count;
}

static inline uint32_t sample_thread(struct sample *sample, const char *name)
{
	sample->threads++;
	assert(sample->threads < SAMPLE_THREADS);
	trace_writer_thread(sample->writer, sample->threads, 1000 + sample->threads, name,
			    strlen(name));
	sample->thread = sample->threads;
	return sample->threads;
}

static inline size_t sample_allocate_marked(struct sample *sample, uint32_t class_id, int realloc_)
{
	uint64_t size = sample->class_size[class_id];
	struct trace_thread_counters *thread = &sample->thread_counters[sample->thread];

	assert(sample->block_count < SAMPLE_BLOCKS);
	trace_writer_allocation(sample->writer, sample->tick, sample->thread, class_id, realloc_);
	sample->allocations++;
	sample->reallocations += realloc_ != 0;
	sample->bytes += size;
	sample->live_blocks++;
	sample->live_bytes += size;
	sample->classes[class_id].allocations++;
	thread->allocations++;
	thread->bytes += size;
	sample->blocks[sample->block_count] = (struct sample_block){
	    .class_id = class_id,
	    .thread = sample->thread,
	    .tick = sample->tick,
	    .number = thread->allocations,
	    .live = 1,
	};
	if (sample->live_bytes > sample->peak_bytes) {
		sample->peak_bytes = sample->live_bytes;
		sample->peak_blocks = sample->live_blocks;
		sample->peak_tick = sample->tick;
		for (uint32_t i = 1; i <= sample->class_count; i++)
			sample->classes[i].peak_live =
			    sample->classes[i].allocations - sample->classes[i].deallocations;
	}
	return sample->block_count++;
}

static inline size_t sample_allocate(struct sample *sample, uint32_t class_id)
{
	return sample_allocate_marked(sample, class_id, 0);
}

static inline void sample_deallocate_marked(struct sample *sample, size_t index, int realloc_)
{
	struct sample_block *block = &sample->blocks[index];
	struct trace_thread_counters *thread = &sample->thread_counters[block->thread];
	struct trace_deallocation deallocation = {
	    .class_id = block->class_id,
	    .allocating_thread = block->thread,
	    .age_ticks = sample->tick - block->tick,
	    .age_allocations = thread->allocations - block->number,
	    .realloc = realloc_,
	};
	int temporary = deallocation.age_allocations == 0;

	assert(block->live);
	block->live = 0;
	trace_writer_deallocation(sample->writer, sample->tick, sample->thread, &deallocation);
	sample->deallocations++;
	sample->temporary += temporary;
	sample->live_blocks--;
	sample->live_bytes -= sample->class_size[block->class_id];
	sample->classes[block->class_id].deallocations++;
	sample->classes[block->class_id].temporary += temporary;
	thread->deallocations++;
	thread->temporary += temporary;
}

static inline void sample_deallocate(struct sample *sample, size_t index)
{
	sample_deallocate_marked(sample, index, 0);
}

static inline size_t sample_reallocate(struct sample *sample, size_t index, uint32_t class_id)
{
	sample_deallocate_marked(sample, index, 1);
	return sample_allocate_marked(sample, class_id, 1);
}

static inline uint32_t sample_string(struct sample *sample, const char *text)
{
	trace_writer_string(sample->writer, text, strlen(text));
	return ++sample->strings;
}

/* One function without anything inlined. */
static inline void sample_symbol(struct sample *sample, uint32_t module, int64_t offset,
				 const char *function, const char *file, uint32_t line)
{
	struct trace_frame frame = {.line = line};

	frame.function = sample_string(sample, function);
	frame.file = file ? sample_string(sample, file) : 0;
	trace_writer_symbol(sample->writer, module, offset, &frame, 1);
}

/* The counters and the END block, as a recorder writes them. */
static inline void sample_finish(struct sample *sample)
{
	struct trace_writer *writer = sample->writer;

	for (uint32_t i = 1; i <= sample->class_count; i++)
		trace_writer_class_counters(writer, &sample->classes[i]);
	for (uint32_t i = 1; i <= sample->threads; i++)
		trace_writer_thread_counters(writer, &sample->thread_counters[i]);
	trace_writer_end_number(writer, TRACE_END_HOW, TRACE_ENDING_EXITED);
	trace_writer_end_number(writer, TRACE_END_TICK, sample->tick);
	trace_writer_end_number(writer, TRACE_END_PEAK_BYTES, sample->peak_bytes);
	trace_writer_end_number(writer, TRACE_END_PEAK_BLOCKS, sample->peak_blocks);
	trace_writer_end_number(writer, TRACE_END_PEAK_TICK, sample->peak_tick);
	trace_writer_end_number(writer, TRACE_END_ALLOCATIONS, sample->allocations);
	trace_writer_end_number(writer, TRACE_END_DEALLOCATIONS, sample->deallocations);
	trace_writer_end_number(writer, TRACE_END_REALLOCATIONS, sample->reallocations);
	trace_writer_end_number(writer, TRACE_END_TEMPORARY, sample->temporary);
	trace_writer_end_number(writer, TRACE_END_BYTES, sample->bytes);
	trace_writer_end_number(writer, TRACE_END_LEAKED_BLOCKS, sample->live_blocks);
	trace_writer_end_number(writer, TRACE_END_LEAKED_BYTES, sample->live_bytes);
	assert(!trace_writer_finish(writer));
}

#endif
