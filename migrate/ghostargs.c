/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "migrate/ghostargs.h"

#define GHOST PKGLIBEXECDIR "/bproc-ghost"

void ghostargs_exec(const ghost_fork_arg *birth, const char *socket)
{
    char node_text[40], socket_text[PATH_MAX + 16], text[BPROC_MAX_TEXT + 1];
    char *env[] = { node_text, socket_text, NULL };
    char *words[BPROC_MAX_TEXT + 2];
    unsigned count = 0;

    memcpy(text, birth->args.args_val, birth->args.args_len);
    text[birth->args.args_len] = '\0';
    for (size_t at = 0; at < birth->args.args_len; at += strlen(text + at) + 1)
        words[count++] = text + at;
    if (count == 0)
        words[count++] = (char *)(uintptr_t)"bproc-ghost";
    words[count] = NULL;
    snprintf(node_text, sizeof(node_text), "BPROC_GHOST_NODE=%d", birth->node);
    snprintf(socket_text, sizeof(socket_text), "BPROC_SOCKET=%s", socket);
    close_range(STDERR_FILENO + 1, ~0U, 0);
    execve(GHOST, words, env);
    _exit(127);
}
