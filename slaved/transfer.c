/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "common/conn.h"
#include "common/fault.h"
#include "common/log.h"
#include "slaved/ghost.h"
#include "slaved/proctable.h"
#include "slaved/seconds.h"
#include "slaved/shares.h"
#include "slaved/space.h"
#include "slaved/tickets.h"
#include "slaved/transfer.h"

struct transfer {
    LIST_ENTRY(transfer) next;
    struct conn *conn;          /* NULL when closed; then it is there for the channel alone */
    struct conn *channel;       /* to the carrier that carries on from here; NULL */
    pid_t pid;
    int drained;                /* nobody at the socket cares for this one any more */
    children_msg children;      /* which the process left elsewhere, until it counts here */
    uint32_t serial;            /* of the launch at the space; 0 when none is under way */
    struct frame_header asked;  /* the receiver's call that is to be answered */
};

static LIST_HEAD(, transfer) transfers = LIST_HEAD_INITIALIZER(transfers);
static const char *missing;
static uint32_t last_serial;

void transfer_init(const char *criu_missing)
{
    missing = criu_missing;
}

static void transfer_free(struct transfer *transfer)
{
    LIST_REMOVE(transfer, next);
    frame_free(FRAME_XDR(children_msg), &transfer->children, sizeof(transfer->children));
    free(transfer);
}

/* ---- children of a process that moves here ---- */

static void children_take(struct transfer *transfer, const struct frame_header *header,
                          const uint8_t *body)
{
    const child_list *list = &transfer->children.children;

    if (list->child_list_val || conn_decode(children_msg, header, body, &transfer->children) < 0) {
        conn_close(transfer->conn, "children do not decode");
        return;
    }
    for (unsigned i = 0; i < list->child_list_len; i++)
        ghost_expect(list->child_list_val[i]);
}

/* `undo`: the process is not to be, nor are they. */
static void children_settle(struct transfer *transfer, int undo)
{
    const child_list *list = &transfer->children.children;

    for (unsigned i = 0; undo && i < list->child_list_len; i++) {
        ghost_forget(list->child_list_val[i]);
        ghost_dismiss(list->child_list_val[i]);
    }
    frame_free(FRAME_XDR(children_msg), &transfer->children, sizeof(transfer->children));
    memset(&transfer->children, 0, sizeof(transfer->children));
}

int transfer_has_child(pid_t pid, int child)
{
    struct transfer *transfer;

    LIST_FOREACH(transfer, &transfers, next) {
        const child_list *list = &transfer->children.children;

        for (unsigned i = 0; transfer->pid == pid && i < list->child_list_len; i++)
            if (list->child_list_val[i] == child)
                return 1;
    }
    return 0;
}

/* ---- the process has gone on ---- */

static void drained_tell(struct transfer *transfer)
{
    launch_id body = { .pid = transfer->pid };

    conn_event(transfer->channel, P_DRAINED, FRAME_XDR(launch_id), &body);
}

static void channel_message(struct conn *conn, const struct frame_header *header,
                            const uint8_t *body, int *fds, void *arg)
{
    struct transfer *transfer = arg;

    (void)body;
    (void)fds;
    if (header->proc != P_DRAIN)
        conn_close(conn, "message out of place");
    else if (transfer->conn && !transfer->drained)
        transfer_drain(transfer);
    else
        drained_tell(transfer);
}

/* Its streams have ended there; ours end by that. */
static void channel_closed(struct conn *conn, const char *reason, void *arg)
{
    struct transfer *transfer = arg;

    (void)conn;
    (void)reason;
    transfer->channel = NULL;
    if (transfer->conn)
        transfer_drain(transfer);
    else
        transfer_free(transfer);
}

static const struct conn_ops channel_ops = { .on_message = channel_message,
                                             .on_close = channel_closed };

void transfer_continue(struct transfer *transfer, struct conn *channel)
{
    transfer->channel = channel;
    conn_set_ops(channel, &channel_ops, transfer);
}

/* ---- one transfer after the other ---- */

static struct transfer *transfer_make(pid_t pid)
{
    struct transfer *transfer = calloc(1, sizeof(*transfer));

    if (!transfer)
        return NULL;
    transfer->pid = pid;
    LIST_INSERT_HEAD(&transfers, transfer, next);
    return transfer;
}

/* Its socket has ended, or is another one's. */
static void transfer_end(struct transfer *transfer)
{
    ticket_forget(transfer->conn);
    shares_forget(transfer->conn);
    children_settle(transfer, 1);
    transfer->conn = NULL;
    if (transfer->channel)
        drained_tell(transfer);
    proc_abandon(transfer->pid, transfer);
    if (!transfer->channel)
        transfer_free(transfer);
}

/* The old one when memory has run out. */
static struct transfer *transfer_follow(struct transfer *last, pid_t pid)
{
    struct transfer *transfer = transfer_make(pid);

    if (!transfer)
        return last;
    transfer->conn = last->conn;
    conn_set_arg(transfer->conn, transfer);
    transfer_end(last);
    return transfer;
}

/* ---- what the receiver says ---- */

static int launch_is_sound(const struct frame_header *header, const uint8_t *body,
                           launch_who *who)
{
    return header->kind == K_CALL && frame_decode_head(FRAME_XDR(launch_who), body,
                                                       header->body_len, who, sizeof(*who)) == 0;
}

/* The ghost of a child that lives here itself needs a space in which its number is free. */
static int children_are_here(const struct transfer *transfer)
{
    const child_list *list = &transfer->children.children;

    for (unsigned i = 0; i < list->child_list_len; i++)
        if (proc_is_known(list->child_list_val[i]) && !seconds_has(list->child_list_val[i]))
            return 1;
    return 0;
}

