/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VICTIM_RANDOM_MODEL_H
#define VICTIM_RANDOM_MODEL_H

/*
 * What random_program knows about itself: a log of all that it did, and the figures that follow
 * from it by the plain reading of the definitions, slowly. All memory is mapped, none allocated.
 *
 * An actor is a thread. Frames make a tree of functions an actor, in which `here` is where it
 * stands; a node has one allocation function at most. Actors take turns (events are in the order
 * in which they happened) or run freely: then an actor's own events are in their order, and the
 * figures that depend on the order between actors have bounds.
 *
 * After a fork the child begins a new log; blocks of before are INHERITED.
 */

#include <fcntl.h>
#include <sys/mman.h>

#include "expect.h"

enum { ACTORS = 24, NODES = 1 << 14, EVENTS = 1 << 17 };
static const uint64_t INHERITED = UINT64_MAX;

struct node {
	const char *name, *function; /* function: of allocation, or NULL */
	uint32_t parent, child, sibling;
	/* the model's */
	uint64_t allocations, deallocations, temporary, bytes, live, live_bytes;
	uint64_t peak_blocks, peak_bytes;
};

struct actor {
	struct node *nodes; /* 0 is the root */
	uint32_t node_count, here;
	pid_t tid;
	uint64_t random;
	uint64_t sequence; /* the model's: allocations so far */
	uint64_t allocations, deallocations, temporary, bytes;
};

enum event_kind { ALLOCATE, DEALLOCATE, BARRIER };
struct event {
	enum event_kind kind;
	bool reallocated;
	uint32_t actor; /* that did it */
	uint32_t node;  /* of ALLOCATE */
	uint64_t block; /* the number of its ALLOCATE in the log, or INHERITED */
	uint64_t size;
	uint64_t sequence; /* the model's: of ALLOCATE */
	bool live;         /* the model's: likewise */
};

static struct actor actors[ACTORS]; /* 0 is the process's first */
static struct event *events;
static uint64_t event_count;
static thread_local struct actor *me;

