/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unwind rules from .eh_frame.
 *
 * _dl_find_object() gives the module's .eh_frame_hdr without a lock; its sorted
 * table gives the FDE; running the FDE's program up to the pc gives a row of
 * which we keep the CFA and where rbp is: rsp, rbp and the return address are
 * all a walk needs. The result is kept by (pc, interrupted) until the module
 * goes, and with it the pc's id.
 *
 * What lies outside all modules is looked up each time: a module may come to
 * lie there. Only its id is kept, in a table apart (others), as are the ids of frames
 * that were found by a guess.
 *
 * Unloading: modules.c gives each loading an id of its own, and says when one
 * is gone. state->forgotten moves first, then the module's pcs are taken out of the tables;
 * who adds one looks afterwards whether forgotten has moved since before he
 * asked what is loaded, and takes it out himself if so.
 */
#include "libcollect/preload/rules.h"

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>

#include "libcollect/preload/cfi.h"
#include "libcollect/preload/headers.h"
#include "libcollect/preload/modules.h"
#include "libcollect/preload/rawio.h"
#include "libcollect/preload/state.h"

#include "libcollect/preload/banned.h"

/* Keys in others: bit 63, so that none is 0; then the pc; then of which kind it is. */
enum other { OUTSIDE = 0, OUTSIDE_INTERRUPTED = 1, OUTSIDE_GUESSED = 2, GUESSED = 3 };
#define OTHER_KEY(pc, kind) (UINT64_C(1) << 63 | (uint64_t)(pc) << 2 | (unsigned)(kind))
#define ID_SHIFT            40

static inline struct pc *pc_at(uint32_t id)
{
	struct pc *page = atomic_load_explicit(
	    &state->rules.page[id / PCS_PER_PAGE % (PC_IDS / PCS_PER_PAGE)], memory_order_acquire);

	return page != NULL ? &page[id % PCS_PER_PAGE] : NULL;
}

/* A new id; 0: there are no more. */
static uint32_t pc_new(uint64_t key, int is_other, uint32_t module_and_flags)
{
	struct rules *rules = &state->rules;
	uint32_t id = atomic_load(&rules->pcs), next;
	struct pc *pc;

	do {
		struct pc *none = NULL, *page;

		next = id > PC_INCOMPLETE ? id : PC_INCOMPLETE + 1;
		if (next >= PC_IDS)
			return 0;
		if (pc_at(next) == NULL) {
			page = raw_map_wiped(PCS_PER_PAGE * sizeof(*page));
			if (page == NULL)
				return 0;
			if (!atomic_compare_exchange_strong(&rules->page[next / PCS_PER_PAGE],
							    &none, page))
				raw_unmap(page, PCS_PER_PAGE * sizeof(*page));
		}
	} while (!atomic_compare_exchange_weak(&rules->pcs, &id, next + 1));
	pc = pc_at(next);
	if (pc == NULL) /* a child that was forked right here */
		return 0;
	atomic_store_explicit(&pc->key, key, memory_order_relaxed);
	atomic_store_explicit(&pc->is_other, (uint32_t)is_other, memory_order_relaxed);
	atomic_store_explicit(&pc->module_and_flags, module_and_flags, memory_order_release);
	return next;
}

static uint32_t other_id(uint64_t key, uint32_t module_and_flags)
{
	struct rules *rules = &state->rules;
	uint64_t id = table_find(&rules->others, key);

	if (likely(id != 0))
		return (uint32_t)id;
	table_init(&rules->others, rules->first_other, 6, 10);
	if (!table_claim(&rules->others, key))
		return 0;
	id = pc_new(key, 1, module_and_flags);
	return id != 0 ? (uint32_t)table_set(&rules->others, key, id) : 0;
}

/*
 * What of a module is surely mapped around its unwind information: the segments that follow each
 * other without a gap. Where its program headers are not to be found, all of the module's place is
 * believed.
 */
static struct cfi_bounds bounds_of(const struct dl_find_object *found)
{
	const uintptr_t page = 4096, at = (uintptr_t)found->dlfo_eh_frame;
	const struct cfi_bounds all = {(uintptr_t)found->dlfo_map_start,
				       (uintptr_t)found->dlfo_map_end};
	/* Or else this is one segment of several. */
	const uintptr_t end = at >= all.from && at < all.to ? all.to : UINTPTR_MAX;
	struct cfi_bounds run = {0};
	unsigned count;
	const ElfW(Phdr) *segment = program_headers(found, &count);

