/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/magic.h>

#include "migrate/imageopen.h"

#define OPEN_SECONDS 10
#define MAKING (O_CREAT | O_EXCL | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

struct verdict {
    int error;
    unsigned index;                     /* of the want it is about */
};

static int owner_become(const struct image_guest *guest)
{
    const struct image_owner *owner = &guest->owner;

    if (chroot(guest->root) < 0 || chdir("/") < 0 || setgroups(owner->ngroups, owner->groups) < 0 ||
        setresgid(owner->gid, owner->gid, owner->gid) < 0 ||
        setresuid(owner->uid, owner->uid, owner->uid) < 0)
        return -errno;
    return 0;
}

/* What such a file lets its opener do later depends on who he was, and CRIU is root. */
static int is_about_openers(int fd, uint32_t flags)
{
    struct statfs fs;

    if ((flags & O_ACCMODE) == O_RDONLY)
        return 0;
    return fstatfs(fd, &fs) < 0 || fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC ||
           fs.f_type == CGROUP_SUPER_MAGIC || fs.f_type == CGROUP2_SUPER_MAGIC;
}

static int path_open(const struct image_want *want, uid_t uid)
{
    int fd, error = 0;

    if (want->flags & MAKING)
        return -EPERM;
    fd = open(want->path, (int)want->flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (want->use == USE_ENTER && fchdir(fd) < 0)
        error = -errno;
    else if (uid != 0 && is_about_openers(fd, want->flags))
        error = -EPERM;
    close(fd);
    return error;
}

static int want_try(const struct image_want *want, uid_t uid)
{
    if (want->use == USE_CREATE)
        return faccessat(AT_FDCWD, want->path, W_OK | X_OK, 0) < 0 ? -errno : 0;
    return path_open(want, uid);
}

__attribute__((noreturn))
static void opener_run(const struct image_guest *guest, const struct image_want *wants,
                       unsigned count, int result)
{
    struct verdict verdict = { .index = count };

    signal(SIGALRM, SIG_DFL);
    alarm(OPEN_SECONDS);
    verdict.error = owner_become(guest);
    for (unsigned i = 0; !verdict.error && i < count; i++) {
        verdict.error = want_try(&wants[i], guest->owner.uid);
        if (verdict.error)
            verdict.index = i;
    }
    (void)!write(result, &verdict, sizeof(verdict));
    _exit(0);
}

static int verdict_say(const struct image_want *want, uid_t uid, int error, char *text, size_t len)
{
    static const char *const doing[] = {
        [USE_OPEN] = "opens", [USE_ENTER] = "is in", [USE_CREATE] = "makes a file in"
    };

    if (error == -EPERM || error == -EACCES) {
        snprintf(text, len, "%s %s, which uid %u may not", doing[want->use], want->path, uid);
        return -EPERM;
    }
    snprintf(text, len, "%s %s, which uid %u cannot: %s", doing[want->use], want->path, uid,
             strerror(-error));
    return -ENOTSUP;
}

int imageopen_check(const struct image_guest *guest, const struct image_want *wants, unsigned count,
                    char *text, size_t len)
{
    struct verdict verdict;
    int ends[2], error = 0;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    pid = fork();
    if (pid == 0)
        opener_run(guest, wants, count, ends[1]);
    if (pid < 0)
        error = -errno;
    close(ends[1]);
    if (!error && read(ends[0], &verdict, sizeof(verdict)) != (ssize_t)sizeof(verdict))
        error = -ETIMEDOUT;
    close(ends[0]);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    if (error || !verdict.error)
        return error;
    if (verdict.index >= count)
        return verdict.error;
    return verdict_say(&wants[verdict.index], guest->owner.uid, verdict.error, text, len);
}
