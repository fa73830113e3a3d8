/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"

int fd_nonblock(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    return 0;
}

int fd_cloexec(int fd, int on)
{
    return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
}

void fd_close(int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
}

int fd_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    /* Asked again the kernel goes on with what was interrupted. */
    while (connect(fd, addr, len) < 0)
        if (errno != EINTR)
            return errno == EINPROGRESS || errno == EALREADY ? -ETIMEDOUT : -errno;
    return 0;
}

int fd_write_all(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t n = write(fd, at, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

static int file_slurp(int fd, size_t max, char **text, size_t *len)
{
    struct stat st;
    char *buffer;
    size_t got = 0;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size < 0 || (size_t)st.st_size > max)
        return -EFBIG;
    buffer = malloc((size_t)st.st_size + 1);
    if (!buffer)
        return -ENOMEM;
    while (got < (size_t)st.st_size) {
        ssize_t n = read(fd, buffer + got, (size_t)st.st_size - got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            free(buffer);
            return -errno;
        }
        if (n == 0)
            break;
        got += (size_t)n;
    }
    buffer[got] = '\0';
    *text = buffer;
    if (len)
        *len = got;
    return 0;
}

int fd_read_file(const char *path, size_t max, char **text, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int error;

    if (fd < 0)
        return -errno;
    error = file_slurp(fd, max, text, len);
    close(fd);
    return error;
}

static int folder_sync(const char *path)
{
    char folder[PATH_MAX];
    char *slash;
    int fd, error;

    snprintf(folder, sizeof(folder), "%s", path);
    slash = strrchr(folder, '/');
    if (!slash)
        snprintf(folder, sizeof(folder), ".");
    else if (slash == folder)
        slash[1] = '\0';
    else
        *slash = '\0';
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    error = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return error;
}

int fd_write_file(const char *path, const void *bytes, size_t len, mode_t mode)
{
    char temporary[PATH_MAX];
    int fd, error;

    if (snprintf(temporary, sizeof(temporary), "%s.tmp", path) >= (int)sizeof(temporary))
        return -ENAMETOOLONG;
    if (unlink(temporary) < 0 && errno != ENOENT)
        return -errno;
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return -errno;
    error = fchmod(fd, mode) < 0 ? -errno : fd_write_all(fd, bytes, len);
    if (!error && fsync(fd) < 0)
        error = -errno;
    close(fd);
    if (!error && rename(temporary, path) < 0)
        error = -errno;
    if (error) {
        unlink(temporary);
        return error;
    }
    return folder_sync(path);
}

int fd_mkdirs(const char *path, mode_t mode)
{
    char part[PATH_MAX];
    struct stat st;

    if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
        return -ENAMETOOLONG;
    for (char *at = strchr(part + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return -errno;
        *at = '/';
    }
    if (mkdir(part, mode) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    return stat(part, &st) < 0 ? -errno : S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

void fd_raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}
