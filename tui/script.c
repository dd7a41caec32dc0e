/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/script.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/error.h"
#include "tui/dispatch.h"
#include "tui/frame.h"
#include "tui/screen.h"

enum { ROWS = 24, COLUMNS = 80, SIZE_MOST = 1000 };

struct script {
	struct tui *tui;
	char *complaint;
	size_t complaint_bytes;
	const char *path;
	unsigned line;
};

int script_open_screen(char *complaint, size_t complaint_bytes)
{
	return screen_open_hidden(ROWS, COLUMNS, complaint, complaint_bytes);
}

static int complain(const struct script *script, const char *why, const char *what)
{
	snprintf(script->complaint, script->complaint_bytes, "%s: line %u: %s%s%s%s", script->path,
		 script->line, why, what ? " '" : "", what ? what : "", what ? "'" : "");
	return ERROR_FOREIGN;
}

static int show(struct tui *tui)
{
	int rows, columns, error = 0;

	screen_size(&rows, &columns);
	if (rows != tui->grid.rows || columns != tui->grid.columns)
		error = grid_resize(&tui->grid, rows, columns);
	if (error)
		return error;
	frame_draw(tui);
	/* a view may begin to count when it is drawn */
	while (tui->job.kind) {
		job_wait(tui);
		frame_draw(tui);
	}
	screen_show(&tui->grid);
	return 0;
}

static int hit(struct tui *tui, struct key key)
{
	dispatch_key(tui, &key);
	job_wait(tui);
	return show(tui);
}

/* --- the commands -------------------------------------------------------------------------- */

static int set_size(struct script *script, const char *words)
{
	int rows, columns, length = 0;

	if (sscanf(words, "%dx%d%n", &columns, &rows, &length) != 2 || words[length])
		return complain(script, "a size is COLUMNSxROWS, not", words);
	if (rows < 1 || columns < 1 || rows > SIZE_MOST || columns > SIZE_MOST)
		return complain(script, "too small or too large:", words);
	screen_resize(rows, columns);
	return show(script->tui);
}

static int set_ascii(struct script *script, const char *words)
{
	(void)words;
	script->tui->grid.ascii = 1;
	return show(script->tui);
}

/* A character of UTF-8, as far as it is one; any byte else. */
static const char *read_character(const char *at, uint32_t *code)
{
	const unsigned char *bytes = (const unsigned char *)at;
	unsigned more = *bytes < 0xc2 ? 0 : *bytes < 0xe0 ? 1 : *bytes < 0xf0 ? 2 : 3;

	*code = more ? *bytes & (0x3fu >> more) : *bytes;
	for (unsigned i = 1; i <= more; i++) {
		if ((bytes[i] & 0xc0) != 0x80) {
			*code = '?';
			return at + 1;
		}
		*code = *code << 6 | (bytes[i] & 0x3f);
	}
	return at + 1 + more;
}

static int hit_keys(struct script *script, const char *words)
{
	int error = 0;

	while (*words && !error && !script->tui->quit) {
		struct key key = {0};
		const char *end = *words == '<' ? strchr(words, '>') : NULL;

		if (end) {
			key.code = key_code(words + 1, (int)(end - words - 1));
			if (!key.code)
				return complain(script, "no key is called", words);
			words = end + 1;
		} else {
			words = read_character(words, &key.code);
		}
		error = hit(script->tui, key);
	}
	return error;
}

static int click(struct script *script, const char *words)
{
	struct key key = {.code = KEY_CODE_CLICK};

	if (sscanf(words, "%d %d", &key.row, &key.column) != 2)
		return complain(script, "click needs a row and a column, not", words);
	return hit(script->tui, key);
}

