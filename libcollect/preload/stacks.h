/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_STACKS_H
#define MALLOGRAPH_STACKS_H

#include <stdint.h>

/*
 * The node below parent for this return address; made when it is new. 0 when
 * there is no memory for it. Any number of threads may ask at once, without a
 * lock; two that make the same node at the same moment may get two ids for
 * it, which the recorder unites.
 */
uint32_t stacks_child(uint32_t parent, uint64_t address, uint32_t module_and_flags);

#endif
