/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_SELECT_H
#define MALLOGRAPH_SELECT_H

/*
 * A profile of a part of the allocations: every view takes it as it takes the
 * whole one, and every figure is of the selection alone. Leaked is what was allocated
 * in the selection and is live at the end of its time range; the peak is the
 * selection's own maximum; temporary is as judged unfiltered.
 */

#include "analyzer/model/filter.h"
#include "analyzer/model/profile.h"

enum select_flag {
	/* classes are split by allocating thread: profile_class.thread is set. A scan. */
	SELECT_BY_THREAD = 1
};

/*
 * Scans the events unless the filter is empty and flags are 0. The selected
 * profile borrows everything but classes, threads, points and totals from the
 * whole one, which must outlive it. ERROR_UNSUPPORTED: the file does not hold what the
 * filter asks for (profile->lacks), complaint says what. Otherwise the errors of
 * profile_scan(). On success complaint is empty or a remark: a term names what the
 * trace does not have ("no thread is called 'x'"). Free with profile_free().
 *
 * Of a time range A..B and an instant the timeline ends there; end_tick and what the process had
 * (RSS, lost events) stay those of the whole. A block of the range that was given back at or
 * after its end is live, and may be temporary: temporary can be more than deallocations.
 * Behind an instant nothing counts, not even that. Several ranges end with the last.
 * rebuilt is set when events were scanned. A selection by thread has the parts that
 * occur, a class and a thread each; the others have all classes of the whole, with 0
 * allocations where none was selected.
 */
int profile_select(struct profile **selected, const struct profile *profile,
		   const struct filter *filter, unsigned flags, char *complaint,
		   size_t complaint_bytes);

#endif
