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
#define PIECE (256 * 1024)

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

/* Those after the first ones are not worth their hashes: they would push each other out. */
static int pages_send(SSL *ssl, const uint8_t *pages, const char *name, uint64_t size,
                      const struct pageoffer_answer *answer, uint64_t *bytes)
{
    uint64_t count = size / PAGE_BYTES, at;
    size_t offered = count < PAGESTORE_PAGES ? (size_t)count : PAGESTORE_PAGES;
    bulk_file head = { .what = BULK_PAGES, .size = size, .name = (char *)(uintptr_t)name,
                       .index = (unsigned)offered };
    int error = bulk_put(ssl, P_BULK_FILE, 0, FRAME_XDR(bulk_file), &head);

    if (!error)
        error = pageoffer_send(ssl, pages, offered, answer, bytes);
    for (at = (uint64_t)offered * PAGE_BYTES; !error && at < size; at += PIECE) {
        size_t len = size - at < PIECE ? (size_t)(size - at) : PIECE;

        error = bulk_put_data(ssl, P_BULK_DATA, 0, pages + at, len);
        *bytes += len;
    }
    return error;
}

static int pages_map_send(SSL *ssl, int fd, const char *name, uint64_t size,
                          const struct pageoffer_answer *answer, uint64_t *bytes)
{
    void *pages = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    int error;

    if (pages == MAP_FAILED)
        return -errno;
    error = pages_send(ssl, pages, name, size, answer, bytes);
    munmap(pages, size);
    return error;
}

static int is_pages(const char *name, uint64_t size)
{
    return strncmp(name, "pages-", 6) == 0 && size % PAGE_BYTES == 0 &&
           size / PAGE_BYTES >= OFFER_LEAST;
}

static int image_send(SSL *ssl, int fd, const char *name, const struct pageoffer_answer *answer,
                      uint64_t *bytes)
{
    uint64_t size = 0;
    int error = fd_size(fd, &size);

    if (error)
        return error;
    if (answer && is_pages(name, size))
        return pages_map_send(ssl, fd, name, size, answer, bytes);
    *bytes += size;
    return file_send(ssl, fd, BULK_IMAGE, name, 0, size);
}

int imagesend_dir(SSL *ssl, int dir_fd, const struct pageoffer_answer *answer, uint64_t *bytes)
{
    DIR *dir = fdopendir(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct dirent *entry;
    int error = dir ? 0 : -errno;

    while (!error && (entry = readdir(dir))) {
        size_t len = strlen(entry->d_name);
        int fd;

        if (len < 4 || strcmp(entry->d_name + len - 4, ".img") != 0)
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
