/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/model/load_trace.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/model/scan.h"
#include "formats/error.h"

/* The array with room for one more, which is zeroed; NULL when out of memory, and the
 * array is then as it was. What is behind it stays untouched, and takes no memory. */
static void *enlarged(void *array, size_t *room, size_t count, size_t element)
{
	size_t wanted = *room ? *room * 2 : 64;
	char *larger = array;

	if (!array || count >= *room) {
		larger = reallocarray(array, wanted, element);
		if (!larger)
			return NULL;
		*room = wanted;
	}
	memset(larger + count * element, 0, element);
	return larger;
}

#define RESERVE(loader, array, count, room)                                                        \
	(((loader)->larger =                                                                       \
	      enlarged((loader)->profile->array, &(loader)->room, (loader)->profile->count,        \
		       sizeof(*(loader)->profile->array)))                                         \
	     ? ((loader)->profile->array = (loader)->larger, 0)                                    \
	     : ERROR_MEMORY)

static char *copy_text(const struct trace_text *text)
{
	char *copy = malloc(text->size + 1);

	if (copy) {
		if (text->size)
			memcpy(copy, text->bytes, text->size);
		copy[text->size] = '\0';
	}
	return copy;
}

static int replace_text(char **to, const struct trace_text *text)
{
	char *copy = copy_text(text);

	if (!copy)
		return ERROR_MEMORY;
	free(*to);
	*to = copy;
	return 0;
}

static int load_meta(void *context, const struct trace_field *field)
{
	struct loader *loader = context;
	struct profile *profile = loader->profile;

	switch (field->tag) {
	case TRACE_META_PROGRAM:
		return replace_text(&profile->program, &field->bytes);
	case TRACE_META_HOST:
		return replace_text(&profile->host, &field->bytes);
	case TRACE_META_COLLECTOR:
		return replace_text(&profile->collector, &field->bytes);
	case TRACE_META_FOLDER:
		return replace_text(&profile->folder, &field->bytes);
	case TRACE_META_PARENT_TRACE:
		return replace_text(&profile->parent_trace, &field->bytes);
	case TRACE_META_ARGUMENT:
		if (RESERVE(loader, arguments, argument_count, argument_room) ||
		    !(profile->arguments[profile->argument_count] = copy_text(&field->bytes)))
			return ERROR_MEMORY;
		profile->argument_count++;
		return 0;
	case TRACE_META_PID:
		profile->pid = field->number;
		return 0;
	case TRACE_META_PARENT_PID:
		profile->parent_pid = field->number;
		return 0;
	case TRACE_META_START:
		profile->start_nanoseconds = field->number;
		return 0;
	case TRACE_META_PAGE_SIZE:
		profile->page_size = field->number;
		return 0;
	case TRACE_META_ORIGIN:
		profile->origin = field->number;
		return 0;
	case TRACE_META_MAX_DEPTH:
		profile->max_depth = field->number;
		return 0;
	}
	return 0;
}

int loader_add_suppressions(struct profile *profile, char *text)
{
	size_t count = profile->suppression_count;
	char **larger = reallocarray(profile->suppressions, count + 1, sizeof(*larger));

	if (larger)
		profile->suppressions = larger;
	if (!larger || !text) {
		free(text);
		return ERROR_MEMORY;
	}
	larger[profile->suppression_count++] = text;
	return 0;
}

/* Where a file has two such fields the last counts. */
static int load_suppressions(void *context, uint32_t module, uint32_t string)
{
	struct loader *loader = context;
	struct profile *profile = loader->profile;

	(void)module;
	while (profile->suppression_count)
		free(profile->suppressions[--profile->suppression_count]);
	profile->suppressions_unread = !string;
	return string ? loader_add_suppressions(profile, strdup(profile->strings[string])) : 0;
}

