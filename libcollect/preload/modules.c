/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/preload/modules.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include "libcollect/preload/rawio.h"
#include "libcollect/preload/rules.h"
#include "libcollect/preload/state.h"

#include "libcollect/preload/banned.h"

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

static void lock(void)
{
	while (atomic_exchange_explicit(&state->module_lock, 1, memory_order_acquire) != 0)
		raw_futex_wait(&state->module_lock, 1, 1);
}

static void unlock(void)
{
	atomic_store_explicit(&state->module_lock, 0, memory_order_release);
}

/* The build-id in the mapped notes of the file that starts here. */
static const unsigned char *find_build_id(uintptr_t start, uintptr_t end, uintptr_t base,
					  size_t *bytes)
{
	const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)start;
	const ElfW(Phdr) * segment;

	*bytes = 0;
	if (end - start < sizeof(*header) || header->e_ident[0] != ELFMAG0 ||
	    header->e_ident[1] != 'E' || header->e_phentsize != sizeof(*segment) ||
	    header->e_phoff > 4096 - sizeof(*segment) ||
	    header->e_phoff + header->e_phnum * sizeof(*segment) > 4096)
		return NULL;
	segment = (const ElfW(Phdr) *)(start + header->e_phoff);
	for (unsigned i = 0; i < header->e_phnum; i++) {
		uintptr_t at = base + segment[i].p_vaddr;
		uintptr_t stop = at + segment[i].p_memsz;

		if (segment[i].p_type != PT_NOTE || at < start || stop > end || stop < at)
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
	const unsigned char *build_id =
	    find_build_id(start, end, found->dlfo_link_map->l_addr, &build_id_bytes);
	uint32_t bytes, at = atomic_load(&state->module_count);
	struct shared_module *record;

	if (at >= MODULES_MAX || path_bytes > 4096 || state->session == NULL)
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
	state->module[at] = (struct module){start, end, found->dlfo_link_map, ++state->module_ids};
	atomic_store_explicit(&state->module_count, at + 1, memory_order_release);
	return state->module_ids;
}

uint32_t modules_id(const struct dl_find_object *found)
{
	uint32_t id = 0, modules;

	/* Under the lock also when it is known: an entry may be on its way out. Only
	 * new return addresses come here. */
	lock();
	modules = atomic_load_explicit(&state->module_count, memory_order_relaxed);
	for (uint32_t i = 0; i < modules && id == 0; i++)
		if (state->module[i].start == (uintptr_t)found->dlfo_map_start &&
		    state->module[i].link_map == found->dlfo_link_map)
			id = state->module[i].id;
	if (id == 0)
		id = define(found);
	unlock();
	return id;
}

void modules_forget(const void *p)
{
	uint32_t modules = atomic_load_explicit(&state->module_count, memory_order_acquire);

	for (uint32_t i = 0; i < modules; i++) {
		if (state->module[i].link_map != p)
			continue;
		lock();
		modules = atomic_load(&state->module_count);
		for (uint32_t k = 0; k < modules; k++) {
			if (state->module[k].link_map != p)
				continue;
			state->module[k--] = state->module[--modules];
			atomic_store(&state->module_count, modules);
		}
		unlock();
		rules_forget();
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
