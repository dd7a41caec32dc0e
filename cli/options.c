/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/message.h"
#include "formats/nearest.h"

#define NAME_MAX_BYTES NEAREST_MAX_BYTES /* of an option's name */
#define CHOICES_MAX    16

struct parser {
	const struct option_set *set;
	char **argv;
	int argc;
	int next;  /* the next of argv to look at */
	int words; /* how many words were moved to the front */
	int quiet; /* help is no option */
	char *complaint;
	size_t complaint_bytes;
};

enum parse_result { PARSE_OK = -1 }; /* everything else is an exit status */

#define COMPLAIN(parser, ...)                                                                      \
	(snprintf((parser)->complaint, (parser)->complaint_bytes, __VA_ARGS__), STATUS_USAGE)

int options_number(const char *word, uint64_t *number)
{
	uint64_t value = 0;

	if (!*word)
		return -1;
	for (; *word; word++) {
		if (*word < '0' || *word > '9')
			return -1;
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*word - '0'), &value))
			return -1;
	}
	*number = value;
	return 0;
}

int options_size(const char *word, uint64_t *number)
{
	size_t length = strlen(word);
	uint64_t unit = 1, value;
	char digits[32];

	if (!length || length >= sizeof(digits))
		return -1;
	memcpy(digits, word, length + 1);
	switch (digits[length - 1]) {
	case 'k':
	case 'K':
		unit = 1000;
		break;
	case 'm':
	case 'M':
		unit = 1000000;
		break;
	case 'g':
	case 'G':
		unit = 1000000000;
		break;
	}
	if (unit != 1)
		digits[length - 1] = '\0';
	if (options_number(digits, &value) || __builtin_mul_overflow(value, unit, &value))
		return -1;
	*number = value;
	return 0;
}

static int switch_value(const char *word)
{
	static const struct {
		const char *word;
		int value;
	} words[] = {{"0", 0},   {"1", 1},  {"on", 1},   {"off", 0},
		     {"yes", 1}, {"no", 0}, {"true", 1}, {"false", 0}};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(word, words[i].word))
			return words[i].value;
	return -1;
}

const char *options_nearest(const char *word, const char *const *names, size_t count)
{
	return nearest_name(word, names, count);
}

static const struct option *find_name(const struct option_set *set, const char *name, size_t length)
{
	for (const struct option *o = set->options; o->kind != OPTION_END; o++)
		if (o->name && strlen(o->name) == length && !strncmp(o->name, name, length))
			return o;
	return NULL;
}

static const struct option *find_letter(const struct option_set *set, char letter)
{
	for (const struct option *o = set->options; o->kind != OPTION_END; o++)
		if (o->letter && o->letter == letter)
			return o;
	return NULL;
}

static int unknown_name(struct parser *parser, const char *name, size_t length)
{
	const char *names[64];
	char word[NAME_MAX_BYTES];
	size_t count = 0;
	const char *nearest = NULL;

	for (const struct option *o = parser->set->options; o->kind != OPTION_END; o++)
		if (o->name && count < sizeof(names) / sizeof(*names))
			names[count++] = o->name;
	if (length < sizeof(word)) {
		memcpy(word, name, length);
		word[length] = '\0';
		nearest = options_nearest(word, names, count);
	}
	if (nearest)
		return COMPLAIN(parser, "unknown option '--%.*s': did you mean '--%s'?",
				(int)length, name, nearest);
	return COMPLAIN(parser, "unknown option '--%.*s': see mallograph %s --help", (int)length,
			name, parser->set->command);
}

static int unknown_choice(struct parser *parser, const struct option *option, const char *label,
			  const char *word)
{
	const char *names[CHOICES_MAX], *nearest;
	char all[256] = "";
	size_t count = 0, length = 0;

	for (const struct option_choice *c = option->choices; c->name && count < CHOICES_MAX; c++) {
		names[count++] = c->name;
		if (length < sizeof(all))
			length += (size_t)snprintf(all + length, sizeof(all) - length, "%s%s",
						   length ? ", " : "", c->name);
	}
	nearest = options_nearest(word, names, count);
	if (nearest)
		return COMPLAIN(parser, "option '%s': there is no '%s': did you mean '%s'?", label,
				word, nearest);
	return COMPLAIN(parser, "option '%s': there is no '%s': it takes %s", label, word, all);
}

