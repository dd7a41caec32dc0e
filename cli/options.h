/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_OPTIONS_H
#define MALLOGRAPH_OPTIONS_H

/*
 * Options of a command, from a table that also writes its help.
 *
 *	static const struct option_set set = {
 *		.command = "print",
 *		.words = "[options] [FILE]",
 *		.summary = "Prints a text report of a trace.",
 *		.options = options,
 *	};
 *	int status = options_parse(&set, &argc, argv);
 *	if (status >= 0)
 *		return status;
 *
 * Values may be attached (-n5, --peak-limit=5, -n=5) or be the next word. A
 * switch's value is the next word only when that is 0, 1, on, off, yes, no,
 * true or false; without one it is 1. Short options may be joined (-qa).
 * "--" ends the options.
 */

#include <stddef.h>
#include <stdint.h>

enum option_kind {
	OPTION_END = 0, /* closes a table */
	OPTION_HEADING, /* help stands above the rows that follow; no option */
	OPTION_FLAG,    /* int *value = number; takes no value */
	OPTION_SWITCH,  /* int *value = 0 or 1 */
	OPTION_NUMBER,  /* uint64_t *value, decimal */
	OPTION_SIZE,    /* uint64_t *value, decimal with k, M or G (1000) behind it */
	OPTION_TEXT,    /* const char **value: points into argv; a later one replaces it */
	OPTION_LIST,    /* struct option_list *value: each is added */
	OPTION_CHOICE,  /* int *value = that of the choice that is named */
	OPTION_CHOICES  /* unsigned *value: those of the choices named, with commas, or'ed */
};

/* Words of argv. Free words (not what they point to) when done. */
struct option_list {
	const char **words;
	size_t count;
};

struct option_choice {
	const char *name; /* NULL closes a table */
	int value;
};

struct option {
	char letter;      /* 0: none */
	const char *name; /* without the dashes; NULL: none */
	enum option_kind kind;
	void *value;
	int number;           /* OPTION_FLAG: what to store */
	const char *argument; /* what the help calls the value */
	const char *help;     /* lower case, no full stop; lines are broken at '\n' */
	const struct option_choice *choices; /* OPTION_CHOICE, OPTION_CHOICES */
};

struct option_set {
	const char *command; /* "print" */
	const char *words;   /* "[options] [FILE]" */
	const char *summary; /* a sentence */
	const char *epilog;  /* text behind the options in the help, or NULL */
	const struct option *options;
	int stop_at_word; /* the first word ends the options (a program to run follows) */
};

/*
 * Parses argv[1..]; argv[0] is the command. On success returns -1; argv[0] to
 * argv[*argc - 1] are then the words that are no options (argv is rearranged,
 * its strings are not copied). Otherwise returns the exit status: STATUS_OK
 * after -h or --help (the help is on stdout), STATUS_USAGE after a message.
 */
int options_parse(const struct option_set *set, int *argc, char **argv);

/* The same without a word on stdout or stderr, for callers that report in their
 * own way: STATUS_USAGE and a line in complaint. "--help" is unknown then. */
int options_parse_quietly(const struct option_set *set, int *argc, char **argv, char *complaint,
			  size_t complaint_bytes);

/* Writes the help of a command to stdout. */
void options_help(const struct option_set *set);

/* The one of count names that is most like word, or NULL when none is. */
const char *options_nearest(const char *word, const char *const *names, size_t count);

/* Decimal numbers, whole word, no sign; 0 or -1. */
int options_number(const char *word, uint64_t *number);
int options_size(const char *word, uint64_t *number);

#endif
