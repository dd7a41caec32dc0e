/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unwind rules from .eh_frame.
 *
 * _dl_find_object() gives the module's .eh_frame_hdr without a lock; its sorted
 * table gives the FDE; running the FDE's program up to the pc gives a row of
 * which we keep the CFA and where rbp is: rsp, rbp and the return address are
 * all a walk needs. The result is cached by (pc, interrupted) in a direct-
 * mapped table without a lock: a slot's key is cleared before its rule changes
 * and set behind it, and only one thread writes at a time (who can't have the
 * lock goes without caching).
 *
 * What lies outside all modules is never cached: it may be code that a JIT
 * rewrites. What is cached dies with its module (modules.h).
 */
#include "libcollect/preload/rules.h"

#include <dlfcn.h>
#include <stddef.h>

#include "libcollect/preload/cfi.h"
#include "libcollect/preload/modules.h"
#include "libcollect/preload/state.h"

#include "libcollect/preload/banned.h"

static inline struct rule_slot *slot_of(uint64_t key)
{
	return &state->rule[(key * UINT64_C(0x9e3779b97f4a7c15)) >> 49];
}
_Static_assert(RULE_SLOTS == 1u << 15, "slot_of takes 15 bits");

static cold uint64_t rules_make(uintptr_t pc, int interrupted, int *cacheable)
{
	uintptr_t at = interrupted ? pc : pc - 1;
	struct dl_find_object found;
	uint32_t module;
	uint64_t rule = RULE_NONE;

	*cacheable = 0;
	if (_dl_find_object((void *)at, &found) != 0)
		return RULE_NONE;
	module = modules_id(&found);
	if (module > RULE_MODULES_MAX)
		module = 0;
	*cacheable = module != 0;
	if (found.dlfo_eh_frame != NULL)
		rule = cfi_rule((uintptr_t)found.dlfo_eh_frame, at);
	return rule | (uint64_t)module << 45;
}

uint64_t rules_find(uintptr_t pc, int interrupted)
{
	uint64_t key = (uint64_t)pc << 1 | (unsigned)interrupted;
	struct rule_slot *slot = slot_of(key);
	uint64_t rule;
	int cacheable;

	if (likely(atomic_load_explicit(&slot->key, memory_order_acquire) == key)) {
		rule = atomic_load_explicit(&slot->rule, memory_order_acquire);
		if (likely(atomic_load_explicit(&slot->key, memory_order_relaxed) == key))
			return rule;
	}
	rule = rules_make(pc, interrupted, &cacheable);
	if (cacheable &&
	    atomic_exchange_explicit(&state->rule_lock, 1, memory_order_acquire) == 0) {
		atomic_store_explicit(&slot->key, 0, memory_order_relaxed);
		atomic_thread_fence(memory_order_release);
		atomic_store_explicit(&slot->rule, rule, memory_order_release);
		atomic_store_explicit(&slot->key, key, memory_order_release);
		atomic_store_explicit(&state->rule_lock, 0, memory_order_release);
	}
	return rule;
}

void rules_forget(void)
{
	atomic_fetch_add(&state->forgotten, 1);
	for (unsigned i = 0; i < RULE_SLOTS; i++)
		if (atomic_load_explicit(&state->rule[i].key, memory_order_relaxed) != 0)
			atomic_store_explicit(&state->rule[i].key, 0, memory_order_relaxed);
}
