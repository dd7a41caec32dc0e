/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bench/driver.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/bench/capture.h"

#define SCAN_SECONDS    0.010
#define ENDS_SECONDS    0.002
#define THREADS_SECONDS 0.010

static const char *const counter_names[SESSION_COUNTERS] = {
    [COUNT_LOST_SIGNAL] = "lost-signal",         [COUNT_LOST_NO_RING] = "lost-no-ring",
    [COUNT_LOST_ADDRESS] = "lost-address",       [COUNT_LOST_OTHER] = "lost-other",
    [COUNT_STACK_UNKNOWN] = "stack-unknown",     [COUNT_STACK_FALLBACK] = "stack-fallback",
    [COUNT_EXEC_UNRECORDED] = "exec-unrecorded",
};

static const char *const kind_names[] = {
    [EVENT_ALLOC] = "alloc",
    [EVENT_FREE] = "free",
    [EVENT_REALLOC_FREE] = "realloc-free",
    [EVENT_REALLOC_ALLOC] = "realloc-alloc",
    [EVENT_TIME] = "time",
    [EVENT_SKIP] = "skip",
};

void driver_open(struct driver *driver, struct region *region)
{
	shared_open(&driver->shared, region);
	driver->epochs = atomic_load(&region->epochs);
	clock_start(&driver->clock, region->clock);
}

/* --- what came ------------------------------------------------------------- */

static void say(const struct driver *driver, const char *what, const struct driver_sums *sums)
{
	FILE *out = driver->output;

	if (out == NULL)
		return;
	fprintf(out, "driver: %s: words=%ju rings=%ju ring-chunks=%ju chunks=%ju waits=%ju", what,
		(uintmax_t)sums->words, (uintmax_t)sums->rings, (uintmax_t)sums->ring_chunks,
		(uintmax_t)sums->chunks, (uintmax_t)sums->waits);
	fprintf(out, " nodes=%ju module-bytes=%ju", (uintmax_t)sums->nodes,
		(uintmax_t)sums->module_bytes);
	for (unsigned i = 0; i < SESSION_COUNTERS; i++)
		if (sums->counter[i] != 0 || i == COUNT_STACK_FALLBACK)
			fprintf(out, " %s=%ju",
				counter_names[i] != NULL ? counter_names[i] : "counter-?",
				(uintmax_t)sums->counter[i]);
	if (driver->counting) {
		for (unsigned i = 1; i <= EVENT_SKIP; i++)
			fprintf(out, " %s=%ju", kind_names[i], (uintmax_t)sums->kind[i]);
		fprintf(out, " stamped=%ju wide=%ju node-0=%ju bad=%ju", (uintmax_t)sums->stamped,
			(uintmax_t)sums->wide, (uintmax_t)sums->unknown, (uintmax_t)sums->bad);
	}
	fputc('\n', out);
	fflush(out);
}

static void add(struct driver_sums *to, const struct driver_sums *from)
{
	uint64_t *sum = (uint64_t *)to;
	const uint64_t *more = (const uint64_t *)from;
	uint64_t most = to->ring_chunks > from->ring_chunks ? to->ring_chunks : from->ring_chunks;

	for (size_t i = 0; i < sizeof(*to) / sizeof(*sum); i++)
		sum[i] += more[i];
	to->ring_chunks = most;
}

/* --- captures -------------------------------------------------------------- */

static void start_capture(struct driver *driver, struct driver_session *of)
{
	struct capture_session session = {of->session->opened, driver->clock.rate};
	char path[PATH_MAX];

	if (driver->save == NULL)
		return;
	clock_refine(&driver->clock);
	session.rate = driver->clock.rate;
	if (driver->sessions == 0)
		snprintf(path, sizeof(path), "%s", driver->save);
	else
		snprintf(path, sizeof(path), "%s.%u", driver->save, driver->sessions + 1);
	of->capture = capture_create(path, &session);
	if (of->capture == NULL)
		fprintf(stderr, "driver: %s: %s\n", path, strerror(errno));
}

