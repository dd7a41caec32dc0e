/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "libcollect/recorder/cores.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#define LOOK_NS UINT64_C(5000000)
enum { LOOKS = sizeof(((struct cores *)0)->busy) / sizeof(unsigned) };

static void begin(struct cores *cores)
{
	cpu_set_t set;
	int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);

	cores->fd = fd >= 0 ? fd + 1 : -1;
	cores->all = sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
	for (unsigned i = 0; i < LOOKS; i++)
		cores->busy[i] = cores->all;
}

/* Threads that run or want to. Unknown: all cores are busy. */
static unsigned count_runnable(const struct cores *cores)
{
	char text[80];
	unsigned runnable;
	ssize_t length = pread(cores->fd - 1, text, sizeof(text) - 1, 0);

	if (length <= 0)
		return cores->all;
	text[length] = '\0';
	return sscanf(text, "%*s %*s %*s %u/", &runnable) == 1 ? runnable : cores->all;
}

unsigned cores_hands(struct cores *cores, uint64_t now_ns)
{
	unsigned most = 1;

	if (cores->fd == 0)
		begin(cores);
	if (cores->all < 2 || cores->fd < 0)
		return 1;
	if (now_ns - cores->looked_ns >= LOOK_NS) {
		cores->looked_ns = now_ns;
		cores->busy[cores->next++ % LOOKS] = count_runnable(cores);
	}
	for (unsigned i = 0; i < LOOKS; i++)
		if (cores->busy[i] > most)
			most = cores->busy[i];
	return most < cores->all ? 1 + cores->all - most : 1;
}

void cores_release(struct cores *cores)
{
	if (cores->fd > 0)
		close(cores->fd - 1);
	*cores = (struct cores){0};
}
