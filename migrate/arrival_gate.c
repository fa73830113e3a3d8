/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "migrate/arrival_vector.h"
#include "migrate/carry.h"

#define SETTLE_SECONDS 60           /* for a restored process to run for the first time */

/* For what it says there. */
static void gate_patience(const struct arrival *a)
{
    struct timeval limit = { .tv_sec = SETTLE_SECONDS };

    setsockopt(a->gate, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

/* A signal that was pending in the image must not be taken for one that came since. */
static int gate_settle(struct arrival *a)
{
    gate_msg settle = { .verdict = GATE_SETTLE, .node = a->launch.node,
                        .children = a->launch.children };
    struct msg msg;
    int error = msg_send(a->gate, K_EVENT, P_GATE, 0, 0, FRAME_XDR(gate_msg), &settle, NULL, 0);

    gate_patience(a);
    if (!error && a->memory)
        error = memoryrecv_until(a->memory, a->gate);
    if (!error)
        error = msg_recv(a->gate, &msg);
    if (error)
        return error;
    error = msg.header.proc == P_GATE_REACHED && msg.header.status >= 0 ? -msg.header.status
                                                                        : -EPROTO;
    if (error && error != -EPROTO)
        snprintf(a->text, sizeof(a->text), "process %d cannot have what it is to have: %s",
                 a->launch.pid, strerror(-error));
    msg_free(&msg);
    return error;
}

/* What its image leaves out: all of it now, or from now on. */
static int memory_take(struct arrival *a)
{
    int error = 0;

    gate_patience(a);
    if (a->launch.lazy)
        carry_watch(SSL_get_fd(a->ssl), a->launch.ping_timeout);
    a->memory = memoryrecv_new(a->ssl, a->gate, a->launch.uid, a->launch.regions.regions_val,
                               a->launch.regions.regions_len, a->launch.lazy);
    if (!a->memory)
        error = -errno;
    else if (a->launch.share.how != SHARE_NONE)
        error = arrival_memory(a);
    else if (!memoryrecv_is_lazy(a->memory))
        error = memoryrecv_all(a->memory, a->image.store);
    if (error)
        snprintf(a->text, sizeof(a->text), "cannot give process %d its memory: %s", a->launch.pid,
                 strerror(-error));
    if (a->memory && !memoryrecv_is_lazy(a->memory)) {
        memoryrecv_free(a->memory);
        a->memory = NULL;
    }
    return error;
}

int arrival_settle(struct arrival *a)
{
    int error = a->launch.regions.regions_len > 0 ? memory_take(a) : 0;

    return error ? error : gate_settle(a);
}