template <typename type> static type *mapped(size_t count)
{
	void *memory = mmap(nullptr, count * sizeof(type), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	MUST(memory != MAP_FAILED);
	return static_cast<type *>(memory);
}

static uint64_t dice(uint64_t below)
{
	me->random ^= me->random << 13;
	me->random ^= me->random >> 7;
	me->random ^= me->random << 17;
	return (me->random >> 11) % below;
}

/* --- where an actor stands ----------------------------------------------------------------- */

static uint32_t child_node(struct actor *actor, uint32_t parent, const char *name)
{
	struct node *nodes = actor->nodes;
	uint32_t id;

	for (id = nodes[parent].child; id != 0; id = nodes[id].sibling)
		if (nodes[id].name == name)
			return id;
	MUST(actor->node_count < NODES);
	id = actor->node_count++;
	nodes[id].name = name;
	nodes[id].parent = parent;
	nodes[id].sibling = nodes[parent].child;
	nodes[parent].child = id;
	return id;
}

/* Of each function that may be on a stack, its first variable: `frame here(__func__);`. */
struct frame {
	uint32_t before;

	explicit frame(const char *name) : before(me->here)
	{
		me->here = child_node(me, before, name);
	}
	~frame()
	{
		me->here = before;
	}
	frame(const frame &) = delete;
	frame &operator=(const frame &) = delete;
};

/* --- the log --------------------------------------------------------------------------------- */

static uint64_t log_event(enum event_kind kind, uint64_t block, uint64_t size, bool reallocated)
{
	uint64_t number = __atomic_fetch_add(&event_count, 1, __ATOMIC_SEQ_CST);

	MUST(number < EVENTS);
	events[number] = {};
	events[number].kind = kind;
	events[number].reallocated = reallocated;
	events[number].actor = static_cast<uint32_t>(me - actors);
	events[number].node = me->here;
	events[number].block = block;
	events[number].size = size;
	return number;
}

/* Both are called by the function that called `function` (or a libc function that did). */
static uint64_t log_allocation(const char *function, uint64_t size, bool reallocated = false)
{
	struct node *node = &me->nodes[me->here];

	MUST(!node->function || node->function == function);
	node->function = function;
	return log_event(ALLOCATE, 0, size, reallocated);
}

static void log_deallocation(uint64_t block, bool reallocated = false)
{
	log_event(DEALLOCATE, block, 0, reallocated);
}

/* --- the figures ----------------------------------------------------------------------------- */

struct model {
	struct figures totals;
	uint64_t inherited, live_blocks, live_bytes, peak_event;
	/* where the order between actors is not known */
	uint64_t own_temporary, perhaps_temporary, peak_least, peak_most, round_bytes;
};

static void count_allocation(struct model *model, uint64_t number)
{
	struct event *event = &events[number];
	struct actor *actor = &actors[event->actor];
	struct node *node = &actor->nodes[event->node];

	event->sequence = ++actor->sequence;
	event->live = true;
	model->totals.allocations++;
	model->totals.reallocations += event->reallocated;
	model->totals.bytes += event->size;
	model->live_blocks++;
	model->live_bytes += event->size;
	model->round_bytes += event->size;
	actor->allocations++;
	actor->bytes += event->size;
	node->allocations++;
	node->bytes += event->size;
	node->live++;
	node->live_bytes += event->size;
	if (model->live_bytes <= model->totals.peak_bytes)
		return;
	model->totals.peak_bytes = model->live_bytes;
	model->totals.peak_blocks = model->live_blocks;
	model->peak_event = number + 1;
}

static void count_deallocation(struct model *model, const struct event *event)
{
	struct event *begin;
	struct actor *actor;
	struct node *node;

	if (event->block == INHERITED) {
		model->inherited++;
		return;
	}
	begin = &events[event->block];
	actor = &actors[begin->actor];
	node = &actor->nodes[begin->node];
	MUST(begin->kind == ALLOCATE && begin->live);
	begin->live = false;
	model->totals.deallocations++;
	actor->deallocations++;
	node->deallocations++;
	model->live_blocks--;
	model->live_bytes -= begin->size;
	node->live--;
	node->live_bytes -= begin->size;
	if (event->actor != begin->actor)
		model->perhaps_temporary++;
	if (begin->sequence != actor->sequence)
		return;
	if (event->actor == begin->actor)
		model->own_temporary++;
	model->totals.temporary++;
	actor->temporary++;
	node->temporary++;
}

/* Nobody is doing anything: what is live is known, and was. */
static void count_barrier(struct model *model, uint64_t *before)
{
	if (model->peak_least < model->live_bytes)
		model->peak_least = model->live_bytes;
	if (model->peak_most < *before + model->round_bytes)
		model->peak_most = *before + model->round_bytes;
	*before = model->live_bytes;
	model->round_bytes = 0;
}

/* Who had what at the peak: everything up to there once more. */
static void share_peak(const struct model *model)
{
	for (uint64_t i = 0; i < model->peak_event; i++)
		if (events[i].kind == ALLOCATE)
			events[i].live = true;
		else if (events[i].kind == DEALLOCATE && events[i].block != INHERITED)
			events[events[i].block].live = false;
	for (uint64_t i = 0; i < model->peak_event; i++) {
		struct node *node = &actors[events[i].actor].nodes[events[i].node];

		if (events[i].kind != ALLOCATE || !events[i].live)
			continue;
		node->peak_blocks++;
		node->peak_bytes += events[i].size;
	}
}

static void count_everything(struct model *model)
{
	uint64_t before = 0;

	for (uint64_t i = 0; i < event_count; i++)
		if (events[i].kind == ALLOCATE)
			count_allocation(model, i);
		else if (events[i].kind == DEALLOCATE)
			count_deallocation(model, &events[i]);
		else
			count_barrier(model, &before);
	count_barrier(model, &before);
	model->totals.leaked_blocks = model->live_blocks;
	model->totals.leaked_bytes = model->live_bytes;
	share_peak(model);
}

/* --- said ------------------------------------------------------------------------------------ */

/* Lines of "WHAT FIGURE<tab>VALUE" in a file, collected. */
struct text {
	int fd;
	size_t used;
	char *bytes;
};
enum { TEXT_BYTES = 1 << 16 };

static void text_flush(struct text *text)
{
	MUST(write(text->fd, text->bytes, text->used) == static_cast<ssize_t>(text->used));
	text->used = 0;
}

static void text_add(struct text *text, const char *what)
{
	size_t length = strlen(what);

	if (text->used + length > TEXT_BYTES)
		text_flush(text);
	memcpy(text->bytes + text->used, what, length);
	text->used += length;
}

static void text_number(struct text *text, uint64_t value)
{
	char digits[24];
	size_t at = sizeof(digits);

	digits[--at] = '\0';
	do {
		digits[--at] = static_cast<char>('0' + value % 10);
		value /= 10;
	} while (value != 0);
	text_add(text, digits + at);
}

static void text_path(struct text *text, const struct node *nodes, uint32_t node)
{
	if (nodes[node].parent != 0) {
		text_path(text, nodes, nodes[node].parent);
		text_add(text, ";");
	}
	text_add(text, nodes[node].name);
}

/* What a line is about: the whole, a thread, a node. */
struct subject {
	struct text *text;
	const struct actor *actor;
	uint32_t node;

	void says(const char *figure, uint64_t value) const
	{
		if (value == 0 || value == UNKNOWN)
			return;
		if (node != 0) {
			text_add(text, "path ");
			text_path(text, actor->nodes, node);
			text_add(text, " ");
			text_add(text, actor->nodes[node].function);
			text_add(text, " ");
		} else if (actor) {
			text_add(text, "thread ");
			if (actor->tid == getpid())
				text_add(text, "first");
			else
				text_number(text, static_cast<uint64_t>(actor->tid));
			text_add(text, " ");
		}
		text_add(text, figure);
		text_add(text, "\t");
		text_number(text, value);
		text_add(text, "\n");
	}
};

static void say_node(const struct subject &subject, bool in_turns)
{
	const struct node *node = &subject.actor->nodes[subject.node];

	subject.says("allocations", node->allocations);
	subject.says("deallocations", node->deallocations);
	subject.says("bytes", node->bytes);
	subject.says("leaked_blocks", node->live);
	subject.says("leaked_bytes", node->live_bytes);
	subject.says("temporary", in_turns ? node->temporary : UNKNOWN);
	subject.says("peak_blocks", in_turns ? node->peak_blocks : UNKNOWN);
	subject.says("peak_bytes", in_turns ? node->peak_bytes : UNKNOWN);
}

static void say_actor(struct text *text, struct actor *actor, bool in_turns)
{
	const struct subject subject = {text, actor, 0};

	subject.says("allocations", actor->allocations);
	subject.says("deallocations", actor->deallocations);
	subject.says("bytes", actor->bytes);
	subject.says("temporary", in_turns ? actor->temporary : UNKNOWN);
	for (uint32_t i = 1; i < actor->node_count; i++)
		say_node({text, actor, i}, in_turns);
}

static void say_totals(struct text *text, const struct model *model, bool in_turns)
{
	const struct subject subject = {text, nullptr, 0};
	const struct figures *totals = &model->totals;

	subject.says("allocations", totals->allocations);
	subject.says("deallocations", totals->deallocations);
	subject.says("bytes", totals->bytes);
	subject.says("reallocations", totals->reallocations);
	subject.says("leaked_blocks", totals->leaked_blocks);
	subject.says("leaked_bytes", totals->leaked_bytes);
	subject.says("inherited_frees", model->inherited);
	if (in_turns) {
		subject.says("temporary", totals->temporary);
		subject.says("peak_bytes", totals->peak_bytes);
		subject.says("peak_blocks", totals->peak_blocks);
		return;
	}
	subject.says("least temporary", model->own_temporary);
	subject.says("most temporary", model->own_temporary + model->perhaps_temporary);
	subject.says("least peak_bytes", model->peak_least);
	subject.says("most peak_bytes", model->peak_most);
}

#endif
