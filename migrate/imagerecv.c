/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/fd.h"
#include "migrate/bulk.h"
#include "migrate/criu.h"
#include "migrate/imagegate.h"
#include "migrate/imagerecv.h"
#include "migrate/pageoffer.h"

#define PAPER_BYTES 65536       /* that an exec's memory file keeps */

/* The bytes of one file; each event's length is the sender's choice, their sum is not. */
static int data_take(SSL *ssl, int fd, uint64_t size)
{
    struct frame_header header;

    while (size > 0) {
        int error = bulk_recv_header(ssl, &header);

        if (error)
            return error;
        if (header.proc != P_BULK_DATA || header.body_len == 0 || header.body_len > size)
            return -EPROTO;
        error = bulk_recv_to_fd(ssl, fd, header.body_len);
        if (error)
            return error;
        size -= header.body_len;
    }
    return 0;
}

/* CRIU's own names: letters, digits, dash and dot, ending in ".img". */
static int name_is_good(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && name[0] != '.' && strcmp(name + len - 4, ".img") == 0 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == len;
}

/* A file of the image: a descriptor to write its content to, or -errno. */
static int image_create(struct image *image, const bulk_file *head)
{
    const char *name = image->gate < 0 ? head->name : imagegate_name(head->name);
    int fd;

    if (!name_is_good(head->name))
        return -EPROTO;
    if (image->dir < 0)
        image->dir = criu_image_dir(0);
    if (image->dir < 0)
        return image->dir;
    fd = openat(image->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : fd;
}

static int image_take(SSL *ssl, struct image *image, const bulk_file *head)
{
    int fd = image_create(image, head), error;

    if (fd < 0)
        return fd;
    error = data_take(ssl, fd, head->size);
    close(fd);
    return error;
}

static int pages_write(void *arg, size_t number, const uint8_t *pages, size_t count)
{
    const int *fd = arg;

    if (lseek(*fd, (off_t)(number * PAGE_BYTES), SEEK_SET) < 0)
        return -errno;
    return fd_write_all(*fd, pages, count * PAGE_BYTES);
}

static int pages_take(SSL *ssl, struct image *image, const bulk_file *head)
{
    int fd, error;

    if (head->size % PAGE_BYTES)
        return -EPROTO;
    fd = image_create(image, head);
    if (fd < 0)
        return fd;
    error = pageoffer_take(ssl, image->store, image->uid, head->size / PAGE_BYTES, pages_write,
                           &fd);
    close(fd);
    return error;
}

/* One for a launch after the other: who launches has read it before the next one comes. */
static int paper = -1;
static uint64_t paper_size;

static int paper_lay(uint64_t size)
{
    if (paper < 0)
        paper = memfd_create("bproc-exec", MFD_CLOEXEC);
    if (paper < 0 || lseek(paper, 0, SEEK_SET) < 0 ||
        (size < paper_size && ftruncate(paper, (off_t)size) < 0))
        return -errno;
    paper_size = size;
    return paper;
}

static int spec_take(SSL *ssl, struct image *image, const bulk_file *head)
{
    if (image->spec >= 0 || head->size > BPROC_MAX_SPEC)
        return -EPROTO;
    image->spec = paper_lay(head->size);
    if (image->spec < 0)
        return image->spec;
    return data_take(ssl, image->spec, head->size);
}

void imagerecv_forget(struct image *image)
{
    image->spec = -1;
    if (paper_size > PAPER_BYTES)
        fd_close(&paper);
}

static int index_is_needed(const struct nodefiles *files, unsigned index)
{
    for (unsigned i = 0; i < files->need_count; i++)
        if (files->need[i] == index)
            return files->fds[index] < 0;
    return 0;
}

static int cached_take(SSL *ssl, struct nodefiles *files, const struct filecache *cache,
                       const bulk_file *head)
{
    const mapped_file *file;
    char name[64];
    int fd, error;

    if (!index_is_needed(files, head->index))
        return -EPROTO;
    file = &files->list[head->index];
    if (head->size != file->size)
        return -EPROTO;
    fd = filecache_create(cache, head->size, name);
    if (fd < 0)
        return fd;
    error = data_take(ssl, fd, head->size);
    if (!error)
        error = filecache_keep(cache, fd, name, (const uint8_t *)file->hash);
    if (error)
        filecache_drop(cache, name);
    else    /* Anew: a file open for writing cannot be executed. */
        error = files->fds[head->index] = filecache_open(cache, (const uint8_t *)file->hash);
    close(fd);
    if (error < 0)
        return error;
    /* Not before: what is open stays. */
    filecache_trim(cache);
    return 0;
}

static int file_take(SSL *ssl, const struct bulk_msg *msg, struct image *image,
                     struct nodefiles *files, const struct filecache *cache, char *text, size_t len)
{
    bulk_file head;
    int error = frame_decode(FRAME_XDR(bulk_file), msg->body, msg->header.body_len, &head,
                             sizeof(head));

    if (error)
        return error;
    switch (head.what) {
    case BULK_IMAGE:
        error = image_take(ssl, image, &head);
        break;
    case BULK_PAGES:
        error = pages_take(ssl, image, &head);
        break;
    case BULK_SPEC:
        error = spec_take(ssl, image, &head);
        break;
    case BULK_CACHE:
        error = cached_take(ssl, files, cache, &head);
        break;
    default:
        error = -EPROTO;
    }
    if (error)
        snprintf(text, len, "cannot take in %s: %s", head.what == BULK_CACHE &&
                 head.index < files->count ? files->list[head.index].path : head.name,
                 strerror(-error));
    frame_free(FRAME_XDR(bulk_file), &head, sizeof(head));
    return error;
}

int imagerecv_run(SSL *ssl, struct image *image, struct nodefiles *files,
                  const struct filecache *cache, char *text, size_t len)
{
    struct bulk_msg msg;
    int error = 0, end = 0;

    while (!error && !end) {
        error = bulk_recv(ssl, &msg);
        if (error)
            return error;
        end = msg.header.proc == P_BULK_END;
        if (msg.header.proc == P_BULK_FILE)
            error = file_take(ssl, &msg, image, files, cache, text, len);
        else if (!end)
            error = -EPROTO;
        bulk_free(&msg);
    }
    for (unsigned i = 0; !error && i < files->need_count; i++)
        if (files->fds[files->need[i]] < 0)
            error = -EPROTO;
    return error;
}
