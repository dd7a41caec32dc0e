/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* family DIE: starts DIE (the victim of that name) in every way there is; each of these
 * makes a number of allocations of its own. */
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#include "expect.h"

#define EXIT_STATUS 42 /* of die */

extern char **environ;

static void reap(pid_t child)
{
	int status;

	MUST(child > 0 && waitpid(child, &status, 0) == child);
	MUST(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_STATUS);
}

int main(int argc, char **argv)
{
	char *words[] = {(char *)"die", (char *)"return", NULL, NULL};
	char command[4096];
	pid_t child;
	FILE *pipe;

	MUST(argc == 2);
	words[2] = (char *)"101";
	if ((child = fork()) == 0)
		execv(argv[1], words), _exit(1);
	reap(child);
	words[2] = (char *)"102";
	if ((child = vfork()) == 0)
		execve(argv[1], words, environ), _exit(1);
	reap(child);
	words[2] = (char *)"103";
	MUST(!posix_spawn(&child, argv[1], NULL, NULL, words, environ));
	reap(child);
	words[2] = (char *)"104";
	MUST(!posix_spawnp(&child, argv[1], NULL, NULL, words, environ));
	reap(child);
	if ((child = fork()) == 0)
		execl(argv[1], "die", "return", "105", (char *)NULL), _exit(1);
	reap(child);
	if ((child = fork()) == 0)
		execlp(argv[1], "die", "return", "106", (char *)NULL), _exit(1);
	reap(child);
	if ((child = fork()) == 0)
		execle(argv[1], "die", "return", "107", (char *)NULL, environ), _exit(1);
	reap(child);
	words[2] = (char *)"108";
	if ((child = fork()) == 0)
		execvp(argv[1], words), _exit(1);
	reap(child);
	words[2] = (char *)"109";
	if ((child = fork()) == 0)
		execvpe(argv[1], words, environ), _exit(1);
	reap(child);
	snprintf(command, sizeof(command), "exec '%s' return 110", argv[1]);
	MUST(WEXITSTATUS(system(command)) == EXIT_STATUS);
	snprintf(command, sizeof(command), "exec '%s' return 111", argv[1]);
	MUST(pipe = popen(command, "r"));
	MUST(WEXITSTATUS(pclose(pipe)) == EXIT_STATUS);
	/* vfork whose child does not exec: it shares our memory, and its blocks are ours */
	if ((child = vfork()) == 0)
		_exit(EXIT_STATUS);
	reap(child);
	say("fine\n");
	return 0;
}
