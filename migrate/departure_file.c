/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "common/fd.h"
#include "migrate/criu.h"
#include "migrate/departure_parts.h"
#include "migrate/dumpfile.h"
#include "migrate/imageedit.h"
#include "migrate/imagerestrain.h"

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

int departure_file_write(struct departure *d)
{
    dump_stream streams[3];
    dump_head head;
    int error = departure_mounts_enter(d);

    if (!error)
        error = departure_worker_start(d);
    if (!error)
        error = departure_files(d);
    if (!error)
        error = departure_dump_start(d);
    if (!error)
        error = departure_dump_finish(d);
    departure_lap(d, MT_DUMP);
    if (error)
        return error;
    error = head_fill(d, &head, streams);
    if (!error)
        error = dumpfile_write(d->spec, d->setup->ctx, &head, &d->files, d->image,
                               &d->report.bytes);
    departure_mounts_leave(d);
    departure_lap(d, MT_SEND);
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

int departure_file_read(struct departure *d)
{
    dump_head head;
    int error;

    d->image = criu_image_dir(0);
    if (d->image < 0)
        return departure_fail(d, d->image, "cannot make room in memory for the image: %s",
                              strerror(-d->image));
    error = dumpfile_read(d->spec, d->setup->ctx, &head, &d->files, d->image);
    fd_close(&d->spec);
    if (error)
        return departure_fail(d, error == -EPROTO ? -ENOEXEC : error, "cannot use the image: %s",
                              error == -EPROTO    ? "it is none of this release"
                              : error == -EBADMSG ? "it was changed, or not made here"
                                                  : strerror(-error));
    error = head_check(d, &head);
    if (!error && departure_image_check(d) < 0)
        error = departure_fail(d, -EPERM, "cannot use the image: it has other rights");
    if (!error)
        error = imagerestrain_set(d->image, &d->arg.least);
    if (!error)
        error = imageedit_number(d->image, head.pid, d->arg.pid);
    if (!error)
        error = imageedit_session(d->image, d->arg.sid);
    if (!error)
        streams_match(d, &head);
    frame_free(FRAME_XDR(dump_head), &head, sizeof(head));
    return error;
}
