/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "migrate/departure_parts.h"
#include "migrate/memorylist.h"
#include "migrate/memorypass.h"

#define LIST ".memory"                  /* in the image's folder */
#define LOOK_MS 20                      /* whether the node says something */

static struct memorylist *list_open(const struct departure *d, int flags)
{
    int fd = openat(d->image, LIST, flags | O_CLOEXEC, 0600);

    if (fd < 0)
        return NULL;
    return flags & O_CREAT ? memorylist_make(fd) : memorylist_open(fd);
}

/* ---- of the one that is dumped ---- */

int departure_image_give(struct departure *d)
{
    int fds[2] = { d->image, -1 }, error = 0;

    if (d->list)
        return 0;
    if (d->dump.source) {
        d->list = list_open(d, O_RDWR | O_CREAT | O_EXCL);
        /* It is held by now, as one that its owner could read (departure_memory_begin()). */
        fds[1] = d->list ? memorypass_open(d->dump.source) : -errno;
        error = fds[1] < 0 ? fds[1] : 0;
    }
    if (!error)
        error = msg_send(d->channel, K_EVENT, P_MOVE_IMAGE, 0, 0, NULL, NULL, fds,
                         fds[1] >= 0 ? 2 : 1);
    fd_close(&fds[1]);
    return error ? departure_fail(d, error, "cannot give the image of process %d to others: %s",
                                  d->arg.pid, strerror(-error)) : 0;
}

/* ---- of those that have its image ---- */

/* What goes to one node. */
struct naming {
    struct departure *d;
    SSL *ssl;
    struct memorylist *list;
    int direct;                         /* the pages go from here, too */
    int ended, filled;
    uint64_t bytes;
    struct memoryitem item;
};

static int name_put(struct naming *n)
{
    page_named named = { .number = n->item.number, .runs = { n->item.count, n->item.runs } };

    memcpy(named.digest, n->item.digest, sizeof(named.digest));
    return bulk_put(n->ssl, P_BULK_NAMED, 0, FRAME_XDR(page_named), &named);
}

static int pages_put(struct naming *n)
{
    page_batch batch = { .runs = { n->item.count, n->item.runs } };
    int error = bulk_put(n->ssl, P_BULK_PAGES, 0, FRAME_XDR(page_batch), &batch);

    if (!error)
        error = memorypass_batch(n->ssl, n->d->memory_fd, &n->item);
    n->bytes += memoryitem_pages(&n->item) * PAGE_BYTES;
    return error == -ESRCH ? departure_fail(n->d, -BPROC_IMAGE_LOST, "process %d has gone",
                                            n->d->dump.source) : error;
}

static int rest_take(struct naming *n, const struct bulk_msg *msg)
{
    rest_msg rest;
    int error = frame_decode(FRAME_XDR(rest_msg), msg->body, msg->header.body_len, &rest,
                             sizeof(rest));

    if (error || n->direct)
        return error ? error : -EPROTO;
    error = memorylist_back(n->list, rest.number);
    if (error)
        return error;
    n->direct = 1;
    n->ended = 0;
    return bulk_put(n->ssl, P_BULK_REST, 0, FRAME_XDR(rest_msg), &rest);
}

static int node_hear(struct naming *n)
{
    struct bulk_msg msg;
    int error = departure_hear_any(n->d, &msg);

    if (error)
        return error;
    n->filled = msg.header.proc == P_BULK_FILLED;
    error = msg.header.proc == P_BULK_REST ? rest_take(n, &msg) : n->filled ? 0 : -EPROTO;
    bulk_free(&msg);
    return error;
}

static int node_speaks(const struct naming *n)
{
    struct pollfd fd = { .fd = SSL_get_fd(n->ssl), .events = POLLIN };

    return SSL_has_pending(n->ssl) || poll(&fd, 1, 0) > 0;
}

/* The next batch, if there is one before it is time to look at the node again. */
static int batch_step(struct naming *n)
{
    int found = memorylist_next(n->list, &n->item, 0), error = 0;

    if (found == -EAGAIN) {
        error = bulk_flush(n->ssl);
        found = error ? error : memorylist_next(n->list, &n->item, LOOK_MS);
    }
    if (found < 0)
        return found == -EAGAIN ? 0 : found;
    if (found > 0)
        return n->direct ? pages_put(n) : name_put(n);
    n->ended = 1;
    return bulk_send(n->ssl, P_BULK_END, 0, NULL, NULL);
}

int departure_memory_name(struct departure *d, uint64_t *bytes)
{
    struct naming *n = calloc(1, sizeof(*n));
    int error = n ? 0 : -ENOMEM;

    if (error)
        return error;
    n->d = d;
    n->ssl = d->link->ssl;
    n->direct = d->arg.share.from.node < 0;
    n->list = list_open(d, O_RDONLY);
    error = n->list ? 0 : -errno;
    while (!error && !n->filled)
        error = n->ended || node_speaks(n) ? node_hear(n) : batch_step(n);
    *bytes += n->bytes;
    memorylist_free(n->list);
    free(n);
    return error;
}
