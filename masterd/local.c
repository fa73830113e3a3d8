/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "common/log.h"
#include "masterd/caller.h"
#include "masterd/birth.h"
#include "masterd/ghost.h"
#include "masterd/local.h"
#include "masterd/master.h"
#include "masterd/nodecalls.h"
#include "masterd/nodeorder.h"
#include "masterd/nodepower.h"
#include "masterd/order.h"
#include "masterd/usage.h"
#include "masterd/watchers.h"
#include "moves/move.h"

#define MAX_A_USER 512
#define MAX_HELD_A_USER 1000     /* descriptors in messages that are not whole yet */

struct user {
    uid_t uid;
    unsigned count, held;
    UT_hash_handle hh;
};

struct client {
    struct conn *conn;
    struct caller caller;
    struct user *user;
};

struct request {
    struct client *client;
    const struct frame_header *header;
    const uint8_t *body;
    int *fds;
};

struct local_call {
    bproc_proc proc;
    bproc_kind kind;
    void (*run)(struct request *request);
};

static struct user *users;
static struct log_limit local_limit;

static struct user *user_enter(uid_t uid)
{
    struct user *user;

    HASH_FIND(hh, users, &uid, sizeof(uid), user);
    if (!user) {
        user = calloc(1, sizeof(*user));
        if (!user)
            return NULL;
        user->uid = uid;
        HASH_ADD(hh, users, uid, sizeof(user->uid), user);
    }
    if (uid != 0 && user->count >= MAX_A_USER)
        return NULL;
    user->count++;
    return user;
}

static void user_leave(struct user *user)
{
    if (!user || --user->count > 0)
        return;
    HASH_DEL(users, user);
    free(user);
}

static void client_free(struct client *client)
{
    conn_set_quota(client->conn, NULL, 0);
    user_leave(client->user);
    caller_clear(&client->caller);
    free(client);
}

static void nodecall_answer(struct request *request)
{
    struct client *client = request->client;
    struct answer answer;
    int error = nodecall_run(&client->caller, request->header->proc, 0, request->body,
                             request->header->body_len, &answer);

    if (error == -EPROTO)
        conn_close(client->conn, "arguments do not decode");
    else if (error)
        conn_refuse(client->conn, request->header, error, "%s", answer.text);
    else if (conn_reply(client->conn, request->header, answer.encode, answer.ret) == -EMSGSIZE)
        conn_refuse(client->conn, request->header, EMSGSIZE, "answer too long");
    answer_free(&answer);
}

static void notify_answer(struct request *request)
{
    if (watchers_add(request->client->conn, 0) < 0)
        conn_refuse(request->client->conn, request->header, ENOMEM, "out of memory");
    else
        conn_reply(request->client->conn, request->header, NULL, NULL);
}

static void usage_answer(struct request *request)
{
    struct conn *conn = request->client->conn;

    if (usage_ask(conn, request->header, request->body, request->header->body_len, 0) < 0)
        conn_close(conn, "arguments do not decode");
}

static void move_handover_answer(struct request *request)
{
    move_handover(request->client->conn, &request->client->caller, request->header, request->body,
                  request->fds);
}

static void power_answer(struct request *request)
{
    nodepower_take(request->client->conn, &request->client->caller, request->header,
                   request->body);
}

static void order_answer(struct request *request)
{
    nodeorder_take(request->client->conn, &request->client->caller, request->header,
                   request->body);
}

static void birth_answer(struct request *request)
{
    struct conn *conn = request->client->conn;
    ghost_fork_arg birth;
    pid_msg ask;

    if (conn_decode(pid_msg, request->header, request->body, &ask) < 0)
        conn_close(conn, "arguments do not decode");
    else if (birth_find(request->client->caller.pid, ask.pid, &birth) < 0)
        conn_refuse(conn, request->header, EPERM, "no such birth");
    else
        conn_reply(conn, request->header, FRAME_XDR(ghost_fork_arg), &birth);
}

static void ghost_answer(struct request *request)
{
    struct client *client = request->client;
    struct conn *conn = client->conn;
    ghost_hello_arg hello;

    if (conn_decode(ghost_hello_arg, request->header, request->body, &hello) < 0) {
        conn_close(conn, "arguments do not decode");
        return;
    }
    /* Nothing may hold on to the connection as a client's: its end will be the ghost's. */
    watchers_remove(conn);
    usage_client_gone(conn);
    move_client_gone(conn);
    orders_client_gone(conn);
    if (ghost_reconnect(conn, &client->caller, &hello) < 0) {
        conn_close(conn, "no ghost of ours");
        return;
    }
    /* The connection is the ghost's now. */
    client_free(client);
}

static const struct local_call local_calls[] = {
    { P_NOTIFY, K_CALL, notify_answer },
    { P_NODE_USAGE, K_CALL, usage_answer },
    { P_MOVE_HANDOVER, K_CALL, move_handover_answer },
    { P_NODE_POWER, K_CALL, power_answer },
    { P_NODE_RECONNECT, K_CALL, order_answer },
    { P_NODE_CHROOT, K_CALL, order_answer },
    { P_CACHE_PURGE, K_CALL, order_answer },
    { P_GHOST_HELLO, K_EVENT, ghost_answer },
    { P_GHOST_BIRTH, K_CALL, birth_answer },
};

static void client_message(struct conn *conn, const struct frame_header *header,
                           const uint8_t *body, int *fds, void *arg)
{
    struct request request = { .client = arg, .header = header, .body = body, .fds = fds };

    for (size_t i = 0; i < sizeof(local_calls) / sizeof(local_calls[0]); i++)
        if (local_calls[i].proc == header->proc && local_calls[i].kind == header->kind) {
            local_calls[i].run(&request);
            return;
        }
    if (header->kind == K_CALL && nodecall_known(header->proc))
        nodecall_answer(&request);
    else
        conn_close(conn, "message has no place here");
}

static void client_closed(struct conn *conn, const char *reason, void *arg)
{
    struct client *client = arg;

    log_debug("client pid %d uid %u: %s", (int)client->caller.pid, (unsigned)client->caller.uid,
              reason);
    watchers_remove(conn);
    usage_client_gone(conn);
    move_client_gone(conn);
    orders_client_gone(conn);
    client_free(client);
}

static const struct conn_ops client_ops = { client_message, client_closed, NULL };

void local_accept(int fd)
{
    struct client *client = calloc(1, sizeof(*client));

    if (!client) {
        close(fd);
        return;
    }
    client->conn = conn_new_local(master.base, fd, &client_ops, client);
    if (!client->conn) {
        free(client);
        return;
    }
    if (caller_from_conn(client->conn, &client->caller) < 0) {
        conn_close(client->conn, "nobody at the other end");
        return;
    }
    client->user = user_enter(client->caller.uid);
    if (!client->user) {
        log_limited(&local_limit, 5, "uid %u has too many connections: refused",
                    (unsigned)client->caller.uid);
        conn_close(client->conn, "too many connections");
    } else if (client->caller.uid != 0) {
        conn_set_quota(client->conn, &client->user->held, MAX_HELD_A_USER);
    }
}
