/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load row COUNT NODES: forks COUNT children onto nodes 0 to NODES-1 in turn, one after the other.
 * load storm PROCESSES EACH NODES: so many processes, each with so many children, all at once. Says
 * "up" when all children run, and ends them when it has read a line.
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>

#include "tests/progs/prog.h"

#define CODES 100
#define MAX_EACH 100

static volatile sig_atomic_t code;

static int number_take(int argc, char **argv, int index)
{
    CHECK(index < argc && atoi(argv[index]) > 0, "argument %d is no number", index + 1);
    return atoi(argv[index]);
}

static void code_exit(int signo)
{
    (void)signo;
    _exit(code);
}

static void row_run(int argc, char **argv)
{
    int count = number_take(argc, argv, 0), nodes = number_take(argc, argv, 1);

    for (int i = 0; i < count; i++) {
        pid_t pid = fork_to(i % nodes);

        if (pid == 0)
            _exit(i % CODES);
        child_expect(pid, (i % CODES) << 8);
    }
    CHECK(waitpid(-1, NULL, __WALL) < 0, "a child is left");
}

/* One of the processes: `ready` hears a byte for each child, the end of `go` ends them. */
static void storm_part(int first, int each, int nodes, int ready, int start, int go)
{
    pid_t pids[MAX_EACH];
    char byte;

    CHECK(read(start, &byte, 1) == 0, "the starting shot was a byte");
    for (int i = 0; i < each; i++) {
        code = (first + i) % CODES;
        pids[i] = fork_to((first + i) % nodes);
        if (pids[i] == 0) {
            /* Only from here on can a signal mean this child. */
            for (;;)
                pause();
        }
        write_all(ready, "x", 1);
    }
    CHECK(read(go, &byte, 1) == 0, "the last word was a byte");
    for (int i = 0; i < each; i++)
        MUST(kill(pids[i], SIGTERM));
    for (int i = 0; i < each; i++)
        child_expect(pids[i], ((first + i) % CODES) << 8);
    CHECK(waitpid(-1, NULL, __WALL) < 0, "a child is left");
    _exit(0);
}

static void storm_run(int argc, char **argv)
{
    int processes = number_take(argc, argv, 0), each = number_take(argc, argv, 1);
    int nodes = number_take(argc, argv, 2), ready[2], start[2], go[2];
    char byte;

    CHECK(each <= MAX_EACH, "too many children");
    MUST(pipe2(ready, O_CLOEXEC));
    MUST(pipe2(start, O_CLOEXEC));
    MUST(pipe2(go, O_CLOEXEC));
    for (int i = 0; i < processes; i++) {
        pid_t pid = fork();

        MUST(pid);
        if (pid == 0) {
            close(start[1]);
            close(go[1]);
            close(ready[0]);
            storm_part(i * each, each, nodes, ready[1], start[0], go[0]);
        }
    }
    close(ready[1]);
    close(start[1]);
    for (int i = 0; i < processes * each; i++)
        CHECK(read(ready[0], &byte, 1) == 1, "only %d children came up", i);
    puts("up");
    fflush(stdout);
    (void)getchar();
    close(go[1]);
    for (int i = 0, status; i < processes; i++) {
        MUST(wait(&status));
        CHECK(status == 0, "a process ended with wait status %#x", (unsigned)status);
    }
}

static const struct prog_case cases[] = {
    { "row", row_run },
    { "storm", storm_run },
    { NULL, NULL }
};

int main(int argc, char **argv)
{
    struct sigaction action = { .sa_handler = code_exit };

    sigaction(SIGTERM, &action, NULL);
    return prog_run(cases, argc, argv);
}
