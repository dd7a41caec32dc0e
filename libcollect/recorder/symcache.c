/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "libcollect/recorder/symcache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/error.h"
#include "formats/trace/reader.h"

/* Beyond this the cache is emptied before the next recording. */
#define BYTES_MOST (UINT64_C(256) << 20)
enum { FIRST_BITS = 10, COUNT_MOST = 1u << 30, IDENTITY_BYTES = 4608 };

struct symcache_place {
	int64_t offset;
	uint32_t file; /* string id of its identity */
	uint32_t generation;
	uint32_t question; /* the last that was about it */
	uint32_t first_frame;
	uint16_t frame_count;
	uint8_t known; /* frame_count 0: has no name */
};

struct symcache_string {
	size_t start;
	uint32_t size, hash;
};

struct symcache_suppressions {
	uint32_t file; /* string id of its identity */
	uint32_t text; /* string id; 0: not known */
};

static inline struct symcache_place *place_at(const struct symcache *cache, uint32_t number)
{
	return (struct symcache_place *)cache->places.base + number;
}

static inline struct symcache_string *string_at(const struct symcache *cache, uint32_t id)
{
	return (struct symcache_string *)cache->strings.base + id;
}

static const char *text_of(const struct symcache *cache, const struct symcache_string *string)
{
	return (const char *)cache->texts.base + string->start;
}

void symcache_release(struct symcache *cache)
{
	area_release(&cache->places);
	area_release(&cache->place_index);
	area_release(&cache->frames);
	area_release(&cache->texts);
	area_release(&cache->strings);
	area_release(&cache->string_index);
	area_release(&cache->suppressions);
	free(cache->files);
	memset(cache, 0, sizeof(*cache));
}

/* --- strings ------------------------------------------------------------------- */

static uint32_t hash_bytes(const char *bytes, size_t size)
{
	uint64_t h = size;

	for (size_t i = 0; i < size; i++)
		h = (h ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
	return (uint32_t)(h ^ h >> 32);
}

static int grow_strings(struct symcache *cache)
{
	uint32_t bits = cache->string_bits == 0 ? FIRST_BITS : cache->string_bits + 1;
	uint32_t mask = (1u << bits) - 1;
	struct area index = {0};

	if (area_reserve(&index, sizeof(uint32_t) << bits) != 0)
		return ERROR_MEMORY;
	for (uint32_t id = 1; id <= cache->string_count; id++) {
		uint32_t at = string_at(cache, id)->hash & mask;

		while (((uint32_t *)index.base)[at] != 0)
			at = (at + 1) & mask;
		((uint32_t *)index.base)[at] = id;
	}
	area_release(&cache->string_index);
	cache->string_index = index;
	cache->string_bits = bits;
	return 0;
}

/* The id of a string, each kept once; 0: out of memory. */
static uint32_t intern(struct symcache *cache, const char *bytes, size_t size)
{
	uint32_t hash = hash_bytes(bytes, size), id = cache->string_count + 1, mask, at;

	if ((cache->string_bits == 0 || id > 1u << cache->string_bits >> 1) &&
	    (id > COUNT_MOST || grow_strings(cache) != 0))
		return 0;
	mask = (1u << cache->string_bits) - 1;
	for (at = hash & mask; ((uint32_t *)cache->string_index.base)[at] != 0;
	     at = (at + 1) & mask) {
		uint32_t known = ((uint32_t *)cache->string_index.base)[at];
		const struct symcache_string *string = string_at(cache, known);

		if (string->hash == hash && string->size == size &&
		    memcmp(text_of(cache, string), bytes, size) == 0)
			return known;
	}
	if (area_reserve(&cache->texts, cache->text_bytes + size) != 0 ||
	    area_reserve(&cache->strings, (id + UINT64_C(1)) * sizeof(struct symcache_string)) != 0)
		return 0;
	memcpy((char *)cache->texts.base + cache->text_bytes, bytes, size);
	*string_at(cache, id) = (struct symcache_string){cache->text_bytes, (uint32_t)size, hash};
	cache->text_bytes += size;
	cache->string_count = id;
	((uint32_t *)cache->string_index.base)[at] = id;
	return id;
}

/* --- places ---------------------------------------------------------------------- */

static uint32_t hash_place(uint32_t file, int64_t offset)
{
	uint64_t h = ((uint64_t)offset ^ (uint64_t)file << 40) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)(h >> 32);
}

