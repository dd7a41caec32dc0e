/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_PROGRAM_H
#define MALLOGRAPH_PROGRAM_H

/*
 * Whether a program can be recorded, told from its file before it starts.
 * Asked by the launcher, and inside the profiled program by the exec hooks:
 * so no malloc, no stdio, little stack; errno changes. Thread-safe.
 */

#include <stddef.h>

enum program_kind {
	PROGRAM_RECORDABLE = 0,
	PROGRAM_MISSING, /* no such file, or not to be opened */
	PROGRAM_FOLDER,
	PROGRAM_NOT_EXECUTABLE,
	PROGRAM_DENIED,         /* permission denied: to others it is executable */
	PROGRAM_NO_INTERPRETER, /* a script, and what it names is no such program */
	PROGRAM_STATIC,         /* no dynamic loader: nothing can be preloaded */
	PROGRAM_OTHER_LIBC,     /* its loader is not glibc's */
	PROGRAM_OTHER_CPU,
	PROGRAM_PRIVILEGED, /* setuid, setgid or file capabilities that the caller lacks */
	PROGRAM_SANITIZED,  /* linked with AddressSanitizer or LeakSanitizer, whose malloc insists
			     * on coming first, or looks for what points to blocks */
	PROGRAM_OWN_MALLOC, /* defines malloc inside its own executable */
	PROGRAM_KINDS
};

/* path is opened as it is. A script is judged by its interpreter. */
enum program_kind program_kind(const char *path);

/* The interpreter that is missing, of a script of the kind PROGRAM_NO_INTERPRETER. Returns 0,
 * or -1 where none is found missing. */
int program_interpreter(const char *path, char *interpreter, size_t bytes);

/* Whether the value of LD_PRELOAD (NULL: none) names a sanitizer that insists on coming first. */
int program_preloads_sanitizer(const char *preload);

/* A sentence about kind: "is statically linked: nothing can be preloaded into it". */
const char *program_text(enum program_kind kind);

#endif
