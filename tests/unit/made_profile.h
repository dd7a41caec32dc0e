/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TEST_MADE_PROFILE_H
#define MALLOGRAPH_TEST_MADE_PROFILE_H

/*
 * Profiles made up in memory, with a second, slow account beside them: what each frame
 * is to a reader is known from how it was made, so that a path of a class is a text, and two
 * stacks are the same when their texts are. Header only: every unit test is one file.
 */

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/sites.h"

#define MADE_MODULES   5
#define MADE_FUNCTIONS 12
#define MADE_LOCATIONS 60
#define MADE_NODES     150
#define MADE_CLASSES   80
#define MADE_FRAMES    (MADE_LOCATIONS * 3)
#define MADE_DEPTH     (MADE_NODES * 3)
#define MADE_KEY       64
#define MADE_TEXT      (MADE_DEPTH * MADE_KEY)

enum { MADE_COLLECTOR = 4, MADE_MAIN = 9, MADE_MALLOC = 10, MADE_NEW = 11 };

struct made {
	struct profile profile;
	struct profile_module modules[MADE_MODULES];
	struct profile_location locations[MADE_LOCATIONS];
	struct profile_frame frames[MADE_FRAMES];
	struct profile_node nodes[MADE_NODES];
	struct profile_class classes[MADE_CLASSES];
	struct profile_thread threads[4];
	/* what frame is called, whatever it is written like; -1: unknown */
	int function[MADE_FRAMES], file[MADE_FRAMES];
};

static uint64_t made_seed = 1;

static inline uint32_t made_random(uint32_t limit)
{
	made_seed ^= made_seed << 13;
	made_seed ^= made_seed >> 7;
	made_seed ^= made_seed << 17;
	return (uint32_t)(made_seed >> 11) % limit;
}

/* Each in three builds. */
static const char *const made_functions[MADE_FUNCTIONS][3] = {
    {"alpha", "alpha.part.0", "alpha.isra.3.cold"},
    {"ns::beta(int)", "ns::beta(int) [clone .part.0]", "ns::beta(int) [clone .cold]"},
    {"gamma::h0123456789abcdef", "gamma::hfedcba9876543210", "gamma"},
    {"delta()::{lambda(int)#1}::operator()(int) const",
     "delta()::{lambda(int)#2}::operator()(int) const",
     "delta()::{lambda(int)#31}::operator()(int) const"},
    {"alphabet", "alphabet.constprop.0", "alphabet.lto_priv.7"},
    {"ns::beta(long)", "ns::beta(long)", "ns::beta(long)"},
    {"alpha.1", "alpha.1", "alpha.1"},
    {"zeta", "zeta", "zeta"},
    {"eta<int>()", "eta<int>()", "eta<int>()"},
    {"main", "main", "main"},
    {"malloc", "malloc", "malloc"},
    {"operator new(unsigned long)", "operator new(unsigned long)", "operator new(unsigned long)"},
};
static const char *const made_files[3][3] = {
    {"one.c", "/old/one.c", "/new/src/one.c"},
    {"a.h", "../a.h", "/x/a.h"},
    {"two.c", "two.c", "/two.c"},
};
static char made_paths[MADE_MODULES][3][40] = {
    {"", "", ""},
    {"/bin/app", "/bin/app", "/new/app2"},
    {"/lib/libx.so.1.2.3", "/lib/libx.so.1.2.4", "/opt/libx-2.so"},
    {"/lib/liby.so", "/lib/liby.so", "/opt/liby.so.1"},
    {"/x/libmallograph.so", "/x/libmallograph.so", "/y/libmallograph.so"},
};

static inline void made_frame(struct made *made, size_t at, unsigned build)
{
	uint32_t function = made_random(MADE_FUNCTIONS + 2), file = made_random(4);

	made->function[at] = function < MADE_FUNCTIONS ? (int)function : -1;
	made->file[at] = file < 3 ? (int)file : -1;
	if (function < MADE_FUNCTIONS)
		made->frames[at].function = made_functions[function][build ? made_random(3) : 0];
	if (file < 3)
		made->frames[at].file = made_files[file][build ? made_random(3) : 0];
	made->frames[at].line = made_random(3);
}

static inline void made_locations(struct made *made, unsigned build)
{
	size_t frames = 0;

	for (size_t i = 1; i < MADE_LOCATIONS; i++) {
		struct profile_location *location = &made->locations[i];

		*location = (struct profile_location){
		    .module = made_random(MADE_MODULES),
		    .offset = (int64_t)i, /* of no two the same */
		    .frame = (uint32_t)frames,
		    .frame_count = made_random(4),
		};
		for (uint32_t k = 0; k < location->frame_count; k++)
			made_frame(made, frames++, build);
	}
	made->profile.frame_count = frames;
}

static inline void made_classes(struct made *made)
{
	struct profile_totals *totals = &made->profile.totals;

	for (size_t i = 1; i < MADE_CLASSES; i++) {
		struct profile_class *class_ = &made->classes[i];
		uint64_t allocations = 1 + made_random(20);

		*class_ = (struct profile_class){
		    .node = made_random(MADE_NODES),
		    .size = made_random(5) * 8,
		    .allocations = allocations,
		    .deallocations = made_random((uint32_t)allocations + 1),
		    .temporary = made_random((uint32_t)allocations + 1),
		    .peak_live = made_random((uint32_t)allocations + 1),
		    .thread = made_random(4),
		};
		totals->allocations += allocations;
		totals->temporary += class_->temporary;
		totals->bytes += allocations * class_->size;
		totals->peak_blocks += class_->peak_live;
		totals->peak_bytes += class_->peak_live * class_->size;
		totals->leaked_blocks += allocations - class_->deallocations;
		totals->leaked_bytes += (allocations - class_->deallocations) * class_->size;
	}
}

