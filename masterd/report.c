/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "common/log.h"
#include "masterd/kin.h"
#include "masterd/link_impl.h"
#include "masterd/nodecalls.h"
#include "masterd/nodeghost.h"
#include "masterd/nodepower.h"
#include "masterd/order.h"
#include "masterd/passage.h"
#include "masterd/proctable.h"
#include "masterd/usage.h"
#include "masterd/watchers.h"
#include "moves/move.h"

void report_status(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    status_msg msg;

    if (conn_decode(status_msg, header, body, &msg) < 0)
        conn_close(link->conn, "arguments do not decode");
    else if (header->proc == P_EXITED)
        proctable_exited(link->node, msg.pid, msg.status);
    else
        proctable_stopped(link->node, msg.pid, header->proc == P_STOPPED, msg.status);
}

/* What nobody waits for any more, and is not known by the mover's word, was told to have failed. */
void report_started(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    started_msg msg;

    if (conn_decode(started_msg, header, body, &msg) < 0)
        conn_close(link->conn, "arguments do not decode");
    else if (!move_runs(link->node->number, &msg) && !proc_find(msg.pid, link->node->number))
        link_kill(link->node, msg.pid);
}

void report_born(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    born_msg born;

    if (conn_decode(born_msg, header, body, &born) < 0) {
        conn_close(link->conn, "arguments do not decode");
        return;
    }
    proctable_born(link->node, &born);
    frame_free(FRAME_XDR(born_msg), &born, sizeof(born));
}

void report_group(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    group_msg group;

    if (conn_decode(group_msg, header, body, &group) < 0)
        conn_close(link->conn, "arguments do not decode");
    else
        proctable_group(link->node, &group);
}

static void pass_answer(struct link *link, const struct frame_header *header,
                        const struct answer *answer)
{
    pass_ret ret = { .body = { 0, NULL } };
    uint8_t *bytes = NULL;
    size_t len = 0;
    int error = 0;

    if (answer->encode)
        error = frame_encode(answer->encode, answer->ret, BPROC_MAX_LIST, &bytes, &len);
    ret.body.body_len = (unsigned)len;
    ret.body.body_val = (char *)bytes;
    if (error)
        conn_refuse(link->conn, header, -error, "answer too long");
    else
        conn_reply(link->conn, header, FRAME_XDR(pass_ret), &ret);
    free(bytes);
}

/* A call that is answered later; others are at once. */
static int pass_later(struct link *link, const struct frame_header *header, const pass_arg *arg)
{
    if (arg->proc != P_NODE_USAGE)
        return 0;
    if (usage_ask(link->conn, header, (const uint8_t *)arg->body.body_val, arg->body.body_len,
                  1) < 0)
        conn_refuse(link->conn, header, EPROTO, "arguments do not decode");
    return 1;
}

void report_pass(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    struct caller caller = { .node = link->node->number };
    struct answer answer;
    pass_arg arg;
    int error;

    if (conn_decode(pass_arg, header, body, &arg) < 0) {
        conn_close(link->conn, "arguments do not decode");
        return;
    }
    if (pass_later(link, header, &arg)) {
        frame_free(FRAME_XDR(pass_arg), &arg, sizeof(arg));
        return;
    }
    caller.pid = arg.pid;
    caller.uid = arg.uid;
    caller.gid = arg.gid;
    caller.groups = arg.groups.groups_val;
    caller.ngroups = arg.groups.groups_len;
    error = nodecall_run(&caller, arg.proc, 1, (const uint8_t *)arg.body.body_val,
                         arg.body.body_len, &answer);
    if (error == -EPROTO)
        conn_refuse(link->conn, header, EPROTO, "this call cannot be passed on");
    else if (error)
        conn_refuse(link->conn, header, error, "%s", answer.text);
    else
        pass_answer(link, header, &answer);
    answer_free(&answer);
    frame_free(FRAME_XDR(pass_arg), &arg, sizeof(arg));
}

#define CALL (1u << K_CALL)

/* Somebody on the node wants to hear of changes. */
void report_notify(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    (void)header;
    (void)body;
    if (watchers_add(link->conn, 1) < 0)
        log_warnx("cannot tell node %d of changes: out of memory", link->node->number);
}

void report_usage(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    if (usage_take(link->node, body, header->body_len) < 0)
        conn_close(link->conn, "arguments do not decode");
}

void report_order(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    order_answered(link->node, header, body);
}

void report_power(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    power_arg arg;

    if (conn_decode(power_arg, header, body, &arg) < 0)
        conn_close(link->conn, "arguments do not decode");
    else
        nodepower_changed(link->node, arg.what);
}

void report_passage(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    if (passage_message(link->node, link->conn, header, body) < 0)
        conn_close(link->conn, "arguments do not decode");
}

/* A ghost on that node got a signal, or what stands there for a parent. */
void report_signal(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    signal_msg msg;

    if (conn_decode(signal_msg, header, body, &msg) < 0 || msg.signo <= 0 || msg.signo >= NSIG)
        conn_close(link->conn, "arguments do not decode");
    else if (header->proc == P_SIGNAL_PARENT)
        kin_signal_parent(&msg, link->node->number);
    else
        kin_signal_child(&msg, link->node->number);
}

void report_ghost_gone(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    pid_msg msg;

    if (conn_decode(pid_msg, header, body, &msg) < 0)
        conn_close(link->conn, "arguments do not decode");
    else
        nodeghost_remove(msg.pid, link->node->number);
}

/* A child that a process left behind there, with its ghost. */
void report_ghost_child(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    status_msg msg;

    if (conn_decode(status_msg, header, body, &msg) < 0)
        conn_close(link->conn, "arguments do not decode");
    else
        nodeghosts_changed(msg.pid, msg.status, link->node->number, 0);
}
