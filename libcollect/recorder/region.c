/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "libcollect/recorder/region.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/shm.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "libcollect/recorder/recorder.h"

#define REGION_BYTES (UINT64_C(1) << 30)
#define REGION_LEAST (UINT64_C(16) << 20)
enum { USED_RINGS_MOST = 256 }; /* 40 to 200 KiB each */

/* The kernel leaves the TSC for one of these where it does not trust it. */
static int tsc_distrusted(void)
{
	static const char *const worse[] = {"hpet", "acpi_pm", "jiffies", "refined-jiffies"};
	char name[32] = "";
	FILE *file =
	    fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");

	if (file == NULL)
		return 0;
	if (fscanf(file, "%31s", name) != 1)
		name[0] = '\0';
	fclose(file);
	for (size_t i = 0; i < sizeof(worse) / sizeof(worse[0]); i++)
		if (strcmp(name, worse[i]) == 0)
			return 1;
	return 0;
}

static uint32_t choose_clock(void)
{
#if defined(__x86_64__)
	unsigned a, b, c, d;

	if (__get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8) && !tsc_distrusted())
		return CLOCK_TSC;
#endif
	return CLOCK_NANOSECONDS;
}

static uint64_t choose_bytes(void)
{
	struct rlimit limit;
	uint64_t bytes = REGION_BYTES;

	if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	    limit.rlim_cur / 8 < bytes)
		bytes = limit.rlim_cur / 8;
	if (bytes < REGION_LEAST)
		bytes = REGION_LEAST;
	return bytes & ~(uint64_t)(CHUNK_BYTES - 1);
}

static void lay_out(struct region *region, uint64_t bytes)
{
	uint64_t header = sizeof(*region) + bytes / CHUNK_BYTES * 2 * sizeof(uint32_t);

	region->magic = REGION_MAGIC;
	region->version = CONTRACT_VERSION;
	region->bytes = bytes;
	/* Chunk 0 is no chunk: the header lies where it would be. */
	region->chunk_offset = (uint32_t)((header + 4095) & ~UINT64_C(4095));
	region->chunk_offset =
	    region->chunk_offset > CHUNK_BYTES ? region->chunk_offset - CHUNK_BYTES : 0;
	region->chunks = (uint32_t)((bytes - region->chunk_offset) / CHUNK_BYTES);
	region->clock = choose_clock();
	region->follow_fork = 1;
	atomic_store(&region->fresh, 1);
}

struct region *region_create(int *id)
{
	struct region *region;
	uint64_t bytes = choose_bytes();
	int error;

	for (;; bytes /= 2) {
		*id = shmget(IPC_PRIVATE, bytes, IPC_CREAT | SHM_NORESERVE | 0600);
		if (*id >= 0 || bytes / 2 < REGION_LEAST)
			break;
	}
	if (*id < 0)
		return NULL;
	region = shmat(*id, NULL, 0);
	error = errno;
	/* Linux lets others attach by number until the last one is gone. */
	shmctl(*id, IPC_RMID, NULL);
	if (region == (void *)-1) {
		errno = error;
		return NULL;
	}
	madvise(region, bytes, MADV_DONTDUMP);
	lay_out(region, bytes);
	if (getrandom(&region->cookie, sizeof(region->cookie), 0) !=
	    (ssize_t)sizeof(region->cookie)) {
		error = errno;
		shmdt(region);
		errno = error;
		return NULL;
	}
	return region;
}

/* The segment's number is the inode of its mapping. */
static int find_id(const void *address)
{
	unsigned long start, inode;
	char *line = NULL;
	size_t size = 0;
	int id = -1;
	FILE *maps = fopen("/proc/self/maps", "re");

	if (maps == NULL)
		return -1;
	while (id < 0 && getline(&line, &size, maps) > 0)
		if (sscanf(line, "%lx-%*x %*s %*x %*s %lu", &start, &inode) == 2 &&
		    start == (unsigned long)address)
			id = (int)inode;
	free(line);
	fclose(maps);
	return id;
}

void shared_open(struct shared *shared, struct region *region)
{
	shared->region = region;
	shared->chunks = region->chunks;
	shared->next = region_next(region);
	shared->owner = region_owner(region);
	shared->chunk0 = (char *)region + region->chunk_offset;
	shared->id = find_id(region);
}

static void push(const struct shared *shared, _Atomic uint64_t *stack, uint32_t chunk)
{
	uint64_t top;

	atomic_store(&shared->owner[chunk], 0);
	top = atomic_load(stack);
	do {
		atomic_store_explicit(&shared->next[chunk], (uint32_t)top, memory_order_relaxed);
	} while (!atomic_compare_exchange_weak(stack, &top, ((top >> 32) + 1) << 32 | chunk));
}

void shared_return(const struct shared *shared, uint32_t chunk)
{
	void *start = shared_chunk(shared, chunk);

	if (start == NULL)
		return;
	/* The next owner finds zeros, and the memory is free until then. */
	if (madvise(start, CHUNK_BYTES, MADV_REMOVE) != 0)
		memset(start, 0, CHUNK_BYTES);
	push(shared, &shared->region->pool, chunk);
}

void shared_return_ring(const struct shared *shared, uint32_t chunk)
{
	struct region *region = shared->region;
	const struct ring *ring = shared_chunk(shared, chunk);
	uint32_t most =
	    shared->chunks / 16 < USED_RINGS_MOST ? shared->chunks / 16 : USED_RINGS_MOST;

	/* Who wrote much has much memory, and lived long enough for what the next one costs. */
	if (ring == NULL || atomic_load(&ring->head) > SEGMENT_WORDS ||
	    atomic_load(&region->used_ring_count) >= most) {
		shared_return(shared, chunk);
		return;
	}
	atomic_fetch_add(&region->used_ring_count, 1);
	push(shared, &region->used_rings, chunk);
}

void shared_return_all(const struct shared *shared, uint32_t epoch)
{
	uint32_t fresh = atomic_load(&shared->region->fresh);

	for (uint32_t chunk = 1; epoch != 0 && chunk < fresh && chunk < shared->chunks; chunk++)
		if (atomic_load_explicit(&shared->owner[chunk], memory_order_relaxed) == epoch)
			shared_return(shared, chunk);
}

int shared_is_low(const struct shared *shared)
{
	return (uint32_t)atomic_load(&shared->region->pool) == CHUNK_NONE &&
	       atomic_load(&shared->region->fresh) + 16 >= shared->chunks;
}

long shared_attached(const struct shared *shared)
{
	struct shmid_ds status;

	if (shared->id < 0 || shmctl(shared->id, IPC_STAT, &status) != 0)
		return -1;
	return (long)status.shm_nattch;
}
