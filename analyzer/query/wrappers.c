/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/query/wrappers.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/names.h"
#include "analyzer/query/pattern.h"
#include "formats/error.h"

#define BUILTIN_MAX 512
#define SHORT_NAME  1024

struct wrappers {
	int builtin;
	char **patterns;
	size_t count;
};

/* The built-in list sorted, for a binary search, those with '*' apart. */
static struct {
	const char *names[BUILTIN_MAX], *patterns[BUILTIN_MAX];
	size_t name_count, pattern_count;
	size_t
	    first[UCHAR_MAX + 2]; /* by first letter: the first of the names with it or a later */
} builtin;
static pthread_once_t builtin_once = PTHREAD_ONCE_INIT;

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort_builtin(void)
{
	for (const struct wrapper_group *group = wrapper_groups; group->title; group++)
		for (const char *const *at = group->patterns; *at; at++) {
			if (strchr(*at, '*') && builtin.pattern_count < BUILTIN_MAX)
				builtin.patterns[builtin.pattern_count++] = *at;
			else if (builtin.name_count < BUILTIN_MAX)
				builtin.names[builtin.name_count++] = *at;
		}
	qsort(builtin.names, builtin.name_count, sizeof(*builtin.names), compare_names);
	for (size_t i = 0; i < builtin.name_count; i++)
		builtin.first[(unsigned char)*builtin.names[i] + 1] = i + 1;
	for (size_t i = 1; i <= UCHAR_MAX + 1; i++)
		if (builtin.first[i] < builtin.first[i - 1])
			builtin.first[i] = builtin.first[i - 1];
}

static int is_builtin_name(const char *name)
{
	const size_t *first = &builtin.first[(unsigned char)*name];

	return bsearch(&name, builtin.names + first[0], first[1] - first[0], sizeof(*builtin.names),
		       compare_names) != NULL;
}

struct wrappers *wrappers_new(int with_builtin)
{
	struct wrappers *wrappers = calloc(1, sizeof(*wrappers));

	if (wrappers)
		wrappers->builtin = with_builtin;
	return wrappers;
}

int wrappers_add(struct wrappers *wrappers, const char *pattern)
{
	char **larger =
	    reallocarray(wrappers->patterns, wrappers->count + 1, sizeof(*wrappers->patterns));

	if (!larger)
		return ERROR_MEMORY;
	wrappers->patterns = larger;
	larger[wrappers->count] = strdup(pattern);
	if (!larger[wrappers->count])
		return ERROR_MEMORY;
	wrappers->count++;
	return 0;
}

void wrappers_free(struct wrappers *wrappers)
{
	if (!wrappers)
		return;
	for (size_t i = 0; i < wrappers->count; i++)
		free(wrappers->patterns[i]);
	free(wrappers->patterns);
	free(wrappers);
}

static int match_bare(const struct wrappers *wrappers, const char *name)
{
	if (!wrappers || wrappers->builtin) {
		pthread_once(&builtin_once, sort_builtin);
		if (is_builtin_name(name))
			return 1;
		for (size_t i = 0; i < builtin.pattern_count; i++)
			if (pattern_matches(builtin.patterns[i], name))
				return 1;
	}
	for (size_t i = 0; wrappers && i < wrappers->count; i++)
		if (pattern_matches(wrappers->patterns[i], name))
			return 1;
	return 0;
}

/* "__GI_" begins the names of glibc's hidden aliases, by which its debug file calls strdup and
 * others. */
int wrappers_match(const struct wrappers *wrappers, const char *function)
{
	char space[SHORT_NAME], *name = space;
	size_t length;
	int found;

	if (!function)
		return 0;
	length = strlen(function);
	if (length >= sizeof(space))
		name = malloc(length + 1);
	if (!name)
		return 0;
	name_bare(name, function);
	found = match_bare(wrappers, strncmp(name, "__GI_", 5) ? name : name + 5);
	if (name != space)
		free(name);
	return found;
}