static int grow_places(struct symcache *cache)
{
	uint32_t bits = cache->place_bits == 0 ? FIRST_BITS : cache->place_bits + 1;
	uint32_t mask = (1u << bits) - 1;
	struct area index = {0};

	if (area_reserve(&index, sizeof(uint32_t) << bits) != 0)
		return ERROR_MEMORY;
	for (uint32_t number = 1; number <= cache->place_count; number++) {
		const struct symcache_place *place = place_at(cache, number);
		uint32_t at = hash_place(place->file, place->offset) & mask;

		while (((uint32_t *)index.base)[at] != 0)
			at = (at + 1) & mask;
		((uint32_t *)index.base)[at] = number;
	}
	area_release(&cache->place_index);
	cache->place_index = index;
	cache->place_bits = bits;
	return 0;
}

/* The place, made when it is new; NULL: out of memory. */
static struct symcache_place *find_place(struct symcache *cache, uint32_t file, int64_t offset)
{
	uint32_t number = cache->place_count + 1, mask, at;
	uint32_t *index;

	if ((cache->place_bits == 0 || number > 1u << cache->place_bits >> 1) &&
	    (number > COUNT_MOST || grow_places(cache) != 0))
		return NULL;
	mask = (1u << cache->place_bits) - 1;
	index = cache->place_index.base;
	for (at = hash_place(file, offset) & mask; index[at] != 0; at = (at + 1) & mask) {
		struct symcache_place *place = place_at(cache, index[at]);

		if (place->file == file && place->offset == offset)
			return place;
	}
	if (area_reserve(&cache->places, (number + UINT64_C(1)) * sizeof(struct symcache_place)) !=
	    0)
		return NULL;
	*place_at(cache, number) = (struct symcache_place){.file = file, .offset = offset};
	cache->place_count = number;
	index[at] = number;
	return place_at(cache, number);
}

/* --- the recording at hand ----------------------------------------------------------- */

/* What the module is the same by in other recordings. */
static size_t identity(const struct modules *modules, const struct module *module, uint32_t epoch,
		       char *text)
{
	if (module->build_id_bytes != 0 && module->build_id_bytes < IDENTITY_BYTES) {
		memcpy(text, module->text + module->path_bytes, module->build_id_bytes);
		return module->build_id_bytes;
	}
	return (size_t)snprintf(text, IDENTITY_BYTES, "%.*s of %u, module %u",
				(int)module->path_bytes, module->text, epoch,
				(unsigned)(module - modules->list));
}

int symcache_begin(struct symcache *cache, const struct stacks *stacks, uint32_t epoch)
{
	const struct modules *modules = &stacks->modules;
	char text[IDENTITY_BYTES];
	size_t size;

	if (cache->places.bytes + cache->frames.bytes + cache->texts.bytes + cache->strings.bytes >
	    BYTES_MOST)
		symcache_release(cache);
	free(cache->files);
	cache->file_count = 0;
	cache->files = calloc(modules->file_count + UINT64_C(1), sizeof(*cache->files));
	if (cache->files == NULL)
		return ERROR_MEMORY;
	cache->file_count = modules->file_count;
	size = (size_t)snprintf(text, sizeof(text), "nowhere of %u", epoch);
	cache->files[0] = intern(cache, text, size);
	for (uint32_t i = 0; i < modules->count; i++) {
		const struct module *module = &modules->list[i];

		if (module->file_id == 0 || cache->files[module->file_id] != 0)
			continue;
		size = identity(modules, module, epoch, text);
		cache->files[module->file_id] = intern(cache, text, size);
	}
	return 0;
}

/* Calls back for each place of the recording, once. ERROR_MEMORY: not for all. */
static int walk(struct symcache *cache, const struct stacks *stacks,
		void (*call)(struct symcache *, struct symcache_place *, uint32_t module,
			     void *context),
		void *context)
{
	struct stacks_place at;
	int error = 0;

	if (cache->files == NULL)
		return ERROR_MEMORY;
	cache->generation++;
	for (uint32_t id = 1; id <= stacks->node_count; id++) {
		struct symcache_place *place;

		if (stacks_place(stacks, id, &at) != 0 || at.module > cache->file_count)
			continue;
		place = find_place(cache, cache->files[at.module], at.offset);
		if (place == NULL)
			error = ERROR_MEMORY;
		if (place == NULL || place->generation == cache->generation)
			continue;
		place->generation = cache->generation;
		call(cache, place, at.module, context);
	}
	return error;
}

