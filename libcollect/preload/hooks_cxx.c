/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * operator new and delete in every form.
 *
 * They call the real operator, and leave the recording to the malloc or free
 * that it calls, which they tell whose it is (struct label in state.h). The
 * gate stays open meanwhile: a new_handler allocates. An allocator that brings
 * operators which call no malloc (tcmalloc) is noticed by its silence, and the hook records
 * for itself.
 *
 * libstdc++ may have been loaded RTLD_LOCAL (a python extension's): then it is
 * not behind us in the search order, and is looked for among the loaded files.
 */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>

#include "libcollect/preload/clock.h"
#include "libcollect/preload/events.h"
#include "libcollect/preload/lookup.h"
#include "libcollect/preload/prepare.h"
#include "libcollect/preload/real.h"

#define EXPORT __attribute__((visibility("default")))

struct real_operator {
	const char *name; /* mangled */
	void *_Atomic function;
	uintptr_t text_bytes;
	const struct link_map *map; /* the file that it is in, where that may go away */
};

enum { TEXT_BYTES_GUESS = 512 };

static void remember(struct real_operator *o, void *function, size_t bytes,
		     const struct link_map *map)
{
	o->text_bytes = bytes != 0 ? bytes : TEXT_BYTES_GUESS;
	o->map = map;
	atomic_store(&o->function, function);
}

/* Our own text: libstdc++'s operator new[] jumps to operator new, which then
 * seems to be called from the hook of the former. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));

static inline int from_ourselves(uintptr_t pc)
{
	/* Text lies between the file's start and its variables. */
	return pc >= (uintptr_t)__ehdr_start && pc < (uintptr_t)&real;
}

/* libstdc++ came after us, for a plugin: it is looked for without the loader's
 * lock, which may be held by who waits for this thread. */
static cold void *resolve(struct real_operator *o, const struct frame *caller)
{
	const struct link_map *map = NULL;
	struct dl_find_object found;
	void *function;
	size_t bytes = 0;

	if (_dl_find_object((void *)caller->pc, &found) != 0 || found.dlfo_link_map == NULL)
		return NULL;
	/* What a plugin defines is for its own calls only: not remembered. */
	function =
	    from_ourselves(caller->pc) ? NULL : lookup_in(found.dlfo_link_map, o->name, &bytes);
	if (function != NULL) {
		o->text_bytes = bytes != 0 ? bytes : TEXT_BYTES_GUESS;
		return function;
	}
	function = lookup_anywhere(found.dlfo_link_map, o->name, &bytes, &map);
	if (function != NULL)
		remember(o, function, bytes, map);
	return function;
}

static inline void *target(struct real_operator *o, const struct frame *caller)
{
	void *function = atomic_load_explicit(&o->function, memory_order_acquire);

	return likely(function != NULL) ? function : resolve(o, caller);
}

struct call {
	struct label outer; /* that of a call under way, if inside one */
	uint64_t before;    /* allocations of this thread */
	uint32_t used;
	int inside;
	int nested; /* another operator calls this one: the label is its */
};

static inline void call_begin(struct call *call, const struct real_operator *o, void *function,
			      unsigned kind, size_t size, const struct frame *caller)
{
	struct label *label = &self.label;

	call->nested =
	    label->text_bytes != 0 &&
	    (caller->pc - label->text_start <= label->text_bytes || from_ourselves(caller->pc));
	call->before = self.allocations;
	call->inside = label->text_bytes != 0;
	call->used = label->used;
	if (unlikely(call->inside) && !call->nested)
		call->outer = *label;
	/* A label before the rest of it is written: a signal handler's operator new keeps it. */
	label->text_start = (uintptr_t)function;
	label->text_bytes = o->text_bytes;
	atomic_signal_fence(memory_order_seq_cst);
	if (call->nested)
		return;
	label->function = kind;
	label->size = size;
	label->caller = *caller;
	label->used = 0;
}

static inline void restore_label(const struct call *call)
{
	struct label *label = &self.label;

	if (unlikely(call->inside)) {
		*label = call->outer;
	} else {
		label->text_bytes = 0;
		label->used = call->used;
	}
}

/* Nobody below has recorded p. */
static cold void record_call(const struct call *call, void *p)
{
	const struct label mine = self.label;

	restore_label(call);
	event_allocation(mine.function, p, mine.size, &mine.caller);
}

static inline void call_end(const struct call *call, void *p)
{
	int recorded = self.label.used || p == NULL ||
		       (self.allocations != call->before && self.last_allocation == (uintptr_t)p);

	if (call->nested)
		return;
	if (likely(recorded))
		restore_label(call);
	else
		record_call(call, p);
}

