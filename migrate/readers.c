/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "migrate/readers.h"

#define HOLDERS_MAX 64          /* processes that have the object open */
#define SCAN_MS 100             /* between two searches for them */
#define POLLED_MAX 1024         /* descriptors of a poll(2) that are looked at */

struct readers {
    int proc;
    dev_t dev;
    ino_t ino;
    pid_t holders[HOLDERS_MAX];
    unsigned count;
    int64_t scanned;
};

/* A system call that a thread is blocked in. */
struct blocked {
    long number;
    unsigned long args[6];
};

struct readers *readers_open(const char *root, dev_t dev, ino_t ino)
{
    struct readers *readers = calloc(1, sizeof(*readers));
    char path[128];

    if (!readers)
        return NULL;
    snprintf(path, sizeof(path), "%s/proc", root);
    readers->proc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (readers->proc < 0) {
        free(readers);
        return NULL;
    }
    readers->dev = dev;
    readers->ino = ino;
    readers->scanned = -SCAN_MS;
    return readers;
}

void readers_close(struct readers *readers)
{
    if (!readers)
        return;
    close(readers->proc);
    free(readers);
}

static int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

__attribute__((format(printf, 2, 3)))
static DIR *folder_open(const struct readers *readers, const char *fmt, ...)
{
    char path[64];
    va_list args;
    DIR *dir;
    int fd;

    va_start(args, fmt);
    vsnprintf(path, sizeof(path), fmt, args);
    va_end(args);
    fd = openat(readers->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir && fd >= 0)
        close(fd);
    return dir;
}

static bool is_object(const struct readers *readers, int dir, const char *name)
{
    struct stat st;

    return fstatat(dir, name, &st, 0) == 0 && st.st_dev == readers->dev &&
           st.st_ino == readers->ino;
}

static bool process_holds(const struct readers *readers, pid_t pid)
{
    DIR *dir = folder_open(readers, "%d/fd", (int)pid);
    struct dirent *entry;
    bool holds = false;

    while (dir && !holds && (entry = readdir(dir)))
        holds = entry->d_name[0] != '.' && is_object(readers, dirfd(dir), entry->d_name);
    if (dir)
        closedir(dir);
    return holds;
}

static void holders_find(struct readers *readers)
{
    DIR *dir = folder_open(readers, ".");
    struct dirent *entry;

    readers->count = 0;
    while (dir && readers->count < HOLDERS_MAX && (entry = readdir(dir))) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

        /* Init keeps no end of anybody's. */
        if (pid > 1 && process_holds(readers, pid))
            readers->holders[readers->count++] = pid;
    }
    if (dir)
        closedir(dir);
}

static bool descriptor_is_object(const struct readers *readers, pid_t pid, unsigned long fd)
{
    char path[64];

    snprintf(path, sizeof(path), "%d/fd/%lu", (int)pid, fd);
    return is_object(readers, readers->proc, path);
}

static size_t memory_read(const struct readers *readers, pid_t pid, unsigned long from, void *to,
                          size_t len)
{
    char path[64];
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "%d/mem", (int)pid);
    fd = openat(readers->proc, path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : pread(fd, to, len, (off_t)from);
    if (fd >= 0)
        close(fd);
    return n < 0 ? 0 : (size_t)n;
}

static bool poll_waits(const struct readers *readers, pid_t pid, const unsigned long *args)
{
    static struct pollfd polled[POLLED_MAX];
    size_t count = args[1] < POLLED_MAX ? args[1] : POLLED_MAX;

    count = memory_read(readers, pid, args[0], polled, count * sizeof(*polled)) / sizeof(*polled);
    for (size_t i = 0; i < count; i++)
        if (polled[i].fd >= 0 && polled[i].events & (POLLIN | POLLRDNORM) &&
            descriptor_is_object(readers, pid, (unsigned long)polled[i].fd))
            return true;
    return false;
}

