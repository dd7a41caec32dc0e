/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/model/load_heaptrack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/model/scan.h"
#include "formats/error.h"
#include "formats/heaptrack/reader.h"

/*
 * A heaptrack file is put into the profile by the callbacks that take a trace
 * (load_trace.c): an address becomes a location of its module, whose ids these
 * callbacks want to be without gaps, so module_of[] numbers the strings that are used
 * as a module's path. Figures come from the events (recount.c).
 */

enum { POINTS_MOST = 1 << 14 };

struct place {
	uint32_t module;
	int64_t offset;
};

struct heaptrack_loader {
	struct loader *loader;
	const struct heaptrack_reader *reader;
	struct place *places; /* by address id */
	size_t place_count, place_room;
	uint32_t *module_of; /* by string id; 0: not a module yet */
	size_t string_room;
	uint64_t page_size, peak_rss;
	uint64_t tick;     /* of the clock */
	uint64_t interval; /* least ticks between two points */
};

/* The array with room for index; new elements are 0. NULL: out of memory, and it is as it was. */
static void *with_room(void *array, size_t *room, size_t index, size_t element)
{
	size_t wanted = *room ? *room : 1024;
	char *larger;

	if (array && index < *room)
		return array;
	while (wanted <= index)
		wanted *= 2;
	larger = reallocarray(array, wanted, element);
	if (!larger)
		return NULL;
	memset(larger + *room * element, 0, (wanted - *room) * element);
	*room = wanted;
	return larger;
}

static char *copy(const struct trace_text *text)
{
	return strndup(text->bytes, text->size);
}

static int take_command(void *context, const struct trace_text *text)
{
	struct heaptrack_loader *all = context;
	struct profile *profile = all->loader->profile;

	profile->command = copy(text);
	return profile->command ? 0 : ERROR_MEMORY;
}

static int take_system(void *context, uint64_t page_size)
{
	struct heaptrack_loader *all = context;

	all->page_size = all->loader->profile->page_size = page_size;
	return 0;
}

static int take_attached(void *context)
{
	struct heaptrack_loader *all = context;

	all->loader->profile->lacks |= PROFILE_LACKS_BEGINNING;
	return 0;
}

static int take_suppression(void *context, const struct trace_text *line)
{
	struct heaptrack_loader *all = context;
	char *rule = copy(line);

	return loader_add_suppressions(all->loader->profile, rule);
}

static int take_string(void *context, uint32_t id, const struct trace_text *string)
{
	struct heaptrack_loader *all = context;

	return loader_visitor.string(all->loader, id, string);
}

static int find_module(struct heaptrack_loader *all, uint32_t string, uint32_t *module)
{
	const struct profile *profile = all->loader->profile;
	uint32_t *larger = with_room(all->module_of, &all->string_room, string, sizeof(*larger));
	const char *path = profile->strings[string];
	struct trace_module new_module = {.path = {path, string ? strlen(path) : 0}};
	int error;

	if (!larger)
		return ERROR_MEMORY;
	all->module_of = larger;
	*module = larger[string];
	if (*module || !string)
		return 0;
	*module = (uint32_t)profile->module_count;
	error = loader_visitor.module(all->loader, *module, &new_module);
	larger[string] = *module;
	return error;
}

static int take_address(void *context, uint32_t id, const struct heaptrack_address *address)
{
	struct heaptrack_loader *all = context;
	struct place *larger = with_room(all->places, &all->place_room, id, sizeof(*larger));
	int error;

	if (!larger)
		return ERROR_MEMORY;
	all->places = larger;
	larger[id].offset = (int64_t)address->address;
	error = find_module(all, address->module, &larger[id].module);
	if (!error && address->frame_count)
		error = loader_visitor.symbol(all->loader, larger[id].module, larger[id].offset,
					      address->frames, address->frame_count);
	return error;
}

static int take_node(void *context, uint32_t id, uint32_t address, uint32_t parent)
{
	struct heaptrack_loader *all = context;
	struct trace_node node = {.parent = parent, .flags = TRACE_NODE_INCOMPLETE};

	if (address) {
		node.module = all->places[address].module;
		node.offset = all->places[address].offset;
		node.flags = 0;
	}
	return loader_visitor.node(all->loader, id, &node);
}

static int take_class(void *context, uint32_t id, const struct trace_class *class_)
{
	struct heaptrack_loader *all = context;

	return loader_visitor.class_(all->loader, id, class_);
}

static int take_events(void *context, const struct trace_event *events, size_t count)
{
	struct heaptrack_loader *all = context;

	scan_watch_tell(all->loader->path, heaptrack_reader_used(all->reader),
			heaptrack_reader_size(all->reader));
	return recount_events(&all->loader->recount, events, count, NULL);
}

