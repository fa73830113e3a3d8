/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/fd.h"
#include "migrate/bulk.h"
#include "migrate/imageshare.h"
#include "proto/msg.h"

#define FOLDER "share"
#define LIST "list"
#define PIECE (256 * 1024)
#define LOOK_MS 2               /* at what grows */
#define PATIENCE_LOOKS 5000     /* without growing */

/* One of the list; without a name it is the end. */
struct item {
    char name[64];
    uint64_t size;
};

void imageshare_init(struct imageshare *share, int slaved, const char *word)
{
    *share = (struct imageshare){ .slaved = slaved, .word = word, .folder = -1, .list = -1 };
}

static void share_close(struct imageshare *share)
{
    fd_close(&share->folder);
    fd_close(&share->list);
}

static int folder_make(struct imageshare *share, int dir)
{
    if (mkdirat(dir, FOLDER, 0700) < 0)
        return -errno;
    share->folder = openat(dir, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (share->folder < 0)
        return -errno;
    share->list = openat(share->folder, LIST, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC,
                         0600);
    return share->list < 0 ? -errno : 0;
}

static int folder_give(struct imageshare *share)
{
    share_arg arg = { .forks = 0 };

    memcpy(arg.word, share->word, sizeof(arg.word));
    share->given = 1;
    return msg_send(share->slaved, K_EVENT, P_SHARE_GIVE, 0, 0, FRAME_XDR(share_arg), &arg,
                    &share->folder, 1);
}

int imageshare_add(struct imageshare *share, int dir, const char *name, uint64_t size)
{
    struct item item = { .size = size };
    int error = share->folder < 0 ? folder_make(share, dir) : 0;

    if (error)
        return error;
    if (strlen(name) >= sizeof(item.name))
        return -ENAMETOOLONG;
    memcpy(item.name, name, strlen(name));
    if (linkat(dir, name, share->folder, name, 0) < 0)
        return -errno;
    error = fd_write_all(share->list, &item, sizeof(item));
    return error || share->given || size < BPROC_SHARE_BYTES ? error : folder_give(share);
}

void imageshare_end(struct imageshare *share)
{
    const struct item end = { .size = 0 };

    if (share->list >= 0)
        fd_write_all(share->list, &end, sizeof(end));
    share_close(share);
}

void imageshare_break(struct imageshare *share)
{
    if (share->folder >= 0)
        unlinkat(share->folder, LIST, 0);
    share_close(share);
}

/* ---- for another node ---- */

struct follow {
    SSL *ssl;
    int slaved;
    int folder;
    int list;
    uint8_t piece[PIECE];
};

/* Until there is more. slaved says nothing here but that it is over. */
static int growth_wait(const struct follow *follow, unsigned *looks)
{
    struct pollfd fd = { .fd = follow->slaved, .events = POLLIN };
    int error = *looks == 0 ? bulk_flush(follow->ssl) : 0;

    if (error)
        return error;
    if (poll(&fd, 1, LOOK_MS) > 0 || faccessat(follow->folder, LIST, F_OK, 0) < 0)
        return -ECONNRESET;
    return ++*looks < PATIENCE_LOOKS ? 0 : -ETIMEDOUT;
}

static int bytes_read(const struct follow *follow, int fd, void *bytes, size_t len)
{
    unsigned looks = 0;
    size_t got = 0;
    int error = 0;

    while (!error && got < len) {
        ssize_t n = read(fd, (char *)bytes + got, len - got);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            got += (size_t)n;
            looks = 0;
        } else if (n == 0) {
            error = growth_wait(follow, &looks);
        }
    }
    return error;
}

static int file_follow(struct follow *follow, struct item *item)
{
    bulk_file head = { .what = BULK_IMAGE, .size = item->size, .name = item->name };
    int fd = openat(follow->folder, item->name, O_RDONLY | O_CLOEXEC);
    uint64_t left = item->size;
    int error = fd < 0 ? -errno : 0;

    if (!error)
        error = bulk_put(follow->ssl, P_BULK_FILE, 0, FRAME_XDR(bulk_file), &head);
    while (!error && left > 0) {
        size_t len = left < PIECE ? (size_t)left : PIECE;

        error = bytes_read(follow, fd, follow->piece, len);
        if (!error)
            error = bulk_put_data(follow->ssl, P_BULK_DATA, 0, follow->piece, len);
        left -= len;
    }
    if (fd >= 0)
        close(fd);
    return error;
}

static int list_follow(struct follow *follow)
{
    struct item item;
    int error;

    do {
        error = bytes_read(follow, follow->list, &item, sizeof(item));
        if (!error && item.name[0])
            error = file_follow(follow, &item);
        if (!error && item.size >= BPROC_SHARE_BYTES)
            error = FAULT(FAULT_RECEIVER_SERVE);
    } while (!error && item.name[0]);
    return error ? error : bulk_send(follow->ssl, P_BULK_END, 0, NULL, NULL);
}

/* slaved waits for the folder, if it is not there yet. */
static int folder_take(int slaved, const struct share_arg *arg)
{
    struct msg msg;
    int folder, error = msg_send(slaved, K_CALL, P_SHARE_TAKE, 0, 0, FRAME_XDR(share_arg), arg,
                                 NULL, 0);

    if (!error)
        error = msg_recv(slaved, &msg);
    if (error)
        return error;
    folder = msg.header.status > 0 ? -msg.header.status : msg_take_fd(&msg, 0);
    msg_free(&msg);
    return folder;
}

int imageshare_serve(SSL *ssl, int slaved, const struct share_arg *arg)
{
    struct follow *follow = malloc(sizeof(*follow));
    int error = -ENOMEM;

    if (!follow)
        return error;
    *follow = (struct follow){ .ssl = ssl, .slaved = slaved, .list = -1 };
    follow->folder = folder_take(slaved, arg);
    error = follow->folder < 0 ? follow->folder : 0;
    if (!error)
        follow->list = openat(follow->folder, LIST, O_RDONLY | O_CLOEXEC);
    if (!error && follow->list < 0)
        error = -errno;
    if (!error)
        error = list_follow(follow);
    fd_close(&follow->folder);
    fd_close(&follow->list);
    free(follow);
    return error;
}
