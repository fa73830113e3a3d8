/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-lazy NODE ROUNDS MIB
 *
 * Forks itself with so much memory onto a node, where the child touches every page in an order that
 * nobody foresees; in turn so that it runs before its memory is there, and not. Both ends look at
 * the same clock: it is one machine.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "bench/memory.h"
#include "bench/stopwatch.h"

#define PAGE_WORDS 512
#define STEP 7919               /* prime, and no number of pages is a multiple of it */

struct times {
    int64_t running, done;
};

static uint64_t *memory;
static size_t pages;

static _Noreturn void child_run(int out)
{
    struct times times = { .running = stopwatch_now() };
    volatile uint64_t *words = memory;
    uint64_t sum = 0;

    for (size_t i = 0; i < pages; i++)
        sum += words[i * STEP % pages * PAGE_WORDS];
    times.done = stopwatch_now();
    _exit(write(out, &times, sizeof(times)) != sizeof(times) || sum == 0);
}

static int64_t fork_take(void)
{
    int64_t start = stopwatch_now(), took;
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    took = stopwatch_now() - start;
    if (pid < 0)
        stopwatch_die("fork", "process");
    stopwatch_wait("fork", pid);
    return took;
}

static void usec_report(const char *label, int64_t nsec)
{
    stopwatch_report(label, (double)nsec / 1e3, 0);
}

static void rfork_time(int node, int lazy, int counts)
{
    int64_t forking = fork_take(), start, returned;
    struct times times;
    ssize_t got;
    int ends[2];
    pid_t pid;

    if (pipe(ends) < 0)
        stopwatch_die("make", "pipe");
    start = stopwatch_now();
    pid = _bproc_rfork(node, BPROC_DUMP_EXEC | BPROC_DUMP_OTHER | (lazy ? BPROC_RFORK_LAZY : 0));
    returned = stopwatch_now();
    if (pid == 0)
        child_run(ends[1]);
    if (pid < 0) {
        fprintf(stderr, "bench: cannot rfork onto node %d: %s\n", node, bproc_strerror(errno));
        exit(1);
    }
    close(ends[1]);
    got = read(ends[0], &times, sizeof(times));
    close(ends[0]);
    /* One that says nothing has failed, which its status tells. */
    stopwatch_wait("rfork", pid);
    if (got != sizeof(times)) {
        errno = ENODATA;
        stopwatch_die("hear from", "child");
    }
    if (counts && lazy) {
        usec_report("rfork", returned - start);
        usec_report("rfork, without the kernel's fork", returned - start - forking);
        usec_report("first instruction", times.running - start);
        usec_report("floor: the kernel's fork", forking);
        usec_report("every page, out of turn", times.done - start);
    } else if (counts) {
        usec_report("copied in full", times.done - start);
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: bench-lazy NODE ROUNDS MIB\n");
        return 2;
    }
    pages = (size_t)strtoul(argv[3], NULL, 10) << 8;
    memory = memory_make(pages >> 8);
    if (!memory)
        stopwatch_die("get memory of MiB", argv[3]);
    for (int round = 0; round <= atoi(argv[2]); round++) {
        memory_change(memory, pages >> 8);
        rfork_time(atoi(argv[1]), 1, round > 0);
        memory_change(memory, pages >> 8);
        rfork_time(atoi(argv[1]), 0, round > 0);
    }
    return 0;
}
