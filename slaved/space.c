/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/conn.h"
#include "slaved/child.h"
#include "slaved/space.h"

#define ARGS_MAX 40

static struct {
    struct conn *conn;
    pid_t pid;
    const struct space_ops *ops;
    void (*on_stopped)(const char *words);
} space;

static void status_take(struct conn *conn, const struct frame_header *header, const uint8_t *body)
{
    status_msg status;

    if (conn_decode(status_msg, header, body, &status) < 0) {
        conn_close(conn, "status does not decode");
        return;
    }
    space.ops->on_status(header->proc, status.pid, status.status);
}

static void born_take(struct conn *conn, const struct frame_header *header, const uint8_t *body)
{
    born_msg born;

    if (conn_decode(born_msg, header, body, &born) < 0) {
        conn_close(conn, "new process does not decode");
        return;
    }
    space.ops->on_born(&born);
    frame_free(FRAME_XDR(born_msg), &born, sizeof(born));
}

static void group_take(struct conn *conn, const struct frame_header *header, const uint8_t *body)
{
    group_msg group;

    if (conn_decode(group_msg, header, body, &group) < 0)
        conn_close(conn, "process group does not decode");
    else
        space.ops->on_group(&group);
}

static void space_message(struct conn *conn, const struct frame_header *header,
                          const uint8_t *body, int *fds, void *arg)
{
    (void)arg;
    switch (header->proc) {
    case P_PING:
        space.ops->on_ready();
        break;
    case P_SPACE_ROOT:
        space.ops->on_root(header, body, fds);
        break;
    case P_LAUNCH_EXEC:
    case P_LAUNCH_CRIU:
        space.ops->on_launched(header->serial, header, body);
        break;
    case P_SPACE_EXITED:
    case P_SPACE_STOPPED:
    case P_SPACE_CONTINUED:
        status_take(conn, header, body);
        break;
    case P_SPACE_BORN:
        born_take(conn, header, body);
        break;
    case P_SPACE_GROUP:
        group_take(conn, header, body);
        break;
    default:
        conn_close(conn, "message out of place");
    }
}

/* The end of the process itself tells the rest. */
static void space_closed(struct conn *conn, const char *reason, void *arg)
{
    (void)conn;
    (void)reason;
    (void)arg;
    space.conn = NULL;
}

static const struct conn_ops space_conn_ops = { .on_message = space_message,
                                                .on_close = space_closed };

static void space_ended(const char *words)
{
    space.pid = 0;
    conn_close(space.conn, "the space has ended");
    if (space.on_stopped)
        space.on_stopped(words);
    else
        space.ops->on_end(words);
}

static void arguments_make(char **argv, const char *root, const char *over,
                           const char *const *binds)
{
    unsigned count = 0;

    argv[count++] = (char *)(uintptr_t)"bproc-space";
    if (root) {
        argv[count++] = (char *)(uintptr_t)"--root";
        argv[count++] = (char *)(uintptr_t)root;
    }
    if (over) {
        argv[count++] = (char *)(uintptr_t)"--home";
        argv[count++] = (char *)(uintptr_t)over;
    }
    for (; *binds && count + 3 < ARGS_MAX; binds++) {
        argv[count++] = (char *)(uintptr_t)"--bind";
        argv[count++] = (char *)(uintptr_t)*binds;
    }
    argv[count] = NULL;
}

int space_start(struct event_base *base, const char *root, const char *over,
                const char *const *binds, const struct space_ops *ops)
{
    char *argv[ARGS_MAX];
    int ends[2];
    pid_t pid;

    space.ops = ops;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    arguments_make(argv, root, over, binds);
    pid = child_start("bproc-space", argv, &ends[1], 1, CLONE_NEWPID | CLONE_NEWNS, space_ended);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return pid;
    }
    space.pid = pid;
    space.conn = conn_new_local(base, ends[0], &space_conn_ops, NULL);
    return space.conn ? 0 : -ENOMEM;
}

int space_launch(uint32_t serial, const struct frame_header *header, const uint8_t *body,
                 const int *fds)
{
    struct frame_bytes bytes = { .bytes = body, .len = header->body_len };

    return conn_send(space.conn, K_CALL, header->proc, serial, 0, FRAME_XDR(frame_bytes), &bytes,
                     fds, header->nfds);
}

void space_signal(const signal_msg *signal)
{
    conn_event(space.conn, P_SPACE_SIGNAL, FRAME_XDR(signal_msg), signal);
}

void space_kill(pid_t pid)
{
    signal_msg signal = { .pid = pid, .signo = SIGKILL, .code = SI_USER };

    space_signal(&signal);
}

void space_orphan(pid_t ppid)
{
    pid_msg body = { .pid = ppid };

    conn_event(space.conn, P_SPACE_ORPHAN, FRAME_XDR(pid_msg), &body);
}

void space_numbers(const numbers_msg *numbers)
{
    conn_event(space.conn, P_SPACE_NUMBERS, FRAME_XDR(numbers_msg), numbers);
}

int space_root(const char *path, int node_ns)
{
    root_arg arg = { .path = (char *)(uintptr_t)path };

    return conn_send(space.conn, K_CALL, P_SPACE_ROOT, 0, 0, FRAME_XDR(root_arg), &arg, &node_ns,
                     1);
}

pid_t space_pid(void)
{
    return space.pid;
}

static int namespace_look(pid_t pid, struct stat *st)
{
    char path[40];

    snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
    return stat(path, st);
}

int space_has(pid_t pid)
{
    struct stat its, ours;

    return space.pid && namespace_look(pid, &its) == 0 && namespace_look(space.pid, &ours) == 0 &&
           its.st_dev == ours.st_dev && its.st_ino == ours.st_ino;
}

void space_stop(void (*on_stopped)(const char *words))
{
    space.on_stopped = on_stopped;
    if (space.pid == 0)
        on_stopped("it was not running");
    else
        conn_close(space.conn, "stopped");
}
