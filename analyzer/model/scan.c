/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/model/scan.h"

#include "analyzer/model/load_heaptrack.h"
#include "formats/error.h"

/*
 * A profile that was counted from events knows how many there were: the scan
 * ends behind as many, whatever a recorder has added since, and wherever damage
 * made the profile stop. A complete one has them all.
 *
 * Callers use the ids of events as indices, so the file's classes and threads are
 * compared with the profile's as they are defined: an event refers only to what
 * came before.
 */

static _Thread_local struct scan_watch *thread_watch;

void scan_watch_set(struct scan_watch *watch)
{
	thread_watch = watch;
}

void scan_watch_tell(const char *path, uint64_t done, uint64_t total)
{
	if (thread_watch && thread_watch->look)
		thread_watch->look(thread_watch, path, done, total);
}

uint64_t scan_event_count(const struct profile *profile)
{
	const struct profile_totals *totals = &profile->totals;

	/* of a complete trace nobody has counted all: two for a block that was given back */
	return profile->event_count ? profile->event_count
				    : 2 * totals->allocations - totals->leaked_blocks;
}

struct scan {
	const struct profile *profile;
	scan_events events;
	void *context;
	struct scan_watch *watch;
	uint64_t total; /* for the watch */
	uint64_t left;
	int ended; /* here, not by the callback */
};

static int end_here(struct scan *scan)
{
	scan->ended = 1;
	return 1;
}

/* What the profile does not know was written behind its last event, or is of another file. */
static int is_beyond(struct scan *scan)
{
	return scan->profile->state == TRACE_COMPLETE ? ERROR_FOREIGN : end_here(scan);
}

static int scan_class(void *context, uint32_t id, const struct trace_class *class_)
{
	struct scan *scan = context;
	const struct profile_class *known;

	if (id >= scan->profile->class_count)
		return is_beyond(scan);
	known = &scan->profile->classes[id];
	return known->node == class_->node && known->function == class_->function &&
		       known->size == class_->size
		   ? 0
		   : ERROR_FOREIGN;
}

static int scan_thread(void *context, uint32_t id, uint64_t tid, const struct trace_text *name)
{
	struct scan *scan = context;

	(void)name;
	if (id >= scan->profile->thread_count)
		return is_beyond(scan);
	return scan->profile->threads[id].tid == tid ? 0 : ERROR_FOREIGN;
}

static int scan_batch(void *context, const struct trace_event *events, size_t count)
{
	struct scan *scan = context;
	int result;

	if (scan->watch) {
		uint64_t before =
		    atomic_fetch_add_explicit(&scan->watch->done, count, memory_order_relaxed);

		scan_watch_tell(scan->profile->path, before + count, scan->total);
		if (atomic_load_explicit(&scan->watch->cancel, memory_order_relaxed))
			return ERROR_CANCELLED;
	}
	if (count > scan->left)
		count = (size_t)scan->left;
	scan->left -= count;
	result = count ? scan->events(scan->context, events, count) : 0;
	return result || scan->left ? result : end_here(scan);
}

/* A reader that has no callbacks for what events refer to. */
static int scan_unchecked(void *context, const struct trace_event *events, size_t count)
{
	const struct scan *scan = context;

	for (size_t i = 0; i < count; i++)
		if (events[i].class_id >= scan->profile->class_count)
			return ERROR_FOREIGN;
	return scan_batch(context, events, count);
}

static int scan_file(const struct profile *profile, scan_events events, void *context)
{
	static const struct trace_visitor visitor = {
	    .class_ = scan_class, .nodes_known = 1, .thread = scan_thread, .events = scan_batch};
	struct scan scan = {.profile = profile->whole ? profile->whole : profile,
			    .events = events,
			    .context = context,
			    .watch = thread_watch,
			    .left = UINT64_MAX};
	enum trace_state state = TRACE_COMPLETE;
	struct trace_reader *reader;
	int result;

	profile = scan.profile;
	scan.total = scan_event_count(profile);
	if (scan.watch)
		atomic_store_explicit(&scan.watch->done, 0, memory_order_relaxed);
	if (!profile->path || profile->fresh)
		return ERROR_UNSUPPORTED;
	if (profile->rebuilt || profile->kind == PROFILE_HEAPTRACK)
		scan.left = profile->event_count;
	if (!scan.left)
		return 0;
	if (profile->kind == PROFILE_HEAPTRACK) {
		result = heaptrack_scan(profile->path, scan_unchecked, &scan);
		return scan.ended ? 0 : result;
	}
	result = trace_reader_open(&reader, profile->path);
	if (result)
		return result == ERROR_SYSTEM || result == ERROR_MEMORY ? result : ERROR_FOREIGN;
	result = trace_reader_read(reader, &visitor, &scan, &state);
	trace_reader_close(reader);
	if (scan.ended)
		return 0;
	if (result || profile->state != TRACE_COMPLETE)
		return result;
	return state == TRACE_DAMAGED ? ERROR_DAMAGED : state != TRACE_COMPLETE ? ERROR_FOREIGN : 0;
}

int profile_scan(const struct profile *profile, scan_events events, void *context)
{
	int result = scan_file(profile, events, context);

	scan_watch_tell(NULL, 0, 0);
	return result;
}
