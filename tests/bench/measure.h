/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_BENCH_MEASURE_H
#define TESTS_BENCH_MEASURE_H

#include <stdint.h>
#include <stdio.h>

/* One command, run once. */
struct sample {
	double wall;             /* s, until the command itself ended */
	double cpu;              /* s, user and system, of every process it started */
	uint64_t program_bytes;  /* peak resident set of the program */
	uint64_t recorder_bytes; /* that of the largest process beside it, 0 for none */
	int status;              /* as wait(2) gives it */
};

/* Watches the processes below this one. program is the resolved path of the
 * profiled program; every other process counts as a part of the recorder. Raises the
 * two peaks of the sample. Costs some 0.2 ms; call it every 20 ms. */
void watch_peaks(const char *program, struct sample *sample);

/* Names the processes below this one, each after a blank. */
void watch_name(FILE *file);

#endif
