/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/model/filter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/error.h"
#include "formats/nearest.h"
#include "formats/numbers.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit times[] = {{"", 1000},   {"ms", 1},      {"s", 1000},
				    {"m", 60000}, {"h", 3600000}, {NULL, 0}};
static const struct unit sizes[] = {{"", 1},           {"k", 1000},    {"K", 1000},
				    {"M", 1000000},    {"m", 1000000}, {"G", 1000000000},
				    {"g", 1000000000}, {NULL, 0}};

static const char *const key_names[] = {
    [FILTER_TIME] = "time",     [FILTER_LIFETIME] = "lifetime", [FILTER_SIZE] = "size",
    [FILTER_THREAD] = "thread", [FILTER_FUNCTION] = "function", [FILTER_FILE] = "file",
    [FILTER_MODULE] = "module",
};
#define KEYS (sizeof(key_names) / sizeof(*key_names))

#define COMPLAIN(...) (snprintf(complaint, complaint_bytes, __VA_ARGS__), ERROR_FOREIGN)

/* --- numbers with units ------------------------------------------------------------- */

struct quantity {
	uint64_t value; /* rounded down */
	int inexact;    /* a part of one is left */
};

/* What lies from *text to end: digits, maybe a point and more digits. */
static int parse_decimal(const char **text, const char *end, uint64_t *whole, uint64_t *billionths,
			 int *more)
{
	const char *at = *text;
	uint64_t place = UINT64_C(100000000);

	*whole = *billionths = 0;
	*more = 0;
	if (at == end || *at < '0' || *at > '9')
		return ERROR_FOREIGN;
	for (; at < end && *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(*whole, UINT64_C(10), whole) ||
		    __builtin_add_overflow(*whole, (uint64_t)(*at - '0'), whole))
			return ERROR_LIMIT;
	if (at < end && *at == '.') {
		if (++at == end || *at < '0' || *at > '9')
			return ERROR_FOREIGN;
		for (; at < end && *at >= '0' && *at <= '9'; at++, place /= 10) {
			*billionths += (uint64_t)(*at - '0') * place;
			*more |= !place && *at != '0';
		}
	}
	*text = at;
	return 0;
}

static int parse_quantity(const char *text, const char *end, const struct unit *units,
			  struct quantity *quantity)
{
	uint64_t whole, billionths, parts;
	int error = parse_decimal(&text, end, &whole, &billionths, &quantity->inexact);

	if (error)
		return error;
	while (units->name && (strlen(units->name) != (size_t)(end - text) ||
			       memcmp(units->name, text, (size_t)(end - text)) != 0))
		units++;
	if (!units->name)
		return ERROR_FOREIGN;
	parts = billionths * units->factor;
	quantity->inexact |= parts % 1000000000 != 0;
	if (__builtin_mul_overflow(whole, units->factor, &quantity->value) ||
	    __builtin_add_overflow(quantity->value, parts / 1000000000, &quantity->value) ||
	    quantity->value >= INT64_MAX)
		return ERROR_LIMIT;
	return 0;
}

/* Both ends are rounded up: an integer is at least 1.5 when it is at least 2, and less
 * than 1.5 when it is less than 2. */
static uint64_t rounded_up(const struct quantity *quantity)
{
	return quantity->value + (quantity->inexact != 0);
}

/* --- terms -------------------------------------------------------------------------- */

static int is_range(enum filter_key key)
{
	return key == FILTER_TIME || key == FILTER_LIFETIME || key == FILTER_SIZE;
}