static void count_missing(struct symcache *cache, struct symcache_place *place, uint32_t module,
			  void *context)
{
	(void)cache, (void)module;
	*(uint32_t *)context += !place->known;
}

uint32_t symcache_missing(struct symcache *cache, const struct stacks *stacks)
{
	uint32_t missing = 0;

	return walk(cache, stacks, count_missing, &missing) != 0 && missing == 0 ? 1 : missing;
}

struct question {
	struct trace_writer *writer;
	uint32_t before;
};

static void ask(struct symcache *cache, struct symcache_place *place, uint32_t module,
		void *context)
{
	const struct question *question = context;

	if (place->known || (question->before != 0 && place->question == question->before))
		return;
	place->question = cache->questions;
	trace_writer_node(question->writer, 0, module, place->offset, 0);
}

static void write_modules(const struct modules *modules, struct trace_writer *writer)
{
	for (uint32_t id = 1; id <= modules->file_count; id++)
		for (uint32_t i = 0; i < modules->count; i++) {
			const struct module *module = &modules->list[i];

			if (module->file_id != id)
				continue;
			trace_writer_module(writer, module->start, module->end, module->base,
					    module->text, module->path_bytes,
					    module->text + module->path_bytes,
					    module->build_id_bytes);
			break;
		}
}

int64_t symcache_question(struct symcache *cache, const struct stacks *stacks, uint32_t before,
			  int fd)
{
	struct question question = {trace_writer_new(fd, TRACE_CODEC_NONE, 0), before};
	int error = ERROR_MEMORY;

	if (question.writer != NULL) {
		cache->questions++;
		write_modules(&stacks->modules, question.writer);
		walk(cache, stacks, ask, &question);
		error = trace_writer_flush(question.writer);
	}
	trace_writer_free(question.writer);
	return error == 0 ? (int64_t)cache->questions : error;
}

/* --- answers ---------------------------------------------------------------------------- */

struct answer {
	struct symcache *cache;
	struct area strings; /* our ids by theirs */
	uint32_t string_count;
};

static int take_string(void *context, uint32_t id, const struct trace_text *string)
{
	struct answer *answer = context;

	if (area_reserve(&answer->strings, (id + UINT64_C(1)) * sizeof(uint32_t)) != 0)
		return ERROR_MEMORY;
	((uint32_t *)answer->strings.base)[id] = intern(answer->cache, string->bytes, string->size);
	answer->string_count = id;
	return 0;
}

static uint32_t our_string(const struct answer *answer, uint32_t id)
{
	return id != 0 && id <= answer->string_count ? ((uint32_t *)answer->strings.base)[id] : 0;
}

static int take_symbol(void *context, uint32_t module, int64_t offset,
		       const struct trace_frame *frames, size_t count)
{
	struct answer *answer = context;
	struct symcache *cache = answer->cache;
	struct symcache_place *place;

	if (module > cache->file_count || count > UINT16_MAX)
		return 0;
	place = find_place(cache, cache->files[module], offset);
	if (place == NULL ||
	    area_reserve(&cache->frames, (cache->frame_count + count) * sizeof(*frames)) != 0)
		return ERROR_MEMORY;
	if (place->known)
		return 0;
	place->known = 1;
	place->first_frame = cache->frame_count;
	place->frame_count = (uint16_t)count;
	for (size_t i = 0; i < count; i++)
		((struct trace_frame *)cache->frames.base)[cache->frame_count++] =
		    (struct trace_frame){our_string(answer, frames[i].function),
					 our_string(answer, frames[i].file), frames[i].line};
	return 0;
}

static const struct symcache_suppressions *find_suppressions(const struct symcache *cache,
							     uint32_t file)
{
	const struct symcache_suppressions *all = cache->suppressions.base;

	for (uint32_t i = 0; i < cache->suppressions_count; i++)
		if (all[i].file == file)
			return &all[i];
	return NULL;
}

static int take_suppressions(void *context, uint32_t module, uint32_t string)
{
	struct answer *answer = context;
	struct symcache *cache = answer->cache;
	size_t bytes = (cache->suppressions_count + 1) * sizeof(struct symcache_suppressions);

	if (module > cache->file_count || find_suppressions(cache, cache->files[module]))
		return 0;
	if (area_reserve(&cache->suppressions, bytes) != 0)
		return ERROR_MEMORY;
	((struct symcache_suppressions *)cache->suppressions.base)[cache->suppressions_count++] =
	    (struct symcache_suppressions){cache->files[module], our_string(answer, string)};
	return 0;
}

