/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/bulk.h"
#include "migrate/imagesend.h"

#define OFFER_LEAST 16                  /* fewer pages are sent before an answer could come */

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

static int pages_send(SSL *ssl, int fd, const char *name, uint64_t size,
                      const struct pageoffer_answer *answer, uint64_t *bytes)
{
    bulk_file head = { .what = BULK_PAGES, .size = size, .name = (char *)(uintptr_t)name };
    void *pages = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    int error;

    if (pages == MAP_FAILED)
        return -errno;
    error = bulk_put(ssl, P_BULK_FILE, 0, FRAME_XDR(bulk_file), &head);
    if (!error)
        error = pageoffer_send(ssl, pages, NULL, size / PAGE_BYTES, answer, bytes);
    munmap(pages, size);
    return error;
}

/* Of more than a node keeps little would be found again. */
static int is_offered(const char *name, uint64_t size)
{
    return strncmp(name, "pages-", 6) == 0 && size % PAGE_BYTES == 0 &&
           size / PAGE_BYTES >= OFFER_LEAST && size / PAGE_BYTES <= PAGESTORE_PAGES;
}

static int image_send(SSL *ssl, int fd, const char *name, const struct pageoffer_answer *answer,
                      uint64_t *bytes)
{
    uint64_t size = 0;
    int error = fd_size(fd, &size);

    if (error)
        return error;
    if (answer && is_offered(name, size))
        return pages_send(ssl, fd, name, size, answer, bytes);
    *bytes += size;
    return file_send(ssl, fd, BULK_IMAGE, name, 0, size);
}

/*
 * Of cgroups none are restored, but where it is told of some, CRIU starts a process for that, and
 * waits for its end.
 */
static int is_sent(const char *name)
{
    size_t len = strlen(name);

    return len >= 4 && strcmp(name + len - 4, ".img") == 0 && strcmp(name, "cgroup.img") != 0;
}

int imagesend_dir(SSL *ssl, int dir_fd, const struct pageoffer_answer *answer, uint64_t *bytes)
{
    DIR *dir = fdopendir(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct dirent *entry;
    int error = dir ? 0 : -errno;

    while (!error && (entry = readdir(dir))) {
        int fd;

        if (!is_sent(entry->d_name))
            continue;
        fd = openat(dir_fd, entry->d_name, O_RDONLY | O_CLOEXEC);
        error = fd < 0 ? -errno : image_send(ssl, fd, entry->d_name, answer, bytes);
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
