/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/fd.h"
#include "migrate/sibling.h"
#include "migrate/space/procstat.h"
#include "proto/msg.h"

#define ATTEMPTS 50
#define PATIENCE_SECONDS 20

/* ---- the process in the space ---- */

struct forker {
    int service;
    int gate;                           /* of who forks */
    int last;                           /* ns_last_pid */
    int proc;                           /* of the space */
    pid_t head;                         /* who forks */
};

static int number_set(int last, pid_t number)
{
    char text[16];
    int len = snprintf(text, sizeof(text), "%d", (int)number);

    return pwrite(last, text, (size_t)len, 0) < 0 ? -errno : 0;
}

static pid_t number_get(int last)
{
    char text[16] = "";

    return pread(last, text, sizeof(text) - 1, 0) < 0 ? -errno : atoi(text);
}

/* The number that the child got, 0 if there is none; -errno. */
static pid_t fork_ask(int gate, const struct msg *ask)
{
    struct frame_bytes body = { .bytes = ask->body, .len = ask->header.body_len };
    struct msg msg;
    status_msg made;
    int error = msg_send(gate, K_EVENT, P_GATE_FORK, 0, 0, FRAME_XDR(frame_bytes), &body,
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

/* Numbers that the kernel gives to others go on where they were. */
static pid_t fork_once(const struct forker *f, const struct msg *ask, pid_t pid)
{
    pid_t before = number_get(f->last), made;
    int error = before < 0 ? before : number_set(f->last, pid - 1);

    if (error)
        return error;
    made = fork_ask(f->gate, ask);
    number_set(f->last, before);
    return made;
}

/* Not only by its own word: it may name another's process that has just got that number. */
static int is_sibling(const struct forker *f, pid_t pid)
{
    struct procstat head, child;
    uid_t uid, child_uid;
    gid_t gid;

    return procstat_read(f->proc, f->head, &head) == 0 &&
           procstat_read(f->proc, pid, &child) == 0 && child.ppid == head.ppid &&
           procstat_ids(f->proc, f->head, &uid, &gid) == 0 &&
           procstat_ids(f->proc, pid, &child_uid, &gid) == 0 && child_uid == uid;
}

static int fork_try(const struct forker *f, const struct msg *ask)
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
        made = fork_once(f, ask, pid);
    }
    if (made < 0)
        return made;
    return made == pid && is_sibling(f, pid) ? 0 : -EEXIST;
}

__attribute__((noreturn))
static void serve(const struct forker *f)
{
    struct msg ask;

    prctl(PR_SET_NAME, "bproc-forker");
    while (msg_recv_packet(f->service, &ask) == 0) {
        status_msg done = { .pid = 0 };

        if (ask.header.proc == P_GATE_FORK && ask.header.nfds > 1) {
            done.status = -fork_try(f, &ask);
            msg_send(ask.fds[0], K_EVENT, P_GATE_FORKED, 0, 0, FRAME_XDR(status_msg), &done, NULL,
                     0);
        }
        msg_free(&ask);
    }
    _exit(0);
}

/* Of the old one it keeps nothing open, least of all its connection. */
__attribute__((noreturn))
static void forker_run(struct forker f)
{
    int *kept[] = { &f.service, &f.gate, &f.last, &f.proc };

    for (int i = 0; i < 4; i++) {
        *kept[i] = fcntl(*kept[i], F_DUPFD_CLOEXEC, 64);
        if (*kept[i] < 0)
            _exit(1);
    }
    close_range(0, 63, 0);
    for (int i = 0; i < 4; i++)
        *kept[i] = dup2(*kept[i], i);
    close_range(4, ~0U, 0);
    serve(&f);
}

/* Without an exit signal: the space's census takes it for nobody's. */
static pid_t forker_clone(int space, int own, const struct forker *f)
{
    pid_t pid;

    if (setns(space, CLONE_NEWPID) < 0)
        return -errno;
    pid = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, 0);
    if (pid == 0)
        forker_run(*f);
    if (pid < 0)
        pid = -errno;
    if (setns(own, CLONE_NEWPID) < 0)
        _exit(1);
    return pid;
}

static int space_open(const char *root, const char *name, int flags)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/proc/%s", root, name);
    return open(path, flags | O_CLOEXEC);
}

int sibling_start(int gate, pid_t head, const char *root, pid_t *pid)
{
    int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC), pair[2] = { -1, -1 };
    int space = space_open(root, "1/ns/pid", O_RDONLY);
    struct forker f = { .gate = gate, .head = head, .proc = space_open(root, "", O_DIRECTORY),
                        .last = space_open(root, "sys/kernel/ns_last_pid", O_RDWR) };

    *pid = own < 0 || space < 0 || f.last < 0 || f.proc < 0 ||
                   socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0
               ? -errno : 0;
    f.service = pair[1];
    if (*pid == 0)
        *pid = forker_clone(space, own, &f);
    fd_close(&own);
    fd_close(&space);
    fd_close(&f.last);
    fd_close(&f.proc);
    fd_close(&pair[1]);
    if (*pid < 0) {
        fd_close(&pair[0]);
        return *pid;
    }
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
