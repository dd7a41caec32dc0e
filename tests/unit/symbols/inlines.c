/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* C: functions inlined two deep, a static one, one that the compiler splits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline __attribute__((always_inline)) char *innermost(size_t bytes)
{
	char *block = malloc(bytes);
	if (!block)
		abort();
	return memset(block, 1, bytes);
}

static inline __attribute__((always_inline)) char *middle(size_t bytes)
{
	char *first = innermost(bytes);
	char *second = innermost(bytes + 1);
	first[0] = second[bytes];
	free(second);
	return first;
}

__attribute__((noinline)) static int hidden(int count)
{
	int sum = 0;
	for (int i = 0; i < count; i++) {
		char *block = middle((size_t)i + 1);
		sum += block[0];
		free(block);
	}
	return sum;
}

__attribute__((noinline)) int exported_sum(int count);
__attribute__((noinline)) int exported_sum(int count)
{
	if (count > 1000) {
		fprintf(stderr, "too many: %d\n", count);
		exit(1);
	}
	return hidden(count) + hidden(count / 2);
}

int main(int argc, char **argv)
{
	printf("%d\n", exported_sum(argc + (argv[1] ? atoi(argv[1]) : 3)));
	return 0;
}
