/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "migrate/bulk.h"
#include "migrate/departure_parts.h"
#include "migrate/imagesend.h"
#include "migrate/memorysend.h"

static int launch_put(struct departure *d)
{
    launch_arg launch = { .kind = d->arg.kind, .node = d->arg.to.node, .pid = d->arg.pid,
                          .ppid = d->arg.ppid, .puid = d->arg.puid,
                          .pgid = d->arg.pgid, .sid = d->arg.sid,
                          .uid = d->arg.uid, .gid = d->arg.gid, .least = d->arg.least,
                          .gate_inode = d->arg.gate_inode,
                          .io_direct = d->arg.io_direct,
                          .ping_timeout = d->arg.ping_timeout, .ticket = d->arg.ticket,
                          .serial = d->arg.serial, .share = d->arg.share,
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
    launch.regions.regions_len = d->dump.regions.regions_len;
    launch.regions.regions_val = d->dump.regions.regions_val;
    launch.lazy = d->lazy != NULL;
    if (d->lazy)
        departure_lazy_word(d, launch.share.word);
    return bulk_put(d->link->ssl, P_BULK_LAUNCH, 0, FRAME_XDR(launch_arg), &launch);
}

/* It could not take the process. */
static int failure_take(struct departure *d, const struct bulk_msg *msg)
{
    move_report report;
    int error = frame_decode(FRAME_XDR(move_report), msg->body, msg->header.body_len, &report,
                             sizeof(report));

    if (error)
        return departure_fail(d, error, "node %d answers out of turn", d->arg.to.node);
    d->report.retry = report.retry;
    error = departure_fail(d, report.error > 0 ? -report.error : -EIO, "node %d: %s",
                           d->arg.to.node, report.text);
    frame_free(FRAME_XDR(move_report), &report, sizeof(report));
    return error;
}

int departure_hear_any(struct departure *d, struct bulk_msg *msg)
{
    int error;

    departure_heed(d);
    error = bulk_recv(d->link->ssl, msg);
    /* Not a program: it may have been executed. */
    d->lost = error && d->waited && !d->heard && d->has_image;
    if (error)
        return departure_fail(d, -EIO, "cannot hear from node %d: %s", d->arg.to.node,
                              strerror(-error));
    d->heard = 1;
    if (msg->header.proc != P_BULK_FAILED)
        return 0;
    error = failure_take(d, msg);
    bulk_free(msg);
    return error;
}

int departure_hear(struct departure *d, bproc_proc want, struct bulk_msg *msg)
{
    int error = departure_hear_any(d, msg);

    if (error || msg->header.proc == want)
        return error;
    bulk_free(msg);
    return departure_fail(d, -EPROTO, "node %d answers out of turn", d->arg.to.node);
}

int departure_expect(struct departure *d, bproc_proc want)
{
    struct bulk_msg msg;
    int error = departure_hear(d, want, &msg);

    if (!error)
        bulk_free(&msg);
    return error;
}

/* A node that gave up in the middle has said why before it went. */
static int send_fail(struct departure *d, int error, const char *what)
{
    struct bulk_msg msg;
    int reason = -EIO;

    if (d->text[0])
        return error;
    if (error == -EPIPE || error == -ECONNRESET)
        reason = departure_hear(d, P_BULK_READY, &msg);
    if (!reason)
        bulk_free(&msg);
    else if (reason != -EIO)
        return reason;
    return departure_fail(d, error, "cannot send %s of process %d to node %d: %s", what,
                          d->arg.pid, d->arg.to.node, strerror(-error));
}

static int needed_send(struct departure *d)
{
    struct bulk_msg msg;
    need_msg need;
    int error = bulk_flush(d->link->ssl);

    if (error)
        return send_fail(d, error, "the launch");
    error = departure_hear(d, P_BULK_NEED, &msg);
    if (error)
        return error;
    error = frame_decode(FRAME_XDR(need_msg), msg.body, msg.header.body_len, &need, sizeof(need));
    bulk_free(&msg);
    if (error)
        return departure_fail(d, error, "node %d sends what is no answer", d->arg.to.node);
    for (unsigned i = 0; !error && i < need.files.files_len; i++) {
        unsigned index = need.files.files_val[i];

        if (index >= d->files.count || !d->files.list[index].sent)
            error = -EPROTO;
        else
            error = imagesend_cached(d->link->ssl, &d->files, index);
    }
    frame_free(FRAME_XDR(need_msg), &need, sizeof(need));
    if (!error)
        error = bulk_flush(d->link->ssl);
    return error ? send_fail(d, error, "the files") : 0;
}

static int lack_wait(void *arg, struct bulk_msg *msg)
{
    return departure_hear(arg, P_BULK_LACK, msg);
}

int departure_image_send(struct departure *d, uint64_t *bytes)
{
    const struct pageoffer_answer answer = { lack_wait, d };

    /* Only the master's word for what is in a page is good enough to keep it by. */
    return imagesend_dir(d->link->ssl, d->image, d->arg.space ? NULL : &answer, bytes);
}

static int memory_read(struct departure *d, struct memorysend **memory)
{
    int error;

    *memory = memorysend_new(&d->dump, d->arg.uid, !d->arg.space,
                             d->arg.share.how == SHARE_LEAD);
    if (*memory)
        return 0;
    error = -errno;
    return departure_fail(d, error, "cannot read the memory of process %d: %s", d->arg.pid,
                          strerror(-error));
}

int departure_memory_begin(struct departure *d)
{
    int error;

    if (!d->dump.source || !d->dump.lazy)
        return d->dump.source ? memory_read(d, &d->ahead) : 0;
    error = departure_lazy_start(d);
    return error ? departure_fail(d, error, "cannot send the memory of process %d: %s", d->arg.pid,
                                  strerror(-error)) : 0;
}

static int memory_put(struct departure *d, const struct pageoffer_answer *answer)
{
    struct memorysend *memory = d->ahead;
    /* What was read ahead may have gone with a connection that was lost. */
    int error = memory ? 0 : memory_read(d, &memory);

    d->ahead = NULL;
    if (error)
        return error;
    memorysend_list(memory, d->list);
    error = memorysend_all(memory, d->link->ssl, answer);
    d->report.bytes += memorysend_bytes(memory);
    memorysend_free(memory);
    return error;
}

void departure_memory_end(struct departure *d)
{
    memorysend_free(d->ahead);
    d->ahead = NULL;
}

int departure_contents(struct departure *d)
{
    const struct pageoffer_answer answer = { lack_wait, d };
    uint64_t bytes = 0;
    int error = 0;

    if (d->has_image)
        error = departure_image_send(d, &bytes);
    else if (d->spec >= 0)
        error = imagesend_spec(d->link->ssl, d->spec, &bytes);
    if (!error)
        error = bulk_send(d->link->ssl, P_BULK_END, 0, NULL, NULL);
    d->report.bytes = bytes;
    if (!error && d->dump.source && d->arg.share.how == SHARE_IMAGE)
        error = departure_memory_name(d, &d->report.bytes);
    else if (!error && d->lazy)
        error = departure_lazy_wait(d);
    else if (!error && d->dump.source)
        error = memory_put(d, d->arg.space ? NULL : &answer);
    return error ? send_fail(d, error, "the image") : 0;
}

int departure_launch(struct departure *d)
{
    int error = 0;

    d->waited = nodelink_is_open(d->link, &d->arg.to);
    if (!d->waited) {
        nodelink_close(d->link);
        /* A node that is not there any more keeps us for longer than the daemon waits for it. */
        error = departure_watch(d);
        if (!error)
            error = nodelink_open(d->link, d->setup->ctx, &d->arg.to, d->text, sizeof(d->text));
        departure_lap(d, MT_CONNECT);
    }
    if (!error)
        error = launch_put(d);
    return error || !d->files.count ? error : needed_send(d);
}
