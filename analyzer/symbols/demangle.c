/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Names come from files that nobody vouches for. A mangled name of a few
 * hundred bytes can stand for a text of any length, because it may repeat its
 * own parts; so the text is taken piece by piece, and the demangler is left by
 * longjmp when it grows past TEXT_MAX. (What a demangler holds at that moment
 * is on its stack, a few buffers aside.) Its recursion is bounded by the
 * length of the name, which is bounded by NAME_MAX_BYTES: that is why its own
 * limit, which refuses honest names of more than 1,024 bytes, may be lifted.
 */
#include "analyzer/symbols/symbolize.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES     4096
#define NAME_RECURSE_BYTES 1000
#define TEXT_MAX           65536
#define D_REFERENCES_MAX   30

struct text {
	char *bytes;
	size_t size, allocated;
	jmp_buf too_long;
};

static void append(const char *bytes, size_t size, void *opaque)
{
	struct text *text = opaque;
	if (size >= TEXT_MAX - text->size)
		longjmp(text->too_long, 1);
	if (text->allocated - text->size <= size) {
		size_t allocated = (text->size + size) * 2 + 64;
		char *grown = realloc(text->bytes, allocated);
		if (!grown)
			longjmp(text->too_long, 1);
		text->bytes = grown;
		text->allocated = allocated;
	}
	memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
	text->bytes[text->size] = '\0';
}

/* True when the whole name was demangled into text. */
static int demangle_into(struct text *text, const char *name, size_t length)
{
	const int options =
	    DMGL_PARAMS | DMGL_ANSI | (length > NAME_RECURSE_BYTES ? DMGL_NO_RECURSE_LIMIT : 0);
	if (setjmp(text->too_long) != 0)
		return 0;
	/* Rust's older names are valid C++ ones too, so Rust comes first */
	if (rust_demangle_callback(name, options, append, text))
		return 1;
	text->size = 0;
	return cplus_demangle_v3_callback(name, options, append, text);
}

/* D's demangler has no callback to leave it by. Back references (Q) double the
 * text at worst with every second one, so a name with many stays as it is. */
static char *demangle_d(const char *name, size_t length)
{
	unsigned references = 0;
	for (const char *c = name; *c; c++)
		references += *c == 'Q';
	if (references > D_REFERENCES_MAX || length > NAME_RECURSE_BYTES)
		return NULL;
	return dlang_demangle(name, DMGL_PARAMS | DMGL_ANSI);
}

char *symbol_demangle(const char *name)
{
	size_t length = strlen(name);
	/* C names are most of all names: don't bother the demanglers */
	const char *start = name + strspn(name, "_.$");
	if (start == name || length > NAME_MAX_BYTES)
		return strdup(name);
	if (strncmp(name, "_D", 2) == 0) {
		char *d = demangle_d(name, length);
		return d ? d : strdup(name);
	}
	struct text text = {.bytes = NULL};
	if (demangle_into(&text, name, length) && text.size > 0)
		return text.bytes;
	free(text.bytes);
	return strdup(name);
}
