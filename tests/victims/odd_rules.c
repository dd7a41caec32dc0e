/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Assembly with true unwind information of the rarer kinds: a CFA in another register, or
 * read from the stack by an expression; rbp kept in another register, or far away.
 */
#include "expect.h"

#define ROUNDS      50
#define DEPTH       6
#define BLOCK_BYTES 88

typedef void function(unsigned depth);

function in_rbx, in_r12, through_rbp, through_rsp, rbp_in_rbx, rbp_far, rbp_by_expression, descend;

#define ASSEMBLY(name, text)                                                                       \
	__asm__(".text\n.type " #name ", @function\n" #name ":\n.cfi_startproc\n" text             \
		"ret\n.cfi_endproc\n")

/* As gcc realigns a stack when rbp is taken. */
ASSEMBLY(in_rbx, "push %rbx\n"
		 ".cfi_def_cfa %rsp, 16\n"
		 ".cfi_offset %rbx, -16\n"
		 "mov %rsp, %rbx\n"
		 ".cfi_def_cfa_register %rbx\n"
		 "sub $100, %rsp\n"
		 "and $-64, %rsp\n"
		 "call descend\n"
		 "mov %rbx, %rsp\n"
		 ".cfi_def_cfa_register %rsp\n"
		 "pop %rbx\n"
		 ".cfi_def_cfa %rsp, 8\n");
ASSEMBLY(in_r12, "push %r12\n"
		 ".cfi_def_cfa %rsp, 16\n"
		 ".cfi_offset %r12, -16\n"
		 "lea 16(%rsp), %r12\n"
		 ".cfi_def_cfa %r12, 0\n"
		 "push %rbp\n"
		 ".cfi_offset %rbp, -24\n"
		 "and $-32, %rsp\n"
		 "mov $1, %ebp\n"
		 "call descend\n"
		 "lea -24(%r12), %rsp\n"
		 "pop %rbp\n"
		 ".cfi_same_value %rbp\n"
		 "pop %r12\n"
		 ".cfi_def_cfa %rsp, 8\n");
/* CFA = *(rbp - 32), where gcc's realigned frames have it at rbp - 8. */
ASSEMBLY(through_rbp, "lea 8(%rsp), %r10\n"
		      ".cfi_def_cfa %r10, 0\n"
		      "and $-64, %rsp\n"
		      "push -8(%r10)\n"
		      "push %rbp\n"
		      "mov %rsp, %rbp\n"
		      ".cfi_escape 0x10, 6, 2, 0x76, 0\n"
		      "sub $24, %rsp\n"
		      "push %r10\n"
		      ".cfi_escape 0x0f, 3, 0x76, 0x60, 0x06\n"
		      "sub $16, %rsp\n"
		      "call descend\n"
		      "mov -32(%rbp), %r10\n"
		      ".cfi_def_cfa %r10, 0\n"
		      "leave\n"
		      "lea -8(%r10), %rsp\n"
		      ".cfi_def_cfa %rsp, 8\n");
/* CFA = *(rsp + 40) + 8, as in assembly of OpenSSL's. */
ASSEMBLY(through_rsp, "mov %rsp, %rax\n"
		      ".cfi_def_cfa_register %rax\n"
		      "sub $64, %rsp\n"
		      "and $-64, %rsp\n"
		      "mov %rax, 40(%rsp)\n"
		      ".cfi_escape 0x0f, 5, 0x77, 40, 0x06, 0x23, 8\n"
		      "call descend\n"
		      "mov 40(%rsp), %rsp\n"
		      ".cfi_def_cfa %rsp, 8\n");
ASSEMBLY(rbp_in_rbx, "push %rbx\n"
		     ".cfi_def_cfa %rsp, 16\n"
		     ".cfi_offset %rbx, -16\n"
		     "mov %rbp, %rbx\n"
		     ".cfi_register %rbp, %rbx\n"
		     "mov $3, %ebp\n"
		     "call descend\n"
		     "mov %rbx, %rbp\n"
		     ".cfi_same_value %rbp\n"
		     "pop %rbx\n"
		     ".cfi_def_cfa %rsp, 8\n");
/* Further from the CFA than a short rule can say. */
ASSEMBLY(rbp_far, "sub $70008, %rsp\n"
		  ".cfi_adjust_cfa_offset 70008\n"
		  "mov %rbp, 32(%rsp)\n"
		  ".cfi_rel_offset %rbp, 32\n"
		  "mov $5, %ebp\n"
		  "call descend\n"
		  "mov 32(%rsp), %rbp\n"
		  ".cfi_same_value %rbp\n"
		  "add $70008, %rsp\n"
		  ".cfi_adjust_cfa_offset -70008\n");
/* rbp = *(rsp + 16) */
ASSEMBLY(rbp_by_expression, "sub $40, %rsp\n"
			    ".cfi_adjust_cfa_offset 40\n"
			    "mov %rbp, 16(%rsp)\n"
			    ".cfi_escape 0x10, 6, 2, 0x77, 16\n"
			    "mov $7, %ebp\n"
			    "call descend\n"
			    "mov 16(%rsp), %rbp\n"
			    ".cfi_same_value %rbp\n"
			    "add $40, %rsp\n"
			    ".cfi_adjust_cfa_offset -40\n");

static function *const functions[] = {in_rbx,     in_r12,  through_rbp,      through_rsp,
				      rbp_in_rbx, rbp_far, rbp_by_expression};
#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

static uint64_t blocks;
static unsigned way;

void descend(unsigned depth)
{
	free(malloc(BLOCK_BYTES));
	blocks++;
	if (depth == 0)
		return;
	way = way * 5 + depth;
	functions[way % FUNCTIONS](depth - 1);
	free(malloc(BLOCK_BYTES));
	blocks++;
}

int main(void)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		way = i;
		descend(DEPTH);
	}
	MUST(blocks == ROUNDS * (2 * DEPTH + 1));
	announce(one_by_one(blocks, BLOCK_BYTES));
	return 0;
}
