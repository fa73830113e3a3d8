/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * masterfile exec PATH WORD...: bproc_execve(). masterfile move NODE: tells the node before and
 * after it went. masterfile request PATH: bproc_requestfile(). Results are printed.
 */
#include "config.h"

#include "tests/progs/prog.h"

static void result_show(int result)
{
    if (result < 0)
        printf("-1 %s\n", strerrorname_np(errno) ? strerrorname_np(errno) : bproc_strerror(errno));
    else
        printf("%d\n", result);
    fflush(stdout);
}

static void tell(int signo)
{
    (void)signo;
    (void)!write(STDOUT_FILENO, "SIGCHLD\n", 8);
}

static void exec_try(int argc, char **argv)
{
    CHECK(argc > 0, "what is to be executed is missing");
    signal(SIGCHLD, tell);
    printf("%d\n", (int)getpid());
    fflush(stdout);
    result_show(bproc_execve(argv[0], argv, environ));
    CHECK(waitpid(-1, NULL, __WALL) < 0 && errno == ECHILD, "there is a child");
}

static void move_try(int argc, char **argv)
{
    CHECK(argc > 0, "the node is missing");
    printf("node %d\n", bproc_currnode());
    fflush(stdout);
    if (bproc_move(atoi(argv[0])) < 0)
        result_show(-1);
    printf("node %d\n", bproc_currnode());
}

static void request_try(int argc, char **argv)
{
    result_show(bproc_requestfile(argc > 0 ? argv[0] : NULL));
}

static const struct prog_case cases[] = {
    { "exec", exec_try },
    { "move", move_try },
    { "request", request_try },
    { NULL, NULL }
};

int main(int argc, char **argv)
{
    return prog_run(cases, argc, argv);
}
