/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attaching to the region, and claiming a session for this process. It happens at the first
 * hook call of a program (which may be long before our constructor), and again in a forked
 * child. It calls no malloc, no stdio, no lock of libc, and in a forked child no
 * system call but getpid and gettid.
 */
#include "libcollect/preload/state.h"

#include <sys/mman.h>
#include <unistd.h>

#include "libcollect/preload/chunks.h"
#include "libcollect/preload/clock.h"
#include "libcollect/preload/environment.h"
#include "libcollect/preload/glibc.h"
#include "libcollect/preload/limits.h"
#include "libcollect/preload/rawio.h"
#include "libcollect/preload/session.h"

#include "libcollect/preload/banned.h"

static struct state state_before; /* until the real one is mapped: epoch 0, nothing else used */
struct state *state = &state_before;
struct region *shared_region;

enum { AT_FDCWD_NUMBER = -100, O_CLOEXEC_NUMBER = 02000000 };
enum { OPEN_TRIES = 5000 }; /* 1 ms apart */

cold void session_wake_recorder(enum region_sleep least)
{
	if (atomic_load_explicit(&shared_region->sleeping, memory_order_relaxed) >= least) {
		atomic_fetch_add(&shared_region->wake, 1);
		raw_futex_wake(&shared_region->wake);
	}
}

/* --- attaching ----------------------------------------------------------- */

int session_parse(const char *text, int *id, uint64_t *cookie)
{
	long number = 0;

	*cookie = 0;
	if (*text < '0' || *text > '9')
		return -1;
	for (; *text >= '0' && *text <= '9' && number < INT32_MAX; text++)
		number = number * 10 + (*text - '0');
	if (*text++ != '.')
		return -1;
	for (; *text != '\0'; text++) {
		unsigned digit = (*text >= '0' && *text <= '9')   ? (unsigned)(*text - '0')
				 : (*text >= 'a' && *text <= 'f') ? (unsigned)(*text - 'a' + 10)
								  : 16;

		if (digit == 16)
			return -1;
		*cookie = *cookie << 4 | digit;
	}
	*id = (int)number;
	return 0;
}

/* From environ, or where libc has not set it up yet from the kernel's copy. */
static int session_variable(char *buffer, size_t bytes)
{
	const char *name = SESSION_VARIABLE "=";
	size_t length = raw_length(name), used = 0;
	long fd, got;
	char piece = '\0';

	for (char **e = environ; e != NULL && *e != NULL; e++) {
		if (!raw_begins(*e, name) || raw_length(*e + length) >= bytes)
			continue;
		raw_copy(buffer, *e + length, raw_length(*e + length) + 1);
		return 0;
	}
	if (environ != NULL)
		return -1;
	fd = raw_syscall(SYS_openat, AT_FDCWD_NUMBER, (long)"/proc/self/environ", O_CLOEXEC_NUMBER,
			 0, 0, 0);
	if (raw_failed(fd))
		return -1;
	for (size_t at = 0, matched = 0;; at++) {
		got = raw_syscall(SYS_pread64, fd, (long)&piece, 1, (long)at, 0, 0);
		if (got != 1)
			break;
		if (matched == length && used + 1 < bytes) {
			buffer[used++] = piece;
			if (piece == '\0')
				break;
		} else {
			matched = piece == name[matched] ? matched + 1
				  : piece == '\0'        ? 0
							 : length + 1;
			if (matched > length && piece == '\0')
				matched = 0;
		}
	}
	raw_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
	if (used == 0 || buffer[used - 1] != '\0')
		return -1;
	return 0;
}

