/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fork_chain DEPTH: a child of a child of a child ..., each with 5 blocks of its own and
 * one that it frees of its parent's. */
#include <sys/wait.h>

#include "expect.h"

#define OWN 5

int main(int argc, char **argv)
{
	int depth = argc > 1 ? atoi(argv[1]) : 20;
	void *last = NULL;

	for (;;) {
		pid_t child;
		int status;

		free(last);
		for (int i = 0; i < OWN; i++)
			MUST(last = malloc(32));
		if (depth-- == 0)
			return 3;
		MUST((child = fork()) >= 0);
		if (child == 0)
			continue;
		MUST(waitpid(child, &status, 0) == child);
		MUST(WIFEXITED(status) && WEXITSTATUS(status) == 3);
		return 3;
	}
}
