/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "migrate/bulk.h"
#include "migrate/carry.h"
#include "migrate/readers.h"
#include "migrate/relay.h"
#include "proto/msg.h"

#define SETTLE_MS 50            /* short commands are over by then */
#define HELD_MS 10              /* most of them are */

struct carrying {
    struct carry carry;
    struct readers *readers[BPROC_MAX_STREAMS];     /* made when first asked for */
    struct event_base *base;
    struct relay *relay;
    struct event *upstream, *slaved, *settle, *held;
    int idle;                   /* all streams have ended */
    int drained;                /* nothing of the process's own is to come, all is delivered */
    int over;                   /* and the other side is through with it, too */
};

static void on_broken(struct relay *relay, const char *reason, void *arg)
{
    struct carrying *state = arg;

    (void)relay;
    (void)reason;
    event_base_loopbreak(state->base);
}

static void on_idle(struct relay *relay, void *arg)
{
    struct carrying *state = arg;

    state->idle = 1;
    if (state->drained)
        relay_over(relay);
}

static void on_over(struct relay *relay, void *arg)
{
    struct carrying *state = arg;

    (void)relay;
    state->over = 1;
    event_base_loopbreak(state->base);
}

static void drained_tell(const struct carrying *state)
{
    launch_id id = { .pid = state->carry.pid };

    msg_send(state->carry.slaved, K_EVENT, P_DRAINED, 0, 0, FRAME_XDR(launch_id), &id, NULL, 0);
}

/*
 * The process's output is delivered, as it has ended or can say nothing more; what descendants
 * write still goes on.
 */
static void on_flushed(struct relay *relay, void *arg)
{
    struct carrying *state = arg;

    state->drained = 1;
    drained_tell(state);
    if (state->held && !bulk_is_gathered(state->carry.ssl))
        event_del(state->held);
    if (state->idle)
        relay_over(relay);
}

static void upstream_end(struct carrying *state)
{
    if (state->upstream)
        event_free(state->upstream);
    state->upstream = NULL;
    relay_flushed(state->relay);
}

/*
 * The originals may be ends that another carrier of this machine made for the process when it came:
 * its last words are to get through that one, too, before its end is told.
 */
static void on_flush(struct relay *relay, void *arg)
{
    struct carrying *state = arg;
    launch_id id = { .pid = state->carry.pid };

    (void)relay;
    if (!state->upstream || msg_send(state->carry.upstream, K_EVENT, P_DRAIN, 0, 0,
                                     FRAME_XDR(launch_id), &id, NULL, 0) < 0)
        upstream_end(state);
}

static void on_upstream(evutil_socket_t fd, short what, void *arg)
{
    struct msg msg;

    (void)what;
    if (msg_recv(fd, &msg) == 0)
        msg_free(&msg);
    upstream_end(arg);
}

static void on_slaved(evutil_socket_t fd, short what, void *arg)
{
    struct carrying *state = arg;
    struct msg msg;
    int asked;

    (void)what;
    if (msg_recv(fd, &msg) < 0)
        _exit(0);                   /* without the daemon the process space has ended, too */
    /* One for the process before may have come when that had been carried to its end. */
    asked = msg.header.proc == P_DRAIN && msg.header.serial == state->carry.call;
    if (asked && state->drained)
        drained_tell(state);
    else if (asked)
        relay_flush(state->relay);
    msg_free(&msg);
}

static size_t on_wanted(struct relay *relay, unsigned id, void *arg)
{
    struct carrying *state = arg;
    const struct carry *carry = &state->carry;
    struct readers **readers = &state->readers[id];

    (void)relay;
    if (!*readers)
        *readers = readers_open(carry->root, carry->identity[id].dev, carry->identity[id].ino);
    return *readers ? readers_wanted(*readers) : 0;
}

static int end_add(struct relay *relay, const struct carry *carry, unsigned id)
{
    stream_desc *stream = &carry->streams[id];
    int to_process = carry->node_side;
    int fd = carry->fds[id];
    unsigned flags = carry->node_side ? stream->flags | STREAM_F_EAGER : stream->flags;
    int reads, writes;

    if (fd < 0)
        return 0;
    switch (stream->kind) {
    case STREAM_PIPE_WRITE:
    case STREAM_OUTPUT:
        reads = to_process ? fd : -1;
        writes = to_process ? -1 : fd;
        break;
    case STREAM_PIPE_READ:
        reads = to_process ? -1 : fd;
        writes = to_process ? fd : -1;
        break;
    default:
        reads = writes = fd;
        break;
    }
    return relay_add(relay, id, stream->kind, flags, reads, writes);
}

/* Whether the caller may go on reading what is read for the process. */
static int ends_shared(const struct carry *carry)
{
    for (unsigned i = 0; i < carry->count; i++) {
        const stream_desc *stream = &carry->streams[i];

        if (carry->fds[i] >= 0 && stream->kind != STREAM_PIPE_WRITE &&
            stream->kind != STREAM_OUTPUT && !(stream->flags & STREAM_F_EAGER))
            return 1;
    }
    return 0;
}

static int ends_any(const struct carry *carry)
{
    for (unsigned i = 0; i < carry->count; i++)
        if (carry->fds[i] >= 0)
            return 1;
    return 0;
}

