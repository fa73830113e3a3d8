/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * output CASE: standard streams of a remote child whose caller gave no port.
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "tests/progs/prog.h"

/* One line to each of stdout and stderr. */
static void case_say(int argc, char **argv)
{
    pid_t pid = fork_to(argc > 0 ? atoi(argv[0]) : 0);

    if (pid == 0) {
        write_all(STDOUT_FILENO, "out\n", 4);
        write_all(STDERR_FILENO, "err\n", 4);
        _exit(0);
    }
    child_expect(pid, 0);
}

/* Both by turns: if they are one pipe or file, the order stays. */
static void case_by_turns(int argc, char **argv)
{
    pid_t pid;
    char line[32];

    (void)argc, (void)argv;
    pid = fork_to(0);
    if (pid == 0) {
        for (int i = 0; i < 1000; i++)
            write_all(i % 2 ? STDERR_FILENO : STDOUT_FILENO, line,
                      (size_t)snprintf(line, sizeof(line), "%d\n", i));
        _exit(0);
    }
    child_expect(pid, 0);
}

/* The caller writes before and after the child: one file, one offset. */
static void case_around(int argc, char **argv)
{
    pid_t pid;

    (void)argc, (void)argv;
    write_all(STDOUT_FILENO, "before\n", 7);
    pid = fork_to(0);
    if (pid == 0) {
        write_all(STDOUT_FILENO, "child\n", 6);
        _exit(0);
    }
    child_expect(pid, 0);
    write_all(STDOUT_FILENO, "after\n", 6);
}

/* Standard output is a file: when the exit status is there, all of the output is. */
static void case_complete(int argc, char **argv)
{
    struct stat st;

    (void)argc, (void)argv;
    for (int i = 1; i <= 20; i++) {
        pid_t pid = fork_to(i % 3);

        if (pid == 0) {
            pattern_write(STDOUT_FILENO, 1, 16 * PATTERN_CHUNK);
            _exit(0);
        }
        child_expect(pid, 0);
        MUST(fstat(STDOUT_FILENO, &st));
        CHECK(st.st_size == (off_t)i * 16 * PATTERN_CHUNK, "child %d: %lld bytes came", i,
              (long long)st.st_size);
    }
}

/* The child's input is /dev/null, and the caller's is untouched. */
static void case_input(int argc, char **argv)
{
    pid_t pid;

    (void)argc, (void)argv;
    pid = fork_to(0);
    if (pid == 0) {
        struct stat st, null;

        end_expect(STDIN_FILENO);
        MUST(fstat(STDIN_FILENO, &st));
        MUST(stat("/dev/null", &null));
        CHECK(st.st_rdev == null.st_rdev, "standard input is not /dev/null");
        _exit(0);
    }
    child_expect(pid, 0);
    text_expect(STDIN_FILENO, "for the caller");
}

/* BPROC_IO_STDIN: it is forwarded. */
static void case_forward_input(int argc, char **argv)
{
    pid_t pid;

    (void)argc, (void)argv;
    pid = fork_onto(0, BPROC_DUMP_EXEC | BPROC_DUMP_OTHER | BPROC_IO_STDIN, 0);
    if (pid == 0) {
        text_expect(STDIN_FILENO, "for the child");
        end_expect(STDIN_FILENO);
        _exit(0);
    }
    child_expect(pid, 0);
}

/* Closed ones stay closed, and do not become others. */
static void case_closed(int argc, char **argv)
{
    pid_t pid;

    (void)argc, (void)argv;
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    pid = fork_to(0);
    if (pid == 0) {
        CHECK(fcntl(STDOUT_FILENO, F_GETFD) < 0 && errno == EBADF, "standard output is open");
        write_all(STDERR_FILENO, "err\n", 4);
        _exit(0);
    }
    child_expect(pid, 0);
    CHECK(fcntl(STDIN_FILENO, F_GETFD) < 0, "the caller's standard input has opened");
    CHECK(fcntl(STDOUT_FILENO, F_GETFD) < 0, "the caller's standard output has opened");
}

/* What nobody reads: the child is ended by SIGPIPE. */
static void case_endless(int argc, char **argv)
{
    int status;
    pid_t pid;

    (void)argc, (void)argv;
    pid = fork_to(0);
    if (pid == 0)
        for (;;)
            write_all(STDOUT_FILENO, "y\n", 2);
    MUST(waitpid(pid, &status, 0));
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE, "child ended with wait status %#x",
          (unsigned)status);
    write_all(STDERR_FILENO, "SIGPIPE\n", 8);
}

static const struct prog_case cases[] = {
    { "say", case_say },
    { "by-turns", case_by_turns },
    { "around", case_around },
    { "complete", case_complete },
    { "input", case_input },
    { "forward-input", case_forward_input },
    { "closed", case_closed },
    { "endless", case_endless },
    { NULL, NULL }
};

int main(int argc, char **argv)
{
    return prog_run(cases, argc, argv);
}
