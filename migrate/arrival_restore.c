/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/tls.h"
#include "migrate/arrival_launch.h"
#include "migrate/arrival_restore.h"
#include "migrate/arrival_vector.h"
#include "migrate/criu.h"
#include "migrate/imagebound.h"
#include "migrate/imageedit.h"
#include "migrate/imagegate.h"
#include "migrate/imageguest.h"
#include "migrate/imagepin.h"
#include "migrate/imagerestrain.h"

int arrival_is_restored(const struct arrival *a)
{
    return a->launch.share.how != SHARE_FORK &&
           (a->launch.kind == MOVE_RFORK || a->launch.kind == MOVE_MOVE);
}

/* What CRIU finds open: the image, then what it is told of by a name. */
struct inherit {
    struct criu_inherit *list;
    int *fds;                           /* borrowed; one more than in the list */
    unsigned count;
};

__attribute__((format(printf, 3, 4)))
static void inherit_add(struct inherit *inherit, int fd, const char *fmt, ...)
{
    struct criu_inherit *entry = &inherit->list[inherit->count];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(entry->key, sizeof(entry->key), fmt, ap);
    va_end(ap);
    entry->fd = CRIU_FD_FIRST + (int)inherit->count;
    inherit->fds[1 + inherit->count++] = fd;
}

static void inherit_free(struct inherit *inherit)
{
    free(inherit->list);
    free(inherit->fds);
}

/* The gate, the streams, the files that came along, those that were opened for it. */
static int inherit_fill(struct arrival *a, int gate, struct inherit *inherit)
{
    unsigned most = 1 + a->ends.count + a->files.count + a->opened.count;
    char key[40];

    *inherit = (struct inherit){ calloc(most, sizeof(*inherit->list)),
                                 calloc(1 + most, sizeof(*inherit->fds)), 0 };
    if (!inherit->list || !inherit->fds)
        return -ENOMEM;
    inherit->fds[0] = a->image.dir;
    inherit_add(inherit, gate, "socket:[%llu]", (unsigned long long)a->launch.gate_inode);
    for (unsigned i = 0; i < a->ends.count; i++)
        inherit_add(inherit, a->ends.process[i], "socket:[%llu]",
                    (unsigned long long)a->launch.streams.streams_val[i].inode);
    for (unsigned i = 0; i < a->files.count; i++)
        if (a->files.fds[i] >= 0)
            inherit_add(inherit, a->files.fds[i], "%s", a->files.list[i].path + 1);
    for (unsigned i = 0; i < a->opened.count; i++) {
        if (a->opened.list[i].fd < 0)
            continue;
        imagepin_key(&a->opened.list[i], key, sizeof(key));
        inherit_add(inherit, a->opened.list[i].fd, "%s", key);
    }
    return 0;
}

static int criu_call(struct arrival *a, const launch_criu_arg *arg, int handoff, launched_ret *ret)
{
    int error = msg_call(a->slaved, P_LAUNCH_CRIU, FRAME_XDR(launch_criu_arg), arg, &handoff, 1,
                         FRAME_XDR(launched_ret), ret, sizeof(*ret), a->text, sizeof(a->text));

    a->taken = error == -EEXIST;
    return error;
}

int arrival_prepare(struct arrival *a)
{
    launch_criu_arg arg = { .who = arrival_who(a),
                            .criu = (char *)(uintptr_t)a->setup->criu };
    launched_ret ret;
    int handoff[2], error;

    if (!arrival_is_restored(a))
        return 0;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, handoff) < 0)
        return arrival_launch_fail(a, -errno, "restore");
    a->criu.handoff = handoff[0];
    error = criu_call(a, &arg, handoff[1], &ret);
    if (a->taken) {
        arg.who.second = 1;
        error = criu_call(a, &arg, handoff[1], &ret);
    }
    close(handoff[1]);
    if (error)
        return arrival_launch_fail(a, error, "restore");
    a->session = ret.sid;
    return 0;
}

