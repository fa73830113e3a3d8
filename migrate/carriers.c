/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/fd.h"
#include "migrate/carriers.h"
#include "migrate/criuserver.h"

#define FREE_MAX 32
#define FREE_SECONDS 60             /* the node waits twice as long */
#define BUFFER_BYTES (1 << 20)
#define USES_MAX 1000               /* by one child: whatever it gathers is bounded */

struct carrier {
    TAILQ_ENTRY(carrier) entry;
    node_place to;
    int channel;
    time_t until;
};

/* By the time at which they became free: the last one is used first, the first one ends first. */
static TAILQ_HEAD(carrier_list, carrier) carriers = TAILQ_HEAD_INITIALIZER(carriers);
static unsigned carrier_count;
static int back[2];                 /* on which carriers come back: we read from the first */
static int daemon_end;              /* not for carriers: they outlive the mover */
static const struct departure_setup *departures;

int carriers_init(const struct departure_setup *setup, int end)
{
    departures = setup;
    daemon_end = end;
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, back) < 0 ? -errno : 0;
}

static time_t now_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void carrier_forget(struct carrier *carrier)
{
    TAILQ_REMOVE(&carriers, carrier, entry);
    carrier_count--;
    close(carrier->channel);
    free(carrier);
}

/* ---- in the child ---- */

/* Offers to take another transfer. 0 with the next P_MOVE_START, or -errno: there is none. */
static int carrier_wait(const struct nodelink *link, struct msg *start)
{
    node_place to = link->to;
    int pair[2], size = BUFFER_BYTES, error;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    /* A packet has to fit whole. */
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    prctl(PR_SET_NAME, "bproc-idle");
    error = msg_send(back[1], K_EVENT, P_CARRIER_FREE, 0, 0, FRAME_XDR(node_place), &to, &pair[1],
                     1);
    close(pair[1]);
    if (!error)
        error = msg_recv_packet(pair[0], start);
    close(pair[0]);
    prctl(PR_SET_NAME, "bproc-carrier");
    return error;
}

__attribute__((noreturn))
static void carrier_run(struct msg *start)
{
    struct nodelink link = { .ssl = NULL };
    int uses = 0;

    while (!TAILQ_EMPTY(&carriers))
        carrier_forget(TAILQ_FIRST(&carriers));
    close(back[0]);
    close(daemon_end);
    criuserver_leave();
    signal(SIGCHLD, SIG_DFL);
    prctl(PR_SET_NAME, "bproc-carrier");
    while (departure_run(departures, start, &link) && ++uses < USES_MAX)
        if (carrier_wait(&link, start) < 0)
            break;
    _exit(0);
}

/* ---- in the mover ---- */

static struct carrier *carrier_find(const node_place *to)
{
    struct carrier *carrier;

    TAILQ_FOREACH_REVERSE(carrier, &carriers, carrier_list, entry)
        if (carrier->to.node == to->node && carrier->to.addr == to->addr &&
            carrier->to.data_port == to->data_port && carrier->to.instance == to->instance)
            break;
    return carrier;
}

/* Where it is to go; one that does not decode goes to a child, which says so by its end. */
static int start_place(const struct msg *msg, node_place *to)
{
    move_start_arg arg;
    int error = frame_decode(FRAME_XDR(move_start_arg), msg->body, msg->header.body_len, &arg,
                             sizeof(arg));

    if (error)
        return error;
    *to = arg.to;
    frame_free(FRAME_XDR(move_start_arg), &arg, sizeof(arg));
    return 0;
}

static int carrier_use(const struct msg *msg)
{
    struct frame_bytes body = { .bytes = msg->body, .len = msg->header.body_len };
    struct carrier *carrier;
    node_place to;
    int error = start_place(msg, &to);

    if (error)
        return error;
    carrier = carrier_find(&to);
    if (!carrier)
        return -ENOENT;
    error = msg_send(carrier->channel, msg->header.kind, msg->header.proc, msg->header.serial, 0,
                     FRAME_XDR(frame_bytes), &body, msg->fds, msg->header.nfds);
    carrier_forget(carrier);
    return error;
}

void carriers_start(struct msg *msg)
{
    pid_t pid;

    if (carrier_use(msg) < 0) {
        pid = fork();
        if (pid == 0)
            carrier_run(msg);
        if (pid < 0)
            perror("bproc-mover: cannot fork");
    }
    msg_free(msg);
}

int carriers_fd(void)
{
    return back[0];
}

void carriers_read(void)
{
    struct carrier *carrier;
    struct msg msg;

    if (msg_recv_packet(back[0], &msg) < 0)
        return;
    carrier = calloc(1, sizeof(*carrier));
    if (carrier && msg.header.nfds == 1 &&
        frame_decode(FRAME_XDR(node_place), msg.body, msg.header.body_len, &carrier->to,
                     sizeof(carrier->to)) == 0) {
        carrier->channel = msg_take_fd(&msg, 0);
        carrier->until = now_seconds() + FREE_SECONDS;
        TAILQ_INSERT_TAIL(&carriers, carrier, entry);
        if (++carrier_count > FREE_MAX)
            carrier_forget(TAILQ_FIRST(&carriers));
    } else {
        free(carrier);
    }
    msg_free(&msg);
}

int carriers_wait(void)
{
    struct carrier *first;
    time_t now = now_seconds();

    while ((first = TAILQ_FIRST(&carriers)) && first->until <= now)
        carrier_forget(first);
    return first ? (int)(first->until - now) * 1000 : -1;
}