int region_attach(int id, uint64_t cookie)
{
	struct rlimit limit;
	int limited = limits_address_space(&limit);
	long at = limited ? limits_attach(id, &limit) : raw_syscall(SYS_shmat, id, 0, 0, 0, 0, 0);
	struct region *region = (struct region *)at;

	if (raw_failed(at)) {
		raw_message("cannot attach to the recorder's shared memory (",
			    at == -EACCES_NUMBER ? "another user's"
			    : at == -ENOMEM_NUMBER
				? "address space limit: ulimit -v"
				: "another IPC namespace, or the recorder is gone",
			    "): this process runs unprofiled", NULL);
		return -1;
	}
	if (region->magic != REGION_MAGIC || region->cookie != cookie) {
		raw_message("the recorder named by " SESSION_VARIABLE
			    " is gone: this process runs unprofiled",
			    NULL);
	} else if (region->version != CONTRACT_VERSION) {
		raw_message("library and recorder are of different versions: "
			    "this process runs unprofiled; install them together",
			    NULL);
	} else {
		raw_syscall(SYS_madvise, at, (long)region->bytes, MADV_DONTDUMP, 0, 0, 0);
		environment_session(id, cookie);
		shared_region = region;
		chunks_attached(region);
		if (limited)
			chunks_narrow(limits_share(limit.rlim_cur));
		return 0;
	}
	raw_syscall(SYS_shmdt, at, 0, 0, 0, 0, 0);
	return -1;
}

static int attach_by_environment(void)
{
	/* Not wiped by a fork: where there was no recorder for us there is none
	 * for our children, who would complain once more, or might be able to start one that
	 * we then see. */
	static _Atomic int failed;
	char text[64];
	uint64_t cookie;
	int id, result = -1;

	if (atomic_load(&failed))
		return -1;
	if (session_variable(text, sizeof(text)) != 0)
		result = preload_start();
	else if (raw_equal(text, SESSION_OFF))
		return -1;
	else if (session_parse(text, &id, &cookie) == 0)
		result = region_attach(id, cookie);
	else
		raw_message("cannot read " SESSION_VARIABLE "=", text,
			    ": this process runs unprofiled", NULL);
	if (result != 0) {
		atomic_store(&failed, 1);
		environment_session_off();
	}
	return result;
}

/* --- the session --------------------------------------------------------- */

/* Memory of ours in KiB: the second number of /proc/self/statm, in pages. */
static uint32_t resident(void)
{
	long fd = raw_syscall(SYS_openat, AT_FDCWD_NUMBER, (long)"/proc/self/statm",
			      O_CLOEXEC_NUMBER, 0, 0, 0);
	uint32_t pages = 0;
	char text[64] = "";
	long got, at = 0;

	if (raw_failed(fd))
		return 0;
	got = raw_syscall(SYS_read, fd, (long)text, sizeof(text), 0, 0, 0);
	raw_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
	while (at < got && text[at] != ' ')
		at++;
	for (at++; at < got && text[at] >= '0' && text[at] <= '9'; at++)
		pages = pages * 10 + (uint32_t)(text[at] - '0');
	return pages * 4;
}

/* What we are, for the recorder: a quick process is gone before it can look. */
static void describe(struct session *session)
{
	long got = raw_syscall(SYS_readlinkat, AT_FDCWD_NUMBER, (long)"/proc/self/exe",
			       (long)session->program, sizeof(session->program) - 1, 0, 0);
	long fd = raw_syscall(SYS_openat, AT_FDCWD_NUMBER, (long)"/proc/self/cmdline",
			      O_CLOEXEC_NUMBER, 0, 0, 0);

	session->program[got > 0 ? got : 0] = '\0';
	session->resident = resident();
	session->arguments_bytes = 0;
	if (raw_failed(fd))
		return;
	got = raw_syscall(SYS_read, fd, (long)session->arguments, sizeof(session->arguments), 0, 0,
			  0);
	session->arguments_bytes = got > 0 ? (uint32_t)got : 0;
	raw_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
}

