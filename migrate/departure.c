/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/fd.h"
#include "migrate/bulk.h"
#include "migrate/carry.h"
#include "migrate/connectback.h"
#include "migrate/criu.h"
#include "migrate/departure_parts.h"

#define LOOPBACK 0x7f000001u
#define USES_MAX 1000               /* by one child: whatever it gathers is bounded */

static void clock_start(struct departure *d)
{
    clock_gettime(CLOCK_MONOTONIC, &d->mark);
}

void departure_lap(struct departure *d, move_time what)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    d->report.usec[what] += (unsigned)((now.tv_sec - d->mark.tv_sec) * 1000000 +
                                       (now.tv_nsec - d->mark.tv_nsec) / 1000);
    d->mark = now;
}

int departure_fail(struct departure *d, int error, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(d->text, sizeof(d->text), fmt, ap);
    va_end(ap);
    return error;
}

/* The node may have told the daemon that a program runs before it has told us. */
static int is_committed(struct departure *d)
{
    struct msg msg;

    if (!atomic_load(&d->committed) && d->arg.serial && msg_recv(d->channel, &msg) == 0) {
        atomic_store(&d->committed, msg.header.proc == P_MOVE_COMMIT);
        msg_free(&msg);
    }
    return atomic_load(&d->committed);
}

/* The daemon's end goes when it gives the transfer up, dies, or is through with it. */
static void *channel_watch(void *arg)
{
    struct departure *d = arg;
    struct pollfd fd = { .fd = d->channel, .events = POLLRDHUP };

    while (poll(&fd, 1, -1) < 0 || !(fd.revents & (POLLRDHUP | POLLHUP | POLLERR)))
        continue;
    if (!is_committed(d))
        _exit(1);
    return NULL;
}

int departure_watch(struct departure *d)
{
    int error = d->watched ? 0 : -pthread_create(&d->watcher, NULL, channel_watch, d);

    if (error)
        return departure_fail(d, error, "cannot make a thread: %s", strerror(-error));
    d->watched = 1;
    return 0;
}

/*
 * A program on its way is a few messages, so no thread looks after the channel meanwhile: whoever
 * is about to wait for the node does.
 */
void departure_heed(struct departure *d)
{
    struct pollfd fds[2] = { { .fd = SSL_get_fd(d->link->ssl), .events = POLLIN },
                             { .fd = d->channel, .events = POLLRDHUP } };

    while (!d->watched && !SSL_has_pending(d->link->ssl) && !fds[0].revents) {
        if (poll(fds, 2, nodelink_patience() * 1000) == 0)
            return;
        if (!(fds[1].revents & (POLLRDHUP | POLLHUP | POLLERR)))
            continue;
        if (!is_committed(d))
            _exit(1);
        fds[1].fd = -1;
    }
}

