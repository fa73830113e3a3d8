/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * onecall rfork|rexec NODE: makes one call, while the daemons may be dying, and tells on one line
 * what became of it: "failed ERRNO", "exited N" or "killed SIGNAL". Anything that fork would never
 * do is said on standard error, with status 1: a leftover child, a SIGCHLD of none, two of one, a
 * descriptor more or less than before, memory that changed.
 */
#include "config.h"

#include <dirent.h>
#include <signal.h>

#include "tests/progs/prog.h"

#define LINGER_SECONDS 60

static volatile sig_atomic_t sigchlds;
static char memory[1 << 20];

static void sigchld_count(int signo)
{
    (void)signo;
    sigchlds++;
}

static int fds_count(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    CHECK(dir, "cannot open /proc/self/fd: %s", strerror(errno));
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static void error_print(int error)
{
    const char *name = strerrorname_np(error);

    if (name)
        printf("failed %s\n", name);
    else
        printf("failed %d\n", error);
}

static void memory_check(void)
{
    for (size_t i = 0; i < sizeof(memory); i++)
        CHECK(memory[i] == (char)(i * 7), "memory changed at byte %zu", i);
}

static void nothing_left_check(void)
{
    CHECK(waitpid(-1, NULL, __WALL | WNOHANG) < 0 && errno == ECHILD, "a child is left");
    CHECK(sigchlds == 0, "%d SIGCHLD came of a call that failed", (int)sigchlds);
}

static void end_print(pid_t pid)
{
    int status;
    pid_t got;

    do {
        got = waitpid(pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    CHECK(got == pid, "cannot wait for child %d: %s", (int)pid, strerror(errno));
    CHECK(waitpid(-1, NULL, __WALL | WNOHANG) < 0 && errno == ECHILD, "another child is left");
    CHECK(sigchlds == 1, "%d SIGCHLD came of one child", (int)sigchlds);
    if (WIFEXITED(status))
        printf("exited %d\n", WEXITSTATUS(status));
    else
        printf("killed %d\n", WTERMSIG(status));
}

/*
 * The child ends when it hears that the call succeeded. One that should not exist hears nothing,
 * and stays long enough to be found.
 */
static void rfork_try(int argc, char **argv)
{
    int node = argc > 0 ? atoi(argv[0]) : 0;
    int go[2], fds, pid;

    MUST(pipe(go));
    fds = fds_count();
    pid = bproc_rfork(node);
    if (pid == 0) {
        char byte;

        if (read(go[0], &byte, 1) == 1)
            _exit(7);
        sleep(LINGER_SECONDS);
        _exit(8);
    }
    fds -= pid >= 0;
    if (pid < 0) {
        error_print(errno);
        nothing_left_check();
        memory_check();
    } else {
        close(go[0]);
        /* It may have died with its node. */
        signal(SIGPIPE, SIG_IGN);
        (void)!write(go[1], "x", 1);
        end_print(pid);
    }
    CHECK(fds_count() == fds, "there are %d descriptors, not %d as before", fds_count(), fds);
}

static void rexec_try(int argc, char **argv)
{
    char *command[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char[]){ "exit 7" }, NULL };
    char *env[] = { NULL };
    int fds = fds_count();
    pid_t pid = fork();

    if (pid == 0) {
        bproc_rexec(argc > 0 ? atoi(argv[0]) : 0, "/bin/sh", command, env);
        error_print(errno);
        fflush(stdout);
        nothing_left_check();
        CHECK(fds_count() == fds, "there are %d descriptors, not %d as before", fds_count(), fds);
        _exit(99);
    }
    MUST(pid);
    end_print(pid);
}

static const struct prog_case cases[] = {
    { "rfork", rfork_try },
    { "rexec", rexec_try },
    { NULL, NULL }
};

int main(int argc, char **argv)
{
    struct sigaction action = { .sa_handler = sigchld_count };

    sigaction(SIGCHLD, &action, NULL);
    for (size_t i = 0; i < sizeof(memory); i++)
        memory[i] = (char)(i * 7);
    return prog_run(cases, argc, argv);
}
