/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Enters seccomp's strict mode while another thread is there, deletes as many blocks as it is
 * told, and exits: its thread alone, and that other ends the process. */
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static char *block[100];
static int ends[2];

static void *run(void *unused)
{
	char c;

	if (read(ends[0], &c, 1) == 1)
		_exit(0);
	return unused;
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 10;
	pthread_t thread;

	for (int i = 0; i < count; i++)
		block[i] = new char;
	if (pipe(ends) != 0 || pthread_create(&thread, NULL, run, NULL) != 0)
		return 1;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
		return 1;
	for (int i = 0; i < count; i++)
		delete block[i];
	if (write(ends[1], "", 1) == 1)
		syscall(SYS_exit, 0);
	return 1;
}
