/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_SCREEN_H
#define MALLOGRAPH_SCREEN_H

/*
 * The terminal. The only file that knows curses, and one screen at a time: it starts and
 * stops it, shows a grid, and reads keys. Whatever happens (a signal to end, Ctrl-Z and fg, the
 * terminal closed) the terminal is left as it was.
 */

#include <stddef.h>

#include "tui/canvas.h"
#include "tui/key.h"

/* Takes the terminal of stdin and stdout; where stdin is taken by what is shown, the process's own
 * in its place. 0, or ERROR_UNSUPPORTED with a line in complaint. Sets the locale. */
int screen_open(int input_is_taken, char *complaint, size_t complaint_bytes);
/* One that nobody sees: what is drawn on it goes nowhere, but goes all the way of curses.
 * UTF-8. */
int screen_open_hidden(int rows, int columns, char *complaint, size_t complaint_bytes);
void screen_close(void);

void screen_size(int *rows, int *columns);
/* A hidden screen gets another size. */
void screen_resize(int rows, int columns);
/* Nothing but ASCII can be shown. */
int screen_is_ascii(void);

void screen_show(const struct grid *grid);
/* All of it, whatever the terminal holds. */
void screen_redraw(void);

/* Waits for a key, or for screen_wake() (KEY_CODE_WAKE), at most so many milliseconds (-1: for
 * ever; then KEY_CODE_WAKE, too). */
struct key screen_key(int milliseconds);
/* Ends a screen_key(), from any thread. */
void screen_wake(void);

/* The signal that asked to end, behind KEY_CODE_CLOSED; 0: the terminal is gone. */
int screen_signal(void);

#endif