static int save(struct script *script, const char *words)
{
	FILE *out = strcmp(words, "-") ? fopen(words, "ae") : stdout;
	const struct grid *grid = &script->tui->grid;
	int failed = 0;

	if (!*words)
		return complain(script, "save needs the name of a file", NULL);
	if (!out)
		return complain(script, strerror(errno), words);
	for (int row = 0; row < grid->rows; row++) {
		char *text = grid_text(grid, row);

		failed |= !text || fprintf(out, "%s\n", text) < 0;
		free(text);
	}
	if (out != stdout)
		failed |= fclose(out) != 0;
	return failed ? complain(script, "can't be written:", words) : 0;
}

/* xorshift64: the same keys for a seed on every machine. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Mostly keys that do something, some that are typed, some strange ones. */
static struct key random_key(struct tui *tui, uint64_t *state)
{
	uint64_t kind = next_random(state) % 16, which = next_random(state);
	struct key key = {.code = ' ' + (uint32_t)(which % 95)};
	const struct action_key *known = &action_keys[which % ACTION_KEYS];

	if (kind < 9)
		key.code = known->keys[0];
	else if (kind < 11)
		key.code = KEY_CODE_ENTER;
	else if (kind == 11)
		key.code = KEY_CODE_ESCAPE;
	else if (kind == 12)
		key.code = (uint32_t)(which % KEY_CODE_LAST);
	else if (kind == 13)
		key = (struct key){.code = KEY_CODE_CLICK,
				   .row = (int)(which % 60) - 2,
				   .column = (int)(which / 64 % 210) - 2};
	/* two to quit by: neither is hit, but both may be typed */
	if (!tui->prompt.kind && (key.code == 'q' || key.code == KEY_CODE_INTERRUPT))
		key.code = KEY_CODE_TAB;
	if (key.code >= KEY_CODE_RESIZE && key.code < KEY_CODE_LAST)
		key.code = KEY_CODE_DOWN;
	return key;
}

static int random_keys(struct script *script, const char *words)
{
	struct tui *tui = script->tui;
	uint64_t seed, count, state;
	int error = 0;

	if (sscanf(words, "%" SCNu64 " %" SCNu64, &seed, &count) != 2)
		return complain(script, "random needs a seed and a count, not", words);
	state = seed * 2 + 1;
	tui->random = 1;
	for (uint64_t i = 0; i < count && !error && !tui->quit; i++) {
		if (next_random(&state) % 64 == 0)
			screen_resize(1 + (int)(next_random(&state) % 60),
				      1 + (int)(next_random(&state) % 200));
		error = hit(tui, random_key(tui, &state));
	}
	tui->random = 0;
	return error ? error : tui->quit ? complain(script, "a random key has quit", NULL) : 0;
}

/* --- lines -------------------------------------------------------------------------------- */

static int run_line(struct script *script, char *line)
{
	static const struct {
		const char *name;
		int (*run)(struct script *script, const char *words);
	} commands[] = {
	    {"size", set_size}, {"ascii", set_ascii}, {"keys", hit_keys},
	    {"click", click},   {"save", save},       {"random", random_keys},
	};
	char *words = line + strcspn(line, " ");

	line[strcspn(line, "\n")] = '\0';
	if (!*line || *line == '#')
		return 0;
	if (*words)
		*words++ = '\0';
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(commands[i].name, line))
			return commands[i].run(script, words);
	return complain(script, "size, ascii, keys, click, save or random, not", line);
}

int script_run(struct tui *tui, const char *path, char *complaint, size_t complaint_bytes)
{
	struct script script = {
	    .tui = tui, .complaint = complaint, .complaint_bytes = complaint_bytes, .path = path};
	FILE *in = strcmp(path, "-") ? fopen(path, "re") : stdin;
	char *line = NULL;
	size_t room = 0;
	int error;

	if (!in) {
		snprintf(complaint, complaint_bytes, "%s: %s", path, strerror(errno));
		return ERROR_SYSTEM;
	}
	error = show(tui);
	while (!error && !tui->quit && getline(&line, &room, in) >= 0) {
		script.line++;
		error = run_line(&script, line);
	}
	free(line);
	if (in != stdin)
		fclose(in);
	return error;
}
