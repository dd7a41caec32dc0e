/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Three steps: gather the places (module, offset) of all nodes, each once; go
 * through the modules, those with most nodes first, one open at a time; write
 * what was found after each module, so that dying in the next one costs
 * nothing that was found before. Where a second trace comes later, all three are gone
 * through twice; what the first time left out is tried again then.
 */
#include "analyzer/symbols/symbolize.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/model/id_table.h"
#include "analyzer/symbols/perf_map.h"
#include "analyzer/symbols/string_pool.h"
#include "formats/error.h"
#include "formats/trace/reader.h"
#include "formats/trace/writer.h"

#define FRAMES_MAX             64
#define PLACES_BETWEEN_FLUSHES 8192
/* of heap, for files that wait for a second trace */
#define KEPT_BYTES (UINT64_C(48) << 20)

struct place {
	uint32_t module; /* 0: outside all modules */
	int64_t offset;
};

struct traced_module {
	uint64_t start, base;
	char *path;
	unsigned char *build_id;
	size_t build_id_bytes;
	size_t first, count; /* its places */
	uint64_t nodes;
	int done;
	struct symbol_module *kept; /* for the second trace */
};

struct work {
	const struct symbolize_options *options;
	uint64_t deadline, memory;
	struct place *places; /* each once */
	size_t place_count, place_allocated;
	struct id_table place_ids;     /* index in places + 1; while the trace is read */
	struct traced_module *modules; /* by id; 0 stands for no module */
	size_t module_count, module_allocated;
	struct string_pool strings;
	struct trace_writer *writer;
	unsigned skipped;
	int again; /* there will be a second trace */
};

/* ---- reading the trace ---- */

static int take_module(void *context, uint32_t id, const struct trace_module *module)
{
	struct work *work = context;
	while (work->module_count <= id) {
		if (work->module_count == work->module_allocated) {
			size_t allocated = work->module_allocated ? work->module_allocated * 2 : 64;
			struct traced_module *grown =
			    reallocarray(work->modules, allocated, sizeof(*grown));
			if (!grown)
				return ERROR_MEMORY;
			work->modules = grown;
			work->module_allocated = allocated;
		}
		memset(&work->modules[work->module_count++], 0, sizeof(*work->modules));
	}
	struct traced_module *taken = &work->modules[id];
	if (taken->path)
		return 0;
	taken->start = module->start;
	taken->base = module->base;
	taken->path = strndup(module->path.bytes, module->path.size);
	taken->build_id_bytes = module->build_id.size;
	taken->build_id = malloc(module->build_id.size + 1);
	if (!taken->path || !taken->build_id)
		return ERROR_MEMORY;
	memcpy(taken->build_id, module->build_id.bytes, module->build_id.size);
	return 0;
}

static int is_place(const void *context, const void *key, uint32_t id)
{
	const struct place *a = key, *b = &((const struct work *)context)->places[id - 1];
	return a->module == b->module && a->offset == b->offset;
}

static int add_place(struct work *work, const struct place *place)
{
	uint64_t hash = id_table_hash(id_table_hash(0, place->module), (uint64_t)place->offset);
	if (id_table_find(&work->place_ids, hash, is_place, work, place))
		return 0;
	if (work->place_count == work->place_allocated) {
		size_t allocated = work->place_allocated ? work->place_allocated * 2 : 4096;
		struct place *grown = reallocarray(work->places, allocated, sizeof(*grown));
		if (!grown)
			return ERROR_MEMORY;
		work->places = grown;
		work->place_allocated = allocated;
	}
	work->places[work->place_count++] = *place;
	return id_table_add(&work->place_ids, hash, (uint32_t)work->place_count);
}

static int take_node(void *context, uint32_t id, const struct trace_node *node)
{
	struct work *work = context;
	(void)id;
	/* a node that stands for something else than code */
	if (node->flags & TRACE_NODE_CUT || (node->module == 0 && node->offset == 0))
		return 0;
	work->modules[node->module].nodes++;
	return add_place(work, &(struct place){node->module, node->offset});
}

