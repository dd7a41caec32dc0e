/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/model/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *profile_function_name(unsigned function)
{
	static const char *const names[] = {
	    [TRACE_FUNCTION_UNKNOWN] = "unknown",
	    [TRACE_FUNCTION_MALLOC] = "malloc",
	    [TRACE_FUNCTION_CALLOC] = "calloc",
	    [TRACE_FUNCTION_REALLOC] = "realloc",
	    [TRACE_FUNCTION_REALLOCARRAY] = "reallocarray",
	    [TRACE_FUNCTION_POSIX_MEMALIGN] = "posix_memalign",
	    [TRACE_FUNCTION_ALIGNED_ALLOC] = "aligned_alloc",
	    [TRACE_FUNCTION_MEMALIGN] = "memalign",
	    [TRACE_FUNCTION_VALLOC] = "valloc",
	    [TRACE_FUNCTION_PVALLOC] = "pvalloc",
	    [TRACE_FUNCTION_NEW] = "operator new",
	    [TRACE_FUNCTION_NEW_ARRAY] = "operator new[]",
	    [TRACE_FUNCTION_NEW_NOTHROW] = "operator new(std::nothrow)",
	    [TRACE_FUNCTION_NEW_ARRAY_NOTHROW] = "operator new[](std::nothrow)",
	    [TRACE_FUNCTION_NEW_ALIGNED] = "operator new(std::align_val_t)",
	    [TRACE_FUNCTION_NEW_ARRAY_ALIGNED] = "operator new[](std::align_val_t)",
	    [TRACE_FUNCTION_NEW_ALIGNED_NOTHROW] = "operator new(std::align_val_t, std::nothrow)",
	    [TRACE_FUNCTION_NEW_ARRAY_ALIGNED_NOTHROW] =
		"operator new[](std::align_val_t, std::nothrow)",
	};

	if (function >= sizeof(names) / sizeof(*names) || !names[function])
		return names[TRACE_FUNCTION_UNKNOWN];
	return names[function];
}

const char *profile_lack_text(const struct profile *profile, unsigned lacks)
{
	static const struct {
		unsigned lack;
		const char *text;
	} texts[] = {
	    {PROFILE_LACKS_THREADS, "heaptrack's files hold no threads"},
	    {PROFILE_LACKS_LIFETIMES,
	     "heaptrack's files hold no lifetimes, which filters by time and "
	     "other thresholds of temporary need, too"},
	    {PROFILE_LACKS_REALLOCATIONS, "heaptrack's files do not mark reallocations"},
	    {PROFILE_LACKS_FUNCTIONS, "heaptrack's files do not name the allocation function"},
	    {PROFILE_LACKS_PROCESS, "heaptrack's files do not tell how the program ended"},
	    {PROFILE_LACKS_BEGINNING,
	     "heaptrack was attached to the running program: what it held before is missing"},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (profile->lacks & lacks & texts[i].lack)
			return texts[i].text;
	return NULL;
}

static int needs_quotes(const char *argument)
{
	if (!*argument)
		return 1;
	for (const char *at = argument; *at; at++)
		if (!(*at >= 'a' && *at <= 'z') && !(*at >= 'A' && *at <= 'Z') &&
		    !(*at >= '0' && *at <= '9') && !strchr("%+,-./:=@_^~", *at) &&
		    !((unsigned char)*at & 0x80))
			return 1;
	return 0;
}

static void quote(FILE *out, const char *argument)
{
	if (!needs_quotes(argument)) {
		fputs(argument, out);
		return;
	}
	fputc('\'', out);
	for (; *argument; argument++) {
		if (*argument == '\'')
			fputs("'\\''", out);
		else
			fputc(*argument, out);
	}
	fputc('\'', out);
}

char *profile_command(const struct profile *profile)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (profile->command)
		fputs(profile->command, out);
	else if (!profile->argument_count && profile->program)
		quote(out, profile->program);
	for (size_t i = 0; i < profile->argument_count; i++) {
		if (i)
			fputc(' ', out);
		quote(out, profile->arguments[i]);
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

/* What is in these belongs to the two that it was made of. */
static void free_combined(struct profile *profile)
{
	free(profile->modules);
	free(profile->threads);
	free(profile->nodes);
	free(profile->locations);
	free(profile->frames);
	free(profile->classes);
	free(profile);
}

void profile_free(struct profile *profile)
{
	if (!profile)
		return;
	if (profile->whole) {
		free(profile->classes);
		free(profile->threads);
		free(profile->points);
		free(profile);
		return;
	}
	if (profile->fresh) {
		free_combined(profile);
		return;
	}
	for (size_t i = 0; i < profile->module_count; i++) {
		free(profile->modules[i].path);
		free(profile->modules[i].build_id);
	}
	for (size_t i = 0; i < profile->thread_count; i++)
		free(profile->threads[i].name);
	for (size_t i = 0; i < profile->string_count; i++)
		free(profile->strings[i]);
	for (size_t i = 0; i < profile->argument_count; i++)
		free(profile->arguments[i]);
	for (size_t i = 0; i < profile->suppression_count; i++)
		free(profile->suppressions[i]);
	free(profile->suppressions);
	free(profile->command);
	free(profile->path);
	free(profile->program);
	free(profile->host);
	free(profile->collector);
	free(profile->folder);
	free(profile->parent_trace);
	free(profile->arguments);
	free(profile->modules);
	free(profile->nodes);
	free(profile->locations);
	free(profile->frames);
	free(profile->classes);
	free(profile->threads);
	free(profile->points);
	free(profile->strings);
	free(profile);
}
