/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "common/fd.h"
#include "migrate/criu.h"
#include "migrate/departure_parts.h"
#include "migrate/imagecheck.h"
#include "migrate/imageedit.h"
#include "migrate/mountns.h"

int departure_mounts_enter(struct departure *d)
{
    const char *reference = d->arg.space ? "1" : "self";

    d->own_mounts = mountns_own();
    if (d->own_mounts < 0)
        return departure_fail(d, d->own_mounts, "cannot find our own mounts");
    if (d->arg.space) {
        d->space = mountns_enter_space(d->arg.space, d->text, sizeof(d->text));
        if (d->space < 0)
            return d->space;
    }
    d->mounts = mountns_enter(d->arg.dump_pid, reference, d->text, sizeof(d->text));
    return d->mounts < 0 ? d->mounts : 0;
}

void departure_mounts_leave(struct departure *d)
{
    mountns_leave(d->own_mounts);
    d->own_mounts = -1;
    fd_close(&d->mounts);
    fd_close(&d->space);
}

int departure_worker_start(struct departure *d)
{
    const struct criuworker_target target = { .pid = d->arg.dump_pid, .uid = d->arg.uid,
                                              .gid = d->arg.gid, .mounts = d->mounts,
                                              .pids = d->space };
    int error;

    d->image = criu_image_dir(0);
    if (d->image < 0)
        return departure_fail(d, d->image, "cannot make room in memory for the image: %s",
                              strerror(-d->image));
    error = criuworker_order(d->setup->orders, &target, &d->criu);
    if (!error)
        error = criuworker_give(&d->criu, &d->image, 1);
    return error ? departure_fail(d, error, "cannot start CRIU: %s", strerror(-error)) : 0;
}

int departure_files(struct departure *d)
{
    if (d->maps)
        return files_collect(&d->files, d->arg.dump_pid,
                             d->arg.flags | (d->arg.kind == MOVE_DUMP ? FILES_LASTING : 0),
                             &d->arg.libraries,
                             d->setup->hash_dir, d->text,
                             sizeof(d->text));
    if (d->arg.kind == MOVE_EXECMOVE)
        return files_single(&d->files, d->exe, d->setup->hash_dir, d->text, sizeof(d->text));
    return 0;
}

/* Until then it may hold its connection to the daemon and the originals of its streams. */
int departure_dump_hear(struct departure *d)
{
    struct msg msg;
    int error = msg_recv(d->channel, &msg);

    if (error)
        return departure_fail(d, error, "cannot hear from the daemon: %s", strerror(-error));
    error = msg.header.proc == P_MOVE_DUMP
                ? frame_decode(FRAME_XDR(dump_arg), msg.body, msg.header.body_len, &d->dump,
                               sizeof(d->dump))
                : -EPROTO;
    d->memory_fd = msg_take_fd(&msg, 0);
    msg_free(&msg);
    return error;
}

int departure_dump_start(struct departure *d)
{
    unsigned long gate = d->arg.gate_inode;
    struct criu_dump dump = { .external = &gate, .external_count = 1 };
    int error = departure_dump_hear(d);

    if (error)
        return error;
    dump.pid = d->dump.pid;
    error = criuworker_meet(&d->criu);
    if (error)
        return departure_fail(d, error, "cannot start CRIU: %s", strerror(-error));
    error = criu_dump_start(d->criu.rpc, &dump);
    if (error)
        return departure_fail(d, error, "cannot ask CRIU for a dump: %s", strerror(-error));
    return departure_memory_begin(d);
}

int departure_image_check(const struct departure *d)
{
    struct image_owner owner = { .uid = d->arg.uid, .gid = d->arg.gid,
                                 .groups = d->arg.groups.groups_val,
                                 .ngroups = d->arg.groups.groups_len };

    return imagecheck_owner(d->image, &owner);
}

int departure_dump_finish(struct departure *d)
{
    char reason[BPROC_MAX_TEXT - 128];
    int error = criu_dump_finish(d->criu.rpc, d->image, reason, sizeof(reason));

    /* One that failed has nothing left to do; one that hangs would not end by itself. */
    criuworker_end(&d->criu, error != 0);
    if (error)
        return departure_fail(d, error, "cannot dump process %d: %s", d->arg.pid, reason);
    error = departure_image_check(d);
    if (error == -EPERM)
        return departure_fail(d, error, "cannot send process %d: it has more than the ids and "
                              "rights of uid %u now", d->arg.pid, d->arg.uid);
    if (!error)
        error = imageedit_open_files(d->image);
    if (!error)
        error = imageedit_nameless(d->image, d->arg.pid);
    if (!error && d->dump.pid != d->arg.pid)
        error = imageedit_number(d->image, d->dump.pid, d->arg.pid);
    return error ? departure_fail(d, error, "cannot read the image of process %d: %s", d->arg.pid,
                                  strerror(-error)) : 0;
}
