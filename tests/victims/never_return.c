/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Built with -O2 -falign-functions=1: a call that never returns is the last instruction of
 * its function, so that the return address belongs to the next one, whose frame is another. */
#include <setjmp.h>

#include "expect.h"

#define ROUNDS      500
#define BLOCK_BYTES 90

#define APART __attribute__((noinline, noclone))

static jmp_buf landing;
static void *kept;
static volatile uint64_t sum;

APART __attribute__((noreturn)) static void finish(int value)
{
	kept = malloc(BLOCK_BYTES);
	longjmp(landing, value);
}

APART static uint64_t small(uint64_t value)
{
	return value + 1;
}

APART __attribute__((noreturn)) static void roomy(int value)
{
	volatile uint64_t room[20];

	room[value % 20] = small(sum);
	sum = room[value % 20];
	finish(value);
}

APART static uint64_t crowded(uint64_t a, uint64_t b)
{
	uint64_t c = small(a), d = small(b), e = small(c * d);

	return small(a * e + b * d) + c;
}

/* the call is in the cold part of the function */
APART static uint64_t seldom(uint64_t value)
{
	uint64_t b = crowded(value, 3);

	if (__builtin_expect(value % 2 == 1, 0))
		roomy((int)b | 1);
	return crowded(b, value);
}

APART __attribute__((noreturn)) static void through(int value)
{
	volatile char room[200];

	room[0] = (char)value;
	sum += seldom((uint64_t)value | 1);
	roomy(room[0] | 1);
}

int main(void)
{
	static volatile unsigned i;

	for (i = 0; i < ROUNDS; i++) {
		if (!setjmp(landing)) {
			if (i % 3 == 0)
				finish(1);
			else if (i % 3 == 1)
				roomy(1);
			else
				through(1);
		}
		free(kept);
	}
	announce(&(struct figures){
	    .allocations = ROUNDS,
	    .deallocations = ROUNDS,
	    .bytes = ROUNDS * BLOCK_BYTES,
	    .temporary = ROUNDS,
	    .peak_bytes = BLOCK_BYTES,
	    .peak_blocks = 1,
	});
	return 0;
}
