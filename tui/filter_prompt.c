/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The line of `f`: KEY=VALUE, and Tab completes both from what the trace has. */
#include "tui/dispatch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/query/names.h"

static const char *const keys[] = {
    "time=", "lifetime=", "size=", "thread=", "function=", "file=", "module=", NULL};

/* Candidates are asked for one after the other: `left` of them are passed over. */
struct completion {
	const char *head; /* what stands in front of the value, with '-' and key */
	int head_length;
	const char *value;
	size_t length;
	unsigned left;
	char *completed;
};

/* 1: it is the one. */
static int offer(struct completion *completion, const char *text)
{
	if (!text || strncmp(text, completion->value, completion->length) ||
	    !strcmp(text, completion->value) || completion->left--)
		return 0;
	snprintf(completion->completed, PROMPT_BYTES, "%.*s%s", completion->head_length,
		 completion->head, text);
	return 1;
}

/* The same name comes again and again: a few that were offered last are remembered. */
static int is_repeated(const char *text, const char **recent, unsigned *count)
{
	enum { RECENT = 64 };

	for (unsigned i = 0; i < *count && i < RECENT; i++)
		if (recent[i] == text)
			return 1;
	recent[(*count)++ % RECENT] = text;
	return 0;
}

static int offer_frames(struct completion *completion, const struct profile *profile, int file)
{
	const char *recent[64] = {0};
	unsigned count = 0;

	for (size_t i = 0; i < profile->frame_count; i++) {
		const char *name = file ? profile->frames[i].file : profile->frames[i].function;

		if (!name || strncmp(name, completion->value, completion->length) ||
		    is_repeated(name, recent, &count))
			continue;
		if (offer(completion, name))
			return 1;
	}
	return 0;
}

static int offer_threads(struct completion *completion, const struct profile *profile)
{
	for (size_t i = 1; i < profile->thread_count; i++) {
		char tid[32];

		snprintf(tid, sizeof(tid), "%" PRIu64, profile->threads[i].tid);
		if (offer(completion, *profile->threads[i].name ? profile->threads[i].name : tid))
			return 1;
	}
	return 0;
}

/* By the file's name: its folders are long, and a part of the path will do. */
static int offer_modules(struct completion *completion, const struct profile *profile)
{
	for (size_t i = 1; i < profile->module_count; i++)
		if (offer(completion, name_base(profile->modules[i].path)))
			return 1;
	return 0;
}

static int complete(struct tui *tui, const char *text, unsigned n, char *completed)
{
	const struct profile *profile = tui->options->fresh;
	const char *word = text + (*text == '-'), *equals = strchr(word, '=');
	struct completion completion = {
	    .head = text,
	    .head_length = (int)(equals ? equals + 1 - text : word - text),
	    .value = equals ? equals + 1 : word,
	    .left = n,
	    .completed = completed,
	};
	size_t key = equals ? (size_t)(equals - word) : 0;

	completion.length = strlen(completion.value);
	if (!equals) {
		for (size_t i = 0; keys[i]; i++)
			if (offer(&completion, keys[i]))
				return 1;
		return 0;
	}
	if (key == 6 && !strncmp(word, "thread", key))
		return offer_threads(&completion, profile);
	if (key == 6 && !strncmp(word, "module", key))
		return offer_modules(&completion, profile);
	if (key == 8 && !strncmp(word, "function", key))
		return offer_frames(&completion, profile, 0);
	if (key == 4 && !strncmp(word, "file", key))
		return offer_frames(&completion, profile, 1);
	return 0;
}

/* What begins like a number is seconds: what one asks for most is not spelt out. '-' alone excludes
 * nothing. */
static void typed(struct tui *tui, const char *text)
{
	char expression[PROMPT_BYTES + sizeof("time=")];
	const char *word = text + (*text == '-');

	if (!*text)
		return;
	if (!strcmp(text, "-")) {
		tui_remove_filters(tui);
		return;
	}
	snprintf(expression, sizeof(expression), "%.*s%s%s", (int)(word - text), text,
		 (*word >= '0' && *word <= '9') || *word == '.' ? "time=" : "", word);
	tui_add_filter(tui, expression);
}

const struct prompt_kind filter_prompt = {
    .label = "only [-]KEY=VALUE, 1s..2s (-: all; Tab): ",
    .done = typed,
    .complete = complete,
};
