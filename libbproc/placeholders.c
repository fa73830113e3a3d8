/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libbproc/placeholders.h"

static int placeholder_make(int fd, stream_desc *desc)
{
    int holder = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct stat st;
    int error = 0;

    if (holder < 0)
        return -errno;
    if (fstat(holder, &st) < 0 || (holder == fd ? fcntl(fd, F_SETFD, 0) : dup2(holder, fd)) < 0)
        error = -errno;
    if (holder != fd)
        close(holder);
    desc->kind = STREAM_SOCKET;
    desc->inode = st.st_ino;
    desc->targets.targets_len = 1;
    *desc->targets.targets_val = fd;
    return error;
}

int placeholders_put(struct streams *set)
{
    int error = 0;

    for (int fd = 0; !error && fd < PLACEHOLDERS; fd++) {
        set->descs[fd].targets.targets_val = set->targets[fd];
        error = placeholder_make(fd, &set->descs[fd]);
        set->count++;
    }
    return error;
}

static void placeholder_drop(int fd)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof(peer);
    int null;

    if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 || errno != ENOTCONN)
        return;
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0 && null != fd) {
        dup2(null, fd);
        close(null);
    }
}

void placeholders_drop(void)
{
    for (int fd = 0; fd < PLACEHOLDERS; fd++)
        placeholder_drop(fd);
}
