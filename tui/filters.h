/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TUI_FILTERS_H
#define MALLOGRAPH_TUI_FILTERS_H

/* For state.c: the rest of filters.c is in state.h. */

#include "tui/state.h"

/* To a place of the history, when its filters are in force. Takes these. */
void filters_go_back(struct tui *tui, const struct tui_place *place);

#endif
