/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_CURVES_H
#define MALLOGRAPH_CURVES_H

/*
 * The heap over time of what is shown, but for its times: all of the run, of fresh and
 * of base. At once as the trace's points have it, where that can be; exact when a job has
 * scanned the events, and once more, finer, where somebody looks closer.
 */

#include "analyzer/query/curve.h"

struct tui;

struct curves {
	struct curve whole[2];    /* of fresh, of base */
	struct curve fine[2];     /* of a part; from == to: there is none */
	uint64_t end;             /* behind the last tick of both */
	struct filter filters[2]; /* those of the picture, without times and instant */
	char *key;                /* and as text */
	int exact;                /* whole is */
	/* A job does it. It works on data of its own, and asks at the end whether it is still
	 * wanted: the number of the last one started. */
	unsigned asked;
	int failed; /* the last one: there is nothing better to have */
};

/* Of tui->picture: nothing changes where its filters differ in times alone. 0 or ERROR_MEMORY. */
int curves_refresh(struct tui *tui, struct curves *curves);
/* Somebody looks at that part in so many columns: what is too coarse for it is counted, unless
 * another job runs. */
void curves_want(struct tui *tui, struct curves *curves, uint64_t from, uint64_t to,
		 size_t columns);
/* The finest there is of that part; NULL: nothing is known yet. */
const struct curve *curves_of(const struct curves *curves, int side, uint64_t from, uint64_t to);
void curves_release(struct curves *curves);

#endif
