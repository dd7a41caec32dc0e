/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_CFI_H
#define MALLOGRAPH_CFI_H

#include <stdint.h>

/*
 * The rule (rules.h, without pc id) that the unwind information behind
 * eh_frame_hdr gives for the instruction at pc. RULE_NONE: it says nothing
 * about pc. Reads the mapped file only, never past the entry it is in.
 */
uint64_t cfi_rule(uintptr_t eh_frame_hdr, uintptr_t pc);

#endif
