/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bproc-open IN OUT ERR COMMAND [ARGUMENT]...: opens files for the three standard streams and
 * becomes COMMAND, a path, by the name of COMMAND. An empty name leaves that stream as it is. bpsh
 * sends it to the node of a task, so that relative names count from the directory there and the
 * files are opened as the user. Nodes need nothing but libc for it. Exit status 2 when a file
 * cannot be opened, 126 or 127, as in a shell, when the command cannot be executed.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATUS_OPEN 2
#define STATUS_EXEC 126
#define STATUS_ABSENT 127
#define FIRST_COMMAND 4

/* As bpsh tells what else fails on a node. */
static void failure_tell(const char *verb, const char *path)
{
    const char *node = getenv("BPROC_NODE");

    fprintf(stderr, "%s: cannot %s '%s': %s\n", node ? node : program_invocation_short_name, verb,
            path, strerror(errno));
}

static int stream_open(int target, const char *path)
{
    int flags = target == STDIN_FILENO ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC;
    int fd;

    if (!*path)
        return 0;
    fd = open(path, flags | O_CLOEXEC, 0666);
    if (fd < 0) {
        failure_tell("open", path);
        return -1;
    }
    return dup2(fd, target);
}

int main(int argc, char **argv)
{
    int failure;

    if (argc <= FIRST_COMMAND) {
        fputs("bproc-open: is run by bpsh\n", stderr);
        return 1;
    }
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        if (stream_open(i, argv[i + 1]) < 0)
            return STATUS_OPEN;
    /* A script without a first line that names its shell is the shell's, as everywhere. */
    execvp(argv[FIRST_COMMAND], argv + FIRST_COMMAND);
    failure = errno == ENOENT ? STATUS_ABSENT : STATUS_EXEC;
    failure_tell("execute", argv[FIRST_COMMAND]);
    return failure;
}
