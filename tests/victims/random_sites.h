/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VICTIM_RANDOM_SITES_H
#define VICTIM_RANDOM_SITES_H

/*
 * The places where random_program allocates and gives back, one function each, so that each is
 * a call site with a name; and the blocks that it holds, in slots. Whoever does something with a
 * slot claims it; where somebody else has it, he lets it be. (In a child forked meanwhile it
 * stays claimed.)
 */

#include <cerrno>
#include <malloc.h>
#include <new>

#include "random_model.h"

enum { SLOTS = 300, TOUCHED_MOST = 1 << 20 };
static const uint64_t TOO_MUCH = static_cast<uint64_t>(PTRDIFF_MAX) - 4096;
static const std::align_val_t ALIGNMENT{128};

enum release {
	BY_FREE,
	BY_DELETE,
	BY_DELETE_SIZED,
	BY_DELETE_ARRAY,
	BY_DELETE_ALIGNED,
	BY_DELETE_ARRAY_ALIGNED
};

struct slot {
	bool claimed; /* atomic */
	enum release release;
	void *block; /* NULL: empty */
	uint64_t size, number;
};
static struct slot slots[SLOTS];

static bool claim(struct slot *slot)
{
	return !__atomic_test_and_set(&slot->claimed, __ATOMIC_ACQUIRE);
}

static void leave(struct slot *slot)
{
	__atomic_clear(&slot->claimed, __ATOMIC_RELEASE);
}

static uint64_t any_size()
{
	switch (dice(16)) {
	case 0:
		return 0;
	case 1:
		return dice(1 << 20);
	case 2:
	case 3:
		return dice(20000);
	case 4:
		return dice(40) == 0 ? UINT64_C(5) << 30 : 4096;
	default:
		return dice(300);
	}
}

/* --- what a block holds: a mark at both ends --------------------------------------------- */

static unsigned char mark_of(const struct slot *slot)
{
	return static_cast<unsigned char>(reinterpret_cast<uintptr_t>(slot) / sizeof(*slot));
}

static void mark(struct slot *slot)
{
	unsigned char *bytes = static_cast<unsigned char *>(slot->block);

	if (slot->size == 0 || slot->size > TOUCHED_MOST)
		return;
	bytes[0] = bytes[slot->size - 1] = mark_of(slot);
}

static void must_be_marked(const struct slot *slot)
{
	const unsigned char *bytes = static_cast<unsigned char *>(slot->block);

	if (slot->size == 0 || slot->size > TOUCHED_MOST)
		return;
	MUST(bytes[0] == mark_of(slot));
	MUST(bytes[slot->size - 1] == bytes[0]);
}

static void fill(struct slot *slot, void *block, uint64_t size, enum release release,
		 const char *function)
{
	if (!block)
		return;
	slot->block = block;
	slot->size = size;
	slot->release = release;
	slot->number = log_allocation(function, size);
	mark(slot);
}

/* --- allocate -------------------------------------------------------------------------------- */

#define ALLOCATE_SITE(name, function, by, expression)                                              \
	static void name(struct slot *slot, uint64_t size)                                         \
	{                                                                                          \
		frame here(__func__);                                                              \
		void *block = expression;                                                          \
                                                                                                   \
		fill(slot, block, size, by, function);                                             \
	}

static uint64_t round_up(uint64_t size, uint64_t to)
{
	return (size + to - 1) / to * to;
}

ALLOCATE_SITE(site_malloc, "malloc", BY_FREE, malloc(size))
ALLOCATE_SITE(site_calloc, "calloc", BY_FREE, calloc(1, size))
ALLOCATE_SITE(site_calloc_product, "calloc", BY_FREE, (size = size / 7 * 7, calloc(7, size / 7)))
ALLOCATE_SITE(site_realloc_null, "realloc", BY_FREE, realloc(nullptr, size))
ALLOCATE_SITE(site_reallocarray_null, "reallocarray", BY_FREE,
	      (size = size / 3 * 3, reallocarray(nullptr, 3, size / 3)))
ALLOCATE_SITE(site_aligned_alloc, "aligned_alloc", BY_FREE,
	      (size = round_up(size, 64), aligned_alloc(64, size)))
ALLOCATE_SITE(site_memalign, "memalign", BY_FREE, memalign(256, size))
ALLOCATE_SITE(site_valloc, "valloc", BY_FREE, valloc(size))
ALLOCATE_SITE(site_pvalloc, "pvalloc", BY_FREE, pvalloc(size))
ALLOCATE_SITE(site_new, "operator new", BY_DELETE, operator new(size))
ALLOCATE_SITE(site_new_sized, "operator new", BY_DELETE_SIZED, operator new(size))
ALLOCATE_SITE(site_new_array, "operator new[]", BY_DELETE_ARRAY, operator new[](size))
ALLOCATE_SITE(site_new_nothrow, "operator new(std::nothrow)",
	      BY_DELETE, operator new(size, std::nothrow))
ALLOCATE_SITE(site_new_array_nothrow, "operator new[](std::nothrow)",
	      BY_DELETE_ARRAY, operator new[](size, std::nothrow))
ALLOCATE_SITE(site_new_aligned, "operator new(std::align_val_t)",
	      BY_DELETE_ALIGNED, operator new(size, ALIGNMENT))
