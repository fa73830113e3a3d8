/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/tls.h"
#include "migrate/arrival.h"
#include "migrate/arrival_launch.h"
#include "migrate/arrival_lazy.h"
#include "migrate/arrival_register.h"
#include "migrate/arrival_restore.h"
#include "migrate/arrival_vector.h"
#include "migrate/bulk.h"
#include "migrate/carry.h"
#include "migrate/imagerecv.h"
#include "migrate/memoryshare.h"
#include "migrate/near.h"

#define HANDSHAKE_SECONDS 10
#define TRANSFER_SECONDS 300
#define LINGER_SECONDS 10
#define NEXT_SECONDS 120            /* the mover waits half as long */
#define LINGER_BYTES (1 << 20)

static void socket_timeouts(int sock, int seconds)
{
    struct timeval limit = { .tv_sec = seconds };

    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

static uint32_t peer_address(int sock)
{
    struct sockaddr_in peer;
    socklen_t len = sizeof(peer);

    if (getpeername(sock, (struct sockaddr *)&peer, &len) < 0 || peer.sin_family != AF_INET)
        return 0;
    return ntohl(peer.sin_addr.s_addr);
}

static int sender_accept(struct arrival *a, int sock)
{
    /* For all of it: a stranger may send a byte at a time. */
    alarm(HANDSHAKE_SECONDS);
    socket_timeouts(sock, HANDSHAKE_SECONDS);
    a->ssl = SSL_new(a->setup->ctx);
    if (!a->ssl || !SSL_set_fd(a->ssl, sock) || bulk_setup(a->ssl) < 0)
        return -ENOMEM;
    SSL_set_accept_state(a->ssl);
    if (bulk_handshake(a->ssl) < 0)
        return -EPERM;
    a->peer = tls_peer_node(a->ssl);
    if (a->peer == TLS_NODE_NONE)
        return -EPERM;
    alarm(0);
    near_settle(sock);
    socket_timeouts(sock, TRANSFER_SECONDS);
    a->sender = peer_address(sock);
    return 0;
}

static int launch_check(struct arrival *a)
{
    const launch_arg *l = &a->launch;

    if (l->pid <= 1 || l->ppid < 0)
        return arrival_fail(a, -EPROTO, "cannot take process %d: bad numbers", l->pid);
    if (l->kind < MOVE_RFORK || l->kind > MOVE_MOVE)
        return arrival_fail(a, -EPROTO, "cannot take process %d: unknown kind", l->pid);
    if (l->share.how != SHARE_NONE && a->peer != TLS_NODE_MASTER)
        return arrival_fail(a, -EPERM, "cannot take process %d: vectors are the master's", l->pid);
    if (l->serial && (a->peer != TLS_NODE_MASTER ||
                      (l->kind != MOVE_REXEC && l->kind != MOVE_EXECMOVE)))
        return arrival_fail(a, -EPERM, "cannot take process %d: it is not to be committed here",
                            l->pid);
    for (unsigned i = 0; i < l->streams.streams_len; i++)
        for (unsigned t = 0; t < l->streams.streams_val[i].targets.targets_len; t++)
            if (l->streams.streams_val[i].targets.targets_val[t] < 0)
                return arrival_fail(a, -EPROTO, "cannot take process %d: bad stream", l->pid);
    return 0;
}

/* Another node asks for memory that this one has got, or is getting. */
static void memory_serve(struct arrival *a, const struct bulk_msg *msg)
{
    take_arg arg = { .peer = a->peer };

    if (frame_decode(FRAME_XDR(share_arg), msg->body, msg->header.body_len, &arg.share,
                     sizeof(arg.share)) == 0 && !arg.share.forks && arrival_register(a) == 0)
        memoryshare_serve(a->ssl, a->slaved, &arg);
}

static int launch_hear(struct arrival *a)
{
    struct bulk_msg msg;
    int error = bulk_recv(a->ssl, &msg);

    if (error)
        return error;
    if (msg.header.proc == P_BULK_PULL || msg.header.proc == P_BULK_FILL) {
        if (msg.header.proc == P_BULK_PULL)
            memory_serve(a, &msg);
        else
            arrival_fill(a, &msg);
        bulk_free(&msg);
        _exit(0);
    }
    error = msg.header.proc == P_BULK_LAUNCH
                ? frame_decode(FRAME_XDR(launch_arg), msg.body, msg.header.body_len, &a->launch,
                               sizeof(a->launch))
                : -EPROTO;
    bulk_free(&msg);
    return error ? error : launch_check(a);
}

static int files_look(struct arrival *a)
{
    const struct image_owner owner = arrival_owner(a);
    need_msg need;
    int error = nodefiles_check(&a->files, &a->setup->cache, a->setup->root,
                                a->peer == TLS_NODE_MASTER ? NULL : &owner,
                                a->launch.files.files_val, a->launch.files.files_len, a->text,
                                sizeof(a->text));

    if (error)
        return error;
    need.files.files_len = a->files.need_count;
    need.files.files_val = a->files.need;
    return a->launch.files.files_len > 0
               ? bulk_send(a->ssl, P_BULK_NEED, 0, FRAME_XDR(need_msg), &need) : 0;
}

static int image_take(struct arrival *a)
{
    /* What a node says is in a page is not to be believed. */
    a->image.store = a->peer == TLS_NODE_MASTER ? a->setup->store : NULL;
    a->image.uid = a->launch.uid;
    return imagerecv_run(a->ssl, &a->image, &a->files, &a->setup->cache, a->text,
                         sizeof(a->text));
}

static int report_send(struct arrival *a, bproc_proc proc, int error)
{
    move_report report = { .error = -error, .text = a->text };

    report.retry = error && a->taken;
    error = bulk_put(a->ssl, proc, 0, FRAME_XDR(move_report), &report);
    if (error)
        return error;
    return a->held ? bulk_seal(a->ssl) : bulk_flush(a->ssl);
}

static int commit_wait(struct arrival *a)
{
    struct bulk_msg msg;
    int error = report_send(a, P_BULK_READY, 0);

    if (!error)
        error = bulk_recv(a->ssl, &msg);
    if (error)
        return error;
    error = msg.header.proc == P_BULK_COMMIT ? 0 : -EPROTO;
    bulk_free(&msg);
    return error;
}

static int gate_open(struct arrival *a)
{
    gate_msg verdict = { .verdict = GATE_REMOTE, .node = a->launch.node,
                         .rank = a->launch.share.rank };

    if (a->gate < 0)
        return 0;
    return msg_send(a->gate, K_EVENT, P_GATE, 0, 0, FRAME_XDR(gate_msg), &verdict, NULL, 0);
}

/* Not by connections of its own. */
static int speaks(const struct arrival *a)
{
    for (unsigned i = 0; i < a->launch.streams.streams_len; i++)
        if (a->launch.streams.streams_val[i].kind != STREAM_PIPE_READ && a->ends.relay[i] >= 0)
            return 1;
    return 0;
}

/* What it is to hear is sent when the sender has heard that it runs. */
static int listens(const struct arrival *a)
{
    for (unsigned i = 0; i < a->launch.streams.streams_len; i++)
        if (a->launch.streams.streams_val[i].kind != STREAM_PIPE_WRITE &&
            a->launch.streams.streams_val[i].kind != STREAM_OUTPUT)
            return 1;
    return 0;
}

/* slaved counts the process before it runs, so that its end cannot be missed. */
static int commit(struct arrival *a)
{
    commit_msg done = { .who = { .pid = a->launch.pid, .uid = a->launch.uid },
                        .serial = a->launch.serial, .speaks = speaks(a) };
    int error = a->launch.serial ? 0 : commit_wait(a);

    arrival_forks_end(a);
    if (!error)
        error = FAULT(FAULT_RECEIVER_COMMIT);
    if (!error)
        error = msg_send(a->slaved, K_EVENT, P_LAUNCH_DONE, 0, 0, FRAME_XDR(commit_msg), &done,
                         NULL, 0);
    if (!error)
        error = gate_open(a);
    if (!error)
        error = FAULT(FAULT_RECEIVER_GATE);
    /* Short commands have ended before anybody waits for this. */
    a->held = !error && a->launch.serial && done.speaks && !listens(a);
    return error ? error : report_send(a, P_BULK_COMMITTED, 0);
}

/* Of one of the master's slaved hears when it is to be launched: so it is woken once. */
static int is_program(const struct arrival *a)
{
    return a->peer == TLS_NODE_MASTER &&
           (a->launch.kind == MOVE_REXEC || a->launch.kind == MOVE_EXECMOVE);
}

static int process_take(struct arrival *a)
{
    int error = is_program(a) ? 0 : arrival_register(a);

    if (!error && a->peer != TLS_NODE_MASTER)
        error = arrival_ticket(a);
    if (!error && a->launch.children.child_list_len > 0)
        error = arrival_children(a);
    if (!error && a->launch.lazy)
        error = arrival_fill_offer(a);
    if (!error)
        error = arrival_prepare(a);
    if (!error)
        error = files_look(a);
    if (!error)
        error = streamends_make(&a->ends, &a->launch, a->launch.io_direct ? a->sender : 0, a->text,
                                sizeof(a->text));
    if (!error)
        error = arrival_restore_ahead(a);
    if (!error)
        error = image_take(a);
    if (!error)
        error = FAULT(FAULT_RECEIVER_RECEIVED);
    if (!error)
        error = arrival_launch(a);
    if (!error && a->launch.share.forks)
        error = arrival_forks_offer(a);
    if (!error)
        error = FAULT(FAULT_RECEIVER_LAUNCHED);
    return error;
}

static int streams_carry(struct arrival *a)
{
    struct carry carry = { .ssl = a->ssl, .count = a->launch.streams.streams_len,
                           .streams = a->launch.streams.streams_val, .fds = a->ends.relay,
                           .node_side = 1, .held = a->held, .slaved = a->slaved,
                           .call = a->call, .upstream = -1,
                           .direct = a->peer == TLS_NODE_MASTER,
                           .ping_timeout = a->launch.ping_timeout,
                           .pid = a->launch.pid, .root = a->setup->root,
                           .identity = a->ends.identity };
    struct carrying *carrying = carry_open(&carry);

    return carrying ? carry_run(carrying) : 0;
}

/*
 * Closing the connection while the sender's bytes wait in it would throw our word away with them,
 * so they are let go by until the sender has read that.
 */
static void sender_linger(struct arrival *a)
{
    int sock = SSL_get_fd(a->ssl);
    struct timespec start, now;

    shutdown(sock, SHUT_WR);
    socket_timeouts(sock, LINGER_SECONDS);
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - start.tv_sec < LINGER_SECONDS &&
             recv(sock, NULL, LINGER_BYTES, MSG_TRUNC) > 0);
}

