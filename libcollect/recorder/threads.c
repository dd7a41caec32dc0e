/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads of a recorded process as seen from outside: their names, which
 * programs set some time after the start, and whether they still live. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libcollect/recorder/procfs.h"
#include "libcollect/recorder/recording.h"

#define LOOK_NS       UINT64_C(10000000)
#define NAME_FIRST_NS UINT64_C(2000000)
#define YOUNG_NS      (8 * NAME_FIRST_NS)
#define NAME_MOST_NS  UINT64_C(1000000000)
#define INSIDE_NS     UINT64_C(500000000)
#define INSIDE_LOW_NS UINT64_C(20000000)
enum { LOOKS_A_TIME = 64 };

static void name_thread(struct recording *recording, const struct feed *feed)
{
	char name[THREAD_NAME_BYTES];

	if (proc_thread_name(recording->pid, feed->tid, name, sizeof(name)) == 0 &&
	    !recording_is_leaving(recording))
		account_thread_name(&recording->account, feed->thread, name);
}

/* Soon after the first event, then ever more seldom, down to once a second. */
void recording_name_threads(struct recording *recording, uint64_t now_ns)
{
	if (recording->pid == 0 || recording->other_namespace)
		return;
	for (uint32_t i = 0; i < recording->drain.count; i++) {
		struct feed *feed = &recording->drain.feeds[i];

		if (feed->thread == 0 || feed->gone || now_ns < feed->name_ns)
			continue;
		if (feed->name_step != 0)
			name_thread(recording, feed);
		feed->name_step = feed->name_step == 0 ? NAME_FIRST_NS : feed->name_step * 2;
		if (feed->name_step > NAME_MOST_NS)
			feed->name_step = NAME_MOST_NS;
		feed->name_ns = now_ns + feed->name_step;
	}
}

static void look_at_thread(struct recording *recording, struct feed *feed)
{
	if (!feed->gone && recording->pid != 0 && !recording->other_namespace &&
	    !recording->unverified && syscall(SYS_tgkill, recording->pid, feed->tid, 0) != 0 &&
	    errno == ESRCH)
		feed->gone = 1;
}

/* Of a process in a pid namespace of its own, whose numbers tgkill() doesn't take:
 * rings that we know and whose thread is not on its list are an ended one's.
 * Twice, because the kernel's list may skip a thread while others end. */
static void look_inside(struct recording *recording, uint64_t now_ns)
{
	struct drain *drain = &recording->drain;
	uint32_t known = drain->count;
	pid_t *tids;
	int count;

	recording->inside_ns = now_ns;
	count = proc_inner_threads(recording->pid, &tids);
	for (uint32_t i = 0; count > 0 && i < known; i++) {
		int there = 0;

		for (int k = 0; k < count && !there; k++)
			there = tids[k] == drain->feeds[i].tid;
		drain->feeds[i].gone |= !there && drain->feeds[i].missed;
		drain->feeds[i].missed = !there;
	}
	free(tids);
}

/* The thread is looked at before the ring: what an ended one wrote is there. Returns 1 when
 * the feed has ended, and another has its number. */
static int look_at_feed(struct recording *recording, uint32_t at)
{
	struct feed *feed = &recording->drain.feeds[at];

	look_at_thread(recording, feed);
	return feed->gone && drain_drop_feed(&recording->drain, at) == 0;
}

void recording_look_at_threads(struct recording *recording, uint64_t now_ns)
{
	struct drain *drain = &recording->drain;
	int all = shared_is_low(&recording->common->shared);
	uint32_t looks;

	/* Short threads come by the thousand: the ring of one is soon another's. */
	for (uint32_t at = drain->count; at-- > 0;)
		if (drain->feeds[at].name_step <= YOUNG_NS)
			look_at_feed(recording, at);
	if (now_ns < recording->threads_ns && !all)
		return;
	recording->threads_ns = now_ns + LOOK_NS;
	if (recording->other_namespace && recording->pid != 0 &&
	    now_ns - recording->inside_ns > (all ? INSIDE_LOW_NS : INSIDE_NS))
		look_inside(recording, now_ns);
	looks = all || drain->count < LOOKS_A_TIME ? drain->count : LOOKS_A_TIME;
	while (looks-- > 0 && drain->count > 0) {
		uint32_t at = recording->threads_next % drain->count;

		recording->threads_next = look_at_feed(recording, at) ? at : at + 1;
	}
}
