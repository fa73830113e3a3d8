/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "migrate/bulk.h"
#include "migrate/memoryfill.h"
#include "migrate/memoryruns.h"
#include "migrate/memoryspace.h"
#include "migrate/memorywants.h"
#include "migrate/memoryward.h"
#include "migrate/pagestore.h"
#include "migrate/treekill.h"

#define POLLED 64                       /* processes whose faults are heard at once */
#define KILL_MS 1000                    /* a killed process may have much to let go of */

struct memoryfill {
    SSL *ssl;
    struct memoryspace *space;
    struct memorywants *wants;
    struct memorygate gate;             /* the userfaultfd is the space's */
    struct memoryward ward;             /* while it is lazy */
    const fill_arg *arg;
    int lazy;                           /* the process runs before it has all */
    int ended, enough;
    uint8_t *data;                      /* one batch */
};

/* ---- what processes wait for ---- */

static int wants_send(struct memoryfill *m)
{
    page_run want;
    int error = 0;

    /* All has been sent: what is not there is on its way, or zeros, as it will be then. */
    while (!error && !m->ended && memorywants_next(m->wants, &want))
        error = bulk_send(m->ssl, P_BULK_WANT, 0, FRAME_XDR(page_run), &want);
    return error;
}

static int page_want(void *arg, uint64_t start)
{
    struct memoryfill *m = arg;

    memorywants_add(m->wants, start);
    return wants_send(m);
}

static int fork_note(void *arg, int fd)
{
    const struct memoryfill *m = arg;

    return memoryward_forked(&m->ward, fd);
}

static int events_take(struct memoryfill *m)
{
    static const struct memoryspace_calls calls = { .want = page_want, .forked = fork_note };

    return memoryspace_events(m->space, &calls, m);
}

/* With nobody left to fill, the peer need not send more. */
static int enough_say(struct memoryfill *m)
{
    page_run none = { .pages = 0 };

    if (m->enough || m->ended)
        return 0;
    m->enough = 1;
    return bulk_send(m->ssl, P_BULK_WANT, 0, FRAME_XDR(page_run), &none);
}

/* ---- what comes ---- */

static int run_place(struct memoryfill *m, const page_run *run, const uint8_t *data)
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

static int batch_take(struct memoryfill *m, const page_batch *batch)
{
    size_t pages = memoryruns_pages(batch->runs.runs_val, batch->runs.runs_len);
    const uint8_t *data = m->data;
    int error = pages == 0 || batch->offered
                    ? -EPROTO : bulk_recv_data(m->ssl, m->data, pages * PAGE_BYTES);

    for (unsigned i = 0; !error && i < batch->runs.runs_len; i++) {
        error = run_place(m, &batch->runs.runs_val[i], data);
        data += batch->runs.runs_val[i].pages * PAGE_BYTES;
    }
    return error ? error : bulk_send(m->ssl, P_BULK_TAKEN, 0, NULL, NULL);
}

static int pages_take(struct memoryfill *m, const struct bulk_msg *msg)
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

static int given_take(struct memoryfill *m, const struct bulk_msg *msg)
{
    page_run run;
    int error = frame_decode(FRAME_XDR(page_run), msg->body, msg->header.body_len, &run,
                             sizeof(run));

    if (error || run.pages > BPROC_MAX_BATCH)
        return error ? error : -EPROTO;
    /* Before its zeros: who comes to want one of these pages meanwhile asks again. */
    memorywants_given(m->wants, run.start);
    error = run_place(m, &run, NULL);
    return error ? error : wants_send(m);
}

static int message_take(struct memoryfill *m)
{
    struct bulk_msg msg;
    int error = bulk_recv(m->ssl, &msg);

    if (error)
        return error;
    switch (msg.header.proc) {
    case P_BULK_PAGES:
        error = pages_take(m, &msg);
        break;
    case P_BULK_GIVEN:
        error = given_take(m, &msg);
        break;
    case P_BULK_END:
        m->ended = 1;
        break;
    default:
        error = -EPROTO;
    }
    bulk_free(&msg);
    return error;
}

/* ---- waiting ---- */

