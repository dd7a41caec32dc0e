/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the rules can't say, libunwind can: CFA in other registers, expressions.
 *
 * Its generic library is used, with an address space of our own: memory is
 * read through reach_read(), unwind information is found by _dl_find_object().
 * So it never calls dl_iterate_phdr (dlclose holds the loader's lock while it
 * frees) and can't be sent into unmapped memory. It is dlopen'ed in our constructor,
 * RTLD_LOCAL: as a DT_NEEDED it would replace libgcc_s's unwinder in the program.
 *
 * One thread at a time, without waiting: a second one gets an incomplete
 * stack. libunwind has locks of its own, so a child that was forked while
 * another thread was inside doesn't enter any more.
 */
#include "libcollect/preload/fallback.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/stat.h>

#include "libcollect/preload/filters.h"
#include "libcollect/preload/headers.h"
#include "libcollect/preload/rawio.h"
#include "libcollect/preload/reach.h"

#include "libcollect/preload/banned.h"

enum { STACK_NEEDED = 16384 };

struct unwinder unwinder;
static unw_addr_space_t space;

/* The thread that is inside libunwind, or has left it by a longjmp; not wiped by a fork. */
static _Atomic uintptr_t inside;

struct context {
	unw_word_t registers[UNWINDER_REGISTERS];
	struct reach reach;
};

static int find_proc_info(unw_addr_space_t where, unw_word_t ip, unw_proc_info_t *info, int need,
			  void *argument)
{
	struct dl_find_object found;
	unw_dyn_info_t table = {0};
	const unsigned char *header;

	if (_dl_find_object((void *)ip, &found) != 0 || found.dlfo_eh_frame == NULL)
		return -UNW_ENOINFO;
	header = found.dlfo_eh_frame;
	if (header[0] != 1 || header[1] != 0x1b || header[2] != 0x03 || header[3] != 0x3b)
		return -UNW_ENOINFO;
	table.format = UNW_INFO_FORMAT_REMOTE_TABLE;
	table.start_ip = (unw_word_t)found.dlfo_map_start;
	table.end_ip = (unw_word_t)found.dlfo_map_end;
	table.u.rti.segbase = (unw_word_t)header;
	table.u.rti.table_len = *(const uint32_t *)(header + 8) * 8ul / sizeof(unw_word_t);
	table.u.rti.table_data = (unw_word_t)header + 12;
	return unwinder.search_unwind_table(where, ip, &table, info, need, argument);
}

static void put_unwind_info(unw_addr_space_t where, unw_proc_info_t *info, void *argument)
{
	(void)where;
	(void)info;
	(void)argument;
}

static int no_dynamic_info(unw_addr_space_t where, unw_word_t *address, void *argument)
{
	(void)where;
	(void)address;
	(void)argument;
	return -UNW_ENOINFO;
}

static int access_memory(unw_addr_space_t where, unw_word_t address, unw_word_t *value, int writing,
			 void *argument)
{
	struct context *context = argument;
	uintptr_t word;

	(void)where;
	/* libunwind reads unwind tables by aligned words too. */
	if (writing || !reach_read(&context->reach, address, &word))
		return -UNW_EINVAL;
	*value = word;
	return 0;
}

static int access_register(unw_addr_space_t where, unw_regnum_t number, unw_word_t *value,
			   int writing, void *argument)
{
	const unw_word_t *registers = argument;

	(void)where;
	if (writing || number < 0 || number >= UNWINDER_REGISTERS)
		return -UNW_EBADREG;
	*value = registers[number];
	return 0;
}

unw_addr_space_t fallback_space(int (*access_mem)(unw_addr_space_t, unw_word_t, unw_word_t *, int,
						  void *))
{
	unw_accessors_t accessors = {.find_proc_info = find_proc_info,
				     .put_unwind_info = put_unwind_info,
				     .get_dyn_info_list_addr = no_dynamic_info,
				     .access_mem = access_mem,
				     .access_reg = access_register};
	unw_addr_space_t made;

	if (unwinder.create_addr_space == NULL || unwinder.init_remote == NULL ||
	    unwinder.step == NULL || unwinder.get_reg == NULL ||
	    unwinder.search_unwind_table == NULL)
		return NULL;
	made = unwinder.create_addr_space(&accessors, 0);
	if (made != NULL && unwinder.set_caching_policy != NULL)
		unwinder.set_caching_policy(made, UNW_CACHE_NONE);
	return made;
}

/* 1 when the two are the ends of one pipe. */
static int is_pipe(const int *ends)
{
	struct stat a = {0}, b = {0};

	return ends[0] >= 0 && ends[1] >= 0 && ends[0] != ends[1] &&
	       raw_syscall(SYS_fstat, ends[0], (long)&a, 0, 0, 0, 0) == 0 && S_ISFIFO(a.st_mode) &&
	       raw_syscall(SYS_fstat, ends[1], (long)&b, 0, 0, 0, 0) == 0 && a.st_ino == b.st_ino &&
	       a.st_dev == b.st_dev;
}

