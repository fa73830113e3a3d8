/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/session_kill.h"

#define STAT_LONGEST 1024

/* Session of a process, from its line in /proc: behind the name, which may have anything in it. */
static pid_t session_read(int proc, const char *pid)
{
    char path[64], line[STAT_LONGEST];
    const char *rest;
    int fd, session;
    ssize_t n;

    snprintf(path, sizeof(path), "%.20s/stat", pid);
    fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    n = read(fd, line, sizeof(line) - 1);
    close(fd);
    line[n > 0 ? n : 0] = '\0';
    rest = strrchr(line, ')');
    return rest && sscanf(rest, ") %*c %*d %*d %d", &session) == 1 ? session : -1;
}

int session_kill(pid_t session, int signo)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    int count = 0;

    if (!proc)
        return -errno;
    while ((entry = readdir(proc))) {
        int pid = atoi(entry->d_name);

        if (pid > 1 && session_read(dirfd(proc), entry->d_name) == session)
            count += kill(pid, signo) == 0;
    }
    closedir(proc);
    return count;
}
