/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "common/caller.h"
#include "common/conn.h"
#include "common/log.h"
#include "moves/move.h"
#include "moves/mover.h"
#include "moves/task.h"
#include "slaved/detach.h"
#include "slaved/ghost.h"
#include "slaved/local.h"
#include "slaved/pass.h"
#include "slaved/space.h"
#include "slaved/transfer.h"
#include "slaved/watch.h"

#define CLIENTS_MAX 1024        /* of all users but root, who is always let in */
#define CLIENTS_A_USER 256

struct client {
    LIST_ENTRY(client) next;
    uid_t uid;
};

static LIST_HEAD(, client) clients = LIST_HEAD_INITIALIZER(clients);
static struct log_limit local_limit;

static struct {
    struct event_base *base;
    struct event *accepting, *again;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    int fd, node;
} local = { .fd = -1 };

static void whoami(struct conn *conn, const struct frame_header *header)
{
    whoami_ret ret = { .node = local.node, .release = (char *)(uintptr_t)PACKAGE_VERSION };

    conn_reply(conn, header, FRAME_XDR(whoami_ret), &ret);
}

/* What the master cannot know: whether this node can send an image. */
static void move_ask(struct conn *conn, const struct frame_header *header, const uint8_t *body)
{
    move_ask_ret ret = { .node = local.node, .same = 1 };
    move_ask_arg arg;
    int dumps;

    if (conn_decode(move_ask_arg, header, body, &arg) < 0) {
        conn_close(conn, "call does not decode");
        return;
    }
    ret.flags = arg.flags;
    dumps = arg.kind == MOVE_RFORK || arg.kind == MOVE_MOVE || arg.kind == MOVE_DUMP;
    if (arg.kind >= MOVE_DUMP && mover_criu_missing())
        conn_refuse(conn, header, ENOSYS, "no usable CRIU here: %s", mover_criu_missing());
    else if (arg.node == local.node || arg.node == BPROC_NODE_SELF)
        conn_reply(conn, header, FRAME_XDR(move_ask_ret), &ret);
    else if (dumps && mover_criu_missing())
        conn_refuse(conn, header, ENOSYS, "no usable CRIU here: %s", mover_criu_missing());
    else
        pass_call(conn, header, body);
}

static void move_take(struct conn *conn, const struct frame_header *header, const uint8_t *body,
                      int *fds)
{
    struct caller caller;
    int error = caller_from_conn(conn, &caller);

    if (error) {
        conn_refuse(conn, header, -error, "cannot see who asks: %s", strerror(-error));
        return;
    }
    caller.node = local.node;
    move_handover(conn, &caller, header, body, fds);
    caller_clear(&caller);
}

/*
 * Which child, left elsewhere by a process that arrives, that asks for, or what it has executed:
 * bproc-birth. 0: it has none such, and was told so.
 */
static int child_asked(struct conn *conn, const struct frame_header *header, const uint8_t *body,
                       bool by_birth)
{
    struct caller caller;
    pid_msg ask;
    int error, is_its;

    if (conn_decode(pid_msg, header, body, &ask) < 0) {
        conn_close(conn, "arguments do not decode");
        return 0;
    }
    error = caller_from_conn(conn, &caller);
    is_its = !error && space_of(caller.pid) &&
             transfer_has_child(task_number(by_birth ? task_parent(caller.pid) : caller.pid),
                                ask.pid);
    caller_clear(&caller);
    if (!is_its)
        conn_refuse(conn, header, EPERM, "no such birth");
    return is_its ? ask.pid : 0;
}

static void birth_answer(struct conn *conn, const struct frame_header *header, const uint8_t *body)
{
    ghost_fork_arg birth = { .node = local.node };

    if (child_asked(conn, header, body, true))
        conn_reply(conn, header, FRAME_XDR(ghost_fork_arg), &birth);
}

/* The process that arrives must not be able to kill it before we know it. */
static void await_take(struct conn *conn, const struct frame_header *header, const uint8_t *body)
{
    int pid = child_asked(conn, header, body, false);

    if (pid)
        ghost_await(pid, conn, header);
}

/* What bproc-birth has made connects by itself. */
static void hello_take(struct conn *conn, struct client *client, const struct frame_header *header,
                       const uint8_t *body)
{
    ghost_hello_arg hello;
    pid_t pid;
    uid_t uid;
    gid_t gid;
    int pidfd = -1;

    if (conn_decode(ghost_hello_arg, header, body, &hello) == 0 &&
        conn_peer(conn, &pid, &uid, &gid) == 0 && space_of(pid) &&
        task_runs(pid, "bproc-ghost") && task_number(pid) == hello.pid)
        pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    /* The connection is the ghost's then. */
    if (pidfd >= 0 && ghost_start(hello.pid, pid, conn, pidfd) == 0) {
        LIST_REMOVE(client, next);
        free(client);
        return;
    }
    if (pidfd >= 0)
        close(pidfd);
    conn_close(conn, "no ghost of ours");
}

