/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/space/procstat.h"

#define TEXT_MAX 4096
/* Of the first 31, which is what is shown. */
#define BLOCKABLE (0x7fffffffUL & ~(1UL << (SIGKILL - 1)) & ~(1UL << (SIGSTOP - 1)))
#define DELETED " (deleted)"

static ssize_t file_read(int proc, pid_t pid, const char *name, char *text, size_t max)
{
    char path[64];
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "%d/%s", (int)pid, name);
    fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    n = read(fd, text, max);
    if (n < 0)
        n = -errno;
    close(fd);
    return n;
}

/* The name may hold anything, a closing parenthesis too: the last one is its end. */
int procstat_read(int proc, pid_t pid, struct procstat *stat)
{
    char text[TEXT_MAX];
    ssize_t n = file_read(proc, pid, "stat", text, sizeof(text) - 1);
    const char *at;
    unsigned long blocked;
    int ppid, pgid, sid;

    if (n <= 0)
        return n < 0 ? (int)n : -ESRCH;
    text[n] = '\0';
    at = strrchr(text, ')');
    if (!at || sscanf(at + 1, " %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d"
                      " %*d %*d %llu %*u %*d %*u %*u %*u %*u %*u %*u %*u %lu %*u %*u %*u %*u %*u"
                      " %d", &stat->state, &ppid, &pgid, &sid, &stat->started, &blocked,
                      &stat->exit_signal) != 7)
        return -EPROTO;
    stat->deaf = (blocked & BLOCKABLE) == BLOCKABLE;
    stat->ppid = ppid;
    stat->pgid = pgid;
    stat->sid = sid;
    return 0;
}

int procstat_ids(int proc, pid_t pid, uid_t *uid, gid_t *gid)
{
    char text[TEXT_MAX];
    ssize_t n = file_read(proc, pid, "status", text, sizeof(text) - 1);
    const char *uids, *gids;

    if (n <= 0)
        return n < 0 ? (int)n : -ESRCH;
    text[n] = '\0';
    uids = strstr(text, "\nUid:");
    gids = strstr(text, "\nGid:");
    if (!uids || !gids || sscanf(uids, "\nUid: %u", uid) != 1 ||
        sscanf(gids, "\nGid: %u", gid) != 1)
        return -EPROTO;
    return 0;
}

int procstat_args(int proc, pid_t pid, char *args, size_t *len)
{
    ssize_t n = file_read(proc, pid, "cmdline", args, *len - 1);

    if (n == 0) {
        n = file_read(proc, pid, "comm", args, *len - 1);
        if (n > 0 && args[n - 1] == '\n')
            n--;
    }
    if (n <= 0)
        return n < 0 ? (int)n : -ESRCH;
    if (args[n - 1] != '\0')
        args[n++] = '\0';
    *len = (size_t)n;
    return 0;
}

int procstat_runs(int proc, pid_t pid, const char *path)
{
    char link[64], target[PATH_MAX];
    size_t len = strlen(path);
    ssize_t n;

    snprintf(link, sizeof(link), "%d/exe", (int)pid);
    n = readlinkat(proc, link, target, sizeof(target) - 1);
    if (n < (ssize_t)len)
        return 0;
    target[n] = '\0';
    return strncmp(target, path, len) == 0 &&
           (target[len] == '\0' || strcmp(target + len, DELETED) == 0);
}

bool procstat_runs_ours(pid_t pid)
{
    struct stat ours, theirs;
    char path[32];

    snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
    return stat("/proc/1/exe", &ours) == 0 && stat(path, &theirs) == 0 &&
           ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}
