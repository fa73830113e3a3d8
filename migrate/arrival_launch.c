/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/tls.h"
#include "migrate/arrival_launch.h"
#include "migrate/arrival_register.h"
#include "migrate/arrival_vector.h"
#include "migrate/criu.h"
#include "migrate/imagebound.h"
#include "migrate/imagecheck.h"
#include "migrate/imageedit.h"
#include "migrate/imageguest.h"
#include "migrate/imagepin.h"

#define EXEC_FIRST_STREAM 2         /* after the spec and the status socket */

static int is_restored(const struct arrival *a)
{
    return a->launch.share.how != SHARE_FORK &&
           (a->launch.kind == MOVE_RFORK || a->launch.kind == MOVE_MOVE);
}

static int launch_fail(struct arrival *a, int error, const char *what)
{
    if (!a->text[0])
        snprintf(a->text, sizeof(a->text), "cannot %s process %d: %s", what, a->launch.pid,
                 strerror(-error));
    return error;
}

static int launch_call(struct arrival *a, bproc_proc proc, xdrproc_t encode, const void *arg,
                       const int *fds, unsigned nfds, launched_ret *ret)
{
    int error = msg_call(a->slaved, proc, encode, arg, fds, nfds, FRAME_XDR(launched_ret), ret,
                         sizeof(*ret), a->text, sizeof(a->text));

    a->taken = error == -EEXIST;
    return error;
}

/*
 * What a number is taken by may be there for long: a process that stands for another, a group, a
 * session. There is a second space for that; `second` is the place in *arg that asks for it.
 */
static int launch_anywhere(struct arrival *a, bproc_proc proc, xdrproc_t encode, const void *arg,
                           int *second, const int *fds, unsigned nfds, launched_ret *ret)
{
    int error = launch_call(a, proc, encode, arg, fds, nfds, ret);

    if (error != -EEXIST)
        return error;
    a->text[0] = '\0';
    *second = 1;
    return launch_call(a, proc, encode, arg, fds, nfds, ret);
}

launch_who arrival_who(const struct arrival *a)
{
    return (launch_who){ .pid = a->launch.pid, .ppid = a->launch.ppid, .puid = a->launch.puid,
                         .pgid = a->launch.pgid, .sid = a->launch.sid };
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

int arrival_prepare(struct arrival *a)
{
    launch_criu_arg arg = { .who = arrival_who(a),
                            .criu = (char *)(uintptr_t)a->setup->criu };
    launched_ret ret;
    int handoff[2], error;

    if (!is_restored(a))
        return 0;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, handoff) < 0)
        return launch_fail(a, -errno, "restore");
    a->criu.handoff = handoff[0];
    error = launch_anywhere(a, P_LAUNCH_CRIU, FRAME_XDR(launch_criu_arg), &arg, &arg.who.second,
                            &handoff[1], 1, &ret);
    close(handoff[1]);
    if (error)
        return launch_fail(a, error, "restore");
    a->session = ret.sid;
    return 0;
}

/* 0 when CRIU has all that it is to have. */
static int worker_fill(struct arrival *a, const struct inherit *inherit)
{
    int error = imageedit_session(a->image.dir, a->session);

    if (!error)
        error = criuworker_give(&a->criu, inherit->fds, 1 + inherit->count);
    return error ? error : criuworker_meet(&a->criu);
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

static int restore(struct arrival *a, int gate)
{
    char reason[BPROC_MAX_TEXT - 128];
    struct inherit inherit;
    pid_t pid = 0;
    int error = inherit_fill(a, gate, &inherit);

    if (!error)
        error = worker_fill(a, &inherit);
    if (!error) {
        int lock = nameless_lock(a);

        error = criu_restore(a->criu.rpc, a->image.dir, inherit.list, inherit.count, &pid, reason,
                             sizeof(reason));
        fd_close(&lock);
        a->taken = error == -EEXIST;
        if (error)
            snprintf(a->text, sizeof(a->text), "cannot restore process %d: %s", a->launch.pid,
                     reason);
    }
    criuworker_end(&a->criu, error != 0);
    inherit_free(&inherit);
    return error;
}

struct image_owner arrival_owner(const struct arrival *a)
{
    return (struct image_owner){ .uid = a->launch.uid, .gid = a->launch.gid,
                                 .groups = a->launch.groups.groups_val,
                                 .ngroups = a->launch.groups.groups_len };
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
    if (!error && owner.uid != 0) {
        snprintf(what, sizeof(what), "cannot be changed");
        error = imagebound_set(a->image.dir, a->launch.pid, &a->bounds);
    }
    if (error)
        snprintf(a->text, sizeof(a->text), "cannot take process %d: its image, from node %d, %s",
                 a->launch.pid, tls_node_number(a->peer), what);
    return error;
}

static int restore_launch(struct arrival *a)
{
    int gate[2];
    int error;

    if (a->image.dir < 0)
        return -EPROTO;
    error = arrival_renumber(a);
    if (!error)
        error = image_check(a);
    if (error)
        return error;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate) < 0)
        return -errno;
    a->gate = gate[0];
    error = restore(a, gate[1]);
    close(gate[1]);
    return error ? error : arrival_settle(a);
}

