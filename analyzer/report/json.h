/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_JSON_H
#define MALLOGRAPH_JSON_H

/*
 * JSON, written as it comes. key is NULL inside of an array. Names are any bytes: what is
 * not well-formed UTF-8 becomes \xNN as it does in the text, so a string is always valid.
 * Errors of out are for the caller to find (ferror).
 */

#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	unsigned depth;
	int follows; /* something stands before, on this level */
};

void json_open(struct json *json, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json *json, char bracket);                 /* '}' or ']' */
void json_number(struct json *json, const char *key, int64_t number);
/* A number of the file's, which may be any: 2^63 - 1 where it is more. */
void json_count(struct json *json, const char *key, uint64_t number);
void json_number_if(struct json *json, const char *key, int known, int64_t number); /* or null */
void json_text(struct json *json, const char *key, const char *text);               /* NULL: null */
void json_flag(struct json *json, const char *key, int flag);

#endif