static void settle(struct symcache *cache, struct symcache_place *place, uint32_t module,
		   void *context)
{
	(void)cache, (void)module, (void)context;
	place->known = 1;
}

static int append(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t written = write(fd, bytes, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return ERROR_SYSTEM;
		bytes += written;
		size -= (size_t)written;
	}
	return 0;
}

int symcache_answer(struct symcache *cache, const struct stacks *stacks, int trace_fd,
		    const void *blocks, size_t size, int complete)
{
	static const struct trace_visitor visitor = {
	    .string = take_string, .symbol = take_symbol, .suppressions = take_suppressions};
	struct answer answer = {.cache = cache};
	struct trace_reader *reader;
	enum trace_state state;
	char path[48];
	int error;

	if (lseek(trace_fd, 0, SEEK_END) < 0 || append(trace_fd, blocks, size) != 0)
		return ERROR_SYSTEM;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", trace_fd);
	error = trace_reader_open(&reader, path);
	if (error == 0) {
		error = trace_reader_read(reader, &visitor, &answer, &state);
		trace_reader_close(reader);
	}
	area_release(&answer.strings);
	if (error == 0 && complete)
		walk(cache, stacks, settle, NULL);
	return error;
}

/* --- writing --------------------------------------------------------------------------------- */

struct writing {
	struct trace_writer *writer;
	uint32_t *strings; /* the trace's ids by ours */
	uint32_t count;
	int error;
};

static uint32_t their_string(const struct symcache *cache, struct writing *writing, uint32_t id)
{
	const struct symcache_string *string = string_at(cache, id);

	if (id != 0 && writing->strings[id] == 0 &&
	    trace_writer_string(writing->writer, text_of(cache, string), string->size) == 0)
		writing->strings[id] = ++writing->count;
	return id != 0 ? writing->strings[id] : 0;
}

static void write_place(struct symcache *cache, struct symcache_place *place, uint32_t module,
			void *context)
{
	const struct trace_frame *ours =
	    (const struct trace_frame *)cache->frames.base + place->first_frame;
	struct writing *writing = context;
	struct trace_frame *frames;

	if (place->frame_count == 0)
		return;
	frames = calloc(place->frame_count, sizeof(*frames));
	if (frames == NULL) {
		writing->error = ERROR_MEMORY;
		return;
	}
	for (unsigned i = 0; i < place->frame_count; i++)
		frames[i] =
		    (struct trace_frame){their_string(cache, writing, ours[i].function),
					 their_string(cache, writing, ours[i].file), ours[i].line};
	trace_writer_symbol(writing->writer, module, place->offset, frames, place->frame_count);
	free(frames);
}

static int is_program(const struct modules *modules, const struct module *module)
{
	return modules->program != NULL && strlen(modules->program) == module->path_bytes &&
	       memcmp(modules->program, module->text, module->path_bytes) == 0;
}

/* Of the first file that has the function, as the dynamic linker looks for one: the program, then
 * the others in the order in which they were loaded. */
static void write_suppressions(const struct symcache *cache, const struct modules *modules,
			       struct writing *writing)
{
	for (int program = 1; program >= 0; program--)
		for (uint32_t i = 0; i < modules->count; i++) {
			const struct module *module = &modules->list[i];
			const struct symcache_suppressions *found;

			if (module->file_id == 0 || module->file_id > cache->file_count ||
			    is_program(modules, module) != program)
				continue;
			found = find_suppressions(cache, cache->files[module->file_id]);
			if (found == NULL)
				continue;
			trace_writer_suppressions(writing->writer, module->file_id,
						  their_string(cache, writing, found->text));
			return;
		}
}

int symcache_write(struct symcache *cache, const struct stacks *stacks, struct trace_writer *writer)
{
	struct writing writing = {.writer = writer};
	int error = ERROR_MEMORY;

	writing.strings = calloc(cache->string_count + UINT64_C(1), sizeof(uint32_t));
	if (writing.strings != NULL) {
		error = walk(cache, stacks, write_place, &writing);
		write_suppressions(cache, &stacks->modules, &writing);
	}
	free(writing.strings);
	return error != 0 ? error : writing.error;
}