static void arrival_undo(struct arrival *a, int error)
{
    if (!a->text[0])
        snprintf(a->text, sizeof(a->text), "%s", strerror(-error));
    report_send(a, P_BULK_FAILED, error);
    streamends_free(&a->ends);
    arrival_release(a);
    if (a->slaved >= 0)
        close(a->slaved);
    sender_linger(a);
}

/* 1: it has come, and all of it has ended well. */
static int launch_take(struct arrival *a)
{
    int error = launch_hear(a);

    if (!error)
        error = process_take(a);
    if (!error)
        error = commit(a);
    if (error) {
        arrival_undo(a, error);
        return 0;
    }
    arrival_release(a);
    pagestore_leave(a->image.store);
    return streams_carry(a);
}

static void arrival_begin(struct arrival *a, const struct arrival_setup *setup)
{
    a->setup = setup;
    a->slaved = a->gate = a->filler = -1;
    a->image.dir = a->image.spec = a->image.gate = -1;
    a->criu = CRIUWORKER_NONE;
}

/*
 * What the next one is not to find. The streams' ends are the relay's, and gone. A program has had
 * its last word to slaved, so the next may follow there.
 */
static void arrival_end(struct arrival *a)
{
    SSL *ssl = a->ssl;
    int peer = a->peer, slaved = is_program(a) ? a->slaved : -1;
    uint32_t sender = a->sender, call = a->call;
    const struct arrival_setup *setup = a->setup;

    if (slaved < 0)
        close(a->slaved);
    frame_free(FRAME_XDR(launch_arg), &a->launch, sizeof(a->launch));
    memset(a, 0, sizeof(*a));
    arrival_begin(a, setup);
    a->ssl = ssl;
    a->slaved = slaved;
    a->call = call;
    a->peer = peer;
    a->sender = sender;
    bulk_resume(ssl);
}

/* For another launch on the same connection; until then it is nobody's. */
static int next_wait(const struct arrival *a)
{
    struct pollfd fds[2] = { { .fd = SSL_get_fd(a->ssl), .events = POLLIN },
                             { .fd = a->setup->server, .events = POLLIN } };
    int ready = SSL_has_pending(a->ssl);

    prctl(PR_SET_NAME, "bproc-idle");
    while (!ready && (ready = poll(fds, 2, NEXT_SECONDS * 1000)) < 0)
        continue;
    prctl(PR_SET_NAME, "bproc-arrival");
    return ready && !fds[1].revents;
}

int arrival_run(const struct arrival_setup *setup, int sock)
{
    static struct arrival a;

    arrival_begin(&a, setup);
    if (sender_accept(&a, sock) < 0)
        return 1;
    close(setup->known);
    while (launch_take(&a)) {
        arrival_end(&a);
        if (!next_wait(&a))
            return 0;
    }
    return 1;
}