static bool select_waits(const struct readers *readers, pid_t pid, const unsigned long *args)
{
    unsigned long count = args[0] < FD_SETSIZE ? args[0] : FD_SETSIZE;
    fd_set set;

    FD_ZERO(&set);
    if (args[1] == 0 || memory_read(readers, pid, args[1], &set, (count + 7) / 8) == 0)
        return false;
    for (unsigned long fd = 0; fd < count; fd++)
        if (FD_ISSET(fd, &set) && descriptor_is_object(readers, pid, fd))
            return true;
    return false;
}

static bool epoll_waits(const struct readers *readers, pid_t pid, const unsigned long *args)
{
    char path[64], line[256];
    unsigned events;
    unsigned long fd;
    bool waits = false;
    FILE *info;
    int file;

    snprintf(path, sizeof(path), "%d/fdinfo/%lu", (int)pid, args[0]);
    file = openat(readers->proc, path, O_RDONLY | O_CLOEXEC);
    info = file < 0 ? NULL : fdopen(file, "r");
    if (!info && file >= 0)
        close(file);
    while (info && !waits && fgets(line, sizeof(line), info))
        waits = sscanf(line, "tfd: %lu events: %x", &fd, &events) == 2 && events & EPOLLIN &&
                descriptor_is_object(readers, pid, fd);
    if (info)
        fclose(info);
    return waits;
}

/* Bytes the blocked call takes from the object; 0: it waits for something else. */
static size_t call_wants(const struct readers *readers, pid_t pid, const struct blocked *call)
{
    const unsigned long *args = call->args;

    switch (call->number) {
    case SYS_read:
    case SYS_recvfrom:
        return descriptor_is_object(readers, pid, args[0]) ? args[2] : 0;
    case SYS_readv:
    case SYS_recvmsg:
    case SYS_recvmmsg:
    case SYS_splice:
    case SYS_tee:
        return descriptor_is_object(readers, pid, args[0]) ? READERS_POLLS : 0;
    case SYS_sendfile:
        return descriptor_is_object(readers, pid, args[1]) ? READERS_POLLS : 0;
    case SYS_poll:
    case SYS_ppoll:
        return poll_waits(readers, pid, args) ? READERS_POLLS : 0;
    case SYS_select:
    case SYS_pselect6:
        return select_waits(readers, pid, args) ? READERS_POLLS : 0;
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
        return epoll_waits(readers, pid, args) ? READERS_POLLS : 0;
    default:
        return 0;
    }
}

/* False when the thread runs, or is gone. */
static bool blocked_read(const struct readers *readers, pid_t pid, const char *thread,
                         struct blocked *call)
{
    char path[64], text[256];
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "%d/task/%.16s/syscall", (int)pid, thread);
    fd = openat(readers->proc, path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return false;
    text[n] = '\0';
    return sscanf(text, "%ld %lx %lx %lx %lx %lx %lx", &call->number, &call->args[0],
                  &call->args[1], &call->args[2], &call->args[3], &call->args[4],
                  &call->args[5]) == 7;
}

static size_t process_wants(const struct readers *readers, pid_t pid)
{
    DIR *dir = folder_open(readers, "%d/task", (int)pid);
    struct dirent *entry;
    struct blocked call;
    size_t wants = 0;

    while (dir && wants == 0 && (entry = readdir(dir)))
        if (entry->d_name[0] != '.' && blocked_read(readers, pid, entry->d_name, &call))
            wants = call_wants(readers, pid, &call);
    if (dir)
        closedir(dir);
    return wants < READERS_POLLS ? wants : READERS_POLLS;
}

size_t readers_wanted(struct readers *readers)
{
    int64_t now = clock_ms();
    size_t wants = 0;

    if (now - readers->scanned >= SCAN_MS) {
        readers->scanned = now;
        holders_find(readers);
    }
    for (unsigned i = 0; wants == 0 && i < readers->count; i++)
        wants = process_wants(readers, readers->holders[i]);
    return wants;
}
