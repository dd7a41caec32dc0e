/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Made from the tables of views and keys. */
#include "tui/view.h"

#include <stdio.h>
#include <string.h>

#include "tui/list.h"
#include "tui/state.h"

enum { KEYS_WIDTH = 26 };

struct help {
	struct list list;
};

static size_t count_tabs(void)
{
	size_t count = 0;

	while (views[count] && views[count]->key)
		count++;
	return count;
}

static const struct action_key *shown_key(size_t row)
{
	for (int i = 0; i < ACTION_KEYS; i++)
		if (action_keys[i].help && !row--)
			return &action_keys[i];
	return NULL;
}

static int refresh(struct tui *tui, void *data)
{
	size_t rows = count_tabs() + 1;

	(void)tui;
	for (size_t i = 0; shown_key(i); i++)
		rows++;
	list_resize(&((struct help *)data)->list, rows);
	return 0;
}

static const char *keys_text(const struct action_key *key, char *text, size_t size)
{
	size_t length = 0;

	*text = '\0';
	for (int i = 0; i < 4 && key->keys[i] && length < size; i++) {
		char name[16];

		if (key->keys[i] == KEY_CODE_DOUBLE_CLICK)
			continue;
		length += (size_t)snprintf(text + length, size - length, "%s%s", i ? ", " : "",
					   key_text(key->keys[i], name));
	}
	return text;
}

/* Both halves of a line; "" for the line between. */
static void line_of(size_t row, char *keys, size_t size, const char **help)
{
	size_t tabs = count_tabs();

	*keys = '\0';
	*help = "";
	if (row < tabs) {
		snprintf(keys, size, "%c %s", views[row]->key, views[row]->name);
		*help = views[row]->help;
	} else if (row > tabs) {
		const struct action_key *key = shown_key(row - tabs - 1);

		*help = key->help;
		keys_text(key, keys, size);
	}
}

static void draw_row(struct tui *tui, void *data, size_t row, const struct canvas *canvas)
{
	char keys[128];
	const char *help;

	(void)tui;
	(void)data;
	line_of(row, keys, sizeof(keys), &help);
	canvas_text(canvas, 0, 1, KEYS_WIDTH - 1, ROLE_KEY, keys);
	canvas_text(canvas, 0, KEYS_WIDTH + 1, canvas->columns - KEYS_WIDTH - 1, ROLE_NORMAL, help);
}

static void write_row(struct tui *tui, void *data, size_t row, FILE *out)
{
	char keys[128];
	const char *help;

	(void)tui;
	(void)data;
	line_of(row, keys, sizeof(keys), &help);
	fprintf(out, "%-*s %s", KEYS_WIDTH, keys, help);
}

static const struct list_ops rows = {.draw = draw_row, .text = write_row};

static void draw(struct tui *tui, void *data, const struct canvas *canvas)
{
	list_draw(tui, data, &((struct help *)data)->list, &rows, canvas, 0);
}

static int act(struct tui *tui, void *data, enum action action)
{
	(void)tui;
	return list_act(&((struct help *)data)->list, action) || action == ACTION_HELP;
}

static int search(struct tui *tui, void *data, const char *text, int direction, int from_here)
{
	return list_search(tui, data, &((struct help *)data)->list, &rows, text, direction,
			   from_here);
}

static int write_all(struct tui *tui, void *data, FILE *out)
{
	return list_write(tui, data, &((struct help *)data)->list, &rows, out);
}

const struct view_ops view_help = {
    .name = "Help",
    .help = "keys",
    .data_bytes = sizeof(struct help),
    .refresh = refresh,
    .draw = draw,
    .act = act,
    .search = search,
    .write = write_all,
};