static const struct option_choice *find_choice(const struct option *option, const char *word,
					       size_t length)
{
	for (const struct option_choice *c = option->choices; c->name; c++)
		if (strlen(c->name) == length && !strncmp(c->name, word, length))
			return c;
	return NULL;
}

static int store_choices(struct parser *parser, const struct option *option, const char *label,
			 const char *words)
{
	unsigned all = 0;

	for (;; words++) {
		size_t length = option->kind == OPTION_CHOICE ? strlen(words) : strcspn(words, ",");
		const struct option_choice *choice = find_choice(option, words, length);
		char word[NAME_MAX_BYTES];

		if (!choice) {
			snprintf(word, sizeof(word), "%.*s", (int)length, words);
			return unknown_choice(parser, option, label, word);
		}
		all |= (unsigned)choice->value;
		words += length;
		if (*words)
			continue;
		if (option->kind == OPTION_CHOICE)
			*(int *)option->value = choice->value;
		else
			*(unsigned *)option->value = all;
		return PARSE_OK;
	}
}

static int store_word(struct parser *parser, struct option_list *list, const char *word)
{
	const char **larger = reallocarray(list->words, list->count + 1, sizeof(*larger));

	if (!larger)
		return COMPLAIN(parser, "out of memory");
	list->words = larger;
	list->words[list->count++] = word;
	return PARSE_OK;
}

/* label: the option as it was typed; value: NULL where none was attached */
static int store(struct parser *parser, const struct option *option, const char *label,
		 const char *value)
{
	switch (option->kind) {
	case OPTION_FLAG:
		if (value)
			return COMPLAIN(parser, "option '%s' takes no value, but got '%s'", label,
					value);
		*(int *)option->value = option->number;
		return PARSE_OK;
	case OPTION_SWITCH:
		if (!value && parser->next < parser->argc &&
		    switch_value(parser->argv[parser->next]) >= 0)
			value = parser->argv[parser->next++];
		*(int *)option->value = value ? switch_value(value) : 1;
		if (*(int *)option->value < 0)
			return COMPLAIN(parser, "option '%s' takes 0 or 1, not '%s'", label, value);
		return PARSE_OK;
	case OPTION_NUMBER:
	case OPTION_SIZE:
	case OPTION_TEXT:
	case OPTION_LIST:
	case OPTION_CHOICE:
	case OPTION_CHOICES:
		break;
	case OPTION_END:
	case OPTION_HEADING:
		return PARSE_OK;
	}
	if (!value) {
		if (parser->next >= parser->argc)
			return COMPLAIN(parser, "option '%s' needs a value: %s", label,
					option->argument ? option->argument : "VALUE");
		value = parser->argv[parser->next++];
	}
	if (option->kind == OPTION_LIST)
		return store_word(parser, option->value, value);
	if (option->kind == OPTION_CHOICE || option->kind == OPTION_CHOICES)
		return store_choices(parser, option, label, value);
	if (option->kind == OPTION_TEXT)
		*(const char **)option->value = value;
	else if (option->kind == OPTION_NUMBER && options_number(value, option->value))
		return COMPLAIN(parser, "option '%s' takes a number, not '%s'", label, value);
	else if (option->kind == OPTION_SIZE && options_size(value, option->value))
		return COMPLAIN(parser, "option '%s' takes a size like 500k or 2G, not '%s'", label,
				value);
	return PARSE_OK;
}

static int parse_long(struct parser *parser, const char *word)
{
	const char *name = word + 2;
	const char *equals = strchr(name, '=');
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	const struct option *option = find_name(parser->set, name, length);
	char label[NAME_MAX_BYTES + 2];

	if (!option && !parser->quiet && length == 4 && !strncmp(name, "help", 4)) {
		options_help(parser->set);
		return STATUS_OK;
	}
	if (!option)
		return unknown_name(parser, name, length);
	snprintf(label, sizeof(label), "--%s", option->name);
	return store(parser, option, label, equals ? equals + 1 : NULL);
}

