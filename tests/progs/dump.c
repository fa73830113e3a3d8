/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dump count FILE FLAGS: counts lines "N PID" on stdout from 1 to 6; at 3 an image of it goes into
 * FILE. What the image is of goes on from there.
 * dump signals FILE: the same with a handler, a blocked and a pending signal, and a timer's memory.
 * dump execdump FILE FLAGS PROGRAM ARG...: an image of that program; the result is printed.
 * dump undump FILE: the call; prints "-1 ERRNO" if it fails.
 * dump fd: a dump to a descriptor that is none.
 */
#include "config.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <signal.h>

#include "tests/progs/prog.h"

#define MEMORY (3 << 20)

static char *memory;

static void failure_print(void)
{
    printf("-1 %s\n", strerrorname_np(errno) ? strerrorname_np(errno) : bproc_strerror(errno));
    fflush(stdout);
}

static int file_dump(const char *name, int flags)
{
    int fd = strcmp(name, "-") == 0 ? STDOUT_FILENO
                                    : open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int result;

    MUST(fd);
    result = bproc_dump(fd, flags);
    if (result != 0 && fd != STDOUT_FILENO)
        close(fd);
    return result;
}

static void memory_check(void)
{
    for (size_t i = 0; i < MEMORY; i++)
        CHECK(memory[i] == (char)(i * 11), "memory changed at byte %zu", i);
}

static void count_try(int argc, char **argv)
{
    char cwd[4096];
    int result = 1;

    memory = malloc(MEMORY);
    for (size_t i = 0; i < MEMORY; i++)
        memory[i] = (char)(i * 11);
    for (int i = 1; i <= 6; i++) {
        if (i == 3)
            result = file_dump(argv[0], argc > 1 ? atoi(argv[1]) : BPROC_DUMP_ALL);
        if (result < 0) {
            failure_print();
            exit(1);
        }
        if (i == 3 && result == 0)
            printf("undumped in %s\n", getcwd(cwd, sizeof(cwd)));
        printf("%d %s\n", i, getpid() == (int)syscall(SYS_getpid) ? "ok" : "wrong pid");
        fflush(stdout);
    }
    memory_check();
    if (result == 0) {
        char line[100];

        if (fgets(line, sizeof(line), stdin))
            printf("read %s", line);
        printf("pid %d\n", (int)getpid());
        fprintf(stderr, "to stderr\n");
        fflush(stdout);
        exit(7);
    }
}

static volatile sig_atomic_t handled;

static void handle(int signo)
{
    handled = signo;
}

static void signals_try(int argc, char **argv)
{
    struct sigaction action = { .sa_handler = handle };
    sigset_t set;

    (void)argc;
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGUSR2, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_SETMASK, &set, NULL);
    if (file_dump(argv[0], BPROC_DUMP_ALL) != 0)
        return;
    raise(SIGUSR1);
    raise(SIGUSR2);
    raise(SIGHUP);
    CHECK(handled == SIGUSR1, "the handler did not run");
    sigpending(&set);
    CHECK(sigismember(&set, SIGHUP), "SIGHUP is not blocked");
    puts("as it was");
    fflush(stdout);
    pause();
}

static void undump_try(int argc, char **argv)
{
    int fd = argc > 0 && strcmp(argv[0], "-") != 0 ? open(argv[0], O_RDONLY) : STDIN_FILENO;

    if (argc > 0 && strcmp(argv[0], "none") == 0)
        fd = 99;
    printf("pid %d\n", (int)getpid());
    fflush(stdout);
    bproc_undump(fd);
    failure_print();
}

static volatile sig_atomic_t told;

static void tell(int signo)
{
    (void)signo;
    told = 1;
}

/* Above the standard streams. */
static int descriptors_count(void)
{
    int count = 0;

    for (int fd = 3; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void execdump_try(int argc, char **argv)
{
    int before;
    int fd, result;

    CHECK(argc > 2, "arguments are missing");
    fd = open(argv[0], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    MUST(fd);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGCHLD, tell);
    before = descriptors_count();
    result = bproc_execdump(fd, atoi(argv[1]), argv[2], argv + 2, environ);
    if (result < 0)
        failure_print();
    else
        printf("%d\n", result);
    CHECK(waitpid(-1, NULL, __WALL) < 0 && errno == ECHILD, "there is a child");
    CHECK(!told, "there was a SIGCHLD");
    CHECK(descriptors_count() == before, "a descriptor is left open");
}

static void fd_try(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    CHECK(bproc_dump(99, 0) < 0, "a dump to no descriptor succeeds");
    failure_print();
    CHECK(bproc_dump(1, 64) < 0, "a dump with unknown flags succeeds");
    failure_print();
}

static const struct prog_case cases[] = {
    { "count", count_try },
    { "signals", signals_try },
    { "undump", undump_try },
    { "execdump", execdump_try },
    { "fd", fd_try },
    { NULL, NULL }
};

int main(int argc, char **argv)
{
    return prog_run(cases, argc, argv);
}
