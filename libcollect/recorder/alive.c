/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "libcollect/recorder/alive.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "formats/error.h"

static struct robust_list_head robust_head;
static struct robust_list robust_entry;

int alive_begin(struct region *region)
{
	_Atomic uint32_t *word = &region->recorder;

	robust_entry.next = &robust_head.list;
	robust_head.list.next = &robust_entry;
	robust_head.futex_offset = (char *)word - (char *)&robust_entry;
	robust_head.list_op_pending = NULL;
	if (syscall(SYS_set_robust_list, &robust_head, sizeof(robust_head)) != 0)
		return ERROR_SYSTEM;
	atomic_store(word, (uint32_t)syscall(SYS_gettid));
	return 0;
}

void alive_end(struct region *region)
{
	atomic_store(&region->recorder, 0);
	robust_head.list.next = &robust_head.list;
}

int alive_nap(const struct shared *shared, uint64_t ns, enum region_sleep depth)
{
	struct region *region = shared->region;
	struct timespec time = {.tv_sec = (time_t)(ns / 1000000000u),
				.tv_nsec = (long)(ns % 1000000000u)};
	uint32_t wake = atomic_load(&region->wake);
	long result;

	atomic_store(&region->sleeping, depth);
	/* Behind that: whoever sees the new tick sees whether to wake us. */
	shared_alive(shared);
	result = syscall(SYS_futex, &region->wake, FUTEX_WAIT, wake, &time, NULL, 0);
	atomic_store(&region->sleeping, SLEEPING_NOT);
	return result == 0 || errno == EAGAIN;
}

void alive_ignore_signals(void)
{
	static const int ignored[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGXFSZ};

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
}
