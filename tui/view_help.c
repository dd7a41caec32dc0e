/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Made from the tables of views and keys. */
#include "tui/view.h"

#include <stdio.h>
#include <string.h>

#include "tui/list.h"
#include "tui/state.h"

/* Where there is no room for both side by side, what a key does is below it. */
enum { KEYS_WIDTH = 29, INDENT = 3, SIDE_BY_SIDE_FROM = 60, LINES = 512, TEXT_LEAST = 8 };

struct help_line { /* a part of what is said of a key or a view, as long as fits */
	size_t row;
	const char *text;
	int length;
	int first; /* with the key in front */
};

struct help {
	struct list list;
	int width; /* that the lines are made for */
	struct help_line lines[LINES];
	size_t count;
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

/* --- lines -------------------------------------------------------------------------------- */

static void add_line(struct help *help, struct help_line line)
{
	if (help->count < LINES)
		help->lines[help->count++] = line;
}

/* How much of the text stands in one line. */
static int fitting(const char *text, int width)
{
	int length = (int)strlen(text), end = width;

	if (length <= width)
		return length;
	while (end && text[end] != ' ')
		end--;
	return end ? end : width;
}

static void wrap(struct help *help, size_t row, const char *text)
{
	int beside = help->width >= SIDE_BY_SIDE_FROM;
	int room = help->width - (beside ? KEYS_WIDTH + 1 : INDENT);
	struct help_line line = {.row = row, .text = text, .first = 1};

	room = room < TEXT_LEAST ? TEXT_LEAST : room;
	if (!beside) {
		add_line(help, line);
		line.first = 0;
	}
	for (; *line.text || (beside && line.first); line.first = 0) {
		line.length = fitting(line.text, room);
		add_line(help, line);
		line.text += line.length;
		line.text += strspn(line.text, " ");
	}
}

static void make_lines(struct help *help, int width)
{
	size_t rows = count_tabs() + 1;
	char keys[128];
	const char *text;

	help->width = width;
	help->count = 0;
	while (shown_key(rows - count_tabs() - 1))
		rows++;
	for (size_t i = 0; i < rows; i++) {
		line_of(i, keys, sizeof(keys), &text);
		wrap(help, i, text);
	}
	list_resize(&help->list, help->count);
}

static int refresh(struct tui *tui, void *data)
{
	make_lines(data, tui->grid.columns);
	return 0;
}

static void draw_row(struct tui *tui, void *data, size_t row, const struct canvas *canvas)
{
	const struct help_line *line = &((struct help *)data)->lines[row];
	int column = canvas->columns >= SIDE_BY_SIDE_FROM ? KEYS_WIDTH + 1 : INDENT;
	char keys[128];
	const char *help;

	(void)tui;
	line_of(line->row, keys, sizeof(keys), &help);
	if (line->first)
		canvas_text(canvas, 0, 1, canvas->columns - 1, ROLE_KEY, keys);
	canvas_print(canvas, 0, column, canvas->columns - column, ROLE_NORMAL, "%.*s", line->length,
		     line->text);
}

static void write_row(struct tui *tui, void *data, size_t row, FILE *out)
{
	const struct help_line *line = &((struct help *)data)->lines[row];
	char keys[128];
	const char *help;

	(void)tui;
	line_of(line->row, keys, sizeof(keys), &help);
	fprintf(out, "%-*s %.*s", KEYS_WIDTH, line->first ? keys : "", line->length, line->text);
}

static const struct list_ops rows = {.draw = draw_row, .text = write_row};

static void draw(struct tui *tui, void *data, const struct canvas *canvas)
{
	struct help *help = data;

	if (help->width != canvas->columns)
		make_lines(help, canvas->columns);
	list_draw(tui, help, &help->list, &rows, canvas, 0);
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
