/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/point.h"

#include <stdio.h>
#include <stdlib.h>

struct frame_reference *point_room(struct point_stacks *stacks, size_t count)
{
	struct frame_reference *larger;

	if (count <= stacks->room && stacks->list)
		return stacks->list;
	larger = reallocarray(stacks->list, count + 16, sizeof(*larger));
	if (!larger)
		return NULL;
	stacks->list = larger;
	stacks->room = count + 16;
	return larger;
}

int64_t *point_figure_room(struct point_stacks *stacks, size_t count)
{
	int64_t *larger;

	if (count <= stacks->figure_room && stacks->figures)
		return stacks->figures;
	larger = reallocarray(stacks->figures, count + 16, sizeof(*larger));
	if (!larger)
		return NULL;
	stacks->figures = larger;
	stacks->figure_room = count + 16;
	return larger;
}

void point_stacks_release(struct point_stacks *stacks)
{
	free(stacks->list);
	free(stacks->figures);
	*stacks = (struct point_stacks){0};
}

void point_add_site(struct point *point, struct point_stacks *stacks, const struct tui *tui,
		    const struct sites *sites, const struct site *site, enum cost_kind kind)
{
	struct ordering ordering = tui_ordering(tui, kind);
	size_t count = 0;
	uint32_t *order;

	ordering.least = 0;
	order = sites_sorted_stacks(sites, site->first_stack, site->stack_count, &ordering, &count);
	if (order && point_room(stacks, count) && point_figure_room(stacks, count)) {
		for (size_t i = 0; i < count; i++) {
			const struct site_stack *stack = &sites->stacks[order[i]];

			stacks->list[i] = (struct frame_reference){stack->node, stack->frame};
			stacks->figures[i] = cost_difference(&stack->cost, &stack->base, kind);
		}
		point->stacks = stacks->list;
		point->stack_count = count;
		point->figures = stacks->figures;
		point->kind = kind;
	}
	free(order);
}

void point_add_function(struct point *point, const struct profile *profile)
{
	const struct profile_frame *frame =
	    captions_frame(profile, point->at.node, point->at.frame);

	if (frame && frame->function)
		snprintf(point->only, sizeof(point->only), "function=%s", frame->function);
}