/* What is to be heard of beside the peer: those who lack pages, and who stands in for us. */
static int others_serve(struct memoryfill *m, const struct pollfd *ward,
                        const struct pollfd *memories, unsigned count)
{
    /* Said of one that would make us wait: the process has it in its hands. */
    for (unsigned i = 0; i < count; i++)
        if (memories[i].revents & POLLERR)
            return -EPERM;
    if (ward->revents) {
        int error = memoryward_again(&m->ward);

        if (error)
            return error;
    }
    return events_take(m);
}

/* Serves others until the peer says something. */
static int peer_wait(struct memoryfill *m)
{
    struct pollfd fds[2 + POLLED] = { { .fd = SSL_get_fd(m->ssl), .events = POLLIN } };
    int error = 0, heard = 0;

    while (!error && !heard) {
        unsigned count = memoryspace_poll(m->space, fds + 2, POLLED);
        int pending = SSL_has_pending(m->ssl);

        fds[1] = (struct pollfd){ .fd = m->ward.fd, .events = POLLIN };
        if (count == 0)
            error = enough_say(m);
        count = count < POLLED ? count : POLLED;
        if (poll(fds, 2 + count, pending ? 0 : -1) < 0) {
            if (errno != EINTR)
                return -errno;
            continue;
        }
        if (!error)
            error = others_serve(m, fds + 1, fds + 2, count);
        heard = pending || fds[0].revents;
    }
    return error;
}

int memoryfill_run(struct memoryfill *m)
{
    rest_msg all = { .number = 0 };
    /* Else it waits for what is asked for, and for the rest until the process runs. */
    int error = m->lazy ? 0 : bulk_send(m->ssl, P_BULK_REST, 0, FRAME_XDR(rest_msg), &all);

    while (!error && !m->ended) {
        error = peer_wait(m);
        if (!error)
            error = message_take(m);
    }
    return error ? error : bulk_send(m->ssl, P_BULK_FILLED, 0, NULL, NULL);
}

/* ---- life ---- */

int memoryfill_is_lazy(const struct memoryfill *m)
{
    return m->lazy;
}

int memoryfill_is_missed(const struct memoryfill *m)
{
    struct pollfd end = { .fd = m->gate.pidfd, .events = POLLIN };

    return poll(&end, 1, 0) == 0;
}

static int lazy_begin(struct memoryfill *m, int server, int memory)
{
    const lack_arg who = { .pid = m->arg->pid, .task = m->gate.pid };

    m->lazy = memoryspace_is_running(m->space);
    return m->lazy ? memoryward_start(&m->ward, server, &who, m->gate.pidfd, memory) : 0;
}

struct memoryfill *memoryfill_new(SSL *ssl, struct memorygate *gate, const fill_arg *arg,
                                  int server)
{
    struct memoryfill *m = calloc(1, sizeof(*m));
    int memory = gate->fd, error;

    if (!m) {
        memorygate_close(gate);
        return NULL;
    }
    m->ssl = ssl;
    m->arg = arg;
    m->gate = *gate;
    m->gate.fd = -1;
    m->ward = MEMORYWARD_NONE;
    m->data = aligned_alloc(PAGE_BYTES, BPROC_MAX_BATCH * PAGE_BYTES);
    m->space = memoryspace_new(memory, arg->regions.regions_val, arg->regions.regions_len,
                               gate->whole ? gate->pid : 0);
    *gate = MEMORYGATE_NONE;
    if (m->space)
        m->wants = memorywants_new(arg->regions.regions_val, arg->regions.regions_len);
    error = !m->wants ? -errno : !m->data ? -ENOMEM : lazy_begin(m, server, memory);
    if (!error)
        return m;
    memoryfill_free(m);
    errno = -error;
    return NULL;
}

void memoryfill_free(struct memoryfill *m)
{
    if (!m)
        return;
    /* It must not go on with zeros for what it had; what it has forked is slaved's. */
    if (m->space && m->lazy && !m->ended && !m->enough) {
        struct pollfd end = { .fd = m->gate.pidfd, .events = POLLIN };

        treekill(m->gate.pid, m->gate.pidfd);
        /* Slaved tells of one that is still there. */
        poll(&end, 1, KILL_MS);
    } else {
        memoryward_end(&m->ward);
        memoryspace_free(m->space);
        memorygate_close(&m->gate);
    }
    memorywants_free(m->wants);
    free(m->data);
    free(m);
}
