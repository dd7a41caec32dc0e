/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TUI_FILTERS_H
#define MALLOGRAPH_TUI_FILTERS_H

/* For state.c: the rest of filters.c is in state.h. */

#include "tui/state.h"

/* Takes the filters. back: a place of the history to go to when they are in force (its filters are
 * not used); NULL: the view stays, and the history gets where it was. */
void filters_change(struct tui *tui, struct filter filters[2], const struct tui_place *back);

#endif
