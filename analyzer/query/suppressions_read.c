/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/query/suppressions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/names.h"
#include "analyzer/query/wrappers.h"
#include "analyzer/symbols/symbolize.h"
#include "formats/error.h"
#include "formats/numbers.h"

#define FILE_MAX   (16u << 20)
#define QUOTE_MAX  120
#define KIND       "leak:"
#define LINE_BLANK " \t\r\v\f"

struct lines {
	const char *at, *end;
	size_t number; /* of the line last read, from 1 */
};

/* The next line without blanks around it, for the caller to free; NULL at the end, or
 * with *error when out of memory. */
static char *next_line(struct lines *lines, int *error)
{
	const char *first = lines->at, *newline;
	size_t length;
	char *line;

	if (first == lines->end)
		return NULL;
	newline = memchr(first, '\n', (size_t)(lines->end - first));
	lines->at = newline ? newline + 1 : lines->end;
	lines->number++;
	length = (size_t)((newline ? newline : lines->end) - first);
	while (length && strchr(LINE_BLANK, *first)) {
		first++;
		length--;
	}
	while (length && strchr(LINE_BLANK, first[length - 1]))
		length--;
	line = malloc(length + 1);
	if (!line) {
		*error = ERROR_MEMORY;
		return NULL;
	}
	memcpy(line, first, length);
	line[length] = '\0';
	return line;
}

static int add(struct suppressions *suppressions, const char *pattern,
	       enum suppression_origin origin)
{
	struct suppression *larger =
	    reallocarray(suppressions->rules, suppressions->count + 1, sizeof(*larger));

	if (!larger)
		return ERROR_MEMORY;
	suppressions->rules = larger;
	larger[suppressions->count] =
	    (struct suppression){.pattern = strdup(pattern), .origin = origin};
	if (!larger[suppressions->count].pattern)
		return ERROR_MEMORY;
	suppressions->count++;
	return 0;
}

/* What to write for a valgrind suppression: the first function in it that does not only
 * allocate for others. The caller frees; NULL: there is none. */
static char *valgrind_function(struct lines lines)
{
	char *line, *found = NULL;
	int error = 0, end = 0;

	while (!found && !end && (line = next_line(&lines, &error)) != NULL) {
		char *name = !strncmp(line, "fun:", 4) ? symbol_demangle(line + 4) : NULL;

		if (name && !wrappers_match(NULL, name) && !strstr(name, "malloc")) {
			found = malloc(strlen(name) + 1);
			if (found)
				name_bare(found, name);
		}
		end = *line == '}';
		free(name);
		free(line);
	}
	return found;
}

static void complain_valgrind(const struct lines *lines, char *complaint, size_t size)
{
	char *function = valgrind_function(*lines);
	char quoted[QUOTE_MAX];

	text_escape(quoted, sizeof(quoted), function ? function : "FUNCTION",
		    strlen(function ? function : "FUNCTION"));
	snprintf(complaint, size,
		 "line %zu: valgrind's suppressions are not read; write leak:%s for this one",
		 lines->number, quoted);
	free(function);
}

static void complain(const struct lines *lines, const char *line, char *complaint, size_t size)
{
	size_t kind = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
	char quoted[QUOTE_MAX];

	if (*line == '{') {
		complain_valgrind(lines, complaint, size);
		return;
	}
	if (!strcmp(line, KIND)) {
		snprintf(complaint, size, "line %zu: leak: needs a pattern, as in leak:my_function",
			 lines->number);
		return;
	}
	text_escape(quoted, sizeof(quoted), line, strlen(line));
	if (kind && line[kind] == ':')
		snprintf(complaint, size,
			 "line %zu: rules of %.*s: say nothing of leaks; only leak:PATTERN is read",
			 lines->number, kind < 40 ? (int)kind : 40, line);
	else
		snprintf(complaint, size, "line %zu: '%s' is no rule; write leak:PATTERN",
			 lines->number, quoted);
}

static int add_line(struct suppressions *suppressions, const struct lines *lines, const char *line,
		    enum suppression_origin origin, char *complaint, size_t complaint_bytes)
{
	const char *pattern = line + strlen(KIND);

	if (!*line || *line == '#')
		return 0;
	if (strncmp(line, KIND, strlen(KIND)) || !pattern[strspn(pattern, LINE_BLANK)]) {
		complain(lines, line, complaint, complaint_bytes);
		return ERROR_FOREIGN;
	}
	return add(suppressions, pattern + strspn(pattern, LINE_BLANK), origin);
}

int suppressions_add_text(struct suppressions *suppressions, const char *text, size_t size,
			  enum suppression_origin origin, char *complaint, size_t complaint_bytes)
{
	struct lines lines = {.at = text, .end = text + size};
	int error = 0, wrong = 0;
	char *line;

	if (size && memchr(text, '\0', size)) {
		snprintf(complaint, complaint_bytes,
			 "this is no text: it holds a NUL byte; write lines of leak:PATTERN");
		return ERROR_FOREIGN;
	}
	while (!error && (line = next_line(&lines, &error)) != NULL) {
		error = add_line(suppressions, &lines, line, origin, complaint,
				 wrong ? 0 : complaint_bytes);
		free(line);
		if (error == ERROR_FOREIGN) {
			wrong = 1;
			error = 0;
		}
	}
	return error ? error : wrong ? ERROR_FOREIGN : 0;
}

int suppressions_add_file(struct suppressions *suppressions, const char *path, char *complaint,
			  size_t complaint_bytes)
{
	FILE *file = fopen(path, "re");
	int error = 0, number;
	size_t size = 0;
	char *text;

	if (!file)
		return ERROR_SYSTEM;
	text = malloc(FILE_MAX + 1);
	if (text)
		size = fread(text, 1, FILE_MAX + 1, file);
	number = errno;
	if (!text)
		error = ERROR_MEMORY;
	else if (ferror(file))
		error = ERROR_SYSTEM;
	else if (size > FILE_MAX)
		error = ERROR_LIMIT;
	fclose(file);
	if (!error)
		error = suppressions_add_text(suppressions, text, size, SUPPRESSION_FILE, complaint,
					      complaint_bytes);
	free(text);
	if (error == ERROR_SYSTEM)
		errno = number;
	return error;
}

int suppressions_add_builtin(struct suppressions *suppressions)
{
	static const char *const patterns[] = {
	    "__nss_module_allocate", "__gconv_read_conf",  "__new_exitfn", "tzset_internal",
	    "dl_open_worker",        "g_main_context_new", "g_thread_self"};
	int error = 0;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns) && !error; i++)
		error = add(suppressions, patterns[i], SUPPRESSION_BUILTIN);
	return error;
}
