/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <openssl/err.h>

#include "common/fault.h"
#include "common/tls.h"
#include "migrate/bulk.h"
#include "migrate/carry.h"
#include "migrate/connectback.h"
#include "migrate/criu.h"
#include "migrate/departure.h"
#include "migrate/dumpfile.h"
#include "migrate/files.h"
#include "migrate/imagecheck.h"
#include "migrate/imageedit.h"
#include "migrate/imagesend.h"
#include "migrate/mountns.h"

#define CONNECT_SECONDS 10
#define ANSWER_SECONDS 300          /* a restore of many gigabytes says nothing until it is done */
#define LOOPBACK 0x7f000001u

struct departure {
    const struct departure_setup *setup;
    move_start_arg arg;
    int dumps;                      /* a process is dumped */
    int has_image;                  /* an image goes; else what is to be executed */
    int own_mounts;                 /* our mount namespace while we are in another; -1 */
    int channel;                    /* to the daemon */
    int spec;                       /* memory file of an exec; a dump's file; -1 */
    int exe;                        /* the executable of an execmove; -1 */
    int originals[BPROC_MAX_STREAMS];   /* by stream; -1 */
    struct files files;
    int image;                      /* directory in memory; -1 */
    int criu_sock;
    pid_t criu_pid;
    SSL *ssl;
    move_report report;
    char text[BPROC_MAX_TEXT];
    struct timespec mark;
    atomic_int committed;
};

static void clock_start(struct departure *d)
{
    clock_gettime(CLOCK_MONOTONIC, &d->mark);
}

/* Microseconds since the last look are `what`'s. */
static void clock_lap(struct departure *d, move_time what)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    d->report.usec[what] += (unsigned)((now.tv_sec - d->mark.tv_sec) * 1000000 +
                                       (now.tv_nsec - d->mark.tv_nsec) / 1000);
    d->mark = now;
}

__attribute__((format(printf, 3, 4)))
static int departure_fail(struct departure *d, int error, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(d->text, sizeof(d->text), fmt, ap);
    va_end(ap);
    return error;
}

/* The daemon's end of the channel goes when it gives the transfer up or dies. */
static void *channel_watch(void *arg)
{
    struct departure *d = arg;
    struct pollfd fd = { .fd = d->channel, .events = POLLRDHUP };

    while (poll(&fd, 1, -1) < 0 || !(fd.revents & (POLLRDHUP | POLLHUP | POLLERR)))
        continue;
    if (!atomic_load(&d->committed))
        _exit(1);
    return NULL;
}

static int start_take(struct departure *d, struct msg *start)
{
    unsigned next = 1;
    int error = frame_decode(FRAME_XDR(move_start_arg), start->body, start->header.body_len,
                             &d->arg, sizeof(d->arg));

    if (error)
        return error;
    d->dumps = d->arg.kind == MOVE_RFORK || d->arg.kind == MOVE_MOVE || d->arg.kind == MOVE_DUMP;
    d->has_image = d->dumps || d->arg.kind == MOVE_UNDUMP;
    d->channel = msg_take_fd(start, 0);
    if (d->arg.kind != MOVE_RFORK && d->arg.kind != MOVE_MOVE)
        d->spec = msg_take_fd(start, next++);
    next++;                         /* the pidfd */
    for (unsigned i = 0; i < d->arg.streams.streams_len; i++)
        d->originals[i] = d->arg.streams.streams_val[i].kind == STREAM_CONNECT ||
                                  d->arg.kind == MOVE_DUMP
                              ? -1 : msg_take_fd(start, next++);
    if (d->arg.kind == MOVE_EXECMOVE)
        d->exe = msg_take_fd(start, next++);
    return d->channel < 0 ? -EPROTO : 0;
}

static int is_ours_to_connect(const struct departure *d, const stream_desc *stream)
{
    return stream->kind == STREAM_CONNECT &&
           (!d->arg.io_direct || stream->flags & STREAM_F_DELAY);
}

static int ports_connect(struct departure *d)
{
    for (unsigned i = 0; i < d->arg.streams.streams_len; i++) {
        const stream_desc *stream = &d->arg.streams.streams_val[i];

        if (!is_ours_to_connect(d, stream) || stream->flags & STREAM_F_DELAY)
            continue;
        d->originals[i] = connectback_open(stream, LOOPBACK, d->arg.pid);
        if (d->originals[i] < 0)
            return departure_fail(d, d->originals[i], "cannot connect to port %u: %s",
                                  stream->port, strerror(-d->originals[i]));
    }
    return 0;
}

