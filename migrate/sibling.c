/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "migrate/sibling.h"
#include "proto/msg.h"

#define ATTEMPTS 50
#define PATIENCE_SECONDS 20

/* ---- the process in the space ---- */

static int number_set(int last, pid_t pid)
{
    char text[16];
    int len = snprintf(text, sizeof(text), "%d", (int)pid - 1);

    return pwrite(last, text, (size_t)len, 0) < 0 ? -errno : 0;
}

/* The number that the child got, 0 if there is none; -errno. */
static pid_t fork_once(int gate, int last, const struct msg *ask, pid_t pid)
{
    struct frame_bytes body = { .bytes = ask->body, .len = ask->header.body_len };
    struct msg msg;
    status_msg made;
    int error = number_set(last, pid);

    if (!error)
        error = msg_send(gate, K_EVENT, P_GATE_FORK, 0, 0, FRAME_XDR(frame_bytes), &body,
                         ask->fds + 1, ask->header.nfds - 1);
    if (!error)
        error = msg_recv(gate, &msg);
    if (error)
        return error;
    error = msg.header.proc != P_GATE_FORKED ||
                    frame_decode(FRAME_XDR(status_msg), msg.body, msg.header.body_len, &made,
                                 sizeof(made)) < 0
                ? -EPROTO : made.status > 0 ? -made.status : made.pid;
    msg_free(&msg);
    return error;
}

static int fork_try(int gate, int last, const struct msg *ask)
{
    fork_msg body;
    int error = frame_decode(FRAME_XDR(fork_msg), ask->body, ask->header.body_len, &body,
                             sizeof(body));
    pid_t pid = error ? error : body.pid, made = 0;

    if (error)
        return error;
    frame_free(FRAME_XDR(fork_msg), &body, sizeof(body));
    for (int i = 0; i < ATTEMPTS && made >= 0 && made != pid; i++) {
        if (kill(pid, 0) == 0)
            return -EEXIST;
        made = fork_once(gate, last, ask, pid);
    }
    if (made < 0)
        return made;
    return made == pid && kill(pid, 0) == 0 ? 0 : -EEXIST;
}

__attribute__((noreturn))
static void serve(int service, int gate, int last)
{
    struct msg ask;

    prctl(PR_SET_NAME, "bproc-forker");
    while (msg_recv_packet(service, &ask) == 0) {
        status_msg done = { .pid = 0 };

        if (ask.header.proc == P_GATE_FORK && ask.header.nfds > 1) {
            done.status = -fork_try(gate, last, &ask);
            msg_send(ask.fds[0], K_EVENT, P_GATE_FORKED, 0, 0, FRAME_XDR(status_msg), &done, NULL,
                     0);
        }
        msg_free(&ask);
    }
    _exit(0);
}

/* Of the old one it keeps nothing open, least of all its connection. */
__attribute__((noreturn))
static void forker_run(int service, int gate, int last)
{
    int kept[] = { service, gate, last };

    for (int i = 0; i < 3; i++)
        kept[i] = fcntl(kept[i], F_DUPFD_CLOEXEC, 64);
    if (kept[0] < 0 || kept[1] < 0 || kept[2] < 0)
        _exit(1);
    close_range(0, 63, 0);
    for (int i = 0; i < 3; i++)
        kept[i] = dup2(kept[i], i);
    close_range(3, ~0U, 0);
    serve(0, 1, 2);
}

/* Without an exit signal: the space's census takes it for nobody's. */
static pid_t forker_clone(int space, int own, int service, int gate, int last)
{
    pid_t pid;

    if (setns(space, CLONE_NEWPID) < 0)
        return -errno;
    pid = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, 0);
    if (pid == 0)
        forker_run(service, gate, last);
    if (pid < 0)
        pid = -errno;
    if (setns(own, CLONE_NEWPID) < 0)
        _exit(1);
    return pid;
}

int sibling_start(int gate, const char *root, pid_t *pid)
{
    char path[128];
    int pair[2], space, last, own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

    snprintf(path, sizeof(path), "%s/proc/1/ns/pid", root);
    space = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof(path), "%s/proc/sys/kernel/ns_last_pid", root);
    last = open(path, O_RDWR | O_CLOEXEC);
    *pid = own < 0 || space < 0 || last < 0 ||
                   socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0
               ? -errno : forker_clone(space, own, pair[1], gate, last);
    if (own >= 0)
        close(own);
    if (space >= 0)
        close(space);
    if (last >= 0)
        close(last);
    if (*pid < 0)
        return *pid;
    close(pair[1]);
    return pair[0];
}

/* ---- who wants a child ---- */

static int ask_fill(fork_msg *ask, int *fds, unsigned *nfds, const launch_arg *launch,
                    const struct streamends *ends)
{
    unsigned count = 0;

    for (unsigned i = 0; i < ends->count; i++) {
        const stream_desc *stream = &launch->streams.streams_val[i];

        for (unsigned t = 0; t < stream->targets.targets_len; t++) {
            if (count == BPROC_MAX_FDS || *nfds == BPROC_MAX_FDS)
                return -EMFILE;
            ask->targets.targets_val[count] = stream->targets.targets_val[t];
            ask->fd_index.fd_index_val[count++] = (int)*nfds - 1;
        }
        fds[(*nfds)++] = ends->process[i];
    }
    ask->targets.targets_len = ask->fd_index.fd_index_len = count;
    return 0;
}

static int answer_wait(int sock)
{
    struct timeval limit = { .tv_sec = PATIENCE_SECONDS };
    struct msg msg;
    status_msg done;
    int error;

    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    error = msg_recv(sock, &msg);
    if (error)
        return error;
    error = frame_decode(FRAME_XDR(status_msg), msg.body, msg.header.body_len, &done,
                         sizeof(done));
    msg_free(&msg);
    return error ? error : -done.status;
}

int sibling_ask(int service, pid_t pid, int gate, const launch_arg *launch,
                const struct streamends *ends)
{
    int targets[BPROC_MAX_FDS], indexes[BPROC_MAX_FDS], fds[BPROC_MAX_FDS], pair[2];
    fork_msg ask = { .pid = pid, .targets = { 0, targets }, .fd_index = { 0, indexes } };
    unsigned nfds = 2;
    int error;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    fds[0] = pair[1];
    fds[1] = gate;
    error = ask_fill(&ask, fds, &nfds, launch, ends);
    if (!error)
        error = msg_send(service, K_CALL, P_GATE_FORK, 0, 0, FRAME_XDR(fork_msg), &ask, fds, nfds);
    close(pair[1]);
    if (!error)
        error = answer_wait(pair[0]);
    close(pair[0]);
    return error;
}