static int claim(struct session *session, uint32_t parent_epoch)
{
	struct region *region = shared_region;
	uint32_t expected = SESSION_FREE;

	if (!atomic_compare_exchange_strong(&session->state, &expected, SESSION_CLAIMED))
		return -1;
	do {
		session->epoch = atomic_fetch_add(&region->epochs, 1) + 1;
	} while (session->epoch == 0 || session->epoch >= EPOCH_OFF);
	session->pid = raw_getpid();
	session->parent_pid = (int)raw_syscall(SYS_getppid, 0, 0, 0, 0, 0, 0);
	session->origin = parent_epoch != 0 ? ORIGIN_FORK : ORIGIN_FIRST;
	session->parent_epoch = parent_epoch;
	session->opened = stamp();
	atomic_store(&session->rings, CHUNK_NONE);
	atomic_store(&session->execing, 0);
	atomic_store(&session->node_count, 1);
	atomic_store(&session->module_bytes, 0);
	for (unsigned i = 0; i < MODULE_CHUNKS; i++)
		session->module_chunk[i] = CHUNK_NONE;
	for (unsigned i = 0; i < SESSION_COUNTERS; i++)
		atomic_store(&session->counter[i], 0);
	session->program[0] = '\0';
	session->arguments_bytes = 0;
	session->resident = 0;
	if (parent_epoch == 0)
		describe(session);
	state->session = session;
	session->node_directory = chunk_take();
	atomic_store(&session->state, SESSION_OPEN);
	session_wake_recorder(SLEEPING_NOT);
	return 0;
}

int session_recorder_lives(void)
{
	const uint32_t died = 0x40000000; /* FUTEX_OWNER_DIED */
	uint32_t word = atomic_load_explicit(&shared_region->recorder, memory_order_acquire);

	return word != 0 && (word & died) == 0;
}

static int session_claim(uint32_t parent_epoch)
{
	struct region *region = shared_region;

	if (!session_recorder_lives())
		return -1;

	if (!region->follow_fork && region->first_pid != 0 &&
	    raw_getpid() != (int)region->first_pid)
		return -1;
	state->max_depth = region->max_depth != 0 && region->max_depth < FRAMES_MAX
			       ? region->max_depth
			       : DEPTH_DEFAULT;
	for (uint32_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &region->session[i];

		if (atomic_load_explicit(&session->state, memory_order_relaxed) == SESSION_FREE &&
		    claim(session, parent_epoch) == 0)
			return 0;
	}
	atomic_fetch_add(&region->unrecorded, 1);
	return -1;
}

void session_off(void)
{
	atomic_store(&state->phase, PHASE_OFF);
	atomic_store(&state->epoch, EPOCH_OFF);
}

int session_open(void)
{
	/* Of the last session in this memory. A fork leaves it to the child, whichever thread
	 * forked; an exec does not. */
	static uint32_t epoch_before;
	uint32_t phase = PHASE_CLOSED;

	if (!libc_is_glibc()) {
		raw_message("this program's libc is not glibc: it runs unprofiled", NULL);
		session_off();
		return -1;
	}
	if (state == &state_before) {
		struct state *map = raw_map_wiped(sizeof(*map));
		struct state *before = &state_before;

		if (map == NULL) {
			atomic_store(&state_before.epoch, EPOCH_OFF);
			return -1;
		}
		/* Another thread may be as far. */
		if (!__atomic_compare_exchange_n(&state, &before, map, 0, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST))
			raw_unmap(map, sizeof(*map));
	}
	if (!atomic_compare_exchange_strong(&state->phase, &phase, PHASE_OPENING)) {
		/* Signals are blocked there: it ends, unless that thread was killed alone. */
		for (int i = 0; atomic_load(&state->phase) == PHASE_OPENING && i < OPEN_TRIES; i++)
			raw_futex_wait(&state->phase, PHASE_OPENING, 1);
		return atomic_load(&state->phase) == PHASE_OPEN ? 0 : -1;
	}
	if ((shared_region == NULL && attach_by_environment() != 0) ||
	    session_claim(epoch_before) != 0) {
		session_off();
		return -1;
	}
	epoch_before = state->session->epoch;
	atomic_store(&state->epoch, state->session->epoch);
	atomic_store(&state->phase, PHASE_OPEN);
	return 0;
}

int session_owns(const struct ring *ring, uint32_t epoch)
{
	uint32_t chunk = region_chunk_number(shared_region, ring);

	return atomic_load(&region_owner(shared_region)[chunk]) == epoch;
}
