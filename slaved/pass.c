/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/bproc.h>

#include "common/caller.h"
#include "slaved/link.h"
#include "slaved/pass.h"

#define PASS_MAX 128            /* bytes of the arguments of a call that is passed on */

/* A call on its way to the master. */
struct passed {
    LIST_ENTRY(passed) next;
    struct conn *conn;          /* NULL when the client has gone */
    struct frame_header asked;
    uint32_t serial;
};

static LIST_HEAD(, passed) passed_list = LIST_HEAD_INITIALIZER(passed_list);

static uint32_t last_serial;

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

void pass_call(struct conn *conn, const struct frame_header *header, const uint8_t *body)
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
        passed->serial = ++last_serial;
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

void pass_answered(const struct frame_header *header, const uint8_t *body)
{
    struct passed *passed = passed_find(header->serial);

    if (!passed)
        return;
    if (passed->conn)
        answer_give(passed, header, body);
    passed_free(passed);
}

void pass_link_down(void)
{
    while (!LIST_EMPTY(&passed_list)) {
        struct passed *passed = LIST_FIRST(&passed_list);

        if (passed->conn)
            conn_refuse(passed->conn, &passed->asked, EBUSY, "the master's connection was lost");
        passed_free(passed);
    }
}

void pass_client_gone(const struct conn *conn)
{
    struct passed *passed;

    LIST_FOREACH(passed, &passed_list, next)
        if (passed->conn == conn)
            passed->conn = NULL;
}
