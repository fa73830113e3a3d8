/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
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
#include "slaved/link.h"
#include "slaved/local.h"
#include "slaved/space.h"
#include "slaved/transfer.h"

#define CLIENTS_MAX 1024        /* of all users but root, who is always let in */
#define CLIENTS_A_USER 256
#define PASS_MAX 128            /* bytes of the arguments of a call that is passed on */

struct client {
    LIST_ENTRY(client) next;
    uid_t uid;
};

static LIST_HEAD(, client) clients = LIST_HEAD_INITIALIZER(clients);

/* A call on its way to the master. */
struct passed {
    LIST_ENTRY(passed) next;
    struct conn *conn;          /* NULL when the client has gone */
    struct frame_header asked;
    uint32_t serial;
};

static LIST_HEAD(, passed) passed_list = LIST_HEAD_INITIALIZER(passed_list);

static struct {
    struct event_base *base;
    struct event *accepting, *again;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    int fd, node;
    uint32_t last_serial;
} local = { .fd = -1 };

/* A client that waits for changes. */
struct watcher {
    LIST_ENTRY(watcher) next;
    struct conn *conn;
};

static LIST_HEAD(, watcher) watchers = LIST_HEAD_INITIALIZER(watchers);

static struct watcher *watcher_find(const struct conn *conn)
{
    struct watcher *watcher;

    LIST_FOREACH(watcher, &watchers, next)
        if (watcher->conn == conn)
            break;
    return watcher;
}

static void watcher_take(struct conn *conn, const struct frame_header *header)
{
    struct watcher *watcher = watcher_find(conn) ? NULL : calloc(1, sizeof(*watcher));

    if (watcher) {
        watcher->conn = conn;
        LIST_INSERT_HEAD(&watchers, watcher, next);
    } else if (!watcher_find(conn)) {
        conn_refuse(conn, header, ENOMEM, "out of memory");
        return;
    }
    /* Without a link it is asked for when there is one. */
    link_event(P_NOTIFY, NULL, NULL);
    conn_reply(conn, header, NULL, NULL);
}

static void watcher_drop(const struct conn *conn)
{
    struct watcher *watcher = watcher_find(conn);

    if (!watcher)
        return;
    LIST_REMOVE(watcher, next);
    free(watcher);
}

void local_changed(void)
{
    struct watcher *watcher;

    LIST_FOREACH(watcher, &watchers, next)
        conn_raw(watcher->conn, "", 1);
}

void local_link_up(void)
{
    if (LIST_EMPTY(&watchers))
        return;
    link_event(P_NOTIFY, NULL, NULL);
    local_changed();
}

static void passed_free(struct passed *passed)
{
    LIST_REMOVE(passed, next);
    free(passed);
}

static int pass_send(struct passed *passed, const struct frame_header *header, const uint8_t *body)
{
    struct caller caller;
    pass_arg arg;
    int error = caller_from_conn(passed->conn, &caller);

    if (error)
        return error;
    arg = (pass_arg){ .uid = caller.uid, .gid = caller.gid, .pid = caller.pid,
                      .groups = { caller.ngroups, caller.groups }, .proc = header->proc,
                      .body = { header->body_len, (char *)(uintptr_t)body } };
    if (caller.ngroups > BPROC_MAX_GROUPS)
        arg.groups.groups_len = BPROC_MAX_GROUPS;
    error = link_call(P_PASS, passed->serial, FRAME_XDR(pass_arg), &arg);
    caller_clear(&caller);
    return error;
}

/* The link is for small messages, and everybody's: no client may fill it. */
static int pass_is_modest(const struct conn *conn, const struct frame_header *header)
{
    const struct passed *passed;

    LIST_FOREACH(passed, &passed_list, next)
        if (passed->conn == conn)
            return 0;
    return header->body_len <= PASS_MAX;
}

