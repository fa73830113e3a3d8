/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "migrate/treekill.h"

struct family {
    int *pids;
    size_t count, room;
};

static int family_add(struct family *family, int pid)
{
    size_t room = family->room ? 2 * family->room : 64;

    if (family->count == family->room) {
        int *pids = realloc(family->pids, room * sizeof(*pids));

        if (!pids)
            return 0;
        family->pids = pids;
        family->room = room;
    }
    family->pids[family->count++] = pid;
    return 1;
}

static void children_add(struct family *family, int pid)
{
    char path[64];
    FILE *list;
    int child;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
    list = fopen(path, "re");
    while (list && fscanf(list, "%d", &child) == 1 && family_add(family, child))
        continue;
    if (list)
        fclose(list);
}

void treekill(pid_t pid, int pidfd)
{
    struct family family = { .count = 0 };

    if (pidfd < 0 || syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) < 0)
        return;
    children_add(&family, pid);
    /* Before its children, which it might replace; not stopped, as its ghost would hear of that. */
    kill(pid, SIGKILL);
    for (size_t i = 0; i < family.count; i++) {
        int child = family.pids[i];

        children_add(&family, child);
        kill(child, SIGKILL);
    }
    free(family.pids);
}