static int parse_letters(struct parser *parser, const char *word)
{
	for (const char *at = word + 1; *at; at++) {
		const struct option *option = find_letter(parser->set, *at);
		const char *value = at[1] ? at + 1 : NULL;
		char label[3] = {'-', *at, '\0'};
		int result;

		if (!option && !parser->quiet && *at == 'h') {
			options_help(parser->set);
			return STATUS_OK;
		}
		if (!option)
			return COMPLAIN(parser, "unknown option '-%c': see mallograph %s --help",
					*at, parser->set->command);
		if (value && *value == '=') {
			value++;
		} else if (value && (option->kind == OPTION_FLAG ||
				     (option->kind == OPTION_SWITCH && switch_value(value) < 0 &&
				      find_letter(parser->set, *value)))) {
			/* the rest are letters of their own */
			if (option->kind == OPTION_SWITCH)
				*(int *)option->value = 1;
			else
				*(int *)option->value = option->number;
			continue;
		}
		result = store(parser, option, label, value);
		if (result != PARSE_OK)
			return result;
		break;
	}
	return PARSE_OK;
}

static int parse(struct parser *parser)
{
	int only_words = 0;

	while (parser->next < parser->argc) {
		char *word = parser->argv[parser->next++];
		int result;

		if (!only_words && !strcmp(word, "--")) {
			only_words = 1;
			continue;
		}
		if (only_words || word[0] != '-' || !word[1]) {
			if (parser->set->stop_at_word)
				only_words = 1;
			parser->argv[parser->words++] = word;
			continue;
		}
		result = word[1] == '-' ? parse_long(parser, word) : parse_letters(parser, word);
		if (result != PARSE_OK)
			return result;
	}
	return PARSE_OK;
}

int options_parse_quietly(const struct option_set *set, int *argc, char **argv, char *complaint,
			  size_t complaint_bytes)
{
	struct parser parser = {.set = set,
				.argv = argv,
				.argc = *argc,
				.next = 1,
				.words = 1,
				.quiet = 1,
				.complaint = complaint,
				.complaint_bytes = complaint_bytes};
	int result = parse(&parser);

	if (result == PARSE_OK) {
		*argc = parser.words;
		argv[*argc] = NULL;
	}
	return result;
}

int options_parse(const struct option_set *set, int *argc, char **argv)
{
	char complaint[1024];
	struct parser parser = {.set = set,
				.argv = argv,
				.argc = *argc,
				.next = 1,
				.words = 1,
				.complaint = complaint,
				.complaint_bytes = sizeof(complaint)};
	int result = parse(&parser);

	if (result == PARSE_OK) {
		*argc = parser.words;
		argv[*argc] = NULL;
	} else if (result != STATUS_OK) {
		message("%s", complaint);
	}
	return result;
}

static void help_lines(const char *help, int column)
{
	for (;;) {
		const char *end = strchr(help, '\n');

		printf("%.*s\n", end ? (int)(end - help) : (int)strlen(help), help);
		if (!end)
			return;
		printf("%*s", column, "");
		help = end + 1;
	}
}

static int help_label(const struct option *option, char *label, size_t size)
{
	const char *argument = option->argument;
	int length = 0;

	if (option->letter)
		length = snprintf(label, size, "  -%c%s", option->letter, option->name ? ", " : "");
	else
		length = snprintf(label, size, "      ");
	if (option->name)
		length += snprintf(label + length, size - (size_t)length, "--%s", option->name);
	if (option->kind == OPTION_SWITCH)
		length += snprintf(label + length, size - (size_t)length, "[=%s]",
				   argument ? argument : "0|1");
	else if (option->kind != OPTION_FLAG)
		length += snprintf(label + length, size - (size_t)length, " %s",
				   argument ? argument : "VALUE");
	return length;
}

void options_help(const struct option_set *set)
{
	static const struct option help = {
	    .letter = 'h', .name = "help", .kind = OPTION_FLAG, .help = "show this help"};
	const struct option *option = set->options;
	enum { COLUMN = 33 };
	char label[128];

	printf("usage: mallograph %s%s%s\n\n%s\n", set->command, *set->words ? " " : "", set->words,
	       set->summary);
	if (option->kind != OPTION_HEADING)
		puts("\noptions:");
	for (;;) {
		const struct option *shown = option->kind == OPTION_END ? &help : option;
		int length = help_label(shown, label, sizeof(label));

		if (shown->kind == OPTION_HEADING) {
			printf("\n%s:\n", (option++)->help);
			continue;
		}
		if (length + 2 > COLUMN)
			printf("%s\n%*s", label, COLUMN, "");
		else
			printf("%-*s", COLUMN, label);
		help_lines(shown->help, COLUMN);
		if (option->kind == OPTION_END)
			break;
		option++;
	}
	if (set->epilog)
		printf("\n%s\n", set->epilog);
}
