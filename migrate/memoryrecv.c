/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/fd.h"
#include "migrate/memorygate.h"
#include "migrate/memoryrecv.h"
#include "migrate/memorytalk.h"
#include "migrate/memoryspace.h"
#include "migrate/memoryward.h"
#include "migrate/pageoffer.h"

#define POLLED 64                       /* processes whose faults are heard at once */
#define BLOCK (64 * PAGE_BYTES)         /* asked for around a page that is waited for */

struct memoryrecv {
    SSL *ssl;
    struct memoryspace *space;
    pid_t pid;
    int pidfd;                          /* its number is its own while this says so; -1 */
    struct memoryward ward;             /* while it is lazy */
    const page_region *regions;
    unsigned count;
    int lazy;                           /* the process runs before it has all */
    int answers;                        /* are waited for */
    int ended, enough;
    struct pagestore *store;
    uid_t uid;
    struct memorypull *pull;            /* where pages may come from, too; NULL */
    struct memoryshare *share;          /* who else may have them from here; NULL */
    uint8_t *data;                      /* one batch that is not shared */
};

/* Of all of them; 0: they have no place here. */
static size_t runs_pages(const page_run *runs, unsigned count)
{
    size_t pages = 0;

    for (unsigned i = 0; i < count; i++) {
        const page_run *run = &runs[i];

        if (run->pages == 0 || run->pages > BPROC_MAX_BATCH || run->start % PAGE_BYTES)
            return 0;
        pages += run->pages;
    }
    return pages <= BPROC_MAX_BATCH ? pages : 0;
}

static int offered_put(void *arg, size_t number, const uint8_t *pages, size_t count)
{
    memcpy((uint8_t *)arg + number * PAGE_BYTES, pages, count * PAGE_BYTES);
    return 0;
}

/* ---- what processes wait for ---- */

/* The block around it, as far as it lies in the region. */
static int page_want(void *arg, uint64_t start)
{
    struct memoryrecv *m = arg;
    uint64_t low = start & ~(uint64_t)(BLOCK - 1), high = low + BLOCK;
    page_run want;

    for (unsigned i = 0; i < m->count; i++) {
        const page_region *region = &m->regions[i];

        if (start < region->start || start >= region->start + region->size)
            continue;
        low = low > region->start ? low : region->start;
        high = high < region->start + region->size ? high : region->start + region->size;
    }
    want = (page_run){ .start = low, .pages = (unsigned)((high - low) / PAGE_BYTES) };
    /* All has been sent: what is not there is on its way, or zeros, as it will be then. */
    return m->ended ? 0 : bulk_send(m->ssl, P_BULK_WANT, 0, FRAME_XDR(page_run), &want);
}

static int events_take(struct memoryrecv *m)
{
    return memoryspace_events(m->space, page_want, m);
}

static int run_place(struct memoryrecv *m, const page_run *run, const uint8_t *data)
{
    int error;

    while ((error = memoryspace_put(m->space, run->start, data, run->pages * PAGE_BYTES)) ==
           -EAGAIN) {
        error = events_take(m);
        if (error)
            break;
    }
    return error;
}

/* ---- messages ---- */

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
        error = run_place(m, &runs[i], data);
        data += runs[i].pages * PAGE_BYTES;
    }
    if (!error && m->share && memoryshare_add(m->share, runs, count) < 0)
        m->share = NULL;
    return error;
}

static int batch_take(struct memoryrecv *m, const page_batch *batch)
{
    size_t pages = runs_pages(batch->runs.runs_val, batch->runs.runs_len);
    int error = pages == 0 ? -EPROTO
                : batch->offered ? pageoffer_take(m->ssl, m->store, m->uid, pages, offered_put,
                                                  batch_room(m))
                                 : bulk_recv_data(m->ssl, batch_room(m), pages * PAGE_BYTES);

    if (!error)
        error = runs_place(m, batch->runs.runs_val, batch->runs.runs_len);
    return error || !m->answers ? error : bulk_send(m->ssl, P_BULK_TAKEN, 0, NULL, NULL);
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
    pages = runs_pages(named.runs.runs_val, named.runs.runs_len);
    found = pages == 0 || !m->pull
                ? -EPROTO : memorypull_take(m->pull, &named, batch_room(m), pages * PAGE_BYTES);
    if (found > 0)
        found = runs_place(m, named.runs.runs_val, named.runs.runs_len);
    frame_free(FRAME_XDR(page_named), &named, sizeof(named));
    return found;
}

static int given_take(struct memoryrecv *m, const struct bulk_msg *msg)
{
    page_run run;
    int error = frame_decode(FRAME_XDR(page_run), msg->body, msg->header.body_len, &run,
                             sizeof(run));

    if (error || run.pages > BPROC_MAX_BATCH)
        return error ? error : -EPROTO;
    while ((error = memoryspace_zero(m->space, run.start, run.pages * PAGE_BYTES)) == -EAGAIN) {
        error = events_take(m);
        if (error)
            break;
    }
    return error;
}

/* 1: it was about pages, and is done with. */
static int message_take(void *arg, const struct bulk_msg *msg)
{
    struct memoryrecv *m = arg;
    int error = 0;

    if (m->ended)
        return 0;
    switch (msg->header.proc) {
    case P_BULK_PAGES:
        error = pages_take(m, msg);
        break;
    case P_BULK_NAMED:
        error = named_take(m, msg);
        break;
    case P_BULK_REST:
        error = m->pull ? memorypull_rest(m->pull) : -EPROTO;
        break;
    case P_BULK_GIVEN:
        error = given_take(m, msg);
        break;
    case P_BULK_END:
        m->ended = !m->pull || !memorypull_waits(m->pull);
        break;
    default:
        return 0;
    }
    return error ? error : 1;
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
        if (error <= 0)
            return error ? error : -EPROTO;
    }
    return m->answers ? bulk_send(m->ssl, P_BULK_FILLED, 0, NULL, NULL) : 0;
}

