/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "bench/stopwatch.h"

int64_t stopwatch_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void stopwatch_report(const char *label, double usec, pid_t pid)
{
    printf("%.1f\t%s\t%d\n", usec, label, (int)pid);
    fflush(stdout);
}

void stopwatch_print(const char *label, int64_t start, pid_t pid)
{
    stopwatch_report(label, (double)(stopwatch_now() - start) / 1e3, pid);
}

void stopwatch_wait(const char *label, pid_t pid)
{
    int status;

    if (waitpid(pid, &status, 0) != pid)
        stopwatch_die("wait for", label);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "bench: cannot time %s: it ended with status %#x\n", label,
                (unsigned)status);
        exit(1);
    }
}

void stopwatch_die(const char *what, const char *object)
{
    fprintf(stderr, "bench: cannot %s %s: %s\n", what, object, strerror(errno));
    exit(1);
}
