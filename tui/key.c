/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/key.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

static const struct {
	const char *name;
	uint32_t code;
} names[] = {
    {"Enter", KEY_CODE_ENTER},
    {"Tab", KEY_CODE_TAB},
    {"Esc", KEY_CODE_ESCAPE},
    {"Backspace", KEY_CODE_BACKSPACE},
    {"Space", ' '},
    {"lt", '<'},
    {"Up", KEY_CODE_UP},
    {"Down", KEY_CODE_DOWN},
    {"Left", KEY_CODE_LEFT},
    {"Right", KEY_CODE_RIGHT},
    {"PgUp", KEY_CODE_PAGE_UP},
    {"PgDn", KEY_CODE_PAGE_DOWN},
    {"Home", KEY_CODE_HOME},
    {"End", KEY_CODE_END},
    {"Del", KEY_CODE_DELETE},
    {"S-Tab", KEY_CODE_SHIFT_TAB},
    {"F1", KEY_CODE_F1},
    {"WheelUp", KEY_CODE_WHEEL_UP},
    {"WheelDown", KEY_CODE_WHEEL_DOWN},
};

enum { NAMES = sizeof(names) / sizeof(*names) };

uint32_t key_code(const char *name, int length)
{
	if (length == 3 && name[0] == 'C' && name[1] == '-')
		return (uint32_t)KEY_CONTROL(name[2]);
	for (int i = 0; i < NAMES; i++)
		if ((int)strlen(names[i].name) == length &&
		    !strncmp(names[i].name, name, (size_t)length))
			return names[i].code;
	return 0;
}

const char *key_text(uint32_t code, char *name)
{
	for (int i = 0; i < NAMES; i++)
		if (names[i].code == code && code != '<')
			return names[i].name;
	if (code < ' ')
		snprintf(name, 16, "Ctrl-%c", (int)('@' + code));
	else
		snprintf(name, 16, "%c", code < 127 ? (int)code : '?');
	return name;
}