static int compare_places(const void *left, const void *right)
{
	const struct place *a = left, *b = right;
	if (a->module != b->module)
		return a->module < b->module ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

/* Tells the modules which are theirs. */
static void sort_places(struct work *work)
{
	if (work->place_count > 0)
		qsort(work->places, work->place_count, sizeof(*work->places), compare_places);
	for (size_t i = 0; i < work->module_count; i++)
		work->modules[i].count = 0;
	for (size_t i = 0; i < work->place_count; i++) {
		struct traced_module *module = &work->modules[work->places[i].module];
		if (module->count++ == 0)
			module->first = i;
	}
}

static int read_trace(struct work *work, const char *path)
{
	static const struct trace_text none = {"", 0};
	const struct trace_module no_module = {.path = none, .build_id = none};
	const struct trace_visitor visitor = {.module = take_module, .node = take_node};
	struct trace_reader *reader;
	enum trace_state state;

	int status = take_module(work, 0, &no_module);
	if (status == 0)
		status = trace_reader_open(&reader, path);
	if (status < 0)
		return status;
	/* whatever the state: the part that could be read gets its names */
	status = trace_reader_read(reader, &visitor, work, &state);
	trace_reader_close(reader);
	id_table_release(&work->place_ids);
	if (status < 0)
		return status;
	sort_places(work);
	return 0;
}

/* ---- writing ---- */

static int string_id(struct work *work, const char *text, uint32_t *id)
{
	*id = 0;
	if (!text)
		return 0;
	size_t before = work->strings.count;
	uint32_t found = string_pool_add(&work->strings, text);
	if (found == 0)
		return ERROR_MEMORY;
	*id = found;
	if (work->strings.count == before)
		return 0;
	return trace_writer_string(work->writer, text, strlen(text));
}

static int write_symbol(struct work *work, const struct place *place,
			const struct symbol_frame *found, size_t count)
{
	struct trace_frame frames[FRAMES_MAX];
	for (size_t i = 0; i < count; i++) {
		int status = string_id(work, found[i].function, &frames[i].function);
		if (status == 0)
			status = string_id(work, found[i].file, &frames[i].file);
		if (status < 0)
			return status;
		frames[i].line = found[i].line;
	}
	return trace_writer_symbol(work->writer, place->module, place->offset, frames, count);
}

/* ---- one file, for all modules that it was mapped as ---- */

static int same_file(const struct traced_module *a, const struct traced_module *b)
{
	return strcmp(a->path, b->path) == 0 && a->build_id_bytes == b->build_id_bytes &&
	       memcmp(a->build_id, b->build_id, a->build_id_bytes) == 0;
}

static int resolve_places(struct work *work, struct symbol_module *symbols,
			  const struct traced_module *module)
{
	struct symbol_frame frames[FRAMES_MAX];
	for (size_t i = module->first; i < module->first + module->count; i++) {
		const struct place *place = &work->places[i];
		/* a return address lies behind its call, perhaps in another function */
		uint64_t address = module->start + (uint64_t)place->offset - module->base - 1;
		size_t count = symbol_module_find(symbols, address, frames, FRAMES_MAX);
		if (work->again && symbol_module_limited(symbols))
			return 0;
		if (count == 0)
			continue;
		int status = write_symbol(work, place, frames, count);
		if (status == 0 && (i - module->first) % PLACES_BETWEEN_FLUSHES == 0)
			status = trace_writer_flush(work->writer);
		if (status < 0)
			return status;
	}
	return 0;
}

static int write_suppressions(struct work *work, const struct symbol_module *symbols, size_t id)
{
	char *text;
	uint32_t string;
	int found = symbol_module_suppressions(symbols, &text);
	int status = found > 0 ? string_id(work, text, &string) : found;
	if (status == 0 && found > 0)
		status = trace_writer_suppressions(work->writer, (uint32_t)id, string);
	free(text);
	return status;
}

static int module_fd(const struct work *work, size_t id)
{
	return id < work->options->module_fd_count ? work->options->module_fds[id] : -1;
}

static int is_late(const struct work *work)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return work->deadline &&
	       (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec >= work->deadline;
}

/* 1: it was open already; 0; or a negative error. */
static int open_file(struct work *work, size_t id, struct symbol_module **symbols)
{
	struct traced_module *module = &work->modules[id];
	struct symbol_options options = {.sysroot = work->options->sysroot,
					 .debug_info = 1,
					 .deadline = work->deadline,
					 .memory = work->memory};
	*symbols = NULL;
	for (size_t i = 1; i < work->module_count; i++)
		if (work->modules[i].kept && same_file(module, &work->modules[i])) {
			*symbols = work->modules[i].kept;
			work->modules[i].kept = NULL;
			symbol_module_allow(*symbols, work->memory);
			return 1;
		}
	if (work->again && options.memory > KEPT_BYTES)
		options.memory = KEPT_BYTES;
	int status = is_late(work)
			 ? ERROR_LIMIT
			 : symbol_module_open(symbols, module->path, module_fd(work, id),
					      module->build_id, module->build_id_bytes, &options);
	if (status == 0 && work->again && symbol_module_limited(*symbols)) {
		symbol_module_close(*symbols);
		*symbols = NULL;
		return ERROR_LIMIT;
	}
	return status;
}

/* What was not to be had in little memory is for the second trace. */
static void put_off(struct work *work, const struct traced_module *module)
{
	for (size_t i = 1; i < work->module_count; i++)
		if (same_file(module, &work->modules[i]))
			work->modules[i].done = 0;
}

static int resolve_file(struct work *work, size_t id)
{
	struct traced_module *module = &work->modules[id];
	struct symbol_module *symbols;
	int opened = open_file(work, id, &symbols);
	if (opened < 0 && work->again)
		return 0;
	int status = opened == 0 ? write_suppressions(work, symbols, id) : 0;
	for (size_t other = 1; other < work->module_count && status == 0; other++) {
		struct traced_module *same = &work->modules[other];
		if (same->done || !same_file(module, same))
			continue;
		same->done = 1;
		if (same->count > 0 && opened < 0)
			work->skipped++;
		else if (same->count > 0)
			status = resolve_places(work, symbols, same);
	}
	int limited = opened >= 0 && symbol_module_limited(symbols);
	if (work->again && !limited) {
		module->kept = symbols;
	} else {
		if (work->again)
			put_off(work, module);
		else if (limited)
			work->skipped++;
		symbol_module_close(symbols);
	}
	return status == 0 ? trace_writer_flush(work->writer) : status;
}

static int compare_weights(const void *left, const void *right, void *context)
{
	const struct work *work = context;
	size_t a = *(const size_t *)left, b = *(const size_t *)right;
	uint64_t a_nodes = work->modules[a].nodes, b_nodes = work->modules[b].nodes;
	if (a_nodes != b_nodes)
		return a_nodes > b_nodes ? -1 : 1;
	return (a > b) - (a < b);
}

static int resolve_modules(struct work *work)
{
	size_t *order = reallocarray(NULL, work->module_count, sizeof(*order));
	if (!order)
		return ERROR_MEMORY;
	for (size_t i = 0; i < work->module_count; i++)
		order[i] = i;
	qsort_r(order, work->module_count, sizeof(*order), compare_weights, work);
	int status = 0;
	for (size_t i = 0; i < work->module_count && status == 0; i++) {
		struct traced_module *module = &work->modules[order[i]];
		if (order[i] != 0 && !module->done && module->count > 0)
			status = resolve_file(work, order[i]);
	}
	free(order);
	return status;
}

/* ---- code outside all modules ---- */

static int resolve_perf_map(struct work *work)
{
	const struct traced_module *outside = &work->modules[0];
	if (work->options->perf_map_pid <= 0 || outside->count == 0)
		return 0;
	struct perf_map_name *names = calloc(outside->count, sizeof(*names));
	char *path = NULL;
	int status = ERROR_MEMORY;
	if (!names || asprintf(&path, "/tmp/perf-%d.map", work->options->perf_map_pid) < 0)
		goto out;
	/* sorted as signed numbers, which is the same: no program lies above 2^63 */
	for (size_t i = 0; i < outside->count; i++)
		names[i].address = (uint64_t)work->places[outside->first + i].offset - 1;
	status = perf_map_read(path, names, outside->count, work->deadline);
	for (size_t i = 0; i < outside->count && status == 0; i++) {
		const struct symbol_frame frame = {.function = names[i].name};
		if (names[i].name)
			status = write_symbol(work, &work->places[outside->first + i], &frame, 1);
	}
	for (size_t i = 0; i < outside->count; i++)
		free(names[i].name);
	if (status == ERROR_SYSTEM || status == ERROR_FOREIGN)
		status = 0; /* most programs have no map */
	if (status == 0)
		status = trace_writer_flush(work->writer);
out:
	free(names);
	free(path);
	return status;
}

/* ---- all of it ---- */

/* Forgets the places whose files have been looked into. */
static void keep_the_rest(struct work *work)
{
	size_t kept = 0;
	for (size_t i = 0; i < work->place_count; i++) {
		const struct place *place = &work->places[i];
		if (place->module == 0 || !work->modules[place->module].done)
			work->places[kept++] = *place;
	}
	work->place_count = kept;
	for (size_t i = 0; i < work->module_count; i++)
		work->modules[i].done = 0;
}

static void wait_for_end(int fd)
{
	char bytes[64];
	ssize_t count;
	do
		count = read(fd, bytes, sizeof(bytes));
	while (count > 0 || (count < 0 && errno == EINTR));
}

/* Looks into what it can of the first trace, and reads the second one. */
static int prepare(struct work *work)
{
	work->again = 1;
	int status = resolve_modules(work);
	work->again = 0;
	if (status < 0)
		return status;
	keep_the_rest(work);
	wait_for_end(work->options->until_fd);
	return read_trace(work, work->options->later);
}

int symbolize_trace(const char *path, int out_fd, const struct symbolize_options *options,
		    unsigned *skipped)
{
	struct work work = {.options = options, .memory = (uint64_t)options->megabytes * 1000000u};
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (options->seconds > 0)
		work.deadline =
		    ((uint64_t)now.tv_sec + options->seconds) * 1000000000u + (uint64_t)now.tv_nsec;
	string_pool_init(&work.strings);

	int status = read_trace(&work, path);
	if (status == 0) {
		work.writer = trace_writer_new_blocks(out_fd, TRACE_CODEC_NONE, 0);
		status = work.writer ? 0 : ERROR_MEMORY;
	}
	if (status == 0 && options->later)
		status = prepare(&work);
	if (status == 0)
		status = resolve_perf_map(&work);
	if (status == 0)
		status = resolve_modules(&work);
	*skipped = work.skipped;

	trace_writer_free(work.writer);
	string_pool_release(&work.strings);
	for (size_t i = 0; i < work.module_count; i++) {
		symbol_module_close(work.modules[i].kept);
		free(work.modules[i].path);
		free(work.modules[i].build_id);
	}
	free(work.modules);
	free(work.places);
	return status;
}
