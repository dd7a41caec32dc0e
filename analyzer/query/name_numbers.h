/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_NAME_NUMBERS_H
#define MALLOGRAPH_NAME_NUMBERS_H

/*
 * Names numbered by content, so that comparing two is comparing numbers. What comes by a
 * pointer that came lately is not read again: a profile's frames share theirs.
 */

#include <stddef.h>
#include <stdint.h>

#include "analyzer/model/id_table.h"

struct name_numbers { /* all zero: none yet, names are compared as they are */
	/* what of a name is compared, written to room for strlen + 1 bytes; NULL: all of it */
	void (*comparable)(char *out, const char *name);
	struct id_table text_ids;
	struct name_pointer {
		const char *pointer;
		uint32_t number;
	} * pointers; /* that came lately, by a hash of the pointer */
	struct name_text {
		const char *text;
		char *own; /* text, where it is not the caller's */
		uint64_t hash;
	} * texts; /* by number, from 1 */
	size_t text_count, text_room;
	char *buffer;
	size_t buffer_room;
};

/* The number of a name, from 1 up; 0 for NULL. The name must live as long as
 * numbers. 0 or ERROR_MEMORY. */
int name_number(struct name_numbers *numbers, const char *name, uint32_t *number);
/* What is compared of the names with that number, and a hash of it that is the same
 * in every run; 0 for number 0. */
const char *name_text(const struct name_numbers *numbers, uint32_t number);
uint64_t name_hash(const struct name_numbers *numbers, uint32_t number);
/* There are no more names: gives back what only numbering needs. */
void name_numbers_settle(struct name_numbers *numbers);
void name_numbers_release(struct name_numbers *numbers);

#endif
