/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each captured stack against two others:
 *
 * Our own without anything remembered, which must have the same nodes, guesses
 * and marks included.
 *
 * libunwind's, which knows nothing of ours: an address space apart, without its
 * cache; memory read by process_vm_readv(), which fails where there is none; the
 * walk begins with the registers here and goes through our own frames. The other
 * side is the chain of nodes as the recorder reads it. This is done on a stack of its
 * own, so that a handler's or coroutine's few kilobytes are enough, with signals
 * blocked, one thread at a time.
 *
 * What may differ from libunwind's, and is no fault:
 * - Everything above a frame without unwind information (JIT code, bare
 *   assembly): there we both guess, and differently. Where the difference lies above such a
 *   frame it is counted as a guess.
 * - Functions whose unwind information is wrong: whoever reads less of it gets
 *   further, and libunwind also follows registers that we don't need.
 * - Where another thread changes the stack's words between the walks.
 * The marks of incomplete stacks are not compared, that of cut ones is.
 */
#include "libcollect/preload/check.h"

#if defined(CAPTURE_CHECK)

#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <stddef.h>
#include <sys/uio.h>
#include <unistd.h>

#include "libcollect/preload/capture.h"
#include "libcollect/preload/fallback.h"
#include "libcollect/preload/rawio.h"

#include "libcollect/preload/banned.h"

enum { STACK_BYTES = 256 << 10, PAGE = 4096, PAGES = 256, TRIES = 10000, PRINTED = 20 };
enum { AT_FDCWD_NUMBER = -100, APPEND_FLAGS = 02002101 /* O_WRONLY|O_CREAT|O_APPEND|O_CLOEXEC */ };

#define SIGNAL_BIT(number) (UINT64_C(1) << ((number)-1))

struct context {
	unw_word_t registers[UNWINDER_REGISTERS]; /* first: fallback.h */
	struct frame caller;
};

static struct {
	_Atomic uint32_t owner; /* epoch of the session whose thread is inside, or 0 */
	unw_addr_space_t space;
	char *stack;
	char path[4096]; /* empty: stderr */
	struct context context;

	const struct session *session; /* whose thread is inside: a handler may fork there, and its
					* child's state is empty */
	uint32_t epoch;                /* whose figures these are */
	uint64_t equal, different, guesses, none;

	uint64_t page_at[PAGES]; /* address + 1 of what page[] holds, or 0 */
	unsigned char page[PAGES][PAGE];
	uint32_t theirs, ours, cut; /* frames; our stack is marked NODE_CUT */
	uint32_t known;             /* innermost frames of ours before one without rules */
	uintptr_t their[FRAMES_MAX + 1], our[FRAMES_MAX + 1];
} check;

/* --- libunwind's side --------------------------------------------------------- */

static int access_memory(unw_addr_space_t space, unw_word_t address, unw_word_t *value, int writing,
			 void *argument)
{
	uintptr_t start = address & ~(uintptr_t)(PAGE - 1);
	unsigned at = (unsigned)(start / PAGE % PAGES);

	(void)space;
	(void)argument;
	if (writing || address % sizeof(*value) != 0)
		return -UNW_EINVAL;
	if (check.page_at[at] != start + 1) {
		struct iovec here = {check.page[at], PAGE}, there = {(void *)start, PAGE};

		check.page_at[at] = 0;
		if (raw_syscall(SYS_process_vm_readv, raw_getpid(), (long)&here, 1, (long)&there, 1,
				0) != PAGE)
			return -UNW_EINVAL;
		check.page_at[at] = start + 1;
	}
	*value = *(const unw_word_t *)&check.page[at][address - start];
	return 0;
}

static void walk(void)
{
	const uint32_t most = state->max_depth + 1;
	unw_cursor_t cursor;
	int found = 0;

	check.theirs = 0;
	for (unsigned i = 0; i < PAGES; i++)
		check.page_at[i] = 0;
	if (unwinder.init_remote(&cursor, check.space, &check.context) < 0)
		return;
	for (unsigned own = 0; check.theirs < most && own < 16;) {
		unw_word_t pc = 0, sp = 0;

		unwinder.get_reg(&cursor, UNW_X86_64_RIP, &pc);
		unwinder.get_reg(&cursor, UNW_X86_64_RSP, &sp);
		found |= pc == check.context.caller.pc && sp == check.context.caller.sp;
		if (pc == 0)
			break;
		if (found)
			check.their[check.theirs++] = pc;
		else
			own++;
		if (unwinder.step(&cursor) <= 0)
			break;
	}
}

