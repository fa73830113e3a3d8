/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * execmove_many NODE COUNT: children that move to a program on the node, some of them at a time,
 * so that one comes when another has just ended. Says "ok", or what is wrong with them: the program
 * sees its parent, and its status is the child's.
 */
#include "config.h"

#include "tests/progs/remote.h"

#define AT_A_TIME 6
#define STATUSES 100
#define COUNT_MAX 10000

static pid_t children[COUNT_MAX];

static void child_run(int node, int status)
{
    char script[64];
    char *command[] = { (char[]){ "sh" }, (char[]){ "-c" }, script, NULL };

    snprintf(script, sizeof(script), "[ $PPID = %d ] || exit 111; exit %d", (int)getppid(),
             status);
    bproc_execmove(node, "/bin/sh", command, environ);
    printf("failed %s\n", bproc_strerror(errno));
    fflush(stdout);
    _exit(112);
}

static int child_wait(int started)
{
    int status = -1, index = 0;
    pid_t pid = wait(&status);

    while (index < started && children[index] != pid)
        index++;
    if (WIFEXITED(status) && WEXITSTATUS(status) == index % STATUSES)
        return 0;
    printf("child %d of number %d: %#x\n", index, (int)pid, (unsigned)status);
    return 1;
}

int main(int argc, char **argv)
{
    int node = remote_node(argc, argv), count = argc > 2 ? atoi(argv[2]) : 1;
    int started = 0, ended = 0, wrong = 0;

    while (ended < count && count <= COUNT_MAX) {
        if (started == count || started - ended == AT_A_TIME) {
            wrong += child_wait(started);
            ended++;
            continue;
        }
        fflush(stdout);
        children[started] = fork();
        if (children[started] == 0)
            child_run(node, started % STATUSES);
        started++;
    }
    if (wrong == 0)
        printf("ok\n");
    return wrong != 0;
}
