/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/fd.h"
#include "common/tls.h"
#include "migrate/arrival_register.h"

int arrival_fail(struct arrival *a, int error, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(a->text, sizeof(a->text), fmt, ap);
    va_end(ap);
    return error;
}

int arrival_register(struct arrival *a)
{
    launch_id id = { .pid = a->launch.pid };
    int pair[2];
    int error;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return arrival_fail(a, -errno, "cannot make a socket: %s", strerror(errno));
    error = msg_send(a->setup->server, K_EVENT, P_RECV_REGISTER, 0, 0, FRAME_XDR(launch_id), &id,
                     &pair[1], 1);
    close(pair[1]);
    fd_close(&a->slaved);
    a->slaved = pair[0];
    a->call = 1;                    /* what msg_call() says */
    return error ? arrival_fail(a, -EIO, "cannot reach slaved: %s", strerror(-error))
                 : FAULT(FAULT_RECEIVER_REGISTERED);
}

/*
 * A node is not believed who it sends, nor that it may. The master has said so to slaved, and his
 * word is what counts.
 */
int arrival_ticket(struct arrival *a)
{
    ticket_arg arg = { .ticket = a->launch.ticket };
    expect_msg expect;
    char reason[BPROC_MAX_TEXT - 128];
    int error = msg_call(a->slaved, P_RECV_TICKET, FRAME_XDR(ticket_arg), &arg, NULL, 0,
                         FRAME_XDR(expect_msg), &expect, sizeof(expect), reason, sizeof(reason));

    if (error)
        return arrival_fail(a, error, "cannot take process %d: %s", a->launch.pid, reason);
    if (expect.id.pid != a->launch.pid || expect.node != tls_node_number(a->peer))
        return arrival_fail(a, -EPERM, "cannot take process %d: the ticket is another's",
                            a->launch.pid);
    free(a->launch.groups.groups_val);
    free(a->launch.children.child_list_val);
    a->launch.ppid = expect.ppid;
    a->launch.puid = expect.puid;
    a->launch.pgid = expect.id.pgid;
    a->launch.sid = expect.id.sid;
    a->launch.uid = expect.uid;
    a->launch.gid = expect.gid;
    a->launch.groups.groups_len = expect.groups.groups_len;
    a->launch.groups.groups_val = expect.groups.groups_val;
    a->launch.children = expect.children;
    a->bounds = expect.bounds;
    a->launch.least.no_new_privs |= expect.bounds.least.no_new_privs;
    a->launch.least.capabilities &= expect.bounds.least.capabilities;
    return 0;
}

int arrival_share_take(struct arrival *a, const share_arg *arg)
{
    const take_arg take = { .share = *arg, .peer = a->peer };
    struct msg msg;
    int fd, error = msg_send(a->slaved, K_CALL, P_SHARE_TAKE, 0, 0, FRAME_XDR(take_arg), &take,
                             NULL, 0);

    if (!error)
        error = msg_recv(a->slaved, &msg);
    if (error)
        return error;
    fd = msg.header.status > 0 ? -msg.header.status : msg_take_fd(&msg, 0);
    msg_free(&msg);
    return fd;
}

int arrival_children(struct arrival *a)
{
    children_msg msg = { .pid = a->launch.pid, .children = a->launch.children };
    int error = msg_send(a->slaved, K_EVENT, P_RECV_CHILDREN, 0, 0, FRAME_XDR(children_msg), &msg,
                         NULL, 0);

    return error ? arrival_fail(a, -EIO, "cannot reach slaved: %s", strerror(-error)) : 0;
}
