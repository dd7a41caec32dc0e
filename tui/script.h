/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TUI_SCRIPT_H
#define MALLOGRAPH_TUI_SCRIPT_H

/*
 * Keys from a file, for tests and for pictures of screens. A line each:
 *
 *	size 80x24            of the screen, from here on
 *	ascii                 nothing else can be shown, from here on
 *	keys jj/foo<Enter>    keys with names in brackets: <Up>, <C-l>, <lt> for '<'
 *	click 3 10            at that row and column, counted from 0
 *	save FILE             the screen as text; behind the lines that are there; - is stdout
 *	random SEED COUNT     so many keys, any, but for those that quit or write files
 *
 * What a job counts is waited for behind every key. Comments begin with '#'.
 */

#include <stddef.h>

#include "tui/state.h"

int script_open_screen(char *complaint, size_t complaint_bytes);
/* "-" is stdin. 0, or an error with a line in complaint. */
int script_run(struct tui *tui, const char *path, char *complaint, size_t complaint_bytes);

#endif
