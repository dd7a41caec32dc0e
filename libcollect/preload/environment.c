/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/preload/environment.h"

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <unistd.h>

#include "libcollect/preload/rawio.h"
#include "libcollect/preload/state.h"

#include "libcollect/preload/banned.h"

static const char preload_name[] = "LD_PRELOAD";
static char library[1024];    /* our own path, as LD_PRELOAD named it */
static char session_text[64]; /* "NAME=SHMID.COOKIE" */
static const char session_is_off[] = SESSION_VARIABLE "=" SESSION_OFF;

size_t environment_size(char *const *envp)
{
	size_t n = 0;

	while (envp != NULL && envp[n] != NULL)
		n++;
	return n;
}

static int is_variable(const char *entry, const char *name)
{
	return raw_begins(entry, name) && entry[raw_length(name)] == '=';
}

const char *environment_value(char *const *envp, const char *name)
{
	for (; envp != NULL && *envp != NULL; envp++)
		if (is_variable(*envp, name))
			return *envp + raw_length(name) + 1;
	return NULL;
}

/* Copies value to text without our library. Returns the end of what was written. */
static char *without_library(char *text, const char *value, size_t room)
{
	char *start = text;

	while (*value != '\0') {
		size_t length = 0;

		while (value[length] != '\0' && value[length] != ':' && value[length] != ' ')
			length++;
		if (length > 0 && (size_t)(text - start) + length + 2 < room &&
		    !(raw_begins(value, library) && raw_length(library) == length)) {
			if (text != start)
				*text++ = ':';
			raw_copy(text, value, length);
			text += length;
		}
		value += length + (value[length] != '\0');
	}
	*text = '\0';
	return text;
}

size_t environment_text_bytes(char *const *envp)
{
	const char *value = environment_value(envp, preload_name);

	return (value != NULL ? raw_length(value) : 0) + raw_length(library) +
	       sizeof(preload_name) + 8;
}

/* "LD_PRELOAD=" with or without us. Returns 0 when nothing would be left of it. */
static int write_preload(char *text, size_t room, const char *value, enum environment_choice choice)
{
	size_t length = raw_length(library);
	char *at = text, *end;

	raw_copy(at, preload_name, sizeof(preload_name) - 1);
	at += sizeof(preload_name) - 1;
	*at++ = '=';
	if (choice == ENVIRONMENT_RECORD) {
		raw_copy(at, library, length + 1);
		at += length;
		*at = ':';
		end = without_library(at + 1, value, room - (size_t)(at - text));
		if (end == at + 1)
			*at = '\0';
		return 1;
	}
	return without_library(at, value, room - (size_t)(at - text)) != at;
}

/* The first place is ours: an allocator before us would keep all calls to itself. */
static int names_library_first(const char *value)
{
	size_t length = raw_length(library);

	return raw_begins(value, library) &&
	       (value[length] == '\0' || value[length] == ':' || value[length] == ' ');
}

static int names_library(const char *value)
{
	for (; *value != '\0'; value++)
		if (raw_begins(value, library))
			return 1;
	return 0;
}

void environment_make(char **made, char *text, char *const *envp, enum environment_choice choice)
{
	const char *value = environment_value(envp, preload_name);
	int rewrite = 0, keep = 0;
	size_t n = 0;

	if (session_text[0] == '\0' || library[0] == '\0')
		choice = ENVIRONMENT_AS_IS;
	if (choice == ENVIRONMENT_RECORD)
		rewrite = value == NULL || !names_library_first(value);
	else if (choice == ENVIRONMENT_PLAIN)
		rewrite = value != NULL && names_library(value);
	if (rewrite)
		keep = write_preload(text, environment_text_bytes(envp), value != NULL ? value : "",
				     choice);
	for (; envp != NULL && *envp != NULL; envp++) {
		if (choice != ENVIRONMENT_AS_IS && is_variable(*envp, SESSION_VARIABLE))
			continue;
		if (rewrite && is_variable(*envp, preload_name))
			continue;
		made[n++] = *envp;
	}
	if (rewrite && keep)
		made[n++] = text;
	if (choice == ENVIRONMENT_RECORD)
		made[n++] = session_text;
	made[n] = NULL;
}

void environment_session(int id, unsigned long long cookie)
{
	const char name[] = SESSION_VARIABLE "=";
	char digits[24], *at = session_text;
	unsigned n = 0;

	raw_copy(at, name, sizeof(name) - 1);
	at += sizeof(name) - 1;
	for (unsigned number = (unsigned)id; n == 0 || number > 0; number /= 10)
		digits[n++] = (char)('0' + number % 10);
	while (n > 0)
		*at++ = digits[--n];
	*at++ = '.';
	for (int shift = 60; shift >= 0; shift -= 4)
		*at++ = "0123456789abcdef"[cookie >> shift & 15];
	*at = '\0';
}

void environment_session_off(void)
{
	raw_copy(session_text, session_is_off, sizeof(session_is_off));
}

/* A process that was started by LD_PRELOAD alone hands the session on to
 * those children that libc itself starts (system, popen) by its environment; and one that
 * complained that it has none says so to its children, lest they complain, too. */
static void put_session(void)
{
	const char *value = environment_value(environ, SESSION_VARIABLE);
	size_t n = environment_size(environ);
	char **larger;

	if (value != NULL && raw_equal(session_text, session_is_off) &&
	    raw_length(value) >= sizeof(SESSION_OFF) - 1)
		raw_copy((char *)(uintptr_t)value, SESSION_OFF, sizeof(SESSION_OFF));
	if (session_text[0] == '\0' || value != NULL)
		return;
	larger = raw_map((n + 2) * sizeof(*larger));
	if (larger == NULL)
		return;
	raw_copy(larger, environ, n * sizeof(*larger));
	larger[n] = session_text;
	environ = larger;
}

static uid_t first_user;

int environment_reaches(void)
{
	return geteuid() == first_user && access(library, R_OK) == 0;
}

void environment_prepare(void)
{
	struct dl_find_object found;
	const char *path;

	if (_dl_find_object((void *)environment_prepare, &found) == 0) {
		path = found.dlfo_link_map->l_name;
		if (raw_length(path) < sizeof(library))
			raw_copy(library, path, raw_length(path) + 1);
	}
	first_user = geteuid();
	put_session();
}
