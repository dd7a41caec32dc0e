/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* calloc of more than 4 GiB, by a product of two 32-bit numbers, and the aligned ones.
 * (Not under memcheck, which would write all of it.) */
#include <malloc.h>

#include "expect.h"

#define MEMBERS       UINT64_C(70000)
#define MEMBER_BYTES  UINT64_C(70001)
#define ALIGNED_BYTES ((UINT64_C(4) << 30) + 4096)

int main(void)
{
	void *block = calloc(MEMBERS, MEMBER_BYTES), *aligned;

	if (!block || posix_memalign(&aligned, 4096, ALIGNED_BYTES)) {
		say("this machine refuses blocks of 5 GB\n");
		return 77;
	}
	free(block);
	free(aligned);
	announce(&(struct figures){
	    .allocations = 2,
	    .deallocations = 2,
	    .bytes = MEMBERS * MEMBER_BYTES + ALIGNED_BYTES,
	    .temporary = 1,
	    .peak_bytes = MEMBERS * MEMBER_BYTES + ALIGNED_BYTES,
	    .peak_blocks = 2,
	});
	return 0;
}
