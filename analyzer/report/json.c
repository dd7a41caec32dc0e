/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/json.h"

#include <inttypes.h>
#include <string.h>

#include "formats/numbers.h"

/* Bytes of the character at `at` that may stand as they are, 0 when there is none. */
static size_t plain_bytes(const char *at, size_t left)
{
	for (size_t count = 1; count <= 4 && count <= left; count++)
		if (text_escape(NULL, 0, at, count) == count)
			return count;
	return 0;
}

static void put_string(struct json *json, const char *text)
{
	size_t left = strlen(text);

	fputc('"', json->out);
	while (left) {
		unsigned char byte = (unsigned char)*text;
		size_t count = plain_bytes(text, left);

		if (byte == '"' || byte == '\\')
			fprintf(json->out, "\\%c", byte);
		else if (count)
			fwrite(text, 1, count, json->out);
		else if (byte < 0x80)
			fprintf(json->out, "\\u%04x", byte);
		else
			fprintf(json->out, "\\\\x%02x", byte);
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
