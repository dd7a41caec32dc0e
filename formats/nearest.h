/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_NEAREST_H
#define MALLOGRAPH_NEAREST_H

/* What somebody who typed a wrong word probably meant. */

#include <stddef.h>

#define NEAREST_MAX_BYTES 48 /* longer words and names resemble none */

/* The one of count names that is most like word, or NULL when none is. */
const char *nearest_name(const char *word, const char *const *names, size_t count);

#endif
