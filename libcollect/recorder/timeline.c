/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "libcollect/recorder/timeline.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcollect/recorder/procfs.h"

#define POINT_NS UINT64_C(10000000)
#define PEAK_NS  UINT64_C(100000000)

/* What was read before this was asked is of this image. */
static int is_another(const struct timeline *timeline)
{
	return timeline->leaving != NULL && atomic_load(timeline->leaving) != 0;
}

/* The kernel's own maximum knows what happened between points, but costs more
 * to read, and is gone with the process. */
static void read_rss(struct timeline *timeline, uint64_t now_ns)
{
	char text[128];
	unsigned long pages;
	uint64_t rss, peak;
	ssize_t size;

	if (timeline->statm_fd < 0)
		return;
	size = pread(timeline->statm_fd, text, sizeof(text) - 1, 0);
	if (size <= 0)
		return;
	text[size] = '\0';
	if (sscanf(text, "%*u %lu", &pages) != 1 || pages == 0)
		return; /* it is ending: the last figure stands */
	rss = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
	if (is_another(timeline))
		return;
	timeline->rss = rss;
	if (now_ns >= timeline->next_peak_ns || timeline->rss > timeline->peak_rss) {
		peak = proc_status_number(timeline->pid, "VmHWM") << 10;
		if (peak > timeline->peak_rss && !is_another(timeline))
			timeline->peak_rss = peak;
		timeline->next_peak_ns = now_ns + PEAK_NS;
	}
	if (timeline->rss > timeline->peak_rss)
		timeline->peak_rss = timeline->rss;
}

void timeline_start(struct timeline *timeline, pid_t pid, uint64_t rss,
		    const _Atomic uint32_t *leaving, uint64_t now_ns)
{
	char path[48];

	*timeline = (struct timeline){.pid = pid,
				      .statm_fd = -1,
				      .started_ns = now_ns,
				      .rss = rss,
				      .peak_rss = rss,
				      .leaving = leaving};
	if (pid == 0)
		return;
	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	timeline->statm_fd = open(path, O_RDONLY | O_CLOEXEC);
	/* A quick one is gone when its first events are read. */
	read_rss(timeline, now_ns);
}

void timeline_point(struct timeline *timeline, const struct account *account, uint64_t tick,
		    uint64_t now_ns, int in_any_case)
{
	uint64_t interval =
	    now_ns > timeline->started_ns ? (now_ns - timeline->started_ns) / 1000 : 0;

	if (now_ns < timeline->next_ns && !in_any_case) {
		/* Memory grows fast at first, and a quick program has no second point. */
		if (interval * 1000 < POINT_NS)
			read_rss(timeline, now_ns);
		return;
	}
	timeline->next_ns = now_ns + (interval > POINT_NS ? interval : POINT_NS);
	read_rss(timeline, now_ns);
	if (tick < timeline->last_tick)
		tick = timeline->last_tick;
	timeline->last_tick = tick;
	if (account->writer != NULL)
		trace_writer_timeline(account->writer, tick, account->classes.live_bytes,
				      account->classes.live_blocks, timeline->rss);
}

void timeline_release(struct timeline *timeline)
{
	if (timeline->statm_fd >= 0)
		close(timeline->statm_fd);
	timeline->statm_fd = -1;
	timeline->leaving = NULL;
	timeline->pid = 0;
}
