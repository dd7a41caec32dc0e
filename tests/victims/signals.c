/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A signal handler that allocates while the program allocates. malloc is not made for
 * that, so the handler does it only where it interrupted something else than libc: the
 * program itself, or the collector's bookkeeping between two real calls.
 */
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>

#include "expect.h"

#define ENOUGH          3000 /* handlers that allocated */
#define LONGEST_SECONDS 8    /* where signals are rare */
#define MAIN_BYTES      80
#define HANDLER_BYTES   30

static uintptr_t libc_start, libc_end, loader_start, loader_end;
static volatile uint64_t handled;

static int find_libc(struct dl_phdr_info *info, size_t size, void *unused)
{
	uintptr_t start = UINTPTR_MAX, end = 0;

	(void)size;
	(void)unused;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

		if (segment->p_type != PT_LOAD)
			continue;
		if (info->dlpi_addr + segment->p_vaddr < start)
			start = info->dlpi_addr + segment->p_vaddr;
		if (info->dlpi_addr + segment->p_vaddr + segment->p_memsz > end)
			end = info->dlpi_addr + segment->p_vaddr + segment->p_memsz;
	}
	if (strstr(info->dlpi_name, "libc.so")) {
		libc_start = start;
		libc_end = end;
	} else if (strstr(info->dlpi_name, "ld-linux")) {
		loader_start = start;
		loader_end = end;
	}
	return 0;
}

static void handle(int number, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];

	(void)number;
	(void)info;
	if ((at >= libc_start && at < libc_end) || (at >= loader_start && at < loader_end))
		return;
	free(malloc(HANDLER_BYTES));
	handled = handled + 1;
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_RESTART};
	struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
	time_t last = time(NULL) + LONGEST_SECONDS;
	uint64_t rounds = 0;

	dl_iterate_phdr(find_libc, NULL);
	MUST(libc_end && loader_end);
	free(malloc(MAIN_BYTES)); /* whatever happens only once has happened */
	MUST(!sigaction(SIGALRM, &action, NULL));
	MUST(!setitimer(ITIMER_REAL, &often, NULL));
	while (handled < ENOUGH && time(NULL) < last) {
		for (int i = 0; i < 200; i++, rounds++)
			free(malloc(MAIN_BYTES));
	}
	MUST(!setitimer(ITIMER_REAL, &never, NULL));
	MUST(handled > 0);
	announce(&(struct figures){
	    .allocations = rounds + 1 + handled,
	    .deallocations = rounds + 1 + handled,
	    .bytes = (rounds + 1) * MAIN_BYTES + handled * HANDLER_BYTES,
	    .temporary = UNKNOWN, /* a handler may have come between malloc and free */
	    .reallocations = 0,
	    .peak_bytes = UNKNOWN,
	    .peak_blocks = UNKNOWN,
	});
	return 0;
}
