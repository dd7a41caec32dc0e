/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_CFI_H
#define MALLOGRAPH_CFI_H

#include <stdint.h>

/* The mapped memory that may be read: [from, to). */
struct cfi_bounds {
	uintptr_t from, to;
};

/*
 * The rule (rules.h, without pc id) that the unwind information behind
 * eh_frame_hdr gives for the instruction at pc. RULE_NONE: it says nothing
 * about pc. What is not as it should be, or lies outside of the bounds, is RULE_OTHER:
 * a program that never throws may have worthless tables, and runs.
 */
uint64_t cfi_rule(uintptr_t eh_frame_hdr, const struct cfi_bounds *bounds, uintptr_t pc);

#endif
