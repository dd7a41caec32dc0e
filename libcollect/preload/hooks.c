/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The allocation functions of C, as the program sees them.
 *
 * Each calls the real one and tells events.c what came of it. errno is what
 * the real one left: nothing of ours touches it. These functions are the only
 * ones that may say malloc here.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "libcollect/preload/events.h"
#include "libcollect/preload/real.h"

#define EXPORT __attribute__((visibility("default")))

/* Prototypes of our own: not every libc declares all of these. */
EXPORT void *malloc(size_t size);
EXPORT void *calloc(size_t count, size_t size);
EXPORT void *realloc(void *old, size_t size);
EXPORT void *reallocarray(void *old, size_t count, size_t size);
EXPORT void free(void *p);
EXPORT void cfree(void *p);
EXPORT void free_sized(void *p, size_t size);
EXPORT void free_aligned_sized(void *p, size_t alignment, size_t size);
EXPORT int posix_memalign(void **result, size_t alignment, size_t size);
EXPORT void *aligned_alloc(size_t alignment, size_t size);
EXPORT void *memalign(size_t alignment, size_t size);
EXPORT void *valloc(size_t size);
EXPORT void *pvalloc(size_t size);

static inline int ready(void)
{
	return likely(__atomic_load_n(&real.malloc, __ATOMIC_ACQUIRE) != NULL) || real_find();
}

/* For a hook's last call: then it is the event's, and its own frame is gone. */
#define CALLER_REGISTERS() CALLER().pc, CALLER().sp, CALLER().rbp

void *malloc(size_t size)
{
	void *p;

	if (!ready())
		return real_early(size);
	p = real.malloc(size);
	if (unlikely(p == NULL))
		return NULL;
	return event_allocation_by(FUNCTION_MALLOC, p, size, CALLER_REGISTERS());
}

/* An allocator may build its other functions on a malloc that is us: then
 * the block has been recorded already. */
static inline int recorded_inside(uint64_t before, const void *p)
{
	return unlikely(self.allocations != before) && self.last_allocation == (uintptr_t)p;
}

void *calloc(size_t number, size_t size)
{
	uint64_t before = self.allocations;
	void *p;

	if (!ready())
		return size != 0 && number > SIZE_MAX / size ? NULL : real_early(number * size);
	p = real.calloc(number, size);
	if (unlikely(p == NULL || recorded_inside(before, p)))
		return p;
	return event_allocation_by(FUNCTION_CALLOC, p, number * size, CALLER_REGISTERS());
}

/* dlsym, or who got a block while we were looking for the allocator, wants it larger. */
static cold void *reallocate_early(void *old, size_t size)
{
	size_t had = real_early_size(old);
	char *p = ready() ? real.malloc(size) : real_early(size);

	for (size_t i = 0; p != NULL && i < had && i < size; i++)
		p[i] = ((char *)old)[i];
	return p;
}

static inline __attribute__((always_inline)) void *reallocate(unsigned function, void *old,
							      size_t size, struct frame caller)
{
	uint64_t before = self.allocations;
	void *p;

	if (old == NULL) {
		p = real.realloc(NULL, size);
		if (p != NULL && !recorded_inside(before, p))
			event_allocation(function, p, size, &caller);
		return p;
	}
	if (unlikely(real_is_early(old))) {
		p = reallocate_early(old, size);
		if (p != NULL && !real_is_early(p))
			event_allocation(function, p, size, &caller);
		return p;
	}
	return event_reallocation(function, old, size, &caller, real.realloc);
}

void *realloc(void *old, size_t size)
{
	struct frame caller = CALLER();

	if (!ready())
		return old == NULL ? real_early(size) : reallocate_early(old, size);
	return reallocate(FUNCTION_REALLOC, old, size, caller);
}

void *reallocarray(void *old, size_t number, size_t size)
{
	struct frame caller = CALLER();

	if (size != 0 && number > SIZE_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	if (!ready())
		return old == NULL ? real_early(number * size)
				   : reallocate_early(old, number * size);
	return reallocate(FUNCTION_REALLOCARRAY, old, number * size, caller);
}

void free(void *p)
{
	if (p == NULL || unlikely(real_is_early(p)) || !ready())
		return;
	event_deallocation_then(FUNCTION_FREE, p, CALLER().pc, CALLER().sp, real.free);
}

void cfree(void *p)
{
	if (p == NULL || unlikely(real_is_early(p)) || !ready())
		return;
	event_deallocation_then(FUNCTION_CFREE, p, CALLER().pc, CALLER().sp, real.free);
}

void free_sized(void *p, size_t size)
{
	struct frame caller = CALLER();

	if (p == NULL || unlikely(real_is_early(p)) || !ready())
		return;
	event_deallocation(FUNCTION_FREE_SIZED, p, &caller);
	if (real.free_sized != NULL)
		real.free_sized(p, size);
	else
		real.free(p);
}

void free_aligned_sized(void *p, size_t alignment, size_t size)
{
	struct frame caller = CALLER();

	if (p == NULL || unlikely(real_is_early(p)) || !ready())
		return;
	event_deallocation(FUNCTION_FREE_ALIGNED_SIZED, p, &caller);
	if (real.free_aligned_sized != NULL)
		real.free_aligned_sized(p, alignment, size);
	else
		real.free(p);
}

int posix_memalign(void **result, size_t alignment, size_t size)
{
	struct frame caller = CALLER();
	uint64_t before = self.allocations;
	int error;

	if (!ready())
		return ENOMEM;
	error = real.posix_memalign(result, alignment, size);
	if (likely(error == 0) && *result != NULL && !recorded_inside(before, *result))
		event_allocation(FUNCTION_POSIX_MEMALIGN, *result, size, &caller);
	return error;
}

static inline __attribute__((always_inline)) void *
aligned(void *p, unsigned function, size_t size, uint64_t before, const struct frame *caller)
{
	if (likely(p != NULL) && !recorded_inside(before, p))
		event_allocation(function, p, size, caller);
	return p;
}

void *aligned_alloc(size_t alignment, size_t size)
{
	struct frame caller = CALLER();
	uint64_t before = self.allocations;

	if (!ready())
		return NULL;
	return aligned(real.aligned_alloc(alignment, size), FUNCTION_ALIGNED_ALLOC, size, before,
		       &caller);
}

void *memalign(size_t alignment, size_t size)
{
	struct frame caller = CALLER();
	uint64_t before = self.allocations;

	if (!ready())
		return NULL;
	return aligned(real.memalign(alignment, size), FUNCTION_MEMALIGN, size, before, &caller);
}

void *valloc(size_t size)
{
	struct frame caller = CALLER();
	uint64_t before = self.allocations;

	if (!ready())
		return NULL;
	return aligned(real.valloc(size), FUNCTION_VALLOC, size, before, &caller);
}

void *pvalloc(size_t size)
{
	struct frame caller = CALLER();
	uint64_t before = self.allocations;

	if (!ready())
		return NULL;
	return aligned(real.pvalloc(size), FUNCTION_PVALLOC, size, before, &caller);
}
