/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "migrate/memoryrecv.h"
#include "migrate/memoryruns.h"
#include "migrate/memoryspace.h"
#include "migrate/pageoffer.h"

struct memoryrecv {
    SSL *ssl;
    struct memoryspace *space;
    int ended;
    struct pagestore *store;
    uid_t uid;
    struct memorypull *pull;            /* where pages may come from, too; NULL */
    struct memoryshare *share;          /* who else may have them from here; NULL */
    uint8_t *data;                      /* one batch that is not shared */
};

static int offered_put(void *arg, size_t number, const uint8_t *pages, size_t count)
{
    memcpy((uint8_t *)arg + number * PAGE_BYTES, pages, count * PAGE_BYTES);
    return 0;
}

/* Where a batch comes in, before it is placed. */
static uint8_t *batch_room(const struct memoryrecv *m)
{
    return m->share ? memoryshare_room(m->share) : m->data;
}

static int runs_place(struct memoryrecv *m, const page_run *runs, unsigned count)
{
    const uint8_t *data = batch_room(m);
    int error = 0;

    for (unsigned i = 0; !error && i < count; i++) {
        error = memoryspace_put(m->space, runs[i].start, data, runs[i].pages * PAGE_BYTES);
        data += runs[i].pages * PAGE_BYTES;
    }
    if (!error && m->share && memoryshare_add(m->share, runs, count) < 0)
        m->share = NULL;
    return error;
}

static int batch_take(struct memoryrecv *m, const page_batch *batch)
{
    size_t pages = memoryruns_pages(batch->runs.runs_val, batch->runs.runs_len);
    int error = pages == 0 ? -EPROTO
                : batch->offered ? pageoffer_take(m->ssl, m->store, m->uid, pages, offered_put,
                                                  batch_room(m))
                                 : bulk_recv_data(m->ssl, batch_room(m), pages * PAGE_BYTES);

    return error ? error : runs_place(m, batch->runs.runs_val, batch->runs.runs_len);
}

static int pages_take(struct memoryrecv *m, const struct bulk_msg *msg)
{
    page_batch batch;
    int error = frame_decode(FRAME_XDR(page_batch), msg->body, msg->header.body_len, &batch,
                             sizeof(batch));

    if (error)
        return error;
    error = batch_take(m, &batch);
    frame_free(FRAME_XDR(page_batch), &batch, sizeof(batch));
    return error;
}

static int named_take(struct memoryrecv *m, const struct bulk_msg *msg)
{
    page_named named;
    size_t pages;
    int found, error = frame_decode(FRAME_XDR(page_named), msg->body, msg->header.body_len, &named,
                                    sizeof(named));

    if (error)
        return error;
    pages = memoryruns_pages(named.runs.runs_val, named.runs.runs_len);
    found = pages == 0 || !m->pull
                ? -EPROTO : memorypull_take(m->pull, &named, batch_room(m), pages * PAGE_BYTES);
    if (found > 0)
        found = runs_place(m, named.runs.runs_val, named.runs.runs_len);
    frame_free(FRAME_XDR(page_named), &named, sizeof(named));
    return found;
}

static int message_take(struct memoryrecv *m, const struct bulk_msg *msg)
{
    switch (msg->header.proc) {
    case P_BULK_PAGES:
        return pages_take(m, msg);
    case P_BULK_NAMED:
        return named_take(m, msg);
    case P_BULK_REST:
        return m->pull ? memorypull_rest(m->pull) : -EPROTO;
    case P_BULK_END:
        m->ended = !m->pull || !memorypull_waits(m->pull);
        return 0;
    default:
        return -EPROTO;
    }
}

int memoryrecv_all(struct memoryrecv *m, struct pagestore *store)
{
    m->store = store;
    while (!m->ended) {
        struct bulk_msg msg;
        int error = bulk_recv(m->ssl, &msg);

        if (error)
            return error;
        error = message_take(m, &msg);
        bulk_free(&msg);
        if (error)
            return error;
    }
    return 0;
}

void memoryrecv_join(struct memoryrecv *m, struct memorypull *pull, struct memoryshare *share)
{
    m->pull = pull;
    m->share = share;
}

struct memoryrecv *memoryrecv_new(SSL *ssl, int fd, uid_t uid, const page_region *regions,
                                  unsigned count)
{
    struct memoryspace *space = memoryspace_new(fd, regions, count, 0);
    struct memoryrecv *m = space ? calloc(1, sizeof(*m)) : NULL;

    if (m)
        m->data = aligned_alloc(PAGE_BYTES, BPROC_MAX_BATCH * PAGE_BYTES);
    if (m && m->data) {
        m->ssl = ssl;
        m->uid = uid;
        m->space = space;
        return m;
    }
    memoryspace_free(space);
    free(m);
    return NULL;
}

void memoryrecv_free(struct memoryrecv *m)
{
    if (!m)
        return;
    memoryspace_free(m->space);
    free(m->data);
    free(m);
}
