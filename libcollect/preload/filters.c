/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program may install seccomp filters that end it, or wake its handler, for system calls that it
 * makes no use of itself. Ours must not be the ones. So we keep a copy of each filter that is
 * installed through libc (hooks_confine.c), and once there is one, every system call of ours
 * first runs through the copies, which are small programs of a simple machine; what they would not
 * let pass is not made, and fails as if the kernel had said EPERM.
 *
 * Filters are the thread's that installs them, and its children's. Here they are taken for
 * everybody's: another thread does without something that it could have had. Nothing takes
 * a filter away again. A child has its parent's, in memory as in the kernel.
 *
 * What it costs: without rt_sigprocmask stacks end where they leave the part of the thread's stack
 * that is known; without mmap tables don't grow; without futex a thread whose ring is full
 * spins. All of that is counted where it shows.
 */
#include "libcollect/preload/filters.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

#include "libcollect/preload/rawio.h"

#include "libcollect/preload/banned.h"

struct filter {
	struct filter *before;   /* written before it is published as newest */
	_Atomic uint32_t length; /* 0: it was not installed */
	struct sock_filter code[];
};

static struct filter *_Atomic newest;
static _Atomic int strict;
static _Atomic int unknown; /* one of the filters could not be kept */

static int is_readable(const void *start, uint64_t bytes)
{
	const uintptr_t first = (uintptr_t)start;

	for (uintptr_t at = first & ~(uintptr_t)4095; at < first + bytes; at += 4096)
		if (!raw_readable(at))
			return 0;
	return 1;
}

struct filter *filters_add(const struct sock_fprog *program)
{
	struct filter *filter, *before = atomic_load(&newest);
	size_t bytes;

	if (!is_readable(program, sizeof(*program)) || program->len == 0 ||
	    program->len > BPF_MAXINSNS ||
	    !is_readable(program->filter, program->len * sizeof(*program->filter)))
		return NULL;
	bytes = program->len * sizeof(*program->filter);
	filter = raw_map(sizeof(*filter) + bytes);
	if (filter == NULL) {
		atomic_store(&unknown, 1);
	} else {
		raw_copy(filter->code, program->filter, bytes);
		atomic_store(&filter->length, program->len);
		do {
			filter->before = before;
		} while (!atomic_compare_exchange_weak(&newest, &before, filter));
	}
	raw_asks = 1;
	return filter;
}

void filters_remove(struct filter *filter)
{
	if (filter != NULL)
		atomic_store(&filter->length, 0);
}

void filters_strict(int on)
{
	atomic_store(&strict, on);
	raw_asks = 1;
}

/* --- the machine ----------------------------------------------------------- */

struct machine {
	uint32_t a, x;
	uint32_t memory[BPF_MEMWORDS];
};

/* Returns 0 when there is no such operation. */
static int calculate(struct machine *machine, unsigned operation, uint32_t with)
{
	switch (operation) {
	case BPF_ADD:
		machine->a += with;
		return 1;
	case BPF_SUB:
		machine->a -= with;
		return 1;
	case BPF_MUL:
		machine->a *= with;
		return 1;
	case BPF_AND:
		machine->a &= with;
		return 1;
	case BPF_OR:
		machine->a |= with;
		return 1;
	case BPF_XOR:
		machine->a ^= with;
		return 1;
	case BPF_NEG:
		machine->a = -machine->a;
		return 1;
	case BPF_LSH:
		machine->a = with < 32 ? machine->a << with : 0;
		return 1;
	case BPF_RSH:
		machine->a = with < 32 ? machine->a >> with : 0;
		return 1;
	case BPF_DIV:
		/* By 0: the kernel's machine ends, with 0. */
		if (with == 0)
			return 0;
		machine->a /= with;
		return 1;
	default:
		return 0;
	}
}

static int holds(const struct machine *machine, unsigned operation, uint32_t with)
{
	switch (operation) {
	case BPF_JEQ:
		return machine->a == with;
	case BPF_JGT:
		return machine->a > with;
	case BPF_JGE:
		return machine->a >= with;
	default:
		return (machine->a & with) != 0; /* BPF_JSET */
	}
}

