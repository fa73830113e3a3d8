/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/bulk.h"
#include "migrate/imagesend.h"

static int file_send(SSL *ssl, int fd, bulk_file_what what, const char *name, unsigned index,
                     uint64_t size)
{
    bulk_file head = { .what = what, .size = size, .name = (char *)(uintptr_t)name,
                       .index = index };
    int error = bulk_put(ssl, P_BULK_FILE, 0, FRAME_XDR(bulk_file), &head);

    if (!error && size > 0)
        error = bulk_put_file(ssl, P_BULK_DATA, 0, fd, size);
    return error;
}

static int fd_size(int fd, uint64_t *size)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    *size = (uint64_t)st.st_size;
    return 0;
}

int imagesend_dir(SSL *ssl, int dir_fd, uint64_t *bytes)
{
    DIR *dir = fdopendir(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct dirent *entry;
    int error = dir ? 0 : -errno;

    while (!error && (entry = readdir(dir))) {
        size_t len = strlen(entry->d_name);
        uint64_t size = 0;
        int fd;

        if (len < 4 || strcmp(entry->d_name + len - 4, ".img") != 0)
            continue;
        fd = openat(dir_fd, entry->d_name, O_RDONLY | O_CLOEXEC);
        error = fd < 0 ? -errno : fd_size(fd, &size);
        if (!error)
            error = file_send(ssl, fd, BULK_IMAGE, entry->d_name, 0, size);
        *bytes += size;
        if (fd >= 0)
            close(fd);
    }
    if (dir)
        closedir(dir);
    return error;
}

int imagesend_spec(SSL *ssl, int spec, uint64_t *bytes)
{
    uint64_t size;
    int error = fd_size(spec, &size);

    if (error)
        return error;
    if (lseek(spec, 0, SEEK_SET) < 0)
        return -errno;
    *bytes = size;
    return file_send(ssl, spec, BULK_SPEC, "", 0, size);
}

int imagesend_cached(SSL *ssl, const struct files *files, unsigned index)
{
    int fd = files_open(files, index);
    int error;

    if (fd < 0)
        return fd;
    error = file_send(ssl, fd, BULK_CACHE, "", index, files->list[index].size);
    close(fd);
    return error;
}
