/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "migrate/arrival_launch.h"
#include "migrate/arrival_register.h"
#include "migrate/arrival_restore.h"
#include "migrate/arrival_vector.h"
#include "migrate/criu.h"

enum { EXEC_SPEC, EXEC_STATUS, EXEC_FIRST_STREAM };     /* descriptors of a P_LAUNCH_EXEC */

int arrival_launch_fail(struct arrival *a, int error, const char *what)
{
    if (!a->text[0])
        snprintf(a->text, sizeof(a->text), "cannot %s process %d: %s", what, a->launch.pid,
                 strerror(-error));
    return error;
}

launch_who arrival_who(const struct arrival *a)
{
    return (launch_who){ .pid = a->launch.pid, .ppid = a->launch.ppid, .puid = a->launch.puid,
                         .pgid = a->launch.pgid, .sid = a->launch.sid };
}

struct image_owner arrival_owner(const struct arrival *a)
{
    return (struct image_owner){ .uid = a->launch.uid, .gid = a->launch.gid,
                                 .groups = a->launch.groups.groups_val,
                                 .ngroups = a->launch.groups.groups_len };
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

/*
 * The far end closes when the program is executed, which wakes us, once, as we wait for that alone.
 * Words come before it: 0 from who has launched it, and when it is not executed its errno. False:
 * it was not launched.
 */
static bool exec_wait(int status, int *failure)
{
    struct pollfd end = { .fd = status };
    int words[2];
    bool launched = false;
    ssize_t n;

    while (poll(&end, 1, -1) < 0)
        continue;
    n = read(status, words, sizeof(words));
    for (int i = 0; i < (int)(n / (ssize_t)sizeof(*words)); i++) {
        launched = launched || words[i] == 0;
        *failure = words[i] > 0 ? -words[i] : *failure;
    }
    return launched;
}

/* That it was launched comes straight from the space, why it was not by way of slaved. */
static int refusal_hear(struct arrival *a)
{
    int error = msg_answer(a->slaved, P_LAUNCH_EXEC, NULL, NULL, 0, a->text, sizeof(a->text));

    return error ? error : -EPROTO;
}

static int exec_call(struct arrival *a, const launch_exec_arg *arg, int *fds, unsigned nfds)
{
    int status[2], error, failure = 0;

    /* No socket: the kernel looks for rings of them whenever one ends while others travel. */
    if (pipe2(status, O_CLOEXEC) < 0)
        return -errno;
    fds[EXEC_STATUS] = status[1];
    error = msg_send(a->slaved, K_CALL, P_LAUNCH_EXEC, ++a->call, 0, FRAME_XDR(launch_exec_arg),
                     arg, fds, nfds);
    close(status[1]);
    if (!error && !exec_wait(status[0], &failure))
        error = refusal_hear(a);
    close(status[0]);
    a->taken = error == -EEXIST;
    if (error || !failure)
        return error;
    snprintf(a->text, sizeof(a->text), "cannot execute the program: %s", strerror(-failure));
    return failure;
}

static bool has_target(const launch_exec_arg *arg, int target)
{
    for (unsigned i = 0; i < arg->targets.targets_len; i++)
        if (arg->targets.targets_val[i] == target)
            return true;
    return false;
}

/* What the program finds closed where it comes from, or cannot be relayed, is empty. */
static int nulls_fill(const struct arrival *a, launch_exec_arg *arg, int *fds, unsigned *nfds)
{
    int index = -1;

    for (int target = STDIN_FILENO; target <= STDERR_FILENO; target++) {
        unsigned count = arg->targets.targets_len;

        if (has_target(arg, target))
            continue;
        if (count == BPROC_MAX_FDS || (index < 0 && *nfds == BPROC_MAX_FDS))
            return -EMFILE;
        if (index < 0) {
            index = (int)(*nfds)++;
            fds[index] = a->setup->null;
        }
        arg->targets.targets_val[count] = target;
        arg->fd_index.fd_index_val[count] = index;
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
                            .uid = a->launch.uid, .gid = a->launch.gid,
                            .least = a->launch.least };
    int targets[BPROC_MAX_FDS], indexes[BPROC_MAX_FDS], fds[BPROC_MAX_FDS];
    unsigned nfds = EXEC_FIRST_STREAM;
    int error;

    if (a->image.spec < 0)
        return -EPROTO;
    arg.groups.groups_len = a->launch.groups.groups_len;
    arg.groups.groups_val = a->launch.groups.groups_val;
    fds[EXEC_SPEC] = a->image.spec;
    error = targets_fill(a, &arg, targets, indexes, fds, &nfds);
    if (!error)
        error = nulls_fill(a, &arg, fds, &nfds);
    if (!error)
        error = program_fill(a, &arg, fds, &nfds);
    if (!error && a->slaved < 0)
        error = arrival_register(a);
    if (!error)
        error = exec_call(a, &arg, fds, nfds);
    if (a->taken) {
        arg.who.second = 1;
        error = exec_call(a, &arg, fds, nfds);
    }
    return error;
}

int arrival_launch(struct arrival *a)
{
    int forks = a->launch.share.how == SHARE_FORK, restored = arrival_is_restored(a);
    int error = forks ? arrival_fork(a) : restored ? arrival_restore(a) : exec_launch(a);

    if (error)
        return arrival_launch_fail(a, error, forks ? "fork" : restored ? "restore" : "start");
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
    criu_image_drop(&a->image.dir);
    imagerecv_forget(&a->image);
    fd_close(&a->image.gate);
    fd_close(&a->gate);
    fd_close(&a->filler);
}