/* build 0: each name is written in one way only. */
static inline struct made *made_new(unsigned build)
{
	struct made *made = calloc(1, sizeof(*made));

	assert(made);
	for (size_t i = 0; i < MADE_MODULES; i++)
		made->modules[i].path = made_paths[i][build];
	made_locations(made, build);
	for (size_t i = 1; i < MADE_NODES; i++) {
		uint32_t above = made_random(3) ? (uint32_t)i : 10 < i ? 10 : (uint32_t)i;

		made->nodes[i].parent = made_random(above);
		made->nodes[i].location = 1 + made_random(MADE_LOCATIONS - 1);
		if (!made_random(20)) {
			made->nodes[i].location = 0;
			made->nodes[i].flags =
			    made_random(2) ? TRACE_NODE_CUT : TRACE_NODE_INCOMPLETE;
		}
	}
	made_classes(made);
	for (size_t i = 0; i < 4; i++)
		made->threads[i].name = made_paths[0][0];
	made->profile.program = made->modules[1].path;
	made->profile.modules = made->modules;
	made->profile.module_count = MADE_MODULES;
	made->profile.locations = made->locations;
	made->profile.location_count = MADE_LOCATIONS;
	made->profile.frames = made->frames;
	made->profile.nodes = made->nodes;
	made->profile.node_count = MADE_NODES;
	made->profile.classes = made->classes;
	made->profile.class_count = MADE_CLASSES;
	made->profile.threads = made->threads;
	made->profile.thread_count = 4;
	return made;
}

/* What a frame of a node is to a reader of one trace (LENS_LINE), of a diff by function, or
 * by the address. */
static inline void made_key(char *key, const struct made *made, uint32_t node, uint32_t frame,
			    const struct lens *lens, int diff)
{
	const struct profile_node *at = &made->nodes[node];
	const struct profile_location *location = &made->locations[at->location];
	uint32_t index = location->frame + frame;

	if (!node || at->flags)
		snprintf(key, MADE_KEY, "mark%u", node ? at->flags : 0);
	else if (lens->identity == LENS_ADDRESS || !location->frame_count ||
		 (made->function[index] < 0 && made->file[index] < 0))
		snprintf(key, MADE_KEY, "m%u+%lld/%u", location->module,
			 diff && !location->module ? 0 : (long long)location->offset, frame);
	else if (lens->identity == LENS_LINE)
		snprintf(key, MADE_KEY, "m%u f%d s%d l%u", location->module, made->function[index],
			 made->file[index], made->frames[index].line);
	else if (made->function[index] < 0)
		snprintf(key, MADE_KEY, "m%u s%d", location->module, made->file[index]);
	else
		snprintf(key, MADE_KEY, "m%u f%d", location->module, made->function[index]);
}

struct made_path {
	struct {
		uint32_t node, frame;
		int function;
	} at[MADE_DEPTH]; /* from who allocates outward, as far as main */
	size_t count;
};

static inline int made_function_of(const struct made *made, uint32_t node, uint32_t frame)
{
	const struct profile_location *location = &made->locations[made->nodes[node].location];

	return frame < location->frame_count ? made->function[location->frame + frame] : -1;
}

static inline int made_is_wrapper(const struct made *made, uint32_t node, uint32_t frame)
{
	int function = made_function_of(made, node, frame);

	return made->locations[made->nodes[node].location].module == MADE_COLLECTOR ||
	       function == MADE_MALLOC || function == MADE_NEW;
}

static inline void made_walk(struct made_path *path, const struct made *made, uint32_t class_id,
			     int look_through)
{
	size_t first = 0;

	path->count = 0;
	for (uint32_t node = made->classes[class_id].node; node; node = made->nodes[node].parent) {
		uint32_t frames = made->locations[made->nodes[node].location].frame_count;

		for (uint32_t frame = 0; frame < (frames ? frames : 1); frame++) {
			path->at[path->count].node = node;
			path->at[path->count].frame = frame;
			path->at[path->count++].function = made_function_of(made, node, frame);
		}
	}
	while (look_through && first < path->count &&
	       made_is_wrapper(made, path->at[first].node, path->at[first].frame))
		first++;
	if (first == path->count)
		first = 0;
	path->count -= first;
	memmove(path->at, path->at + first, path->count * sizeof(*path->at));
	for (size_t i = 0; i < path->count; i++)
		if (path->at[i].function == MADE_MAIN)
			path->count = i + 1;
}

/* Of the path's frames [first, end), outward. */
static inline void made_text(char *text, const struct made *made, const struct made_path *path,
			     size_t first, size_t end, const struct lens *lens, int diff)
{
	*text = '\0';
	for (size_t i = first; i < end; i++) {
		made_key(text, made, path->at[i].node, path->at[i].frame, lens, diff);
		text += strlen(text);
		*text++ = '\n';
		*text = '\0';
	}
}

#endif
