/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "migrate/memoryhold.h"
#include "migrate/memorysend.h"
#include "migrate/memorytalk.h"
#include "migrate/memorywalk.h"

#define PLAIN_PAGES 256UL               /* of a batch; what is read should still be in the cache */
#define LAZY_PAGES 64UL                 /* what is waited for stands behind few */
#define LAZY_BATCHES 4                  /* on their way at a time */

struct memorysend {
    SSL *ssl;
    pid_t task;
    int memory;                         /* /proc/PID/mem of it */
    int lazy;                           /* it has no other use than its memory */
    int keepable;                       /* a node may keep all of it */
    struct memorywalk *walk;
    const struct pageoffer_answer *answer;
    size_t offers;                      /* pages that may still be sent by name */
    uint64_t bytes;
    unsigned on_way;                    /* batches that are not known to be in place */
    int enough;                         /* nobody is left to send to */
    int ended, filled;
    size_t pages;                       /* of the batch */
    unsigned count;
    page_run runs[BPROC_MAX_BATCH];
    page_run found[BPROC_MAX_BATCH];    /* as they were before those of zeros went */
    uint8_t data[BPROC_MAX_BATCH * PAGE_BYTES];
};

/* Where pages go out. */
static int batch_put(struct memorysend *m)
{
    page_batch batch = { .offered = m->offers >= m->pages, .runs = { m->count, m->runs } };
    int error = bulk_put(m->ssl, P_BULK_PAGES, 0, FRAME_XDR(page_batch), &batch);

    m->on_way++;
    if (error)
        return error;
    if (batch.offered) {
        m->offers -= m->pages;
        return pageoffer_send(m->ssl, m->data, m->pages, m->answer, &m->bytes);
    }
    m->bytes += m->pages * PAGE_BYTES;
    for (size_t at = 0; !error && at < m->pages; at += PLAIN_PAGES) {
        size_t part = m->pages - at < PLAIN_PAGES ? m->pages - at : PLAIN_PAGES;

        error = bulk_put_data(m->ssl, P_BULK_DATA, 0, m->data + at * PAGE_BYTES,
                              part * PAGE_BYTES);
    }
    return error;
}

/*
 * Not by process_vm_readv(): that makes a copy of each page that the process shares with its parent
 * since the fork, and the process keeps it.
 */
static int batch_read(struct memorysend *m)
{
    uint8_t *to = m->data;

    for (unsigned i = 0; i < m->count; i++) {
        size_t size = m->runs[i].pages * PAGE_BYTES;
        ssize_t n = pread(m->memory, to, size, (off_t)m->runs[i].start);

        if (n != (ssize_t)size)
            return n < 0 ? -errno : n == 0 ? -ESRCH : -EFAULT;
        to += size;
    }
    return 0;
}

static int page_is_zero(const uint8_t *page)
{
    return page[0] == 0 && memcmp(page, page + 1, PAGE_BYTES - 1) == 0;
}

/* Runs of two regions stay two, though they may touch: a region is what can be filled at once. */
static void page_keep(struct memorysend *m, uint64_t start, const uint8_t *page, unsigned first)
{
    page_run *last = m->count > first ? &m->runs[m->count - 1] : NULL;
    uint8_t *to = m->data + m->pages++ * PAGE_BYTES;

    if (to != page)
        memcpy(to, page, PAGE_BYTES);
    if (last && last->start + last->pages * PAGE_BYTES == start)
        last->pages++;
    else
        m->runs[m->count++] = (page_run){ .start = start, .pages = 1 };
}

/* Pages of zeros are as if never written. What is kept never overtakes what is still to be seen. */
static void batch_sift(struct memorysend *m)
{
    const uint8_t *page = m->data;
    unsigned count = m->count;

    memcpy(m->found, m->runs, count * sizeof(m->runs[0]));
    m->count = 0;
    m->pages = 0;
    for (unsigned i = 0; i < count; i++) {
        uint64_t start = m->found[i].start;
        const uint8_t *end = page + m->found[i].pages * PAGE_BYTES;
        unsigned first = m->count;

        for (; page < end; page += PAGE_BYTES, start += PAGE_BYTES)
            if (!page_is_zero(page))
                page_keep(m, start, page, first);
    }
}

/* The runs that were noted. */
static int batch_send(struct memorysend *m)
{
    int error = m->pages ? batch_read(m) : 0;

    if (!error && m->pages)
        batch_sift(m);
    return error || !m->pages ? error : batch_put(m);
}

static void run_note(struct memorysend *m, const page_run *run)
{
    m->runs[m->count++] = *run;
    m->pages += run->pages;
}

