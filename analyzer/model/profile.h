/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_PROFILE_H
#define MALLOGRAPH_PROFILE_H

/*
 * The one model that every view shows: what a trace says, in memory.
 *
 * Built once by profile_load(); read-only afterwards, so any number of
 * threads may read it. Indices are the trace's ids; entry 0 of nodes, classes,
 * modules, threads and strings is a placeholder (the root, "none"). All byte
 * figures are bytes requested. Of a heaptrack file, addresses are those of the
 * process: its modules have neither start nor end.
 *
 * What a view may rely on: parents have smaller ids than their nodes; no class
 * has more deallocations than allocations; the sums over the classes of
 * allocations, deallocations, temporary, bytes requested, live bytes at the
 * peak and at the end do not overflow and equal the totals.
 */

#include <stddef.h>
#include <stdint.h>

#include "formats/trace/reader.h"

struct profile_module {
	char *path; /* never NULL */
	uint64_t start, end, base;
	unsigned char *build_id;
	size_t build_id_bytes;
};

/* One place in the code: what an address stands for, with what was inlined
 * there. frames[0] is the innermost. count 0: no symbol is known. */
struct profile_frame {
	const char *function; /* demangled; NULL: unknown */
	const char *file;     /* NULL: unknown */
	uint32_t line;        /* 0: unknown */
};
struct profile_location {
	uint32_t module;
	int64_t offset; /* from module start; the address itself for module 0 */
	uint32_t frame; /* first of its frames in profile.frames */
	uint32_t frame_count;
};

struct profile_node {
	uint32_t parent;
	uint32_t location; /* index in profile.locations: equal for equal (module, offset) */
	unsigned flags;    /* enum trace_node_flag */
};

struct profile_class {
	uint32_t node;
	unsigned function;
	uint64_t size;
	uint64_t allocations, deallocations, temporary;
	uint64_t peak_live; /* blocks live at the peak */
			    /* live at the end: allocations - deallocations */
	uint32_t thread;    /* SELECT_BY_THREAD: that allocated; 0 otherwise */
	uint32_t whole;     /* SELECT_BY_THREAD: the class of profile.whole that this is of */
	int base;           /* combine.h: of base, not of fresh */
};

struct profile_thread {
	uint64_t tid;
	char *name;
	uint64_t allocations, deallocations, temporary, bytes;
};

struct profile_totals {
	uint64_t allocations, deallocations, reallocations, temporary, bytes;
	uint64_t peak_bytes, peak_blocks, peak_tick;
	uint64_t leaked_blocks, leaked_bytes;
	uint64_t peak_rss;
	uint64_t end_tick;
};

enum profile_kind { PROFILE_TRACE, PROFILE_HEAPTRACK };

/* What a kind of file does not hold: such figures are 0, and views say so instead. */
enum profile_lack {
	PROFILE_LACKS_THREADS = 1,       /* all events are of thread 0 */
	PROFILE_LACKS_LIFETIMES = 2,     /* which block a deallocation ends, so its age, too */
	PROFILE_LACKS_REALLOCATIONS = 4, /* marks of them */
	PROFILE_LACKS_FUNCTIONS = 8,     /* profile_class.function */
	PROFILE_LACKS_PROCESS = 16,      /* folder, pid, start, how it ended and what was lost */
	PROFILE_LACKS_BEGINNING = 32     /* the collector came to a running program */
};

struct profile {
	enum profile_kind kind;
	unsigned lacks; /* enum profile_lack */
	char *path; /* of the file, to scan it again; NULL where it was standard input or a pipe */
	enum trace_state state;
	const char *fault; /* TRACE_DAMAGED: a few words, lives for ever; else NULL */
	/* TRACE_COMPLETE, but events are damaged, which the figures don't need: likewise.
	 * NULL where the events were not read. */
	const char *events_fault;
	uint64_t used_bytes, file_bytes;
	/* META */
	char *program, *host, *collector, *folder, *parent_trace;
	char **arguments;
	size_t argument_count;
	char *command; /* as the file has it, for want of arguments; or NULL */
	uint64_t pid, parent_pid, start_nanoseconds, page_size, origin, max_depth;
	/* END: by tag, 0 where absent; rebuilt from events where the end is missing */
	uint64_t end[64];

	struct profile_module *modules;
	size_t module_count; /* all counts include the placeholder at 0 */
	struct profile_node *nodes;
	size_t node_count;
	struct profile_location *locations;
	size_t location_count;
	struct profile_frame *frames;
	size_t frame_count;
	struct profile_class *classes;
	size_t class_count;
	struct profile_thread *threads;
	size_t thread_count;
	struct trace_point *points;
	size_t point_count;
	char **strings;
	size_t string_count;
	/* Rules that the program brought: texts of lines as in a file of suppressions,
	 * "leak:PATTERN" */
	char **suppressions;
	size_t suppression_count;
	int suppressions_unread; /* it brought some, but what they are could not be told */
	struct profile_totals totals;
	int rebuilt;          /* the figures were rebuilt from the events */
	uint64_t event_count; /* how many of them; 0 where they were not read */

	/* A selection (select.h) borrows from `whole` what it has not itself; a combined profile
	 * (combine.h) is made of fresh and base. NULL otherwise. */
	const struct profile *whole, *fresh, *base;
	struct profile_totals base_totals;
};

/* Reads the events of a complete trace for their soundness alone: sets events_fault.
 * Not of stdin, which can be read only once. */
void profile_check_events(struct profile *profile, const char *path);

/* "heaptrack's files hold no threads": for the first of these lacks that the
 * profile has; NULL when it has none. */
const char *profile_lack_text(const struct profile *profile, unsigned lacks);

/* Reads a trace or a heaptrack file, told by its content ("-" is stdin). A trace that is cut off or
 * still being written is no error: profile->state tells, and the figures are of what is there
 * (rebuilt from its events). Errors: those of trace_reader_open() and heaptrack_reader_read(),
 * ERROR_DAMAGED where nothing at all could be used. On success the caller
 * frees with profile_free(). */
int profile_load(struct profile **profile, const char *path);
/* Whether a file that begins so may be one of those. */
int profile_is_known(const void *bytes, size_t size);
/* The same, always from the events, whatever counters the file has: for tests. */
int profile_load_from_events(struct profile **profile, const char *path);
void profile_free(struct profile *profile);

/* The shell's way to write the command, quoted where needed: "./app 'a b'"; `command` as
 * it is. The caller frees; NULL when out of memory. */
char *profile_command(const struct profile *profile);

/* "malloc", "operator new[](std::nothrow)" ...; never NULL */
const char *profile_function_name(unsigned function);

#endif