static void call_pass(struct conn *conn, const struct frame_header *header, const uint8_t *body)
{
    struct passed *passed;
    int error;

    if (!pass_is_modest(conn, header)) {
        conn_close(conn, "too much is asked at once");
        return;
    }
    passed = calloc(1, sizeof(*passed));
    error = passed ? 0 : -ENOMEM;
    if (passed) {
        passed->conn = conn;
        passed->asked = *header;
        passed->serial = ++local.last_serial;
        LIST_INSERT_HEAD(&passed_list, passed, next);
        error = pass_send(passed, header, body);
    }
    if (!error)
        return;
    if (passed)
        passed_free(passed);
    if (error == -ENOTCONN)
        conn_refuse(conn, header, EBUSY, "this node has no connection to its master");
    else
        conn_refuse(conn, header, error, "cannot ask the master: %s", strerror(-error));
}

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
    if (arg.kind >= MOVE_DUMP && (local.node >= 0 || arg.kind == MOVE_UNDUMP))
        conn_refuse(conn, header, EOPNOTSUPP, "only processes of the master can do this");
    else if (arg.kind == MOVE_DUMP && mover_criu_missing())
        conn_refuse(conn, header, ENOSYS, "no usable CRIU here: %s", mover_criu_missing());
    else if (arg.node == local.node || arg.node == BPROC_NODE_SELF)
        conn_reply(conn, header, FRAME_XDR(move_ask_ret), &ret);
    else if (dumps && mover_criu_missing())
        conn_refuse(conn, header, ENOSYS, "no usable CRIU here: %s", mover_criu_missing());
    else
        call_pass(conn, header, body);
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

/* bproc-birth, run by a process that arrives and has left that child elsewhere. */
static void birth_answer(struct conn *conn, const struct frame_header *header, const uint8_t *body)
{
    ghost_fork_arg birth = { .node = local.node };
    struct caller caller;
    pid_msg ask;

    if (conn_decode(pid_msg, header, body, &ask) < 0) {
        conn_close(conn, "arguments do not decode");
        return;
    }
    if (caller_from_conn(conn, &caller) == 0 && space_of(caller.pid) &&
        transfer_has_child(task_number(task_parent(caller.pid)), ask.pid))
        conn_reply(conn, header, FRAME_XDR(ghost_fork_arg), &birth);
    else
        conn_refuse(conn, header, EPERM, "no such birth");
    caller_clear(&caller);
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
    case P_NOTIFY:
        watcher_take(conn, header);
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
        call_pass(conn, header, body);
        break;
    default:
        conn_refuse(conn, header, EOPNOTSUPP, "only the master can do this as yet");
    }
}

static void client_closed(struct conn *conn, const char *reason, void *arg)
{
    struct client *client = arg;
    struct passed *passed;

    log_debug("local client: %s", reason);
    LIST_REMOVE(client, next);
    free(client);
    watcher_drop(conn);
    move_client_gone(conn);
    LIST_FOREACH(passed, &passed_list, next)
        if (passed->conn == conn)
            passed->conn = NULL;
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

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 && !is_crowded(cred.uid))
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

static struct passed *passed_find(uint32_t serial)
{
    struct passed *passed;

    LIST_FOREACH(passed, &passed_list, next)
        if (passed->serial == serial)
            break;
    return passed;
}

static void answer_give(const struct passed *passed, const struct frame_header *header,
                        const uint8_t *body)
{
    struct frame_bytes bytes = { .bytes = body, .len = header->body_len };
    pass_ret ret;

    if (header->status) {
        conn_send(passed->conn, K_REPLY, passed->asked.proc, passed->asked.serial, header->status,
                  bytes.len ? FRAME_XDR(frame_bytes) : NULL, &bytes, NULL, 0);
        return;
    }
    if (conn_decode(pass_ret, header, body, &ret) < 0) {
        conn_refuse(passed->conn, &passed->asked, EPROTO, "the master's answer does not decode");
        return;
    }
    bytes = (struct frame_bytes){ (const uint8_t *)ret.body.body_val, ret.body.body_len };
    conn_reply(passed->conn, &passed->asked, bytes.len ? FRAME_XDR(frame_bytes) : NULL, &bytes);
    frame_free(FRAME_XDR(pass_ret), &ret, sizeof(ret));
}

void local_passed(const struct frame_header *header, const uint8_t *body)
{
    struct passed *passed = passed_find(header->serial);

    if (!passed)
        return;
    if (passed->conn)
        answer_give(passed, header, body);
    passed_free(passed);
}

void local_link_down(void)
{
    while (!LIST_EMPTY(&passed_list)) {
        struct passed *passed = LIST_FIRST(&passed_list);

        if (passed->conn)
            conn_refuse(passed->conn, &passed->asked, EBUSY, "the master's connection was lost");
        passed_free(passed);
    }
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
