/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TUI_FRAME_H
#define MALLOGRAPH_TUI_FRAME_H

/* What stands around every view: the tabs above, the status line below. */

#include "tui/state.h"

/* Draws all on tui->grid, which has the size of the screen. */
void frame_draw(struct tui *tui);
/* The screen's row where the view begins. */
int frame_first_row(const struct tui *tui);
/* The tab at that place of the screen; NULL: none. */
const struct view_ops *frame_tab_at(const struct tui *tui, int row, int column);

#endif