/* Without any real operator (a program that is linked wrongly): malloc will do. */
static void *no_operator(size_t size)
{
	return real.malloc != NULL || real_find() ? real.malloc(size) : NULL;
}

#define NEW(mangled, kind, parameters, types, arguments)                                           \
	static struct real_operator real_##mangled = {.name = #mangled};                           \
	EXPORT void *mangled parameters;                                                           \
	void *mangled parameters                                                                   \
	{                                                                                          \
		struct real_operator *o = &real_##mangled;                                         \
		struct frame caller = CALLER();                                                    \
		void *function = target(o, &caller), *p;                                           \
		struct call call;                                                                  \
                                                                                                   \
		call_begin(&call, o, function, kind, size, &caller);                               \
		p = function != NULL ? ((void *(*)types)function)arguments : no_operator(size);    \
		call_end(&call, p);                                                                \
		return p;                                                                          \
	}

typedef const void *nothrow;

NEW(_Znwm, FUNCTION_NEW, (size_t size), (size_t), (size))
NEW(_Znam, FUNCTION_NEW_ARRAY, (size_t size), (size_t), (size))
NEW(_ZnwmRKSt9nothrow_t, FUNCTION_NEW_NOTHROW, (size_t size, nothrow tag), (size_t, nothrow),
    (size, tag))
NEW(_ZnamRKSt9nothrow_t, FUNCTION_NEW_ARRAY_NOTHROW, (size_t size, nothrow tag), (size_t, nothrow),
    (size, tag))
NEW(_ZnwmSt11align_val_t, FUNCTION_NEW_ALIGNED, (size_t size, size_t alignment), (size_t, size_t),
    (size, alignment))
NEW(_ZnamSt11align_val_t, FUNCTION_NEW_ARRAY_ALIGNED, (size_t size, size_t alignment),
    (size_t, size_t), (size, alignment))
NEW(_ZnwmSt11align_val_tRKSt9nothrow_t, FUNCTION_NEW_ALIGNED_NOTHROW,
    (size_t size, size_t alignment, nothrow tag), (size_t, size_t, nothrow), (size, alignment, tag))
NEW(_ZnamSt11align_val_tRKSt9nothrow_t, FUNCTION_NEW_ARRAY_ALIGNED_NOTHROW,
    (size_t size, size_t alignment, nothrow tag), (size_t, size_t, nothrow), (size, alignment, tag))

/* Whether the real operator delete calls our free: learnt from the first. */
enum { FORWARDS_UNKNOWN, FORWARDS_YES, FORWARDS_NO };
static _Atomic int forwards;

struct deletion {
	uint64_t time;
	int nested, learning, recorded;
};

static inline void delete_begin(struct deletion *d, unsigned kind, void *p,
				const struct frame *caller)
{
	d->nested = self.deleting == (uintptr_t)p;
	d->time = 0;
	d->learning = 0;
	d->recorded = 0;
	if (d->nested)
		return;
	if (atomic_load_explicit(&forwards, memory_order_relaxed) == FORWARDS_NO) {
		event_deallocation(kind, p, caller);
		d->recorded = 1;
		/* An operator that the allocator has not may call one that it has. */
		self.delete_function = FUNCTION_UNKNOWN;
		self.deleting = (uintptr_t)p;
		return;
	}
	if (atomic_load_explicit(&forwards, memory_order_relaxed) == FORWARDS_UNKNOWN &&
	    self.strict == 0 && gate(caller->sp) != NULL) {
		d->learning = 1;
		d->time = past_begin(&self);
	}
	self.delete_function = kind;
	self.deleting = (uintptr_t)p;
}

static inline void delete_end(struct deletion *d, unsigned kind, void *p,
			      const struct frame *caller)
{
	if (d->nested)
		return;
	if (likely(self.deleting != (uintptr_t)p)) {
		if (d->learning)
			atomic_store_explicit(&forwards, FORWARDS_YES, memory_order_relaxed);
		return;
	}
	self.deleting = 0;
	if (d->recorded || gate(caller->sp) == NULL)
		return;
	if (d->learning) {
		atomic_store_explicit(&forwards, FORWARDS_NO, memory_order_relaxed);
		event_past_deallocation(kind, p, caller, d->time);
	} else {
		event_deallocation(kind, p, caller);
	}
}