/* The next pages that are there, at most so many. 1: there are none any more. */
static int batch_next(struct memorysend *m, size_t limit)
{
    page_run run;
    int found = 1;

    m->count = 0;
    m->pages = 0;
    while (m->pages < limit && (found = memorywalk_next(m->walk, limit - m->pages, &run)) > 0)
        run_note(m, &run);
    if (found < 0)
        return found;
    return m->pages == 0 ? 1 : batch_send(m);
}

int memorysend_all(struct memorysend *m, const struct pageoffer_answer *answer)
{
    int error;

    m->answer = answer;
    m->offers = answer && m->keepable ? PAGESTORE_PAGES : 0;
    do {
        error = batch_next(m, m->offers >= BPROC_MAX_BATCH ? BPROC_MAX_BATCH : PLAIN_PAGES);
    } while (!error);
    return error < 0 ? error : bulk_send(m->ssl, P_BULK_END, 0, NULL, NULL);
}

/* ---- for a process that runs already ---- */

/* What it waits for, and what is beside that. */
static int want_serve(struct memorysend *m, const page_run *want)
{
    page_run run;
    int found, error;

    m->count = 0;
    m->pages = 0;
    while ((found = memorywalk_take(m->walk, want, &run)) > 0)
        run_note(m, &run);
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

/* 1: it was about pages, and is done with. */
static int message_take(void *arg, const struct bulk_msg *msg)
{
    struct memorysend *m = arg;
    int error = 0;

    switch (msg->header.proc) {
    case P_BULK_WANT:
        error = want_take(m, msg);
        break;
    case P_BULK_TAKEN:
        m->on_way -= m->on_way > 0;
        break;
    case P_BULK_FILLED:
        m->filled = 1;
        break;
    default:
        return 0;
    }
    return error ? error : 1;
}

/* One more batch in the background, or the word that this was all. */
static int batch_step(struct memorysend *m)
{
    int error = m->enough ? 1 : batch_next(m, LAZY_PAGES);

    if (error < 0)
        return error;
    m->ended = error;
    return m->ended ? bulk_send(m->ssl, P_BULK_END, 0, NULL, NULL) : bulk_flush(m->ssl);
}

/* Sends until the peer says something or `fd` (-1: none) can be read; 1: the peer, 0: the other. */
static int quiet_send(void *arg, int fd)
{
    struct memorysend *m = arg;
    struct pollfd fds[2] = { { .fd = SSL_get_fd(m->ssl), .events = POLLIN },
                             { .fd = fd, .events = POLLIN } };
    int error = 0;

    while (!error) {
        int busy = !m->ended && m->on_way < LAZY_BATCHES;

        int pending = SSL_has_pending(m->ssl);

        if (poll(fds, 2, busy || pending ? 0 : -1) < 0 && errno != EINTR)
            return -errno;
        if (fds[1].revents)
            return 0;
        if (pending || fds[0].revents)
            return 1;
        if (busy)
            error = batch_step(m);
    }
    return error;
}

static struct memorytalk talk_of(struct memorysend *m)
{
    return (struct memorytalk){ .ssl = m->ssl, .arg = m, .quiet = quiet_send,
                                .take = message_take };
}

int memorysend_hear(struct memorysend *m, struct bulk_msg *msg)
{
    const struct memorytalk talk = talk_of(m);

    return memorytalk_hear(&talk, msg);
}

int memorysend_until(struct memorysend *m, int fd)
{
    const struct memorytalk talk = talk_of(m);

    return memorytalk_until(&talk, fd);
}

int memorysend_finish(struct memorysend *m)
{
    const struct memorytalk talk = talk_of(m);

    return memorytalk_finish(&talk, &m->filled);
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

static int memory_open(pid_t number)
{
    char path[40];

    snprintf(path, sizeof(path), "/proc/%d/mem", (int)number);
    return open(path, O_RDONLY | O_CLOEXEC);
}

struct memorysend *memorysend_new(SSL *ssl, const dump_arg *dump, uid_t uid)
{
    struct memorysend *m = malloc(sizeof(*m));
    int error = m ? memoryhold_take(dump->source_task, dump->source, uid, dump->lazy) : -ENOMEM;

    if (error) {
        free(m);
        errno = -error;
        return NULL;
    }
    memset(m, 0, offsetof(struct memorysend, runs));
    m->ssl = ssl;
    m->task = dump->source_task;
    m->lazy = dump->lazy;
    m->keepable = is_keepable(dump->source);
    m->memory = memory_open(dump->source);
    m->walk = m->memory >= 0 ? memorywalk_new(dump) : NULL;
    if (m->walk)
        return m;
    error = errno;
    memorysend_free(m);
    errno = error;
    return NULL;
}

void memorysend_free(struct memorysend *m)
{
    if (!m)
        return;
    memorywalk_free(m->walk);
    fd_close(&m->memory);
    if (m->lazy)
        memoryhold_end(m->task);
    else
        memoryhold_release(m->task);
    free(m);
}
