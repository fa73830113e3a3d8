/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "masterd/ghostfork.h"
#include "masterd/master.h"
#include "migrate/space/pidfork.h"

#define GHOST PKGLIBEXECDIR "/bproc-ghost"

static void user_become(const born_msg *born)
{
    if (setgroups(0, NULL) < 0 || setresgid(born->gid, born->gid, born->gid) < 0 ||
        setresuid(born->uid, born->uid, born->uid) < 0)
        _exit(1);
}

__attribute__((noreturn))
static void ghost_become(const born_msg *born, int node)
{
    char node_text[40], socket_text[PATH_MAX + 16], text[BPROC_MAX_TEXT + 1];
    char *env[] = { node_text, socket_text, NULL };
    char *words[BPROC_MAX_TEXT + 2];
    unsigned count = 0;

    memcpy(text, born->args.args_val, born->args.args_len);
    text[born->args.args_len] = '\0';
    for (size_t at = 0; at < born->args.args_len; at += strlen(text + at) + 1)
        words[count++] = text + at;
    if (count == 0)
        words[count++] = (char *)(uintptr_t)"bproc-ghost";
    words[count] = NULL;
    snprintf(node_text, sizeof(node_text), "BPROC_GHOST_NODE=%d", node);
    snprintf(socket_text, sizeof(socket_text), "BPROC_SOCKET=%s", master.conf->socket);
    close_range(STDERR_FILENO + 1, ~0U, 0);
    setsid();
    user_become(born);
    execve(GHOST, words, env);
    _exit(1);
}

int ghostfork_orphan(const born_msg *born, int node)
{
    sigset_t all, before;
    pid_t pid;
    int error;

    /* No handler of the loop may run in the child. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    error = pid < 0 ? -errno : 0;
    if (pid == 0) {
        pid = pidfork(born->id.pid);
        if (pid == 0)
            ghost_become(born, node);
        _exit(0);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return error;
}
