/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/json_parts.h"

#include <inttypes.h>

#include "analyzer/report/frames.h"

static void put_cost(struct json *json, const char *key, const struct cost *cost,
		     const struct cost *less)
{
	json_open(json, key, '{');
	json_number(json, "allocations", (int64_t)(cost->allocations - less->allocations));
	json_number(json, "temporary", (int64_t)(cost->temporary - less->temporary));
	json_number(json, "bytes", (int64_t)(cost->bytes - less->bytes));
	json_number(json, "peak_blocks", (int64_t)(cost->peak_blocks - less->peak_blocks));
	json_number(json, "peak_bytes", (int64_t)(cost->peak_bytes - less->peak_bytes));
	json_number(json, "leaked_blocks", (int64_t)(cost->leaked_blocks - less->leaked_blocks));
	json_number(json, "leaked_bytes", (int64_t)(cost->leaked_bytes - less->leaked_bytes));
	json_close(json, '}');
}

void json_cost(struct json *json, const char *key, const struct report *report,
	       const struct cost *cost, const struct cost *base)
{
	static const struct cost none;

	if (!report->diff) {
		put_cost(json, key, cost, &none);
		return;
	}
	json_open(json, key, '{');
	put_cost(json, "base", base, &none);
	put_cost(json, "new", cost, &none);
	put_cost(json, "difference", cost, base);
	json_close(json, '}');
}

void json_frame(struct json *json, const struct profile *profile, uint32_t node, uint32_t frame)
{
	unsigned flags = profile->nodes[node].flags;
	const struct profile_location *location =
	    &profile->locations[profile->nodes[node].location];
	const char *module = profile->modules[location->module].path;
	const char *mark = frame_mark(node, flags);
	char address[32];

	json_open(json, NULL, '{');
	if (mark) {
		json_text(json, "mark", mark);
		json_close(json, '}');
		return;
	}
	if (frame < location->frame_count) {
		const struct profile_frame *known = &profile->frames[location->frame + frame];

		json_text(json, "function", known->function);
		json_text(json, "file", known->file);
		if (known->line)
			json_number(json, "line", known->line);
	} else {
		json_text(json, "function", NULL);
		json_text(json, "file", NULL);
	}
	json_text(json, "module", *module ? module : NULL);
	snprintf(address, sizeof(address), "0x%" PRIx64, frame_address(profile, location));
	json_text(json, "address", address);
	if (frame + 1 < location->frame_count)
		json_flag(json, "inlined", 1);
	if (flags & TRACE_NODE_GUESSED)
		json_flag(json, "guessed", 1);
	json_close(json, '}');
}

void json_stack(struct json *json, const char *key, const struct profile *profile, uint32_t node,
		uint32_t first)
{
	json_open(json, key, '[');
	if (!node)
		json_frame(json, profile, 0, 0);
	while (node) {
		uint32_t count = profile->locations[profile->nodes[node].location].frame_count;

		if (!count)
			json_frame(json, profile, node, 0);
		for (uint32_t i = first; i < count; i++)
			json_frame(json, profile, node, i);
		if (frame_ends_stack(profile, node))
			break;
		node = profile->nodes[node].parent;
		first = 0;
	}
	json_close(json, ']');
}
