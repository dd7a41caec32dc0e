/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/preload/reach.h"

#include "libcollect/preload/capture.h"
#include "libcollect/preload/glibc.h"
#include "libcollect/preload/rawio.h"

#include "libcollect/preload/banned.h"

#define PAGE 4096u
/* How far below the known part a stack may have grown at once. */
#define GROWTH_MAX (64u << 20)

static uintptr_t page_of(uintptr_t address)
{
	return address & ~(uintptr_t)(PAGE - 1);
}

/* Extends the known stack down to sp, page by page. */
static cold int stack_grown(struct thread *thread, uintptr_t sp)
{
	uintptr_t low = thread->stack_low;

	/* No stack goes on below a page that can't be read. */
	if (sp >= low || low - sp > GROWTH_MAX || sp < thread->stack_floor)
		return 0;
	while (low > page_of(sp)) {
		if (!raw_readable(low - PAGE)) {
			thread->stack_floor = low;
			return 0;
		}
		low -= PAGE;
	}
	thread->stack_low = low;
	return 1;
}

void capture_thread(struct thread *thread, int is_main)
{
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0);
	uintptr_t control_block;

	/* glibc puts the thread control block at the top of a thread's stack, a
	 * caller's own stack included; the first thread's is elsewhere. */
	__asm__("mov %%fs:0, %0" : "=r"(control_block));
	thread->stack_floor = 0;
	thread->stack_high = page_of(control_block);
	thread->stack_low = thread->stack_high;
	if (sp < control_block && stack_grown(thread, sp)) {
		/* Only a walk that comes to the top proves that it is this stack. */
		thread->stack_low = thread->stack_high;
		thread->stack_high = control_block;
		return;
	}
	thread->stack_low = thread->stack_high = thread->stack_floor = 0;
	if (is_main && sp < (uintptr_t)__libc_stack_end) {
		thread->stack_high = thread->stack_low = page_of((uintptr_t)__libc_stack_end);
		if (page_of(sp) == thread->stack_low || stack_grown(thread, sp))
			thread->stack_high = (uintptr_t)__libc_stack_end;
		else
			thread->stack_low = thread->stack_high = 0;
	}
}

void reach_ahead(struct thread *thread, uintptr_t sp)
{
	const uintptr_t known = thread->stack_low;

	if (known == thread->stack_high)
		return;
	for (uintptr_t low = page_of(known); low > sp; low -= PAGE)
		if (!stack_grown(thread, low - PAGE))
			return;
}

static int own_stack(struct reach *reach, struct thread *thread, uintptr_t sp)
{
	if (unlikely(sp < thread->stack_low || sp >= thread->stack_high) &&
	    !(sp < thread->stack_low && stack_grown(thread, sp)))
		return 0;
	reach->low = sp;
	reach->last = thread->stack_high - 8;
	reach->page = 0;
	reach->own = 1;
	return 1;
}

void reach_begin(struct reach *reach, struct thread *thread, uintptr_t sp)
{
	reach->strayed = 0;
	if (likely(own_stack(reach, thread, sp)))
		return;
	/* Another stack: of a coroutine, or a signal handler's. */
	reach->low = sp - 8;
	reach->last = page_of(sp - 8) + PAGE - 8;
	reach->page = 0;
	reach->own = 0;
	reach->strayed = 1;
}

void reach_jump(struct reach *reach, struct thread *thread, uintptr_t sp)
{
	if (own_stack(reach, thread, sp))
		return;
	*reach = (struct reach){.low = UINTPTR_MAX, .strayed = 1};
}

cold int reach_probe(struct reach *reach, uintptr_t address)
{
	reach->strayed = 1;
	if ((address & 7) != 0 || address < PAGE)
		return 0;
	if ((address >= reach->low && address <= reach->last) || page_of(address) == reach->page)
		return 1;
	if (!raw_readable(address))
		return 0;
	if (!reach->own && page_of(address) == reach->last + 8)
		reach->last += PAGE;
	else
		reach->page = page_of(address);
	return 1;
}
