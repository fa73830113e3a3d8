/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-criufloor CRIU ROUNDS COUNT
 *
 * What CRIU itself takes for a process without memory of its own: it is dumped once and restored
 * COUNT times, each by a `criu swrk` that is loaded and waits for its request before the clock
 * starts. The image lies in memory; nothing is sent, edited, checked, given streams or waited for.
 * The process has one number, so each restored one is ended before the next, which does not count.
 * Prints samples: the sum and its parts in microseconds or, with a COUNT above 1, how many
 * processes there are in a second. The first round does not count.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/stopwatch.h"
#include "migrate/criu.h"

#define PID 30000
#define LOADING_MS 5000

extern char **environ;

static const char *criu_path;

static void nap(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

/* It stands in the system call that reads its request. */
static int is_waiting(pid_t pid)
{
    char path[40];
    FILE *file;
    long number = -1;
    int count = 0;

    snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
    file = fopen(path, "re");
    if (file)
        count = fscanf(file, "%ld", &number);
    if (file)
        fclose(file);
    return count == 1 && (number == SYS_recvfrom || number == SYS_recvmsg);
}

/* A CRIU that has been loaded; its RPC socket in *sock. */
static pid_t criu_load(int dir, int *sock)
{
    char *argv[] = { (char *)(uintptr_t)criu_path, (char *)(uintptr_t)"swrk",
                     (char *)(uintptr_t)"3", NULL };
    posix_spawn_file_actions_t actions;
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        stopwatch_die("make", "sockets");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fcntl(ends[1], F_DUPFD_CLOEXEC, 20), CRIU_FD_RPC);
    posix_spawn_file_actions_adddup2(&actions, fcntl(dir, F_DUPFD_CLOEXEC, 20), CRIU_FD_DIR);
    errno = posix_spawn(&pid, criu_path, &actions, NULL, argv, environ);
    if (errno)
        stopwatch_die("run", criu_path);
    posix_spawn_file_actions_destroy(&actions);
    close_range(20, ~0U, 0);
    close(ends[1]);
    *sock = ends[0];
    for (int i = 0; !is_waiting(pid); i++) {
        errno = ETIMEDOUT;
        if (i == LOADING_MS)
            stopwatch_die("load", criu_path);
        nap();
    }
    return pid;
}

static void criu_end(pid_t pid, int sock, int error, const char *what, const char *text)
{
    close(sock);
    waitpid(pid, NULL, 0);
    if (!error)
        return;
    fprintf(stderr, "bench: cannot %s: %s: %s\n", what, strerror(-error), text);
    exit(1);
}

static double usec_since(int64_t start)
{
    return (double)(stopwatch_now() - start) / 1e3;
}

static double dump_time(int dir)
{
    struct criu_dump dump = { .pid = PID };
    char text[256] = "";
    int sock, error;
    pid_t worker = criu_load(dir, &sock);
    int64_t start = stopwatch_now();
    double usec;

    error = criu_dump_start(sock, &dump);
    if (!error)
        error = criu_dump_finish(sock, dir, text, sizeof(text));
    usec = usec_since(start);
    criu_end(worker, sock, error, "dump", text);
    return usec;
}

static double restore_time(int dir)
{
    char text[256] = "";
    int sock, error;
    pid_t worker = criu_load(dir, &sock), pid = 0;
    int64_t start = stopwatch_now();
    double usec;

    error = criu_restore_start(sock, NULL, 0);
    if (!error)
        error = criu_restore_finish(sock, dir, &pid, text, sizeof(text));
    usec = usec_since(start);
    if (pid > 0)
        kill(pid, SIGKILL);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    criu_end(worker, sock, error, "restore", text);
    return usec;
}

/* The one to be dumped, another's child. */
static void process_make(void)
{
    char number[16];
    char *argv[] = { (char *)(uintptr_t)"bench-process", (char *)(uintptr_t)"hold", number,
                     (char *)(uintptr_t)"0", NULL };
    pid_t pid;

    snprintf(number, sizeof(number), "%d", PID);
    errno = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
    if (errno)
        stopwatch_die("run", argv[0]);
    stopwatch_wait(argv[0], pid);
}

static void process_end(void)
{
    while (kill(PID, SIGKILL) == 0)
        nap();
}

static void round_run(int count, int counts)
{
    double dumped, restored = 0;
    int dir = criu_image_dir(0);

    errno = -dir;
    if (dir < 0)
        stopwatch_die("make", "a folder in memory");
    process_make();
    dumped = dump_time(dir);
    process_end();
    for (int i = 0; i < count; i++)
        restored += restore_time(dir);
    close(dir);
    if (!counts)
        return;
    if (count > 1) {
        stopwatch_report("criu dump, criu restores, loaded before",
                         count * 1e6 / (dumped + restored), 0);
        return;
    }
    stopwatch_report("floor: criu dump + restore, loaded before", dumped + restored, 0);
    stopwatch_report("  of it dump", dumped, 0);
    stopwatch_report("  of it restore", restored, 0);
}

int main(int argc, char **argv)
{
    int rounds = argc == 4 ? atoi(argv[2]) : 0, count = argc == 4 ? atoi(argv[3]) : 0;

    if (rounds < 1 || count < 1) {
        fprintf(stderr, "usage: bench-criufloor CRIU ROUNDS COUNT\n");
        return 2;
    }
    criu_path = argv[1];
    for (int round = 0; round <= rounds; round++)
        round_run(count, round > 0);
    return 0;
}
