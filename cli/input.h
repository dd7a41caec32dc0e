/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_INPUT_H
#define MALLOGRAPH_INPUT_H

/* The trace that a command reads: which one, and what is said about it. */

#include "analyzer/model/profile.h"

#define INPUT_NAME_BYTES 256

/* The file named by an option (NULL: none) or by the only word behind argv[0];
 * without both the newest run's in the current folder (newest.h), whose name is
 * put into newest (INPUT_NAME_BYTES) and said on stderr. Returns -1 with *path
 * set, or an exit status after a message. */
int input_choose(const char *command, const char *option, int argc, char **argv, char *newest,
		 const char **path);

/* "standard input" for "-", otherwise the path. */
const char *input_name(const char *path);

/* Loads it; "-" is standard input. That, and pipes, are kept so that their events can be read
 * again. Says on stderr what is wrong with it. Returns the exit status that the command ends with
 * if all goes well; *profile is NULL when it can't go on. */
int input_load(struct profile **profile, const char *path);

#endif
