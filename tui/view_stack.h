/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_VIEW_STACK_H
#define MALLOGRAPH_VIEW_STACK_H

#include "tui/view.h"

/* Shows the full backtraces of what is under the cursor. */
void stack_show(struct tui *tui, const struct point *point);

#endif
