/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Streams out of traces. A trace tells which allocation a deallocation ended by the
 * thread and how many allocations that made since, so each thread's allocations are
 * kept in order; and addresses are given out here, last freed of a size first.
 */
#include <stdlib.h>
#include <string.h>

#include "formats/trace/reader.h"
#include "tests/bench/replay.h"

#define TICK_UNITS 1000000u

struct list { /* of addresses */
	uint64_t *at;
	size_t count, room;
};

struct loading {
	struct stream stream;
	size_t step_room, node_room;
	struct trace_class *class_;
	size_t class_room;
	struct list *made; /* by thread: the address of each of its allocations */
	struct list unused[64 + 4096];
	uint64_t top;
};

static void *grow(void *old, size_t *room, size_t count, size_t bytes)
{
	size_t wanted = *room != 0 ? *room : 1024;

	while (wanted <= count)
		wanted *= 2;
	if (wanted == *room)
		return old;
	old = realloc(old, wanted * bytes);
	if (old == NULL)
		abort();
	*room = wanted;
	return old;
}

static void push(struct list *list, uint64_t address)
{
	list->at = grow(list->at, &list->room, list->count, sizeof(*list->at));
	list->at[list->count++] = address;
}

/* Sizes up to 64 KiB in steps of 16, then in powers of two. */
static size_t bin_of(uint64_t size)
{
	return size < 4096 * 16 ? 64 + size / 16 : 63 - (size_t)__builtin_clzll(size);
}

static uint64_t give(struct loading *loading, uint64_t size)
{
	struct list *unused = &loading->unused[bin_of(size)];
	uint64_t address = loading->top;

	if (unused->count > 0)
		return unused->at[--unused->count];
	loading->top += bin_of(size) < 64 ? UINT64_C(2) << bin_of(size) : (size / 16 + 2) * 16;
	return address;
}

static struct step *add_step(struct loading *loading, uint32_t thread, uint64_t tick)
{
	struct stream *stream = &loading->stream;
	struct step *step;

	stream->step =
	    grow(stream->step, &loading->step_room, stream->steps, sizeof(*stream->step));
	step = &stream->step[stream->steps];
	*step = (struct step){
	    .time = tick * TICK_UNITS + 1 + stream->steps,
	    .tick = (uint32_t)tick,
	    .thread = thread,
	};
	stream->steps++;
	return step;
}

static int take_node(void *context, uint32_t id, const struct trace_node *node)
{
	struct loading *loading = context;
	struct stream *stream = &loading->stream;

	stream->node = grow(stream->node, &loading->node_room, id, sizeof(*stream->node));
	/* Each module a terabyte of its own: all of them are one here. */
	stream->node[id] = (struct stream_node){node->parent, node->flags,
						node->offset + ((int64_t)node->module << 40)};
	stream->nodes = id;
	return 0;
}

static int take_class(void *context, uint32_t id, const struct trace_class *class_)
{
	struct loading *loading = context;

	loading->class_ = grow(loading->class_, &loading->class_room, id, sizeof(*class_));
	loading->class_[id] = *class_;
	return 0;
}

static int take_thread(void *context, uint32_t id, uint64_t tid, const struct trace_text *name)
{
	struct loading *loading = context;

	(void)tid;
	(void)name;
	if (id > loading->stream.threads) {
		loading->made = realloc(loading->made, (id + 1) * sizeof(*loading->made));
		if (loading->made == NULL)
			abort();
		loading->made[id] = (struct list){0};
		loading->stream.threads = id;
	}
	return 0;
}

static int take_event(void *context, const struct trace_event *event)
{
	struct loading *loading = context;
	struct step *step = add_step(loading, event->thread, event->tick);
	const struct trace_class *class_ = &loading->class_[event->class_id];

	step->realloc = event->realloc != 0;
	if (event->operation == TRACE_OPERATION_ALLOCATION) {
		step->address = give(loading, class_->size);
		step->size = class_->size;
		step->node = class_->node;
		step->function = (uint8_t)class_->function;
		push(&loading->made[event->thread], step->address);
		loading->stream.allocations++;
	} else if (event->operation == TRACE_OPERATION_DEALLOCATION) {
		const struct list *made = &loading->made[event->allocating_thread];

		step->is_free = 1;
		step->address = made->at[made->count - 1 - event->age_allocations];
		push(&loading->unused[bin_of(class_->size)], step->address);
	} else {
		step->is_free = 1;
		step->address = 16;
	}
	return 0;
}

static int take_events(void *context, const struct trace_event *events, size_t count)
{
	int result = 0;

	for (size_t i = 0; i < count && !result; i++)
		result = take_event(context, &events[i]);
	return result;
}

static void release_loading(struct loading *loading)
{
	for (uint32_t id = 1; id <= loading->stream.threads && loading->made != NULL; id++)
		free(loading->made[id].at);
	for (size_t i = 0; i < sizeof(loading->unused) / sizeof(loading->unused[0]); i++)
		free(loading->unused[i].at);
	free(loading->made);
	free(loading->class_);
}

static int load_trace(struct loading *loading, const char *path)
{
	static const struct trace_visitor visitor = {
	    .node = take_node, .class_ = take_class, .thread = take_thread, .events = take_events};
	enum trace_state state;
	struct trace_reader *reader;
	int error = trace_reader_open(&reader, path);

	if (error != 0)
		return error;
	error = trace_reader_read(reader, &visitor, loading, &state);
	trace_reader_close(reader);
	return error != 0 || state != TRACE_COMPLETE ? -1 : 0;
}

static void make_churn(struct loading *loading)
{
	enum { STACKS = 8, PAIRS = 10000000, PAIRS_A_TICK = 20000 };

	take_thread(loading, 1, 1, NULL);
	for (uint32_t id = 1; id <= STACKS; id++)
		take_node(loading, id, &(struct trace_node){.module = 1, .offset = id * 64});
	for (uint64_t i = 0; i < PAIRS; i++) {
		uint64_t address = 0x555555560000 + i % 5 * 48;
		struct step *step = add_step(loading, 1, i / PAIRS_A_TICK);

		step->address = address;
		step->size = 16 + i % 5 * 24;
		step->node = (uint32_t)(1 + i % STACKS);
		step->function = TRACE_FUNCTION_MALLOC;
		step = add_step(loading, 1, i / PAIRS_A_TICK);
		step->address = address;
		step->is_free = 1;
		loading->stream.allocations++;
	}
}

int stream_load(struct stream *stream, const char *path, size_t ahead)
{
	struct loading *loading = calloc(1, sizeof(*loading));
	int error = 0;

	if (loading == NULL)
		return -1;
	loading->top = 0x555555560000;
	if (strcmp(path, "churn") == 0)
		make_churn(loading);
	else
		error = load_trace(loading, path);
	loading->stream.step = grow(loading->stream.step, &loading->step_room,
				    loading->stream.steps + ahead, sizeof(struct step));
	memset(loading->stream.step + loading->stream.steps, 0, ahead * sizeof(struct step));
	*stream = loading->stream;
	release_loading(loading);
	free(loading);
	return error;
}

void stream_release(struct stream *stream)
{
	free(stream->step);
	free(stream->node);
}
