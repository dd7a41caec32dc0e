/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/query/suppressions.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/model/id_table.h"
#include "analyzer/query/pattern.h"
#include "formats/error.h"

#define UNKNOWN UINT32_MAX
#define JUDGED  4096

/*
 * Rules are told by their index + 1; 0: none.
 *
 * Stacks are judged from outside inwards: a node has its parent's rule or one of its own frames.
 * The loader calls the constructors of what it loads, so that all a plugin's constructor leaks
 * is below the loader's functions, though it is none of the loader's: where a stack enters a
 * constructor, the built-in rules of the frames outside are forgotten. That is right only as
 * long as no other rule was passed over for a built-in one, so built-in ones come last.
 */
struct location_rule {
	uint32_t rule;
	int constructs; /* it runs constructors: built-in rules from outside end here */
};

struct finder {
	struct suppressions *suppressions;
	const struct profile *profile;
	struct judged {
		const char *name;
		uint32_t rule;
	} * judged; /* functions, files and modules, by a hash of the pointer */
	struct location_rule *rule_of_location;
	uint32_t *rule_of_node;
};

static int is_builtin(const struct suppressions *suppressions, uint32_t rule)
{
	return rule && suppressions->rules[rule - 1].origin == SUPPRESSION_BUILTIN;
}

static uint32_t first_of(const struct suppressions *suppressions, uint32_t one, uint32_t other)
{
	int one_builtin = is_builtin(suppressions, one);

	if (!one || !other)
		return one ? one : other;
	if (one_builtin != is_builtin(suppressions, other))
		return one_builtin ? other : one;
	return one < other ? one : other;
}

static uint32_t first_match(const struct suppressions *suppressions, const char *name)
{
	uint32_t rule = 0;

	for (size_t i = 0; i < suppressions->count; i++)
		if (pattern_finds(suppressions->rules[i].pattern, name))
			rule = first_of(suppressions, rule, (uint32_t)i + 1);
	return rule;
}

/* glibc's, in all of its versions; one may be inlined into the other. */
static int runs_constructors(const char *function)
{
	static const char *const names[] = {"call_init", "_dl_init"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t length = strlen(names[i]);

		/* or "call_init.part.0" */
		if (function && !strncmp(function, names[i], length) &&
		    (!function[length] || function[length] == '.'))
			return 1;
	}
	return 0;
}

static uint32_t without_builtin(const struct suppressions *suppressions, uint32_t rule)
{
	return is_builtin(suppressions, rule) ? 0 : rule;
}

/* Names are judged once as long as no other of their slot comes between: frames share them. */
static uint32_t rule_of_name(struct finder *all, const char *name)
{
	struct judged *at;

	if (!name)
		return 0;
	at = &all->judged[id_table_hash(0, (uintptr_t)name) % JUDGED];
	if (at->name != name)
		*at = (struct judged){name, first_match(all->suppressions, name)};
	return at->rule;
}

static struct location_rule find_location(struct finder *all, uint32_t id)
{
	const struct suppressions *rules = all->suppressions;
	const struct profile_location *location = &all->profile->locations[id];
	struct location_rule found = {
	    .rule = rule_of_name(all, all->profile->modules[location->module].path)};

	for (uint32_t i = location->frame_count; i--;) {
		const struct profile_frame *frame = &all->profile->frames[location->frame + i];

		if (runs_constructors(frame->function)) {
			found.constructs = 1;
			found.rule = without_builtin(rules, found.rule);
		}
		found.rule = first_of(rules, found.rule, rule_of_name(all, frame->function));
		found.rule = first_of(rules, found.rule, rule_of_name(all, frame->file));
	}
	return found;
}

static uint64_t leaked_of(const struct profile_class *class_)
{
	return class_->allocations - class_->deallocations;
}