/* The timeline takes a point at each beat of heaptrack's clock, every 10 ms. Where these are too
 * many, every other one goes, and so on: the points stay evenly spread, and few. */
static void thin_points(struct heaptrack_loader *all)
{
	struct profile *profile = all->loader->profile;
	size_t kept = 0;

	all->interval = all->interval ? all->interval * 2 : 1;
	for (size_t i = 0; i < profile->point_count; i++)
		if (!kept ||
		    profile->points[i].tick - profile->points[kept - 1].tick >= all->interval)
			profile->points[kept++] = profile->points[i];
	profile->point_count = kept;
}

static int take_clock(void *context, uint64_t tick)
{
	struct heaptrack_loader *all = context;
	struct profile *profile = all->loader->profile;
	struct trace_point point = {
	    .tick = tick,
	    .live_bytes = all->loader->recount.live_bytes,
	    .live_blocks = all->loader->recount.live_blocks,
	};

	all->tick = tick;
	if (profile->point_count &&
	    tick - profile->points[profile->point_count - 1].tick < all->interval)
		return 0;
	while (profile->point_count >= POINTS_MOST)
		thin_points(all);
	return loader_visitor.point(all->loader, &point);
}

static int take_rss(void *context, uint64_t tick, uint64_t pages)
{
	struct heaptrack_loader *all = context;
	struct profile *profile = all->loader->profile;
	struct trace_point *last =
	    profile->point_count ? &profile->points[profile->point_count - 1] : NULL;
	uint64_t rss;

	if (__builtin_mul_overflow(pages, all->page_size, &rss) || rss > INT64_MAX)
		return ERROR_DAMAGED;
	if (rss > all->peak_rss)
		all->peak_rss = rss;
	if (last && last->tick == tick)
		last->rss = rss;
	return 0;
}

static const struct heaptrack_visitor visitor = {
    .command = take_command,
    .system = take_system,
    .attached = take_attached,
    .suppression = take_suppression,
    .string = take_string,
    .address = take_address,
    .node = take_node,
    .class_ = take_class,
    .events = take_events,
    .clock = take_clock,
    .rss = take_rss,
};

static int read_all(struct heaptrack_loader *all, struct heaptrack_reader *reader)
{
	struct profile *profile = all->loader->profile;
	int error;

	all->reader = reader;
	error = heaptrack_reader_read(reader, &visitor, all, &profile->state);
	profile->fault = heaptrack_reader_fault(reader);
	if (error == ERROR_DAMAGED) {
		profile->state = TRACE_DAMAGED;
		profile->fault = "a figure beyond all bounds";
		error = 0;
	}
	profile->used_bytes = heaptrack_reader_used(reader);
	profile->file_bytes = heaptrack_reader_size(reader);
	if (!error)
		error = recount_finish(&all->loader->recount);
	/* as heaptrack has it: the last beat of the clock lasts a millisecond, too */
	profile->totals.end_tick = all->tick + 1;
	profile->totals.peak_rss = all->peak_rss;
	return error;
}

int load_heaptrack(struct loader *loader, struct trace_source *source)
{
	struct heaptrack_loader all = {.loader = loader};
	struct heaptrack_reader *reader = NULL;
	int error = heaptrack_reader_open(&reader, source);

	if (!error)
		error = loader_init(loader);
	if (!error) {
		loader->profile->kind = PROFILE_HEAPTRACK;
		loader->profile->lacks = PROFILE_LACKS_THREADS | PROFILE_LACKS_LIFETIMES |
					 PROFILE_LACKS_REALLOCATIONS | PROFILE_LACKS_FUNCTIONS |
					 PROFILE_LACKS_PROCESS;
		error = read_all(&all, reader);
	}
	heaptrack_reader_close(reader);
	free(all.places);
	free(all.module_of);
	return error;
}

int heaptrack_scan(const char *path,
		   int (*events)(void *context, const struct trace_event *events, size_t count),
		   void *context)
{
	const struct heaptrack_visitor scanner = {.events = events};
	struct heaptrack_reader *reader;
	struct trace_source source;
	enum trace_state state;
	int error = trace_source_open(&source, path);

	if (error)
		return error;
	if (source.fd < 0) {
		trace_source_release(&source);
		errno = ESPIPE;
		return ERROR_SYSTEM;
	}
	error = heaptrack_reader_open(&reader, &source);
	if (error)
		return error;
	error = heaptrack_reader_read(reader, &scanner, context, &state);
	heaptrack_reader_close(reader);
	return error;
}
