/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "masterd/task.h"

#define STATUS_MAX (16 * 1024)

static int ids_read(const char *at, unsigned *ids, unsigned max, unsigned *count)
{
    char *end;

    for (*count = 0;; (*count)++) {
        unsigned long id;

        at += strspn(at, " \t");
        if (*at == '\n' || *at == '\0')
            return 0;
        if (*count == max)
            return -E2BIG;
        id = strtoul(at, &end, 10);
        if (end == at)
            return -EPROTO;
        ids[*count] = (unsigned)id;
        at = end;
    }
}

static const char *field_find(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    return at ? at + strlen(name) : NULL;
}

static int text_parse(const char *text, struct task *task)
{
    const char *ppid = field_find(text, "\nPPid:"), *uid = field_find(text, "\nUid:");
    const char *gid = field_find(text, "\nGid:"), *groups = field_find(text, "\nGroups:");
    const char *capabilities = field_find(text, "\nCapPrm:");
    unsigned count;
    int error;

    if (!ppid || !uid || !gid || !groups || !capabilities)
        return -EPROTO;
    task->capabilities = strtoull(capabilities, NULL, 16);
    task->ppid = (pid_t)strtol(ppid, NULL, 10);
    error = ids_read(uid, task->uids, 4, &count);
    if (!error && count == 4)
        error = ids_read(gid, task->gids, 4, &count);
    if (!error && count != 4)
        error = -EPROTO;
    return error ? error : ids_read(groups, task->groups, BPROC_MAX_GROUPS, &task->ngroups);
}

int task_read(pid_t pid, struct task *task)
{
    char path[40], text[STATUS_MAX];
    size_t got = 0;
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -ESRCH;
    while (got < sizeof(text) - 1 && (n = read(fd, text + got, sizeof(text) - 1 - got)) > 0)
        got += (size_t)n;
    close(fd);
    text[got] = '\0';
    memset(task, 0, sizeof(*task));
    return text_parse(text, task);
}

int task_is_plain(const struct task *task, uid_t uid)
{
    for (int i = 0; i < 4; i++)
        if (task->uids[i] != uid || task->gids[i] != task->gids[0])
            return 0;
    return uid == 0 || task->capabilities == 0;
}