static void save_ring(const struct driver_session *of, const struct driver_ring *at)
{
	struct capture_ring ring = {at->ring->opened, at->tid, 0};

	if (of->capture != NULL)
		capture_write(of->capture, CAPTURE_RING, at->number, &ring, sizeof(ring));
}

static void end_capture(const struct driver *driver, struct driver_session *of)
{
	if (of->capture != NULL && capture_finish(of->capture, &driver->shared, of->session) != 0)
		fprintf(stderr, "driver: a capture could not be written: %s\n", strerror(errno));
	of->capture = NULL;
}

/* --- the words ------------------------------------------------------------- */

static const uint64_t *segment_at(const struct driver *driver, const struct ring *ring,
				  uint64_t number)
{
	unsigned place =
	    atomic_load_explicit(&ring->place[number % RING_SEGMENTS], memory_order_relaxed);
	const uint64_t *more;

	if (place < RING_FIRST_SEGMENTS)
		return ring->segment[place];
	if (place >= RING_SEGMENTS)
		return NULL;
	place -= RING_FIRST_SEGMENTS;
	more = shared_chunk(&driver->shared, atomic_load(&ring->more[place / SEGMENTS_PER_CHUNK]));
	return more != NULL ? more + place % SEGMENTS_PER_CHUNK * (uint64_t)SEGMENT_WORDS : NULL;
}

/* Counts the event at a word of a segment that has so many left; gives its words. */
static uint64_t count_event(struct driver_sums *sums, const uint64_t *at, uint64_t left)
{
	const uint64_t unused = UINT64_C(1) << 53 | UINT64_C(3) << 62 | UINT64_C(3) << 60;
	unsigned kind = EVENT_KIND(*at), words = event_words(*at);

	sums->kind[kind]++;
	if (kind == EVENT_SKIP)
		return left;
	if (words > left || kind == 0 || kind > EVENT_SKIP || (*at & (unused & ~EVENT_WIDE)) != 0 ||
	    (kind == EVENT_TIME ? (*at & EVENT_STAMPED) == 0 : EVENT_ADDRESS(*at) == 0) ||
	    ((*at & EVENT_WIDE) != 0 && !event_is_allocation(*at))) {
		sums->bad++;
		return left;
	}
	sums->stamped += (*at & EVENT_STAMPED) != 0;
	sums->wide += (*at & EVENT_WIDE) != 0;
	sums->unknown += event_is_allocation(*at) && EVENT_NODE(at[1]) == 0;
	return words;
}

static void count_words(const struct driver *driver, struct driver_sums *sums,
			const struct ring *ring, uint64_t tail, uint64_t head)
{
	while (tail < head) {
		const uint64_t *segment = segment_at(driver, ring, tail / SEGMENT_WORDS);
		uint64_t offset = tail % SEGMENT_WORDS, left = SEGMENT_WORDS - offset;

		if (left > head - tail)
			left = head - tail;
		if (segment == NULL) {
			sums->bad++;
			tail += left;
		} else {
			tail += count_event(sums, segment + offset, left);
		}
	}
}

static void save_words(const struct driver *driver, const struct driver_session *of,
		       const struct driver_ring *at, uint64_t tail, uint64_t head)
{
	while (tail < head) {
		const uint64_t *segment = segment_at(driver, at->ring, tail / SEGMENT_WORDS);
		uint64_t offset = tail % SEGMENT_WORDS, left = SEGMENT_WORDS - offset;

		if (left > head - tail)
			left = head - tail;
		if (segment != NULL)
			capture_write(of->capture, CAPTURE_WORDS, at->number, segment + offset,
				      left * sizeof(*segment));
		tail += left;
	}
}

