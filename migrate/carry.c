/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "migrate/carry.h"
#include "migrate/readers.h"
#include "migrate/relay.h"
#include "proto/msg.h"

struct state {
    struct carry *carry;
    struct readers *readers[BPROC_MAX_STREAMS];     /* made when first asked for */
    struct event_base *base;
    struct relay *relay;
    struct event *upstream;
    int idle;                   /* all streams have ended */
    int drained;                /* nothing of the process's own is to come, all is delivered */
    int over;                   /* and the other side is through with it, too */
};

static void on_broken(struct relay *relay, const char *reason, void *arg)
{
    struct state *state = arg;

    (void)relay;
    (void)reason;
    event_base_loopbreak(state->base);
}

static void on_idle(struct relay *relay, void *arg)
{
    struct state *state = arg;

    state->idle = 1;
    if (state->drained)
        relay_over(relay);
}

static void on_over(struct relay *relay, void *arg)
{
    struct state *state = arg;

    (void)relay;
    state->over = 1;
    event_base_loopbreak(state->base);
}

static void drained_tell(const struct state *state)
{
    launch_id id = { .pid = state->carry->pid };

    msg_send(state->carry->slaved, K_EVENT, P_DRAINED, 0, 0, FRAME_XDR(launch_id), &id, NULL, 0);
}

/*
 * The process's output is delivered, as it has ended or can say nothing more; what descendants
 * write still goes on.
 */
static void on_flushed(struct relay *relay, void *arg)
{
    struct state *state = arg;

    state->drained = 1;
    drained_tell(state);
    if (state->idle)
        relay_over(relay);
}

static void upstream_end(struct state *state)
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
    struct state *state = arg;
    launch_id id = { .pid = state->carry->pid };

    (void)relay;
    if (!state->upstream || msg_send(state->carry->upstream, K_EVENT, P_DRAIN, 0, 0,
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
    struct state *state = arg;
    struct msg msg;

    (void)what;
    if (msg_recv(fd, &msg) < 0)
        _exit(0);                   /* without the daemon the process space has ended, too */
    if (msg.header.proc == P_DRAIN && state->drained)
        drained_tell(state);
    else if (msg.header.proc == P_DRAIN)
        relay_flush(state->relay);
    msg_free(&msg);
}

static size_t on_wanted(struct relay *relay, unsigned id, void *arg)
{
    struct state *state = arg;
    const struct carry *carry = state->carry;
    struct readers **readers = &state->readers[id];

    (void)relay;
    if (!*readers)
        *readers = readers_open(carry->root, carry->identity[id].st_dev,
                                carry->identity[id].st_ino);
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

static int ends_any(const struct carry *carry)
{
    for (unsigned i = 0; i < carry->count; i++)
        if (carry->fds[i] >= 0)
            return 1;
    return 0;
}

void carry_watch(int sock, unsigned seconds)
{
    int on = 1, pause = seconds > 3 ? (int)seconds / 3 : 1, count = 3;
    unsigned ms = seconds * 1000;

    if (seconds == 0)
        return;
    setsockopt(sock, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(sock, IPPROTO_TCP, TCP_KEEPIDLE, &pause, sizeof(pause));
    setsockopt(sock, IPPROTO_TCP, TCP_KEEPINTVL, &pause, sizeof(pause));
    setsockopt(sock, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    setsockopt(sock, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

/* For one transfer after the other: to make it takes thirty system calls. */
static struct event_base *loop_get(void)
{
    static struct event_base *loop;

    if (!loop)
        loop = event_base_new();
    return loop;
}

int carry_run(struct carry *carry)
{
    static const struct relay_ops ops = { .on_flush = on_flush, .on_flushed = on_flushed,
                                          .on_idle = on_idle, .on_over = on_over,
                                          .on_broken = on_broken,
                                          .wanted = on_wanted };
    struct state state = { .carry = carry };
    struct relay *relay;
    struct event *slaved = NULL;

    /* The connection is free at once: neither side has anything to say on it. */
    if (carry->count == 0)
        return 1;
    if (!ends_any(carry))
        return 0;
    signal(SIGPIPE, SIG_IGN);
    carry_watch(SSL_get_fd(carry->ssl), carry->ping_timeout);
    state.base = loop_get();
    relay = state.base ? relay_new(state.base, carry->ssl, &ops, &state) : NULL;
    if (!relay)
        return 0;
    state.relay = relay;
    if (carry->parent > 0)
        relay_set_parent(relay, carry->parent);
    relay_set_sender(relay, &carry->sender);
    if (carry->direct)
        relay_set_direct(relay);
    for (unsigned i = 0; i < carry->count; i++)
        if (end_add(relay, carry, i) < 0)
            return 0;
    if (carry->node_side) {
        slaved = event_new(state.base, carry->slaved, EV_READ | EV_PERSIST, on_slaved,
                           &state);
        if (!slaved || event_add(slaved, NULL) < 0)
            return 0;
    }
    if (carry->upstream >= 0) {
        state.upstream = event_new(state.base, carry->upstream, EV_READ | EV_PERSIST, on_upstream,
                                   &state);
        if (!state.upstream || event_add(state.upstream, NULL) < 0)
            return 0;
    }
    event_base_dispatch(state.base);
    if (state.upstream)
        event_free(state.upstream);
    for (unsigned i = 0; i < BPROC_MAX_STREAMS; i++)
        readers_close(state.readers[i]);
    if (slaved)
        event_free(slaved);
    relay_free(relay);
    return state.over;
}
