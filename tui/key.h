/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_KEY_H
#define MALLOGRAPH_KEY_H

/* A key as the terminal or a script gives it: a character of Unicode, or one of these, which are
 * beyond all characters. */

#include <stdint.h>

enum key_code {
	KEY_CODE_TAB = '\t',
	KEY_CODE_ENTER = '\n',
	KEY_CODE_ESCAPE = 27,
	KEY_CODE_BACKSPACE = 127,
	KEY_CODE_FIRST = 0x110000,
	KEY_CODE_UP = KEY_CODE_FIRST,
	KEY_CODE_DOWN,
	KEY_CODE_LEFT,
	KEY_CODE_RIGHT,
	KEY_CODE_PAGE_UP,
	KEY_CODE_PAGE_DOWN,
	KEY_CODE_HOME,
	KEY_CODE_END,
	KEY_CODE_DELETE,
	KEY_CODE_SHIFT_TAB,
	KEY_CODE_F1,
	KEY_CODE_CLICK, /* at row and column */
	KEY_CODE_DOUBLE_CLICK,
	KEY_CODE_WHEEL_UP,
	KEY_CODE_WHEEL_DOWN,
	KEY_CODE_RESIZE, /* the screen has another size */
	KEY_CODE_WAKE,   /* no key: the job has news */
	KEY_CODE_CLOSED, /* the terminal is gone, or a signal asks to end */
	KEY_CODE_INTERRUPT,
	KEY_CODE_LAST
};

#define KEY_CONTROL(letter) ((letter)&31)

struct key {
	uint32_t code;
	int row, column; /* of the mouse */
};

/* The names of keys that are no characters, as scripts write and the help shows them: "Up", "C-l",
 * "Enter". 0: there is no such name. */
uint32_t key_code(const char *name, int length);
/* In a buffer of at least 16 bytes, which is returned. */
const char *key_text(uint32_t code, char *name);

#endif