static int load_module(void *context, uint32_t id, const struct trace_module *module)
{
	struct loader *loader = context;
	struct profile *profile = loader->profile;
	struct profile_module *to;

	if (id != profile->module_count)
		return ERROR_DAMAGED;
	if (RESERVE(loader, modules, module_count, module_room))
		return ERROR_MEMORY;
	to = &profile->modules[profile->module_count++];
	to->start = module->start;
	to->end = module->end;
	to->base = module->base;
	to->path = copy_text(&module->path);
	to->build_id = (unsigned char *)copy_text(&module->build_id);
	to->build_id_bytes = module->build_id.size;
	return to->path && to->build_id ? 0 : ERROR_MEMORY;
}

struct location_key {
	uint32_t module;
	int64_t offset;
};

static int same_location(const void *context, const void *key, uint32_t id)
{
	const struct profile *profile = context;
	const struct location_key *wanted = key;
	const struct profile_location *location = &profile->locations[id];

	return location->module == wanted->module && location->offset == wanted->offset;
}

static int find_location(struct loader *loader, uint32_t module, int64_t offset, uint32_t *id)
{
	struct profile *profile = loader->profile;
	struct location_key key = {module, offset};
	uint64_t hash = id_table_hash(id_table_hash(0, module), (uint64_t)offset);

	*id = id_table_find(&loader->locations, hash, same_location, profile, &key);
	if (*id)
		return 0;
	if (RESERVE(loader, locations, location_count, location_room) ||
	    id_table_add(&loader->locations, hash, (uint32_t)profile->location_count))
		return ERROR_MEMORY;
	*id = (uint32_t)profile->location_count++;
	profile->locations[*id] = (struct profile_location){.module = module, .offset = offset};
	return 0;
}

static int load_node(void *context, uint32_t id, const struct trace_node *node)
{
	struct loader *loader = context;
	struct profile *profile = loader->profile;
	struct profile_node *to;

	if (id != profile->node_count || node->parent >= id ||
	    node->module >= profile->module_count)
		return ERROR_DAMAGED;
	if (RESERVE(loader, nodes, node_count, node_room))
		return ERROR_MEMORY;
	to = &profile->nodes[profile->node_count++];
	to->parent = node->parent;
	to->flags = node->flags;
	return find_location(loader, node->module, node->offset, &to->location);
}

static int load_class(void *context, uint32_t id, const struct trace_class *class_)
{
	struct loader *loader = context;
	struct profile *profile = loader->profile;
	struct profile_class *to;

	if (id != profile->class_count || class_->node >= profile->node_count)
		return ERROR_DAMAGED;
	if (RESERVE(loader, classes, class_count, class_room))
		return ERROR_MEMORY;
	to = &profile->classes[profile->class_count++];
	to->node = class_->node;
	to->function = class_->function;
	to->size = class_->size;
	return 0;
}

static int load_thread(void *context, uint32_t id, uint64_t tid, const struct trace_text *name)
{
	struct loader *loader = context;
	struct profile *profile = loader->profile;

	if (!id || id > profile->thread_count)
		return ERROR_DAMAGED;
	if (id == profile->thread_count) {
		if (RESERVE(loader, threads, thread_count, thread_room))
			return ERROR_MEMORY;
		profile->thread_count++;
	}
	profile->threads[id].tid = tid;
	return replace_text(&profile->threads[id].name, name);
}

static int load_events(void *context, const struct trace_event *events, size_t count)
{
	struct loader *loader = context;

	scan_watch_tell(loader->path, trace_reader_used(loader->reader),
			trace_reader_size(loader->reader));
	return recount_events(&loader->recount, events, count, NULL);
}

static int load_point(void *context, const struct trace_point *point)
{
	struct loader *loader = context;
	struct profile *profile = loader->profile;

	if (RESERVE(loader, points, point_count, point_room))
		return ERROR_MEMORY;
	profile->points[profile->point_count++] = *point;
	if (point->tick > loader->last_tick)
		loader->last_tick = point->tick;
	return 0;
}

static int load_string(void *context, uint32_t id, const struct trace_text *string)
{
	struct loader *loader = context;
	struct profile *profile = loader->profile;

	if (id != profile->string_count)
		return ERROR_DAMAGED;
	if (RESERVE(loader, strings, string_count, string_room) ||
	    !(profile->strings[id] = copy_text(string)))
		return ERROR_MEMORY;
	profile->string_count++;
	return 0;
}