ALLOCATE_SITE(site_new_array_aligned, "operator new[](std::align_val_t)",
	      BY_DELETE_ARRAY_ALIGNED, operator new[](size, ALIGNMENT))

static void site_posix_memalign(struct slot *slot, uint64_t size)
{
	frame here(__func__);
	void *block = nullptr;

	if (posix_memalign(&block, 512, size) == 0)
		fill(slot, block, size, BY_FREE, "posix_memalign");
}

static char letters[301];

static void site_strdup(struct slot *slot, uint64_t size)
{
	frame here(__func__);
	const char *text = letters + sizeof(letters) - 1 - size % sizeof(letters);

	fill(slot, strdup(text), strlen(text) + 1, BY_FREE, "malloc");
}

static void site_strndup(struct slot *slot, uint64_t size)
{
	frame here(__func__);
	uint64_t length = size % sizeof(letters);

	fill(slot, strndup(letters, length), length + 1, BY_FREE, "malloc");
}

static void allocate(struct slot *slot)
{
	static void (*const sites[])(struct slot *, uint64_t) = {site_malloc,
								 site_calloc,
								 site_calloc_product,
								 site_realloc_null,
								 site_aligned_alloc,
								 site_reallocarray_null,
								 site_memalign,
								 site_posix_memalign,
								 site_valloc,
								 site_pvalloc,
								 site_new,
								 site_new_array,
								 site_new_sized,
								 site_new_nothrow,
								 site_new_aligned,
								 site_new_array_nothrow,
								 site_strdup,
								 site_new_array_aligned,
								 site_strndup,
								 site_malloc};
	frame here(__func__);
	uint64_t size = any_size();

	/* Where memory is short operator new throws: another victim's case. */
	if (size > TOUCHED_MOST)
		site_malloc(slot, size);
	else
		sites[dice(sizeof(sites) / sizeof(sites[0]))](slot, size);
}

/* --- give back ------------------------------------------------------------------------------- */

static void site_release(struct slot *slot)
{
	frame here(__func__);
	void *block = slot->block;

	must_be_marked(slot);
	log_deallocation(slot->number);
	slot->block = nullptr;
	switch (slot->release) {
	case BY_FREE:
		free(block);
		break;
	case BY_DELETE:
		operator delete(block);
		break;
	case BY_DELETE_SIZED:
		operator delete(block, slot->size);
		break;
	case BY_DELETE_ARRAY:
		operator delete[](block);
		break;
	case BY_DELETE_ALIGNED:
		operator delete(block, ALIGNMENT);
		break;
	case BY_DELETE_ARRAY_ALIGNED:
		operator delete[](block, ALIGNMENT);
		break;
	}
}

/* --- change ---------------------------------------------------------------------------------- */

static void changed(struct slot *slot, void *block, uint64_t size, const char *function)
{
	if (!block)
		return;
	log_deallocation(slot->number, true);
	slot->block = block;
	slot->size = size;
	slot->number = log_allocation(function, size, true);
	mark(slot);
}

static void site_realloc(struct slot *slot)
{
	frame here(__func__);
	uint64_t size = dice(4) == 0 ? slot->size : any_size() + 1;

	if (size != 0)
		changed(slot, realloc(slot->block, size), size, "realloc");
}

static void site_reallocarray(struct slot *slot)
{
	frame here(__func__);
	uint64_t number = 1 + dice(10), size = 1 + dice(1000);

	changed(slot, reallocarray(slot->block, number, size), number * size, "reallocarray");
}

static void site_realloc_zero(struct slot *slot)
{
	frame here(__func__);

	log_deallocation(slot->number);
	MUST(!realloc(slot->block, dice(1)));
	slot->block = nullptr;
}

static void site_realloc_fails(struct slot *slot)
{
	frame here(__func__);

	MUST(!realloc(slot->block, TOO_MUCH + dice(1000)) && errno == ENOMEM);
	MUST(!reallocarray(slot->block, TOO_MUCH, 2 + dice(9)) && errno == ENOMEM);
}

static void change(struct slot *slot)
{
	frame here(__func__);

	if (slot->release != BY_FREE || dice(3) == 0) {
		site_release(slot);
		return;
	}
	must_be_marked(slot);
	switch (dice(8)) {
	case 0:
		site_realloc_zero(slot);
		break;
	case 1:
		site_realloc_fails(slot);
		break;
	case 2:
		site_reallocarray(slot);
		break;
	default:
		site_realloc(slot);
		break;
	}
}

/* --- nothing, and at once -------------------------------------------------------------------- */

/* Nothing comes of any of these. */
static void site_nothing()
{
	frame here(__func__);
	void *block = nullptr;

	free(nullptr);
	operator delete(nullptr);
	MUST(!malloc(TOO_MUCH + dice(1000)));
	MUST(!calloc(TOO_MUCH, 2 + dice(9)));
	MUST(!realloc(nullptr, TOO_MUCH + dice(1000)));
	MUST(!aligned_alloc(64, TOO_MUCH));
	MUST(posix_memalign(&block, 3, 10) == EINVAL && !block);
}

static void site_at_once()
{
	frame here(__func__);

	for (uint64_t i = dice(12); i > 0; i--) {
		uint64_t size = dice(200), number;
		void *block = malloc(size);

		MUST(block);
		number = log_allocation("malloc", size);
		log_deallocation(number);
		free(block);
	}
}

#endif
