/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "migrate/ghost_child.h"

#define BIRTH PKGLIBEXECDIR "/bproc-birth"

struct child {
    pid_t pid;
    pid_t ghost;                /* bproc-birth makes this one; 0: it is a ghost itself */
    struct child *next;
};

static struct child *children;

static struct child **child_find(pid_t pid)
{
    struct child **at = &children;

    while (*at && (*at)->pid != pid)
        at = &(*at)->next;
    return at;
}

int ghost_child_start(pid_t pid)
{
    struct child *child = malloc(sizeof(*child));
    pid_t birth = child ? fork() : -1;
    int error = child ? -errno : -ENOMEM;
    char number[16];

    if (birth == 0) {
        snprintf(number, sizeof(number), "%d", (int)pid);
        execl(BIRTH, "bproc-birth", number, (char *)NULL);
        _exit(errno);
    }
    if (birth < 0) {
        free(child);
        return error;
    }
    *child = (struct child){ birth, pid, children };
    children = child;
    return 0;
}

/* What it has made is a child of ours from now on. */
static status_msg birth_over(struct child *child, int status)
{
    status_msg result = { .pid = child->ghost,
                          .status = WIFEXITED(status) ? WEXITSTATUS(status) : ECANCELED };

    child->pid = child->ghost;
    child->ghost = 0;
    return result;
}

void ghost_child_reap(void (*tell)(bproc_proc event, const status_msg *change, void *arg),
                      void *arg)
{
    status_msg change;

    while ((change.pid = waitpid(-1, &change.status, WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
        struct child **at = child_find(change.pid), *child = *at;

        if (!child) {
            tell(P_GHOST_CHILD, &change, arg);
            continue;
        }
        if (WIFSTOPPED(change.status) || WIFCONTINUED(change.status))
            continue;
        if (child->ghost) {
            change = birth_over(child, change.status);
            tell(P_GHOST_FORKED, &change, arg);
            if (change.status == 0)
                continue;
            at = child_find(change.pid);
        }
        *at = child->next;
        free(child);
    }
}