/*
 * libunwind opens a pipe when it is made ready, to test memory with; with our
 * accessors it never does. The program shall have no descriptor of ours, so
 * it is closed: it is the one pair of numbers in libunwind's own data that are two ends of a
 * pipe. Should anybody need it after all, libunwind opens a new one.
 */
static void close_pipe(const struct dl_find_object *found)
{
	uintptr_t base = found->dlfo_link_map->l_addr;
	unsigned count;
	const ElfW(Phdr) *segment = program_headers(found, &count);

	for (unsigned i = 0; segment != NULL && i < count; i++) {
		uintptr_t at = base + segment[i].p_vaddr, end = at + segment[i].p_memsz;

		if (segment[i].p_type != PT_LOAD || (segment[i].p_flags & PF_W) == 0)
			continue;
		for (at = (at + 3) & ~(uintptr_t)3; at + 2 * sizeof(int) <= end;
		     at += sizeof(int)) {
			int *ends = (int *)at;

			if (ends[0] > 2 && ends[1] > 2 && ends[1] - ends[0] < 4096 &&
			    ends[0] - ends[1] < 4096 && is_pipe(ends)) {
				raw_syscall(SYS_close, ends[0], 0, 0, 0, 0, 0);
				raw_syscall(SYS_close, ends[1], 0, 0, 0, 0, 0);
				ends[0] = ends[1] = -1;
				return;
			}
		}
	}
}

void fallback_prepare(void)
{
	static const char name[] = "libunwind-x86_64.so.8";
	int the_programs = dlopen(name, RTLD_NOW | RTLD_NOLOAD) != NULL;
	void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	struct dl_find_object found;

	if (library == NULL)
		return;
	unwinder.create_addr_space = dlsym(library, "_Ux86_64_create_addr_space");
	unwinder.init_remote = dlsym(library, "_Ux86_64_init_remote");
	unwinder.step = dlsym(library, "_Ux86_64_step");
	unwinder.get_reg = dlsym(library, "_Ux86_64_get_reg");
	unwinder.set_caching_policy = dlsym(library, "_Ux86_64_set_caching_policy");
	unwinder.search_unwind_table = dlsym(library, "_Ux86_64_dwarf_search_unwind_table");
	space = fallback_space(access_memory);
	if (space != NULL && !the_programs && _dl_find_object((void *)unwinder.step, &found) == 0)
		close_pipe(&found);
}

/* Readable is not free: below a signal stack may lie anything. Below the
 * thread's own stack there is only more of it. */
static int stack_left(const struct thread *thread, uintptr_t sp)
{
	if (sp < thread->stack_low || sp >= thread->stack_high)
		return 0;
	for (uintptr_t below = 4096; below <= STACK_NEEDED; below += 4096)
		if (!raw_readable(sp - below))
			return 0;
	return 1;
}

static uint32_t walk(struct context *context, const struct frame *caller, uintptr_t *pcs,
		     uint32_t most, int *complete)
{
	unw_cursor_t cursor;
	uint32_t n = 0;
	int found = 0, step;

	if (unwinder.init_remote(&cursor, space, context) < 0)
		return 0;
	/* Our own frames are few; a walk that does not find the caller is lost. */
	for (unsigned own = 0; n < most && own < 16;) {
		unw_word_t pc = 0, sp = 0;

		unwinder.get_reg(&cursor, UNW_X86_64_RIP, &pc);
		unwinder.get_reg(&cursor, UNW_X86_64_RSP, &sp);
		found |= pc == caller->pc && sp == caller->sp;
		if (pc == 0)
			break;
		if (found)
			pcs[n++] = pc;
		else
			own++;
		step = unwinder.step(&cursor);
		if (step <= 0) {
			*complete = step == 0;
			break;
		}
	}
	return n;
}

uint32_t fallback_walk(struct thread *thread, const struct frame *caller, uintptr_t *pcs,
		       uint32_t most, int *complete)
{
	struct context context;
	uintptr_t nobody = 0;
	uint32_t n;

	*complete = 0;
	/* libunwind makes system calls of its own. */
	if (space == NULL || (raw_asks && !filters_allow_start()) ||
	    !stack_left(thread, caller->sp) ||
	    (!atomic_compare_exchange_strong(&inside, &nobody, (uintptr_t)thread) &&
	     nobody != (uintptr_t)thread))
		return 0;
	count(COUNT_STACK_FALLBACK);
	fallback_registers(context.registers);
	reach_begin(&context.reach, thread, context.registers[7]);
	n = walk(&context, caller, pcs, most, complete);
	atomic_store(&inside, 0);
	return n;
}
