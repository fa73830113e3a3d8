/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/openat2.h>

#include "migrate/rootopen.h"

#define TRIES 100

int rootopen(const char *root, const char *path, int flags)
{
    struct open_how how = { .flags = (unsigned)flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
    int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd, left = TRIES;

    if (dir < 0)
        return -errno;
    /* The kernel cannot tell where a ".." leads while anything is being renamed or mounted. */
    do
        fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
    while (fd < 0 && errno == EAGAIN && --left > 0);
    if (fd < 0)
        fd = -errno;
    close(dir);
    return fd;
}
