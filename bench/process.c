/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that the benchmarks fork, dump and restore: this one, with as much memory as wanted.
 *
 *   bench-process rfork NODE ROUNDS MIB [words|same|zeros]
 *                                         times rfork (the call alone) and rfork+wait onto NODE, in
 *                                         turn with the same by fork here and by fork+exec of true;
 *                                         its memory is of words, others before each round (words)
 *                                         or not (same), or of zeros
 *   bench-process hold PID MIB            becomes process PID, in a session of its own, with
 *                                         /dev/null for its streams, and waits for a signal; the
 *                                         command returns once that is ready
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "bench/memory.h"
#include "bench/stopwatch.h"

extern char **environ;

static uint64_t *memory;
static size_t memory_mib;
static int memory_stays, memory_zeros;

static void memory_take(const char *mib)
{
    memory_mib = (size_t)strtoul(mib, NULL, 10);
    memory = memory_make(memory_mib);
    if (memory_mib > 0 && !memory)
        stopwatch_die("get memory of MiB", mib);
    if (memory_zeros)
        memory_clear(memory, memory_mib);
}

static int memory_is_good(void)
{
    return memory_zeros ? memory_is_clear(memory, memory_mib)
                        : memory_is_whole(memory, memory_mib);
}

/* ---- rfork beside what a single machine has ---- */

/* The first round does not count: there the child looks whether all of its memory came along. */
static void rfork_time(int node, int round)
{
    int64_t start = stopwatch_now();
    pid_t pid = bproc_rfork(node);

    if (pid == 0)
        _exit(round == 0 && !memory_is_good());
    if (pid < 0) {
        fprintf(stderr, "bench: cannot rfork onto node %d: %s\n", node, bproc_strerror(errno));
        exit(1);
    }
    if (round > 0)
        stopwatch_print("rfork", start, pid);
    stopwatch_wait("rfork", pid);
    if (round > 0)
        stopwatch_print("rfork+wait", start, pid);
}

static void fork_time(int round)
{
    int64_t start = stopwatch_now();
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    if (pid < 0)
        stopwatch_die("fork", "process");
    stopwatch_wait("fork+wait", pid);
    if (round > 0)
        stopwatch_print("fork+wait", start, 0);
}

static void exec_time(int round)
{
    static char program[] = "true";
    char *argv[] = { program, NULL };
    int64_t start = stopwatch_now();
    pid_t pid;

    errno = posix_spawnp(&pid, program, NULL, NULL, argv, environ);
    if (errno)
        stopwatch_die("run", program);
    stopwatch_wait("fork+exec+wait", pid);
    if (round > 0)
        stopwatch_print("fork+exec+wait", start, 0);
}

static int rfork_main(char **argv)
{
    int node = atoi(argv[0]), rounds = atoi(argv[1]);

    memory_zeros = argv[3] && strcmp(argv[3], "zeros") == 0;
    memory_stays = memory_zeros || (argv[3] && strcmp(argv[3], "same") == 0);
    memory_take(argv[2]);
    for (int round = 0; round <= rounds; round++) {
        /* A node keeps pages that it has had: each time they are to be others. */
        if (round > 0 && !memory_stays)
            memory_change(memory, memory_mib);
        rfork_time(node, round);
        fork_time(round);
        exec_time(round);
    }
    return 0;
}

/* ---- the same process for CRIU by hand ---- */

/* A number that is free on the node as well, or the process could not be restored there. */
static pid_t fork_as(pid_t pid)
{
    struct clone_args args = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid,
                               .set_tid_size = 1 };

    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static _Noreturn void hold(const char *mib, int ready)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    setsid();
    memory_take(mib);
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    close(null);
    if (write(ready, "", 1) != 1)
        _exit(1);
    close(ready);
    for (;;)
        pause();
}

static int hold_main(char **argv)
{
    int ends[2];
    pid_t pid;
    char byte;

    if (pipe(ends) < 0)
        stopwatch_die("make", "pipe");
    pid = fork_as(atoi(argv[0]));
    if (pid < 0)
        stopwatch_die("make process", argv[0]);
    if (pid == 0) {
        close(ends[0]);
        hold(argv[1], ends[1]);
    }
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 1) {
        fprintf(stderr, "bench: cannot make process %s: it has ended\n", argv[0]);
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if ((argc == 5 || argc == 6) && strcmp(argv[1], "rfork") == 0)
        return rfork_main(argv + 2);
    if (argc == 4 && strcmp(argv[1], "hold") == 0)
        return hold_main(argv + 2);
    fprintf(stderr, "usage: bench-process rfork NODE ROUNDS MIB [words|same|zeros]\n"
                    "       bench-process hold PID MIB\n");
    return 2;
}
