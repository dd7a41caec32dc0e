/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/preload/modules.h"

#include <elf.h>
#include <link.h>
#include <signal.h>
#include <sys/auxv.h>

#include "libcollect/preload/chunks.h"
#include "libcollect/preload/headers.h"
#include "libcollect/preload/rawio.h"
#include "libcollect/preload/rules.h"
#include "libcollect/preload/state.h"

#include "libcollect/preload/banned.h"

enum { LOCK_FREE, LOCK_HELD, LOCK_LOST };
enum { LOCK_TRIES = 50 /* a millisecond each */, IDS_MAX = 0xffffff };

uintptr_t modules_loader_start, modules_loader_bytes;

/* Not wiped by a fork: the child's loader still holds them. */
static _Atomic uintptr_t our_block[256];
static _Atomic uint32_t our_blocks;

/* The first hook call comes before _dl_find_object() is ready, so the kernel is
 * asked; it doesn't know where the loader itself was started as a program. */
void modules_init(void)
{
	uintptr_t base = getauxval(AT_BASE), end = 0;
	const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)base;
	struct dl_find_object found;

	if (modules_loader_bytes != 0)
		return;
	if (base == 0) {
		if (_dl_find_object((void *)_dl_find_object, &found) != 0)
			return;
		base = (uintptr_t)found.dlfo_map_start;
		end = (uintptr_t)found.dlfo_map_end;
	} else {
		const ElfW(Phdr) *segment = (const ElfW(Phdr) *)(base + header->e_phoff);

		for (unsigned i = 0; i < header->e_phnum; i++)
			if (segment[i].p_type == PT_LOAD &&
			    base + segment[i].p_vaddr + segment[i].p_memsz > end)
				end = base + segment[i].p_vaddr + segment[i].p_memsz;
	}
	modules_loader_start = base;
	modules_loader_bytes = end - base;
}

/*
 * The lock is held with signals blocked, so that no handler can jump away with
 * it. Who holds it for all that (descheduled, or killed as a child of vfork, which
 * shares this memory) is waited for once; the others do without a module until it is given back.
 */
static int lock(uint64_t *signals)
{
	const uint64_t all = RAW_ASYNCHRONOUS;

	raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)signals, sizeof(all), 0, 0);
	for (int i = 0; i < LOCK_TRIES; i++) {
		uint32_t held = LOCK_FREE;

		if (atomic_compare_exchange_strong_explicit(&state->module_lock, &held, LOCK_HELD,
							    memory_order_acquire,
							    memory_order_relaxed))
			return 1;
		if (held == LOCK_LOST)
			break;
		if (i == LOCK_TRIES - 1)
			atomic_compare_exchange_strong(&state->module_lock, &held, LOCK_LOST);
		else
			raw_futex_wait(&state->module_lock, LOCK_HELD, 1);
	}
	raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)signals, 0, sizeof(all), 0, 0);
	return 0;
}

static void unlock(const uint64_t *signals)
{
	atomic_store_explicit(&state->module_lock, LOCK_FREE, memory_order_release);
	raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)signals, 0, sizeof(*signals), 0, 0);
}

/* An entry is read without the lock: its id, which never comes again, is 0 while it
 * is written, and stored last. */
static void put(struct module *to, const struct module *from)
{
	__atomic_store_n(&to->id, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&to->start, from->start, __ATOMIC_RELEASE);
	__atomic_store_n(&to->end, from->end, __ATOMIC_RELEASE);
	__atomic_store_n(&to->link_map, from->link_map, __ATOMIC_RELEASE);
	__atomic_store_n(&to->id, from->id, __ATOMIC_RELEASE);
}

/* The id of the module found, 0 when it is not (or just being moved). */
static uint32_t known(const struct dl_find_object *found)
{
	uint32_t modules = atomic_load_explicit(&state->module_count, memory_order_acquire);

	for (uint32_t i = 0; i < modules; i++) {
		const struct module *module = &state->module[i];
		uint32_t id = __atomic_load_n(&module->id, __ATOMIC_ACQUIRE);

		if (__atomic_load_n(&module->start, __ATOMIC_ACQUIRE) ==
			(uintptr_t)found->dlfo_map_start &&
		    __atomic_load_n(&module->link_map, __ATOMIC_ACQUIRE) == found->dlfo_link_map &&
		    id != 0 && __atomic_load_n(&module->id, __ATOMIC_RELAXED) == id)
			return id;
	}
	return 0;
}

static int is_mapped(const struct dl_find_object *found, const ElfW(Phdr) * segment, unsigned count,
		     uintptr_t at, uintptr_t stop)
{
	if (at >= (uintptr_t)found->dlfo_map_start && stop <= (uintptr_t)found->dlfo_map_end)
		return 1;
	for (unsigned i = 0; i < count; i++)
		if (segment_holds(found, &segment[i], at, stop))
			return 1;
	return 0;
}

/* The build-id in the mapped notes of the file. */
static const unsigned char *find_build_id(const struct dl_find_object *found, size_t *bytes)
{
	unsigned count;
	const ElfW(Phdr) *segment = program_headers(found, &count);

	*bytes = 0;
	for (unsigned i = 0; segment != NULL && i < count; i++) {
		uintptr_t at = found->dlfo_link_map->l_addr + segment[i].p_vaddr;
		uintptr_t stop = at + segment[i].p_memsz;

		if (segment[i].p_type != PT_NOTE || stop < at ||
		    !is_mapped(found, segment, count, at, stop))
			continue;
		while (stop - at > sizeof(ElfW(Nhdr))) {
			const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)at;
			uintptr_t name = at + sizeof(*note);
			uintptr_t body = name + ((note->n_namesz + 3u) & ~3u);

			if (body < at || body + note->n_descsz > stop)
				break;
			if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
			    raw_equal((const char *)name, "GNU") && note->n_descsz <= 64) {
				*bytes = note->n_descsz;
				return (const unsigned char *)body;
			}
			at = body + ((note->n_descsz + 3u) & ~3u);
		}
	}
	return NULL;
}

