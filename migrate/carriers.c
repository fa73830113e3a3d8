/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "migrate/bulk.h"
#include "migrate/carriers.h"
#include "migrate/criuserver.h"

#define LAST_MS 100                 /* for which a node's child is kept by what it waits for */

static int free_end;                /* on which carriers say that they are free */
static int daemon_end;              /* not for carriers: they outlive the mover */
static const struct departure_setup *departures;

int carriers_init(const struct departure_setup *setup, int end)
{
    int back[2], error;

    departures = setup;
    daemon_end = end;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, back) < 0)
        return -errno;
    free_end = back[1];
    error = msg_send(end, K_EVENT, P_CARRIERS, 0, 0, NULL, NULL, &back[0], 1);
    close(back[0]);
    return error;
}

/* ---- in the child ---- */

/*
 * What the node was to hear last of a transfer goes with the next launch, so that it wakes once;
 * alone if none comes.
 */
static void last_flush(const struct nodelink *link, int channel)
{
    struct pollfd next = { .fd = channel, .events = POLLIN };

    if (bulk_is_gathered(link->ssl) && poll(&next, 1, LAST_MS) == 0)
        bulk_flush(link->ssl);
}

/* Offers to take another transfer: its channel, or -errno. */
static int channel_offer(const struct nodelink *link)
{
    node_place to = link->to;
    int pair[2], error;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    error = msg_send(free_end, K_EVENT, P_CARRIER_FREE, 0, 0, FRAME_XDR(node_place), &to, &pair[1],
                     1);
    close(pair[1]);
    if (!error)
        return pair[0];
    close(pair[0]);
    return error;
}

/* What is left on the channel is of the last transfer: that its commit has been heard of. */
static int start_hear(const struct nodelink *link, int channel, struct msg *start)
{
    int error;

    for (;;) {
        last_flush(link, channel);
        error = msg_recv(channel, start);
        if (error || start->header.proc == P_MOVE_START)
            return error;
        msg_free(start);
    }
}

/* The next P_MOVE_START and its channel, the one of the last transfer (-1: gone). -errno: none. */
static int carrier_wait(const struct nodelink *link, int channel, struct msg *start)
{
    int error;

    prctl(PR_SET_NAME, "bproc-idle");
    if (channel < 0)
        channel = channel_offer(link);
    error = channel < 0 ? channel : start_hear(link, channel, start);
    prctl(PR_SET_NAME, "bproc-carrier");
    return error ? error : channel;
}

__attribute__((noreturn))
static void carrier_run(struct msg *start)
{
    struct nodelink link = { .ssl = NULL };
    int channel = msg_take_fd(start, start->header.nfds - 1);

    close(daemon_end);
    criuserver_leave();
    signal(SIGCHLD, SIG_DFL);
    prctl(PR_SET_NAME, "bproc-carrier");
    while (channel >= 0 && departure_run(departures, start, &channel, &link))
        channel = carrier_wait(&link, channel, start);
    _exit(0);
}

/* ---- in the mover ---- */

void carriers_start(struct msg *msg)
{
    pid_t pid = fork();

    if (pid == 0)
        carrier_run(msg);
    if (pid < 0)
        perror("bproc-mover: cannot fork");
    msg_free(msg);
}
