/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/nsfs.h>

#include "common/fd.h"
#include "migrate/mountns.h"

static int same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* In a user namespace anybody may mount what he likes where he likes. */
static int owner_is_ours(int ns, const char *reference)
{
    struct stat theirs, ours;
    char path[64];
    int owner = ioctl(ns, NS_GET_USERNS), same;

    if (owner < 0)
        return 0;
    snprintf(path, sizeof(path), "/proc/%s/ns/user", reference);
    same = fstat(owner, &theirs) == 0 && stat(path, &ours) == 0 &&
           same_file(&theirs, &ours);
    close(owner);
    return same;
}

static int ns_enter(int ns, pid_t pid, const char *reference, char *text, size_t len)
{
    struct stat before, after;

    if (!owner_is_ours(ns, reference)) {
        snprintf(text, len, "cannot dump process %d: its mount namespace belongs to a user", pid);
        return -ENOTSUP;
    }
    if (stat("/", &before) < 0 || setns(ns, CLONE_NEWNS) < 0 || stat("/", &after) < 0) {
        int error = -errno;

        snprintf(text, len, "cannot enter the mount namespace of process %d: %s", pid,
                 strerror(-error));
        return error;
    }
    if (!same_file(&before, &after)) {
        snprintf(text, len, "cannot dump process %d: it has a root of its own", pid);
        return -ENOTSUP;
    }
    return 0;
}

int mountns_own(void)
{
    int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

    if (own < 0)
        return -errno;
    /* A thread has to have its root and directory for itself before it can change the namespace. */
    if (unshare(CLONE_FS) == 0)
        return own;
    close(own);
    return -EPERM;
}

int mountns_enter_space(pid_t init, char *text, size_t len)
{
    int space = (int)syscall(SYS_pidfd_open, init, 0);
    int error = 0;

    if (space < 0 || setns(space, CLONE_NEWNS) < 0) {
        error = -errno;
        snprintf(text, len, "cannot enter the process space: %s", strerror(-error));
        fd_close(&space);
    }
    return error ? error : space;
}

int mountns_enter(pid_t pid, const char *reference, char *text, size_t len)
{
    struct stat theirs, ours;
    char path[64], own[64];
    int ns, error = 0;

    snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
    snprintf(own, sizeof(own), "/proc/%s/ns/mnt", reference);
    ns = open(path, O_RDONLY | O_CLOEXEC);
    if (ns < 0 || fstat(ns, &theirs) < 0 || stat(own, &ours) < 0) {
        snprintf(text, len, "cannot find process %d", pid);
        error = -ESRCH;
    } else if (!same_file(&theirs, &ours)) {
        error = ns_enter(ns, pid, reference, text, len);
    }
    if (error)
        fd_close(&ns);
    return error ? error : ns;
}

void mountns_leave(int own)
{
    if (own < 0)
        return;
    if (setns(own, CLONE_NEWNS) < 0)
        _exit(1);
    close(own);
}
