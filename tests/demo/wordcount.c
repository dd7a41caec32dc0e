/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * wordcount FILE: the program that `make demo` records. It counts the words of a file,
 * wastefully: each line is copied, each word is copied to be compared, the table grows a
 * little at a time, and the longest words are never given back.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	char *word;
	unsigned count;
};

struct table {
	struct entry *entry;
	size_t count, room;
};

static void *checked(void *block)
{
	if (!block) {
		fputs("wordcount: out of memory\n", stderr);
		exit(1);
	}
	return block;
}

static char *lower_copy(const char *word, size_t length)
{
	char *copy = checked(malloc(length + 1));

	for (size_t i = 0; i < length; i++)
		copy[i] = (char)tolower((unsigned char)word[i]);
	copy[length] = '\0';
	return copy;
}

static void grow(struct table *table)
{
	table->room += 16;
	table->entry = checked(realloc(table->entry, table->room * sizeof(*table->entry)));
}

static void count_word(struct table *table, const char *word, size_t length)
{
	char *copy = lower_copy(word, length);

	for (size_t i = 0; i < table->count; i++) {
		if (!strcmp(table->entry[i].word, copy)) {
			table->entry[i].count++;
			free(copy);
			return;
		}
	}
	if (table->count == table->room)
		grow(table);
	table->entry[table->count++] = (struct entry){copy, 1};
}

static void count_line(struct table *table, const char *line)
{
	char *copy = checked(strdup(line));
	char *at = copy;

	while (*at) {
		size_t length = 0;

		while (isalpha((unsigned char)at[length]))
			length++;
		if (length)
			count_word(table, at, length);
		at += length ? length : 1;
	}
	free(copy);
}

static int more_often(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;

	if (left->count != right->count)
		return left->count < right->count ? 1 : -1;
	return strcmp(left->word, right->word);
}

static void release(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		if (strlen(table->entry[i].word) < 12) /* a leak, for the demonstration */
			free(table->entry[i].word);
	free(table->entry);
}

int main(int argc, char **argv)
{
	struct table table = {NULL, 0, 0};
	char *line = NULL;
	size_t room = 0;
	FILE *file;

	if (argc != 2 || !(file = fopen(argv[1], "r"))) {
		fputs("usage: wordcount FILE\n", stderr);
		return 2;
	}
	while (getline(&line, &room, file) > 0)
		count_line(&table, line);
	free(line);
	fclose(file);
	if (table.count)
		qsort(table.entry, table.count, sizeof(*table.entry), more_often);
	for (size_t i = 0; i < table.count && i < 5; i++)
		printf("%6u %s\n", table.entry[i].count, table.entry[i].word);
	release(&table);
	return 0;
}