/* Room for a record in the session's module chunks; NULL when there is none.
 * Under the lock. */
static char *record_room(uint32_t bytes)
{
	struct session *session = state->session;
	uint32_t used = atomic_load_explicit(&session->module_bytes, memory_order_relaxed);
	uint32_t chunk = used / CHUNK_BYTES, offset = used % CHUNK_BYTES;

	if (offset + bytes > CHUNK_BYTES - 8) { /* always room for the 0 that says "next" */
		*(uint32_t *)((char *)region_chunk(shared_region, session->module_chunk[chunk]) +
			      offset) = 0;
		chunk++;
		used = chunk * CHUNK_BYTES;
		offset = 0;
	}
	if (chunk >= MODULE_CHUNKS)
		return NULL;
	if (session->module_chunk[chunk] == CHUNK_NONE) {
		session->module_chunk[chunk] = chunk_take();
		if (session->module_chunk[chunk] == CHUNK_NONE)
			return NULL;
	}
	atomic_store_explicit(&session->module_bytes, used, memory_order_relaxed);
	return (char *)region_chunk(shared_region, session->module_chunk[chunk]) + offset;
}

/* Under the lock. Returns the id, or 0. */
static uint32_t define(const struct dl_find_object *found)
{
	uintptr_t start = (uintptr_t)found->dlfo_map_start, end = (uintptr_t)found->dlfo_map_end;
	const char *path = found->dlfo_link_map->l_name;
	size_t path_bytes = path != NULL ? raw_length(path) : 0, build_id_bytes;
	const unsigned char *build_id = find_build_id(found, &build_id_bytes);
	uint32_t bytes, at = atomic_load(&state->module_count);
	struct shared_module *record;

	if (at >= MODULES_MAX || state->module_ids >= IDS_MAX || path_bytes > 4096 ||
	    state->session == NULL)
		return 0;
	bytes = (uint32_t)(sizeof(*record) + build_id_bytes + path_bytes + 7) & ~7u;
	record = (struct shared_module *)record_room(bytes);
	if (record == NULL)
		return 0;
	*record = (struct shared_module){.record_bytes = bytes,
					 .build_id_bytes = (uint16_t)build_id_bytes,
					 .path_bytes = (uint16_t)path_bytes,
					 .start = start,
					 .end = end,
					 .base = found->dlfo_link_map->l_addr};
	raw_copy(record + 1, build_id, build_id_bytes);
	raw_copy((char *)(record + 1) + build_id_bytes, path, path_bytes);
	atomic_fetch_add_explicit(&state->session->module_bytes, bytes, memory_order_release);
	put(&state->module[at],
	    &(struct module){start, end, found->dlfo_link_map, ++state->module_ids});
	atomic_store_explicit(&state->module_count, at + 1, memory_order_release);
	return state->module_ids;
}

uint32_t modules_id(const struct dl_find_object *found)
{
	uint32_t id = known(found);
	uint64_t signals;

	if (id != 0 || !lock(&signals))
		return id;
	id = known(found);
	if (id == 0)
		id = define(found);
	unlock(&signals);
	return id;
}

/* Takes out a module with this link_map. Returns its id; 0: there is none. */
static uint32_t take_out(const void *link_map)
{
	uint32_t modules, id = 0;
	uint64_t signals;

	if (!lock(&signals))
		return 0;
	modules = atomic_load(&state->module_count);
	for (uint32_t i = 0; i < modules && id == 0; i++) {
		if (state->module[i].link_map != link_map)
			continue;
		id = state->module[i].id;
		if (i < modules - 1)
			put(&state->module[i], &state->module[modules - 1]);
		atomic_store(&state->module_count, modules - 1);
	}
	unlock(&signals);
	return id;
}

void modules_forget(const void *p)
{
	uint32_t modules = atomic_load_explicit(&state->module_count, memory_order_acquire), id;

	for (uint32_t i = 0; i < modules; i++) {
		if (__atomic_load_n(&state->module[i].link_map, __ATOMIC_RELAXED) != p)
			continue;
		while ((id = take_out(p)) != 0)
			rules_forget(id);
		return;
	}
}

void modules_note_our_block(const void *p)
{
	uint32_t blocks = atomic_load(&our_blocks);
	const uint32_t most = sizeof(our_block) / sizeof(our_block[0]);

	for (uint32_t i = 0; i < blocks; i++) {
		uintptr_t none = 0;

		if (atomic_compare_exchange_strong(&our_block[i], &none, (uintptr_t)p))
			return;
	}
	blocks = atomic_fetch_add(&our_blocks, 1);
	if (blocks < most)
		atomic_store(&our_block[blocks], (uintptr_t)p);
	else
		atomic_store(&our_blocks, most);
}

int modules_forget_our_block(const void *p)
{
	uint32_t blocks = atomic_load(&our_blocks);

	for (uint32_t i = 0; i < blocks; i++) {
		uintptr_t block = (uintptr_t)p;

		if (p != NULL && atomic_compare_exchange_strong(&our_block[i], &block, 0))
			return 1;
	}
	return 0;
}