static int parse_range(struct filter_term *term, const char *text, const char *expression,
		       char *complaint, size_t complaint_bytes)
{
	const struct unit *units = term->key == FILTER_SIZE ? sizes : times;
	const char *example = term->key == FILTER_SIZE ? "1k..64k" : "1s..2m";
	const char *dots = strstr(text, "..");
	const char *end = text + strlen(text);
	struct quantity from = {0}, to = {0};
	int error = 0;

	if (!dots && term->key != FILTER_SIZE)
		return COMPLAIN("%s: a range is A..B, as in %s", expression, example);
	if (!dots || dots > text)
		error = parse_quantity(text, dots ? dots : end, units, &from);
	if (dots && end > dots + 2 && !error)
		error = parse_quantity(dots + 2, end, units, &to);
	if (error == ERROR_LIMIT)
		return COMPLAIN("%s: the number is too large", expression);
	if (error)
		return COMPLAIN("%s: a range is A..B, as in %s; units are %s", expression, example,
				term->key == FILTER_SIZE ? "k, M and G" : "ms, s, m and h");
	if (!dots && from.inexact)
		return COMPLAIN("%s: a size is a whole number of bytes", expression);
	term->from = rounded_up(&from);
	term->to = !dots ? term->from + 1 : end > dots + 2 ? rounded_up(&to) : UINT64_MAX;
	if (term->from >= term->to)
		return COMPLAIN("%s: the range is empty: A..B is from A to less than B",
				expression);
	return 0;
}

static int find_key(const char *expression, size_t length, enum filter_key *key)
{
	for (size_t i = 0; i < KEYS; i++)
		if (strlen(key_names[i]) == length && !memcmp(key_names[i], expression, length)) {
			*key = (enum filter_key)i;
			return 0;
		}
	return ERROR_FOREIGN;
}

static int unknown_key(const char *expression, size_t length, char *complaint,
		       size_t complaint_bytes)
{
	char word[NEAREST_MAX_BYTES] = "";
	const char *nearest;

	if (length < sizeof(word))
		memcpy(word, expression, length);
	nearest = nearest_name(word, key_names, KEYS);
	if (nearest)
		return COMPLAIN("%s: unknown key: did you mean '%s'?", expression, nearest);
	return COMPLAIN("%s: unknown key: there are time, lifetime, size, thread, function, file "
			"and module",
			expression);
}

int filter_add(struct filter *filter, const char *expression, int exclude, char *complaint,
	       size_t complaint_bytes)
{
	const char *equals = strchr(expression, '=');
	struct filter_term term = {.exclude = exclude != 0, .to = UINT64_MAX};
	struct filter_term *larger;
	int error = 0;

	if (!equals)
		return COMPLAIN("'%s' is not KEY=VALUE, as in size=1k..64k", expression);
	if (find_key(expression, (size_t)(equals - expression), &term.key))
		return unknown_key(expression, (size_t)(equals - expression), complaint,
				   complaint_bytes);
	if (!equals[1])
		return COMPLAIN("%s needs a value, as in %s%s", expression, expression,
				term.key == FILTER_SIZE ? "1k..64k"
				: is_range(term.key)    ? "1s..2m"
							: "NAME");
	if (is_range(term.key))
		error = parse_range(&term, equals + 1, expression, complaint, complaint_bytes);
	else if (!(term.text = strdup(equals + 1)))
		error = ERROR_MEMORY;
	if (error)
		return error;
	larger = reallocarray(filter->terms, filter->count + 1, sizeof(*larger));
	if (!larger) {
		free(term.text);
		return ERROR_MEMORY;
	}
	filter->terms = larger;
	filter->terms[filter->count++] = term;
	return 0;
}

int filter_set_instant(struct filter *filter, const char *text, uint64_t end_tick, char *complaint,
		       size_t complaint_bytes)
{
	static const struct unit percent[] = {{"%", 1000000}, {NULL, 0}};
	const char *end = text + strlen(text);
	struct quantity quantity;
	int error;

	if (!strcmp(text, "peak") || !strcmp(text, "end")) {
		filter->instant = *text == 'p' ? FILTER_AT_PEAK : FILTER_END;
		filter->tick = 0;
		return 0;
	}
	error =
	    parse_quantity(text, end, end > text && end[-1] == '%' ? percent : times, &quantity);
	if (error == ERROR_LIMIT)
		return COMPLAIN("%s: the number is too large", text);
	if (error)
		return COMPLAIN("'%s' is no moment: a time as 1.5s or 2m, peak, end, or 50%%",
				text);
	if (end[-1] == '%') {
		if (quantity.value > 100000000 || (quantity.value == 100000000 && quantity.inexact))
			return COMPLAIN("%s: the runtime has 100%%", text);
		quantity.value =
		    (uint64_t)((unsigned __int128)end_tick * quantity.value / 100000000);
	}
	filter->instant = FILTER_AT_TICK;
	filter->tick = quantity.value;
	return 0;
}

