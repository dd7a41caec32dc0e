/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_ENVIRONMENT_H
#define MALLOGRAPH_ENVIRONMENT_H

/*
 * Environments for programs that are started from the profiled one. Nothing
 * here allocates; results point into the caller's arrays and the old
 * environment.
 */

#include <stddef.h>

enum environment_choice {
	ENVIRONMENT_AS_IS,  /* we are not recording: leave it alone */
	ENVIRONMENT_RECORD, /* with our variables */
	ENVIRONMENT_PLAIN   /* without them */
};

size_t environment_size(char *const *envp);
const char *environment_value(char *const *envp, const char *name);

/* Fills made (environment_size() + 3 pointers) from envp; text
 * (environment_text_bytes()) holds what had to be written anew. */
size_t environment_text_bytes(char *const *envp);
void environment_make(char **made, char *text, char *const *envp, enum environment_choice choice);

/* 1 when a program started from here could load our library and attach: not
 * behind a chroot, or as another user. Changes errno. */
int environment_reaches(void);

/* Remembers what LD_PRELOAD and SESSION_VARIABLE have to say. In our
 * constructor; a process without SESSION_VARIABLE (started without the launcher) gets it. */
void environment_prepare(void);
/* The session that children shall attach to: "SHMID.COOKIE". */
void environment_session(int id, unsigned long long cookie);
/* There is no recorder: programs started from here shall not try either. */
void environment_session_off(void);

#endif
