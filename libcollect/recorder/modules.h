/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RECORDER_MODULES_H
#define MALLOGRAPH_RECORDER_MODULES_H

/*
 * The loaded files of a session, as the program reports them, and a descriptor
 * of each for the symbolizer: plugins are deleted, containers end, so a file is
 * opened when it is first seen. Sessions share descriptors of the same file.
 */

#include <stdint.h>
#include <sys/types.h>

#include "formats/trace/writer.h"
#include "libcollect/recorder/region.h"

struct crew;

struct module_files { /* of all sessions; all zero: none */
	struct module_file *files;
	uint32_t count, room;
	uint32_t most; /* descriptors to keep at most */
};
struct module_file {
	uint64_t device, inode;
	int fd; /* -1: this place is unused */
	uint32_t uses;
};

struct modules {
	const struct shared *shared;
	struct session *session;
	struct module_files *files;
	pid_t pid;           /* as we see it, 0: gone */
	const char *program; /* path of the executable, or NULL; not owned */
	const char *folder;  /* where the process was when it was first seen, or NULL; not owned */

	struct module *list; /* by the session's id less one */
	uint32_t count, room;
	uint32_t read_bytes; /* of the session's records */
	uint32_t file_count; /* defined in the trace so far */
	int bad;             /* the records make no sense: read no more */
};
struct module {
	uint64_t start, end, base;
	uint32_t file_id; /* in the trace, 0: not yet defined */
	uint32_t file;    /* in module_files, by number + 1; 0: none */
	uint16_t path_bytes, build_id_bytes;
	char *text; /* path, then build-id */
};

void modules_release(struct modules *modules);
/* Reads the records that were added since the last call. */
void modules_read(struct modules *modules);
/* A module of the session by its id, defined in the trace; NULL: there is none. The crew, which may
 * be writing, is waited for where it has to be. */
const struct module *modules_use(struct modules *modules, struct trace_writer *writer,
				 struct crew *crew, uint32_t id);
/* A descriptor for a module of the trace, or -1. */
int modules_fd(const struct modules *modules, uint32_t file_id);
void module_files_release(struct module_files *files);

#endif