	for (unsigned i = 0; segment != NULL && i < count; i++) {
		uintptr_t from = found->dlfo_link_map->l_addr + segment[i].p_vaddr;

		if (segment[i].p_type != PT_LOAD || from >= end)
			continue;
		if (!(segment[i].p_flags & PF_R) || (from & -page) > run.to + page - 1) {
			if (at >= run.from && at < run.to)
				break;
			run.from = from;
		}
		run.to = segment[i].p_memsz < end - from ? from + segment[i].p_memsz : end;
	}
	return at >= run.from && at < run.to ? run : all;
}

static cold uint64_t rules_make(uintptr_t pc, int interrupted, uint64_t key)
{
	struct rules *rules = &state->rules;
	uintptr_t at = interrupted ? pc : pc - 1;
	uint32_t forgotten = atomic_load(&state->forgotten), module = 0, id;
	uint64_t rule = RULE_NONE;
	struct dl_find_object found;

	if (_dl_find_object((void *)at, &found) == 0) {
		module = modules_id(&found);
		if (found.dlfo_eh_frame != NULL) {
			struct cfi_bounds bounds = bounds_of(&found);

			rule = cfi_rule((uintptr_t)found.dlfo_eh_frame, &bounds, at);
		}
	}
	if (module == 0)
		return rule | (uint64_t)other_id(OTHER_KEY(pc, interrupted), 0) << ID_SHIFT;
	table_init(&rules->table, rules->first, 10, 6);
	if (!table_claim(&rules->table, key))
		return rule;
	id = pc_new(key, 0, module);
	if (id == 0)
		return rule;
	rule = table_set(&rules->table, key, rule | (uint64_t)id << ID_SHIFT);
	if (atomic_load(&state->forgotten) != forgotten)
		table_forget(&rules->table, key, UINT64_MAX, rule);
	return rule;
}

uint64_t rules_search(uintptr_t pc, int interrupted)
{
	uint64_t key = (uint64_t)pc << 1 | (unsigned)interrupted;
	uint64_t rule = table_find(&state->rules.table, key);

	return likely(rule != 0) ? rule : rules_make(pc, interrupted, key);
}

uint32_t rules_guessed(uintptr_t pc)
{
	uint32_t forgotten = atomic_load(&state->forgotten);
	uint32_t module = rules_module_and_flags(RULE_PC_ID(rules_find(pc, 0)));
	uint64_t key = OTHER_KEY(pc, module != 0 ? GUESSED : OUTSIDE_GUESSED);
	uint32_t id = other_id(key, module | (uint32_t)NODE_GUESSED << 24);

	if (atomic_load(&state->forgotten) != forgotten)
		table_forget(&state->rules.others, key, UINT64_MAX, id);
	return id;
}

uintptr_t rules_address(uint32_t pc_id)
{
	const struct pc *pc = pc_at(pc_id);
	const unsigned lost = 16; /* addresses have 48 bits */

	if (pc_id <= PC_INCOMPLETE || pc == NULL)
		return 0;
	return (uintptr_t)(atomic_load_explicit(&pc->key, memory_order_relaxed)
			       << (lost - (atomic_load_explicit(&pc->is_other, memory_order_relaxed)
					       ? 2
					       : 1)) >>
			   lost);
}

uint32_t rules_module_and_flags(uint32_t pc_id)
{
	const struct pc *pc = pc_at(pc_id);

	if (pc_id <= PC_INCOMPLETE)
		return pc_id == PC_CUT          ? (uint32_t)NODE_CUT << 24
		       : pc_id == PC_INCOMPLETE ? (uint32_t)NODE_INCOMPLETE << 24
						: 0;
	return pc != NULL ? atomic_load_explicit(&pc->module_and_flags, memory_order_acquire) : 0;
}

cold void rules_forget(uint32_t module)
{
	struct rules *rules = &state->rules;
	uint32_t pcs;

	atomic_fetch_add(&state->forgotten, 1);
	pcs = atomic_load(&rules->pcs);
	for (uint32_t id = PC_INCOMPLETE + 1; id < pcs; id++) {
		const struct pc *pc = pc_at(id);

		if (pc == NULL ||
		    (atomic_load_explicit(&pc->module_and_flags, memory_order_acquire) &
		     0xffffff) != module)
			continue;
		if (atomic_load_explicit(&pc->is_other, memory_order_relaxed))
			table_forget(&rules->others, atomic_load(&pc->key), UINT64_MAX, id);
		else
			table_forget(&rules->table, atomic_load(&pc->key), ~UINT64_C(0) << ID_SHIFT,
				     (uint64_t)id << ID_SHIFT);
	}
}
