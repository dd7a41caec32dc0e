/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/preload/limits.h"

#include "libcollect/preload/rawio.h"

#include "libcollect/preload/banned.h"

#define SHARE_LEAST (UINT64_C(16) << 20)

static long change(const struct rlimit *to, struct rlimit *from)
{
	return raw_syscall(SYS_prlimit64, 0, RLIMIT_AS, (long)to, (long)from, 0, 0);
}

int limits_address_space(struct rlimit *limit)
{
	return !raw_failed(change(NULL, limit)) && limit->rlim_cur != RLIM_INFINITY;
}

long limits_attach(int id, const struct rlimit *limit)
{
	const struct rlimit lifted[] = {{limit->rlim_max, limit->rlim_max},
					{RLIM_INFINITY, RLIM_INFINITY}};
	long at = raw_syscall(SYS_shmat, id, 0, 0, 0, 0, 0);

	for (unsigned i = 0; i < 2 && raw_failed(at); i++) {
		if (raw_failed(change(&lifted[i], NULL)))
			continue;
		at = raw_syscall(SYS_shmat, id, 0, 0, 0, 0, 0);
		change(limit, NULL);
	}
	return at;
}

uint64_t limits_share(uint64_t bytes)
{
	return bytes / 8 > SHARE_LEAST ? bytes / 8 : SHARE_LEAST;
}
