/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/prompt.h"

#include <string.h>

void prompt_begin(struct prompt *prompt, const struct prompt_kind *kind, const char *text)
{
	prompt->kind = kind;
	prompt->length = strnlen(text, PROMPT_BYTES - 1);
	memcpy(prompt->text, text, prompt->length);
	prompt->text[prompt->length] = '\0';
	prompt->cursor = prompt->length;
	prompt->tabs = 0;
}

/* --- editing ---------------------------------------------------------------------------- */

static int is_inside(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

static size_t before(const struct prompt *prompt, size_t at)
{
	while (at && is_inside(prompt->text[--at]))
		;
	return at;
}

static size_t behind(const struct prompt *prompt, size_t at)
{
	if (at < prompt->length)
		at++;
	while (at < prompt->length && is_inside(prompt->text[at]))
		at++;
	return at;
}

static void cut(struct prompt *prompt, size_t from, size_t to)
{
	memmove(prompt->text + from, prompt->text + to, prompt->length - to + 1);
	prompt->length -= to - from;
	prompt->cursor = from;
}

static size_t encode(uint32_t code, char *bytes)
{
	size_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	static const unsigned char first[] = {0, 0xc0, 0xe0, 0xf0};

	bytes[0] = (char)(first[more] | code >> 6 * more);
	for (size_t i = 1; i <= more; i++)
		bytes[i] = (char)(0x80 | (code >> 6 * (more - i) & 0x3f));
	return more + 1;
}

static void insert(struct prompt *prompt, uint32_t code)
{
	char bytes[4];
	size_t count = encode(code, bytes);

	if (prompt->length + count >= PROMPT_BYTES)
		return;
	memmove(prompt->text + prompt->cursor + count, prompt->text + prompt->cursor,
		prompt->length - prompt->cursor + 1);
	memcpy(prompt->text + prompt->cursor, bytes, count);
	prompt->length += count;
	prompt->cursor += count;
}

static void cut_word(struct prompt *prompt)
{
	size_t from = prompt->cursor;

	while (from && prompt->text[from - 1] == ' ')
		from--;
	while (from && prompt->text[from - 1] != ' ')
		from--;
	cut(prompt, from, prompt->cursor);
}

/* --- what was typed before ---------------------------------------------------------------- */

static char *last_of(struct prompt *prompt)
{
	for (int i = 0; i < PROMPT_LAST; i++) {
		if (!prompt->last[i].kind)
			prompt->last[i].kind = prompt->kind;
		if (prompt->last[i].kind == prompt->kind)
			return prompt->last[i].text;
	}
	return NULL;
}

static void recall(struct prompt *prompt)
{
	const char *last = last_of(prompt);

	if (last && *last)
		prompt_begin(prompt, prompt->kind, last);
}

static void finish(struct tui *tui, struct prompt *prompt)
{
	const struct prompt_kind *kind = prompt->kind;
	char text[PROMPT_BYTES], *last = last_of(prompt);

	strcpy(text, prompt->text);
	if (last && *text)
		strcpy(last, text);
	prompt->kind = NULL;
	kind->done(tui, text);
}

static void complete(struct tui *tui, struct prompt *prompt)
{
	char completed[PROMPT_BYTES];
	unsigned tabs = prompt->tabs;

	if (!prompt->kind->complete)
		return;
	if (!tabs)
		strcpy(prompt->typed, prompt->text);
	if (!prompt->kind->complete(tui, prompt->typed, tabs, completed)) {
		/* around: what was typed, then the first again */
		prompt_begin(prompt, prompt->kind, prompt->typed);
		return;
	}
	prompt_begin(prompt, prompt->kind, completed);
	prompt->tabs = tabs + 1;
}

static void edit(struct prompt *prompt, uint32_t key)
{
	switch (key) {
	case KEY_CODE_BACKSPACE:
		cut(prompt, before(prompt, prompt->cursor), prompt->cursor);
		break;
	case KEY_CODE_DELETE:
		cut(prompt, prompt->cursor, behind(prompt, prompt->cursor));
		break;
	case KEY_CODE_LEFT:
		prompt->cursor = before(prompt, prompt->cursor);
		break;
	case KEY_CODE_RIGHT:
		prompt->cursor = behind(prompt, prompt->cursor);
		break;
	case KEY_CODE_HOME:
	case KEY_CONTROL('a'):
		prompt->cursor = 0;
		break;
	case KEY_CODE_END:
	case KEY_CONTROL('e'):
		prompt->cursor = prompt->length;
		break;
	case KEY_CONTROL('u'):
		cut(prompt, 0, prompt->cursor);
		break;
	case KEY_CONTROL('w'):
		cut_word(prompt);
		break;
	case KEY_CODE_UP:
		recall(prompt);
		break;
	default:
		if (key >= ' ' && key < KEY_CODE_FIRST)
			insert(prompt, key);
	}
}

void prompt_key(struct tui *tui, struct prompt *prompt, uint32_t key)
{
	if (key == KEY_CODE_TAB) {
		complete(tui, prompt);
		return;
	}
	prompt->tabs = 0;
	if (key == KEY_CODE_ENTER)
		finish(tui, prompt);
	else if (key == KEY_CODE_ESCAPE || key == KEY_CODE_INTERRUPT ||
		 (key == KEY_CODE_BACKSPACE && !prompt->length))
		prompt->kind = NULL;
	else
		edit(prompt, key);
}

void prompt_draw(const struct prompt *prompt, const struct canvas *canvas, int row)
{
	char head[PROMPT_BYTES];
	int column, shift, used;

	canvas_paint(canvas, row, 0, canvas->columns, ROLE_NORMAL);
	used = canvas_text(canvas, row, 0, canvas->columns / 2 + 1, ROLE_KEY, prompt->kind->label);
	memcpy(head, prompt->text, prompt->cursor);
	head[prompt->cursor] = '\0';
	column = canvas_width(canvas, head);
	shift = column - (canvas->columns - used - 1);
	if (shift < 0)
		shift = 0;
	canvas_text_from(canvas, row, used, canvas->columns - used, ROLE_NORMAL, prompt->text,
			 shift);
	canvas_flag(canvas, row, used + column - shift, 1, CELL_CURSOR);
}
