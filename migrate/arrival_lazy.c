/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/fd.h"
#include "migrate/arrival_lazy.h"
#include "migrate/arrival_register.h"
#include "migrate/carry.h"
#include "migrate/memoryfill.h"

/* ---- who restores the process ---- */

int arrival_fill_offer(struct arrival *a)
{
    share_arg arg = { .forks = 0 };
    int pair[2], error;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return arrival_fail(a, -errno, "cannot make a socket: %s", strerror(errno));
    a->filler = pair[0];
    memcpy(arg.word, a->launch.share.word, sizeof(arg.word));
    error = msg_send(a->slaved, K_EVENT, P_SHARE_GIVE, 0, 0, FRAME_XDR(share_arg), &arg, &pair[1],
                     1);
    close(pair[1]);
    return error ? arrival_fail(a, error, "cannot reach slaved: %s", strerror(-error)) : 0;
}

/* Or until who sends the process has gone. */
static int filler_wait(const struct arrival *a)
{
    struct pollfd fds[2] = { { .fd = a->filler, .events = POLLIN },
                             { .fd = SSL_get_fd(a->ssl), .events = POLLRDHUP } };

    while (poll(fds, 2, -1) < 0 && errno == EINTR)
        continue;
    return fds[0].revents ? 0 : -ECONNRESET;
}

int arrival_fill_ask(struct arrival *a, const struct memorygate *memory)
{
    fill_arg arg = { .pid = a->launch.pid, .task = memory->pid, .whole = memory->whole,
                     .ping_timeout = a->launch.ping_timeout };
    int fds[] = { memory->fd, memory->pidfd }, error;

    arg.regions.regions_len = a->launch.regions.regions_len;
    arg.regions.regions_val = a->launch.regions.regions_val;
    error = msg_send(a->filler, K_CALL, P_FILL, 0, 0, FRAME_XDR(fill_arg), &arg, fds, 2);
    if (!error)
        error = filler_wait(a);
    return error ? error : msg_answer(a->filler, P_FILL, NULL, NULL, 0, NULL, 0);
}

/* ---- who has the connection for its memory ---- */

static int answer(int asker, int error)
{
    return msg_send(asker, K_REPLY, P_FILL, 0, -error, NULL, NULL, NULL, 0);
}

/*
 * While the rest of a message is awaited nobody else is served: who leaves it at that for as long
 * is taken for gone, like his machine.
 */
static void sender_watch(int sock, unsigned seconds)
{
    struct timeval limit = { .tv_sec = seconds };

    carry_watch(sock, seconds);
    if (seconds == 0)
        return;
    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static int memory_bring(const struct arrival *a, int asker, struct memorygate *gate,
                        const fill_arg *arg)
{
    struct memoryfill *fill = memoryfill_new(a->ssl, gate, arg, a->setup->server);
    int error = fill ? 0 : -errno, lazy = fill && memoryfill_is_lazy(fill);

    sender_watch(SSL_get_fd(a->ssl), arg->ping_timeout);
    if (!error && lazy)
        error = answer(asker, 0);
    if (!error)
        error = memoryfill_run(fill);
    if (!lazy)
        answer(asker, error);
    else if (error && memoryfill_is_missed(fill))
        fprintf(stderr, "bproc-receiver: process %d lost its memory: %s\n", arg->pid,
                strerror(-error));
    memoryfill_free(fill);
    return error;
}

static void asker_serve(const struct arrival *a, int asker)
{
    struct memorygate gate = MEMORYGATE_NONE;
    fill_arg arg;
    struct msg msg;

    if (msg_recv(asker, &msg) < 0)
        return;
    if (FAULT(FAULT_RECEIVER_FILL) == 0 && msg.header.proc == P_FILL && msg.header.nfds == 2 &&
        frame_decode(FRAME_XDR(fill_arg), msg.body, msg.header.body_len, &arg, sizeof(arg)) == 0) {
        gate = (struct memorygate){ .fd = msg_take_fd(&msg, 0), .pidfd = msg_take_fd(&msg, 1),
                                    .pid = arg.task, .whole = arg.whole };
        memory_bring(a, asker, &gate, &arg);
        frame_free(FRAME_XDR(fill_arg), &arg, sizeof(arg));
    }
    msg_free(&msg);
}

void arrival_fill(struct arrival *a, const struct bulk_msg *msg)
{
    share_arg arg;
    int asker;

    if (frame_decode(FRAME_XDR(share_arg), msg->body, msg->header.body_len, &arg,
                     sizeof(arg)) < 0 || arg.forks || FAULT(FAULT_RECEIVER_FILLER) < 0 ||
        arrival_register(a) < 0)
        return;
    asker = arrival_share_take(a, &arg);
    if (asker < 0)
        return;
    asker_serve(a, asker);
    fd_close(&asker);
}
