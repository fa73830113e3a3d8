/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <openssl/err.h>

#include "common/tls.h"
#include "migrate/bulk.h"
#include "migrate/departure_parts.h"
#include "migrate/imagesend.h"

#define CONNECT_SECONDS 10
#define ANSWER_SECONDS 300          /* a restore of many gigabytes says nothing until it is done */

static void socket_timeouts(int sock, int seconds)
{
    struct timeval limit = { .tv_sec = seconds };

    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

int departure_connect(struct departure *d)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)d->arg.data_port),
                              .sin_addr.s_addr = htonl(d->arg.addr) };
    int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;

    if (sock < 0)
        return departure_fail(d, -errno, "cannot make a socket: %s", strerror(errno));
    socket_timeouts(sock, CONNECT_SECONDS);
    setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    d->ssl = SSL_new(d->setup->ctx);
    if (!d->ssl || !SSL_set_fd(d->ssl, sock) || bulk_setup(d->ssl) < 0) {
        close(sock);
        return departure_fail(d, -ENOMEM, "cannot make a TLS connection");
    }
    if (connect(sock, (struct sockaddr *)&to, sizeof(to)) < 0)
        return departure_fail(d, -EIO, "cannot connect to node %d: %s", d->arg.node,
                              strerror(errno == EINPROGRESS ? ETIMEDOUT : errno));
    if (SSL_connect(d->ssl) != 1)
        return departure_fail(d, -EIO, "cannot agree on TLS with node %d: %s", d->arg.node,
                              ERR_reason_error_string(ERR_peek_last_error()));
    if (tls_peer_node(d->ssl) != (d->arg.node < 0 ? TLS_NODE_HOME : d->arg.node))
        return departure_fail(d, -EPERM, "cannot trust node %d: its certificate names node %d",
                              d->arg.node, tls_peer_node(d->ssl));
    socket_timeouts(sock, ANSWER_SECONDS);
    return 0;
}

static int launch_send(struct departure *d)
{
    launch_arg launch = { .kind = d->arg.kind, .node = d->arg.node, .pid = d->arg.pid,
                          .ppid = d->arg.ppid, .puid = d->arg.puid,
                          .pgid = d->arg.pgid, .sid = d->arg.sid,
                          .uid = d->arg.uid, .gid = d->arg.gid,
                          .gate_inode = d->arg.gate_inode,
                          .io_direct = d->arg.io_direct,
                          .ping_timeout = d->arg.ping_timeout, .ticket = d->arg.ticket,
                          .children = d->arg.children };

    /* Where it comes from is nothing to the node: an image is an image. */
    if (d->arg.kind == MOVE_UNDUMP)
        launch.kind = MOVE_RFORK;
    launch.groups.groups_len = d->arg.groups.groups_len;
    launch.groups.groups_val = d->arg.groups.groups_val;
    launch.streams.streams_len = d->arg.streams.streams_len;
    launch.streams.streams_val = d->arg.streams.streams_val;
    launch.files.files_len = d->files.count;
    launch.files.files_val = d->files.list;
    return bulk_send(d->ssl, P_BULK_LAUNCH, 0, FRAME_XDR(launch_arg), &launch);
}

/* Waits for `want`; the node's P_BULK_FAILED becomes our failure. The caller frees *msg. */
static int answer_wait(struct departure *d, bproc_proc want, struct bulk_msg *msg)
{
    move_report report;
    int error = bulk_recv(d->ssl, msg);

    if (error)
        return departure_fail(d, -EIO, "cannot hear from node %d: %s", d->arg.node,
                              strerror(-error));
    if (msg->header.proc == want)
        return 0;
    error = -EPROTO;
    if (msg->header.proc == P_BULK_FAILED &&
        frame_decode(FRAME_XDR(move_report), msg->body, msg->header.body_len, &report,
                     sizeof(report)) == 0) {
        d->report.retry = report.retry;
        error = departure_fail(d, report.error > 0 ? -report.error : -EIO, "node %d: %s",
                               d->arg.node, report.text);
        frame_free(FRAME_XDR(move_report), &report, sizeof(report));
    } else {
        departure_fail(d, error, "node %d answers out of turn", d->arg.node);
    }
    bulk_free(msg);
    return error;
}

int departure_expect(struct departure *d, bproc_proc want)
{
    struct bulk_msg msg;
    int error = answer_wait(d, want, &msg);

    if (!error)
        bulk_free(&msg);
    return error;
}

/* A node that gave up in the middle has said why before it went. */
static int send_fail(struct departure *d, int error, const char *what)
{
    struct bulk_msg msg;
    int reason = -EIO;

    if (error == -EPIPE || error == -ECONNRESET)
        reason = answer_wait(d, P_BULK_READY, &msg);
    if (!reason)
        bulk_free(&msg);
    else if (reason != -EIO)
        return reason;
    return departure_fail(d, error, "cannot send %s of process %d to node %d: %s", what,
                          d->arg.pid, d->arg.node, strerror(-error));
}

static int needed_send(struct departure *d)
{
    struct bulk_msg msg;
    need_msg need;
    int error = answer_wait(d, P_BULK_NEED, &msg);

    if (error)
        return error;
    error = frame_decode(FRAME_XDR(need_msg), msg.body, msg.header.body_len, &need, sizeof(need));
    bulk_free(&msg);
    if (error)
        return departure_fail(d, error, "node %d sends what is no answer", d->arg.node);
    for (unsigned i = 0; !error && i < need.files.files_len; i++) {
        unsigned index = need.files.files_val[i];

        if (index >= d->files.count || !d->files.list[index].sent)
            error = -EPROTO;
        else
            error = imagesend_cached(d->ssl, &d->files, index);
    }
    frame_free(FRAME_XDR(need_msg), &need, sizeof(need));
    return error ? send_fail(d, error, "the files") : 0;
}

int departure_contents(struct departure *d)
{
    uint64_t bytes = 0;
    int error = d->has_image ? imagesend_dir(d->ssl, d->image, &bytes)
                         : imagesend_spec(d->ssl, d->spec, &bytes);

    if (!error)
        error = bulk_send(d->ssl, P_BULK_END, 0, NULL, NULL);
    d->report.bytes = bytes;
    return error ? send_fail(d, error, "the image") : 0;
}


int departure_launch(struct departure *d)
{
    int error = launch_send(d);

    return error ? error : needed_send(d);
}
