/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_PREPARE_H
#define MALLOGRAPH_PREPARE_H

/* What our constructor finds in advance, because later a lookup could have to
 * wait for the loader's lock, or take the program's dlerror() from it. */
void hooks_cxx_prepare(void);
void hooks_exec_prepare(void);
void hooks_fork_prepare(void);
void hooks_confine_prepare(void);
void hooks_load_prepare(void);

/* The loader gives back p, perhaps the record of a file whose operators were
 * remembered. */
void hooks_cxx_forget(const void *map);

#endif
