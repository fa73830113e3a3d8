/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "migrate/ghost_child.h"
#include "migrate/ghosttext.h"

#define BIRTH PKGLIBEXECDIR "/bproc-birth"
#define PIECE 4096                  /* bytes of memory taken at a time */

struct child {
    pid_t pid;
    pid_t ghost;                /* bproc-birth makes this one; 0: it is a ghost itself */
    struct child *next;
};

static struct child *children;
static struct child *unused;

/* NULL: no memory. */
static struct child *child_new(void)
{
    struct child *child = unused;

    if (!child) {
        child = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (child == MAP_FAILED)
            return NULL;
        for (size_t i = 1; i < PIECE / sizeof(*child); i++)
            child[i - 1].next = &child[i];
    }
    unused = child->next;
    return child;
}

static void child_free(struct child *child)
{
    child->next = unused;
    unused = child;
}

static struct child **child_find(pid_t pid)
{
    struct child **at = &children;

    while (*at && (*at)->pid != pid)
        at = &(*at)->next;
    return at;
}

__attribute__((noreturn))
static void birth_run(pid_t pid)
{
    char text[16];
    char *argv[] = { (char[]){ "bproc-birth" }, ghosttext_format(text, sizeof(text), pid),
                     NULL };

    execve(BIRTH, argv, environ);
    _exit(errno);
}

int ghost_child_start(pid_t pid)
{
    struct child *child = child_new();
    pid_t birth;
    int error;

    if (!child)
        return -ENOMEM;
    birth = fork();
    if (birth == 0)
        birth_run(pid);
    if (birth < 0) {
        error = -errno;
        child_free(child);
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
        child_free(child);
    }
}
