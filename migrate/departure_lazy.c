/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <openssl/rand.h>

#include "common/fd.h"
#include "migrate/bulk.h"
#include "migrate/carry.h"
#include "migrate/departure_parts.h"

struct lazysend {
    pthread_t thread;
    sem_t begun;
    int go;                             /* readable when the process runs */
    int over;                           /* readable when there is no more to come */
    atomic_uint taken;                  /* batches that are in place */
    int refused, error;                 /* of what is begun, and then of all of it */
    share_word word;
    char text[BPROC_MAX_TEXT];
};

/* The connection is another one than the image's, which is the streams' as soon as it runs. */
static int link_begin(struct departure *d, struct nodelink *link)
{
    struct lazysend *lazy = d->lazy;
    share_arg arg = { .forks = 0 };
    int error = nodelink_open(link, d->setup->ctx, &d->arg.to, lazy->text, sizeof(lazy->text));

    if (error)
        return error;
    carry_watch(SSL_get_fd(link->ssl), d->arg.ping_timeout);
    memcpy(arg.word, lazy->word, sizeof(arg.word));
    return bulk_send(link->ssl, P_BULK_FILL, 0, FRAME_XDR(share_arg), &arg);
}

static void *lazy_run(void *arg)
{
    struct departure *d = arg;
    struct lazysend *lazy = d->lazy;
    struct nodelink link = { .ssl = NULL };
    struct memorysend *memory = memorysend_new(&d->dump, d->arg.uid, 0, 0);

    lazy->refused = memory ? link_begin(d, &link) : -errno;
    if (lazy->refused && !lazy->text[0])
        snprintf(lazy->text, sizeof(lazy->text), "cannot read the memory of process %d: %s",
                 d->arg.pid, strerror(-lazy->refused));
    lazy->error = lazy->refused;
    sem_post(&lazy->begun);
    if (!lazy->error)
        lazy->error = memorysend_serve(memory, link.ssl, lazy->go, &lazy->taken);
    nodelink_close(&link);
    memorysend_free(memory);
    eventfd_write(lazy->over, 1);
    return NULL;
}

static void lazy_free(struct departure *d)
{
    sem_destroy(&d->lazy->begun);
    fd_close(&d->lazy->go);
    fd_close(&d->lazy->over);
    free(d->lazy);
    d->lazy = NULL;
}

int departure_lazy_start(struct departure *d)
{
    struct lazysend *lazy = calloc(1, sizeof(*lazy));
    int error = ENOMEM;

    if (!lazy)
        return -ENOMEM;
    d->lazy = lazy;
    sem_init(&lazy->begun, 0, 0);
    lazy->go = eventfd(0, EFD_CLOEXEC);
    lazy->over = eventfd(0, EFD_CLOEXEC);
    if (lazy->go >= 0 && lazy->over >= 0 &&
        RAND_bytes((unsigned char *)lazy->word, sizeof(lazy->word)) == 1)
        error = pthread_create(&lazy->thread, NULL, lazy_run, d);
    if (error) {
        lazy_free(d);
        return -error;
    }
    /* Who shares root and directory with a thread cannot change its mount namespace (mountns.h). */
    return unshare(CLONE_FS) < 0 ? -errno : 0;
}

void departure_lazy_word(const struct departure *d, share_word word)
{
    memcpy(word, d->lazy->word, sizeof(d->lazy->word));
}

int departure_lazy_wait(struct departure *d)
{
    while (sem_wait(&d->lazy->begun) < 0)
        continue;
    sem_post(&d->lazy->begun);
    return d->lazy->refused ? departure_fail(d, d->lazy->refused, "%s", d->lazy->text) : 0;
}

/* Until one of them is; -ETIMEDOUT: the node has said nothing, and taken nothing, for long. */
static int readable_wait(struct lazysend *lazy, struct pollfd fds[2])
{
    unsigned taken;
    int ready;

    do {
        taken = atomic_load(&lazy->taken);
        ready = poll(fds, 2, nodelink_patience() * 1000);
    } while ((ready < 0 && errno == EINTR) || (ready == 0 && taken != atomic_load(&lazy->taken)));
    return ready == 0 ? -ETIMEDOUT : 0;
}

int departure_lazy_heed(struct departure *d)
{
    struct pollfd fds[2] = { { .fd = SSL_get_fd(d->link->ssl), .events = POLLIN },
                             { .fd = d->lazy->over, .events = POLLIN } };
    int error = 0;

    if (!SSL_has_pending(d->link->ssl))
        error = readable_wait(d->lazy, fds);
    if (!error && !fds[0].revents && fds[1].revents)
        error = d->lazy->error;
    return error ? departure_fail(d, -EIO, "cannot send the memory of process %d to node %d: %s",
                                  d->arg.pid, d->arg.to.node, strerror(-error)) : 0;
}

int departure_lazy_go(struct departure *d)
{
    return eventfd_write(d->lazy->go, 1) < 0 ? -errno : 0;
}

int departure_lazy_end(struct departure *d)
{
    int error;

    pthread_join(d->lazy->thread, NULL);
    error = d->lazy->error;
    lazy_free(d);
    return error;
}
