/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "migrate/ghost_child.h"

#define WORDS_MAX (BPROC_MAX_TEXT + 1)

struct child {
    pid_t pid;
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

static void words_split(const ghost_fork_arg *arg, char *text, char **words)
{
    unsigned count = 0;

    memcpy(text, arg->args.args_val, arg->args.args_len);
    text[arg->args.args_len] = '\0';
    for (size_t at = 0; at < arg->args.args_len; at += strlen(text + at) + 1)
        words[count++] = text + at;
    if (count == 0)
        words[count++] = (char *)(uintptr_t)"bproc-ghost";
    words[count] = NULL;
}

/* With another number it would be a stranger's ghost. */
__attribute__((noreturn))
static void child_become(const ghost_fork_arg *arg)
{
    char node[40], text[BPROC_MAX_TEXT + 1];
    char *words[WORDS_MAX + 1];

    if (getpid() != arg->pid)
        _exit(0);
    snprintf(node, sizeof(node), "%d", arg->node);
    setenv("BPROC_GHOST_NODE", node, 1);
    words_split(arg, text, words);
    close_range(STDERR_FILENO + 1, ~0U, 0);
    execv("/proc/self/exe", words);
    _exit(127);
}

int ghost_child_fork(const ghost_fork_arg *arg)
{
    struct child *child = malloc(sizeof(*child));
    pid_t pid = child ? fork() : -1;
    int error = child ? -errno : -ENOMEM;

    if (pid == 0)
        child_become(arg);
    if (pid == arg->pid) {
        *child = (struct child){ pid, children };
        children = child;
        return 0;
    }
    free(child);
    if (pid < 0)
        return error;
    waitpid(pid, NULL, 0);
    return -EAGAIN;
}

void ghost_child_reap(void (*tell)(const status_msg *change, void *arg), void *arg)
{
    status_msg change;

    while ((change.pid = waitpid(-1, &change.status, WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
        struct child **at = child_find(change.pid), *child = *at;

        if (!child) {
            tell(&change, arg);
        } else if (!WIFSTOPPED(change.status) && !WIFCONTINUED(change.status)) {
            *at = child->next;
            free(child);
        }
    }
}
