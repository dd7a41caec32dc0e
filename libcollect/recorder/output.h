/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_OUTPUT_H
#define MALLOGRAPH_OUTPUT_H

/*
 * The files that traces are written to: their names, and how they are made.
 */

#include <stddef.h>
#include <sys/types.h>

#include "libcollect/recorder/recorder.h"

struct output_names { /* taken in this run; all zero: none */
	char **names;
	size_t count, room;
};

struct output {
	char *name; /* as the user would type it: relative to the folder */
	char *path;
	int fd;
	int displaced; /* the name is another, since a recorder writes to the one before */
};

/* Creates the file for a process and locks it. Replaces a regular file or a
 * symbolic link of that name, never another kind of file, never one of this
 * run or that another recorder is writing: these are left and the name gets a number.
 * On success output->name and path are to be freed and fd to be closed. On failure
 * returns a negative error, and message (of size bytes) says why. */
int output_create(struct output_names *names, const struct recorder_options *options,
		  const char *program, pid_t pid, struct output *output, char *message,
		  size_t size);
/* The program may have renamed or removed the file, or its folder, in the meantime: takes over
 * the name that it has now. Returns 1 when it has none any more. */
int output_follow(struct output *output);
/* Removes the file again and closes it: nothing could be written to it. */
void output_remove(struct output *output);
/* Whether a pattern has only what is expanded: %p, %n, %h and %%. Otherwise returns the first
 * that isn't, from its % on. */
const char *output_unknown_field(const char *pattern);
void output_names_release(struct output_names *names);

/* The last part of a path; "unknown" for NULL and the like. */
const char *base_name(const char *path);

#endif
