/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/query/name_numbers.h"

#include <stdlib.h>
#include <string.h>

#include "formats/error.h"

enum { POINTERS = 1 << 16 };

static uint64_t hash_text(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return id_table_hash(hash, 0);
}

/* The array with room for one more behind `last`, its last index. NULL when out of memory. */
static void *with_room(void *array, size_t last, size_t *room, size_t size)
{
	size_t wanted = *room ? *room * 2 : 256;
	void *larger;

	if (last + 1 < *room)
		return array;
	larger = reallocarray(array, wanted, size);
	if (larger)
		*room = wanted;
	return larger;
}

static int same_text(const void *context, const void *key, uint32_t id)
{
	const struct name_numbers *numbers = context;

	return !strcmp(numbers->texts[id].text, key);
}

/* What is compared of the name, for the moment; NULL when out of memory. */
static const char *comparable(struct name_numbers *numbers, const char *name)
{
	size_t wanted = strlen(name) + 1;

	if (!numbers->comparable)
		return name;
	if (wanted > numbers->buffer_room) {
		char *larger = realloc(numbers->buffer, wanted * 2);

		if (!larger)
			return NULL;
		numbers->buffer = larger;
		numbers->buffer_room = wanted * 2;
	}
	numbers->comparable(numbers->buffer, name);
	return strcmp(numbers->buffer, name) ? numbers->buffer : name;
}

static int number_text(struct name_numbers *numbers, const char *name, uint32_t *number)
{
	const char *text = comparable(numbers, name);
	struct name_text entry = {0};
	struct name_text *larger;

	if (!text)
		return ERROR_MEMORY;
	entry.hash = hash_text(text);
	*number = id_table_find(&numbers->text_ids, entry.hash, same_text, numbers, text);
	if (*number)
		return 0;
	larger = with_room(numbers->texts, numbers->text_count, &numbers->text_room,
			   sizeof(*numbers->texts));
	if (!larger)
		return ERROR_MEMORY;
	numbers->texts = larger;
	if (text != name) {
		entry.own = strdup(text);
		if (!entry.own)
			return ERROR_MEMORY;
	}
	entry.text = entry.own ? entry.own : name;
	*number = (uint32_t)++numbers->text_count;
	numbers->texts[*number] = entry;
	return id_table_add(&numbers->text_ids, entry.hash, *number);
}

int name_number(struct name_numbers *numbers, const char *name, uint32_t *number)
{
	struct name_pointer *lately;
	int error = 0;

	*number = 0;
	if (!name)
		return 0;
	if (!numbers->pointers)
		numbers->pointers = calloc(POINTERS, sizeof(*numbers->pointers));
	if (!numbers->pointers)
		return ERROR_MEMORY;
	lately = &numbers->pointers[id_table_hash(0, (uintptr_t)name) % POINTERS];
	if (lately->pointer != name) {
		error = number_text(numbers, name, number);
		if (!error)
			*lately = (struct name_pointer){name, *number};
	}
	*number = lately->number;
	return error;
}

const char *name_text(const struct name_numbers *numbers, uint32_t number)
{
	return number ? numbers->texts[number].text : NULL;
}

uint64_t name_hash(const struct name_numbers *numbers, uint32_t number)
{
	return number ? numbers->texts[number].hash : 0;
}

void name_numbers_settle(struct name_numbers *numbers)
{
	id_table_release(&numbers->text_ids);
	free(numbers->pointers);
	free(numbers->buffer);
	numbers->pointers = NULL;
	numbers->buffer = NULL;
	numbers->buffer_room = 0;
}

void name_numbers_release(struct name_numbers *numbers)
{
	id_table_release(&numbers->text_ids);
	for (size_t i = 1; i <= numbers->text_count; i++)
		free(numbers->texts[i].own);
	free(numbers->pointers);
	free(numbers->texts);
	free(numbers->buffer);
	*numbers = (struct name_numbers){0};
}
