/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/fd.h"
#include "migrate/bulk.h"
#include "migrate/memorypass.h"
#include "migrate/memoryring.h"
#include "migrate/memoryshare.h"
#include "migrate/pagestore.h"
#include "proto/msg.h"

#define LOOK_MS 50                      /* whether slaved says that it is over */
#define PATIENCE_LOOKS 200              /* without a batch */

enum { FD_LIST, FD_MEMORY, FD_RING, FDS };

struct memoryshare {
    int slaved;
    share_arg arg;
    struct memorylist *list;
    struct memoryring *ring;
    int memory;
    int given;
    struct memoryitem item;
};

struct memoryshare *memoryshare_new(int slaved, const share_word word, pid_t number)
{
    struct memoryshare *share = calloc(1, sizeof(*share));
    int fd = memfd_create("bproc-memory", MFD_CLOEXEC);

    if (!share || fd < 0) {
        fd_close(&fd);
        free(share);
        return NULL;
    }
    share->slaved = slaved;
    memcpy(share->arg.word, word, sizeof(share->arg.word));
    share->memory = memorypass_open(number);
    share->list = memorylist_make(fd);
    share->ring = memoryring_make();
    if (share->list && share->ring && share->memory >= 0)
        return share;
    memoryshare_free(share);
    return NULL;
}

/* What we have opened is the memory that is being filled, not that of something it executed. */
static int memory_check(const struct memoryshare *share, uint64_t start, const uint8_t *page)
{
    uint8_t there[PAGE_BYTES];

    return pread(share->memory, there, sizeof(there), (off_t)start) == sizeof(there) &&
                   memcmp(there, page, sizeof(there)) == 0 ? 0 : -EPERM;
}

uint8_t *memoryshare_room(struct memoryshare *share)
{
    return memoryring_room(share->ring);
}

/* One that is broken goes without the memory. */
static int share_give(struct memoryshare *share, unsigned count)
{
    int fds[FDS] = { [FD_LIST] = memorylist_fd(share->list), [FD_MEMORY] = share->memory,
                     [FD_RING] = memoryring_fd(share->ring) };

    share->given = 1;
    return msg_send(share->slaved, K_EVENT, P_SHARE_GIVE, 0, 0, FRAME_XDR(share_arg), &share->arg,
                    fds, count);
}

static int share_list(struct memoryshare *share, const page_run *runs, unsigned count)
{
    int error = FAULT(FAULT_RECEIVER_SHARE);

    if (!error && !share->given)
        error = memory_check(share, runs[0].start, memoryshare_room(share));
    if (error)
        return error;
    share->item.count = count;
    memcpy(share->item.runs, runs, count * sizeof(*runs));
    memoryring_put(share->ring, share->item.number);
    error = memorylist_add(share->list, &share->item);
    share->item.number++;
    return error || share->given ? error : share_give(share, FDS);
}

int memoryshare_add(struct memoryshare *share, const page_run *runs, unsigned count)
{
    int error = share_list(share, runs, count);

    if (!error)
        return 0;
    memorylist_break(share->list);
    if (!share->given)
        share_give(share, FD_LIST + 1);
    return error;
}

void memoryshare_end(struct memoryshare *share)
{
    if (share)
        memorylist_end(share->list);
}

void memoryshare_free(struct memoryshare *share)
{
    if (!share)
        return;
    memorylist_free(share->list);
    memoryring_free(share->ring);
    fd_close(&share->memory);
    free(share);
}

/* ---- for another node ---- */

struct follow {
    SSL *ssl;
    int slaved;
    int memory;
    struct memorylist *list;
    struct memoryring *ring;
    struct memoryitem item;
};

/* slaved says nothing here but that it is over. */
static int is_over(const struct follow *follow)
{
    struct pollfd fd = { .fd = follow->slaved, .events = POLLIN };

    return poll(&fd, 1, 0) > 0;
}

/* 1, or 0: that was all. */
static int batch_wait(struct follow *follow)
{
    int found = memorylist_next(follow->list, &follow->item, 0), error;

    if (found != -EAGAIN)
        return found;
    error = bulk_flush(follow->ssl);
    if (error)
        return error;
    for (int looks = 0; found == -EAGAIN && looks < PATIENCE_LOOKS && !is_over(follow); looks++)
        found = memorylist_next(follow->list, &follow->item, LOOK_MS);
    return found;
}

static int batch_pass(struct follow *follow)
{
    const uint8_t *pages = memoryring_get(follow->ring, follow->item.number);
    int error;

    if (!pages)
        return memorypass_batch(follow->ssl, follow->memory, &follow->item);
    error = memorypass_pages(follow->ssl, pages, memoryitem_pages(&follow->item));
    memoryring_done(follow->ring);
    return error;
}

static int list_follow(struct follow *follow)
{
    int found;

    while ((found = batch_wait(follow)) > 0) {
        int error = FAULT(FAULT_RECEIVER_SERVE);

        if (!error)
            error = batch_pass(follow);
        if (error)
            return error;
    }
    return found ? found : bulk_send(follow->ssl, P_BULK_END, 0, NULL, NULL);
}

/* slaved waits for it, if it is not there yet. */
static int share_take(struct follow *follow, const take_arg *arg)
{
    struct msg msg;
    int error = msg_send(follow->slaved, K_CALL, P_SHARE_TAKE, 0, 0, FRAME_XDR(take_arg), arg,
                         NULL, 0);

    if (!error)
        error = msg_recv(follow->slaved, &msg);
    if (error)
        return error;
    error = -msg.header.status;
    if (!error) {
        follow->list = memorylist_open(msg_take_fd(&msg, FD_LIST));
        follow->memory = msg_take_fd(&msg, FD_MEMORY);
        follow->ring = memoryring_open(msg_take_fd(&msg, FD_RING));
        error = follow->list && follow->ring && follow->memory >= 0 ? 0 : -EPROTO;
    }
    msg_free(&msg);
    return error;
}

int memoryshare_serve(SSL *ssl, int slaved, const take_arg *arg)
{
    struct follow follow = { .ssl = ssl, .slaved = slaved, .memory = -1 };
    int error = share_take(&follow, arg);

    if (!error)
        error = list_follow(&follow);
    memorylist_free(follow.list);
    memoryring_free(follow.ring);
    fd_close(&follow.memory);
    return error;
}
