/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inherit_crowd NODE: threads of one program fork onto the node and here at the same time. Each
 * gets its own child, with what was the thread's own.
 */
#include "config.h"

#include <pthread.h>
#include <stdatomic.h>

#include "tests/progs/remote.h"

#define FORKERS 4
#define FORKS 6

static int node;
static atomic_int wrong;
static _Thread_local int mine;

static int child_status(int pid)
{
    int status = -1;

    if (pid == 0)
        _exit(mine);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

static void *fork_often(void *arg)
{
    int first = (int)(intptr_t)arg;

    for (int i = 0; i < FORKS; i++) {
        mine = first + i;
        if (child_status(first == 0 ? fork() : bproc_rfork(node)) != mine << 8)
            wrong++;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[FORKERS];

    node = remote_node(argc, argv);
    for (int i = 0; i < FORKERS; i++)
        pthread_create(&threads[i], NULL, fork_often, (void *)(intptr_t)(i * 40));
    for (int i = 0; i < FORKERS; i++)
        pthread_join(threads[i], NULL);
    is_int(wrong, 0, "%d threads with %d children each", FORKERS, FORKS);
    ok(waitpid(-1, NULL, __WALL) < 0 && errno == ECHILD, "no child is left");
    return done_testing();
}
