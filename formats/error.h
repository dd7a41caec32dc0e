/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_ERROR_H
#define MALLOGRAPH_ERROR_H

/* Errors of the libraries below cli: functions return 0 or one of these
 * (negative). They never print and never exit. */
enum error {
	ERROR_NONE = 0,
	ERROR_MEMORY = -1,      /* out of memory */
	ERROR_SYSTEM = -2,      /* a system call failed: errno says why */
	ERROR_FOREIGN = -3,     /* not a file of ours */
	ERROR_EMPTY = -4,       /* an empty file */
	ERROR_NEWER = -5,       /* in a newer version of its format */
	ERROR_DAMAGED = -6,     /* a checksum, a length or a reference is wrong */
	ERROR_CUT_OFF = -7,     /* ends in the middle */
	ERROR_LIMIT = -8,       /* over a limit that we set ourselves */
	ERROR_UNSUPPORTED = -9, /* valid, but this build cannot read it (a codec) */
	ERROR_DIRECTORY = -10,  /* a folder, not a file */
	ERROR_OLDER = -11,      /* written by a version too old */
	ERROR_RAW = -12,        /* heaptrack's, before its own interpreter was run on it */
	ERROR_CANCELLED = -13,  /* whoever asked for it has stopped it */
	ERROR_SWOLLEN = -14     /* unpacks to far more than its size accounts for */
};

/* A sentence without a full stop, lower case: "not a mallograph trace".
 * Never NULL; thread-safe. For ERROR_SYSTEM it is "system error": use
 * strerror(errno). */
const char *error_text(int error);

#endif