/* Returns 0 when there is no such instruction. */
static int load(struct machine *machine, const struct sock_filter *at,
		const struct seccomp_data *call)
{
	uint32_t *to = BPF_CLASS(at->code) == BPF_LD ? &machine->a : &machine->x;

	switch (BPF_MODE(at->code)) {
	case BPF_IMM:
		*to = at->k;
		return 1;
	case BPF_LEN:
		*to = sizeof(*call);
		return 1;
	case BPF_MEM:
		*to = machine->memory[at->k % BPF_MEMWORDS];
		return 1;
	case BPF_ABS:
		if (to != &machine->a || at->k > sizeof(*call) - 4 || at->k % 4 != 0)
			return 0;
		*to = ((const uint32_t *)call)[at->k / 4];
		return 1;
	default:
		return 0;
	}
}

/* What a filter says of a call; what can't be understood is death. */
static uint32_t run(const struct filter *filter, uint32_t length, const struct seccomp_data *call)
{
	struct machine machine = {0};

	for (uint32_t i = 0; i < length; i++) {
		const struct sock_filter *at = &filter->code[i];
		const uint32_t with = BPF_SRC(at->code) == BPF_X ? machine.x : at->k;

		switch (BPF_CLASS(at->code)) {
		case BPF_LD:
		case BPF_LDX:
			if (!load(&machine, at, call))
				return SECCOMP_RET_KILL_PROCESS;
			break;
		case BPF_ST:
			machine.memory[at->k % BPF_MEMWORDS] = machine.a;
			break;
		case BPF_STX:
			machine.memory[at->k % BPF_MEMWORDS] = machine.x;
			break;
		case BPF_ALU:
			if (!calculate(&machine, BPF_OP(at->code), with))
				return SECCOMP_RET_KILL_PROCESS;
			break;
		case BPF_JMP:
			if (BPF_OP(at->code) == BPF_JA)
				i += at->k < length ? at->k : length;
			else
				i += holds(&machine, BPF_OP(at->code), with) ? at->jt : at->jf;
			break;
		case BPF_RET:
			return BPF_RVAL(at->code) == BPF_A ? machine.a : at->k;
		default: /* BPF_MISC */
			if (BPF_MISCOP(at->code) == BPF_TAX)
				machine.x = machine.a;
			else
				machine.a = machine.x;
		}
	}
	return SECCOMP_RET_KILL_PROCESS;
}

/* --- what we ask -------------------------------------------------------------- */

int filters_allow(long number, const uint64_t *arguments)
{
	struct seccomp_data call = {.nr = (int)number,
				    .arch = AUDIT_ARCH_X86_64,
				    .instruction_pointer = (uintptr_t)filters_allow};

	if (atomic_load(&unknown) || (atomic_load(&strict) && number != SYS_read &&
				      number != SYS_write && number != SYS_exit))
		return 0;
	raw_copy(call.args, arguments, sizeof(call.args));
	for (const struct filter *filter = atomic_load(&newest); filter != NULL;
	     filter = filter->before) {
		uint32_t length = atomic_load(&filter->length), verdict;

		if (length == 0)
			continue;
		verdict = run(filter, length, &call);
		/* An error of 0 is a success that was none. */
		if ((verdict & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ALLOW &&
		    (verdict & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_LOG &&
		    ((verdict & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO ||
		     (verdict & SECCOMP_RET_DATA) == 0))
			return 0;
	}
	return 1;
}

int filters_allow_start(void)
{
	static const short calls[] = {
	    SYS_openat,      SYS_read,       SYS_pread64,  SYS_close,          SYS_readlinkat,
	    SYS_fstat,       SYS_newfstatat, SYS_getxattr, SYS_faccessat,      SYS_faccessat2,
	    SYS_access,      SYS_geteuid,    SYS_shmat,    SYS_shmdt,          SYS_madvise,
	    SYS_mmap,        SYS_munmap,     SYS_mprotect, SYS_rt_sigprocmask, SYS_futex,
	    SYS_sigaltstack, SYS_getpid,     SYS_gettid,   SYS_getppid,        SYS_prlimit64,
	    SYS_writev,      SYS_pipe2};
	const uint64_t none[6] = {0};

	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!filters_allow(calls[i], none))
			return 0;
	return 1;
}