/* Nobody can be told any more that one fails; the process finds it at its end. */
static void ports_connect_late(struct departure *d)
{
    for (unsigned i = 0; i < d->arg.streams.streams_len; i++) {
        const stream_desc *stream = &d->arg.streams.streams_val[i];

        if (!is_ours_to_connect(d, stream) || !(stream->flags & STREAM_F_DELAY))
            continue;
        d->originals[i] = connectback_open(stream, LOOPBACK, d->arg.pid);
        if (d->originals[i] < 0)
            d->originals[i] = connectback_ended();
    }
}

/* Until then it may hold its connection to the daemon and the originals of its streams. */
static int gate_wait(struct departure *d)
{
    struct msg msg;
    int error = msg_recv(d->channel, &msg);

    if (error)
        return departure_fail(d, error, "cannot hear from the daemon: %s", strerror(-error));
    error = msg.header.proc == P_MOVE_DUMP ? 0 : -EPROTO;
    msg_free(&msg);
    return error;
}

static int dump_start(struct departure *d)
{
    unsigned long gate = d->arg.gate_inode;
    struct criu_dump dump = { .pid = d->arg.dump_pid, .external = &gate, .external_count = 1 };
    struct criu_target target = { .pid = d->arg.dump_pid, .uid = d->arg.uid, .gid = d->arg.gid };
    int error;

    d->image = criu_image_dir(0);
    if (d->image < 0)
        return departure_fail(d, d->image, "cannot make room in memory for the image: %s",
                              strerror(-d->image));
    d->criu_sock = criu_worker_start(d->setup->criu, &target, d->image, &d->criu_pid);
    if (d->criu_sock < 0)
        return departure_fail(d, d->criu_sock, "cannot start CRIU: %s", strerror(-d->criu_sock));
    error = criu_dump_start(d->criu_sock, &dump);
    return error ? departure_fail(d, error, "cannot ask CRIU for a dump: %s", strerror(-error)) : 0;
}

static int image_is_owners(const struct departure *d)
{
    struct image_owner owner = { .uid = d->arg.uid, .gid = d->arg.gid,
                                 .groups = d->arg.groups.groups_val,
                                 .ngroups = d->arg.groups.groups_len };

    return imagecheck_owner(d->image, &owner);
}

static int dump_finish(struct departure *d)
{
    char reason[BPROC_MAX_TEXT - 128];
    int error = criu_dump_finish(d->criu_sock, d->image, reason, sizeof(reason));

    close(d->criu_sock);
    d->criu_sock = -1;
    /* One that failed has nothing left to do; one that hangs would not end by itself. */
    if (error)
        kill(d->criu_pid, SIGKILL);
    waitpid(d->criu_pid, NULL, 0);
    if (error)
        return departure_fail(d, error, "cannot dump process %d: %s", d->arg.pid, reason);
    error = image_is_owners(d);
    if (error == -EPERM)
        return departure_fail(d, error, "cannot send process %d: it has more than the ids and "
                              "rights of uid %u now", d->arg.pid, d->arg.uid);
    if (!error)
        error = imageedit_open_files(d->image);
    if (!error)
        error = imageedit_nameless(d->image, d->arg.pid);
    if (!error && d->arg.dump_pid != d->arg.pid)
        error = imageedit_number(d->image, d->arg.dump_pid, d->arg.pid);
    return error ? departure_fail(d, error, "cannot read the image of process %d: %s", d->arg.pid,
                                  strerror(-error)) : 0;
}

