/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_MODULES_H
#define MALLOGRAPH_MODULES_H

/*
 * The loaded files, as the stacks meet them.
 *
 * Found by _dl_find_object(), which takes no lock. Nobody tells us of an
 * unloading, but the loader's own malloc and free calls betray it: dlclose gives
 * back the link_map of the module after having unmapped it and before anything else
 * can be mapped there (it holds the loader's lock). That free ends the module
 * for us: its rules are forgotten, and whatever is loaded at its address later
 * is another module with another id, so stacks before and after differ.
 */

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

/* Id of the module found, known or new; 0 when it can't be told to the recorder. */
uint32_t modules_id(const struct dl_find_object *found);

/* 1 when pc lies in the dynamic loader's text. */
extern uintptr_t modules_loader_start, modules_loader_bytes;
void modules_init(void);
static inline int modules_is_loader(uintptr_t pc)
{
	return pc - modules_loader_start < modules_loader_bytes;
}

/* The loader gives back p: if that is a module's link_map, the module is gone. */
void modules_forget(const void *p);

/* Blocks that the loader allocated for what we asked of it (libunwind): they
 * are never recorded, and neither is their end. */
void modules_note_our_block(const void *p);
/* 1 when p was one; it is no more. */
int modules_forget_our_block(const void *p);

#endif
