/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/json.h"

#include <inttypes.h>
#include <string.h>

#include "formats/numbers.h"

static void put_string(struct json *json, const char *text)
{
	size_t left = strlen(text);

	fputc('"', json->out);
	while (left) {
		uint32_t code;
		int control;
		size_t count = text_character(text, left, &control, &code);

		if (count == 0)
			fprintf(json->out, "\\\\x%02" PRIx32, code);
		else if (control)
			fprintf(json->out, "\\u%04" PRIx32, code);
		else if (code == '"' || code == '\\')
			fprintf(json->out, "\\%c", (char)code);
		else
			fwrite(text, 1, count, json->out);
		text += count ? count : 1;
		left -= count ? count : 1;
	}
	fputc('"', json->out);
}

/* What stands before each value. */
static void begin(struct json *json, const char *key)
{
	if (json->follows)
		fputc(',', json->out);
	if (json->depth)
		fprintf(json->out, "\n%*s", (int)json->depth, "");
	json->follows = 1;
	if (!key)
		return;
	put_string(json, key);
	fputs(": ", json->out);
}

void json_open(struct json *json, const char *key, char bracket)
{
	begin(json, key);
	fputc(bracket, json->out);
	json->depth++;
	json->follows = 0;
}

void json_close(struct json *json, char bracket)
{
	json->depth--;
	if (json->follows)
		fprintf(json->out, "\n%*s", (int)json->depth, "");
	fputc(bracket, json->out);
	json->follows = 1;
	if (!json->depth)
		fputc('\n', json->out);
}

void json_number(struct json *json, const char *key, int64_t number)
{
	begin(json, key);
	fprintf(json->out, "%" PRId64, number);
}

void json_count(struct json *json, const char *key, uint64_t number)
{
	json_number(json, key, number < INT64_MAX ? (int64_t)number : INT64_MAX);
}

void json_number_if(struct json *json, const char *key, int known, int64_t number)
{
	if (known)
		json_number(json, key, number);
	else
		json_text(json, key, NULL);
}

void json_text(struct json *json, const char *key, const char *text)
{
	begin(json, key);
	if (text)
		put_string(json, text);
	else
		fputs("null", json->out);
}

void json_flag(struct json *json, const char *key, int flag)
{
	begin(json, key);
	fputs(flag ? "true" : "false", json->out);
}