static int start_take(struct departure *d, struct msg *start)
{
    unsigned next = 0;
    int error = frame_decode(FRAME_XDR(move_start_arg), start->body, start->header.body_len,
                             &d->arg, sizeof(d->arg));

    if (error)
        return error;
    d->maps = d->arg.share.how != SHARE_FORK &&
              (d->arg.kind == MOVE_RFORK || d->arg.kind == MOVE_MOVE || d->arg.kind == MOVE_DUMP);
    d->dumps = d->maps && d->arg.share.how != SHARE_IMAGE;
    d->has_image = d->maps || d->arg.kind == MOVE_UNDUMP;
    if (d->arg.kind != MOVE_RFORK && d->arg.kind != MOVE_MOVE)
        d->spec = msg_take_fd(start, next++);
    if (d->arg.share.how == SHARE_IMAGE)
        d->image = msg_take_fd(start, next++);
    for (unsigned i = 0; i < d->arg.streams.streams_len; i++)
        d->originals[i] = d->arg.streams.streams_val[i].kind == STREAM_CONNECT ||
                                  d->arg.kind == MOVE_DUMP
                              ? -1 : msg_take_fd(start, next++);
    if (d->arg.kind == MOVE_EXECMOVE)
        d->exe = msg_take_fd(start, next++);
    return 0;
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

static int report_send(struct departure *d, bproc_proc proc, int error)
{
    d->report.error = -error;
    d->report.text = d->text;
    return msg_send(d->channel, K_EVENT, proc, 0, 0, FRAME_XDR(move_report), &d->report, NULL, 0);
}

/*
 * That a program runs the daemon hears from the node. Of a short one this is the last word. What a
 * thread has watched has its channel ended for that (departure_end()), so the next one comes by
 * another.
 */
static void report_late(void *arg, int over)
{
    struct departure *d = arg;

    d->report.spare = over && !d->watched && d->link->uses < USES_MAX;
    if (report_send(d, P_MOVE_COMMITTED, 0) < 0)
        d->report.spare = 0;
}

/* Of the streams, all that can be made ready before the process runs. */
static int streams_open(struct departure *d)
{
    struct carry carry = { .ssl = d->link->ssl, .parent = d->arg.parent,
                           .sender = { .pid = d->arg.task, .uid = d->arg.uid, .gid = d->arg.gid },
                           .count = d->arg.streams.streams_len,
                           .streams = d->arg.streams.streams_val, .fds = d->originals,
                           .upstream = d->arg.kind == MOVE_RFORK || d->arg.serial ? -1 : d->channel,
                           .pid = d->arg.pid, .ping_timeout = d->arg.ping_timeout,
                           .settled = d->arg.serial ? report_late : NULL, .arg = d };

    carry.direct = !d->arg.space && carry.upstream < 0;
    for (unsigned i = 0; i < carry.count; i++)
        if (carry.streams[i].kind == STREAM_CONNECT)
            carry.streams[i].flags |= STREAM_F_EAGER;
    d->carrying = carry_open(&carry);
    return d->carrying ? 0 : -ENOMEM;
}

/* To the node, up to the moment at which the process waits there. */
static int process_give(struct departure *d)
{
    int error = departure_launch(d);

    departure_lap(d, d->dumps ? MT_DUMP : MT_SEND);
    if (!error && d->criu.rpc >= 0)
        error = departure_dump_finish(d);
    departure_lap(d, MT_DUMP);
    if (!error)
        error = FAULT(FAULT_MOVER_DUMPED);
    if (!error && d->arg.share.how == SHARE_LEAD)
        error = departure_image_give(d);
    if (!error)
        error = departure_contents(d);
    departure_lap(d, MT_SEND);
    if (!error)
        error = FAULT(FAULT_MOVER_SENT);
    /* The node is at work. An image may have to be sent again, over another connection. */
    if (!error && d->arg.serial)
        error = streams_open(d);
    if (!error && d->lazy)
        error = departure_lazy_heed(d);
    if (!error)
        error = departure_expect(d, d->arg.serial ? P_BULK_COMMITTED : P_BULK_READY);
    departure_lap(d, MT_RESTORE);
    if (!error && !d->arg.serial)
        error = FAULT(FAULT_MOVER_READY);
    return error;
}

static int process_send(struct departure *d)
{
    int error = ports_connect(d);

    if (!error && d->arg.kind == MOVE_UNDUMP)
        error = departure_file_read(d);
    if (!error && d->maps)
        error = departure_mounts_enter(d);
    if (!error && d->dumps)
        error = departure_worker_start(d);
    if (!error)
        error = departure_files(d);
    departure_lap(d, MT_CHECK);
    /* The dump goes on while the connection is made. */
    if (!error && d->maps)
        error = d->dumps ? departure_dump_start(d) : departure_dump_hear(d);
    if (!error)
        error = FAULT(FAULT_MOVER_DUMPING);
    if (!error)
        error = process_give(d);
    if (error && d->lost) {
        nodelink_close(d->link);
        d->text[0] = '\0';
        error = process_give(d);
    }
    departure_mounts_leave(d);
    return error;
}

static int commit(struct departure *d)
{
    struct msg msg;
    int error;

    if (d->arg.serial)
        return FAULT(FAULT_MOVER_COMMITTED);
    error = report_send(d, P_MOVE_READY, 0);
    if (!error)
        error = msg_recv(d->channel, &msg);
    if (error)
        return error;
    error = msg.header.proc == P_MOVE_COMMIT ? 0 : -EPROTO;
    msg_free(&msg);
    if (error)
        return error;
    clock_start(d);
    error = bulk_send(d->link->ssl, P_BULK_COMMIT, 0, NULL, NULL);
    if (!error)
        error = departure_expect(d, P_BULK_COMMITTED);
    departure_lap(d, MT_ACK);
    if (!error)
        error = FAULT(FAULT_MOVER_COMMITTED);
    return error;
}

/*
 * What the next departure is not to find. Its streams' originals are the relay's, and gone. The
 * channel if the next one comes there, or -1.
 */
static int departure_end(struct departure *d)
{
    /* Its end of the channel is how the watcher learns that there is nothing to watch any more. */
    if (d->watched) {
        shutdown(d->channel, SHUT_RDWR);
        pthread_join(d->watcher, NULL);
    }
    if (!d->report.spare)
        fd_close(&d->channel);
    frame_free(FRAME_XDR(move_start_arg), &d->arg, sizeof(d->arg));
    frame_free(FRAME_XDR(dump_arg), &d->dump, sizeof(d->dump));
    return d->channel;
}

static int departure_commit(struct departure *d)
{
    int error = commit(d);

    if (error)
        return error;
    atomic_store(&d->committed, 1);
    if (!d->arg.serial && report_send(d, P_MOVE_COMMITTED, 0) < 0)
        return -EPIPE;
    criu_image_drop(&d->image);
    fd_close(&d->spec);
    fd_close(&d->exe);
    fd_close(&d->memory_fd);
    memorylist_free(d->list);
    files_free(&d->files);
    ports_connect_late(d);
    return 0;
}

int departure_run(const struct departure_setup *setup, struct msg *start, int *channel,
                  struct nodelink *link)
{
    static struct departure d;
    int error, carried;

    memset(&d, 0, sizeof(d));
    d.setup = setup;
    d.channel = *channel;
    d.link = link;
    link->uses++;
    d.spec = d.exe = d.image = d.own_mounts = d.mounts = d.space = d.memory_fd = -1;
    d.criu = CRIUWORKER_NONE;
    clock_start(&d);
    error = start_take(&d, start);
    if (error)
        return 0;
    error = d.arg.kind == MOVE_REXEC ? 0 : departure_watch(&d);
    if (!error)
        error = FAULT(FAULT_MOVER_STARTED);
    if (!error && d.arg.kind == MOVE_DUMP)
        error = departure_file_write(&d);
    else if (!error)
        error = process_send(&d);
    msg_free(start);
    if (!error && d.arg.kind == MOVE_DUMP)
        return report_send(&d, P_MOVE_READY, 0), 0;
    if (!error)
        error = departure_commit(&d);
    if (error && !atomic_load(&d.committed)) {
        if (!d.text[0])
            snprintf(d.text, sizeof(d.text), "%s", strerror(-error));
        report_send(&d, P_MOVE_FAILED, error);
    }
    departure_memory_end(&d);
    if (!error && d.lazy)
        error = departure_lazy_go(&d);
    if (error)
        return 0;
    carried = (d.carrying || streams_open(&d) == 0) && carry_run(d.carrying);
    /* Our end is that of its memory. */
    if (d.lazy && departure_lazy_end(&d) < 0)
        return 0;
    if (!carried)
        return 0;
    *channel = departure_end(&d);
    bulk_resume(link->ssl);
    return link->uses < USES_MAX;
}
