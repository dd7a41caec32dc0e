/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_BENCH_MEASURE_H
#define TESTS_BENCH_MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* One command, run once. */
struct sample {
	double wall;             /* s, until the command itself ended */
	double cpu;              /* s, user and system, of every process it started */
	double program_cpu;      /* s, of the program alone; negative: not known */
	uint64_t program_bytes;  /* peak resident set of the program */
	uint64_t recorder_bytes; /* that of the largest process beside it, 0 for none */
	/* at the program's exit, resident: its own pages; pages of the region; everything */
	uint64_t private_bytes, region_bytes, resident_bytes;
	int status; /* as wait(2) gives it */
};

/* Watches the processes below this one, but for `other` and those below it. program is
 * the resolved path of the profiled program; every other process counts as a part of the
 * recorder. Raises the two peaks of the sample. Costs some 0.2 ms; call it every 20 ms. */
void watch_peaks(const char *program, pid_t other, struct sample *sample);

/* Names the processes below this one, each after a blank. */
void watch_name(FILE *file);

/* Gives the path of what a process runs, "" when it is gone. */
enum { WATCH_PATH_BYTES = 4096 };
void watch_executable(pid_t pid, char path[WATCH_PATH_BYTES]);

/* Follows a command, which is a child that waits, until one of its processes becomes the
 * program; from then on only that is watched, and only its end (and signals) stop it.
 * at_exit: look at the program's memory when it exits. */
void tracee_begin(pid_t command, const char *program, int at_exit);

/* To be called for each child or tracee that wait(2) says has stopped ... */
void tracee_stopped(pid_t pid, int status, struct sample *sample);
/* ... or ended. */
void tracee_ended(pid_t pid, double cpu, struct sample *sample);

#endif
