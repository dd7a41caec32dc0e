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
 * profile_scan(). Free with profile_free().
 */
int profile_select(struct profile **selected, const struct profile *profile,
		   const struct filter *filter, unsigned flags, char *complaint,
		   size_t complaint_bytes);

#endif