static void client_message(struct conn *conn, const struct frame_header *header,
                           const uint8_t *body, int *fds, void *arg)
{
    if (header->kind == K_EVENT && header->proc == P_GHOST_HELLO) {
        hello_take(conn, arg, header, body);
        return;
    }
    if (header->kind != K_CALL) {
        conn_close(conn, "not a call");
        return;
    }
    switch (header->proc) {
    case P_WHOAMI:
        whoami(conn, header);
        break;
    case P_MOVE_ASK:
        move_ask(conn, header, body);
        break;
    case P_MOVE_HANDOVER:
        move_take(conn, header, body, fds);
        break;
    case P_GHOST_BIRTH:
        birth_answer(conn, header, body);
        break;
    case P_GHOST_AWAIT:
        await_take(conn, header, body);
        break;
    case P_NOTIFY:
        watch_take(conn, header);
        break;
    case P_DETACH:
        detach_take(conn, header, body);
        break;
    case P_NODE_LIST:
    case P_GROUP_LIST:
    case P_PROC_LIST:
    case P_ACCESS:
    case P_LIB_LIST:
    case P_NODE_ATTR:
    case P_STATS:
    case P_NODE_USAGE:
        pass_call(conn, header, body);
        break;
    default:
        conn_refuse(conn, header, EOPNOTSUPP, "only the master can do this");
    }
}

static void client_closed(struct conn *conn, const char *reason, void *arg)
{
    struct client *client = arg;

    log_debug("local client: %s", reason);
    LIST_REMOVE(client, next);
    free(client);
    watch_drop(conn);
    ghost_waiter_gone(conn);
    move_client_gone(conn);
    pass_client_gone(conn);
}

static const struct conn_ops client_ops = { .on_message = client_message,
                                            .on_close = client_closed };

static void accept_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    event_add(local.accepting, NULL);
}

/* Without a descriptor left the loop would spin on the one that waits. */
static void accept_pause(void)
{
    struct timeval second = { 1, 0 };

    event_del(local.accepting);
    event_add(local.again, &second);
}

static int is_crowded(uid_t uid)
{
    const struct client *client;
    unsigned all = 0, same = 0;

    LIST_FOREACH(client, &clients, next) {
        all++;
        same += client->uid == uid;
    }
    return uid != 0 && (all >= CLIENTS_MAX || same >= CLIENTS_A_USER);
}

/* Takes `fd`. */
static void client_start(int fd)
{
    struct client *client = NULL;
    socklen_t len = sizeof(struct ucred);
    struct ucred cred;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
        log_warn("cannot see whose a connection is");
    else if (is_crowded(cred.uid))
        log_limited(&local_limit, 5, "too many connections: one of uid %u refused", cred.uid);
    else
        client = calloc(1, sizeof(*client));
    if (!client) {
        close(fd);
        return;
    }
    client->uid = cred.uid;
    if (conn_new_local(local.base, fd, &client_ops, client))
        LIST_INSERT_HEAD(&clients, client, next);
    else
        free(client);
}

/* One a turn; what waits longer comes again from the loop. */
static void client_accept(evutil_socket_t fd, short what, void *arg)
{
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)what;
    (void)arg;
    if (client >= 0)
        client_start(client);
    else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        accept_pause();
}

static int somebody_answers(const struct sockaddr_un *addr)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int answers = fd >= 0 && (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 ||
                              errno == EAGAIN);

    if (fd >= 0)
        close(fd);
    return answers;
}

static int socket_listen(const struct sockaddr_un *addr)
{
    int fd, error;

    if (somebody_answers(addr))
        return -EADDRINUSE;
    if (unlink(addr->sun_path) < 0 && errno != ENOENT)
        return -errno;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 &&
        chmod(addr->sun_path, 0666) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    error = -errno;
    close(fd);
    return error;
}

int local_init(struct event_base *base, const char *path, int node)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof(addr.sun_path))
        return -ENAMETOOLONG;
    memcpy(addr.sun_path, path, strlen(path) + 1);
    local.base = base;
    local.node = node;
    local.fd = socket_listen(&addr);
    if (local.fd < 0)
        return local.fd;
    memcpy(local.path, addr.sun_path, sizeof(local.path));
    local.accepting = event_new(base, local.fd, EV_READ | EV_PERSIST, client_accept, NULL);
    local.again = evtimer_new(base, accept_again, NULL);
    return local.accepting && local.again && event_add(local.accepting, NULL) == 0 ? 0 : -ENOMEM;
}

void local_finish(void)
{
    if (local.accepting)
        event_free(local.accepting);
    if (local.again)
        event_free(local.again);
    local.accepting = local.again = NULL;
    if (local.fd >= 0) {
        unlink(local.path);
        close(local.fd);
    }
    local.fd = -1;
}