/* Ports may be connected to as late as when the process runs. */
static int ends_add(struct carrying *state, int ports)
{
    const struct carry *carry = &state->carry;
    int error = 0;

    for (unsigned i = 0; !error && i < carry->count; i++)
        if ((carry->streams[i].kind == STREAM_CONNECT) == ports)
            error = end_add(state->relay, carry, i);
    return error;
}

void carry_watch(int sock, unsigned seconds)
{
    int on = 1, pause = seconds > 3 ? (int)seconds / 3 : 1, count = 3;
    unsigned ms = seconds * 1000, now = 0;
    socklen_t len = sizeof(now);

    /* By an earlier process of this connection, of which this is the last one to be set. */
    if (seconds == 0 || (getsockopt(sock, IPPROTO_TCP, TCP_USER_TIMEOUT, &now, &len) == 0 &&
                         now == ms))
        return;
    setsockopt(sock, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(sock, IPPROTO_TCP, TCP_KEEPIDLE, &pause, sizeof(pause));
    setsockopt(sock, IPPROTO_TCP, TCP_KEEPINTVL, &pause, sizeof(pause));
    setsockopt(sock, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    setsockopt(sock, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

/*
 * With poll(2), to which a descriptor that is waited for or no longer is no system call: a process
 * has few streams, and most have ended before anything comes over them. But on the node what it
 * writes to one stream and then to another is to be read in this order, which epoll alone tells.
 */
static struct event_base *loop_make(int node_side)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config && (node_side || event_config_avoid_method(config, "epoll") == 0))
        base = event_base_new_with_config(config);
    if (config)
        event_config_free(config);
    return base;
}

/* For one transfer after the other. */
static struct event_base *loop_get(int node_side)
{
    static struct event_base *loop;

    if (!loop)
        loop = loop_make(node_side);
    return loop;
}

static void settle(struct carrying *state, int over)
{
    if (state->carry.settled)
        state->carry.settled(state->carry.arg, over);
    state->carry.settled = NULL;
}

static void on_settle(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    settle(arg, 0);
}

static void on_held(evutil_socket_t fd, short what, void *arg)
{
    struct carrying *state = arg;

    (void)fd;
    (void)what;
    relay_push(state->relay);
}

struct carrying *carry_open(const struct carry *carry)
{
    static const struct relay_ops ops = { .on_flush = on_flush, .on_flushed = on_flushed,
                                          .on_idle = on_idle, .on_over = on_over,
                                          .on_broken = on_broken,
                                          .wanted = on_wanted };
    struct carrying *state = calloc(1, sizeof(*state));

    if (!state)
        return NULL;
    state->carry = *carry;
    if (carry->count == 0)
        return state;
    carry_watch(SSL_get_fd(carry->ssl), carry->ping_timeout);
    state->base = loop_get(carry->node_side);
    state->relay = state->base ? relay_new(state->base, carry->ssl, &ops, state) : NULL;
    if (!state->relay)
        return NULL;
    if (carry->parent > 0 && ends_shared(carry))
        relay_set_parent(state->relay, carry->parent);
    relay_set_sender(state->relay, &carry->sender);
    if (carry->node_side)
        relay_set_own(state->relay);
    if (carry->direct && carry->node_side)
        relay_set_direct(state->relay);
    else if (carry->direct)
        relay_set_last(state->relay);
    return ends_add(state, 0) < 0 ? NULL : state;
}

static struct event *timer_begin(struct carrying *state, int ms, event_callback_fn call)
{
    const struct timeval delay = { 0, ms * 1000 };
    struct event *event = event_new(state->base, -1, 0, call, state);

    return event && event_add(event, &delay) == 0 ? event : NULL;
}

static struct event *event_begin(struct carrying *state, int fd, event_callback_fn call)
{
    struct event *event = event_new(state->base, fd, EV_READ | EV_PERSIST, call, state);

    return event && event_add(event, NULL) == 0 ? event : NULL;
}

static int carry_begin(struct carrying *state)
{
    const struct carry *carry = &state->carry;

    if (carry->settled)
        state->settle = timer_begin(state, SETTLE_MS, on_settle);
    if (carry->held)
        state->held = timer_begin(state, HELD_MS, on_held);
    if ((carry->settled && !state->settle) || (carry->held && !state->held))
        return -ENOMEM;
    if (ends_add(state, 1) < 0 || relay_begin(state->relay) < 0)
        return -ENOMEM;
    if (carry->node_side)
        state->slaved = event_begin(state, carry->slaved, on_slaved);
    if (carry->upstream >= 0)
        state->upstream = event_begin(state, carry->upstream, on_upstream);
    return (carry->node_side && !state->slaved) || (carry->upstream >= 0 && !state->upstream)
               ? -ENOMEM : 0;
}

static void carry_free(struct carrying *state)
{
    if (state->upstream)
        event_free(state->upstream);
    for (unsigned i = 0; i < BPROC_MAX_STREAMS; i++)
        readers_close(state->readers[i]);
    if (state->slaved)
        event_free(state->slaved);
    if (state->settle)
        event_free(state->settle);
    if (state->held)
        event_free(state->held);
    relay_free(state->relay);
    free(state);
}

int carry_run(struct carrying *state)
{
    /* The connection is free at once: neither side has anything to say on it. */
    int over = state->carry.count == 0;

    if (over && state->carry.node_side)
        drained_tell(state);
    if (!over && ends_any(&state->carry) && carry_begin(state) == 0) {
        event_base_dispatch(state->base);
        over = state->over;
    }
    settle(state, over);
    carry_free(state);
    return over;
}
