/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_DISPATCH_H
#define MALLOGRAPH_DISPATCH_H

/* A key's way: to the prompt, to the view, or to what all views have in common. */

#include "tui/key.h"
#include "tui/state.h"

void dispatch_key(struct tui *tui, const struct key *key);

/* The line of `e`: its done writes the view as shown to the file that is named. */
extern const struct prompt_kind export_prompt;
/* Of `f`: it completes keys and values. */
extern const struct prompt_kind filter_prompt;

#endif
