/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* turns HOW: BEFORE blocks, then what HOW says, which ends in an image or child of this program
 * with LEAF blocks. The status is 4 where that image is the process itself, else 3. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BEFORE = 100, IN_HANDLER = 7, AT_EXIT = 15, LEAF = 33 };

extern char **environ;
static char *self;

static void allocate(int count)
{
	for (int i = 0; i < count; i++)
		if (malloc(16) == NULL)
			abort();
}

static void become_leaf(void)
{
	execl(self, self, "leaf", (char *)NULL);
	_exit(99);
}

static void handler(int number)
{
	(void)number;
	allocate(IN_HANDLER);
	become_leaf();
}

static void fork_leaf(void)
{
	if (fork() == 0) {
		allocate(LEAF);
		_exit(0);
	}
	wait(NULL);
	allocate(AT_EXIT);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	self = argv[0];
	if (strcmp(how, "leaf") == 0) {
		allocate(LEAF);
		return 4;
	}
	if (strcmp(how, "no_environment") == 0)
		environ = NULL;
	if (strcmp(how, "cleared") == 0)
		clearenv();
	if (strcmp(how, "emptied") == 0)
		memset(environ, 0, sizeof(*environ));
	allocate(BEFORE);
	if (strcmp(how, "atexit") == 0)
		return atexit(fork_leaf) == 0 ? 3 : 1;
	if (strcmp(how, "handler") == 0) {
		signal(SIGUSR1, handler);
		raise(SIGUSR1);
	} else if (strcmp(how, "fault") == 0) {
		signal(SIGSEGV, handler);
		raise(SIGSEGV);
	}
	become_leaf();
}
