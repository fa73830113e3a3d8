/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bpsh_outfile.h"
#include "tools/tool.h"

static int path_make(char path[PATH_MAX], const struct task *task, const char *dir, int target)
{
    const char *end = target == STDOUT_FILENO ? "out" : "err";
    char node[24] = "master", copy[16] = "";

    if (task->node >= 0)
        snprintf(node, sizeof(node), "n%d", task->node);
    if (task->copy > 0)
        snprintf(copy, sizeof(copy), ".%d", task->copy);
    return snprintf(path, PATH_MAX, "%s/%s%s.%s", dir, node, copy, end) < PATH_MAX
        ? 0 : -ENAMETOOLONG;
}

static int file_fail(struct task *task, const char *path)
{
    int error = -errno;

    task->no_file = true;
    task->complained = true;
    warnx("cannot open '%s': %s", path, tool_reason(-error));
    return error;
}

int outfile_open(struct task *task, const char *dir, int target)
{
    struct sink **file = &task->files[target - STDOUT_FILENO];
    char path[PATH_MAX];
    int fd, error = path_make(path, task, dir, target);

    if (error)
        return error;
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return file_fail(task, path);
    *file = sink_new(fd, path);
    return *file ? 0 : -ENOMEM;
}

void outfile_settle(struct task *task)
{
    for (int i = 0; i < 2; i++)
        if (task->files[i] && task->out[i].fd < 0)
            sink_close(task->files[i]);
}

bool outfile_failed(const struct task *task)
{
    for (int i = 0; i < 2; i++)
        if (task->files[i] && task->files[i]->error)
            return true;
    return false;
}

void outfile_free(struct task *task)
{
    for (int i = 0; i < 2; i++) {
        sink_free(task->files[i]);
        task->files[i] = NULL;
    }
}