/* ---- while the process runs ---- */

/* With nobody left to fill, the peer need not send more. */
static int enough_say(struct memoryrecv *m)
{
    page_run none = { .pages = 0 };

    if (m->enough || m->ended)
        return 0;
    m->enough = 1;
    return bulk_send(m->ssl, P_BULK_WANT, 0, FRAME_XDR(page_run), &none);
}

/* What is to be heard of beside the peer: those who lack pages, and who stands in for us. */
static int others_serve(struct memoryrecv *m, const struct pollfd *ward,
                        const struct pollfd *memories, unsigned count)
{
    /* Said of one that would make us wait: the process has it in its hands. */
    for (unsigned i = 0; i < count; i++)
        if (memories[i].revents & POLLERR)
            return -EPERM;
    if (ward->revents) {
        int error = memoryward_start(&m->ward);

        if (error)
            return error;
    }
    return events_take(m);
}

/* Serves until the peer says something, or `fd` (-1: none) can be read. 1: the peer; 0: `fd`. */
static int quiet_serve(void *arg, int fd)
{
    struct memoryrecv *m = arg;
    struct pollfd fds[3 + POLLED];
    int error = 0, pending;

    while (!error) {
        unsigned count = memoryspace_poll(m->space, fds + 3, POLLED);

        fds[0] = (struct pollfd){ .fd = SSL_get_fd(m->ssl), .events = POLLIN };
        fds[1] = (struct pollfd){ .fd = fd, .events = POLLIN };
        fds[2] = (struct pollfd){ .fd = m->ward.fd, .events = POLLIN };
        if (count == 0)
            error = enough_say(m);
        count = count < POLLED ? count : POLLED;
        pending = SSL_has_pending(m->ssl);
        if (poll(fds, 3 + count, pending ? 0 : -1) < 0) {
            if (errno != EINTR)
                return -errno;
            continue;
        }
        if (!error)
            error = others_serve(m, fds + 2, fds + 3, count);
        /* In this order: the peer may have something to say all the time. */
        if (!error && fds[1].revents)
            return 0;
        if (!error && (pending || fds[0].revents))
            return 1;
    }
    return error;
}

static struct memorytalk talk_of(struct memoryrecv *m)
{
    return (struct memorytalk){ .ssl = m->ssl, .arg = m, .quiet = quiet_serve,
                                .take = message_take };
}

int memoryrecv_hear(struct memoryrecv *m, struct bulk_msg *msg)
{
    const struct memorytalk talk = talk_of(m);

    return memorytalk_hear(&talk, msg);
}

int memoryrecv_until(struct memoryrecv *m, int fd)
{
    const struct memorytalk talk = talk_of(m);

    return memorytalk_until(&talk, fd);
}

int memoryrecv_finish(struct memoryrecv *m)
{
    const struct memorytalk talk = talk_of(m);
    int error = memorytalk_finish(&talk, &m->ended);

    return error ? error : bulk_send(m->ssl, P_BULK_FILLED, 0, NULL, NULL);
}

/* ---- life ---- */

pid_t memoryrecv_pid(const struct memoryrecv *m)
{
    return m->pid;
}

void memoryrecv_join(struct memoryrecv *m, struct memorypull *pull, struct memoryshare *share)
{
    m->pull = pull;
    m->share = share;
}

int memoryrecv_is_lazy(const struct memoryrecv *m)
{
    return m->lazy;
}

static int lazy_begin(struct memoryrecv *m)
{
    m->lazy = memoryspace_is_running(m->space);
    m->ward.process = m->pid;
    m->ward.process_fd = m->pidfd;
    return m->lazy ? -memoryward_start(&m->ward) : 0;
}

struct memoryrecv *memoryrecv_new(SSL *ssl, int gate, uid_t uid, const page_region *regions,
                                  unsigned count, int lazy)
{
    struct memoryrecv *m = calloc(1, sizeof(*m));
    int fd, error = ENOMEM, whole;

    if (!m)
        return NULL;
    m->ssl = ssl;
    m->uid = uid;
    m->answers = lazy;
    m->regions = regions;
    m->count = count;
    m->pidfd = -1;
    m->ward = MEMORYWARD_NONE;
    m->data = aligned_alloc(PAGE_BYTES, BPROC_MAX_BATCH * PAGE_BYTES);
    fd = m->data ? memorygate_ask(gate, uid, &m->pid, &whole) : -ENOMEM;
    if (fd >= 0) {
        m->pidfd = (int)syscall(SYS_pidfd_open, m->pid, 0);
        m->space = memoryspace_new(fd, regions, count, lazy && whole);
        error = m->space ? 0 : errno;
    } else {
        error = -fd;
    }
    if (!error)
        error = lazy_begin(m);
    if (!error)
        return m;
    memoryrecv_free(m);
    errno = error;
    return NULL;
}

void memoryrecv_free(struct memoryrecv *m)
{
    if (!m)
        return;
    /* It must not go on with zeros for what it had; what it has forked is the ward's. */
    if (m->space && m->lazy && !m->ended && !m->enough) {
        memorygate_kill(m->pid, m->pidfd);
    } else {
        memoryspace_free(m->space);
        memoryward_end(&m->ward);
        fd_close(&m->pidfd);
    }
    free(m->data);
    free(m);
}
