/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libbproc/epolls.h"

#define EPOLL_LINK "anon_inode:[eventpoll]"

struct watch {
    int epoll, fd;                      /* -1: only the instance itself */
    struct epoll_event event;
};

struct watches {
    struct watch *list;
    size_t count, room;
};

static int watch_add(struct watches *watches, const struct watch *watch)
{
    if (watches->count == watches->room) {
        size_t room = watches->room ? 2 * watches->room : 16;
        struct watch *list = realloc(watches->list, room * sizeof(*list));

        if (!list)
            return -ENOMEM;
        watches->list = list;
        watches->room = room;
    }
    watches->list[watches->count++] = *watch;
    return 0;
}

/* Most descriptors have a type, so that a look at the name is rarely needed. */
static int is_epoll(int dir, const char *name, int fd)
{
    char link[sizeof(EPOLL_LINK)];
    struct stat st;

    if (fstat(fd, &st) < 0 || st.st_mode & S_IFMT)
        return 0;
    return readlinkat(dir, name, link, sizeof(link)) == sizeof(EPOLL_LINK) - 1 &&
           memcmp(link, EPOLL_LINK, sizeof(EPOLL_LINK) - 1) == 0;
}

/* The number may be another file's by now, one of ours among them. */
static int is_still_open(int fd, unsigned long inode, const struct streams *set)
{
    struct stat st;

    for (unsigned i = 0; i < set->count; i++)
        for (unsigned t = 0; t < set->descs[i].targets.targets_len; t++)
            if (set->descs[i].targets.targets_val[t] == fd)
                return set->descs[i].orig_inode == inode;
    return fstat(fd, &st) == 0 && st.st_ino == inode;
}

static int watches_read(struct watches *watches, int epoll, const struct streams *set)
{
    struct watch watch = { .epoll = epoll, .fd = -1 };
    char path[64], line[256];
    int error = watch_add(watches, &watch);
    FILE *info;

    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epoll);
    info = fopen(path, "re");
    if (!info)
        return -errno;
    while (!error && fgets(line, sizeof(line), info)) {
        unsigned long long data;
        unsigned long inode;
        unsigned events;

        if (sscanf(line, "tfd: %d events: %x data: %llx pos:%*s ino:%lx", &watch.fd, &events, &data,
                   &inode) != 4 || !is_still_open(watch.fd, inode, set))
            continue;
        watch.event.events = events;
        watch.event.data.u64 = data;
        error = watch_add(watches, &watch);
    }
    fclose(info);
    return error;
}

static int watches_collect(struct watches *watches, const struct streams *set)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    int error = dir ? 0 : -errno;

    while (!error && (entry = readdir(dir))) {
        int fd = atoi(entry->d_name);

        if (entry->d_name[0] != '.' && is_epoll(dirfd(dir), entry->d_name, fd))
            error = watches_read(watches, fd, set);
    }
    if (dir)
        closedir(dir);
    return error;
}

static int instance_replace(int epoll)
{
    int flags = fcntl(epoll, F_GETFD), fresh = epoll_create1(EPOLL_CLOEXEC);
    int error = fresh < 0 ? -errno : 0;

    if (!error && dup3(fresh, epoll, flags & FD_CLOEXEC ? O_CLOEXEC : 0) < 0)
        error = -errno;
    if (fresh >= 0)
        close(fresh);
    return error;
}

int epolls_renew(const struct streams *set)
{
    struct watches watches = { NULL, 0, 0 };
    int error = watches_collect(&watches, set);

    for (size_t i = 0; !error && i < watches.count; i++)
        if (watches.list[i].fd < 0)
            error = instance_replace(watches.list[i].epoll);
    /* Then, as one may watch another. */
    for (size_t i = 0; !error && i < watches.count; i++)
        if (watches.list[i].fd >= 0)
            epoll_ctl(watches.list[i].epoll, EPOLL_CTL_ADD, watches.list[i].fd,
                      &watches.list[i].event);
    free(watches.list);
    return error;
}