static void drain(const struct driver *driver, struct driver_session *of, struct driver_ring *at)
{
	struct ring *ring = at->ring;
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
	uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	/* A child forked in the middle of a hook may have set it back for a moment. */
	if ((int64_t)(head - tail) > 0) {
		if (driver->counting)
			count_words(driver, &of->sums, ring, tail, head);
		if (of->capture != NULL)
			save_words(driver, of, at, tail, head);
		of->sums.words += head - tail;
		atomic_store_explicit(&ring->tail, head, memory_order_release);
	}
	/* Pairs with the program's store of waiting before its look at tail. */
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&ring->waiting, memory_order_relaxed) != 0) {
		of->sums.waits++;
		atomic_store(&ring->waiting, 0);
		atomic_fetch_add(&ring->room, 1);
		syscall(SYS_futex, &ring->room, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	}
}

/* --- rings ------------------------------------------------------------------ */

static void add_ring(const struct driver *driver, struct driver_session *of, uint32_t chunk)
{
	struct ring *ring = shared_chunk(&driver->shared, chunk);

	if (of->count == of->room) {
		of->room = of->room != 0 ? of->room * 2 : 4;
		of->rings = realloc(of->rings, of->room * sizeof(*of->rings));
		if (of->rings == NULL)
			abort();
	}
	/* Two threads never have one number at one time. */
	for (size_t i = 0; i < of->count; i++)
		of->rings[i].gone |= of->rings[i].tid == ring->tid;
	of->rings[of->count] = (struct driver_ring){
	    .ring = ring, .chunk = chunk, .tid = ring->tid, .number = (uint32_t)of->sums.rings++};
	save_ring(of, &of->rings[of->count++]);
}

static void adopt(const struct driver *driver, struct driver_session *of)
{
	uint32_t chunk = atomic_load_explicit(&of->session->rings, memory_order_relaxed);
	const struct ring *ring;

	if (chunk == CHUNK_NONE)
		return;
	chunk = atomic_exchange(&of->session->rings, CHUNK_NONE);
	for (; (ring = shared_chunk(&driver->shared, chunk)) != NULL; chunk = ring->next)
		add_ring(driver, of, chunk);
}

static void note_chunks(struct driver_session *of, const struct ring *ring)
{
	uint64_t chunks = 1;

	for (unsigned i = 0; i < RING_MORE_CHUNKS; i++)
		chunks += atomic_load(&ring->more[i]) != CHUNK_NONE;
	if (chunks > of->sums.ring_chunks)
		of->sums.ring_chunks = chunks;
}

/* Gives back the rings of threads that have ended. The thread is looked at before
 * the ring: what an ended one wrote is there. */
static void drop_rings(const struct driver *driver, struct driver_session *of)
{
	for (size_t i = 0; i < of->count; i++) {
		struct driver_ring *at = &of->rings[i];

		if (!at->gone)
			at->gone = syscall(SYS_tgkill, of->pid, at->tid, 0) != 0 && errno == ESRCH;
		if (!at->gone)
			continue;
		drain(driver, of, at);
		note_chunks(of, at->ring);
		for (unsigned k = 0; k < RING_MORE_CHUNKS; k++)
			shared_return(&driver->shared, atomic_load(&at->ring->more[k]));
		shared_return_ring(&driver->shared, at->chunk);
		of->rings[i--] = of->rings[--of->count];
	}
}

/* --- sessions ---------------------------------------------------------------- */

static void drain_all(const struct driver *driver, struct driver_session *of)
{
	uint32_t lone = 0, active = 0;

	adopt(driver, of);
	for (size_t i = 0; i < of->count; i++) {
		uint64_t before = of->sums.words;

		drain(driver, of, &of->rings[i]);
		if (of->sums.words != before && ++active == 1)
			lone = of->rings[i].chunk;
	}
	atomic_store(&of->session->lone, active == 1 ? lone : 0);
}

static void give_back(struct driver *driver, const struct driver_session *of)
{
	struct session *session = of->session;
	const size_t state = sizeof(session->state);

	shared_return_all(&driver->shared, of->epoch);
	memset((char *)session + state, 0, sizeof(*session) - state);
	atomic_store_explicit(&session->state, SESSION_FREE, memory_order_release);
}

