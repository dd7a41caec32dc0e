/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_PROGRESS_H
#define MALLOGRAPH_PROGRESS_H

/*
 * "mallograph: reading FILE  42%" in place on stderr while the calling thread reads a file
 * for more than half a second; the line is gone when that ends. Nothing where stderr is no
 * terminal, or one that cannot erase a line.
 */
void progress_show(void);

#endif