static int launch_forward(struct transfer *transfer, const struct frame_header *header,
                          const uint8_t *body, const int *fds, const launch_who *who,
                          const char **reason)
{
    int error = FAULT(FAULT_SLAVED_LAUNCH);

    if (!error && !who->second && children_are_here(transfer)) {
        *reason = "a child of its has its number here";
        return -EEXIST;
    }
    last_serial += last_serial == UINT32_MAX ? 2 : 1;
    if (!error)
        error = proc_add(transfer->pid, who->ppid, transfer, last_serial, who->second);
    if (error == -EEXIST)
        *reason = "a process of this node has its number";
    if (error)
        return error;
    transfer->serial = last_serial;
    transfer->asked = *header;
    error = space_launch(transfer->serial, who, header, body, fds);
    if (error == -EEXIST)
        *reason = "its number is taken, and the second process space cannot have it";
    if (error) {
        proc_refused(transfer->serial);
        transfer->serial = 0;
    }
    return error;
}

static void launch_take(struct transfer *transfer, const struct frame_header *header,
                        const uint8_t *body, const int *fds)
{
    const char *reason = NULL;
    launch_who who;
    int error;

    if (!launch_is_sound(header, body, &who) || transfer->serial) {
        conn_close(transfer->conn, "launch out of place");
        return;
    }
    if (transfer->drained && header->proc == P_LAUNCH_EXEC)
        transfer = transfer_follow(transfer, who.pid);
    if (who.pid != transfer->pid) {
        conn_close(transfer->conn, "launch of another process");
        return;
    }
    if (header->proc == P_LAUNCH_CRIU && missing) {
        conn_refuse(transfer->conn, header, ENOSYS, "cannot restore: no usable CRIU: %s", missing);
        return;
    }
    error = launch_forward(transfer, header, body, fds, &who, &reason);
    if (error)
        conn_refuse(transfer->conn, header, error, "cannot launch process %d: %s",
                    (int)transfer->pid, reason ? reason : strerror(-error));
}

static void done_take(struct transfer *transfer, const struct frame_header *header,
                      const uint8_t *body)
{
    commit_msg done;

    if (conn_decode(commit_msg, header, body, &done) < 0) {
        conn_close(transfer->conn, "message does not decode");
        return;
    }
    FAULT(FAULT_SLAVED_COMMIT);
    transfer->serial = 0;
    shares_settle(transfer->conn);
    children_settle(transfer, 0);
    proc_commit(transfer->pid, transfer, &done);
}

static void drained_take(struct transfer *transfer)
{
    transfer->drained = 1;
    if (transfer->channel)
        drained_tell(transfer);
    else
        proc_drained(transfer->pid, transfer);
}

static void transfer_message(struct conn *conn, const struct frame_header *header,
                             const uint8_t *body, int *fds, void *arg)
{
    struct transfer *transfer = arg;

    switch (header->proc) {
    case P_LAUNCH_EXEC:
    case P_LAUNCH_CRIU:
    case P_LAUNCH_FORK:
        launch_take(transfer, header, body, fds);
        break;
    case P_LAUNCH_DONE:
        done_take(transfer, header, body);
        break;
    case P_LAUNCH_UNDO:
        proc_abandon(transfer->pid, transfer);
        break;
    case P_DRAINED:
        drained_take(transfer);
        break;
    case P_RECV_CHILDREN:
        children_take(transfer, header, body);
        break;
    case P_SHARE_GIVE:
        if (share_give(conn, header, body, fds) < 0)
            conn_close(conn, "share does not decode");
        break;
    case P_SHARE_TAKE:
        if (share_take(conn, header, body) < 0)
            conn_close(conn, "share does not decode");
        break;
    case P_RECV_TICKET:
        if (ticket_ask(conn, header, body) < 0)
            conn_close(conn, "ticket does not decode");
        break;
    default:
        conn_close(conn, "message out of place");
    }
}

static void transfer_closed(struct conn *conn, const char *reason, void *arg)
{
    struct transfer *transfer = arg;

    (void)conn;
    log_debug("transfer of process %d: %s", (int)transfer->pid, reason);
    transfer_end(transfer);
}

static const struct conn_ops transfer_ops = { .on_message = transfer_message,
                                              .on_close = transfer_closed };

void transfer_new(struct event_base *base, int fd, pid_t pid)
{
    struct transfer *transfer = transfer_make(pid);

    FAULT(FAULT_SLAVED_REGISTERED);
    if (!transfer) {
        close(fd);
        return;
    }
    transfer->conn = conn_new_local(base, fd, &transfer_ops, transfer);
    if (!transfer->conn)
        transfer_free(transfer);
}

void transfer_drain(struct transfer *transfer)
{
    launch_id body = { .pid = transfer->pid };

    conn_send(transfer->conn, K_EVENT, P_DRAIN, transfer->asked.serial, 0, FRAME_XDR(launch_id),
              &body, NULL, 0);
}

static void launch_answer(struct transfer *transfer, const struct frame_header *header,
                          const uint8_t *body)
{
    struct frame_bytes bytes = { .bytes = body, .len = header->body_len };

    FAULT(FAULT_SLAVED_LAUNCHED);
    conn_send(transfer->conn, K_REPLY, header->proc, transfer->asked.serial, header->status,
              FRAME_XDR(frame_bytes), &bytes, NULL, 0);
}

void transfer_launched(uint32_t serial, const struct frame_header *header, const uint8_t *body)
{
    struct transfer *transfer;

    if (header->status != 0)
        proc_refused(serial);
    LIST_FOREACH(transfer, &transfers, next)
        if (transfer->serial == serial)
            break;
    if (!transfer)
        return;
    transfer->serial = 0;
    if (transfer->conn)
        launch_answer(transfer, header, body);
}