/* Whose process may still live keeps what it has. */
static void end_session(struct driver *driver, struct driver_session *of, int alive)
{
	struct session *session = of->session;
	uint32_t fresh = atomic_load(&driver->shared.region->fresh);
	char what[300];

	drain_all(driver, of);
	end_capture(driver, of);
	for (size_t i = 0; i < of->count; i++)
		note_chunks(of, of->rings[i].ring);
	for (uint32_t chunk = 1; chunk < fresh && chunk < driver->shared.chunks; chunk++)
		of->sums.chunks += atomic_load(&driver->shared.owner[chunk]) == of->epoch;
	of->sums.nodes = atomic_load(&session->node_count) - 1;
	of->sums.module_bytes = atomic_load(&session->module_bytes);
	for (unsigned i = 0; i < SESSION_COUNTERS; i++)
		of->sums.counter[i] = atomic_load(&session->counter[i]);
	snprintf(what, sizeof(what), "%d %.*s%s", (int)of->pid, (int)sizeof(session->program),
		 *session->program != '\0' ? session->program : "(forked)",
		 atomic_load(&session->state) == SESSION_ABANDONED ? " ABANDONED" : "");
	say(driver, what, &of->sums);
	add(&driver->sums, &of->sums);
	free(of->rings);
	if (of->pidfd >= 0)
		close(of->pidfd);
	if (!alive)
		give_back(driver, of);
	*of = (struct driver_session){.pidfd = -1};
	driver->open--;
}

/* A process has one image: the one before ended by an exec. */
static void end_image_before(struct driver *driver, struct driver_session *image)
{
	for (unsigned i = 0; i < SESSIONS_MAX; i++) {
		struct driver_session *of = &driver->session[i];

		if (of == image || of->session == NULL || of->pid != image->pid)
			continue;
		if (of->epoch < image->epoch) {
			end_session(driver, of, 0);
			continue;
		}
		end_session(driver, image, 0);
		return;
	}
}

static void find_sessions(struct driver *driver, double now, int all)
{
	uint32_t epochs = atomic_load(&driver->shared.region->epochs);

	if (!all && epochs == driver->epochs && now - driver->scanned < SCAN_SECONDS)
		return;
	driver->epochs = epochs;
	driver->scanned = now;
	for (unsigned i = 0; i < SESSIONS_MAX; i++) {
		struct driver_session *of = &driver->session[i];
		struct session *session = &driver->shared.region->session[i];

		if (of->session != NULL ||
		    atomic_load_explicit(&session->state, memory_order_acquire) != SESSION_OPEN)
			continue;
		*of = (struct driver_session){
		    .session = session, .epoch = session->epoch, .pid = session->pid};
		of->pidfd = (int)syscall(SYS_pidfd_open, of->pid, 0);
		start_capture(driver, of);
		driver->open++;
		driver->sessions++;
		end_image_before(driver, of);
	}
}

static int is_over(const struct driver_session *of)
{
	struct pollfd one = {.fd = of->pidfd, .events = POLLIN};

	return of->pidfd < 0 || poll(&one, 1, 0) > 0;
}

void driver_round(struct driver *driver, double now, int all)
{
	int ends = all || now - driver->ends >= ENDS_SECONDS;
	int threads = now - driver->threads >= THREADS_SECONDS || shared_is_low(&driver->shared);

	if (ends)
		driver->ends = now;
	if (threads)
		driver->threads = now;
	find_sessions(driver, now, all);
	for (unsigned i = 0, left = driver->open; left > 0 && i < SESSIONS_MAX; i++) {
		struct driver_session *of = &driver->session[i];

		if (of->session == NULL)
			continue;
		left--;
		if (ends && is_over(of)) {
			end_session(driver, of, 0);
			continue;
		}
		drain_all(driver, of);
		if (threads)
			drop_rings(driver, of);
	}
}

void driver_leave(struct driver *driver)
{
	char what[64];

	for (unsigned i = 0; i < SESSIONS_MAX; i++)
		if (driver->session[i].session != NULL)
			end_session(driver, &driver->session[i], 1);
	snprintf(what, sizeof(what), "all %u sessions", driver->sessions);
	say(driver, what, &driver->sums);
}
