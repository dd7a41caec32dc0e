/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_VIEW_CALLERS_H
#define MALLOGRAPH_VIEW_CALLERS_H

#include "tui/view.h"

/* Shows who calls the function of a frame, and what it calls. */
void callers_show(struct tui *tui, struct frame_reference frame);

#endif