static void socket_timeouts(int sock, int seconds)
{
    struct timeval limit = { .tv_sec = seconds };

    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

static int node_connect(struct departure *d)
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
                          .ppid = d->arg.ppid, .pgid = d->arg.pgid, .sid = d->arg.sid,
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

static int answer_expect(struct departure *d, bproc_proc want)
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

static int contents_send(struct departure *d)
{
    uint64_t bytes = 0;
    int error = d->has_image ? imagesend_dir(d->ssl, d->image, &bytes)
                         : imagesend_spec(d->ssl, d->spec, &bytes);

    if (!error)
        error = bulk_send(d->ssl, P_BULK_END, 0, NULL, NULL);
    d->report.bytes = bytes;
    return error ? send_fail(d, error, "the image") : 0;
}

static int files_prepare(struct departure *d)
{
    if (d->dumps)
        return files_collect(&d->files, d->arg.dump_pid,
                             d->arg.flags | (d->arg.kind == MOVE_DUMP ? FILES_LASTING : 0),
                             &d->arg.libraries,
                             d->setup->hash_dir, d->text,
                             sizeof(d->text));
    if (d->arg.kind == MOVE_EXECMOVE)
        return files_single(&d->files, d->exe, d->setup->hash_dir, d->text, sizeof(d->text));
    return 0;
}

static int namespaces_enter(struct departure *d)
{
    const char *reference = d->arg.space ? "1" : "self";
    int error = 0;

    d->own_mounts = mountns_own();
    if (d->own_mounts < 0)
        return departure_fail(d, d->own_mounts, "cannot find our own mounts");
    if (d->arg.space)
        error = mountns_enter_space(d->arg.space, d->text, sizeof(d->text));
    return error ? error
                 : mountns_enter(d->arg.dump_pid, reference, d->text, sizeof(d->text));
}

/* ---- images in files ---- */

/* What stands for a standard stream in the image: the library has put one on each. */
static int head_fill(struct departure *d, dump_head *head, dump_stream streams[3])
{
    *head = (dump_head){ .release = (char[]){ PACKAGE_VERSION }, .pid = d->arg.dump_pid,
                         .uid = d->arg.uid, .gid = d->arg.gid, .gate_inode = d->arg.gate_inode,
                         .streams = { d->arg.streams.streams_len, streams } };
    head->groups.groups_len = d->arg.groups.groups_len;
    head->groups.groups_val = d->arg.groups.groups_val;
    if (head->streams.streams_len > 3)
        return -EPROTO;
    for (unsigned i = 0; i < head->streams.streams_len; i++) {
        const stream_desc *stream = &d->arg.streams.streams_val[i];

        if (stream->targets.targets_len != 1)
            return -EPROTO;
        streams[i] = (dump_stream){ stream->inode, stream->targets.targets_val[0] };
    }
    return 0;
}

static int process_dump(struct departure *d)
{
    dump_stream streams[3];
    dump_head head;
    int error = namespaces_enter(d);

    if (!error)
        error = files_prepare(d);
    if (!error)
        error = gate_wait(d);
    if (!error)
        error = dump_start(d);
    if (!error)
        error = dump_finish(d);
    clock_lap(d, MT_DUMP);
    if (error)
        return error;
    error = head_fill(d, &head, streams);
    if (!error)
        error = dumpfile_write(d->spec, d->setup->ctx, &head, &d->files, d->image,
                               &d->report.bytes);
    mountns_leave(d->own_mounts);
    clock_lap(d, MT_SEND);
    return error ? departure_fail(d, error, "cannot write the image of process %d: %s", d->arg.pid,
                                  strerror(-error)) : 0;
}

static int has_group(const struct departure *d, unsigned group)
{
    for (unsigned i = 0; i < d->arg.groups.groups_len; i++)
        if (d->arg.groups.groups_val[i] == group)
            return 1;
    return group == d->arg.gid;
}

/* It is the user's who dumped it, and gives him nothing that he has not got any more. */
static int head_check(struct departure *d, const dump_head *head)
{
    int good = head->uid == d->arg.uid && head->gid == d->arg.gid;

    for (unsigned i = 0; good && i < head->groups.groups_len; i++)
        good = d->arg.uid == 0 || has_group(d, head->groups.groups_val[i]);
    return good ? 0 : departure_fail(d, -EPERM, "cannot use the image: it is of uid %u gid %u, or "
                                     "has groups that its user has not", head->uid, head->gid);
}

/* The streams of the caller take the places of those in the image. */
static void streams_match(struct departure *d, const dump_head *head)
{
    for (unsigned i = 0; i < d->arg.streams.streams_len; i++) {
        stream_desc *stream = &d->arg.streams.streams_val[i];

        for (unsigned j = 0; j < head->streams.streams_len; j++)
            if (stream->targets.targets_len == 1 &&
                stream->targets.targets_val[0] == head->streams.streams_val[j].target)
                stream->inode = head->streams.streams_val[j].inode;
    }
    d->arg.gate_inode = head->gate_inode;
}

static int image_load(struct departure *d)
{
    dump_head head;
    int error;

    d->image = criu_image_dir(0);
    if (d->image < 0)
        return departure_fail(d, d->image, "cannot make room in memory for the image: %s",
                              strerror(-d->image));
    error = dumpfile_read(d->spec, d->setup->ctx, &head, &d->files, d->image);
    if (error)
        return departure_fail(d, error == -EPROTO ? -ENOEXEC : error, "cannot use the image: %s",
                              error == -EPROTO    ? "it is none of this release"
                              : error == -EBADMSG ? "it was changed, or not made here"
                                                  : strerror(-error));
    error = head_check(d, &head);
    if (!error && image_is_owners(d) < 0)
        error = departure_fail(d, -EPERM, "cannot use the image: it has other rights");
    if (!error)
        error = imageedit_number(d->image, head.pid, d->arg.pid);
    if (!error)
        error = imageedit_session(d->image, d->arg.sid);
    if (!error)
        streams_match(d, &head);
    return error;
}

/* Everything up to the moment at which the process waits on the node. */
static int process_send(struct departure *d)
{
    int error = ports_connect(d);

    if (!error && d->arg.kind == MOVE_UNDUMP)
        error = image_load(d);
    if (!error && d->dumps)
        error = namespaces_enter(d);
    if (!error)
        error = files_prepare(d);
    clock_lap(d, MT_CHECK);
    /* The dump goes on while the connection is made. */
    if (!error && d->dumps)
        error = gate_wait(d);
    if (!error && d->dumps)
        error = dump_start(d);
    if (!error)
        error = FAULT(FAULT_MOVER_DUMPING);
    if (!error)
        error = node_connect(d);
    clock_lap(d, MT_CONNECT);
    if (!error)
        error = launch_send(d);
    if (!error)
        error = needed_send(d);
    clock_lap(d, MT_SEND);
    if (!error && d->dumps)
        error = dump_finish(d);
    clock_lap(d, MT_DUMP);
    if (!error)
        error = FAULT(FAULT_MOVER_DUMPED);
    if (!error)
        error = contents_send(d);
    mountns_leave(d->own_mounts);
    d->own_mounts = -1;
    clock_lap(d, MT_SEND);
    if (!error)
        error = FAULT(FAULT_MOVER_SENT);
    if (!error)
        error = answer_expect(d, P_BULK_READY);
    clock_lap(d, MT_RESTORE);
    return error ? error : FAULT(FAULT_MOVER_READY);
}

static int report_send(struct departure *d, bproc_proc proc, int error)
{
    d->report.error = -error;
    d->report.text = d->text;
    return msg_send(d->channel, K_EVENT, proc, 0, 0, FRAME_XDR(move_report), &d->report, NULL, 0);
}

static int commit(struct departure *d)
{
    struct msg msg;
    int error = report_send(d, P_MOVE_READY, 0);

    if (!error)
        error = msg_recv(d->channel, &msg);
    if (error)
        return error;
    error = msg.header.proc == P_MOVE_COMMIT ? 0 : -EPROTO;
    msg_free(&msg);
    if (error)
        return error;
    clock_start(d);
    error = bulk_send(d->ssl, P_BULK_COMMIT, 0, NULL, NULL);
    if (!error)
        error = answer_expect(d, P_BULK_COMMITTED);
    clock_lap(d, MT_ACK);
    if (!error)
        error = FAULT(FAULT_MOVER_COMMITTED);
    return error;
}

static int streams_carry(struct departure *d)
{
    struct carry carry = { .ssl = d->ssl, .parent = d->arg.parent,
                           .sender = { .pid = d->arg.task, .uid = d->arg.uid, .gid = d->arg.gid },
                           .count = d->arg.streams.streams_len,
                           .streams = d->arg.streams.streams_val, .fds = d->originals,
                           .upstream = d->arg.kind == MOVE_RFORK ? -1 : d->channel,
                           .pid = d->arg.pid, .ping_timeout = d->arg.ping_timeout };

    for (unsigned i = 0; i < carry.count; i++)
        if (carry.streams[i].kind == STREAM_CONNECT)
            carry.streams[i].flags |= STREAM_F_EAGER;
    return carry_run(&carry);
}

int departure_run(const struct departure_setup *setup, struct msg *start)
{
    static struct departure d;
    pthread_t watcher;
    int error;

    d.setup = setup;
    d.spec = d.exe = d.image = d.criu_sock = d.own_mounts = -1;
    clock_start(&d);
    error = start_take(&d, start);
    if (error)
        return 1;
    error = -pthread_create(&watcher, NULL, channel_watch, &d);
    if (!error)
        error = FAULT(FAULT_MOVER_STARTED);
    if (!error && d.arg.kind == MOVE_DUMP)
        error = process_dump(&d);
    else if (!error)
        error = process_send(&d);
    msg_free(start);
    if (!error && d.arg.kind == MOVE_DUMP)
        return report_send(&d, P_MOVE_READY, 0) < 0;
    if (!error)
        error = commit(&d);
    if (error) {
        if (!d.text[0])
            snprintf(d.text, sizeof(d.text), "%s", strerror(-error));
        report_send(&d, P_MOVE_FAILED, error);
        return 1;
    }
    atomic_store(&d.committed, 1);
    if (report_send(&d, P_MOVE_COMMITTED, 0) < 0)
        return 1;
    close(d.image);
    files_free(&d.files);
    ports_connect_late(&d);
    return streams_carry(&d);
}
