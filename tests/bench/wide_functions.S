/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For wide.c: function_0 to function_99999, and where each begins. The argument stays in rdi. */
	.altmacro
	.set number, 0
	.macro function n
	.type function_\n, @function
function_\n:
	.cfi_startproc
	subq $8, %rsp
	.cfi_adjust_cfa_offset 8
	movq wide_path(%rip), %rax
	addq $8, wide_path(%rip)
	call *(%rax)
	addq $8, %rsp
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size function_\n, . - function_\n
	.pushsection .data.rel
	.quad function_\n
	.popsection
	.endm
	.macro another
	function %number
	.set number, number + 1
	.endm

	.section .data.rel
	.globl wide_functions
	.p2align 3
wide_functions:
	.text
	.rept 100000
	another
	.endr
	.section .note.GNU-stack, "", @progbits
