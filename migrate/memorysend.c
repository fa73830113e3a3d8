/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/fd.h"
#include "migrate/memoryhold.h"
#include "migrate/memorypass.h"
#include "migrate/memoryread.h"
#include "migrate/memorysend.h"
#include "migrate/memorywalk.h"
#include "migrate/pagehash.h"

#define LAZY_PAGES 64UL                 /* what is waited for stands behind few */
#define LAZY_BATCHES 4                  /* on their way at a time */

struct memorysend {
    SSL *ssl;
    pid_t task;
    int memory;                         /* /proc/PID/mem of it */
    int lazy;                           /* it has no other use than its memory */
    struct memorywalk *walk;
    struct memoryread *reader;          /* of one that is not lazy */
    const struct pageoffer_answer *answer;
    uint64_t bytes;
    struct memorylist *list;            /* who else learns what was sent; NULL */
    struct pagehash *hash;              /* if somebody does */
    unsigned listed;
    unsigned on_way;                    /* batches that are not known to be in place */
    atomic_uint *taken;                 /* those that are; of a lazy one */
    int rest;                           /* what nobody asks for is due, too */
    int enough;                         /* nobody is left to send to */
    int ended, filled;
    struct memorybatch batch;           /* of a lazy one */
    uint8_t room[LAZY_PAGES * PAGE_BYTES];
};

/* Where pages go out. */
static int batch_put(struct memorysend *m, struct memorybatch *batch)
{
    page_batch head = { .offered = batch->offered, .runs = { batch->count, batch->runs } };
    int error = bulk_put(m->ssl, P_BULK_PAGES, 0, FRAME_XDR(page_batch), &head);

    m->on_way++;
    if (error)
        return error;
    if (batch->offered)
        return pageoffer_send(m->ssl, batch->data, batch->names, batch->pages, m->answer,
                              &m->bytes);
    m->bytes += batch->pages * PAGE_BYTES;
    return memorypass_pages(m->ssl, batch->data, batch->pages);
}

static int batch_list(struct memorysend *m, const struct memorybatch *batch)
{
    struct memoryitem item = { .number = m->listed++, .count = batch->count };
    int error;

    if (!m->hash)
        m->hash = pagehash_new();
    if (!m->hash)
        return -ENOMEM;
    error = pagehash_batch(m->hash, batch->data, batch->pages, item.digest);
    if (error)
        return error;
    memcpy(item.runs, batch->runs, batch->count * sizeof(*batch->runs));
    return memorylist_add(m->list, &item);
}

int memorysend_all(struct memorysend *m, SSL *ssl, const struct pageoffer_answer *answer)
{
    struct memorybatch *batch;
    int error = 0, found = 1;

    m->ssl = ssl;
    m->answer = answer;
    while (!error && (found = memoryread_next(m->reader, &batch)) > 0) {
        error = batch_put(m, batch);
        if (!error && m->list)
            error = batch_list(m, batch);
    }
    error = error ? error : found;
    if (!error && m->list)
        error = memorylist_end(m->list);
    return error ? error : bulk_send(m->ssl, P_BULK_END, 0, NULL, NULL);
}

void memorysend_list(struct memorysend *m, struct memorylist *list)
{
    m->list = list;
}

/* ---- for a process that runs already ---- */

/* What was noted. */
static int batch_send(struct memorysend *m)
{
    int error = memorybatch_read(&m->batch, m->memory);

    if (error || m->batch.pages == 0)
        return error;
    error = batch_put(m, &m->batch);
    return error || !m->rest ? error : FAULT(FAULT_MOVER_BATCH);
}

/* What it waits for, and what is beside that. */
static int want_serve(struct memorysend *m, const page_run *want)
{
    page_run run;
    int found, error;

    memorybatch_clear(&m->batch);
    while ((found = memorywalk_take(m->walk, want, &run)) > 0)
        memorybatch_note(&m->batch, &run);
    error = found < 0 ? found : batch_send(m);
    return error ? error : bulk_send(m->ssl, P_BULK_GIVEN, 0, FRAME_XDR(page_run), want);
}

static int want_take(struct memorysend *m, const struct bulk_msg *msg)
{
    page_run want;
    int error = frame_decode(FRAME_XDR(page_run), msg->body, msg->header.body_len, &want,
                             sizeof(want));

    if (error)
        return error;
    if (want.pages > LAZY_PAGES || want.start % PAGE_BYTES)
        return -EPROTO;
    /* A wish that has crossed the last word: an answer would meet nobody who expects one. */
    if (want.pages > 0)
        return m->ended ? 0 : want_serve(m, &want);
    m->enough = 1;
    return 0;
}

/* What never went has not arrived: such words would be taken for progress for ever. */
static int taken_take(struct memorysend *m)
{
    if (m->on_way == 0)
        return -EPROTO;
    m->on_way--;
    atomic_fetch_add(m->taken, 1);
    return 0;
}

