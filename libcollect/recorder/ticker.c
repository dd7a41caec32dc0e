/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "libcollect/recorder/ticker.h"

#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TICK_NS 1000000

static void *run(void *argument)
{
	const struct timespec tick = {.tv_nsec = TICK_NS};
	struct ticker *ticker = argument;

	while (atomic_load(&ticker->stop) == 0) {
		if (atomic_load(&ticker->awake) == 0) {
			syscall(SYS_futex, &ticker->awake, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
			continue;
		}
		nanosleep(&tick, NULL);
		atomic_fetch_add_explicit(&ticker->region->tick, 1, memory_order_relaxed);
	}
	return NULL;
}

void ticker_start(struct ticker *ticker, struct region *region)
{
	sigset_t all, before;

	ticker->region = region;
	atomic_store(&ticker->awake, 1);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ticker->runs = pthread_create(&ticker->thread, NULL, run, ticker) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void ticker_rest(struct ticker *ticker)
{
	atomic_store(&ticker->awake, 0);
}

void ticker_wake(struct ticker *ticker)
{
	if (atomic_exchange(&ticker->awake, 1) == 0)
		syscall(SYS_futex, &ticker->awake, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void ticker_stop(struct ticker *ticker)
{
	if (!ticker->runs)
		return;
	atomic_store(&ticker->stop, 1);
	ticker_wake(ticker);
	pthread_join(ticker->thread, NULL);
	ticker->runs = 0;
}
