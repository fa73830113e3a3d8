/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <sys/bproc.h>

#include "masterd/link_impl.h"

void link_event(struct node *node, bproc_proc proc, xdrproc_t encode, const void *body)
{
    if (node && node->link)
        conn_event(node->link->conn, proc, encode, body);
}

int link_call(struct node *node, bproc_proc proc, uint32_t serial, xdrproc_t encode,
              const void *body)
{
    if (!node->link)
        return -ENOTCONN;
    return conn_send(node->link->conn, K_CALL, proc, serial, 0, encode, body, NULL, 0);
}

void link_kill(struct node *node, int pid)
{
    signal_msg msg = { .pid = pid, .signo = SIGKILL };

    link_event(node, P_SIGNAL, FRAME_XDR(signal_msg), &msg);
}

void link_orphan(struct node *node, int ppid)
{
    pid_msg msg = { .pid = ppid };

    link_event(node, P_ORPHAN, FRAME_XDR(pid_msg), &msg);
}

void link_exit_ack(struct node *node, int pid)
{
    pid_msg msg = { .pid = pid };

    /* It lets a number go; whoever is launched with that before it does, too. */
    if (node && node->link)
        conn_event_patient(node->link->conn, P_EXIT_ACK, FRAME_XDR(pid_msg), &msg);
}

void links_flush(void)
{
    for (int number = BPROC_NODE_MASTER; number < nodetable_size(); number++) {
        struct node *node = node_at(number);

        if (node && node->link)
            conn_flush(node->link->conn);
    }
}