int filter_is_empty(const struct filter *filter)
{
	return !filter->count && filter->instant == FILTER_END && !filter->temporary_threshold;
}

void filter_release(struct filter *filter)
{
	for (size_t i = 0; i < filter->count; i++)
		free(filter->terms[i].text);
	free(filter->terms);
	*filter = (struct filter){0};
}

/* --- text --------------------------------------------------------------------------- */

/* The largest unit that needs no decimals, but seconds and below may have them. */
static void write_time(FILE *out, uint64_t ticks)
{
	char *fraction;
	struct number_text text;

	if (ticks && ticks % 3600000 == 0) {
		fprintf(out, "%" PRIu64 "h", ticks / 3600000);
	} else if (ticks && ticks % 60000 == 0) {
		fprintf(out, "%" PRIu64 "m", ticks / 60000);
	} else if (ticks && ticks < 1000) {
		fprintf(out, "%" PRIu64 "ms", ticks);
	} else {
		text = number_fixed((int64_t)ticks, 1000, 3);
		fraction = strchr(text.text, '.');
		for (char *last = fraction + 3; last >= fraction && (*last == '0' || *last == '.');)
			*last-- = '\0';
		fprintf(out, "%ss", text.text);
	}
}

static void write_size(FILE *out, uint64_t bytes)
{
	static const struct unit units[] = {{"G", 1000000000}, {"M", 1000000}, {"k", 1000}};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (bytes && bytes % units[i].factor == 0) {
			fprintf(out, "%" PRIu64 "%s", bytes / units[i].factor, units[i].name);
			return;
		}
	fprintf(out, "%" PRIu64, bytes);
}

static void write_term(FILE *out, const struct filter_term *term)
{
	void (*write)(FILE *, uint64_t) = term->key == FILTER_SIZE ? write_size : write_time;
	char name[4096];

	fprintf(out, "%s%s=", term->exclude ? "not " : "", key_names[term->key]);
	if (!is_range(term->key)) {
		text_escape(name, sizeof(name), term->text, strlen(term->text));
		fputs(name, out);
		return;
	}
	if (term->key == FILTER_SIZE && term->to == term->from + 1) {
		write_size(out, term->from);
		return;
	}
	if (term->from || term->to == UINT64_MAX)
		write(out, term->from);
	fputs("..", out);
	if (term->to != UINT64_MAX)
		write(out, term->to);
}

int filter_text(const struct filter *filter, char *text, size_t size)
{
	char *whole = NULL;
	const char *comma = "";
	size_t length;
	FILE *out = open_memstream(&whole, &length);
	int result;

	if (!out)
		return snprintf(text, size, "filtered");
	for (size_t i = 0; i < filter->count; i++, comma = ", ") {
		fputs(comma, out);
		write_term(out, &filter->terms[i]);
	}
	if (filter->instant == FILTER_AT_PEAK) {
		fprintf(out, "%sat the peak", comma);
	} else if (filter->instant == FILTER_AT_TICK) {
		fprintf(out, "%sat ", comma);
		write_time(out, filter->tick);
	}
	if (filter->instant != FILTER_END)
		comma = ", ";
	if (filter->temporary_threshold)
		fprintf(out, "%stemporary up to %" PRIu64 " allocations apart", comma,
			filter->temporary_threshold);
	if (fclose(out)) {
		free(whole);
		return snprintf(text, size, "filtered");
	}
	result = snprintf(text, size, "%s", whole);
	free(whole);
	return result;
}
