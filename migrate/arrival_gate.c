/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "migrate/arrival_lazy.h"
#include "migrate/arrival_vector.h"

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

static int memory_wait(struct arrival *a, struct memorygate *gate)
{
    struct memoryrecv *memory = memoryrecv_new(a->ssl, gate->fd, a->launch.uid,
                                               a->launch.regions.regions_val,
                                               a->launch.regions.regions_len);
    int error = memory ? 0 : -errno;

    gate->fd = -1;
    if (!error)
        error = a->launch.share.how != SHARE_NONE ? arrival_memory(a, memory, gate->pid)
                                                  : memoryrecv_all(memory, a->image.store);
    memoryrecv_free(memory);
    return error;
}

/* What its image leaves out: all of it now, or from now on. */
static int memory_take(struct arrival *a)
{
    struct memorygate gate;
    int error;

    gate_patience(a);
    error = memorygate_ask(a->gate, a->launch.uid, &gate);
    if (!error)
        error = a->launch.lazy ? arrival_fill_ask(a, &gate) : memory_wait(a, &gate);
    memorygate_close(&gate);
    if (error)
        snprintf(a->text, sizeof(a->text), "cannot give process %d its memory: %s", a->launch.pid,
                 strerror(-error));
    return error;
}

int arrival_settle(struct arrival *a)
{
    int error = a->launch.regions.regions_len > 0 ? memory_take(a) : 0;

    return error ? error : gate_settle(a);
}