static void walk_elsewhere(char *top)
{
	__asm__ volatile("movq %%rsp, %%rbx\n\t"
			 "movq %0, %%rsp\n\t"
			 "call *%1\n\t"
			 "movq %%rbx, %%rsp"
			 :
			 : "r"(top), "r"(walk)
			 : "rbx", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
			   "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
			   "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
			   "xmm15");
}

/* --- our side ----------------------------------------------------------------- */

static int has_rule(uintptr_t pc)
{
	return RULE_TYPE(rules_find(pc, 0)) != RULE_NONE ||
	       RULE_TYPE(rules_find(pc, 1)) != RULE_NONE;
}

static const struct shared_node *node_at(uint32_t node)
{
	const uint32_t *directory = region_chunk(shared_region, check.session->node_directory);
	uint32_t chunk = __atomic_load_n(&directory[node / NODES_PER_CHUNK], __ATOMIC_ACQUIRE);

	return (const struct shared_node *)region_chunk(shared_region, chunk) +
	       node % NODES_PER_CHUNK;
}

/* Two threads that make the same node at once may give it two ids. */
static int same_stack(uint32_t a, uint32_t b)
{
	for (; a != b; a = node_at(a)->parent, b = node_at(b)->parent)
		if (a == 0 || b == 0 || node_at(a)->address != node_at(b)->address ||
		    node_at(a)->module_and_flags != node_at(b)->module_and_flags)
			return 0;
	return 1;
}

static void follow(uint32_t node)
{
	check.ours = check.cut = 0;
	check.known = UINT32_MAX;
	while (node != 0 && check.ours <= FRAMES_MAX) {
		const struct shared_node *at = node_at(node);

		if (NODE_FLAGS(at) & NODE_CUT)
			check.cut = 1;
		if ((NODE_FLAGS(at) & (NODE_CUT | NODE_INCOMPLETE)) == 0) {
			check.our[check.ours++] = (uintptr_t)at->address;
			if (check.known == UINT32_MAX && !has_rule((uintptr_t)at->address))
				check.known = check.ours;
		}
		node = at->parent;
	}
}

/* --- what it says --------------------------------------------------------------- */

struct line {
	char text[512];
	size_t used;
};

static void add(struct line *line, const char *text)
{
	while (*text != '\0' && line->used < sizeof(line->text) - 1)
		line->text[line->used++] = *text++;
}