/* CRIU gets all that it is to find open, but for the content of the image, and its request. */
static int restore_start(struct arrival *a)
{
    struct inherit inherit = { NULL, NULL, 0 };
    int gate[2], error;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate) < 0)
        return -errno;
    a->gate = gate[0];
    error = inherit_fill(a, gate[1], &inherit);
    if (!error)
        error = criuworker_give(&a->criu, inherit.fds, 1 + inherit.count);
    if (!error)
        error = criuworker_meet(&a->criu);
    if (!error)
        error = criu_restore_start(a->criu.rpc, inherit.list, inherit.count);
    inherit_free(&inherit);
    close(gate[1]);
    return error;
}

/* What a node has sent is looked at before CRIU hears of it; what is missing is not open yet. */
int arrival_restore_ahead(struct arrival *a)
{
    int error;

    if (!arrival_is_restored(a) || a->peer != TLS_NODE_MASTER || a->files.need_count > 0)
        return 0;
    a->image.dir = criu_image_dir(0);
    error = a->image.dir;
    if (error >= 0)
        error = a->image.gate = imagegate_make(a->image.dir);
    if (error >= 0)
        error = restore_start(a);
    return error ? arrival_launch_fail(a, error, "restore") : 0;
}

/*
 * A file without a name gets its old one for a moment, which is that of all who have it open: CRIU
 * finds a way round one other, not round two. A descriptor to be closed after the restore; -1: no
 * need to wait.
 */
static int nameless_lock(const struct arrival *a)
{
    if (faccessat(a->image.dir, "remap-fpath.img", F_OK, 0) < 0)
        return -1;
    return filecache_lock(&a->setup->cache);
}

static int restore_finish(struct arrival *a)
{
    char reason[BPROC_MAX_TEXT - 128];
    pid_t pid = 0;
    int lock = nameless_lock(a);
    int error = a->image.gate < 0 ? restore_start(a) : imagegate_open(a->image.dir, a->image.gate);

    if (!error) {
        error = criu_restore_finish(a->criu.rpc, a->image.dir, &pid, reason, sizeof(reason));
        a->taken = error == -EEXIST;
        if (error)
            snprintf(a->text, sizeof(a->text), "cannot restore process %d: %s", a->launch.pid,
                     reason);
    }
    fd_close(&lock);
    criuworker_end(&a->criu, error != 0);
    return error;
}

/* The master has seen to that himself; what a node sends may say anything. */
static int image_check(struct arrival *a)
{
    struct image_owner owner = arrival_owner(a);
    struct image_guest guest = { .owner = owner, .pid = a->launch.pid, .root = a->setup->root,
                                 .sent = &a->files };
    char what[BPROC_MAX_TEXT - 128];
    int error;

    if (a->peer == TLS_NODE_MASTER)
        return 0;
    snprintf(what, sizeof(what), "is not that of a process of uid %u", a->launch.uid);
    error = imagecheck_owner(a->image.dir, &owner);
    if (!error) {
        snprintf(what, sizeof(what), "cannot be read");
        error = imageguest_check(a->image.dir, &guest, &a->opened, what, sizeof(what));
    }
    if (!error) {
        snprintf(what, sizeof(what), "cannot be changed");
        error = imagerestrain_set(a->image.dir, &a->launch.least);
    }
    if (!error && owner.uid != 0)
        error = imagebound_set(a->image.dir, a->launch.pid, &a->bounds);
    if (error)
        snprintf(a->text, sizeof(a->text), "cannot take process %d: its image, from node %d, %s",
                 a->launch.pid, tls_node_number(a->peer), what);
    return error;
}

int arrival_restore(struct arrival *a)
{
    int error = a->image.dir < 0 ? -EPROTO : arrival_renumber(a);

    if (!error)
        error = image_check(a);
    if (!error)
        error = imageedit_session(a->image.dir, a->session);
    if (!error)
        error = restore_finish(a);
    return error ? error : arrival_settle(a);
}