/* Only stacks that leak are looked at; most don't. */
static void mark_leaking(struct finder *all)
{
	const struct profile *profile = all->profile;

	for (size_t i = 1; i < profile->class_count; i++) {
		uint32_t node = leaked_of(&profile->classes[i]) ? profile->classes[i].node : 0;

		for (; node && all->rule_of_node[node] != UNKNOWN;
		     node = profile->nodes[node].parent)
			all->rule_of_node[node] = UNKNOWN;
	}
}

static void find_nodes(struct finder *all)
{
	const struct profile *profile = all->profile;

	for (size_t i = 0; i < profile->location_count; i++)
		all->rule_of_location[i].rule = UNKNOWN;
	mark_leaking(all);
	for (size_t i = 1; i < profile->node_count; i++) {
		const struct profile_node *node = &profile->nodes[i];
		struct location_rule *own = &all->rule_of_location[node->location];
		uint32_t outside = all->rule_of_node[node->parent];

		if (all->rule_of_node[i] != UNKNOWN)
			continue;
		if (own->rule == UNKNOWN)
			*own = find_location(all, node->location);
		if (own->constructs)
			outside = without_builtin(all->suppressions, outside);
		all->rule_of_node[i] = first_of(all->suppressions, outside, own->rule);
	}
}

static void count_class(struct suppressions *suppressions, const struct profile_class *class_,
			uint32_t rule)
{
	struct suppression *suppression = &suppressions->rules[rule - 1];
	uint64_t blocks = leaked_of(class_), bytes = blocks * class_->size;

	if (class_->base) {
		suppression->base_matches += blocks;
		suppression->base_leaked_bytes += bytes;
		suppressions->base_leaked_blocks += blocks;
		suppressions->base_leaked_bytes += bytes;
	} else {
		suppression->matches += blocks;
		suppression->leaked_bytes += bytes;
		suppressions->leaked_blocks += blocks;
		suppressions->leaked_bytes += bytes;
	}
}

/* Applying anew forgets what was counted before. */
static void reset(struct suppressions *suppressions)
{
	free(suppressions->of_class);
	suppressions->of_class = NULL;
	suppressions->class_count = 0;
	suppressions->leaked_blocks = suppressions->leaked_bytes = 0;
	suppressions->base_leaked_blocks = suppressions->base_leaked_bytes = 0;
	for (size_t i = 0; i < suppressions->count; i++) {
		struct suppression *rule = &suppressions->rules[i];

		rule->matches = rule->leaked_bytes = 0;
		rule->base_matches = rule->base_leaked_bytes = 0;
	}
}

int suppressions_apply(struct suppressions *suppressions, const struct profile *profile)
{
	struct finder all = {.suppressions = suppressions, .profile = profile};
	int error = ERROR_MEMORY;

	reset(suppressions);
	suppressions->of_class = calloc(profile->class_count + 1, sizeof(*suppressions->of_class));
	all.rule_of_location = calloc(profile->location_count + 1, sizeof(*all.rule_of_location));
	all.rule_of_node = calloc(profile->node_count + 1, sizeof(*all.rule_of_node));
	all.judged = calloc(JUDGED, sizeof(*all.judged));
	if (suppressions->of_class && all.rule_of_location && all.rule_of_node && all.judged) {
		suppressions->class_count = profile->class_count;
		error = 0;
		if (suppressions->count)
			find_nodes(&all);
	}
	for (size_t i = 1; i < profile->class_count && !error; i++) {
		const struct profile_class *class_ = &profile->classes[i];
		uint32_t rule = leaked_of(class_) ? all.rule_of_node[class_->node] : 0;

		suppressions->of_class[i] = rule;
		if (rule)
			count_class(suppressions, class_, rule);
	}
	free(all.judged);
	free(all.rule_of_location);
	free(all.rule_of_node);
	return error;
}

void suppressions_release(struct suppressions *suppressions)
{
	for (size_t i = 0; i < suppressions->count; i++)
		free(suppressions->rules[i].pattern);
	free(suppressions->rules);
	free(suppressions->of_class);
	*suppressions = (struct suppressions){0};
}