static int targets_fill(struct arrival *a, launch_exec_arg *arg, int *targets, int *indexes,
                        int *fds, unsigned *nfds)
{
    unsigned count = 0;

    for (unsigned i = 0; i < a->ends.count; i++) {
        const stream_desc *stream = &a->launch.streams.streams_val[i];

        for (unsigned t = 0; t < stream->targets.targets_len; t++) {
            if (count == BPROC_MAX_FDS || *nfds == BPROC_MAX_FDS)
                return -EMFILE;
            targets[count] = stream->targets.targets_val[t];
            indexes[count++] = (int)*nfds;
        }
        fds[(*nfds)++] = a->ends.process[i];
    }
    arg->targets.targets_len = arg->fd_index.fd_index_len = count;
    arg->targets.targets_val = targets;
    arg->fd_index.fd_index_val = indexes;
    return 0;
}

/* The far end closes when the program is executed; an errno comes before that when it is not. */
static int exec_wait(struct arrival *a, int status)
{
    int error = 0;

    if (recv(status, &error, sizeof(error), 0) != sizeof(error) || error <= 0)
        return 0;
    snprintf(a->text, sizeof(a->text), "cannot execute the program: %s", strerror(error));
    return -error;
}

static bool has_target(const launch_exec_arg *arg, int target)
{
    for (unsigned i = 0; i < arg->targets.targets_len; i++)
        if (arg->targets.targets_val[i] == target)
            return true;
    return false;
}

/*
 * What the program finds closed where it comes from, or cannot be relayed, is empty. *null is to be
 * closed after the launch if it is not -1.
 */
static int nulls_fill(launch_exec_arg *arg, int *fds, unsigned *nfds, int *null)
{
    *null = -1;
    for (int target = STDIN_FILENO; target <= STDERR_FILENO; target++) {
        unsigned count = arg->targets.targets_len;

        if (has_target(arg, target))
            continue;
        if (count == BPROC_MAX_FDS || (*null < 0 && *nfds == BPROC_MAX_FDS))
            return -EMFILE;
        if (*null < 0) {
            *null = open("/dev/null", O_RDWR | O_CLOEXEC);
            if (*null < 0)
                return -errno;
            fds[(*nfds)++] = *null;
        }
        arg->targets.targets_val[count] = target;
        arg->fd_index.fd_index_val[count] = (int)*nfds - 1;
        arg->targets.targets_len = arg->fd_index.fd_index_len = count + 1;
    }
    return 0;
}

/* For an execmove the program is the file in the cache, whatever its name was at home. */
static int program_fill(struct arrival *a, launch_exec_arg *arg, int *fds, unsigned *nfds)
{
    if (a->launch.kind != MOVE_EXECMOVE)
        return 0;
    if (a->files.count != 1 || a->files.fds[0] < 0 || *nfds == BPROC_MAX_FDS)
        return -EPROTO;
    arg->exe_index = (int)*nfds;
    fds[(*nfds)++] = a->files.fds[0];
    return 0;
}

static int exec_launch(struct arrival *a)
{
    launch_exec_arg arg = { .who = arrival_who(a),
                            .uid = a->launch.uid, .gid = a->launch.gid };
    int targets[BPROC_MAX_FDS], indexes[BPROC_MAX_FDS], fds[BPROC_MAX_FDS], status[2];
    launched_ret ret;
    unsigned nfds = EXEC_FIRST_STREAM;
    int null = -1, error;

    if (a->image.spec < 0)
        return -EPROTO;
    arg.groups.groups_len = a->launch.groups.groups_len;
    arg.groups.groups_val = a->launch.groups.groups_val;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, status) < 0)
        return -errno;
    fds[0] = a->image.spec;
    fds[1] = status[1];
    error = targets_fill(a, &arg, targets, indexes, fds, &nfds);
    if (!error)
        error = nulls_fill(&arg, fds, &nfds, &null);
    if (!error)
        error = program_fill(a, &arg, fds, &nfds);
    if (!error && a->slaved < 0)
        error = arrival_register(a);
    if (!error)
        error = launch_anywhere(a, P_LAUNCH_EXEC, FRAME_XDR(launch_exec_arg), &arg, &arg.who.second,
                                fds, nfds, &ret);
    close(status[1]);
    fd_close(&null);
    streamends_release_process(&a->ends);
    if (!error)
        error = exec_wait(a, status[0]);
    close(status[0]);
    return error;
}

int arrival_launch(struct arrival *a)
{
    int forks = a->launch.share.how == SHARE_FORK;
    int error = forks ? arrival_fork(a) : is_restored(a) ? restore_launch(a) : exec_launch(a);

    if (error)
        return launch_fail(a, error, forks ? "fork" : is_restored(a) ? "restore" : "start");
    streamends_release_process(&a->ends);
    return 0;
}

void arrival_release(struct arrival *a)
{
    criuworker_end(&a->criu, 0);
    nodefiles_free(&a->files);
    imagekinds_free(&a->opened);
    free(a->bounds.limits.limits_val);
    a->bounds = (process_bounds){ .limits = { 0, NULL } };
    if (a->image.dir >= 0)
        close(a->image.dir);
    if (a->image.spec >= 0)
        close(a->image.spec);
    if (a->gate >= 0)
        close(a->gate);
    fd_close(&a->filler);
    a->image.dir = a->image.spec = a->gate = -1;
}
