/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_VERSION_H
#define MALLOGRAPH_VERSION_H

/* Of the whole project: `mallograph --version`, and the collector's name in
 * traces. The trace format and the shared memory have versions of their own. */
#define MALLOGRAPH_VERSION "0.1.0"

#endif