#define DELETE(mangled, kind, parameters, types, arguments)                                        \
	static struct real_operator real_##mangled = {.name = #mangled};                           \
	EXPORT void mangled parameters;                                                            \
	void mangled parameters                                                                    \
	{                                                                                          \
		struct real_operator *o = &real_##mangled;                                         \
		struct frame caller = CALLER();                                                    \
		struct deletion deletion;                                                          \
		void *function;                                                                    \
                                                                                                   \
		if (p == NULL)                                                                     \
			return;                                                                    \
		function = target(o, &caller);                                                     \
		delete_begin(&deletion, kind, p, &caller);                                         \
		if (function != NULL)                                                              \
			((void(*) types)function) arguments;                                       \
		else if (real.free != NULL)                                                        \
			real.free(p);                                                              \
		delete_end(&deletion, kind, p, &caller);                                           \
	}

DELETE(_ZdlPv, FUNCTION_DELETE, (void *p), (void *), (p))
DELETE(_ZdaPv, FUNCTION_DELETE_ARRAY, (void *p), (void *), (p))
DELETE(_ZdlPvm, FUNCTION_DELETE, (void *p, size_t size), (void *, size_t), (p, size))
DELETE(_ZdaPvm, FUNCTION_DELETE_ARRAY, (void *p, size_t size), (void *, size_t), (p, size))
DELETE(_ZdlPvRKSt9nothrow_t, FUNCTION_DELETE, (void *p, nothrow tag), (void *, nothrow), (p, tag))
DELETE(_ZdaPvRKSt9nothrow_t, FUNCTION_DELETE_ARRAY, (void *p, nothrow tag), (void *, nothrow),
       (p, tag))
DELETE(_ZdlPvSt11align_val_t, FUNCTION_DELETE, (void *p, size_t alignment), (void *, size_t),
       (p, alignment))
DELETE(_ZdaPvSt11align_val_t, FUNCTION_DELETE_ARRAY, (void *p, size_t alignment), (void *, size_t),
       (p, alignment))
DELETE(_ZdlPvmSt11align_val_t, FUNCTION_DELETE, (void *p, size_t size, size_t alignment),
       (void *, size_t, size_t), (p, size, alignment))
DELETE(_ZdaPvmSt11align_val_t, FUNCTION_DELETE_ARRAY, (void *p, size_t size, size_t alignment),
       (void *, size_t, size_t), (p, size, alignment))
DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, FUNCTION_DELETE,
       (void *p, size_t alignment, nothrow tag), (void *, size_t, nothrow), (p, alignment, tag))
DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, FUNCTION_DELETE_ARRAY,
       (void *p, size_t alignment, nothrow tag), (void *, size_t, nothrow), (p, alignment, tag))

static struct real_operator *const operators[] = {&real__Znwm,
						  &real__Znam,
						  &real__ZnwmRKSt9nothrow_t,
						  &real__ZnamRKSt9nothrow_t,
						  &real__ZnwmSt11align_val_t,
						  &real__ZnamSt11align_val_t,
						  &real__ZnwmSt11align_val_tRKSt9nothrow_t,
						  &real__ZnamSt11align_val_tRKSt9nothrow_t,
						  &real__ZdlPv,
						  &real__ZdaPv,
						  &real__ZdlPvm,
						  &real__ZdaPvm,
						  &real__ZdlPvRKSt9nothrow_t,
						  &real__ZdaPvRKSt9nothrow_t,
						  &real__ZdlPvSt11align_val_t,
						  &real__ZdaPvSt11align_val_t,
						  &real__ZdlPvmSt11align_val_t,
						  &real__ZdaPvmSt11align_val_t,
						  &real__ZdlPvSt11align_val_tRKSt9nothrow_t,
						  &real__ZdaPvSt11align_val_tRKSt9nothrow_t};
enum { OPERATORS = sizeof(operators) / sizeof(operators[0]) };

void hooks_cxx_prepare(void)
{
	for (unsigned i = 0; i < OPERATORS; i++) {
		void *function = dlsym(RTLD_NEXT, operators[i]->name);
		const ElfW(Sym) *symbol = NULL;
		Dl_info info;

		if (function == NULL)
			continue;
		if (dladdr1(function, &info, (void **)&symbol, RTLD_DL_SYMENT) == 0)
			symbol = NULL;
		remember(operators[i], function, symbol != NULL ? symbol->st_size : 0, NULL);
	}
}

void hooks_cxx_forget(const void *map)
{
	for (unsigned i = 0; i < OPERATORS; i++)
		if (operators[i]->map == map && map != NULL)
			atomic_store(&operators[i]->function, NULL);
}