static int load_symbol(void *context, uint32_t module, int64_t offset,
		       const struct trace_frame *frames, size_t count)
{
	struct loader *loader = context;
	struct profile *profile = loader->profile;
	uint32_t id, first = (uint32_t)profile->frame_count;
	int error;

	if (module >= profile->module_count || profile->frame_count + count > UINT32_MAX)
		return ERROR_DAMAGED;
	error = find_location(loader, module, offset, &id);
	if (error)
		return error;
	if (profile->locations[id].frame_count)
		return 0;
	for (size_t i = 0; i < count; i++) {
		struct profile_frame *to;

		if (frames[i].function >= profile->string_count ||
		    frames[i].file >= profile->string_count)
			return ERROR_DAMAGED;
		if (RESERVE(loader, frames, frame_count, frame_room))
			return ERROR_MEMORY;
		to = &profile->frames[profile->frame_count++];
		to->function = profile->strings[frames[i].function];
		to->file = profile->strings[frames[i].file];
		to->line = frames[i].line;
	}
	profile->locations[id].frame = first;
	profile->locations[id].frame_count = (uint32_t)count;
	return 0;
}

static int load_class_counters(void *context, uint32_t id,
			       const struct trace_class_counters *counters)
{
	struct loader *loader = context;
	struct profile_class *to;

	if (!id || id >= loader->profile->class_count)
		return ERROR_DAMAGED;
	to = &loader->profile->classes[id];
	to->allocations = counters->allocations;
	to->deallocations = counters->deallocations;
	to->temporary = counters->temporary;
	to->peak_live = counters->peak_live;
	loader->class_counters++;
	return 0;
}

static int load_thread_counters(void *context, uint32_t id,
				const struct trace_thread_counters *counters)
{
	struct loader *loader = context;
	struct profile_thread *to;

	if (!id || id >= loader->profile->thread_count)
		return ERROR_DAMAGED;
	to = &loader->profile->threads[id];
	to->allocations = counters->allocations;
	to->deallocations = counters->deallocations;
	to->temporary = counters->temporary;
	to->bytes = counters->bytes;
	return 0;
}

static int load_end(void *context, const struct trace_field *field)
{
	struct loader *loader = context;
	size_t tags = sizeof(loader->profile->end) / sizeof(*loader->profile->end);

	if (field->tag < tags)
		loader->profile->end[field->tag] = field->number;
	return 0;
}

const struct trace_visitor loader_visitor = {
    .meta = load_meta,
    .suppressions = load_suppressions,
    .module = load_module,
    .node = load_node,
    .class_ = load_class,
    .thread = load_thread,
    .events = load_events,
    .point = load_point,
    .string = load_string,
    .symbol = load_symbol,
    .class_counters = load_class_counters,
    .thread_counters = load_thread_counters,
    .end = load_end,
};

int loader_init(struct loader *loader)
{
	struct profile *profile = calloc(1, sizeof(*profile));
	static const struct trace_text none;
	const char *path = loader->path;

	memset(loader, 0, sizeof(*loader));
	loader->path = path;
	loader->profile = profile;
	if (!profile || RESERVE(loader, modules, module_count, module_room) ||
	    RESERVE(loader, nodes, node_count, node_room) ||
	    RESERVE(loader, locations, location_count, location_room) ||
	    RESERVE(loader, classes, class_count, class_room) ||
	    RESERVE(loader, threads, thread_count, thread_room) ||
	    RESERVE(loader, strings, string_count, string_room))
		return ERROR_MEMORY;
	profile->modules[0].path = copy_text(&none);
	profile->threads[0].name = copy_text(&none);
	profile->module_count = profile->node_count = profile->location_count = 1;
	profile->class_count = profile->thread_count = profile->string_count = 1;
	recount_init(&loader->recount, profile);
	return profile->modules[0].path && profile->threads[0].name ? 0 : ERROR_MEMORY;
}

void loader_release(struct loader *loader)
{
	id_table_release(&loader->locations);
	recount_release(&loader->recount);
	profile_free(loader->profile);
}
