/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "slaved/usage_proc.h"

struct reader {
    int dir;
    uint64_t uptime_ms;
    const seconds_msg *seconds;
    int second;
    struct stat init;           /* the program that init is */
};

/* Reads PID/NAME as text. Its length, 0 when the process has gone. */
static size_t text_read(int dir, int pid, const char *name, char *text, size_t room)
{
    char path[64];
    ssize_t len = -1;
    int fd;

    snprintf(path, sizeof(path), "%d/%s", pid, name);
    fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        len = read(fd, text, room - 1);
        close(fd);
    }
    text[len > 0 ? len : 0] = '\0';
    return len > 0 ? (size_t)len : 0;
}

/* The fields behind the name, which can hold any bytes. */
static int stat_parse(char *text, const struct reader *reader, proc_usage *proc, char **comm)
{
    uint64_t user, system, start, tick = (uint64_t)sysconf(_SC_CLK_TCK);
    char *open = strchr(text, '('), *close = strrchr(text, ')');
    int64_t pages;
    char state;

    if (!open || !close || close < open)
        return -EPROTO;
    *comm = open + 1;
    *close = '\0';
    if (sscanf(close + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
               " %*d %*d %*d %d %u %*d %" SCNu64 " %*u %" SCNd64, &state, &proc->ppid, &user,
               &system, &proc->nice_value, &proc->threads, &start, &pages) != 8)
        return -EPROTO;
    proc->state = state;
    proc->cpu_ms = (user + system) * 1000 / tick;
    start = start * 1000 / tick;
    proc->age_ms = reader->uptime_ms > start ? reader->uptime_ms - start : 0;
    proc->rss = pages > 0 ? (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
    return 0;
}

/* Arguments with blanks between them; the name alone when there are none. Malloc'd. */
static char *command_read(int dir, int pid, const char *comm)
{
    char text[BPROC_MAX_COMMAND + 1], name[BPROC_MAX_COMMAND];
    size_t len = text_read(dir, pid, "cmdline", text, sizeof(text));

    while (len > 0 && text[len - 1] == '\0')
        len--;
    for (size_t i = 0; i < len; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    if (len > 0)
        return strndup(text, len);
    snprintf(name, sizeof(name), "[%.32s]", comm);
    return strdup(name);
}

static void owner_read(int dir, int pid, proc_usage *proc)
{
    char text[2048];
    const char *line;

    text_read(dir, pid, "status", text, sizeof(text));
    line = strstr(text, "\nUid:");
    if (line)
        sscanf(line, "\nUid: %u", &proc->uid);
}

/* Keepers and their like are forks of init. */
static int is_machinery(const struct reader *reader, int pid)
{
    char path[32];
    struct stat exe;

    snprintf(path, sizeof(path), "%d/exe", pid);
    return fstatat(reader->dir, path, &exe, 0) == 0 && exe.st_ino == reader->init.st_ino &&
           exe.st_dev == reader->init.st_dev;
}

/* What has ended below a keeper, keepers too, is reaped in passing and nobody's any more. */
static int is_leftover(const struct reader *reader, const proc_usage *proc)
{
    return proc->state == 'Z' && is_machinery(reader, proc->ppid);
}

/* 0, -ESRCH when there is nothing to tell, -ENOMEM. */
static int proc_read(const struct reader *reader, int pid, proc_usage *proc)
{
    char text[1024], *comm;

    *proc = (proc_usage){ .pid = pid };
    if (is_machinery(reader, pid) || !text_read(reader->dir, pid, "stat", text, sizeof(text)) ||
        stat_parse(text, reader, proc, &comm) < 0 || is_leftover(reader, proc))
        return -ESRCH;
    owner_read(reader->dir, pid, proc);
    proc->command = command_read(reader->dir, pid, comm);
    return proc->command ? 0 : -ENOMEM;
}

/* In a full list the least of all goes for one that has used more. */
static void proc_keep(node_usage *usage, proc_usage *proc)
{
    proc_usage *procs = usage->procs.procs_val, *least = procs;

    if (usage->procs.procs_len < BPROC_MAX_USAGE) {
        procs[usage->procs.procs_len++] = *proc;
        return;
    }
    for (unsigned i = 1; i < usage->procs.procs_len; i++)
        if (procs[i].cpu_ms < least->cpu_ms)
            least = &procs[i];
    if (least->cpu_ms < proc->cpu_ms) {
        free(least->command);
        *least = *proc;
    } else {
        free(proc->command);
    }
}

static int number_compare(const void *left, const void *right)
{
    int a = *(const int *)left, b = *(const int *)right;

    return (a > b) - (a < b);
}

/* The number may be in both spaces: what only stands for a process is not the process. */
static int is_elsewhere(const struct reader *reader, int pid)
{
    const seconds_msg *seconds = reader->seconds;
    int listed = seconds->pids.pids_len > 0 &&
                 bsearch(&pid, seconds->pids.pids_val, seconds->pids.pids_len, sizeof(int),
                         number_compare) != NULL;

    return listed != reader->second;
}

static int list_read(DIR *list, const struct reader *reader, node_usage *usage)
{
    const struct dirent *entry;
    proc_usage proc;
    int error, pid;

    while ((entry = readdir(list)) != NULL) {
        pid = atoi(entry->d_name);
        if (pid <= 1 || is_elsewhere(reader, pid))
            continue;
        error = proc_read(reader, pid, &proc);
        if (error == -ENOMEM)
            return error;
        if (error)
            continue;
        usage->count++;
        proc_keep(usage, &proc);
    }
    return 0;
}

void usage_proc_sort(seconds_msg *seconds)
{
    if (seconds->pids.pids_len > 0)
        qsort(seconds->pids.pids_val, seconds->pids.pids_len, sizeof(int), number_compare);
}

int usage_proc_read(int dir, uint64_t uptime_ms, const seconds_msg *seconds, int second,
                    node_usage *usage)
{
    struct reader reader = { .dir = dir, .uptime_ms = uptime_ms, .seconds = seconds,
                             .second = second };
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    int error;

    if (!list || fstatat(dir, "1/exe", &reader.init, 0) < 0) {
        error = -errno;
        if (list)
            closedir(list);
        else if (fd >= 0)
            close(fd);
        return error;
    }
    error = list_read(list, &reader, usage);
    closedir(list);
    return error;
}

void usage_proc_free(node_usage *usage)
{
    for (unsigned i = 0; i < usage->procs.procs_len; i++)
        free(usage->procs.procs_val[i].command);
    usage->count = usage->procs.procs_len = 0;
}