static int message_take(struct memorysend *m)
{
    struct bulk_msg msg;
    int error = bulk_recv(m->ssl, &msg);

    if (error)
        return error;
    switch (msg.header.proc) {
    case P_BULK_WANT:
        error = want_take(m, &msg);
        break;
    case P_BULK_TAKEN:
        error = taken_take(m);
        break;
    case P_BULK_REST:
        m->rest = 1;
        break;
    case P_BULK_FILLED:
        m->filled = 1;
        break;
    default:
        error = -EPROTO;
    }
    bulk_free(&msg);
    return error;
}

/* The next pages that are there. 1: there are none any more. */
static int batch_next(struct memorysend *m)
{
    page_run run;
    int found = 1;

    memorybatch_clear(&m->batch);
    while (m->batch.pages < LAZY_PAGES &&
           (found = memorywalk_next(m->walk, LAZY_PAGES - m->batch.pages, &run)) > 0)
        memorybatch_note(&m->batch, &run);
    if (found < 0)
        return found;
    return m->batch.pages == 0 ? 1 : batch_send(m);
}

/* One more batch in the background, or the word that this was all. */
static int batch_step(struct memorysend *m)
{
    int error = m->enough ? 1 : batch_next(m);

    if (error < 0)
        return error;
    m->ended = error;
    return m->ended ? bulk_send(m->ssl, P_BULK_END, 0, NULL, NULL) : bulk_flush(m->ssl);
}

int memorysend_serve(struct memorysend *m, SSL *ssl, int go, atomic_uint *taken)
{
    struct pollfd fds[2] = { { .fd = SSL_get_fd(ssl), .events = POLLIN },
                             { .fd = go, .events = POLLIN } };
    int error = 0;

    m->ssl = ssl;
    m->taken = taken;
    while (!error && !m->filled) {
        int busy = (m->rest || m->enough) && !m->ended && m->on_way < LAZY_BATCHES;
        int pending = SSL_has_pending(ssl);

        if (poll(fds, 2, busy || pending ? 0 : -1) < 0) {
            error = errno == EINTR ? 0 : -errno;
            continue;
        }
        if (fds[1].revents) {
            m->rest = 1;
            fds[1].fd = -1;
            error = FAULT(FAULT_MOVER_MEMORY);
        }
        if (error)
            break;
        if (pending || fds[0].revents)
            error = message_take(m);
        else if (busy)
            error = batch_step(m);
    }
    return error;
}

uint64_t memorysend_bytes(const struct memorysend *m)
{
    return m->bytes;
}

/* Of more than a node keeps little would be found again. */
static int is_keepable(pid_t number)
{
    unsigned long resident = 0, shared = 0;
    char path[40];
    FILE *statm;
    int count;

    snprintf(path, sizeof(path), "/proc/%d/statm", (int)number);
    statm = fopen(path, "re");
    if (!statm)
        return 0;
    count = fscanf(statm, "%*u %lu %lu", &resident, &shared);
    fclose(statm);
    return count == 2 && resident - shared <= PAGESTORE_PAGES;
}

/* What it takes to read it. */
static int source_open(struct memorysend *m, const dump_arg *dump, int offers, int listed)
{
    m->memory = memorypass_open(dump->source);
    if (m->memory < 0)
        return m->memory;
    m->walk = memorywalk_new(dump);
    if (m->walk && !m->lazy)
        m->reader = memoryread_start(m->walk, m->memory,
                                     offers && is_keepable(dump->source) ? PAGESTORE_PAGES : 0,
                                     listed);
    return m->walk && (m->lazy || m->reader) ? 0 : -errno;
}

struct memorysend *memorysend_new(const dump_arg *dump, uid_t uid, int offers, int listed)
{
    struct memorysend *m = malloc(sizeof(*m));
    int error = m ? memoryhold_take(dump->source_task, dump->source, uid, dump->lazy) : -ENOMEM;

    if (error) {
        free(m);
        errno = -error;
        return NULL;
    }
    memset(m, 0, offsetof(struct memorysend, batch));
    m->batch.offered = 0;
    m->batch.data = m->room;
    m->task = dump->source_task;
    m->lazy = dump->lazy;
    error = source_open(m, dump, offers, listed);
    if (!error)
        return m;
    memorysend_free(m);
    errno = -error;
    return NULL;
}

void memorysend_free(struct memorysend *m)
{
    if (!m)
        return;
    memoryread_stop(m->reader);
    memorywalk_free(m->walk);
    pagehash_free(m->hash);
    fd_close(&m->memory);
    if (m->lazy)
        memoryhold_end(m->task);
    else
        memoryhold_release(m->task);
    free(m);
}
