/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_LOAD_HEAPTRACK_H
#define MALLOGRAPH_LOAD_HEAPTRACK_H

/* The model of a heaptrack file. Private to the model. */

#include "analyzer/model/load_trace.h"
#include "formats/trace/source.h"

/* Initialises the loader and puts what the file says into its profile, figures
 * and all. Takes the source over; release the loader in both cases. Errors: those
 * of heaptrack_reader_open() and heaptrack_reader_read(). */
int load_heaptrack(struct loader *loader, struct trace_source *source);

/* Its events again, for profile_scan(): batches with the class ids of the profile, as
 * heaptrack_visitor.events in formats/heaptrack/reader.h has them. Ends where the file is cut
 * or damaged. Returns what the callback returned, 0, or an error: those of load_heaptrack(), and
 * ERROR_SYSTEM with ESPIPE for a pipe, which cannot be read twice. */
int heaptrack_scan(const char *path,
		   int (*events)(void *context, const struct trace_event *events, size_t count),
		   void *context);

#endif