static void add_number(struct line *line, uint64_t value, unsigned base)
{
	char digits[24], *at = &digits[sizeof(digits) - 1];

	*at = '\0';
	do {
		*--at = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	add(line, at);
}

static void add_place(struct line *line, uintptr_t pc)
{
	struct dl_find_object found;

	add(line, "0x");
	add_number(line, pc, 16);
	if (_dl_find_object((void *)(pc - 1), &found) != 0)
		return;
	add(line, " (");
	add(line, found.dlfo_link_map->l_name);
	add(line, "+0x");
	add_number(line, pc - found.dlfo_link_map->l_addr, 16);
	add(line, ")");
}

static void say(struct line *line)
{
	long file = 2;

	line->text[line->used++] = '\n';
	if (check.path[0] != '\0')
		file = raw_syscall(SYS_openat, AT_FDCWD_NUMBER, (long)check.path, APPEND_FLAGS,
				   0666, 0, 0);
	if (raw_failed(file))
		return;
	raw_syscall(SYS_write, file, (long)line->text, (long)line->used, 0, 0, 0);
	if (file != 2)
		raw_syscall(SYS_close, file, 0, 0, 0, 0, 0);
}

static struct line line_begin(void)
{
	struct line line = {.used = 0};

	add(&line, "mallograph-check: ");
	add_number(&line, (uint64_t)raw_getpid(), 10);
	add(&line, ": ");
	return line;
}

static void say_sums(void)
{
	struct line line = line_begin();

	add_number(&line, check.equal, 10);
	add(&line, " equal, ");
	add_number(&line, check.different, 10);
	add(&line, " different, ");
	add_number(&line, check.guesses, 10);
	add(&line, " guesses, ");
	add_number(&line, check.none, 10);
	add(&line, " not compared");
	say(&line);
}

static void say_difference(const char *whose, uint32_t first)
{
	struct line line = line_begin();

	add(&line, "difference ");
	add_number(&line, check.different, 10);
	add(&line, " at frame ");
	add_number(&line, first, 10);
	add(&line, ": ours has ");
	add_number(&line, check.ours, 10);
	add(&line, check.cut ? " (cut), that of " : ", that of ");
	add(&line, whose);
	add(&line, " ");
	add_number(&line, check.theirs, 10);
	say(&line);
	for (uint32_t i = 0; i < check.ours || i < check.theirs; i++) {
		line = line_begin();
		add(&line, " #");
		add_number(&line, i, 10);
		add(&line, i == first ? " * " : " ");
		if (i < check.ours)
			add_place(&line, check.our[i]);
		else
			add(&line, "-");
		if (i >= check.ours || i >= check.theirs || check.our[i] != check.their[i]) {
			add(&line, " / ");
			if (i < check.theirs)
				add_place(&line, check.their[i]);
			else
				add(&line, "-");
		}
		say(&line);
	}
}

/* With the stack walked afresh in the place of libunwind's. */
static void say_memo(uint32_t node, uint32_t afresh)
{
	uint32_t first = 0;

	follow(afresh);
	check.theirs = check.ours;
	for (uint32_t i = 0; i < check.ours; i++)
		check.their[i] = check.our[i];
	follow(node);
	while (first < check.ours && first < check.theirs && check.our[first] == check.their[first])
		first++;
	say_difference("one walked afresh", first);
}

/* --- the comparison --------------------------------------------------------------- */

static void compare(uint32_t node, uint32_t afresh)
{
	uint32_t first = 0;
	uint64_t all;

	if (check.epoch != check.session->epoch) {
		check.epoch = check.session->epoch;
		check.equal = check.different = check.guesses = check.none = 0;
	}
	walk_elsewhere(check.stack + STACK_BYTES);
	follow(node);
	if (node == 0 || check.theirs == 0) {
		check.none++;
	} else {
		int too_deep = check.theirs > state->max_depth;

		if (too_deep)
			check.theirs = state->max_depth;
		while (first < check.ours && first < check.theirs &&
		       check.our[first] == check.their[first])
			first++;
		if (!same_stack(node, afresh)) {
			if (++check.different <= PRINTED)
				say_memo(node, afresh);
		} else if (first == check.ours && first == check.theirs &&
			   too_deep == (int)check.cut) {
			check.equal++;
		} else if (first >= check.known) {
			check.guesses++;
		} else if (++check.different <= PRINTED) {
			say_difference("libunwind", first);
		}
	}
	all = check.equal + check.different + check.guesses + check.none;
	if ((all & 0xffff) == 0 || (all < 0x10000 && (all & (all - 1)) == 0))
		say_sums();
}

/* Not to wait for long: whoever is inside may have been forked away. */
static int enter(uint32_t epoch)
{
	for (unsigned i = 0; i < TRIES; i++) {
		uint32_t nobody = 0;

		if (atomic_compare_exchange_strong(&check.owner, &nobody, epoch))
			return 1;
		if (nobody != epoch)
			return 0;
		raw_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	}
	return 0;
}

__attribute__((noinline)) void check_stack(struct thread *thread, const struct frame *caller,
					   uint32_t node)
{
	/* all but those that an instruction raises */
	const uint64_t others = ~(SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) |
				  SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGSYS));
	const struct session *session = *(struct session *volatile *)&state->session;
	uint64_t before = 0;

	if (check.space == NULL || session == NULL)
		return;
	raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, (long)&others, (long)&before, 8, 0, 0);
	if (enter(session->epoch)) {
		check.session = session;
		fallback_registers(check.context.registers);
		check.context.caller = *caller;
		thread->ours++;
		compare(node, capture_afresh(thread, caller));
		thread->ours--;
		atomic_store(&check.owner, 0);
	} else {
		__atomic_fetch_add(&check.none, 1, __ATOMIC_RELAXED);
	}
	raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, 8, 0, 0);
}

void check_prepare(void)
{
	static const char name[] = "MALLOGRAPH_CHECK_FILE=";

	for (char **e = environ; e != NULL && *e != NULL; e++)
		if (raw_begins(*e, name) && raw_length(*e) < sizeof(check.path))
			raw_copy(check.path, *e + raw_length(name),
				 raw_length(*e + raw_length(name)) + 1);
	check.stack = raw_map(STACK_BYTES);
	if (check.stack != NULL)
		check.space = fallback_space(access_memory);
}

static __attribute__((destructor)) void check_end(void)
{
	if (check.space != NULL && state->session != NULL && check.epoch == state->session->epoch &&
	    enter(check.epoch)) {
		say_sums();
		atomic_store(&check.owner, 0);
	}
}

#endif
