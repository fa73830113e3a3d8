/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * space_second NODE: a process whose child lives on the node executes a program there itself, which
 * waits for /tmp/second. Its number stands for the child's parent there already.
 */
#include "config.h"

#include "tests/progs/remote.h"

#define FAILED_STATUS 9

/* Says who its parent is until there is no other than init. */
static void child_run(void)
{
    int parent = 0;

    while (parent != 1) {
        if (getppid() != parent)
            printf("parent %d\n", parent = (int)getppid());
        usleep(10000);
    }
    _exit(0);
}

int main(int argc, char **argv)
{
    char *command[] = { (char[]){ "sh" }, (char[]){ "-c" },
                        (char[]){ "echo self $$; until [ -e /tmp/second ]; do sleep 0.05; done;"
                                  " exit 6" }, NULL };
    int node = remote_node(argc, argv), pid;

    setvbuf(stdout, NULL, _IOLBF, 0);
    pid = remote_fork(node);
    if (pid == 0)
        child_run();
    printf("child %d\nexpect %d\n", pid, (int)getpid());
    bproc_execmove(node, "/bin/sh", command, environ);
    printf("failed %s\n", bproc_strerror(errno));
    return FAILED_STATUS;
}
