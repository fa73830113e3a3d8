/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/conn.h"
#include "common/log.h"
#include "slaved/child.h"
#include "slaved/link.h"
#include "slaved/seconds.h"
#include "slaved/space.h"
#include "slaved/usage.h"

static struct {
    struct event_base *base;
    struct conn *conn;
    pid_t pid;
    int node;
    int asked;                  /* the helper has not answered yet */
} helper;

static void helper_message(struct conn *conn, const struct frame_header *header,
                           const uint8_t *body, int *fds, void *arg)
{
    struct frame_bytes bytes = { .bytes = body, .len = header->body_len };

    (void)fds;
    (void)arg;
    if (header->proc != P_NODE_USAGE || header->kind != K_EVENT) {
        conn_close(conn, "message out of place");
        return;
    }
    helper.asked = 0;
    link_event(P_NODE_USAGE, FRAME_XDR(frame_bytes), &bytes);
}

static void helper_closed(struct conn *conn, const char *reason, void *arg)
{
    (void)reason;
    (void)arg;
    if (helper.conn == conn)
        helper.conn = NULL;
}

static const struct conn_ops helper_ops = { .on_message = helper_message,
                                            .on_close = helper_closed };

static void helper_ended(const char *words)
{
    log_warnx("bproc-usage has ended (%s)", words);
    helper.pid = 0;
    conn_close(helper.conn, "the helper has ended");
}

static int helper_start(void)
{
    char node[16], init[16];
    char *argv[] = { (char[]){ "bproc-usage" }, node, init, NULL };
    int ends[2];

    snprintf(node, sizeof(node), "%d", helper.node);
    snprintf(init, sizeof(init), "%d", (int)space_pid());
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    helper.pid = child_start("bproc-usage", argv, &ends[1], 1, 0, helper_ended);
    close(ends[1]);
    if (helper.pid < 0) {
        int error = (int)helper.pid;

        helper.pid = 0;
        close(ends[0]);
        return error;
    }
    helper.asked = 0;
    helper.conn = conn_new_local(helper.base, ends[0], &helper_ops, NULL);
    return helper.conn ? 0 : -ENOMEM;
}

void usage_init(struct event_base *base, int node)
{
    helper.base = base;
    helper.node = node;
}

void usage_asked(void)
{
    static int pids[BPROC_MAX_SECONDS];
    seconds_msg seconds = { .pids = { 0, pids } };
    int error = helper.pid ? 0 : helper_start();

    if (error)
        log_warnx("cannot start bproc-usage: %s", strerror(-error));
    if (!helper.conn || helper.asked)
        return;
    helper.asked = 1;
    seconds.init = space_second_pid();
    seconds.pids.pids_len = seconds_list(pids, BPROC_MAX_SECONDS);
    conn_event(helper.conn, P_NODE_USAGE, FRAME_XDR(seconds_msg), &seconds);
}

void usage_finish(void)
{
    if (helper.pid)
        child_forget(helper.pid);
    conn_close(helper.conn, "this node stops");
}
