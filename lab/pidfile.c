/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "config.h"

#include "lab/pidfile.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

unsigned long long pidfile_start_time(pid_t pid)
{
    unsigned long long start = 0;
    char path[64], line[1024];
    const char *rest;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    /* The name in field 2 may hold blanks and parentheses: count from its end. */
    if (fgets(line, sizeof(line), file) != NULL && (rest = strrchr(line, ')')) != NULL
        && sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d"
                            " %*d %*d %llu", &start) != 1)
        start = 0;
    fclose(file);
    return start;
}

int pidfile_write(const char *nodedir, pid_t pid)
{
    char path[PATH_MAX], fresh[PATH_MAX];
    FILE *file;
    int bad;

    snprintf(path, sizeof(path), "%s/init", nodedir);
    snprintf(fresh, sizeof(fresh), "%s/init.new", nodedir);
    file = fopen(fresh, "we");
    if (file == NULL)
        return -errno;
    bad = fprintf(file, "%d %llu\n", (int)pid, pidfile_start_time(pid)) < 0;
    bad = fclose(file) != 0 || bad;
    if (bad || rename(fresh, path) < 0)
        return errno != 0 ? -errno : -EIO;
    return 0;
}

int pidfile_open(const char *nodedir, pid_t *pid)
{
    unsigned long long start;
    char path[PATH_MAX];
    struct pollfd end = {.events = POLLIN};
    int fields, recorded, fd;
    FILE *file;

    snprintf(path, sizeof(path), "%s/init", nodedir);
    file = fopen(path, "re");
    if (file == NULL)
        return errno == ENOENT ? -ESRCH : -errno;
    fields = fscanf(file, "%d %llu", &recorded, &start);
    fclose(file);
    if (fields != 2 || recorded <= 1)
        return -ESRCH;
    fd = pidfd_open(recorded, 0);
    if (fd < 0)
        return -errno;
    end.fd = fd;
    if (pidfile_start_time(recorded) != start || poll(&end, 1, 0) > 0) {
        close(fd);
        return -ESRCH;
    }
    *pid = recorded;
    return fd;
}
