/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/query/names.h"

#include <stdlib.h>
#include <string.h>

#define NESTING_MAX 256

static int is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$' || (c & 0x80);
}

/* How long an operator's symbols are when "operator" ends at `at`: 0 for none
 * with angle brackets in it. */
static size_t operator_symbols(const char *at)
{
	static const char *const symbols[] = {"<=>", "<<=", ">>=", "->*", "<<", ">>",
					      "<=",  ">=",  "->",  "<",   ">"};

	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++) {
		size_t length = strlen(symbols[i]);

		if (!strncmp(at, symbols[i], length))
			return length;
	}
	return 0;
}

/*
 * Bytes at `at` that must be taken together because brackets among them are
 * none: "operator" with its symbols, "->". Otherwise 0.
 *
 * In "operator<<int>" the first '<' is the operator and the rest its arguments,
 * while "operator<<" before a space or '(' is the shift: demanglers put a space
 * between an operator and its arguments, so the longest match is right.
 */
static size_t indivisible(const char *name, const char *at)
{
	static const char word[] = "operator";
	size_t length = sizeof(word) - 1, symbols;

	if (at[0] == '-' && at[1] == '>')
		return 2;
	if (*at != 'o' || strncmp(at, word, length) || (at > name && is_word(at[-1])))
		return 0;
	symbols = operator_symbols(at + length);
	return symbols ? length + symbols : 0;
}

/* The bracket that closes the one at `open`, or NULL. A '>' inside round
 * brackets closes nothing that was opened outside of them: "f<(4>3)>". */
static const char *closing(const char *name, const char *open)
{
	char nesting[NESTING_MAX];
	size_t depth = 0;

	for (const char *at = open; *at; at++) {
		size_t together = indivisible(name, at);

		if (together) {
			at += together - 1;
			continue;
		}
		if (*at == '<' || *at == '(') {
			if (depth == NESTING_MAX)
				return NULL;
			nesting[depth++] = *at;
		} else if (*at == '>') {
			if (depth && nesting[depth - 1] == '<')
				depth--;
		} else if (*at == ')') {
			while (depth && nesting[depth - 1] == '<')
				depth--;
			if (!depth)
				return NULL;
			depth--;
		}
		if (!depth)
			return at;
	}
	return NULL;
}

/* Whether '<' at `at` opens arguments of what stands before it, and is no part
 * of a name itself, as "<lambda(int)>" and "<T as Trait>" are. */
static int opens_arguments(const char *name, const char *at)
{
	char before = at > name ? at[-1] : '\0';

	if (before == ' ') {
		/* "operator<< <char>", "operator() <int>" */
		return at - name >= 2 && strchr("<>=)]*-+", at[-2]) != NULL;
	}
	if (before == ':')
		return strncmp(at, "<lambda", 7) && strncmp(at, "<unnamed", 8) &&
		       strncmp(at, "<impl", 5);
	return before && (is_word(before) || strchr(")]=*+-/%^|~!", before));
}

struct text_out {
	char *bytes;
	size_t size, length;
};

static void put(struct text_out *out, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++, out->length++)
		if (out->length + 1 < out->size)
			out->bytes[out->length] = bytes[i];
}

size_t name_shorten(char *out, size_t size, const char *name)
{
	struct text_out text = {.bytes = out, .size = size};

	for (const char *at = name; *at; at++) {
		size_t together = indivisible(name, at);

		if (together) {
			put(&text, at, together);
			at += together - 1;
			if (at[1] == '<' && closing(name, at + 1)) {
				at = closing(name, at + 1);
				put(&text, "<>", 2);
			}
			continue;
		}
		if (*at == '<' && opens_arguments(name, at)) {
			const char *close = closing(name, at);

			if (close) {
				put(&text, "<>", 2);
				at = close;
				continue;
			}
		}
		put(&text, at, 1);
	}
	if (size)
		out[text.length < size ? text.length : size - 1] = '\0';
	return text.length;
}

int name_has(const char *name, const char *text)
{
	char *other;
	int has;

	if (strstr(name, text))
		return 1;
	if (!strstr(text, "::") || !strchr(name, '<'))
		return 0;
	other = malloc(strlen(name) + 1);
	if (!other)
		return 0;
	name_shorten(other, strlen(name) + 1, name);
	has = strstr(other, text) != NULL;
	if (!has) {
		name_bare(other, name);
		has = strstr(other, text) != NULL;
	}
	free(other);
	return has;
}

static int is_function(const char *function, const char *name)
{
	size_t length = strlen(name);

	return !strncmp(function, name, length) &&
	       (function[length] == '\0' || function[length] == '(');
}

int name_ends_stack(const char *function)
{
	static const char start[] = "__libc_start_main";

	if (!function)
		return 0;
	return is_function(function, "main") || !strncmp(function, start, sizeof(start) - 1) ||
	       is_function(function, "__libc_start_call_main") ||
	       is_function(function, "__static_initialization_and_destruction_0");
}

const char *name_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
