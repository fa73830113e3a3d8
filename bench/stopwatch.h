/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Times of the benchmarks: one line for each run on standard output, microseconds, label and pid
 * with tabs between them, written at once so that an interrupted run loses nothing.
 */
#ifndef BENCH_STOPWATCH_H
#define BENCH_STOPWATCH_H

#include <stdint.h>
#include <sys/types.h>

/* Monotonic nanoseconds. */
int64_t stopwatch_now(void);

/* Prints a time, however measured, for `label`. The pid is 0 where it does not matter. */
void stopwatch_report(const char *label, double usec, pid_t pid);

/* Prints the time since `start`. */
void stopwatch_print(const char *label, int64_t start, pid_t pid);

/* Waits for a child and ends this program if that did not exit with 0. Blocks. */
void stopwatch_wait(const char *label, pid_t pid);

/* "cannot VERB OBJECT: REASON" of errno to standard error, and the end. */
_Noreturn void stopwatch_die(const char *what, const char *object);

#endif
